"""The pure domain driven over the model, in the order in which the services drive it over a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count

from attrs import evolve

from starrocks_br.domain.backup_plan import (
    BackupPlan,
    BackupPolicy,
    DatabaseBackup,
    Recorded,
    TableBackup,
    intent,
    plan_backup,
)
from starrocks_br.domain.baseline import newest_baseline
from starrocks_br.domain.chain import chain_to
from starrocks_br.domain.conclusion import look_again, settle_contents
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.names import (
    ClusterId,
    Label,
    PartitionName,
    RepositoryName,
    RunId,
    TableName,
    TableRef,
    label_for,
)
from starrocks_br.domain.partitions import Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status
from tests.property.model import Event, Table, World

REPOSITORY = RepositoryName("repo")


class Outcome(Enum):
    """How the job of a run ends."""

    ENDS = auto()
    FAILS = auto()
    ADOPTED = auto()
    """We were killed; a later command finds the job finished, too late for a second look."""


@dataclass(frozen=True)
class Run:
    """One `backup`: what happens between its look and its cut, and between its cut and its second look."""

    full: bool = False
    between: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()
    outcome: Outcome = Outcome.ENDS


@dataclass(frozen=True)
class Burn:
    """Somebody removes a snapshot from the repository."""

    number: int


@dataclass(frozen=True)
class ColdStart:
    """The cluster is thrown away; another one, whose ids begin anew, has the history and tables of the same names."""


@dataclass(frozen=True)
class Truth:
    """A table as it was, for comparison with what a restore gives."""

    kind: str
    columns: int
    contents: dict[str, tuple[int, ...]]
    written: dict[str, int]


@dataclass
class Kept:
    """A snapshot in the repository."""

    tables: dict[TableName, Table] = field(default_factory=dict)
    haunted: set[TableName] = field(default_factory=set)


class Operation:
    """A cluster, its repository and its history."""

    def __init__(self, kinds: dict[str, str], max_chain: int) -> None:
        self.kinds = kinds
        self.max_chain = max_chain
        self.world = World(kinds)
        self.entries: list[Entry] = []
        self.repository: dict[Label, Kept] = {}
        self.looked: dict[tuple[Label, TableRef], Truth] = {}
        self.cut: dict[tuple[Label, TableRef], Truth] = {}
        self.plans: list[tuple[Label, TableBackup]] = []
        self._tokens = count(1)

    def play(self, history: tuple[Event | Run | Burn | ColdStart, ...]) -> None:
        """Let all of it happen."""
        for step in history:
            if isinstance(step, Event):
                self.world.apply(step)
            elif isinstance(step, Run):
                self.back_up(step)
            elif isinstance(step, Burn):
                self._burn(step)
            else:
                later = self.world.now + 1000
                self.world = World(self.kinds, cluster=self.world.cluster + "0", now=later)

    def back_up(self, run: Run) -> BackupPlan:
        """One run: look, plan, and a job or a leaf for each database."""
        look = observe(self.world)
        looked = {ref: truth(self.world.tables[str(ref)]) for ref in look.tables}
        plan = plan_backup(look, self.recorded(look), BackupPolicy(full=run.full, max_chain=self.max_chain))
        for number, database in enumerate(plan.databases):
            label = label_for(database.database, instant(self.world.now), f"{next(self._tokens):04}")
            for table in database.tables:
                self.looked[label, table.table] = looked[table.table]
                self.plans.append((label, table))
            if database.unchanged:
                self._note_unchanged(label, database, look)
            else:
                self._back_up(label, database, look, run if not number else Run(outcome=run.outcome))
        return plan

    def recorded(self, look: Observation) -> dict[TableRef, Recorded]:
        """What is known of each table that was looked at."""
        found = {}
        outlines = [entry.outline() for entry in self.entries]
        for table, state in look.tables.items():
            baseline = newest_baseline(outlines, table, look.cluster, REPOSITORY, state.table_id)
            if baseline is None:
                continue
            chain = chain_to(self.entries, table, baseline.label)
            try:
                manifest = chain.manifest()
            except BrokenChain as error:
                raise AssertionError(f"recorded, and not to be folded: {error}") from error
            found[table] = Recorded(
                manifest=manifest,
                baseline=baseline.label,
                length=len(chain.entries),
                seen_at=baseline.seen_at,
                missing=frozenset(manifest.holders() - self.repository.keys()),
            )
        return found

    def _burn(self, burn: Burn) -> None:
        if self.repository:
            del self.repository[sorted(self.repository)[burn.number % len(self.repository)]]

    def _snapshot(self, label: Label, database: DatabaseBackup, look: Observation, status: Status) -> Snapshot:
        return Snapshot(
            label=label,
            run=RunId("run"),
            cluster=look.cluster,
            repository=REPOSITORY,
            database=database.database,
            status=status,
            created_at=look.at,
            not_before=look.at,
        )

    def _note_unchanged(self, label: Label, database: DatabaseBackup, look: Observation) -> None:
        self.world.now += 1
        snapshot = evolve(self._snapshot(label, database, look, Status.UNCHANGED), snapshot_at=instant(self.world.now))
        for entry in intent(database, look, snapshot):
            self.entries.append(evolve(entry, consistency=Consistency.EXACT))
            self.cut[label, entry.table] = self.looked[label, entry.table]

    def _back_up(self, label: Label, database: DatabaseBackup, look: Observation, run: Run) -> None:
        entries = intent(database, look, self._snapshot(label, database, look, Status.RUNNING))
        for event in run.between:
            self.world.apply(event)
        kept = cut(self.world, database)
        if kept is None or run.outcome is Outcome.FAILS:
            self._end(entries, Status.FAILED)
            return
        self.repository[label] = kept
        for entry in entries:
            if str(entry.table) in self.world.tables:
                self.cut[label, entry.table] = truth(self.world.tables[str(entry.table)])
        self.world.now += 1
        at = instant(self.world.now)
        for event in run.after:
            self.world.apply(event)
        self._conclude(entries, look, kept, at, run.outcome)

    def _conclude(
        self, entries: tuple[Entry, ...], look: Observation, kept: Kept, at: datetime, outcome: Outcome
    ) -> None:
        danger = ""
        if outcome is Outcome.ENDS:
            before = {table: state.identities() for table, state in look.tables.items()}
            looked = look_again(entries, before, observe(self.world))
            entries, danger = looked.entries, looked.danger
        contents = {name: frozenset(PartitionName(part) for part in table.parts) for name, table in kept.tables.items()}
        entries, problem = settle_contents(entries, contents)
        self._end(entries, Status.FAILED if danger or problem else Status.FINISHED, at)

    def _end(self, entries: tuple[Entry, ...], status: Status, at: datetime | None = None) -> None:
        self.entries.extend(
            evolve(entry, snapshot=evolve(entry.snapshot, status=status, snapshot_at=at)) for entry in entries
        )


def cut(world: World, database: DatabaseBackup) -> Kept | None:
    """What BACKUP copies at one instant; None if something that it names is not there."""
    kept = Kept()
    for backup in database.submitted:
        table = world.tables.get(str(backup.table))
        names = table.parts.keys() if table and backup.partitions is None else backup.partitions
        if table is None or names is None or names - table.parts.keys():
            return None
        copy = deepcopy(table)
        copy.parts = {name: table.parts[name] for name in names}
        kept.tables[backup.table.name] = copy
        if table.overwriting is not None:
            kept.haunted.add(backup.table.name)
    return kept


def truth(table: Table) -> Truth:
    """The table as it is now."""
    written = {name: part.written for name, part in table.parts.items()}
    return Truth(table.kind, table.columns, table.contents(), written)


def observe(world: World) -> Observation:
    """What the server tells of all tables."""
    tables = {TableRef.parse(name): table for name, table in world.tables.items()}
    return Observation(
        cluster=ClusterId(world.cluster),
        at=instant(world.now),
        tables={ref: state(world, ref, table) for ref, table in tables.items()},
    )


def state(world: World, ref: TableRef, table: Table) -> TableState:
    """What the server tells of one table."""
    temporary = {PartitionName(f"{table.overwriting}_77")} if table.overwriting else set()
    return TableState(
        table=ref,
        table_id=table.ident,
        partitioning=Partitioning(table.kind),
        fingerprint=str(table.columns),
        schema_job=world.visible_job(table),
        partitions=partitions(table),
        temporary=frozenset(temporary),
    )


def partitions(table: Table) -> Mapping[PartitionName, Partition]:
    """What the server tells of a table's partitions."""
    return {
        PartitionName(name): Partition(
            name=PartitionName(name),
            identity=frozenset(part.physical),
            values=part.values,
            buckets=4,
            rows=len(part.rows),
            size=100 * len(part.rows),
        )
        for name, part in table.parts.items()
    }


def instant(seconds: int) -> datetime:
    """Epoch seconds as UTC."""
    return datetime.fromtimestamp(seconds, UTC)
