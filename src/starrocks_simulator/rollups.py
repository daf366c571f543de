"""Columns of rollups and synchronous materialized views, as DESC … ALL and SHOW PROC show them (y4)."""

from __future__ import annotations

import zlib
from typing import Final

from attrs import evolve
from sqlglot import exp

from starrocks_simulator.catalog import Column, Model, Table
from starrocks_simulator.column_types import Type
from starrocks_simulator.errors import refused

_SHORT_KEYS: Final = 3
_SHORT_KEY_BYTES: Final = 36
_BYTES: Final = {"boolean": 1, "tinyint": 1, "smallint": 2, "int": 4, "float": 4, "bigint": 8, "double": 8}
_WIDE: Final = 16
_IMPLICIT: Final = "NONE"
"""How the values of a DUPLICATE KEY table are aggregated."""


def rollup_columns(table: Table, names: list[str]) -> list[Column]:
    """Copies of a table's columns in a rollup; of a DUPLICATE KEY table the first ones become keys.

    Raises:
        ServerError: The table has no such column.
    """
    found = [_existing(table, name) for name in names]
    if table.model is not Model.DUPLICATE:
        return [evolve(one) for one in found]
    keys = _keys(found)
    return [
        evolve(one, is_key=number < keys, aggregation="" if one.is_key else _IMPLICIT)
        for number, one in enumerate(found)
    ]


def view_columns(table: Table, query: exp.Select, described: list[Column]) -> tuple[Model, list[Column]]:
    """The model and the columns of a synchronous view.

    Args:
        table: What it belongs to.
        query: `SELECT … FROM table [GROUP BY …]`.
        described: Names and types of the query's columns.
    """
    aggregates = [one.find(exp.AggFunc) for one in query.expressions]
    columns = [
        _grouped(table, one) if function is None else _aggregated(expression, function, one)
        for expression, function, one in zip(query.expressions, aggregates, described, strict=True)
    ]
    if any(aggregates):
        return Model.AGGREGATE, columns
    keys = _keys(columns)
    for number, column in enumerate(columns):
        column.is_key = number < keys
        column.aggregation = "" if column.is_key else _IMPLICIT
    return table.model, columns


def hash_of(columns: list[Column]) -> int:
    """A number that is the same for the same columns, as SchemaHash is (y4)."""
    return zlib.crc32(repr(columns).encode()) % 2**31


def short_keys(columns: list[Column]) -> int:
    """How many of the key columns the short key holds: up to three, 36 bytes, one text and no number with a point."""
    size = count = 0
    for column in columns[:_SHORT_KEYS]:
        size += _bytes(column.type)
        if not column.is_key or column.type.name in {"float", "double", "json"}:
            break
        if column.type.name == "varchar":
            return count + 1
        if size > _SHORT_KEY_BYTES:
            break
        count += 1
    return max(count, 1)


def _existing(table: Table, name: str) -> Column:
    found = table.find_column(name)
    if found is None:
        raise refused(f"Column[{name}] does not exist")
    return found


def _keys(columns: list[Column]) -> int:
    size = 0
    for number, column in enumerate(columns):
        size += _bytes(column.type)
        if number >= _SHORT_KEYS and size >= _SHORT_KEY_BYTES:
            return number
    return len(columns)


def _bytes(column_type: Type) -> int:
    return column_type.length if column_type.is_text else _BYTES.get(column_type.name, _WIDE)


def _grouped(table: Table, described: Column) -> Column:
    base = table.find_column(described.name)
    return evolve(described if base is None else base, is_key=True, aggregation="")


def _aggregated(expression: exp.Expression, function: exp.AggFunc, described: Column) -> Column:
    kind = function.key
    column = function.find(exp.Column)
    name = expression.alias or f"mv_{kind}_{column.name if column is not None else ''}"
    return evolve(described, name=name, is_key=False, aggregation="SUM" if kind == "count" else kind.upper())
