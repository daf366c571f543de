"""ADD, DROP and REPLACE PARTITION, also of temporary ones (O§n)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.alter_names import check_partition_name, refuse_shadow
from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import SHADOW, DroppedPartition, Partition, Table
from starrocks_simulator.create_table import add_item, replication_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused
from starrocks_simulator.parse_partitions import added_items
from starrocks_simulator.times import instant


def add(target: Target, cursor: Cursor) -> None:
    """ADD PARTITION …, ADD PARTITIONS START … END … EVERY …."""
    _add(target, cursor, temp=False)


def add_temporary(target: Target, cursor: Cursor) -> None:
    """ADD TEMPORARY PARTITION …."""
    _add(target, cursor, temp=True)


def _add(target: Target, cursor: Cursor, *, temp: bool) -> None:
    items = added_items(cursor)
    cursor.end_of_clause()
    if target.table.partitioning is None:
        raise refused(f"Table {target.table.name} is not partitioned table")
    for item in items:
        check_partition_name(item.name)
        add_item(target.frontend, target.table, item, temp=temp)
    _keep_shadow_last(target.table)


def _keep_shadow_last(table: Table) -> None:
    shadow = table.partitions.pop(SHADOW, None)
    if shadow is not None:
        table.partitions[SHADOW] = shadow


def drop(target: Target, cursor: Cursor) -> None:
    """DROP PARTITION [IF EXISTS] p [FORCE]: without FORCE it can be recovered."""
    if_exists = cursor.accept("IF", "EXISTS")
    names = cursor.names() if cursor.looking_at("(") else [cursor.name()]
    force = cursor.accept("FORCE")
    cursor.end_of_clause()
    for name in names:
        refuse_shadow(name, "Deletion")
        found = target.table.find_partition(name)
        if found is not None:
            _drop_one(target, found, force=force)
        elif not if_exists:
            raise refused(f"Error in list of partitions to [{name}]", 1507)


def _drop_one(target: Target, found: Partition, *, force: bool) -> None:
    if target.table.partitioning is None:
        raise refused(f"Table {target.table.name} is not partitioned table")
    del target.table.partitions[found.name]
    if force:
        target.frontend.rows.drop(one.id for one in found.physical)
    else:
        target.frontend.catalog.recycle_bin.partitions.append(DroppedPartition(target.table.id, found))


def drop_temporary(target: Target, cursor: Cursor) -> None:
    """DROP TEMPORARY PARTITION [IF EXISTS] p; also takes away a ghost (O2§0.1)."""
    if_exists = cursor.accept("IF", "EXISTS")
    names = cursor.names() if cursor.looking_at("(") else [cursor.name()]
    cursor.accept("FORCE")
    cursor.end_of_clause()
    for name in names:
        ghost = next((one for one in target.table.ghosts if one.name == name), None)
        found = target.table.find_partition(name, temp=True)
        if ghost is not None and target.table.partitioning is not None:
            target.table.ghosts.remove(ghost)
        elif found is not None:
            del target.table.temp_partitions[found.name]
            target.frontend.rows.drop(one.id for one in found.physical)
        elif target.table.partitioning is None:
            raise refused("Not a partitioned table")
        elif not if_exists:
            raise refused(f"Error in list of partitions to [{name}]", 1507)


def replace(target: Target, cursor: Cursor) -> None:
    """REPLACE PARTITION (…) WITH TEMPORARY PARTITION (…) [PROPERTIES (…)]: ids, versions and times are the temp's."""
    names = cursor.names() if cursor.looking_at("(") else [cursor.name()]
    cursor.expect("WITH", "TEMPORARY")
    if cursor.accept_any("PARTITION", "PARTITIONS") is None:
        cursor.fail("'PARTITION', 'PARTITIONS'")
    temp_names = cursor.names() if cursor.looking_at("(") else [cursor.name()]
    properties = cursor.optional_properties()
    cursor.end_of_clause()
    olds = [_existing(target.table, name, temp=False) for name in names]
    temps = [_existing(target.table, name, temp=True) for name in temp_names]
    if properties.get("strict_range", "true") == "true":
        _check_same_keys(olds, temps)
    keep_names = len(olds) == len(temps) and properties.get("use_temp_partition_name", "false") != "true"
    for at, temp in enumerate(temps):
        del target.table.temp_partitions[temp.name]
        temp.is_temp = False
        if keep_names:
            temp.name = olds[at].name
    for old in olds:
        del target.table.partitions[old.name]
        target.frontend.rows.drop(one.id for one in old.physical)
    target.table.partitions |= {temp.name: temp for temp in temps}
    _keep_shadow_last(target.table)


def _existing(table: Table, name: str, *, temp: bool) -> Partition:
    found = table.find_partition(name, temp=temp)
    if found is None:
        raise analyzing(f"{'Temporary partition' if temp else 'Partition'}[{name}] does not exist")
    return found


def _check_same_keys(olds: list[Partition], temps: list[Partition]) -> None:
    if len(olds) == len(temps) and sorted(map(repr, (one.keys for one in olds))) != sorted(
        map(repr, (one.keys for one in temps))
    ):
        raise refused("2 range lists are not strictly matched")


def modify(target: Target, cursor: Cursor) -> None:
    """MODIFY PARTITION p | (p, …) | (*) SET (…): replication_num, storage_medium, storage_cooldown_time."""
    if cursor.accept("(", "*", ")"):
        chosen = target.table.shown_partitions()
    else:
        names = cursor.names() if cursor.looking_at("(") else [cursor.name()]
        chosen = [_existing(target.table, name, temp=False) for name in names]
    cursor.expect("SET")
    properties = cursor.properties()
    cursor.end_of_clause()
    for partition in chosen:
        _set(target, partition, properties)


def _set(target: Target, partition: Partition, properties: dict[str, str]) -> None:
    if "replication_num" in properties:
        partition.replication_num = replication_of(target.frontend, target.table.name, properties)
    partition.storage_medium = properties.get("storage_medium", partition.storage_medium).upper()
    if "storage_cooldown_time" in properties:
        partition.cooldown_time = int(instant(properties["storage_cooldown_time"], target.session.zone))


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("ADD",): add,
    ("ADD", "TEMPORARY"): add_temporary,
    ("DROP", "PARTITION"): drop,
    ("DROP", "PARTITIONS"): drop,
    ("DROP", "TEMPORARY", "PARTITION"): drop_temporary,
    ("REPLACE", "PARTITION"): replace,
    ("REPLACE", "PARTITIONS"): replace,
    ("MODIFY", "PARTITION"): modify,
}
