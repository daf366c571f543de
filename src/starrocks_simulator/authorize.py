"""Which privilege a statement asks for (R§9, O§s, O2§y11).

The server asks after its analyzer has seen that the things exist: a missing table is missing for everybody. BACKUP,
RESTORE and CANCEL ask for themselves, in between their own checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import ROOT, kind_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import ServerError
from starrocks_simulator.lexer import Token

if TYPE_CHECKING:
    from starrocks_simulator.catalog import Database, Table, View
    from starrocks_simulator.session import Session

_OPERATE: Final = ("OPERATE",)
_NODES: Final = ("OPERATE", "NODE")
_REPOSITORY: Final = ("REPOSITORY",)
_ON_SYSTEM: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("SHOW", "FRONTENDS"): _NODES,
    ("SHOW", "BACKENDS"): _NODES,
    ("SHOW", "COMPUTE", "NODES"): _NODES,
    ("SHOW", "PROC"): _OPERATE,
    ("ADMIN", "SHOW"): _OPERATE,
    ("ADMIN", "SET", "FRONTEND"): _OPERATE,
    ("SHOW", "SNAPSHOT"): _REPOSITORY,
    ("CREATE", "REPOSITORY"): _REPOSITORY,
    ("CREATE", "READ"): _REPOSITORY,
}
_ON_TABLE: Final[dict[tuple[str, ...], str]] = {
    ("SHOW", "CREATE", "TABLE"): "ANY",
    ("SHOW", "PARTITIONS", "FROM"): "ANY",
    ("SHOW", "TEMPORARY", "PARTITIONS", "FROM"): "ANY",
    ("SHOW", "COLUMNS", "FROM"): "ANY",
    ("SHOW", "FULL", "COLUMNS", "FROM"): "ANY",
    ("SHOW", "INDEX", "FROM"): "ANY",
    ("DESC",): "ANY",
    ("DESCRIBE",): "ANY",
    ("ALTER", "TABLE"): "ALTER",
    ("ALTER", "MATERIALIZED", "VIEW"): "ALTER",
    ("REFRESH", "MATERIALIZED", "VIEW"): "REFRESH",
    ("DROP", "TABLE"): "DROP",
    ("TRUNCATE", "TABLE"): "DELETE",
    ("INSERT", "INTO"): "INSERT",
    ("INSERT", "OVERWRITE"): "INSERT",
    ("UPDATE",): "UPDATE",
    ("DELETE", "FROM"): "DELETE",
}
_TABLES: Final = (("TABLE",), ("EXTERNAL", "TABLE"), ("TEMPORARY", "TABLE"))
_FILLERS: Final = (("IF", "EXISTS"), ("IF", "NOT", "EXISTS"))


def authorize(session: Session, cursor: Cursor) -> None:
    """Make sure that the session's user may carry out a statement; the cursor is left alone.

    Raises:
        ServerError: 5203.
    """
    if session.user == ROOT:
        return
    probe = Cursor(cursor.text, cursor.lexemes)
    accounts = session.frontend.accounts
    for words, privileges in _ON_SYSTEM.items():
        if probe.looking_at(*words):
            accounts.check(session.user, privileges, "SYSTEM")
    for words, privilege in _ON_TABLE.items():
        if probe.looking_at(*words):
            _check_table(session, Cursor(cursor.text, cursor.lexemes, len(words)), privilege)
    _check_database(session, probe)
    if probe.looking_at("SELECT") or probe.looking_at("WITH"):
        _check_reads(session, probe)


def _check_database(session: Session, probe: Cursor) -> None:
    accounts, user = session.frontend.accounts, session.user
    if probe.accept("CREATE", "DATABASE"):
        accounts.check(user, ("CREATE DATABASE",), "CATALOG")
    elif probe.accept("DROP", "DATABASE"):
        database = session.frontend.catalog.databases.get(_names(probe)[1])
        if database is not None:
            accounts.check(user, ("DROP",), "DATABASE", database)
    elif any(probe.accept("CREATE", *words) for words in _TABLES):
        database = _database(session, _names(probe)[0])
        if database is not None:
            accounts.check(user, ("CREATE TABLE",), "DATABASE", database)


def _check_table(session: Session, probe: Cursor, privilege: str) -> None:
    database_name, name = _names(probe)
    database = _database(session, database_name)
    table = database.tables.get(name) if database else None
    if table is not None:
        session.frontend.accounts.check(session.user, (privilege,), kind_of(table), database, table)


def _check_reads(session: Session, probe: Cursor) -> None:
    """SELECT on every table behind FROM, JOIN or a comma between two of them."""
    for database, table in _read_tables(session, probe):
        session.frontend.accounts.check(session.user, ("SELECT",), kind_of(table), database, table)


def _read_tables(session: Session, probe: Cursor) -> list[tuple[Database, Table | View]]:
    found = []
    while probe.next.kind is not Token.END:
        if probe.take().value not in {"FROM", "JOIN"} or probe.next.kind not in {Token.WORD, Token.QUOTED}:
            continue
        database_name, name = _names(probe)
        database = _database(session, database_name)
        table = database.tables.get(name) if database else None
        if database is not None and table is not None:
            found.append((database, table))
    return found


def _names(probe: Cursor) -> tuple[str | None, str]:
    for words in _FILLERS:
        probe.accept(*words)
    try:
        return probe.qualified()
    except ServerError:
        return None, ""


def _database(session: Session, name: str | None) -> Database | None:
    return session.frontend.catalog.databases.get(name or session.database or "")
