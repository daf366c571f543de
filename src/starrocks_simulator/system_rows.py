"""Rows of information_schema but those of partitions_meta (R§8.4, O§w)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from starrocks_simulator.catalog import Column, Database, Model, Table, View
from starrocks_simulator.create_text import create_view_text, names, shown_properties
from starrocks_simulator.times import show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

Listing = Mapping[str, Callable[[], Sequence[object]]]
_KEY_NAMES: Final = {Model.DUPLICATE: "DUP", Model.AGGREGATE: "AGG", Model.UNIQUE: "UNI", Model.PRIMARY: "PRI"}
_DIGITS: Final = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19, "largeint": 39, "float": 7, "double": 15}


def lists(headings: str, rows: list[tuple[object, ...]]) -> Listing:
    """Columns out of rows.

    Args:
        headings: Names of the columns, in the order of the rows' fields.
        rows: The rows.
    """
    return {name: partial(_column_of, rows, at) for at, name in enumerate(headings.split())}


def _column_of(rows: list[tuple[object, ...]], at: int) -> list[object]:
    return [row[at] for row in rows]


def _objects(session: Session) -> Iterator[tuple[Database, Table | View]]:
    for database, table in session.frontend.catalog.tables():
        if session.sees(database, table):
            yield database, table


def tables(session: Session) -> Listing:
    """information_schema.tables: MVs are VIEWs of engine StarRocks, plain views have no engine (O§p)."""
    rows: list[tuple[object, ...]] = []
    for database, table in _objects(session):
        is_view = isinstance(table, View)
        kind = "VIEW" if isinstance(table, View) or table.is_materialized_view else "BASE TABLE"
        engine = "" if isinstance(table, View) else table.external_engine or "StarRocks"
        size = -1 if is_view else 0
        times = (
            show(table.create_time, session.zone),
            None if isinstance(table, View) else show(table.last_load, session.zone),
        )
        rows.append((
            "def", database.name, table.name, kind, engine, -1, "", size, size, size, -1, -1, -1, -1, *times, None,
            "utf8_general_ci", -1, "", table.comment,
        ))  # fmt: skip
    return lists(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE ENGINE VERSION ROW_FORMAT TABLE_ROWS AVG_ROW_LENGTH "
        "DATA_LENGTH "
        "MAX_DATA_LENGTH INDEX_LENGTH DATA_FREE AUTO_INCREMENT CREATE_TIME UPDATE_TIME CHECK_TIME "
        "TABLE_COLLATION CHECKSUM "
        "CREATE_OPTIONS TABLE_COMMENT",
        rows,
    )


def tables_config(session: Session) -> Listing:
    """information_schema.tables_config: of a view, only its names."""
    return lists(
        "TABLE_SCHEMA TABLE_NAME TABLE_ENGINE TABLE_MODEL PRIMARY_KEY PARTITION_KEY DISTRIBUTE_KEY DISTRIBUTE_TYPE "
        "DISTRIBUTE_BUCKET SORT_KEY PROPERTIES TABLE_ID",
        [_config(database, table) for database, table in (*_objects(session), *_temporary(session))],
    )


def temp_tables(session: Session) -> Listing:
    """information_schema.temp_tables: those of all sessions (columns as in the source, not recorded)."""
    found = [(database.name, table.name, table.id) for database, table in _temporary(session)]
    return lists(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE ENGINE SESSION TABLE_ID",
        [("def", schema, name, "BASE TABLE", "StarRocks", "", number) for schema, name, number in found],
    )


def _temporary(session: Session) -> Iterator[tuple[Database, Table]]:
    for database in session.frontend.catalog.databases.values():
        for table in database.temporary.values():
            if session.sees(database, table):
                yield database, table


def _config(database: Database, table: Table | View) -> tuple[object, ...]:
    if isinstance(table, View) or table.external_engine:
        return (database.name, table.name, "", "", "", "", "", "", 0, "", "", 0)
    keyed = table.model in {Model.PRIMARY, Model.UNIQUE}
    return (
        database.name,
        table.name,
        "MATERIALIZED_VIEW" if table.is_materialized_view else "OLAP",
        table.model.value,
        names([column.name for column in table.keys]) if keyed else "",
        names([column.name for column in table.partition_columns]),
        names(table.distribution.columns),
        table.distribution.type_name,
        table.distribution.buckets,
        names(table.sort_key),
        json.dumps(dict(shown_properties(table)), ensure_ascii=False, separators=(",", ":")),
        table.id,
    )


def columns(session: Session) -> Listing:
    """information_schema.columns of tables and views."""
    rows: list[tuple[object, ...]] = []
    for database, table in _objects(session):
        shown = table.columns if isinstance(table, View) else table.visible_columns
        model = Model.DUPLICATE if isinstance(table, View) else table.model
        rows += [_column(database.name, table.name, model, at, column) for at, column in enumerate(shown, 1)]
    return lists(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION COLUMN_DEFAULT IS_NULLABLE DATA_TYPE "
        "CHARACTER_MAXIMUM_LENGTH CHARACTER_OCTET_LENGTH NUMERIC_PRECISION NUMERIC_SCALE DATETIME_PRECISION "
        "CHARACTER_SET_NAME COLLATION_NAME COLUMN_TYPE COLUMN_KEY EXTRA PRIVILEGES COLUMN_COMMENT COLUMN_SIZE "
        "DECIMAL_DIGITS "
        "GENERATION_EXPRESSION SRS_ID",
        rows,
    )


def _column(database: str, table: str, model: Model, position: int, column: Column) -> tuple[object, ...]:
    kind = column.type
    text_length = kind.length if kind.is_text and kind.length else None
    digits = kind.length if kind.name == "decimal" else _DIGITS.get(kind.name)
    scale = kind.scale if kind.name == "decimal" else 0 if digits else None
    return (
        "def", database, table, column.name, position, column.default, "YES" if column.nullable else "NO", kind.name,
        text_length, text_length, digits, scale, None, None, None, kind.short,
        _KEY_NAMES[model] if column.is_key else "",
        "auto_increment" if column.auto_increment else "", "", column.comment, text_length or digits, scale,
        column.generated, None,
    )  # fmt: skip


def schemata(session: Session) -> Listing:
    """information_schema.schemata."""
    found = sorted(session.seen_databases())
    return lists(
        "CATALOG_NAME SCHEMA_NAME DEFAULT_CHARACTER_SET_NAME DEFAULT_COLLATION_NAME SQL_PATH",
        [("def", name, "utf8", "utf8_general_ci", None) for name in found],
    )


def views(session: Session) -> Listing:
    """information_schema.views: logical views."""
    return lists(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE DEFINER SECURITY_TYPE "
        "CHARACTER_SET_CLIENT COLLATION_CONNECTION",
        [
            ("def", database.name, view.name, create_view_text(view), "NONE", "NO", "", "", "utf8", "utf8_general_ci")
            for database, view in _objects(session)
            if isinstance(view, View)
        ],
    )


def materialized_views(session: Session) -> Listing:
    """information_schema.materialized_views: asynchronous ones."""
    found = [(database, table) for database, table in _objects(session) if isinstance(table, Table)]
    rows: list[tuple[object, ...]] = [
        (
            table.id,
            database.name,
            table.name,
            "MANUAL",
            "false" if table.inactive_reason else "true",
            table.inactive_reason,
            "UNPARTITIONED",
            0,
            "",
            0,
            table.definition,
            "root",
        )
        for database, table in found
        if table.is_materialized_view
    ]
    named = lists(
        "MATERIALIZED_VIEW_ID TABLE_SCHEMA TABLE_NAME REFRESH_TYPE IS_ACTIVE INACTIVE_REASON PARTITION_TYPE "
        "TASK_ID TASK_NAME "
        "TABLE_ROWS MATERIALIZED_VIEW_DEFINITION CREATOR",
        rows,
    )
    unset = "LAST_REFRESH_START_TIME LAST_REFRESH_FINISHED_TIME LAST_REFRESH_DURATION LAST_REFRESH_STATE"
    return {**named, **{name: (lambda: [None] * len(rows)) for name in unset.split()}}
