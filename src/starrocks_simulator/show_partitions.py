"""SHOW PARTITIONS and SHOW TEMPORARY PARTITIONS (R§8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from starrocks_simulator.catalog import Partition, PhysicalPartition, Table
from starrocks_simulator.create_text import ordered_partitions
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused, table_not_found
from starrocks_simulator.handlers import Handler
from starrocks_simulator.partitioning import ListKeys, Range
from starrocks_simulator.results import Result
from starrocks_simulator.show_filter import Row, shown
from starrocks_simulator.times import NEVER, show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

NO_DATA_PROPERTY: Final = (
    'Cannot invoke "com.starrocks.catalog.DataProperty.getStorageMedium()" because "dataProperty" is null'
)
"""What the server says when it meets a ghost of a temporary partition of a table without ranges (O2§0.1)."""

_SHADOW_MOMENT: Final = {"date": "0000-00-00", "datetime": "0000-00-00 00:00:00"}


def show_partitions(session: Session, cursor: Cursor) -> Result:
    """SHOW PARTITIONS FROM [db.]t [WHERE …] [ORDER BY …] [LIMIT n]; hides the shadow partition."""
    return _show(session, cursor, temp=False)


def show_temporary_partitions(session: Session, cursor: Cursor) -> Result:
    """SHOW TEMPORARY PARTITIONS FROM [db.]t …: of ghosts it shows nothing, or breaks (O2§0.1)."""
    return _show(session, cursor, temp=True)


def _show(session: Session, cursor: Cursor, *, temp: bool) -> Result:
    cursor.expect("FROM")
    database, name = cursor.qualified()
    table = session.find_object(database, name)
    if table is None:
        raise table_not_found(name)
    if not isinstance(table, Table) or table.external_engine:
        raise analyzing(f"Table[{name}] does not exists or is not OLAP/Paimon table")
    is_list = table.partitioning is not None and table.partitioning.kind == "LIST"
    names = (
        "PartitionId", "PartitionName", "VisibleVersion", "VisibleVersionTime", "VisibleVersionHash", "State",
        "PartitionKey",
        "List" if is_list else "Range", "DistributionKey", "Buckets", "ReplicationNum", "StorageMedium", "CooldownTime",
        "LastConsistencyCheckTime", "DataSize", "StorageSize", "IsInMemory", "RowCount", "DataVersion", "VersionEpoch",
        "VersionTxnType", "TabletBalanced",
    )  # fmt: skip
    if temp and table.ghosts and not (table.partitioning and not is_list):
        raise refused(NO_DATA_PROPERTY)
    rows = [
        _row(session, table, partition, one)
        for partition in ordered_partitions(table, temp=temp)
        for one in partition.physical
    ]
    return shown(cursor, names, rows, like_column=1)


def _row(session: Session, table: Table, partition: Partition, one: PhysicalPartition) -> Row:
    cooldown = NEVER if partition.cooldown_time is None else partition.cooldown_time
    key = "" if table.partitioning is None else ", ".join(column.name for column in table.partition_columns)
    return (
        str(one.id), partition.name, str(one.visible_version), show(one.visible_version_time, session.zone), "0",
        "NORMAL", key, keys_text(table, partition), distribution_key(table), str(partition.buckets),
        str(partition.replication_num), partition.storage_medium, show(cooldown, session.zone), None, "0B", "0B",
        "false",
        str(session.frontend.rows.count(one.id)), str(one.data_version), str(one.version_epoch), "TXN_NORMAL", "true",
    )  # fmt: skip


# a partition's keys and its columns' types never change, and partitions_meta asks for them again and again
_TEXTS: Final[WeakKeyDictionary[Partition, str]] = WeakKeyDictionary()


def keys_text(table: Table, partition: Partition) -> str:
    """PARTITION_VALUE: the range or values; of a RANGE table's shadow partition an impossible range (R§8.1)."""
    text = _TEXTS.get(partition)
    if text is None:
        text = _TEXTS[partition] = _keys_text(table, partition)
    return text


def _keys_text(table: Table, partition: Partition) -> str:
    types = [column.type for column in table.partition_columns]
    if isinstance(partition.keys, Range):
        return partition.keys.text(types)
    if isinstance(partition.keys, ListKeys):
        return partition.keys.text()
    if table.partitioning is None or table.partitioning.kind == "LIST":
        return ""
    names, moments = (
        ", ".join(parts)
        for parts in zip(*((one.range_name, _SHADOW_MOMENT.get(one.name, "0")) for one in types), strict=True)
    )
    return f"[types: [{names}]; keys: [{moments}]; ..types: [{names}]; keys: [{moments}]; )"


def distribution_key(table: Table) -> str:
    """DISTRIBUTION_KEY: column names, or "ALL KEY" for RANDOM."""
    return ", ".join(table.distribution.columns) or "ALL KEY"


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SHOW", "PARTITIONS"): show_partitions,
    ("SHOW", "TEMPORARY", "PARTITIONS"): show_temporary_partitions,
}
