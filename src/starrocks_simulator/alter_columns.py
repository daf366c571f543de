"""Schema changes: columns, order, indexes, rollups (O2§y4). Versions and ids of partitions stay as they are."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

import duckdb

from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Column, Index, Model, Rollup, SchemaJob, Table, TableState
from starrocks_simulator.column_types import Type
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused
from starrocks_simulator.expressions import expression_to_duckdb
from starrocks_simulator.parse_table import column_definition, index_tail
from starrocks_simulator.rows import quoted

_WIDER: Final = ("tinyint", "smallint", "int", "bigint", "largeint", "double")
_ROLLUP_TIMEOUT: Final = 86_400_000_000


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
    table.columns.insert(at, column)
    if column.generated:
        _compute(target, column)
    fast = table.properties.get("fast_schema_evolution") == "true" and not column.is_key and not column.generated
    _record(target, fast=fast)


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
    table.columns.remove(column)
    table.indexes = [index for index in table.indexes if name.lower() not in map(str.lower, index.columns)]
    _record(target, fast=table.properties.get("fast_schema_evolution") == "true" and not column.is_key)


def _check_droppable(table: Table, column: Column) -> None:
    name = column.name
    used = [*table.distribution.columns, *([] if table.partitioning is None else table.partitioning.columns)]
    if name.lower() in map(str.lower, used):
        kind = "Distribution" if name.lower() in map(str.lower, table.distribution.columns) else "Partition"
        raise refused(f"{kind} column[{name}] cannot be dropped")
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
    _record(target, fast=False, apply=apply)


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
        _record(target, fast=False, apply=lambda _: table.sort_key.__setitem__(slice(None), names))
        return
    if len(names) != len(table.visible_columns):
        raise refused("Reorder stmt should contains all columns")
    ordered = [table.column(name) for name in names] + [column for column in table.columns if column.hidden]
    _record(target, fast=False, apply=lambda _: table.columns.__setitem__(slice(None), ordered))


def check_no_temp(table: Table) -> None:
    """Refuse a schema change of a table with temporary partitions, also with ghosts (O2§y5)."""
    if table.temp_partitions or table.ghosts:
        raise refused("Can not alter table when there are temp partitions in table")


def add_index(target: Target, index: Index) -> None:
    """A secondary index: a schema change with a new index id, which RESTORE does not notice (O2§y4)."""
    table = target.table
    if any(one.name.lower() == index.name.lower() for one in table.indexes):
        raise refused(f"index `{index.name}` already exist.")
    for name in index.columns:
        if table.find_column(name) is None:
            raise refused(f"BITMAP column does not exist in table. invalid column: {name}")
    if index.type == "NGRAMBF":
        index.properties = {"bloom_filter_fpp": "0.05", "case_sensitive": "true", "gram_num": "2", **index.properties}
    _record(target, fast=False, apply=lambda _: table.indexes.append(index))


def remove_index(target: Target, name: str) -> None:
    """Drop a secondary index."""
    found = next((one for one in target.table.indexes if one.name.lower() == name.lower()), None)
    if found is None:
        raise refused(f"index {name} does not exist")
    _record(target, fast=False, apply=lambda _: target.table.indexes.remove(found))


def add_index_clause(target: Target, cursor: Cursor) -> None:
    """ADD INDEX i (c) USING …."""
    name = cursor.name()
    add_index(target, index_tail(cursor, name, cursor.names()))


def drop_index_clause(target: Target, cursor: Cursor) -> None:
    """DROP INDEX i."""
    remove_index(target, cursor.name())


def add_rollup(target: Target, cursor: Cursor) -> None:
    """ADD ROLLUP r (columns)."""
    name = cursor.name()
    columns = cursor.names()
    cursor.optional_properties()
    start_rollup(target, name, columns)


def start_rollup(target: Target, name: str, columns: list[str]) -> None:
    """Begin the job that makes a rollup or synchronous materialized view."""
    check_no_temp(target.table)
    if any(one.name == name for one in target.table.rollups):
        raise refused(f"Rollup index[{name}] already exists")
    catalog = target.frontend.catalog
    job_id = catalog.new_id()
    rollup = Rollup(catalog.new_id(), name, columns)
    job = _job(target, "ROLLUP", job_id)
    job.name, job.index_id, job.state, job.finish_time, job.timeout = name, rollup.id, "PENDING", None, _ROLLUP_TIMEOUT
    _start(target, job, TableState.ROLLUP, lambda _: target.table.rollups.append(rollup))


def drop_rollup(target: Target, cursor: Cursor) -> None:
    """DROP ROLLUP r: no row of its own (O2§y4)."""
    name = cursor.name()
    found = next((one for one in target.table.rollups if one.name == name), None)
    if found is None:
        raise refused(f"Rollup index[{name}] does not exist in table[{target.table.name}]")
    target.table.rollups.remove(found)


def _record(target: Target, *, fast: bool, apply: Callable[[float], None] | None = None) -> None:
    """Write down a schema change: at once FINISHED if it is fast, else PENDING until the ticks have moved it.

    The new columns of a heavy ADD or DROP COLUMN show at once here; the server shows them at the job's end.
    """
    table = target.table
    table.schema_version += 1
    job = _job(target, "COLUMN", target.frontend.catalog.new_id())
    if fast:
        job.transaction_id = target.frontend.catalog.new_transaction()
        target.frontend.schema_changes.record(target.database.id, job)
        return
    table.schema_hash = zlib.crc32(f"{table.id}:{table.schema_version}".encode()) % 2**31
    job.schema_version = f"{table.schema_version}:{table.schema_hash}"
    job.index_id = target.frontend.catalog.new_id()
    job.state, job.finish_time, job.timeout = "PENDING", None, 86_400

    def finish(now: float) -> None:
        table.index_id = job.index_id
        if apply is not None:
            apply(now)

    _start(target, job, TableState.SCHEMA_CHANGE, finish)


def _start(
    target: Target,
    job: SchemaJob,
    state: TableState,
    finish: Callable[[float], None],
    start: Callable[[SchemaJob], None] | None = None,
) -> None:
    table = target.table
    table.state = state

    def end(now: float) -> None:
        table.state = TableState.NORMAL
        try:
            finish(now)
        except duckdb.Error as error:
            job.state, job.message = "CANCELLED", str(error).splitlines()[0]

    tablets = sum(partition.buckets for partition in table.shown_partitions())
    target.frontend.schema_changes.record(target.database.id, job, end, start=start, progress=f"{tablets}/{tablets}")


def _job(target: Target, kind: str, job_id: int) -> SchemaJob:
    table, now = target.table, int(target.frontend.now())
    return SchemaJob(
        kind=kind,
        id=job_id,
        table_id=table.id,
        table_name=table.name,
        create_time=now,
        name=table.name,
        index_id=table.index_id,
        origin_index_id=table.index_id,
        schema_version=f"{table.schema_version}:{table.schema_hash}",
        finish_time=now,
    )


def record_properties(target: Target, apply: Callable[[float], None]) -> None:
    """A property whose change rewrites the data, as bloom_filter_columns does."""
    _record(target, fast=False, apply=apply)


def record_optimize(
    target: Target, text: str, start: Callable[[SchemaJob], None], finish: Callable[[float], None]
) -> None:
    """ALTER TABLE DISTRIBUTED BY: an OPTIMIZE job, with what happens when it starts to run and when it ends."""
    job = _job(target, "OPTIMIZE", target.frontend.catalog.new_id())
    job.name, job.state, job.finish_time, job.timeout = text, "PENDING", None, 86_400
    _start(target, job, TableState.OPTIMIZE, finish, start)


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("ADD", "COLUMN"): add,
    ("DROP", "COLUMN"): drop,
    ("MODIFY", "COLUMN"): modify,
    ("ORDER", "BY"): order_by,
    ("ADD", "INDEX"): add_index_clause,
    ("DROP", "INDEX"): drop_index_clause,
    ("ADD", "ROLLUP"): add_rollup,
    ("DROP", "ROLLUP"): drop_rollup,
}
