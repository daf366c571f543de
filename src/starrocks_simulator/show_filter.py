"""LIKE, WHERE, ORDER BY and LIMIT behind SHOW statements."""

from __future__ import annotations

import re
from typing import Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.results import Result, strings

Row = tuple[object, ...]
_OPERATORS: Final = ("=", "!=", ">=", "<=", ">", "<")


def like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression, without regard to case."""
    parts = [".*" if one == "%" else "." if one == "_" else re.escape(one) for one in pattern]
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def shown(cursor: Cursor, names: tuple[str, ...], rows: list[Row], like_column: int = 0) -> Result:
    """A SHOW's result set, cut down as the rest of the statement says.

    Args:
        cursor: Stands behind the SHOW's own words.
        names: Of the columns.
        rows: All of them.
        like_column: The column that LIKE looks at.
    """
    if cursor.accept("LIKE"):
        pattern = like(cursor.string())
        rows = [row for row in rows if pattern.fullmatch(str(row[like_column]))]
    if cursor.accept("WHERE"):
        rows = _where(cursor, names, rows)
    if cursor.accept("ORDER", "BY"):
        rows = _ordered(cursor, names, rows)
    if cursor.accept("LIMIT"):
        rows = _limited(cursor, rows)
    cursor.end()
    return strings(names, rows)


def _limited(cursor: Cursor, rows: list[Row]) -> list[Row]:
    """`LIMIT n`, `LIMIT n OFFSET m`, `LIMIT m, n`."""
    first = cursor.integer()
    if cursor.accept("OFFSET"):
        return rows[cursor.integer() :][:first]
    return rows[first:][: cursor.integer()] if cursor.accept(",") else rows[:first]


def _column(cursor: Cursor, names: tuple[str, ...]) -> int:
    name = cursor.name().lower()
    found = [at for at, one in enumerate(names) if one.lower() == name]
    if not found:
        cursor.fail(", ".join(names))
    return found[0]


def _where(cursor: Cursor, names: tuple[str, ...], rows: list[Row]) -> list[Row]:
    while True:
        at = _column(cursor, names)
        rows = _condition(cursor, at, rows)
        if not cursor.accept("AND"):
            return rows


def _condition(cursor: Cursor, at: int, rows: list[Row]) -> list[Row]:
    if cursor.accept("LIKE"):
        pattern = like(cursor.string())
        return [row for row in rows if pattern.fullmatch(str(row[at]))]
    if cursor.accept("IN"):
        wanted = set(cursor.names())
        return [row for row in rows if str(row[at]) in wanted]
    operator = cursor.accept_any(*_OPERATORS)
    if operator is None:
        cursor.fail(", ".join(_OPERATORS))
    value = cursor.take().value
    return [row for row in rows if _holds(operator, row[at], value)]


def _holds(operator: str, left: object, right: str) -> bool:
    shown_left = "" if left is None else str(left)
    if operator in {"=", "!="}:
        return (shown_left == right) == (operator == "=")
    pair = (int(shown_left), int(right)) if shown_left.isdigit() and right.isdigit() else (shown_left, right)
    if operator == ">":
        return pair[0] > pair[1]  # type: ignore[operator]
    if operator == "<":
        return pair[0] < pair[1]  # type: ignore[operator]
    return pair[0] >= pair[1] if operator == ">=" else pair[0] <= pair[1]  # type: ignore[operator]


def _ordered(cursor: Cursor, names: tuple[str, ...], rows: list[Row]) -> list[Row]:
    keys = []
    while True:
        at = _column(cursor, names)
        keys.append((at, cursor.accept_any("ASC", "DESC") == "DESC"))
        if not cursor.accept(","):
            break
    for at, descending in reversed(keys):
        rows = sorted(rows, key=lambda row: _sort_key(row[at]), reverse=descending)
    return rows


def _sort_key(value: object) -> tuple[int, int, str]:
    text = "" if value is None else str(value)
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
