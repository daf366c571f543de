"""SELECT: run by DuckDB, headed as the server heads it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

import duckdb

from starrocks_simulator import plain_select
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import ServerError, analyzing, refused, syntax
from starrocks_simulator.handlers import Handler
from starrocks_simulator.headings import headings
from starrocks_simulator.lexer import line_and_column
from starrocks_simulator.results import Column, Kind, Result
from starrocks_simulator.translate import to_duckdb

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_KINDS: Final = {
    "BOOLEAN": Kind.BOOLEAN,
    "TINYINT": Kind.INT,
    "SMALLINT": Kind.INT,
    "INTEGER": Kind.INT,
    "BIGINT": Kind.BIGINT,
    "FLOAT": Kind.DOUBLE,
    "DOUBLE": Kind.DOUBLE,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.DATETIME,
    "DECIMAL": Kind.DECIMAL,
    "HUGEINT": Kind.BIGINT,
}
_AS_THEY_ARE: Final = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIMESTAMP",
        "DECIMAL",
        "VARCHAR",
    }
)
_UNRESOLVED: Final = re.compile(
    r'(?:Referenced column|column) "([^"]+)" not found|does not have a column named "([^"]+)"'
)


def select(session: Session, cursor: Cursor) -> Result:
    """SELECT …, WITH …, or the same in parentheses."""
    _refuse_locks(cursor)
    _refuse_qualified_star(cursor)
    plain = plain_select.answer(session, cursor)
    if plain is not None:
        return plain
    text = cursor.text.strip()
    answer = fetch(session, to_duckdb(session, text))
    named = headings(cursor.text, cursor.lexemes)
    found = answer.columns or ()
    if len(named) == len(found):
        columns = [Column(name or column.name, column.kind) for name, column in zip(named, found, strict=True)]
        return Result(tuple(columns), answer.rows, answer.affected)
    return answer


def _refuse_locks(cursor: Cursor) -> None:
    """The grammar has no FOR UPDATE (O2§y9)."""
    words = [lexeme.value for lexeme in cursor.lexemes[-3:-1]]
    if words == ["FOR", "UPDATE"]:
        place = line_and_column(cursor.text, cursor.lexemes[-2].start)
        raise syntax("No viable statement for input 'FOR UPDATE'", *place)


def _refuse_qualified_star(cursor: Cursor) -> None:
    """QUALIFY wants the columns by name (O2§y9); the second full stop is the server's."""
    if cursor.lexemes[1].text == "*" and any(lexeme.value == "QUALIFY" for lexeme in cursor.lexemes):
        raise syntax("Can't support result other than column.")


def fetch(session: Session, sql: str) -> Result:
    """Run a query of DuckDB's dialect; values come as the wire wants them."""
    try:
        found = session.frontend.rows.duckdb.execute(sql)
        described = [(str(name), str(kind)) for name, kind, *_ in found.description or []]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise server_error(error) from None
    # a hundred thousand rows of partitions_meta are handed on as they are
    if any(kind.partition("(")[0] not in _AS_THEY_ARE for _, kind in described):
        rows = [tuple(map(_value, row)) for row in rows]
    return Result(tuple(Column(name, _kind(kind)) for name, kind in described), rows, len(rows))


def server_error(error: duckdb.Error) -> ServerError:
    """DuckDB's complaint in the server's words, where they are known."""
    text = str(error)
    column = _UNRESOLVED.search(text)
    if column:
        return analyzing(f"Column '{column[1] or column[2]}' cannot be resolved")
    return refused(text.splitlines()[0])


def _kind(duckdb_type: str) -> Kind:
    return _KINDS.get(duckdb_type.partition("(")[0], Kind.STRING)


def _value(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (list, dict)):
        return str(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.replace(tzinfo=None)
    return value


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SELECT",): select,
    ("WITH",): select,
    ("(", "SELECT"): select,
}
