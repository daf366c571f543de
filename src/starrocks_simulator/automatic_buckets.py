"""Partitions of RANDOM tables with automatic buckets: they grow by whole physical partitions (O§h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starrocks_simulator.catalog import Partition, PhysicalPartition, Table
from starrocks_simulator.partitions_meta import BYTES_PER_VALUE

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


def loaded_part(frontend: Frontend, table: Table, partition: Partition) -> PhysicalPartition:
    """The physical partition that a load goes to: the last one, or a new one beside it once that is full.

    Full is what holds `bucket_size` bytes for each of its buckets, as partitions_meta tells STORAGE_SIZE: a test sets
    `"bucket_size" = "1"` and loads three times or so. The server's own measure was not observed.
    """
    last = partition.physical[-1]
    limit = int(table.properties.get("bucket_size", "0")) * partition.buckets
    if table.distribution.columns or table.distribution.buckets or not limit:
        return last
    if frontend.rows.count(last.id) * len(table.columns) * BYTES_PER_VALUE < limit:
        return last
    partition.physical.append(frontend.catalog.new_physical(frontend.now()))
    return partition.physical[-1]
