"""Entries and journals to record, for the contract suites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starrocks_br.domain.journal import Journal, JournalStep, StepStatus
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    Label,
    PartitionName,
    RepositoryName,
    RestoreId,
    RunId,
    TableName,
    TableRef,
    alias_for,
)
from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_steps import CheckRestored, CreateDatabase, Rename, RestorePartitions, Step
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ORDERS = TableRef.parse("db1.orders")
ITEMS = TableRef.parse("db1.items, the old ones")


def snapshot(label: str, hour: int = 0, **changes: Any) -> Snapshot:
    """A snapshot whose intent was written so many hours after noon."""
    usual: dict[str, Any] = {
        "label": Label(label),
        "run": RunId("run1"),
        "cluster": ClusterId("1840365487"),
        "repository": RepositoryName("repo"),
        "database": DatabaseName("db1"),
        "status": Status.PENDING,
        "created_at": NOON + timedelta(hours=hour),
    }
    return Snapshot(**{**usual, **changes})


def captured(*names: str, after: bool = False) -> dict[PartitionName, Captured]:
    """Partitions, each unlike the others."""
    found = {}
    for number, name in enumerate(names):
        identity = frozenset({(100 + number, 2, 1_700_000_000), (200 + number, 3, 1_700_000_000)})
        partition = Partition(
            name=PartitionName(name),
            identity=identity,
            values=f'[["{name}"],["é"]]',
            buckets=2,
            replication_num=3,
            rows=number or None,
            size=10 * number,
            hole=bool(number),
        )
        found[PartitionName(name)] = Captured(partition=partition, after=identity if after else None)
    return found


def entry(of: Snapshot, table: TableRef = ORDERS, *partitions: str, **changes: Any) -> Entry:
    """A full entry."""
    usual: dict[str, Any] = {
        "type": BackupType.FULL,
        "table_id": 10_042,
        "fingerprint": "f" * 64,
        "digest": "d" * 32,
        "captured": captured(*(partitions or ("p1", "p2"))),
        "partitioning": Partitioning.LIST,
        "automatic": True,
    }
    return Entry(snapshot=of, table=table, **{**usual, **changes})


def leaf(of: Snapshot, baseline: str, table: TableRef = ORDERS) -> Entry:
    """An incremental entry that captured nothing and lost one partition."""
    return entry(
        of,
        table,
        type=BackupType.INCREMENTAL,
        baseline=Label(baseline),
        captured={},
        dropped=frozenset({PartitionName("p1")}),
        schema_job=10_900,
        consistency=Consistency.EXACT,
    )


def journal(restore: str, *steps: Step, hour: int = 0, status: StepStatus = StepStatus.PLANNED) -> Journal:
    """A restore of `orders`."""
    target = TableRef(ORDERS.database, TableName("orders_again"))
    alias = TableRef(target.database, alias_for(RestoreId(restore)))
    job = RestorePartitions(
        label=Label("l1"),
        backup_timestamp="2026-03-01-12-00-00-123",
        source=ORDERS.name,
        into=alias,
        creating=True,
        partitions=(PartitionName("p1"), PartitionName("p é")),
        size=7,
    )
    usual: tuple[Step, ...] = (
        CreateDatabase(database=target.database),
        job,
        CheckRestored(table=alias, created=True),
        Rename(table=alias, to=target.name),
    )
    return Journal(
        restore=RestoreId(restore),
        cluster=ClusterId("1840365487"),
        repository=RepositoryName("repo"),
        target=target,
        alias=alias,
        created_at=NOON + timedelta(hours=hour),
        steps=tuple(JournalStep(step=step, status=status) for step in steps or usual),
    )
