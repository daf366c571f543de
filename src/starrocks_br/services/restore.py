"""One table back to one point: plan from the history, then step by step, each written down before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import define, evolve, field

from starrocks_br.domain.chain import chain_to, lineage, point_at, unsure_at
from starrocks_br.domain.errors import (
    BrokenChain,
    Busy,
    ClusterError,
    OutcomeUnknown,
    Refused,
    StarRocksBrError,
    UnknownTable,
    Unreachable,
    VerificationMismatch,
)
from starrocks_br.domain.events import RestorePlanned, StepDone, Warned
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.journal import Journal, JournalStep, StepStatus
from starrocks_br.domain.names import Label, PartitionName, TableRef, restore_id
from starrocks_br.domain.partitions import TableState
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_plan import RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.restore_steps import (
    TTL_OFF,
    AddPartitions,
    CheckRestored,
    DropTable,
    PauseTtl,
    Rename,
    RepairHole,
    RestorePartitions,
    Step,
    Verify,
)
from starrocks_br.domain.server import Server
from starrocks_br.domain.snapshot import Consistency, Outline
from starrocks_br.domain.status import RESTORABLE
from starrocks_br.domain.timeline import timeline
from starrocks_br.domain.verify import differences
from starrocks_br.services.journals import give_up
from starrocks_br.services.preflight import reading_from, ready
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.reports import RestoreReport
from starrocks_br.services.requests import Place, RestoreRequest
from starrocks_br.services.restore_job import run_job

GHOST_WORDS: Final = ("Range", "dataProperty")
"""What a failing partitions_meta says when ghost temporary partitions haunt the cluster (O2§0.1)."""


LOOKS_AT_A_HOLE: Final = 5
"""How often a hole is looked at before it is taken for one that RESTORE left (O2§y6)."""


# --- planning ---------------------------------------------------------------------------------------------------------


def plan(
    ports: Ports,
    request: RestoreRequest,
    *,
    at: datetime | None = None,
    label: Label | None = None,
    allow_fuzzy: bool = False,
) -> RestorePlan:
    """Plan a restore to the newest point at or before `at`, or to the point of a snapshot. Writes nothing.

    Raises:
        UnknownTable: Nothing was ever recorded of the table.
        NoPoint: No point lies there.
        BrokenChain: The point's lineage is damaged, or the repository lacks a holder.
        TargetExists: The target's name is taken.
        Unrestorable: No sequence of legal statements gives exactly this table.
    """
    server = ready(ports, request.place)
    outlines = ports.backups.outlines(table=request.table)
    if not outlines:
        raise UnknownTable(
            f"nothing is recorded of {request.table}", hint="starrocks-br list shows what is; names are case-sensitive"
        )
    by_label = label is not None and request.from_cluster is None
    choice = outlines if by_label else timeline(outlines, request.table, server.cluster, request.from_cluster)
    chosen = _choose(choice, request.table, at, label, allow_fuzzy=allow_fuzzy)
    if at is not None:
        _warn_unsure(ports, choice, request.table, at)
    labels = [link.label for link in lineage(outlines, request.table, chosen.label)]
    reading = ports.backups.entries(labels)
    for damage in reading.damages:
        ports.listener(Warned(message=f"history of {damage.label} {damage.table} is damaged: {damage.problem}"))
    manifest = chain_to(reading.entries, request.table, chosen.label).manifest()
    recorded = {entry.label: entry.snapshot.backup_timestamp for entry in reading.entries}
    place = reading_from(ports, request.place, manifest.repository)
    facts = _facts(ports, evolve(request, place=place), server, manifest.holders(), recorded)
    if facts.taken_by and _is_leftover(ports, server, request.into):
        facts = evolve(facts, taken_by="")
    planned = plan_restore(manifest, facts, Target(table=request.into), restore_id(ports.tokens()))
    return evolve(planned, repository=place.repository)


def _is_leftover(ports: Ports, server: Server, table: TableRef) -> bool:
    """Whether the name is held by what a killed restore left there: `run` takes that back first, or finds it busy."""
    return any(
        journal.cluster == server.cluster
        and journal.target == table
        and journal.exposed
        and journal.table_id is not None
        and ports.cluster.table_id(table) == journal.table_id
        for journal in ports.restores.unfinished()
    )


def _choose(
    outlines: tuple[Outline, ...], table: TableRef, at: datetime | None, label: Label | None, *, allow_fuzzy: bool
) -> Outline:
    if label is None:
        if at is None:
            raise ValueError("either an instant or a label says where to restore to")
        return point_at(outlines, table, at, allow_fuzzy=allow_fuzzy)
    found = [outline for outline in outlines if outline.label == label]
    if not found:
        raise BrokenChain(f"snapshot {label} holds nothing of {table}", table=table, labels=(label,))
    chosen = found[0]
    if chosen.snapshot.status not in RESTORABLE:
        raise BrokenChain(
            f"{table} cannot be restored from snapshot {label}",
            table=table,
            labels=(label,),
            why=f"the snapshot is {chosen.snapshot.status}",
        )
    if chosen.consistency is not Consistency.EXACT and not allow_fuzzy:
        raise BrokenChain(
            f"{table} cannot be restored exactly from snapshot {label}",
            table=table,
            labels=(label,),
            why=f"its consistency is {chosen.consistency}: some partitions may be older than others",
            hint="--allow-fuzzy takes it all the same",
        )
    return chosen


def _warn_unsure(ports: Ports, outlines: tuple[Outline, ...], table: TableRef, at: datetime) -> None:
    unsure = unsure_at(outlines, table, at)
    if unsure is not None and unsure.snapshot.snapshot_at is not None:
        ports.listener(
            Warned(
                message=f"snapshot {unsure.label} was cut at some moment before "
                f"{show_instant(unsure.snapshot.snapshot_at)}, perhaps before {show_instant(at)}: "
                f"--label {unsure.label} takes it",
                table=table,
            )
        )


def _facts(
    ports: Ports,
    request: RestoreRequest,
    server: Server,
    holders: frozenset[Label],
    recorded: Mapping[Label, str | None],
) -> TargetFacts:
    objects = ports.cluster.objects(request.into.database)
    found = ports.cluster.find_snapshots(request.place.repository, holders)
    return TargetFacts(
        taken_by=(objects or {}).get(request.into.name, ""),
        database_exists=objects is not None,
        alive_backends=server.alive_backends,
        backup_timestamps={
            label: remote.backup_timestamp
            for label, remote in found.items()
            if remote.usable and remote.backup_timestamp is not None and remote.backup_timestamp == recorded[label]
        },
        replication_num=request.place.replication_num,
    )


# --- doing ------------------------------------------------------------------------------------------------------------


def run(ports: Ports, request: RestoreRequest, planned: RestorePlan) -> RestoreReport:
    """Do what was planned.

    Raises:
        TargetExists: The target appeared since the plan was made.
        BrokenChain: A holder vanished since.
        Busy: Another restore works on the target, or the database's job slot is taken.
        JobFailed: The server cancelled a RESTORE; what was made is taken back.
        VerificationMismatch: The result is not what the manifest says; it does not bear the target's name.
        Unreachable: Nobody answers any more; the next command takes the restore back.
    """
    server = ready(ports, request.place)
    request = evolve(request, place=evolve(request.place, repository=planned.repository))
    found = reconcile(ports, request.place, server)
    if planned.target.table in found.busy:
        raise Busy(
            f"a restore of {planned.target.table} still runs",
            why="its job has not ended, or its command was heard of a moment ago",
            hint="wait for it to end; if it was killed, run the command again once its job has ended, a minute later",
        )
    _refuse_stale(ports, request, server, planned)
    ports.listener(RestorePlanned(plan=planned))
    journal = Journal(
        restore=planned.restore,
        cluster=server.cluster,
        repository=planned.repository,
        target=planned.target.table,
        alias=planned.alias,
        created_at=server.now,
        steps=tuple(JournalStep(step=step, status=StepStatus.PLANNED) for step in planned.steps),
    )
    execution = Execution(ports=ports, place=request.place, journal=journal, expected=expected_after(planned))
    began = ports.clock.monotonic()
    execution.run(planned)
    return RestoreReport(
        restore=planned.restore,
        source=planned.manifest.table,
        table=planned.target.table,
        label=_label_of(planned),
        point=planned.manifest.at,
        jobs=len(planned.jobs),
        partitions=len(planned.manifest.held),
        rows=execution.rows,
        size=_total(planned),
        seconds=ports.clock.monotonic() - began,
        notes=(*planned.notes, *execution.notes),
    )


def _refuse_stale(ports: Ports, request: RestoreRequest, server: Server, planned: RestorePlan) -> None:
    recorded = {job.label: job.backup_timestamp for job in planned.jobs}
    facts = _facts(ports, request, server, planned.manifest.holders(), recorded)
    plan_restore(planned.manifest, facts, planned.target, planned.restore)


def _label_of(planned: RestorePlan) -> Label:
    return list(planned.manifest.contents)[-1]


def _total(planned: RestorePlan) -> int | None:
    sizes = [job.size for job in planned.jobs]
    return sum(size for size in sizes if size is not None) if None not in sizes else None


def expected_after(planned: RestorePlan) -> Mapping[int, frozenset[PartitionName]]:
    """Which partitions the table should have after each step, by the step's number."""
    present: frozenset[PartitionName] = frozenset()
    by_number = {}
    for number, step in enumerate(planned.steps):
        if isinstance(step, RestorePartitions):
            # A holder has one step, which restores all that the manifest wants of it.
            present |= frozenset(name for name, held in planned.manifest.held.items() if held.holder == step.label)
        by_number[number] = present
    return by_number


@define(kw_only=True)
class Execution:
    """A restore under way.

    Attributes:
        ports: The outside.
        place: What the command works with.
        journal: What was written down of it.
        expected: Which partitions the table should have after each step.
        rows: How many rows the table has, once counted; None if the server told no number.
        notes: What the user has to do afterwards.
    """

    ports: Ports
    place: Place
    journal: Journal
    expected: Mapping[int, frozenset[PartitionName]]
    rows: int | None = None
    notes: list[str] = field(factory=list)
    _table_id: int | None = field(default=None, init=False)

    def run(self, planned: RestorePlan) -> None:
        """Do every step; if one fails for good, take back what was made and raise its error."""
        self.ports.restores.begin(self.journal)
        for number, step in enumerate(planned.steps):
            try:
                self._do(planned, number, step)
            except (Unreachable, OutcomeUnknown):
                raise
            except StarRocksBrError as error:
                self._take_back(number, error)
                raise
            except KeyboardInterrupt:
                self._let_go(number)
                raise
            self.ports.listener(StepDone(number=number + 1, total=len(planned.steps), step=step))

    def _do(self, planned: RestorePlan, number: int, step: Step) -> None:
        self._check_ours(_acts_on(step))
        restore = self.journal.restore
        self.ports.restores.mark(restore, number, StepStatus.SENT, table_id=self._table_id)
        match step:
            case RestorePartitions():
                self._restore(step)
            case CheckRestored():
                self._check(planned, number, step)
            case Verify():
                self._verify(planned, number, step)
            case _:
                self._apply(step)
        self.ports.restores.mark(restore, number, StepStatus.DONE, table_id=self._table_id)

    def _check_ours(self, table: TableRef | None) -> None:
        """A name is not a table: before each act on a table that exists, its id must be the one we made."""
        if table is not None and self.ports.cluster.table_id(table) != self._table_id:
            raise _not_ours(table)

    def _apply(self, step: Step) -> None:
        self.ports.cluster.apply(step, self.place.repository, self.place.job_timeout)

    def _restore(self, step: RestorePartitions) -> None:
        run_job(self.ports, self.place, step)
        if step.creating:
            self._table_id = self.ports.cluster.table_id(step.into)

    # --- checks -------------------------------------------------------------------------------------------------------

    def _check(self, planned: RestorePlan, number: int, step: CheckRestored) -> None:
        state = self._see_rested(step)
        holes = [partition for _, partition in sorted(state.partitions.items()) if partition.hole]
        for partition in holes:
            version = max(version for _, version, _ in partition.identity)
            self._apply(RepairHole(table=step.table, partition=partition.name, version=version))
        if state.ttl:
            self._pause(step.table, planned.target.table, state)
        self._compare(planned, number, self._see(step.table) if holes or state.ttl else state)

    def _see_rested(self, step: CheckRestored) -> TableState:
        """Look; at a table that others can load, a hole may be a load that is just being published: look again."""
        state = self._see_unhaunted(step)
        for _ in range(0 if step.created else LOOKS_AT_A_HOLE):
            if not any(partition.hole for partition in state.partitions.values()):
                break
            self.ports.clock.sleep(self.place.poll_interval)
            state = self._see(step.table)
        return state

    def _see_unhaunted(self, step: CheckRestored) -> TableState:
        try:
            return self._see(step.table)
        except Refused as refusal:
            if step.created and any(word in refusal.why for word in GHOST_WORDS):
                self._check_ours(step.table)
                self._apply(DropTable(table=step.table))
                raise VerificationMismatch(
                    f"the snapshot of {step.table} holds ghost partitions",
                    table=step.table,
                    differences=(
                        f"information_schema.partitions_meta failed right after the restore: {refusal.why}",
                        "the restored table was dropped at once, before it could harm the cluster",
                    ),
                    hint="choose another point; this one can never be restored",
                ) from refusal
            raise

    def _pause(self, table: TableRef, target: TableRef, state: TableState) -> None:
        self._apply(PauseTtl(table=table, properties={key: TTL_OFF[key] for key in state.ttl}))
        for key, value in sorted(state.ttl.items()):
            again = f'ALTER TABLE {target} SET ("{key}" = "{value}")'
            self.notes.append(f"the server may not add or drop partitions on its own now; to allow it again: {again}")

    def _see(self, table: TableRef) -> TableState:
        state = self.ports.cluster.inspect(table)
        if state is None or state.table_id != self._table_id:
            raise _not_ours(table)
        return state

    def _compare(self, planned: RestorePlan, number: int, state: TableState) -> None:
        found = differences(planned.manifest, state, self.expected[number])
        if found:
            raise VerificationMismatch(f"{state.table} is not what was backed up", table=state.table, differences=found)

    def _verify(self, planned: RestorePlan, number: int, step: Verify) -> None:
        self._compare(planned, number, self._see(step.table))
        self.rows = self.ports.cluster.count_rows(step.table)
        if self.rows is None:
            self.ports.listener(
                Warned(message=f"the server told no number of rows of {step.table}: its rows were not read")
            )

    # --- failure ------------------------------------------------------------------------------------------------------

    def _let_go(self, number: int) -> None:
        """Take back what can be, so that the next command need not wait until this one counts as dead."""
        try:
            give_up(self.ports, self.place, self.journal.restore, number, "stopped by the user", interrupted=True)
        except ClusterError as error:
            self.ports.listener(Warned(message=f"what this restore began stays until the next command: {error}"))

    def _take_back(self, number: int, error: StarRocksBrError) -> None:
        try:
            detail = give_up(self.ports, self.place, self.journal.restore, number, str(error))
        except ClusterError as trouble:
            detail = f"what it made could not be taken back now; the next command does ({trouble})"
        error.hint = "; ".join(part for part in (error.hint, detail) if part)


def _acts_on(step: Step) -> TableRef | None:
    match step:
        case RestorePartitions(creating=False, into=table) | AddPartitions(table=table) | Rename(table=table):
            return table
        case _:
            return None


def _not_ours(table: TableRef) -> VerificationMismatch:
    return VerificationMismatch(
        f"{table} is not the table that this restore made",
        table=table,
        differences=("it was dropped, renamed or replaced meanwhile",),
    )
