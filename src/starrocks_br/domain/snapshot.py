"""What was recorded: snapshots, and one entry per table in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from starrocks_br.domain.names import ClusterId, DatabaseName, Label, PartitionName, RepositoryName, RunId, TableRef
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.reprs import count
from starrocks_br.domain.status import RESTORABLE, Status


class BackupType(StrEnum):
    """What an entry captured."""

    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"
    RESTORED = "RESTORED"
    """Nothing: it says which identities the partitions got when a restore gave the table back."""
    METADATA = "METADATA"


class Consistency(StrEnum):
    """How well the point of an entry is known."""

    EXACT = "EXACT"
    """Nothing outside the captured partitions moved between the two looks around the cut."""
    FUZZY = "FUZZY"
    """Something outside them moved: the point is between two states."""
    UNKNOWN = "UNKNOWN"
    """Nobody looked right after the cut (the snapshot was adopted later)."""


@frozen(kw_only=True)
class Snapshot:
    """One labelled BACKUP job, an UNCHANGED look, or a restore, as recorded. All times are the leader's clock, UTC.

    Attributes:
        label: Unique in the repository.
        run: The execution of `backup` or `restore` it belongs to.
        cluster: Whose data.
        repository: Where.
        database: The one database it covers.
        status: Where it stands.
        created_at: When the intent was written: the look that `before` comes from is not older than a minute.
        submitted_at: When BACKUP was about to be sent.
        not_before: The cut is not earlier than this.
        snapshot_at: The cut is earlier than this; known once somebody looked after it.
        finished_at: When the job ended.
        backup_timestamp: What RESTORE needs: opaque, in the leader's own zone (O§r), from SHOW SNAPSHOT only.
        error_code: The kind of failure, or empty.
        error: The server's words, or empty.
    """

    label: Label
    run: RunId
    cluster: ClusterId
    repository: RepositoryName
    database: DatabaseName
    status: Status
    created_at: datetime
    submitted_at: datetime | None = None
    not_before: datetime | None = None
    snapshot_at: datetime | None = None
    finished_at: datetime | None = None
    backup_timestamp: str | None = None
    error_code: str = ""
    error: str = ""

    @property
    def point(self) -> datetime | None:
        """The instant that it can be restored to; None while it is no point, or no more."""
        return self.snapshot_at if self.status in RESTORABLE else None


@frozen(kw_only=True)
class Captured:
    """One partition in a snapshot; or, of a RESTORED entry, one that other snapshots hold.

    Attributes:
        partition: As seen before the cut, or after the restore; its identity is what later diffs compare with.
        after: Its identity as seen after the cut; None if nobody looked.
    """

    partition: Partition
    after: Identity | None = None


@frozen(kw_only=True)
class Outline:
    """One table's part of a snapshot without its partitions: cheap to read in bulk.

    Attributes:
        snapshot: The snapshot.
        table: The table.
        type: What it captured.
        baseline: The snapshot it was cut against, or that was restored; None for a full one.
        table_id: The server's id of the table then.
        consistency: How well its point is known.
        captured: How many partitions it holds; of a RESTORED entry, how many others hold for it.
        size: Bytes that it holds, as last reported; None if unknown.
        dropped: How many partitions its baseline has and it has not.
    """

    snapshot: Snapshot
    table: TableRef
    type: BackupType
    baseline: Label | None
    table_id: int
    consistency: Consistency
    captured: int
    dropped: int
    size: int | None = None

    @property
    def label(self) -> Label:
        """The snapshot's label."""
        return self.snapshot.label

    @property
    def leaf(self) -> bool:
        """Whether it captured nothing: a point like any other, never a baseline, so that it expires freely."""
        return self.type is BackupType.INCREMENTAL and not self.captured


@frozen(kw_only=True)
class Entry:
    """One table's part of a snapshot.

    Attributes:
        snapshot: The snapshot.
        table: The table.
        type: FULL: all partitions, no baseline; INCREMENTAL: what differs from the baseline's manifest; RESTORED: all
            partitions of the baseline's manifest but the dropped ones, with the identities they have since.
        baseline: The snapshot it was cut against, or that was restored; None for a full one.
        table_id: The server's id of the table.
        fingerprint: Of the schema.
        schema_job: The newest finished schema change at the look.
        digest: Over the complete manifest at this entry.
        captured: The partitions it holds; a RESTORED entry holds none of its own.
        dropped: Partitions that the baseline's manifest has and this one has not.
        automatic: Whether the table makes its partitions by an expression.
        partitioning: How the table is divided.
        consistency: How well its point is known.
        schema_ddl: Of a full entry: the statement that made the table then, in the server's words; empty if it could
            not be read. It may hold anything that a property holds, so it is never shown.
    """

    snapshot: Snapshot
    table: TableRef
    type: BackupType
    baseline: Label | None = None
    table_id: int
    fingerprint: str
    schema_job: int | None = None
    digest: str
    captured: Mapping[PartitionName, Captured] = field(factory=dict, repr=count)
    dropped: frozenset[PartitionName] = field(default=frozenset(), repr=count)
    automatic: bool = False
    partitioning: Partitioning = Partitioning.NONE
    consistency: Consistency = Consistency.UNKNOWN
    schema_ddl: str = field(default="", repr=False)

    @property
    def label(self) -> Label:
        """The snapshot's label."""
        return self.snapshot.label

    @property
    def leaf(self) -> bool:
        """Whether it captured nothing: a point like any other, never a baseline, so that it expires freely."""
        return self.type is BackupType.INCREMENTAL and not self.captured

    def outline(self) -> Outline:
        """The entry without its partitions."""
        return Outline(
            snapshot=self.snapshot,
            table=self.table,
            type=self.type,
            baseline=self.baseline,
            table_id=self.table_id,
            consistency=self.consistency,
            captured=len(self.captured),
            dropped=len(self.dropped),
            size=0 if self.type is BackupType.RESTORED else self._size(),
        )

    def _size(self) -> int | None:
        sizes = [captured.partition.size for captured in self.captured.values()]
        known = [size for size in sizes if size is not None]
        return sum(known) if known else None


@frozen(kw_only=True)
class Damage:
    """Recorded rows that cannot be trusted.

    Attributes:
        label: The snapshot whose rows they are, as stored.
        table: The table, as stored; empty if the damage concerns the whole label.
        problem: What is wrong, naming row and field.
    """

    label: str
    table: str
    problem: str


@frozen(kw_only=True)
class Reading:
    """What came back from the history.

    Attributes:
        entries: What is sound.
        damages: What is not; nothing is ever restored from it.
    """

    entries: tuple[Entry, ...] = field(repr=count)
    damages: tuple[Damage, ...] = ()
