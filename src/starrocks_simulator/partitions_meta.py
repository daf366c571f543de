"""information_schema.partitions_meta: one row per physical partition, temporary and shadow ones included (R§8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from attrs import frozen

from starrocks_simulator.catalog import Partition, PhysicalPartition, Table
from starrocks_simulator.create_text import partition_key_text
from starrocks_simulator.errors import refused
from starrocks_simulator.show_partitions import NO_DATA_PROPERTY, distribution_key, keys_text
from starrocks_simulator.times import NEVER, show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

BYTES_PER_VALUE: Final = 8
"""What backends would report is not modelled; sizes that grow with rows and columns let people see what is big."""


@frozen
class _Row:
    database: str
    table: Table
    partition: Partition
    physical: PhysicalPartition


def partitions_meta(session: Session) -> Mapping[str, Callable[[], Sequence[object]]]:
    """What lists the values of each column.

    Raises:
        ServerError: Some table of the cluster owns a ghost of a temporary partition; nobody gets any row (O2§0.1).
    """
    rows = _rows(session)
    zone = session.zone
    stored = session.frontend.rows
    moments: dict[int | None, str] = {}
    keys: dict[int, str] = {}

    def moment(epoch: int | None) -> str:
        if epoch not in moments:
            moments[epoch] = show(NEVER if epoch is None else epoch, zone)
        return moments[epoch]

    def key(table: Table) -> str:
        if table.id not in keys:
            keys[table.id] = partition_key_text(table)
        return keys[table.id]

    def constant(value: object) -> Callable[[], Sequence[object]]:
        return lambda: [value] * len(rows)

    return {
        "DB_NAME": lambda: [row.database for row in rows],
        "TABLE_NAME": lambda: [row.table.name for row in rows],
        "PARTITION_NAME": lambda: [row.partition.name for row in rows],
        "PARTITION_ID": lambda: [row.physical.id for row in rows],
        "COMPACT_VERSION": constant(0),
        "VISIBLE_VERSION": lambda: [row.physical.visible_version for row in rows],
        "VISIBLE_VERSION_TIME": lambda: [moment(row.physical.visible_version_time) for row in rows],
        "NEXT_VERSION": lambda: [row.physical.next_version for row in rows],
        "DATA_VERSION": lambda: [row.physical.data_version for row in rows],
        "VERSION_EPOCH": lambda: [row.physical.version_epoch for row in rows],
        "VERSION_TXN_TYPE": constant("TXN_NORMAL"),
        "PARTITION_KEY": lambda: [key(row.table) for row in rows],
        "PARTITION_VALUE": lambda: [keys_text(row.table, row.partition) for row in rows],
        "DISTRIBUTION_KEY": lambda: [distribution_key(row.table) for row in rows],
        "BUCKETS": lambda: [row.partition.buckets for row in rows],
        "REPLICATION_NUM": lambda: [row.partition.replication_num for row in rows],
        "STORAGE_MEDIUM": lambda: [row.partition.storage_medium for row in rows],
        "COOLDOWN_TIME": lambda: [moment(row.partition.cooldown_time) for row in rows],
        "LAST_CONSISTENCY_CHECK_TIME": constant(None),
        "IS_IN_MEMORY": constant(0),
        "IS_TEMP": lambda: [int(row.partition.is_temp) for row in rows],
        "DATA_SIZE": constant("0B"),
        "ROW_COUNT": lambda: [stored.count(row.physical.id) for row in rows],
        "ENABLE_DATACACHE": constant(0),
        "AVG_CS": constant(0.0),
        "P50_CS": constant(0.0),
        "MAX_CS": constant(0.0),
        "STORAGE_PATH": constant(""),
        "STORAGE_SIZE": lambda: [
            stored.count(row.physical.id) * len(row.table.columns) * BYTES_PER_VALUE for row in rows
        ],
        "TABLET_BALANCED": constant(1),
    }


def _rows(session: Session) -> list[_Row]:
    found = []
    for database in session.frontend.catalog.databases.values():
        for table in (*database.olap_tables(), *database.temporary.values()):
            if table.ghosts:
                raise _ghost(table)
            if not session.sees(database, table):
                continue
            for partition in table.every_partition():
                found += [_Row(database.name, table, partition, one) for one in partition.physical]
    return found


def _ghost(table: Table) -> Exception:
    if table.partitioning is not None and table.partitioning.kind == "RANGE":
        return refused(
            'Cannot invoke "com.google.common.collect.Range.toString()" because the return value of '
            '"com.starrocks.catalog.RangePartitionInfo.getRange(long)" is null'
        )
    return refused(NO_DATA_PROPERTY)
