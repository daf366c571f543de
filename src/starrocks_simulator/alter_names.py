"""RENAME and SWAP WITH: names move, ids and versions stay (O§n)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Database, Table
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused
from starrocks_simulator.view_activity import inactivate_readers


def rename(target: Target, cursor: Cursor) -> None:
    """RENAME new."""
    first = cursor.at - 1
    new = cursor.name()
    cursor.end()
    if new == target.table.name:
        raise analyzing(f"Same table name {new}", where=cursor.place(first, cursor.at - 1))
    if new in target.database.tables:
        raise refused(f"Table name[{new}] is already used")
    inactivate_readers(target.frontend.catalog, target.table, f"base-table renamed: {target.table.name}")
    put_under(target.database, target.table, new)


def put_under(database: Database, table: Table, new: str) -> None:
    """Give a table another name; the partition of an unpartitioned one follows."""
    del database.tables[table.name]
    set_name(table, new)
    database.tables[new] = table


def set_name(table: Table, new: str) -> None:
    """Change a table's name, its base index's and, if it is unpartitioned, its partition's."""
    if table.partitioning is None and table.name in table.partitions:
        partition = table.partitions.pop(table.name)
        partition.name = new
        table.partitions[new] = partition
    table.name = new


def rename_partition(target: Target, cursor: Cursor) -> None:
    """RENAME PARTITION old new."""
    old, new = cursor.name(), cursor.name()
    cursor.end()
    check_partition_name(new)
    refuse_shadow(old, "Rename")
    partitions = target.table.partitions
    found = target.table.find_partition(old)
    if found is None:
        raise refused(f"Partition[{old}] does not exists")
    if new in partitions:
        raise refused(f"Partition name[{new}] is already used")
    renamed = {(new if one is found else name): one for name, one in partitions.items()}
    found.name = new
    target.table.partitions = renamed


def refuse_shadow(name: str, what: str) -> None:
    """Refuse to do something to the shadow partition, whether there is one or not (O§f; texts are documented).

    Args:
        name: The partition that the statement names.
        what: "Deletion", which the analyzer refuses; "Rename", "Truncate".
    """
    if name.startswith("$"):
        text = f"{what} of shadow partitions is not allowed"
        raise analyzing(text) if what == "Deletion" else refused(text)


def check_partition_name(name: str) -> None:
    """1567 for names that only the server may use (O§f)."""
    if name.startswith("$"):
        raise analyzing(f"Incorrect partition name '{name}'", 1567)


def rename_column(target: Target, cursor: Cursor) -> None:
    """RENAME COLUMN old [TO] new: no row in SHOW ALTER TABLE (O2§y4)."""
    old = cursor.name()
    cursor.accept("TO")
    new = cursor.name()
    column = target.table.find_column(old)
    if column is None:
        raise refused(f"Column {old} does not exist")
    if target.table.find_column(new) is not None:
        raise refused(f"Column name {new} is already used")
    for names in _name_lists(target.table):
        names[:] = [new if name.lower() == column.name.lower() else name for name in names]
    for rollup in target.table.rollups:
        for one in rollup.columns:
            one.name = new if one.name == column.name else one.name
    column.name = new


def _name_lists(table: Table) -> list[list[str]]:
    lists = [table.sort_key, table.distribution.columns, *(index.columns for index in table.indexes)]
    return lists if table.partitioning is None else [*lists, table.partitioning.columns]


def swap(target: Target, cursor: Cursor) -> None:
    """SWAP WITH other: the two tables exchange their names."""
    name = cursor.name()
    cursor.end()
    database, table = target.database, target.table
    other = database.tables.get(name)
    if not isinstance(other, Table):
        raise refused(f"Table {name} does not exist")
    if other is table:
        raise refused(f"New name conflicts with rollup index name: {name}")
    old = table.name
    for one in (table, other):
        inactivate_readers(target.frontend.catalog, one, f"base-table swapped: {one.name}")
    set_name(table, name)
    set_name(other, old)
    database.tables[name], database.tables[old] = table, other


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("RENAME",): rename,
    ("RENAME", "PARTITION"): rename_partition,
    ("RENAME", "COLUMN"): rename_column,
    ("SWAP", "WITH"): swap,
}
