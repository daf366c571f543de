"""Secondary indexes and rollups (O2§y4)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.alter_jobs import check_no_temp, new_job, record_change, start_job
from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Column, Index, Model, Rollup, TableState
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import refused
from starrocks_simulator.parse_table import index_tail
from starrocks_simulator.rollups import hash_of, rollup_columns

_ROLLUP_TIMEOUT: Final = 86_400_000_000


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
    record_change(target, fast=False, apply=lambda _: table.indexes.append(index))


def remove_index(target: Target, name: str) -> None:
    """Drop a secondary index."""
    found = next((one for one in target.table.indexes if one.name.lower() == name.lower()), None)
    if found is None:
        raise refused(f"index {name} does not exist")
    record_change(target, fast=False, apply=lambda _: target.table.indexes.remove(found))


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
    columns = rollup_columns(target.table, cursor.names())
    cursor.optional_properties()
    start_rollup(target, name, columns, target.table.model)


def start_rollup(target: Target, name: str, columns: list[Column], model: Model) -> None:
    """Begin the job that makes a rollup or synchronous materialized view."""
    check_no_temp(target.table)
    if any(one.name == name for one in target.table.rollups):
        raise refused(f"Rollup index[{name}] already exists")
    catalog = target.frontend.catalog
    job_id = catalog.new_id()
    rollup = Rollup(catalog.new_id(), name, columns, model, hash_of(columns))
    job = new_job(target, "ROLLUP", job_id)
    job.name, job.index_id, job.state, job.finish_time, job.timeout = name, rollup.id, "PENDING", None, _ROLLUP_TIMEOUT
    start_job(target, job, TableState.ROLLUP, lambda _: target.table.rollups.append(rollup))


def drop_rollup(target: Target, cursor: Cursor) -> None:
    """DROP ROLLUP r: no row of its own (O2§y4)."""
    name = cursor.name()
    found = next((one for one in target.table.rollups if one.name == name), None)
    if found is None:
        raise refused(f"Rollup index[{name}] does not exist in table[{target.table.name}]")
    target.table.rollups.remove(found)


CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    ("ADD", "INDEX"): add_index_clause,
    ("DROP", "INDEX"): drop_index_clause,
    ("ADD", "ROLLUP"): add_rollup,
    ("DROP", "ROLLUP"): drop_rollup,
}
