"""Explicit transactions: INSERTs are held until COMMIT, ROLLBACK forgets them (O§0.12, O§t, R§11.3)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.dml import Explained
from starrocks_simulator.errors import ServerError
from starrocks_simulator.handlers import Handler
from starrocks_simulator.parse_insert import insert as parse_insert
from starrocks_simulator.results import OK, Result

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_ALLOWED: Final = frozenset({"INSERT", "COMMIT", "ROLLBACK", "BEGIN", "START"})


def check_allowed(cursor: Cursor) -> None:
    """Refuse what an explicit transaction may not hold: anything but INSERT INTO."""
    if cursor.next.value not in _ALLOWED or cursor.looking_at("INSERT", "OVERWRITE"):
        raise ServerError(5305, "25P01", "Explicit transaction only support insert statement")


def hold(session: Session, cursor: Cursor, handler: Handler) -> Result:
    """Look at an INSERT and keep it for COMMIT; one for each table."""
    written = parse_insert(Cursor(cursor.text, cursor.lexemes, cursor.at))
    target = (written.database or session.database or "", written.table)
    if target in session.held:
        raise ServerError(
            5303,
            "25P01",
            "NOT allowed to read or write tables that have been subjected to DML operations before",
        )
    session.explaining = True
    try:
        handler(session, cursor)
    except Explained as explained:
        session.held[target] = cursor.text
        label = written.label or f"insert_{uuid.uuid4()}"
        return Result(affected=explained.count, info=f"{{'label':'{label}', 'status':'PREPARE', 'txnId':'0'}}")
    finally:
        session.explaining = False
    raise AssertionError("an INSERT that is looked at does not return")


def begin(session: Session, cursor: Cursor) -> Result:
    """BEGIN | START TRANSACTION: from here until COMMIT or ROLLBACK only INSERT."""
    cursor.accept("WORK")
    cursor.end()
    session.in_transaction = True
    return OK


def commit(session: Session, cursor: Cursor) -> Result:
    """COMMIT: without BEGIN it does nothing (R§11.2)."""
    cursor.accept("WORK")
    cursor.end()
    held = list(session.held.values())
    _end(session)
    for text in held:
        session.execute(text)
    return OK


def rollback(session: Session, cursor: Cursor) -> Result:
    """ROLLBACK: without BEGIN it does nothing, whatever was loaded before (t:9, R§11.2)."""
    cursor.accept("WORK")
    cursor.end()
    _end(session)
    return OK


def _end(session: Session) -> None:
    session.in_transaction = False
    session.held.clear()


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("BEGIN",): begin,
    ("START", "TRANSACTION"): begin,
    ("COMMIT",): commit,
    ("ROLLBACK",): rollback,
}
