"""What to back up: per table whole, the partitions that differ, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from attrs import field, frozen

from starrocks_br.domain.diff import diff_partitions
from starrocks_br.domain.manifest import Manifest, digest_of
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, TableRef
from starrocks_br.domain.partition_values import new_partition
from starrocks_br.domain.partitions import Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Captured, Entry, Snapshot

TRACE_KEPT: Final = timedelta(days=6)
"""Schema changes leave a trace for 7 days (O2§y4); a table not looked at for longer than this is taken whole.

The frontend's `history_job_keep_max_second` says how long (7 days unless somebody changed it); it is not asked.
"""


class Reason(StrEnum):
    """Why a table is taken whole, or a partition is taken."""

    FIRST = "no earlier backup"
    ASKED = "asked for"
    REPLACED = "another table bears this name now"
    SCHEMA = "schema changed"
    BROKEN = "an earlier snapshot is missing or damaged"
    LONG = "chain is long enough"
    OLD = "not looked at for more than 6 days"
    EMPTIED = "all partitions dropped"
    BUCKETS = "a partition grew several parts, and could not be made again by hand"
    INCREMENTAL = "partitions differ"
    UNCHANGED = "nothing differs"
    NEW = "new"
    CHANGED = "changed"


@frozen(kw_only=True)
class TableBackup:
    """What is done for one table.

    Attributes:
        table: Which.
        type: FULL or INCREMENTAL.
        reason: Why.
        baseline: The snapshot it is cut against; None for FULL.
        dropped: Partitions that the baseline has and the table has not.
        partitions: What to capture, each with its reason; None: the whole table.
        automatic: Whether a partition list must name the shadow partition, too (R§7.6).
    """

    table: TableRef
    type: BackupType
    reason: Reason
    baseline: Label | None = None
    dropped: frozenset[PartitionName] = frozenset()
    partitions: Mapping[PartitionName, Reason] | None = None
    automatic: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to capture."""
        return self.partitions is not None and not self.partitions


@frozen(kw_only=True)
class DatabaseBackup:
    """One BACKUP statement: one job covers one database (R§2.6).

    Attributes:
        database: Which.
        tables: All its tables in this run, the unchanged ones included.
    """

    database: DatabaseName
    tables: tuple[TableBackup, ...]

    @property
    def unchanged(self) -> bool:
        """Whether no job is needed."""
        return all(table.unchanged for table in self.tables)

    @property
    def submitted(self) -> tuple[TableBackup, ...]:
        """The tables that the BACKUP statement names."""
        return tuple(table for table in self.tables if not table.unchanged)


@frozen(kw_only=True)
class BackupPlan:
    """What one run does.

    Attributes:
        databases: In the order of their names.
        problems: Tables that are left out, each with the reason.
    """

    databases: tuple[DatabaseBackup, ...]
    problems: Mapping[TableRef, str] = field(factory=dict)


@frozen(kw_only=True)
class BackupPolicy:
    """When to take tables whole although they need not be.

    Attributes:
        full: Always.
        max_chain: The greatest number of snapshots in a chain; what a restore recorded is none.
    """

    full: bool = False
    max_chain: int = 30


@frozen(kw_only=True)
class Recorded:
    """What is known of a table's last usable backup.

    Attributes:
        manifest: The table at its newest baseline; None if that cannot be folded.
        baseline: That baseline's label.
        length: How many snapshots lead to it.
        seen_at: When the table was last looked at by a finished or unchanged backup.
        newest_point: Its newest point, leaves included; None if that is not known.
        missing: Holders that the repository has no longer, and snapshots that hold ghosts of the table.
    """

    manifest: Manifest | None
    baseline: Label
    length: int
    seen_at: datetime
    newest_point: datetime | None = None
    missing: frozenset[Label] = frozenset()


def plan_backup(now: Observation, recorded: Mapping[TableRef, Recorded], policy: BackupPolicy) -> BackupPlan:
    """Decide for every observed table. Pure: the same look and the same records give the same plan."""
    problems = dict(now.unreadable)
    choices = []
    for table, state in sorted(now.tables.items()):
        if state.temporary:
            names = ", ".join(sorted(state.temporary))
            problems[table] = f"it has temporary partitions ({names}): the server backs up no such table"
        else:
            choices.append(_plan_table(now, state, recorded.get(table), policy))
    databases = groupby(choices, key=lambda choice: choice.table.database)
    return BackupPlan(
        databases=tuple(DatabaseBackup(database=name, tables=tuple(tables)) for name, tables in databases),
        problems=problems,
    )


def _plan_table(now: Observation, state: TableState, known: Recorded | None, policy: BackupPolicy) -> TableBackup:
    whole = _why_whole(now, state, known, policy)
    if whole or known is None or known.manifest is None:
        return _whole(state, whole or Reason.FIRST)
    diff = diff_partitions(known.manifest.identities(), state.identities())
    if diff.moved and not state.partitions:
        return _whole(state, Reason.EMPTIED)
    if any(_only_whole(state.partitions[name], state.partitioning) for name in diff.new | diff.changed):
        return _whole(state, Reason.BUCKETS)
    wanted = dict.fromkeys(sorted(diff.new), Reason.NEW) | dict.fromkeys(sorted(diff.changed), Reason.CHANGED)
    return TableBackup(
        table=state.table,
        type=BackupType.INCREMENTAL,
        reason=Reason.INCREMENTAL if diff.moved else Reason.UNCHANGED,
        baseline=known.baseline,
        dropped=diff.dropped,
        partitions=wanted,
        automatic=state.automatic,
    )


def _only_whole(partition: Partition, partitioning: Partitioning) -> bool:
    """Whether the partition could come back only with the job that makes the table.

    One that grew does (O§h), unless it can be made by hand first, and filled with INSERT.
    """
    if not partition.grown:
        return False
    try:
        new_partition(partition, partitioning)
    except ValueError:
        return True
    return False


def _whole(state: TableState, reason: Reason) -> TableBackup:
    return TableBackup(table=state.table, type=BackupType.FULL, reason=reason, automatic=state.automatic)


def _why_whole(now: Observation, state: TableState, known: Recorded | None, policy: BackupPolicy) -> Reason | None:
    if policy.full:
        return Reason.ASKED
    if known is None:
        return Reason.FIRST
    if known.manifest is None or known.missing & known.manifest.holders():
        return Reason.BROKEN
    return _why_not_comparable(now, state, known, known.manifest) or (
        Reason.LONG if known.length >= policy.max_chain else None
    )


def _why_not_comparable(now: Observation, state: TableState, known: Recorded, manifest: Manifest) -> Reason | None:
    if (manifest.cluster, manifest.table_id) != (now.cluster, state.table_id):
        return Reason.REPLACED
    if manifest.fingerprint != state.fingerprint or newer_job(state.schema_job, manifest.schema_job):
        return Reason.SCHEMA
    since = now.at - known.seen_at
    return None if timedelta() <= since <= TRACE_KEPT else Reason.OLD  # a look in the future: the clock was set back


def newer_job(now: int | None, then: int | None) -> bool:
    """Whether a schema change finished since. Rows are purged after 7 days: none now is no news; ids grow (O2§y4)."""
    return now is not None and (then is None or now > then)


def intent(backup: DatabaseBackup, look: Observation, snapshot: Snapshot) -> tuple[Entry, ...]:
    """The entries to record before anything is sent: what is wanted, with the identities seen before the cut."""
    return tuple(_intended(table, look.tables[table.table], snapshot) for table in backup.tables)


def _intended(backup: TableBackup, state: TableState, snapshot: Snapshot) -> Entry:
    names = state.partitions if backup.partitions is None else backup.partitions
    return Entry(
        snapshot=snapshot,
        table=backup.table,
        type=backup.type,
        baseline=backup.baseline,
        table_id=state.table_id,
        fingerprint=state.fingerprint,
        schema_job=state.schema_job,
        digest=digest_of(state.identities()),
        captured={name: Captured(partition=state.partitions[name]) for name in names},
        dropped=backup.dropped,
        automatic=state.automatic,
        partitioning=state.partitioning,
    )
