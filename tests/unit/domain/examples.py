"""Small values that the examples are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import evolve

from starrocks_br.domain.manifest import Manifest, digest_of, extend
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, PartitionName, RepositoryName, RunId, TableRef
from starrocks_br.domain.partitions import Identity, Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status

ORDERS: Final = TableRef.parse("db1.orders")
CLUSTER: Final = ClusterId("1")
REPOSITORY: Final = RepositoryName("repo")
NOON: Final = datetime(2026, 10, 6, 12, tzinfo=UTC)


def identity(number: int, version: int = 2) -> Identity:
    """Of a partition with one physical part."""
    return frozenset({(number, version, 1_790_000_000 + version)})


def part(name: str, number: int, version: int = 2, **more: Any) -> Partition:
    """A partition."""
    return Partition(name=PartitionName(name), identity=identity(number, version), buckets=4, **more)


def table(*parts: Partition, **more: Any) -> TableState:
    """The table `db1.orders`."""
    defaults = {"table": ORDERS, "table_id": 7, "partitioning": Partitioning.RANGE, "fingerprint": "f"}
    return TableState(**{**defaults, "partitions": {one.name: one for one in parts}, **more})


def look(*states: TableState, **more: Any) -> Observation:
    """One look at some tables."""
    return Observation(**{"cluster": CLUSTER, "at": NOON, "tables": {state.table: state for state in states}, **more})


def snapshot(number: int, **more: Any) -> Snapshot:
    """A finished snapshot of the hour `number` after noon."""
    at = NOON + timedelta(hours=number)
    defaults = {
        "label": Label(f"db1_{number}"),
        "run": RunId(f"run{number}"),
        "cluster": CLUSTER,
        "repository": REPOSITORY,
        "database": DatabaseName("db1"),
        "status": Status.FINISHED,
        "created_at": at,
        "not_before": at + timedelta(seconds=1),
        "snapshot_at": at + timedelta(seconds=20),
    }
    return Snapshot(**{**defaults, **more})


def entry(number: int, *parts: Partition, whole: Mapping[PartitionName, Identity] | None = None, **more: Any) -> Entry:
    """An entry that captured these; number 0 is full, each other one was cut against the one before it."""
    captured = {one.name: Captured(partition=one) for one in parts}
    defaults = {
        "snapshot": snapshot(number),
        "table": ORDERS,
        "type": BackupType.INCREMENTAL if number else BackupType.FULL,
        "baseline": Label(f"db1_{number - 1}") if number else None,
        "table_id": 7,
        "fingerprint": "f",
        "digest": digest_of({one.name: one.identity for one in parts} if whole is None else whole),
        "captured": captured,
        "partitioning": Partitioning.RANGE,
        "consistency": Consistency.EXACT,
    }
    return Entry(**{**defaults, **more})


def next_entry(before: Manifest, number: int, *parts: Partition, dropped: frozenset[str] = frozenset()) -> Entry:
    """An incremental entry that follows the manifest."""
    names = frozenset(map(PartitionName, dropped))
    whole = {name: seen for name, seen in before.identities().items() if name not in names}
    return evolve(entry(number, *parts, whole=whole | {one.name: one.identity for one in parts}), dropped=names)


def manifest(*parts: Partition, **more: Any) -> Manifest:
    """A manifest of one full entry."""
    return extend(None, entry(0, *parts, **more))
