"""PREPARE, EXECUTE and DEALLOCATE PREPARE in SQL: of queries only (t:63-66, R§11.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import tokenize
from starrocks_simulator.results import OK, Column, Result

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def prepare(session: Session, cursor: Cursor) -> Result:
    """PREPARE name FROM 'query'."""
    name = cursor.name()
    cursor.expect("FROM")
    text = cursor.string()
    cursor.end()
    if tokenize(text)[0].value not in {"SELECT", "WITH"}:
        raise analyzing("This command is not supported in the prepared statement protocol yet", 1295)
    session.prepared[name] = text
    return OK


def execute(session: Session, cursor: Cursor) -> Result:
    """EXECUTE name [USING @a, …]: no variable of a user has a value here, so every parameter is NULL."""
    name = cursor.name()
    cursor.rest()
    text = _find(session, name)
    marks = [lexeme.start for lexeme in tokenize(text) if lexeme.text == "?"]
    for at in reversed(marks):
        text = f"{text[:at]}NULL{text[at + 1 :]}"
    result = session.execute(text)[-1]
    columns = tuple(Column("?" if one.name == "NULL" else one.name, one.kind) for one in result.columns or ())
    return Result(columns, result.rows, result.affected)


def deallocate(session: Session, cursor: Cursor) -> Result:
    """DEALLOCATE PREPARE name."""
    name = cursor.name()
    cursor.end()
    _find(session, name)
    del session.prepared[name]
    return OK


def _find(session: Session, name: str) -> str:
    """The words are the simulator's own."""
    if name not in session.prepared:
        raise refused(f"prepared statement {name} does not exist")
    return session.prepared[name]


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("PREPARE",): prepare,
    ("EXECUTE",): execute,
    ("DEALLOCATE", "PREPARE"): deallocate,
}
