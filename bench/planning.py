"""How long the domain thinks about a table of 100,000 partitions, and how much memory that takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Final

from attrs import evolve

from bench.figures import Figure
from starrocks_br.domain.backup_plan import BackupPlan, BackupPolicy, Recorded, intent, plan_backup
from starrocks_br.domain.chain import resolve_chain
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import ClusterId, Label, PartitionName, RepositoryName, RunId, TableRef
from starrocks_br.domain.partitions import Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status

PARTITIONS: Final = 100_000
INCREMENTALS: Final = 30
CHANGES: Final = 100
"""Partitions that change between two backups."""

TABLE: Final = TableRef.parse("db1.orders")
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
ATTEMPTS: Final = 5


def figures() -> Iterator[Figure]:
    """Fold a chain of a full and 30 incremental entries, and plan the next backup against it."""
    entries, now = history()
    yield Figure(
        what=f"plan + fold of {PARTITIONS:,} partitions, {INCREMENTALS} incrementals: processor time",
        value=_seconds(lambda: plan_next(entries, now)),
        unit="s",
        limit=0.5,
    )
    yield Figure(
        what=f"plan + fold of {PARTITIONS:,} partitions, {INCREMENTALS} incrementals: memory",
        value=_megabytes(lambda: plan_next(entries, now)),
        unit="MB",
        limit=100,
    )


def plan_next(entries: list[Entry], now: Observation) -> BackupPlan:
    """What a `backup` thinks through between its look and its intent."""
    chain = resolve_chain(entries, TABLE, now.at)
    known = Recorded(manifest=chain.manifest(), baseline=chain.entries[-1].label, length=1, seen_at=now.at)
    return plan_backup(now, {TABLE: known}, BackupPolicy())


def history() -> tuple[list[Entry], Observation]:
    """The entries of the table, and a look in which some partitions differ from the last one."""
    partitions = {PartitionName(f"p{number:06}"): _partition(number) for number in range(PARTITIONS)}
    entries: list[Entry] = []
    manifest: Manifest | None = None
    for number in range(INCREMENTALS + 1):
        seen = _look(partitions, number)
        entries.append(_entry(seen, manifest, number))
        manifest = extend(manifest, entries[-1])
        partitions = partitions | {
            name: _loaded(partitions[name], number)
            for name in list(partitions)[number * CHANGES : (number + 1) * CHANGES]
        }
    return entries, _look(partitions, INCREMENTALS + 1)


def _partition(number: int) -> Partition:
    return Partition(
        name=PartitionName(f"p{number:06}"),
        identity=frozenset({(10_000 + number, 2, 1_760_000_000)}),
        values=f"[types: [INT]; keys: [{number}]; ..types: [INT]; keys: [{number + 1}]; )",
        buckets=4,
        rows=1_000,
        size=100_000,
    )


def _loaded(partition: Partition, number: int) -> Partition:
    ((physical, version, at),) = partition.identity
    return evolve(partition, identity=frozenset({(physical, version + 1, at + number + 1)}))


def _look(partitions: dict[PartitionName, Partition], number: int) -> Observation:
    state = TableState(table=TABLE, table_id=1, partitioning=Partitioning.RANGE, partitions=partitions)
    return Observation(cluster=ClusterId("1"), at=START + timedelta(hours=number), tables={TABLE: state})


def _entry(seen: Observation, manifest: Manifest | None, number: int) -> Entry:
    known = (
        {TABLE: Recorded(manifest=manifest, baseline=Label(f"s{number - 1}"), length=number, seen_at=seen.at)}
        if manifest
        else {}
    )
    (database,) = plan_backup(seen, known, BackupPolicy(max_chain=INCREMENTALS + 1)).databases
    snapshot = Snapshot(
        label=Label(f"s{number}"),
        run=RunId(f"r{number}"),
        cluster=seen.cluster,
        repository=RepositoryName("repo"),
        database=database.database,
        status=Status.FINISHED,
        created_at=seen.at,
        snapshot_at=seen.at,
    )
    (entry,) = intent(database, seen, snapshot)
    return evolve(entry, consistency=Consistency.EXACT)


def _seconds(work: Callable[[], object]) -> float:
    """Processor time, the best of some attempts: what the work takes, whatever else the machine does."""
    times = []
    for _ in range(ATTEMPTS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def _megabytes(work: Callable[[], object]) -> float:
    """The peak of what Python allocates meanwhile."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6
