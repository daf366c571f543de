"""The queries that clients send most, answered without the engine: it would take longer to plan them than to run them.

SELECT NOW()
SELECT VERSION() | DATABASE() | @@name | …
SELECT name, … FROM information_schema.name [WHERE name = 'text' | name IN ('text', …) [AND …]]
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from attrs import frozen

from starrocks_simulator.headings import headings
from starrocks_simulator.information_schema import SOURCES, Values
from starrocks_simulator.lexer import Lexeme, Token, tokenize
from starrocks_simulator.results import Column, Kind, Result
from starrocks_simulator.server_functions import substitute
from starrocks_simulator.system_tables import SYSTEM_TABLES, SystemColumn
from starrocks_simulator.times import naive

if TYPE_CHECKING:
    from starrocks_simulator.cursor import Cursor
    from starrocks_simulator.session import Session

_NOW: Final = ["SELECT", "NOW", "(", ")", "<EOF>"]
_DIGITS_OF_INT: Final = 9
_KINDS: Final[Mapping[str, tuple[Kind, Callable[[object], object]]]] = {
    "VARCHAR": (Kind.STRING, str),
    "TINYINT": (Kind.INT, lambda value: int(str(value))),
    "INTEGER": (Kind.INT, lambda value: int(str(value))),
    "BIGINT": (Kind.BIGINT, lambda value: int(str(value))),
    "DOUBLE": (Kind.DOUBLE, lambda value: float(str(value))),
    "TIMESTAMP": (Kind.DATETIME, lambda value: dt.datetime.fromisoformat(str(value))),
}


@frozen
class _Query:
    """A query of one system table.

    Attributes:
        table: Its name, in lower case.
        shown: Each column with its heading.
        conditions: Columns, each with the texts that are wanted.
    """

    table: str
    shown: list[tuple[str, SystemColumn]]
    conditions: list[tuple[SystemColumn, frozenset[str]]]


class _Other(Exception):
    """It is no such query."""


def answer(session: Session, cursor: Cursor) -> Result | None:
    """What the query gives; None if it is another kind of query, or one that fails."""
    if [lexeme.value for lexeme in cursor.lexemes] == _NOW:
        moment = naive(int(session.frontend.now()), session.zone)
        return Result((Column("now()", Kind.DATETIME),), [(moment,)], 1)
    return _literal(session, cursor) or _of_system_table(session, cursor)


def _literal(session: Session, cursor: Cursor) -> Result | None:
    """One function or variable whose value the server knows: what a driver asks for when it connects."""
    match cursor.lexemes[1:-1]:
        case [Lexeme(kind=Token.VARIABLE)] | [Lexeme(kind=Token.WORD), Lexeme(text="("), Lexeme(text=")")]:
            found = tokenize(substitute(session, cursor.text))[1:-1]
        case _:
            return None
    value: object
    match found:
        case [Lexeme(kind=Token.STRING, text=text, value=value)] if "\\" not in text:
            kind = Kind.STRING
        case [Lexeme(kind=Token.NUMBER, text=text)] if text.isdigit() and len(text) <= _DIGITS_OF_INT:
            value, kind = int(text), Kind.INT
        case _:
            return None
    return Result((Column(headings(cursor.text, cursor.lexemes)[0], kind),), [(value,)], 1)


def _of_system_table(session: Session, cursor: Cursor) -> Result | None:
    try:
        query = _Reader(cursor.lexemes).query()
    except _Other:
        return None
    try:
        return _fetch(session, query)
    except ValueError:  # a moment behind the year 9999
        return None


class _Reader:
    """Reads a query token by token."""

    def __init__(self, lexemes: list[Lexeme]) -> None:
        self._lexemes = lexemes
        self._at = 1  # behind SELECT

    def query(self) -> _Query:
        names = self._list(self._name)
        self._expect("FROM", "INFORMATION_SCHEMA", ".")
        table = self._name().lower()
        if table not in SOURCES:
            raise _Other
        known = {column.name: column for column in SYSTEM_TABLES[table]}
        conditions: list[tuple[SystemColumn, frozenset[str]]] = []
        while not self._accept("<EOF>"):
            self._expect("AND" if conditions else "WHERE")
            conditions.append((_known(known, self._name()), self._wanted()))
        return _Query(table, [(name, _known(known, name)) for name in names], conditions)

    def _wanted(self) -> frozenset[str]:
        if self._accept("="):
            return frozenset({self._text()})
        self._expect("IN", "(")
        texts = self._list(self._text)
        self._expect(")")
        return frozenset(texts)

    def _list(self, item: Callable[[], str]) -> list[str]:
        found = [item()]
        while self._accept(","):
            found.append(item())
        return found

    def _take(self, kind: Token) -> Lexeme:
        lexeme = self._lexemes[min(self._at, len(self._lexemes) - 1)]
        self._at += 1
        if lexeme.kind is not kind:
            raise _Other
        return lexeme

    def _name(self) -> str:
        return self._take(Token.WORD).text

    def _text(self) -> str:
        return self._take(Token.STRING).value

    def _accept(self, word: str) -> bool:
        found = self._at < len(self._lexemes) and self._lexemes[self._at].value == word
        self._at += found
        return found

    def _expect(self, *words: str) -> None:
        for word in words:
            if not self._accept(word):
                raise _Other


def _known(columns: Mapping[str, SystemColumn], name: str) -> SystemColumn:
    if name.upper() not in columns:
        raise _Other
    return columns[name.upper()]


def _fetch(session: Session, query: _Query) -> Result | None:
    source = SOURCES[query.table](session)
    names = {column.name for _, column in query.shown} | {column.name for column, _ in query.conditions}
    listed: dict[str, Values] = {name: source[name]() for name in names if name in source}
    if not listed or any(column.duckdb != "VARCHAR" for column, _ in query.conditions):
        return None
    chosen = list(range(len(next(iter(listed.values())))))
    for column, wanted in query.conditions:
        values = listed.get(column.name)
        chosen = [] if values is None else [at for at in chosen if values[at] is not None and str(values[at]) in wanted]
    read = [_read(column, listed.get(column.name), chosen) for _, column in query.shown]
    columns = tuple(Column(heading, _KINDS[column.duckdb][0]) for heading, column in query.shown)
    return Result(columns, list(zip(*read, strict=True)), len(chosen))


def _read(column: SystemColumn, values: Values | None, chosen: list[int]) -> list[object]:
    if values is None:
        return [None] * len(chosen)
    convert = _KINDS[column.duckdb][1]
    known: dict[object, object] = {None: None}
    found = []
    for at in chosen:
        value = values[at]
        if value not in known:
            known[value] = convert(value)
        found.append(known[value])
    return found
