"""What a use case found or did: plain values for programs and renderers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.events import Settled
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, RepositoryName, RestoreId, RunId, TableRef
from starrocks_br.domain.reprs import count
from starrocks_br.domain.restore_outline import RestoreOutline
from starrocks_br.domain.snapshot import Consistency, Damage, Entry, Outline, Snapshot
from starrocks_br.domain.status import Status


@frozen(kw_only=True)
class InitReport:
    """What `init` did.

    Attributes:
        ops: The database of our own tables.
        created: Whether anything was created; False: all was there.
        replication_num: Of the tables, as created now.
    """

    ops: DatabaseName
    created: bool
    replication_num: int


@frozen(kw_only=True)
class DatabaseOutcome:
    """How the backup of one database ended.

    Attributes:
        database: Which.
        label: Of the last attempt; None if none was recorded.
        status: FINISHED, UNCHANGED, FAILED, or RUNNING if it goes on without us.
        tables: What was recorded per table, without partitions.
        attempts: How many there were.
        seconds: On this machine's clock, from planning to the record.
        error: Why it did not end well; None if it did.
    """

    database: DatabaseName
    label: Label | None
    status: Status
    tables: tuple[Outline, ...] = field(default=(), repr=count)
    attempts: int = 1
    seconds: float = 0.0
    error: StarRocksBrError | None = None


@frozen(kw_only=True)
class Inexact:
    """A table whose new points are only restored on demand (`allow_fuzzy`).

    Attributes:
        table: Which.
        consistency: Of its newest point.
        newest_exact: Its newest exact point (UTC), of an earlier run; None if it has none.
    """

    table: TableRef
    consistency: Consistency
    newest_exact: datetime | None


@frozen(kw_only=True)
class BackupReport:
    """How one run of `backup` ended.

    Attributes:
        run: Its id.
        databases: One outcome per database.
        problems: Tables that were left out, each with the reason; patterns that matched nothing under their own text.
        inexact: Tables that were backed up, and have no exact point of this run.
        metadata: The snapshot of our own tables; None if nothing had to be saved.
        settled: Open ends of earlier commands that were closed on the way.
        warnings: What else the user should know.
    """

    run: RunId
    databases: tuple[DatabaseOutcome, ...]
    problems: Mapping[str, str] = field(factory=dict)
    inexact: tuple[Inexact, ...] = ()
    metadata: DatabaseOutcome | None = None
    settled: tuple[Settled, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[StarRocksBrError, ...]:
        """Why parts of the run did not end well."""
        outcomes = (*self.databases, *((self.metadata,) if self.metadata else ()))
        return tuple(outcome.error for outcome in outcomes if outcome.error is not None)

    @property
    def succeeded(self) -> bool:
        """Whether at least one database has a new point."""
        return any(outcome.error is None for outcome in self.databases)

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is safe, and can be restored without further ado."""
        return not self.failures and not self.problems and not self.inexact


@frozen(kw_only=True)
class RestoreReport:
    """How a restore ended: well, or there would have been an error.

    Attributes:
        restore: Its id.
        source: The table as it was named then.
        table: The table as it is named now.
        label: The snapshot that the point belongs to.
        point: The point (UTC).
        jobs: How many RESTORE jobs ran.
        partitions: How many partitions the table has.
        rows: How many rows it has, counted; None if the server told no number.
        size: Bytes that were restored, as last reported before the backup; None if unknown.
        aside: The name of the table that was replaced; None if none was, or it was dropped.
        seconds: On this machine's clock.
        notes: The plan's notes, and statements to run next.
        warnings: What else the user should know.
    """

    restore: RestoreId
    source: TableRef
    table: TableRef
    label: Label
    point: datetime
    jobs: int
    partitions: int
    rows: int | None
    size: int | None
    seconds: float
    aside: TableRef | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True)
class BatchReport:
    """What a restore of several tables did.

    Attributes:
        restored: One per table that came back.
        failures: The tables that did not, each with the reason; nothing of them bears its target's name.
        notes: On all of them: what hangs on them, and what the next backup does.
        seconds: For all of them, on this machine's clock.
    """

    restored: tuple[RestoreReport, ...]
    failures: Mapping[TableRef, StarRocksBrError]
    seconds: float
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class UndoReport:
    """What undoing a restore did.

    Attributes:
        restore: Which.
        table: Its target.
        detail: What was found and done, for people.
    """

    restore: RestoreId
    table: TableRef
    detail: str


@frozen(kw_only=True)
class BootstrapPlan:
    """Which metadata snapshot a cold start would take.

    Attributes:
        label: The snapshot.
        cluster: Whose history it holds.
        taken_at: When its label was made (UTC).
        repository: Where it is.
        backup_timestamp: What RESTORE needs.
        others: Older metadata snapshots of the same cluster.
    """

    label: Label
    cluster: ClusterId
    taken_at: datetime
    repository: RepositoryName
    backup_timestamp: str
    others: int


@frozen(kw_only=True)
class BootstrapReport:
    """What a cold start brought back.

    Attributes:
        plan: What was taken.
        rows: How many history rows came over.
        points: How many points can be restored now, per table.
        damages: Recorded rows that cannot be trusted.
        settled: What became of snapshots that were under way.
    """

    plan: BootstrapPlan
    rows: int
    points: Mapping[TableRef, int]
    damages: tuple[Damage, ...] = ()
    settled: tuple[Settled, ...] = ()


@frozen(kw_only=True)
class HistoryReport:
    """What `list` shows.

    Attributes:
        outlines: Newest first.
        points: Which (label, table) of them can be restored to exactly.
        more: Whether older ones were cut off by the limit.
    """

    outlines: tuple[Outline, ...] = field(repr=count)
    points: frozenset[tuple[Label, TableRef]] = field(repr=count)
    more: bool = False


@frozen(kw_only=True)
class RestoresReport:
    """What `list --restores` shows.

    Attributes:
        restores: Newest first.
        damages: Of those that cannot be read, what is wrong and what ends it.
        more: Whether older ones were cut off by the limit.
    """

    restores: tuple[RestoreOutline, ...] = field(repr=count)
    damages: tuple[str, ...] = ()
    more: bool = False


@frozen(kw_only=True)
class SnapshotReport:
    """What `show` shows of one snapshot.

    Attributes:
        snapshot: As recorded.
        entries: Its tables with their partitions; none for a metadata snapshot.
        chains: Per table the labels from the full one to this one; an empty tuple if the chain is broken.
        remote: The repository's words on the label; empty if it lists it as sound.
        damages: Recorded rows that cannot be trusted.
    """

    snapshot: Snapshot
    entries: tuple[Entry, ...]
    chains: Mapping[TableRef, tuple[Label, ...]]
    remote: str = ""
    damages: tuple[Damage, ...] = ()
