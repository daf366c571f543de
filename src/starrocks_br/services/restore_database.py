"""The tables of one database on their way back: in step, so that they share looks, jobs and lines of the journal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Final

from attrs import define, field

from starrocks_br.domain.errors import (
    Busy,
    ClusterError,
    JobFailed,
    OutcomeUnknown,
    Refused,
    StalePlan,
    StarRocksBrError,
    TargetExists,
    Unreachable,
)
from starrocks_br.domain.events import StepDone, Warned
from starrocks_br.domain.journal import StepStatus
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.partitions import TableState
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_batch import next_statement
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    Rename,
    RestorePartitions,
    Step,
    Swap,
    Verify,
)
from starrocks_br.domain.server import Job, names_one_of
from starrocks_br.services.exposing import SIGN_OF_LIFE, Surroundings, about_to_show
from starrocks_br.services.journals import give_up
from starrocks_br.services.requests import Place
from starrocks_br.services.restore_checks import check, look, make_again, verify
from starrocks_br.services.restore_copy import read_over
from starrocks_br.services.restore_job import NotSent, job
from starrocks_br.services.restore_table import TableRestore, not_ours

NAME_TAKEN: Final = "is already used"
"""What RENAME says of a name that somebody has, whatever kind of object it is (O2§y12)."""

DATABASE_EXISTS: Final = "database exists"
"""What CREATE DATABASE says of a name that is taken (O§q)."""


@define(kw_only=True)
class DatabaseRestore:
    """Tables that come back into one database.

    Attributes:
        ports: The outside.
        place: What the command works with.
        tables: The tables.
        around: What hangs on them, and on those of the other databases.
    """

    ports: Ports
    place: Place
    tables: Sequence[TableRestore]
    around: Surroundings
    _claimed_at: float = field(default=0.0, init=False)
    _parties: dict[RestoreId, int] = field(factory=dict, init=False)
    _split: int = field(default=0, init=False)
    _new: bool = field(default=False, init=False)
    _database_made: bool = field(default=False, init=False)

    def run(self) -> Generator[None]:
        """Do every step of every table; yields while it waits. What fails is taken back; the other tables go on.

        Raises:
            Unreachable: Nobody answers any more: everything stays as it is, and its journals open.
        """
        with self._failing(self.tables):
            self.ports.restores.begin([one.journal for one in self.tables])
        self._new = True
        yield from self.go_on()

    def go_on(self) -> Generator[None]:
        """Do what is left."""
        while True:
            self.around.settle()
            while ready := self._alike():
                with self._failing(ready):
                    self._do(ready)
                self.around.settle()
            waiting = {one.plan.restore: one for one in self.tables if one.jobs_left}
            if not waiting:
                return
            together = [waiting[restore] for restore in self._together(waiting)]
            with self._failing(together):
                yield from self._send(together)

    def let_go(self) -> None:
        """Stopped by the user: take back what can be, so that the next command need not wait for us to be dead."""
        for one in self.tables:
            if one.step is not None:
                try:
                    why = "stopped by the user"
                    told = give_up(self.ports, one.claim(), why, interrupted=True)
                    if told:  # else nothing of it was written down, so nothing was begun
                        self._warn(f"{one.plan.target.table}: {told}")
                except ClusterError as error:
                    self._warn(
                        f"what the restore of {one.plan.target.table} began stays until the next command: {error}"
                    )

    # --- what needs no waiting ----------------------------------------------------------------------------------------

    def _alike(self) -> list[TableRestore]:
        """Tables that stand at the same kind of step, none of them a job."""
        ready = [one for one in self.tables if one.step is not None and not isinstance(one.step, RestorePartitions)]
        return [one for one in ready if type(one.step) is type(ready[0].step)]

    def _do(self, ready: Sequence[TableRestore]) -> None:
        if any(about_to_show(one) for one in ready):
            ready = self._unmoved(ready)
            self.around.before_exposing(ready)
        ready = self._still_ours(ready)
        seen = self._looked(ready)
        done = []
        for one in ready:
            self._keep_alive(ready)
            if one.failure is None:
                with self._failing([one]):
                    self._act(one, _step(one), seen, self._alive(one, ready))
                    done.append(one)
        self._passed([one for one in done if one.failure is None])

    def _looked(self, ready: Sequence[TableRestore]) -> Mapping[TableRef, TableState]:
        """The tables that are about to be checked; when the last look at those that others use was taken is kept."""
        if not ready or not isinstance(ready[0].step, CheckRestored | Verify):
            return {}
        shown = [one for one in ready if isinstance(one.step, Verify) and one.exposed_at is not None]
        now = self.ports.cluster.now() if shown else None
        for one in shown:
            one.shown_at = now
        return look(self.ports, ready)

    def _still_ours(self, ready: Sequence[TableRestore]) -> list[TableRestore]:
        """Those that nobody took over, and whose names are still borne by the tables that we think.

        In this order: whoever takes a restore over moves its tables only then.
        """
        return self._unmoved(self._granted(ready))

    def _granted(self, ready: Sequence[TableRestore]) -> list[TableRestore]:
        """Those whose next step is still ours to do. The others are somebody else's: nothing of them is touched."""
        if not ready:
            return []
        granted = self.ports.restores.claim([one.claim() for one in ready])
        self._claimed_at = self.ports.clock.monotonic()
        for one in ready:
            if one.plan.restore not in granted:
                one.failure = _taken_over(one)
        return [one for one in ready if one.failure is None]

    def _keep_alive(self, ready: Sequence[TableRestore]) -> None:
        """Steps that take long, one table after the other, must not look as if nobody were at work."""
        if self.ports.clock.monotonic() - self._claimed_at > SIGN_OF_LIFE:
            self._granted([one for one in ready if one.failure is None])

    def _alive(self, one: TableRestore, ready: Sequence[TableRestore]) -> Callable[[], None]:
        """What the step of one table calls between its statements; it raises Busy if somebody took the table over."""

        def alive() -> None:
            self._keep_alive(ready)
            if one.failure is not None:
                raise one.failure

        return alive

    def _unmoved(self, ready: Sequence[TableRestore]) -> list[TableRestore]:
        """Those whose names are still borne by the tables that we think; the others are given up."""
        wanted = {one.plan.restore: one.bearers(_step(one)) for one in ready}
        names = {name for own in wanted.values() for name in own}
        found = self.ports.cluster.table_ids(names) if names else {}
        ours = []
        for one in ready:
            bearers = wanted[one.plan.restore].items()
            moved = [name for name, bearer in bearers if bearer is None or found.get(name) != bearer]
            if moved:
                self._fail(one, not_ours(moved[0]))
            else:
                ours.append(one)
        return ours

    def _act(
        self, one: TableRestore, step: Step, seen: Mapping[TableRef, TableState], alive: Callable[[], None]
    ) -> None:
        match step:
            case CheckRestored(table=table):
                check(self.ports, self.place, one, step, _state(seen, table), alive)
            case Verify(table=table):
                verify(self.ports, one, step, _state(seen, table), alive)
            case CreateTable():
                make_again(self.ports, one, step, alive)
            case AddPartitions(table=table):
                self.ports.cluster.apply(step)
                if one.exposed_at is not None:
                    self._note_ids(one, step, table)
            case CopyPartitions():
                read_over(self.ports, one.plan.restore, step, alive)
            case Rename() | Swap():
                self._show(one, step)
            case CreateDatabase():
                self._create_database(one, step)
            case _:
                self.ports.cluster.apply(step)

    def _note_ids(self, one: TableRestore, step: AddPartitions, table: TableRef) -> None:
        """What was made by hand is told, by its ids, from what others put in its place."""
        state = self.ports.cluster.inspect([table]).get(table)
        there = {} if state is None else state.partitions
        for name in (partition.name for partition in step.partitions if partition.name in there):
            one.made_by_hand[name] = frozenset(number for number, _, _ in there[name].identity)

    def _show(self, one: TableRestore, step: Rename | Swap) -> None:
        """Give a table a name that others use; that somebody took it since the plan was made is no cluster's fault."""
        try:
            self.ports.cluster.apply(step)
        except Refused as refusal:
            if isinstance(step, Swap):  # nobody has seen the table: once that is written down, it may be dropped
                self.ports.restores.mark([one.mark(StepStatus.PLANNED)])
            elif NAME_TAKEN in refusal.why:
                taken = TableRef(step.table.database, step.to)
                raise TargetExists(f"{taken} exists", why=f"it appeared meanwhile: {refusal.why}") from refusal
            raise

    def _create_database(self, one: TableRestore, step: CreateDatabase) -> None:
        """Make it once for all tables; one that somebody made since the plan would not be ours to drop in the end."""
        if self._database_made:
            return
        try:
            self.ports.cluster.apply(step)
        except Refused as refusal:
            if DATABASE_EXISTS not in refusal.why:
                raise
            if self._new:  # else it is what was made before the kill
                self.ports.restores.mark([one.mark(StepStatus.PLANNED)])
                raise StalePlan(
                    f"the plan to restore {one.plan.manifest.table} is stale",
                    why=f"database {step.database} appeared meanwhile: {refusal.why}",
                    hint="plan again",
                ) from refusal
        self._database_made = True

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _together(self, waiting: Mapping[RestoreId, TableRestore]) -> tuple[RestoreId, ...]:
        """Whose next jobs are one statement: of the smallest party first, if a statement had to be divided."""
        party = max(self._parties.get(restore, 0) for restore in waiting)
        return next_statement(
            {restore: one.jobs_left for restore, one in waiting.items() if self._parties.get(restore, 0) == party}
        )

    def _send(self, together: list[TableRestore]) -> Generator[None]:
        together = self._still_ours(together)
        if not together:
            return
        steps = [_job(one) for one in together]
        try:
            ended = yield from job(
                self.ports,
                self.place,
                steps,
                together[0].plan.repository,
                lambda: len(self._still_ours(together)) == len(together),
            )
        except NotSent:
            return  # those that are what they were come round again
        except (Refused, JobFailed) as error:
            if len(together) == 1 or not _of_one(error, steps):
                raise
            # One bad table cancels the job of all (O2§y2): halving finds it, and restores the others in few jobs.
            self._warn(f"{error}; trying these {len(together)} tables again in two halves")
            self._divide(together)
        else:
            self._made(together, ended)

    def _divide(self, together: Sequence[TableRestore]) -> None:
        half = len(together) // 2
        for part in (together[half:], together[:half]):
            self._split += 1
            self._parties |= {one.plan.restore: self._split for one in part}

    def _made(self, together: Sequence[TableRestore], ended: Job | None) -> None:
        if ended is not None:
            for one in together:
                one.is_filled(_job(one), ended)
        creating = [one for one in together if _job(one).creating]
        found = self.ports.cluster.table_ids([_job(one).into for one in creating]) if creating else {}
        for one in creating:
            into = _job(one).into
            if into in found:
                one.ids[into] = found[into]
        self._passed(together)

    # --- failing ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _failing(self, tables: Sequence[TableRestore]) -> Iterator[None]:
        """What fails while it is done for tables together is taken back for each of them; the others go on."""
        try:
            yield
        except Unreachable:
            raise
        except OutcomeUnknown as doubt:
            # Nobody knows what the statement does, so nothing is touched: the next command finds out.
            for one in tables:
                one.failure = doubt
        except StarRocksBrError as error:
            for one in tables:
                if one.failure is None:
                    self._fail(one, error)

    def _fail(self, one: TableRestore, error: StarRocksBrError) -> None:
        """Take back what was made of one table; the others go on."""
        error = copy(error)  # each table says what became of it
        one.failure = error
        try:
            detail = give_up(self.ports, one.claim(), str(error))
        except ClusterError as trouble:
            detail = f"what it made could not be taken back now; the next command does ({trouble})"
        error.hint = "; ".join(part for part in (error.hint, detail) if part)

    # --- moving on ----------------------------------------------------------------------------------------------------

    def _passed(self, done: Sequence[TableRestore]) -> None:
        marks = []
        for one in done:
            step = _step(one)
            made = _makes(step)
            marks.append(one.mark(StepStatus.DONE, table_id=one.ids.get(made) if made is not None else None))
        self.ports.restores.mark(marks)
        for one in done:
            step = _step(one)
            one.passed(step)
            self._parties.pop(one.plan.restore, None)
            self.ports.listener(StepDone(number=one.position, total=len(one.plan.steps), step=step))

    def _warn(self, message: str) -> None:
        self.ports.listener(Warned(message=message))


def _taken_over(one: TableRestore) -> Busy:
    return Busy(
        f"the restore of {one.plan.target.table} was taken over by another command",
        why="nothing had been heard of it for so long that it was taken for dead",
        hint="list what is there, then run the command again",
    )


def _step(one: TableRestore) -> Step:
    assert one.step is not None  # noqa: S101 -- only tables that have one are asked
    return one.step


def _makes(step: Step) -> TableRef | None:
    match step:
        case RestorePartitions(creating=True, into=table) | CreateTable(table=table):
            return table
        case _:
            return None


def _job(one: TableRestore) -> RestorePartitions:
    step = one.step
    assert isinstance(step, RestorePartitions)  # noqa: S101 -- only tables that wait for one are asked
    return step


def _of_one(error: Refused | JobFailed, steps: Sequence[RestorePartitions]) -> bool:
    """Whether one table may be to blame: not if the whole statement is refused, as while the object store is away."""
    names = {name for step in steps for name in (step.source, step.into.name)}
    return isinstance(error, JobFailed) or names_one_of(error.why, names)


def _state(seen: Mapping[TableRef, TableState], table: TableRef) -> TableState:
    if table not in seen:
        raise not_ours(table)
    return seen[table]
