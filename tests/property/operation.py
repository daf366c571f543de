"""The pure domain driven over the model, in the order in which the services drive it over a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count

from attrs import evolve

from starrocks_br.domain.anchor import Restored, anchored
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
from starrocks_br.domain.chain import chain_to, points
from starrocks_br.domain.conclusion import look_again, settle_contents
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.manifest import Manifest
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
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Snapshot
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
class GoBack:
    """A restore of a table to one of its points, in place of the one that there is.

    What happens once it is exposed: before other snapshots' parts come, before the last look, and before the next step.
    """

    table: int = 0
    point: int = 0
    exposed: tuple[Event, ...] = ()
    complete: tuple[Event, ...] = ()
    seen: tuple[Event, ...] = ()


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

    def play(self, history: tuple[Event | Run | Burn | ColdStart | GoBack, ...]) -> None:
        """Let all of it happen."""
        for step in history:
            if isinstance(step, Event):
                self.world.apply(step)
            elif isinstance(step, Run):
                self.back_up(step)
            elif isinstance(step, Burn):
                self._burn(step)
            elif isinstance(step, GoBack):
                self.go_back(step)
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
                length=sum(entry.type is not BackupType.RESTORED for entry in chain.entries),
                seen_at=baseline.seen_at,
                missing=frozenset(manifest.holders() - self.repository.keys()),
            )
        return found

    def go_back(self, step: GoBack) -> None:
        """Restore a table, and write down what it is known by; nothing happens where it cannot be restored."""
        tables = sorted({entry.table for entry in self.entries})
        known = points(self.entries, tables[step.table % len(tables)]) if tables else ()
        if not known:
            return
        target = known[step.point % len(known)]
        manifest = chain_to(self.entries, target.table, target.label).manifest()
        by_holder = _by_holder(manifest)
        if by_holder.keys() <= self.repository.keys() and not _grown_later(manifest, by_holder):
            self._go_back(step, manifest, by_holder)

    def _go_back(self, step: GoBack, manifest: Manifest, by_holder: dict[Label, list[PartitionName]]) -> None:
        world, name = self.world, str(manifest.table)
        first, *others = by_holder
        source = self.repository[first].tables[manifest.table.name]
        newest_job, table = world.newest_job(manifest.table.database), world.restored(name, source)
        table.parts = {part: world.copied(source.parts[part]) for part in by_holder[first]}
        hidden, exposed_at = state(world, manifest.table, table), instant(world.now)
        world.tables[name] = table
        wanted = self._as_held(manifest)
        for event in step.exposed:
            world.apply(event)
        for holder in others:
            if not self._overlay(table, self.repository[holder].tables[manifest.table.name], by_holder[holder]):
                if world.tables.get(name) is table:
                    del world.tables[name]
                return
        for event in step.complete:
            world.apply(event)
        shown = observe(world).tables.get(manifest.table) if others else None
        if shown is not None or not others:
            restored = Restored(
                manifest=manifest,
                table=manifest.table,
                hidden=hidden,
                shown=shown,
                newest_job=newest_job,
                not_before=exposed_at,
            )
            self._anchor(restored, wanted, truth(table) if others else wanted)
        for event in step.seen:
            world.apply(event)

    def _as_held(self, manifest: Manifest) -> Truth:
        """What the holders hold."""
        first = next(iter(_by_holder(manifest)))
        source = self.repository[first].tables[manifest.table.name]
        parts = {
            str(name): self.repository[held.holder].tables[manifest.table.name].parts[name]
            for name, held in manifest.held.items()
        }
        rows = {name: part.rows for name, part in parts.items()}
        return Truth(source.kind, source.columns, rows, {name: part.written for name, part in parts.items()})

    def _overlay(self, table: Table, source: Table, names: list[PartitionName]) -> bool:
        """RESTORE under the table's own name; whether the server did it."""
        if table not in self.world.tables.values() or table.schema != source.schema or table.overwriting:
            return False
        for name in names:
            part, there = source.parts[name], table.parts.get(name)
            if there is None and table.kind == "list":
                there = self.world.empty_like(part)
            if there is not None and (there.values != part.values or len(there.physical) > 1):
                return False
            if part.values in {other.values for other_name, other in table.parts.items() if other_name != name}:
                return False
            table.parts[name] = self.world.copied(part) if there is None else self.world.overlaid(part, there)
        return True

    def _anchor(self, restored: Restored, wanted: Truth, seen: Truth) -> None:
        self.world.now += 1
        at = instant(self.world.now)
        label = label_for(restored.table.database, at, f"{next(self._tokens):04}")
        snapshot = Snapshot(
            label=label,
            run=RunId("run"),
            cluster=ClusterId(self.world.cluster),
            repository=REPOSITORY,
            database=restored.table.database,
            status=Status.FINISHED,
            created_at=restored.not_before,
            not_before=restored.not_before,
            snapshot_at=at,
        )
        if not restored.obstacle:
            anchor = anchored(restored, snapshot)
            self.entries.append(anchor)
            self.looked[label, restored.table] = wanted
            self.cut[label, restored.table] = seen if anchor.consistency is Consistency.EXACT else wanted

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


def _by_holder(manifest: Manifest) -> dict[Label, list[PartitionName]]:
    """What is restored from where, the oldest first."""
    found: dict[Label, list[PartitionName]] = {label: [] for label in manifest.contents if label in manifest.holders()}
    for name, held in manifest.held.items():
        found[held.holder].append(name)
    return found


def _grown_later(manifest: Manifest, by_holder: dict[Label, list[PartitionName]]) -> bool:
    """Whether a partition of several parts would have to be restored into a table that is there."""
    _, *others = by_holder
    return any(manifest.held[name].captured.partition.grown for holder in others for name in by_holder[holder])


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
