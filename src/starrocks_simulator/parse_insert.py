"""INSERT: text to target, columns and source."""

from __future__ import annotations

from attrs import frozen

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.lexer import Lexeme, Token

Cell = tuple[Lexeme, ...]
"""The tokens of one value in VALUES."""


@frozen
class Insert:
    """An INSERT as written.

    Attributes:
        overwrite: INSERT OVERWRITE instead of INTO.
        database: Of the table; None = the current one.
        table: Its name.
        partitions: Named ones; None = the whole table.
        temp: Whether they are temporary.
        label: WITH LABEL; None without.
        columns: Named ones; None = all.
        rows: Of VALUES; None if the source is a query.
        query: Text of the query; "" for VALUES.
    """

    overwrite: bool
    database: str | None
    table: str
    partitions: list[str] | None
    temp: bool
    label: str | None
    columns: list[str] | None
    rows: list[list[Cell]] | None
    query: str


def insert(cursor: Cursor) -> Insert:
    """Step over everything behind INSERT."""
    overwrite = cursor.accept("OVERWRITE")
    if not overwrite:
        cursor.expect("INTO")
    cursor.accept("TABLE")
    database, table = cursor.qualified()
    temp = cursor.accept("TEMPORARY")
    partitions = _partitions(cursor) if cursor.accept_any("PARTITION", "PARTITIONS") else None
    label = cursor.name() if cursor.accept("WITH", "LABEL") else None
    columns = None
    if cursor.looking_at("(") and not (cursor.looking_at("(", "SELECT") or cursor.looking_at("(", "WITH")):
        columns = cursor.names()
        label = cursor.name() if cursor.accept("WITH", "LABEL") else label
    if cursor.accept("VALUES"):
        rows, query = _rows(cursor), ""
        cursor.end()
    else:
        rows, query = None, cursor.rest()
    return Insert(overwrite, database, table, partitions, temp, label, columns, rows, query)


def _partitions(cursor: Cursor) -> list[str]:
    """`(p, …)`, or one name without parentheses."""
    return cursor.names() if cursor.looking_at("(") else [cursor.name_or_string()]


def _rows(cursor: Cursor) -> list[list[Cell]]:
    rows = [_row(cursor)]
    while cursor.accept(","):
        rows.append(_row(cursor))
    return rows


def _row(cursor: Cursor) -> list[Cell]:
    cursor.expect("(")
    cells, lexemes, at, depth = [], cursor.lexemes, cursor.at, 0
    first = at
    while True:
        lexeme = lexemes[at]
        if lexeme.kind is Token.END:
            cursor.at = at
            cursor.fail("')'")
        if lexeme.kind is Token.SYMBOL:
            if depth == 0 and lexeme.text in {",", ")"}:
                cells.append(tuple(lexemes[first:at]))
                first = at + 1
                if lexeme.text == ")":
                    cursor.at = at + 1
                    return cells
            depth += (lexeme.text == "(") - (lexeme.text == ")")
        at += 1
