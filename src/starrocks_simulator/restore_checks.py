"""What RESTORE demands of a table that exists: the checks of R§7.3 in their order (texts: O§e, O§g, O§o, O§q)."""

from __future__ import annotations

from starrocks_simulator.catalog import SHADOW, Column, Partition, Table, TableState
from starrocks_simulator.column_types import Type
from starrocks_simulator.jobs import JobFailed
from starrocks_simulator.partitioning import Range


def check_free(local: Table) -> None:
    """Whether the table may be put into state RESTORE at all.

    Raises:
        JobFailed: It is busy, or has temporary partitions, ghosts included.
    """
    if local.external_engine:
        raise JobFailed(
            "UNSUPPORTED", f"Table: {local.name} can not support backup restore, type: {local.external_engine}"
        )
    if local.state is not TableState.NORMAL:
        raise JobFailed("COMMON_ERROR", f"Table {local.name}'s state is not NORMAL: {local.state.value}")
    if local.temp_partitions or local.ghosts:
        raise JobFailed("COMMON_ERROR", "Do not support restoring table with temp partitions")


def check_likeness(local: Table, remote: Table) -> None:
    """Whether both are the same table as far as the server looks.

    Raises:
        JobFailed: They differ.
    """
    if _partition_type(local) != _partition_type(remote):
        raise JobFailed("COMMON_ERROR", "Table's partition type is different")
    difference = _signature_difference(local, remote)
    if difference is not None:
        raise JobFailed(
            "COMMON_ERROR", f"Table {local.name} already exist but with different schema, errMsg: {difference}"
        )
    if local.model is not remote.model:
        raise JobFailed("COMMON_ERROR", f"Table {local.name} already exist but with different key type")
    for here, there in zip(local.columns, remote.columns, strict=True):
        if not _same_column(here, there):
            raise JobFailed(
                "COMMON_ERROR",
                f"Table {local.name} already exist but with different schema, column: {here.name} in existed table is "
                f"different from the column in backup snapshot, column: {there.name}",
            )


def check_partition(local: Table, partition: Partition, remote: Table, replication_num: int) -> bool:
    """Whether a snapshot's partition can go over the local one, or be added; gives True if it has to be added.

    Raises:
        JobFailed: It can do neither.
    """
    existing = local.partitions.get(partition.name)
    if existing is None:
        _check_addable(local, partition)
        return True
    if isinstance(partition.keys, Range) and not partition.keys.same(existing.range, _types(remote)):
        raise JobFailed(
            "COMMON_ERROR",
            f"Partition {partition.name} in table {local.name} has different range with partition in repository",
        )
    if existing.replication_num != replication_num:
        raise JobFailed(
            "COMMON_ERROR",
            f"Partition {partition.name} in table {local.name} has different replication num "
            f"'{existing.replication_num}' with partition in repository, which is {replication_num}",
        )
    if len(partition.physical) > 1:
        raise JobFailed(
            "COMMON_ERROR",
            f"Partition {partition.name} in table {local.name} is automatic bucket partition, can not be restored",
        )
    return False


def _check_addable(local: Table, partition: Partition) -> None:
    """Only RANGE partitions are added, the shadow one too; a LIST partition never is (R§0.4, O§f)."""
    if partition.name == SHADOW and local.partitioning is not None and local.partitioning.kind == "RANGE":
        return
    if not isinstance(partition.keys, Range):
        raise JobFailed("COMMON_ERROR", f"No partition exist in single partitioned table {local.name}")
    types = _types(local)
    for other in local.partitions.values():
        if other.name != SHADOW and isinstance(other.keys, Range) and partition.keys.overlaps(other.keys, types):
            raise JobFailed(
                "COMMON_ERROR",
                f"Partition {partition.name} in table {local.name} has conflict range with existing ranges",
            )


def _partition_type(table: Table) -> str:
    return "UNPARTITIONED" if table.partitioning is None else table.partitioning.type_name


def _signature_difference(local: Table, remote: Table) -> str | None:
    """The first part of the signature that differs; "" where the server gives no reason (O§o)."""
    if local.name != remote.name:
        return "Table name is inconsistent"
    short_keys = [sum(column.is_key for column in table.columns) for table in (local, remote)]
    if short_keys[0] != short_keys[1] and len(local.columns) == len(remote.columns):
        return "short key column count is inconsistent"
    if len(local.columns) != len(remote.columns) or _index_names(local) != _index_names(remote):
        return ""
    if _bloom_filter(local) != _bloom_filter(remote):
        return ""
    if _partition_columns(local) != _partition_columns(remote):
        return "partition columns is inconsistent"
    return _distribution_difference(local, remote)


def _distribution_difference(local: Table, remote: Table) -> str | None:
    """Over all partitions that both have, not only those restored (R§7.3)."""
    common = [name for name in local.partitions if name in remote.partitions]
    if not common:
        return None
    if local.distribution.columns != remote.distribution.columns:
        return "partition distribution col hash is inconsistent"
    if not local.distribution.columns:
        return None
    if any(local.partitions[name].buckets != remote.partitions[name].buckets for name in common):
        return "bucket num is inconsistent"
    return None


def _index_names(table: Table) -> set[str]:
    return {rollup.name for rollup in table.rollups}


def _bloom_filter(table: Table) -> str:
    return table.properties.get("bloom_filter_columns", "")


def _partition_columns(table: Table) -> list[str]:
    return [] if table.partitioning is None else [name.lower() for name in table.partitioning.columns]


def _same_column(here: Column, there: Column) -> bool:
    """All that a user declared, comment included (R§7.3), but not the unique id (O2§0.4)."""
    return here.name.lower() == there.name.lower() and all(
        getattr(here, name) == getattr(there, name)
        for name in ("type", "is_key", "nullable", "default", "aggregation", "generated", "comment")
    )


def _types(table: Table) -> list[Type]:
    return [column.type for column in table.partition_columns]
