"""Reports and events as the services would give them, for the tests of how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from starrocks_br.domain.backup_plan import BackupPlan, DatabaseBackup, Reason, TableBackup
from starrocks_br.domain.manifest import Held, Manifest
from starrocks_br.domain.names import (
    TableRef,
    cluster_id,
    database_name,
    label_name,
    partition_name,
    repository_name,
    restore_id,
    run_id,
    table_name,
)
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.restore_outline import RestoreOutline, RestoreState
from starrocks_br.domain.restore_plan import RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.server import Job, JobKind
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Outline, Snapshot
from starrocks_br.domain.status import Status
from starrocks_br.services.reports import (
    BackupReport,
    BootstrapPlan,
    DatabaseOutcome,
    Inexact,
    RestoreReport,
)

NOON = datetime(2025, 10, 6, 12, 0, 0, tzinfo=UTC)
DB1 = database_name("db1")
ORDERS = TableRef(DB1, table_name("orders"))
EVENTS = TableRef(DB1, table_name("events"))
FULL_LABEL = label_name("db1_20251006T120000_aaaaaa")
NEXT_LABEL = label_name("db1_20251006T130000_bbbbbb")
META_LABEL = label_name("br_meta_77_20251006T120100_cccccc")
CLUSTER = cluster_id("77")
REPOSITORY = repository_name("my_backup_repo")
RUN = run_id("run1")


def snapshot(label: str = FULL_LABEL, status: Status = Status.FINISHED, at: datetime | None = NOON) -> Snapshot:
    """One snapshot of db1."""
    return Snapshot(
        label=label_name(label),
        run=RUN,
        cluster=CLUSTER,
        repository=REPOSITORY,
        database=DB1,
        status=status,
        created_at=NOON,
        not_before=at,
        snapshot_at=at,
    )


def outline(
    table: TableRef = ORDERS,
    *,
    of: Snapshot | None = None,
    kind: BackupType = BackupType.FULL,
    consistency: Consistency = Consistency.EXACT,
    captured: int = 3,
    dropped: int = 0,
) -> Outline:
    """One table's part of a snapshot."""
    return Outline(
        snapshot=of or snapshot(),
        table=table,
        type=kind,
        baseline=None if kind is BackupType.FULL else FULL_LABEL,
        table_id=10,
        consistency=consistency,
        captured=captured,
        dropped=dropped,
        size=2048 if captured else None,
    )


def part(name: str, rows: int | None = 1000) -> Partition:
    """A partition with a known identity."""
    identity: Identity = frozenset({(len(name), 2, 1)})
    size = None if rows is None else rows * 10
    return Partition(name=partition_name(name), identity=identity, rows=rows, size=size, buckets=2)


def entry() -> Entry:
    """An incremental entry with two partitions captured, one of unknown size, and one dropped."""
    return Entry(
        snapshot=snapshot(NEXT_LABEL),
        table=ORDERS,
        type=BackupType.INCREMENTAL,
        baseline=FULL_LABEL,
        table_id=10,
        fingerprint="f",
        digest="0" * 32,
        captured={
            partition_name("p2"): Captured(partition=part("p2", None)),
            partition_name("p1"): Captured(partition=part("p1")),
        },
        dropped=frozenset({partition_name("p0")}),
        consistency=Consistency.EXACT,
    )


def planned() -> DatabaseBackup:
    """One table whole, one in part, one with drops only, one unchanged."""
    return DatabaseBackup(
        database=DB1,
        tables=(
            TableBackup(table=EVENTS, type=BackupType.FULL, reason=Reason.FIRST),
            TableBackup(
                table=ORDERS,
                type=BackupType.INCREMENTAL,
                reason=Reason.INCREMENTAL,
                baseline=FULL_LABEL,
                dropped=frozenset({partition_name("p0")}),
                partitions={
                    partition_name("p9"): Reason.NEW,
                    partition_name("p1"): Reason.CHANGED,
                    partition_name("p2"): Reason.CHANGED,
                },
            ),
            TableBackup(
                table=TableRef(DB1, table_name("shrunk")),
                type=BackupType.INCREMENTAL,
                reason=Reason.INCREMENTAL,
                baseline=FULL_LABEL,
                dropped=frozenset({partition_name("p0")}),
                partitions={},
            ),
            TableBackup(
                table=TableRef(DB1, table_name("still")),
                type=BackupType.INCREMENTAL,
                reason=Reason.UNCHANGED,
                baseline=FULL_LABEL,
                partitions={},
            ),
        ),
    )


def backup_plan(problems: dict[TableRef, str] | None = None) -> BackupPlan:
    """A plan for one database."""
    return BackupPlan(databases=(planned(),), problems=problems or {})


def outcome(**changes: Any) -> DatabaseOutcome:
    """A database that ended well, but for the changes."""
    well = DatabaseOutcome(database=DB1, label=FULL_LABEL, status=Status.FINISHED, tables=(outline(),), seconds=41.9)
    return evolve(well, **changes)


def metadata(**changes: Any) -> DatabaseOutcome:
    """A metadata snapshot that ended well, but for the changes."""
    return outcome(**{"database": database_name("ops"), "label": META_LABEL, "tables": (), **changes})


def backup_report(**changes: Any) -> BackupReport:
    """A complete run, but for the changes."""
    return evolve(BackupReport(run=RUN, databases=(outcome(),), metadata=metadata()), **changes)


def inexact(newest_exact: datetime | None = NOON, consistency: Consistency = Consistency.FUZZY) -> Inexact:
    """Orders, without an exact point of the run."""
    return Inexact(table=ORDERS, consistency=consistency, newest_exact=newest_exact)


def restore_outline(state: RestoreState = RestoreState.DONE, *, replaced: bool = True) -> RestoreOutline:
    """A restore of orders."""
    return RestoreOutline(restore=restore_id("r1"), table=ORDERS, began_at=NOON, state=state, replaced=replaced)


def manifest(partitioning: Partitioning = Partitioning.RANGE) -> Manifest:
    """Orders at noon: one partition in the full snapshot, two in the next one."""
    holders = {"p0": FULL_LABEL, "p1": NEXT_LABEL, "p2": NEXT_LABEL}
    values = '[["a"]]' if partitioning is Partitioning.LIST else ""
    return Manifest(
        table=ORDERS,
        cluster=CLUSTER,
        repository=REPOSITORY,
        at=NOON,
        table_id=10,
        partitioning=partitioning,
        automatic=False,
        fingerprint="f",
        schema_job=None,
        held={
            partition_name(name): Held(
                captured=Captured(
                    partition=Partition(
                        name=partition_name(name), identity=frozenset({(1, 2, 3)}), values=values, buckets=2, size=512
                    )
                ),
                holder=holder,
            )
            for name, holder in holders.items()
        },
        contents={FULL_LABEL: 2, NEXT_LABEL: 2},
        digest="0" * 32,
        baseline=NEXT_LABEL,
    )


def restore_plan(
    table: TableRef = ORDERS,
    partitioning: Partitioning = Partitioning.RANGE,
    *,
    live: bool = False,
    drop_old: bool = False,
    holders: int = 2,
    **changes: Any,
) -> RestorePlan:
    """The plan that the domain makes for that manifest, but for the changes.

    Args:
        table: The target.
        partitioning: Of the table.
        live: Whether a table bears the name already, and gives way.
        drop_old: Whether that one is dropped.
        holders: In how many snapshots its partitions are; 1: all in the newest.
        changes: To the plan.
    """
    facts = TargetFacts(
        taken_by="BASE TABLE" if live else "",
        target_id=7 if live else None,
        database_exists=True,
        alive_backends=3,
        backup_timestamps={FULL_LABEL: "2025-10-06-12-00-00-001", NEXT_LABEL: "2025-10-06-13-00-00-002"},
    )
    target = Target(table=table, replace=live, drop_old=drop_old)
    what = manifest(partitioning)
    if holders == 1:
        what = evolve(what, held={name: evolve(held, holder=NEXT_LABEL) for name, held in what.held.items()})
    return evolve(plan_restore(what, facts, target, restore_id("x1")), **changes)


def other_plan(**changes: Any) -> RestorePlan:
    """The plan of another table of the same database, of one snapshot."""
    plan = restore_plan(EVENTS, holders=1, **changes)
    job = evolve(plan.jobs[0], source=EVENTS.name)
    steps = tuple(job if step is plan.jobs[0] else step for step in plan.steps)
    return evolve(plan, manifest=evolve(plan.manifest, table=EVENTS), steps=steps, restore=restore_id("x2"))


def restore_report(table: TableRef = ORDERS) -> RestoreReport:
    """A restore that ended well."""
    return RestoreReport(
        restore=restore_id("x1"),
        source=ORDERS,
        table=table,
        label=NEXT_LABEL,
        point=NOON,
        jobs=2,
        partitions=3,
        rows=12345,
        size=1536,
        seconds=65.2,
        notes=("grants do not come back",),
    )


def bootstrap_plan() -> BootstrapPlan:
    """The newest metadata snapshot."""
    return BootstrapPlan(
        label=META_LABEL,
        cluster=CLUSTER,
        taken_at=NOON,
        repository=REPOSITORY,
        backup_timestamp="2025-10-06-12-01-00-003",
        others=2,
    )


def job(state: str, progress: str = "", database: str = "db1") -> Job:
    """A BACKUP job as polled."""
    return Job(
        kind=JobKind.BACKUP,
        database=database_name(database),
        label=FULL_LABEL,
        state=state,
        progress=progress,
        created_at=NOON,
    )
