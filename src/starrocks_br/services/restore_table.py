"""One table of a restore under way: where it stands, and which table should bear which name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import define, field

from starrocks_br.domain.anchor import Filled
from starrocks_br.domain.errors import StarRocksBrError, VerificationMismatch
from starrocks_br.domain.journal import Claim, Journal, JournalStep, Mark, StepStatus
from starrocks_br.domain.names import ClusterId, PartitionName, TableRef
from starrocks_br.domain.partitions import TableState
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    DropTable,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
    names_after,
)
from starrocks_br.domain.server import Job


@define(kw_only=True)
class TableRestore:
    """One table of a restore under way.

    Attributes:
        plan: What is done.
        journal: What is written down of it.
        ids: The id of the table that bears each name, as far as it concerns this restore.
        position: The number of the next step.
        rows: How many rows the table has, once counted; None if the server told no number.
        notes: What the user has to do afterwards.
        hidden: The table as it was seen before anybody else could; None if nobody looked.
        shown: The table as it was verified.
        shown_at: The leader's clock right before that look, if the table bore a name that others use.
        newest_job: The greatest schema-change JobId of its database then; None if none was told of.
        made_by_hand: The ids of partitions that were made by hand after others could see the table.
        filled: Those of them that a job has filled since.
        exposed_at: The leader's clock right before others could see it; None: they cannot yet.
        failure: Why it was given up.
        holder: As whom it claims its steps.
    """

    plan: RestorePlan
    journal: Journal
    ids: dict[TableRef, int]
    position: int = 0
    rows: int | None = None
    notes: list[str] = field(factory=list)
    hidden: TableState | None = None
    shown: TableState | None = None
    shown_at: datetime | None = None
    newest_job: int | None = None
    made_by_hand: dict[PartitionName, frozenset[int]] = field(factory=dict)
    filled: dict[PartitionName, Filled] = field(factory=dict)
    exposed_at: datetime | None = None
    failure: StarRocksBrError | None = None
    holder: str = ""
    _expected: Mapping[int, frozenset[PartitionName]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._expected = _expected_after(self.plan)

    @classmethod
    def begin(cls, plan: RestorePlan, cluster: ClusterId, now: datetime) -> TableRestore:
        """Before the first step."""
        journal = Journal(
            restore=plan.restore,
            cluster=cluster,
            repository=plan.repository,
            target=plan.target.table,
            alias=plan.alias,
            created_at=now,
            steps=tuple(JournalStep(step=step, status=StepStatus.PLANNED) for step in plan.steps),
        )
        live = {} if plan.replaces is None else {plan.target.table: plan.replaces}
        return cls(plan=plan, journal=journal, ids=live)

    @property
    def step(self) -> Step | None:
        """The next one; None if the table is done, or was given up."""
        return None if self.failure or self.position == len(self.plan.steps) else self.plan.steps[self.position]

    @property
    def done(self) -> bool:
        """Whether all of its steps are done."""
        return self.failure is None and self.position == len(self.plan.steps)

    @property
    def jobs_left(self) -> tuple[RestorePartitions, ...]:
        """The RESTORE jobs that it has before it."""
        left = self.plan.steps[self.position :]
        return () if self.failure else tuple(step for step in left if isinstance(step, RestorePartitions))

    @property
    def hides(self) -> bool:
        """Whether the table that it makes bears the alias, where nobody else can see it."""
        return self.ids.get(self.plan.alias) not in {None, self.plan.replaces}

    @property
    def lives_at(self) -> TableRef:
        """The name of the table that it replaces; that of its target if it replaces none, or that one is gone."""
        found = (name for name, bearer in self.ids.items() if bearer == self.plan.replaces)
        return next(found, self.plan.target.table)

    @property
    def shown_to_others(self) -> bool:
        """Whether the table bore a name that others use when it was verified."""
        return self.shown is not None and self.shown.table != self.plan.alias

    def mark(self, status: StepStatus, *, table_id: int | None = None) -> Mark:
        """What is written down of the step it stands at."""
        return Mark(restore=self.plan.restore, number=self.position, status=status, table_id=table_id)

    def claim(self) -> Claim:
        """What is asked before the step it stands at is sent."""
        return Claim(restore=self.plan.restore, number=self.position, holder=self.holder)

    def bearers(self, step: Step) -> Mapping[TableRef, int | None]:
        """The tables that a step acts on, each with the id that it must have; None if that is not known."""
        wanted = {name: self.ids.get(name) for name in acted_on(step)}
        if isinstance(step, SetAside | Swap):
            wanted[step.table] = step.table_id
        return wanted

    def passed(self, step: Step) -> None:
        """The step is done: names have moved with it."""
        self.ids = names_after(step, self.ids)
        self.position += 1

    def is_filled(self, step: RestorePartitions, job: Job) -> None:
        """The job of a step has ended well."""
        began, ended = (int(time.timestamp()) for time in (job.created_at, job.finished_at or job.created_at))
        for name in held_by(self.plan, step) & self.made_by_hand.keys():
            self.filled[name] = Filled(ids=self.made_by_hand[name], began=began, ended=ended)

    def expects(self, table: TableRef) -> frozenset[PartitionName]:
        """Which partitions a table of this restore should have now; a scratch table those of its own job."""
        job = _scratches(self.plan).get(table)
        return self._expected[self.position] if job is None else held_by(self.plan, job)

    def copied(self, table: TableRef) -> frozenset[PartitionName]:
        """The partitions that are read into the table with INSERT: their versions count anew."""
        if table in _scratches(self.plan):
            return frozenset()
        steps = (step for step in self.plan.steps if isinstance(step, CopyPartitions))
        return frozenset(name for step in steps for name in step.partitions)

    def is_at(self, state: TableState) -> None:
        """Check that a look saw our table. Raises VerificationMismatch."""
        if self.ids.get(state.table) != state.table_id:
            raise not_ours(state.table)


def acted_on(step: Step) -> tuple[TableRef, ...]:
    """The tables that must still be what we think before the step is sent: a name is not a table."""
    match step:
        case RestorePartitions(creating=False, into=table) | AddPartitions(table=table) | Rename(table=table):
            return (table,)
        case SetAside(table=table) | DropTable(table=table) | CheckRestored(table=table) | Verify(table=table):
            return (table,)
        case Swap(table=table, restored=name):
            return table, TableRef(table.database, name)
        case CopyPartitions(scratch=scratch, table=table):
            return scratch, table
        case _:
            return ()


def held_by(plan: RestorePlan, job: RestorePartitions) -> frozenset[PartitionName]:
    """What a job brings back: a holder has one job, which restores all that the manifest wants of it."""
    return frozenset(name for name, held in plan.manifest.held.items() if held.holder == job.label)


def _scratches(plan: RestorePlan) -> Mapping[TableRef, RestorePartitions]:
    """The tables that partitions are read over from, with the job that makes each."""
    return {job.into: job for job in plan.jobs if job.creating and job.into != plan.alias}


def _expected_after(plan: RestorePlan) -> Mapping[int, frozenset[PartitionName]]:
    """Which partitions the table that is made should have after each step, by the step's number."""
    present: frozenset[PartitionName] = frozenset()
    by_number = {}
    scratches = _scratches(plan)
    for number, step in enumerate(plan.steps):
        match step:
            case RestorePartitions() if step.into not in scratches:
                present |= held_by(plan, step)
            case CopyPartitions():
                present |= held_by(plan, scratches[step.scratch])
            case _:
                pass
        by_number[number] = present
    return by_number


def not_ours(table: TableRef) -> VerificationMismatch:
    """What bears the name is another table than the one that this restore made or found."""
    return VerificationMismatch(
        f"{table} is not the table that this restore made or found",
        table=table,
        differences=("it was dropped, renamed or replaced meanwhile",),
    )
