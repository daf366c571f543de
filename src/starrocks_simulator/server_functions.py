"""Functions and variables whose value only the server knows: replaced by literals before a query is translated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from starrocks_simulator.errors import analyzing
from starrocks_simulator.lexer import Lexeme, Token, tokenize
from starrocks_simulator.times import naive
from starrocks_simulator.variables import MYSQL_VERSION, VERSION

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def _moment(session: Session, zone: dt.tzinfo) -> str:
    # whole seconds: NOW() without precision (R§10)
    return f"CAST('{naive(int(session.frontend.now()), zone).isoformat(sep=' ')}' AS DATETIME)"


def _precise(session: Session, digits: str) -> str:
    moment = naive(session.frontend.now(), session.zone).isoformat(sep=" ", timespec="microseconds")
    return f"CAST('{moment[: 20 + int(digits)] if int(digits) else moment[:19]}' AS DATETIME)"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _now(session: Session) -> str:
    return _moment(session, session.zone)


def _utc(session: Session) -> str:
    return _moment(session, dt.UTC)


def _epoch(session: Session) -> str:
    return str(int(session.frontend.now()))


def _connection(session: Session) -> str:
    return str(session.connection_id)


def _date(session: Session) -> str:
    return f"CAST('{naive(session.frontend.now(), session.zone).date().isoformat()}' AS DATE)"


def _database(session: Session) -> str:
    return _text(session.database or "")


def _user(session: Session) -> str:
    return _text(session.user)


_FUNCTIONS: Final[dict[str, Callable[[Session], str]]] = {
    "NOW": _now,
    "CURRENT_TIMESTAMP": _now,
    "LOCALTIME": _now,
    "LOCALTIMESTAMP": _now,
    "UTC_TIMESTAMP": _utc,
    "CURDATE": _date,
    "CURRENT_DATE": _date,
    "UNIX_TIMESTAMP": _epoch,
    "VERSION": lambda _: _text(MYSQL_VERSION),
    "CURRENT_VERSION": lambda _: _text(VERSION),
    "DATABASE": _database,
    "SCHEMA": _database,
    "USER": _user,
    "SESSION_USER": _user,
    "CURRENT_USER": _user,
    "CURRENT_ROLE": _user,
    "CATALOG": lambda _: _text("default_catalog"),
    "CONNECTION_ID": _connection,
    "LAST_INSERT_ID": lambda _: "0",
}
_BARE: Final = frozenset({"CURRENT_TIMESTAMP", "CURRENT_DATE", "LOCALTIME", "LOCALTIMESTAMP"})
SHOUTED: Final = frozenset({"CONNECTION_ID", "CURRENT_USER", "USER", "DATABASE", "SCHEMA", "CURRENT_ROLE", "CATALOG"})
"""Functions whose column the server heads in capitals (t:18 of the transcripts)."""


def substitute(session: Session, text: str) -> str:
    """The text with NOW(), DATABASE(), @@variables and the like replaced by their values.

    Raises:
        ServerError: An unknown variable.
    """
    pieces, done = [], 0
    lexemes = tokenize(text)
    for index, lexeme in enumerate(lexemes):
        if lexeme.start < done:
            continue
        found = _variable(session, lexeme) or _call(session, lexemes, index)
        if found is not None:
            value, end = found
            pieces += [text[done : lexeme.start], value]
            done = end
    return "".join(pieces) + text[done:]


def _variable(session: Session, lexeme: Lexeme) -> tuple[str, int] | None:
    if lexeme.kind is not Token.VARIABLE:
        return None
    if not lexeme.text.startswith("@@"):
        return "NULL", lexeme.end
    name = lexeme.text[2:].lower()
    scope, _, bare = name.rpartition(".")
    among = session.frontend.variables if scope == "global" else session.variables
    if bare not in among:
        raise analyzing(f"Unknown system variable '{bare}'", 1193)
    return variable_literal(among[bare]), lexeme.end


def variable_literal(value: str) -> str:
    """A variable's value as SELECT @@name gives it: numbers and booleans as numbers (t:14)."""
    if value in {"true", "false"}:
        return "1" if value == "true" else "0"
    return value if value.isdigit() else _text(value)


def _call(session: Session, lexemes: list[Lexeme], index: int) -> tuple[str, int] | None:
    name = lexemes[index]
    if name.kind is not Token.WORD or name.value not in _FUNCTIONS or _is_member(lexemes, index):
        return None
    rest = [lexeme.text for lexeme in lexemes[index + 1 : index + 4]]
    if rest[:2] == ["(", ")"]:
        return _FUNCTIONS[name.value](session), lexemes[index + 2].end
    if rest[:1] == ["("] and rest[2:] == [")"] and rest[1].isdigit() and name.value in {"NOW", "CURRENT_TIMESTAMP"}:
        return _precise(session, rest[1]), lexemes[index + 3].end
    if name.value in _BARE and rest[:1] != ["("]:
        return _FUNCTIONS[name.value](session), name.end
    return None


def _is_member(lexemes: list[Lexeme], index: int) -> bool:
    return index > 0 and lexemes[index - 1].text == "."
