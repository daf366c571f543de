"""SET (…), COMMENT and DISTRIBUTED BY (O2§y4)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator import table_properties
from starrocks_simulator.alter_jobs import check_no_temp, record_optimize, record_properties
from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Distribution, Partition, SchemaJob
from starrocks_simulator.create_table import replication_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.ddl import named_partition
from starrocks_simulator.errors import common_analyzing, refused
from starrocks_simulator.parse_table import distribution
from starrocks_simulator.versions import publish

_SHOWN_AS: Final = {"default.storage_medium": "storage_medium", "default.replication_num": "replication_num"}

_PARTITIONED: Final = (
    "This is a range partitioned table, you should specify partitions with MODIFY PARTITION clause. If you want to set "
    "default replication number, please use 'default.replication_num' instead of 'replication_num' to escape "
    "misleading."
)
"""Documented, not observed."""


def set_properties(target: Target, cursor: Cursor) -> None:
    """SET ("k" = "v", …)."""
    properties = cursor.properties()
    table = target.table
    if unknown := table_properties.unknown(properties):
        raise common_analyzing(unknown)
    if "replication_num" in properties or "default.replication_num" in properties:
        wanted = properties.get("replication_num") or properties["default.replication_num"]
        replication_of(target.frontend, table.name, {"replication_num": wanted})
    if "replication_num" in properties and table.partitioning is not None:
        raise refused(
            _PARTITIONED if table.partitioning.kind == "RANGE" else f"Partition does not exist. name: {table.name}"
        )
    if "replication_num" in properties:
        for partition in table.partitions.values():
            partition.replication_num = int(properties["replication_num"])
    if "bloom_filter_columns" in properties:
        names = properties.pop("bloom_filter_columns")
        _check_columns(target, names)
        record_properties(target, lambda _: table.properties.update({"bloom_filter_columns": names}))
    if "unique_constraints" in properties:
        properties["unique_constraints"] = (
            f"default_catalog.{target.database.name}.{table.name}.{properties['unique_constraints']}"
        )
    if "default.storage_medium" in properties:
        properties["default.storage_medium"] = properties["default.storage_medium"].upper()
    table.properties |= {_SHOWN_AS.get(key, key): value for key, value in properties.items()}
    if table.properties.get("colocate_with") == "":
        del table.properties["colocate_with"]  # the way to leave a group (documented, not observed)


def _check_columns(target: Target, names: str) -> None:
    for name in names.split(","):
        if name.strip() and target.table.find_column(name.strip()) is None:
            raise refused(f"Bloom filter column does not exist in table. invalid column: {name.strip()}")


def comment(target: Target, cursor: Cursor) -> None:
    """COMMENT [=] '…'."""
    cursor.accept("=")
    target.table.comment = cursor.string()


def distribute(target: Target, cursor: Cursor) -> None:
    """DISTRIBUTED BY …: new partitions with the same rows take the places of all."""
    _optimize(target, cursor, None)


def distribute_partitions(target: Target, cursor: Cursor) -> None:
    """PARTITIONS (…) DISTRIBUTED BY …: of these only; the table's own clause stays."""
    names = cursor.names()
    cursor.expect("DISTRIBUTED", "BY")
    _optimize(target, cursor, [named_partition(target.table, name) for name in names])


def _optimize(target: Target, cursor: Cursor, chosen: list[Partition] | None) -> None:
    wanted = distribution(cursor)
    check_no_temp(target.table)
    copies: dict[str, tuple[Partition, int]] = {}

    def start(job: SchemaJob) -> None:
        for partition in target.table.shown_partitions() if chosen is None else chosen:
            copy = _begin_copy(target, partition, job.id, wanted.buckets or partition.buckets)
            copies[partition.name] = copy, partition.physical[0].visible_version

    def finish(_: float) -> None:
        for name, (copy, version) in copies.items():
            _end_copy(target, target.table.partitions[name], copy, version)
        if chosen is None:
            target.table.distribution = wanted

    record_optimize(target, _text(wanted), start, finish)


def _begin_copy(target: Target, partition: Partition, job_id: int, buckets: int) -> Partition:
    """A temporary partition `<name>_<job id>` that the job loads (n:121 of the transcripts)."""
    copy = target.frontend.catalog.new_partition(
        f"{partition.name}_{job_id}",
        partition.keys,
        now=target.frontend.now(),
        buckets=buckets,
        replication_num=partition.replication_num,
        is_temp=True,
    )
    if target.frontend.rows.count(partition.physical[0].id):
        publish(target.frontend, copy.physical)
    target.table.temp_partitions[copy.name] = copy
    return copy


def _end_copy(target: Target, partition: Partition, copy: Partition, version: int) -> None:
    """The copy takes the partition's place; a load that came meanwhile went into both."""
    rows = target.frontend.rows
    if target.table.temp_partitions.pop(copy.name, None) is None:
        return  # gone: the database was dropped and recovered meanwhile (O§n)
    if partition.physical[0].visible_version != version:
        publish(target.frontend, copy.physical)
    rows.copy(partition.physical[0].id, copy.physical[0].id)
    rows.drop(one.id for one in partition.physical)
    partition.id, partition.physical, partition.buckets = copy.id, copy.physical, copy.buckets


def _text(wanted: Distribution) -> str:
    columns = f"HASH({', '.join(wanted.columns)})" if wanted.columns else "RANDOM"
    return f"ALTER DISTRIBUTED BY {columns}{f' BUCKETS {wanted.buckets}' if wanted.buckets else ''}"


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("SET",): set_properties,
    ("COMMENT",): comment,
    ("DISTRIBUTED", "BY"): distribute,
    ("PARTITIONS",): distribute_partitions,
}
