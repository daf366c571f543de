"""Schema changes of columns and of their order (O2§y4). Versions and ids of partitions stay as they are."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.alter_jobs import check_no_temp, record_change
from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Column, Model, Table
from starrocks_simulator.column_types import Type
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused
from starrocks_simulator.expressions import expression_to_duckdb
from starrocks_simulator.parse_table import column_definition
from starrocks_simulator.rows import quoted

_WIDER: Final = ("tinyint", "smallint", "int", "bigint", "largeint", "double")


def add(target: Target, cursor: Cursor) -> None:
    """ADD COLUMN definition [AFTER c | FIRST], or ADD COLUMN (definition, …)."""
    if cursor.accept("("):
        while True:
            _add_one(target, column_definition(cursor), cursor)
            if not cursor.accept(","):
                break
        cursor.expect(")")
        return
    _add_one(target, column_definition(cursor), cursor)


def _add_one(target: Target, column: Column, cursor: Cursor) -> None:
    table = target.table
    if table.find_column(column.name) is not None:
        raise refused(f"Can not add column which already exists in base table: {column.name}")
    at = _position(table, column, cursor)
    cursor.optional_properties()
    check_no_temp(table)
    if table.model is Model.AGGREGATE and not column.aggregation:
        column.is_key = True
    if not column.nullable and column.default is None and not column.generated:
        raise analyzing(f"Column has no default value, but is NOT NULL: {column.name}")
    column.unique_id = table.next_unique_id
    table.next_unique_id += 1

    def apply(_: float) -> None:
        table.columns.insert(at, column)
        if column.generated:
            _compute(target, column)

    record_change(target, fast=_is_fast(table, column), apply=apply)


def _is_fast(table: Table, column: Column) -> bool:
    """Whether adding or dropping the column rewrites nothing."""
    return table.properties.get("fast_schema_evolution") == "true" and not column.is_key and not column.generated


def _position(table: Table, column: Column, cursor: Cursor) -> int:
    """Where the column goes: as asked, else behind its kind, before hidden ones."""
    if cursor.accept("FIRST"):
        return 0
    if cursor.accept("AFTER"):
        name = cursor.name()
        found = table.find_column(name)
        if found is None:
            raise refused(f"Column[{name}] does not found")
        return table.columns.index(found) + 1
    return len(table.keys) if column.is_key else len(table.visible_columns)


def _compute(target: Target, column: Column) -> None:
    """Give existing rows the values of a new generated column."""
    table = target.table
    expression = expression_to_duckdb(column.generated)
    others = [one for one in table.columns if not one.generated]
    rows = target.frontend.rows
    for partition in table.every_partition():
        for one in partition.physical:
            if rows.holds(one.id):
                rows.prepare(one.id, [column, *others])
                named = ", ".join(f"c{other.unique_id} AS {quoted(other.name)}" for other in others)
                rows.duckdb.execute(
                    f"UPDATE p{one.id} SET c{column.unique_id} = x.y FROM (SELECT r, {expression} AS y FROM "
                    f"(SELECT rowid AS r, {named} FROM p{one.id})) AS x WHERE rowid = x.r"
                )


def drop(target: Target, cursor: Cursor) -> None:
    """DROP COLUMN c: the stored values stay where they are, and no later column ever reads them."""
    name = cursor.name()
    cursor.optional_properties()
    table = target.table
    column = table.find_column(name)
    if column is None:
        raise refused(f"Column does not exists: {name}")
    check_no_temp(table)
    _check_droppable(table, column)

    def apply(_: float) -> None:
        table.columns.remove(column)
        table.indexes = [index for index in table.indexes if name.lower() not in map(str.lower, index.columns)]

    record_change(target, fast=_is_fast(table, column), apply=apply)


def _place_held(table: Table, name: str) -> str | None:
    """What a column decides of where rows go: neither may it be dropped nor its type change (documented)."""
    if table.partitioning is not None and name.lower() in map(str.lower, table.partitioning.columns):
        return "partition"
    return "distribution" if name.lower() in map(str.lower, table.distribution.columns) else None


def _check_droppable(table: Table, column: Column) -> None:
    held = _place_held(table, column.name)
    if held is not None:
        raise refused(f"{held.capitalize()} column[{column.name}] cannot be dropped. index[{table.name}]")
    if column.is_key and table.model is not Model.DUPLICATE:
        raise refused(f"Can not drop key column in {table.model.name.capitalize()} data model table")
    if len(table.visible_columns) == 1:
        raise refused("Table must have at least one column")


def modify(target: Target, cursor: Cursor) -> None:
    """MODIFY COLUMN definition [AFTER …], or MODIFY COLUMN c COMMENT '…', which is no schema job (O2§y4)."""
    if cursor.lexemes[cursor.at + 1].value == "COMMENT":
        _comment(target, cursor)
        return
    new = column_definition(cursor)
    table = target.table
    old = table.find_column(new.name)
    if old is None:
        raise refused(f"Column[{new.name}] does not exists")
    check_no_temp(table)
    _check_modifiable(old, new)

    def apply(_: float) -> None:
        old.type, old.nullable, old.comment = new.type, new.nullable, new.comment
        ids = [one.id for partition in table.every_partition() for one in partition.physical]
        target.frontend.rows.retype(ids, old)

    if new.type == old.type and new.nullable == old.nullable:
        old.comment = new.comment
        return
    held = _place_held(table, old.name)
    if held is not None:
        raise refused(f"Can not modify {held} column[{old.name}]. index[{table.name}]")
    record_change(target, fast=False, apply=apply)


def _comment(target: Target, cursor: Cursor) -> None:
    name = cursor.name()
    cursor.expect("COMMENT")
    column = target.table.find_column(name)
    if column is None:
        raise refused(f"Column[{name}] does not exists")
    column.comment = cursor.string()


def _check_modifiable(old: Column, new: Column) -> None:
    if old.default != new.default:
        raise refused("Can not change default value")
    if old.nullable and not new.nullable:
        raise refused("Can not change from nullable to non-nullable")
    if old.type.is_text and new.type.is_text and new.type.length < old.type.length:
        raise refused("Cannot shorten string length")
    if not _convertible(old.type, new.type):
        raise refused(f"Can not change {old.type.range_name} to {new.type.range_name}")


def _convertible(old: Type, new: Type) -> bool:
    if old.name == new.name:
        return True
    if old.name in _WIDER and new.name in _WIDER:
        return _WIDER.index(old.name) < _WIDER.index(new.name)
    return new.name in {"varchar", "date", "datetime"} or (old.is_text and new.is_number)


def order_by(target: Target, cursor: Cursor) -> None:
    """ORDER BY (…): the sort key of a PRIMARY KEY table, else the order of the columns."""
    names = cursor.names()
    table = target.table
    for name in names:
        if table.find_column(name) is None:
            raise refused(f"Column[{name}] not exists")
    if table.model is Model.PRIMARY:
        record_change(target, fast=False, apply=lambda _: table.sort_key.__setitem__(slice(None), names))
        return
    if len(names) != len(table.visible_columns):
        raise refused("Reorder stmt should contains all columns")
    ordered = [table.column(name) for name in names] + [column for column in table.columns if column.hidden]
    record_change(target, fast=False, apply=lambda _: table.columns.__setitem__(slice(None), ordered))


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("ADD", "COLUMN"): add,
    ("DROP", "COLUMN"): drop,
    ("MODIFY", "COLUMN"): modify,
    ("ORDER", "BY"): order_by,
}
