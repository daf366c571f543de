"""SET, and LOCK TABLES, which changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, syntax
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import Token
from starrocks_simulator.results import OK, Result
from starrocks_simulator.times import zone_of

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_BOOLEANS: Final = {"1": "true", "0": "false", "ON": "true", "OFF": "false", "TRUE": "true", "FALSE": "false"}


def set_variables(session: Session, cursor: Cursor) -> Result:
    """SET [GLOBAL|SESSION] name = value, …; SET NAMES, SET TRANSACTION."""
    if cursor.accept_any("NAMES", "CHARACTER", "CHARSET"):
        cursor.rest()
        return OK
    if cursor.accept("ROLE"):
        if cursor.accept_any("ALL", "NONE", "DEFAULT") is None:
            raise syntax("the simulator models no roles")
        cursor.end()
        return OK
    while True:
        _one(session, cursor)
        if not cursor.accept(","):
            break
    cursor.end()
    return OK


def _one(session: Session, cursor: Cursor) -> None:
    scope = cursor.accept_any("GLOBAL", "SESSION", "LOCAL")
    if cursor.accept("TRANSACTION"):
        # accepted and ignored: the isolation level stays (t:43 of the transcripts)
        cursor.rest()
        return
    lexeme = cursor.take()
    name = lexeme.text.lower()
    if lexeme.kind is Token.VARIABLE:
        if not name.startswith("@@"):
            cursor.rest()
            return
        prefix, _, name = name[2:].rpartition(".")
        scope = prefix.upper() or scope
    cursor.expect("=")
    negative = cursor.accept("-")
    value = cursor.take().value
    _assign(session, name, f"-{value}" if negative else value, is_global=scope == "GLOBAL")


def _assign(session: Session, name: str, value: str, *, is_global: bool) -> None:
    defaults = session.frontend.variables
    if name not in defaults:
        raise analyzing(f"Unknown system variable '{name}'", 1193)
    if value == "DEFAULT":
        value = defaults[name]
    if defaults[name] in {"true", "false"}:
        value = _BOOLEANS.get(value.upper(), value)
    if name == "time_zone":
        zone_of(value)
    (defaults if is_global else session.variables)[name] = value


def lock(session: Session, cursor: Cursor) -> Result:
    """LOCK TABLES t READ|WRITE, UNLOCK TABLES: nothing happens (R§11.9)."""
    del session
    cursor.rest()
    return OK


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SET",): set_variables,
    ("LOCK", "TABLES"): lock,
    ("UNLOCK", "TABLES"): lock,
}
