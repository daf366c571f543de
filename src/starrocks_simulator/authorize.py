"""Which privilege a statement asks for (R§9, O§s, O2§y11; what is not observed is documented).

The server asks after its analyzer has seen that the things exist: a missing table is missing for everybody. BACKUP,
RESTORE and CANCEL ask for themselves, in between their own checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import ROOT, denied, kind_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import ServerError
from starrocks_simulator.lexer import Token

if TYPE_CHECKING:
    from starrocks_simulator.catalog import Database, Table, View
    from starrocks_simulator.session import Session

_OPERATE: Final = ("OPERATE",)
_NODES: Final = ("OPERATE", "NODE")
_REPOSITORY: Final = ("REPOSITORY",)
_GRANT: Final = ("GRANT",)
_ON_SYSTEM: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("SHOW", "FRONTENDS"): _NODES,
    ("SHOW", "BACKENDS"): _NODES,
    ("SHOW", "COMPUTE", "NODES"): _NODES,
    ("SHOW", "PROC"): _OPERATE,
    ("ADMIN", "SHOW"): _OPERATE,
    ("ADMIN", "SET", "FRONTEND"): _OPERATE,
    ("ADMIN", "SET", "REPLICA"): _OPERATE,
    ("ALTER", "SYSTEM"): ("NODE",),
    ("SET", "GLOBAL"): _OPERATE,
    ("CREATE", "USER"): _GRANT,
    ("DROP", "USER"): _GRANT,
    ("CREATE", "ROLE"): _GRANT,
    ("DROP", "ROLE"): _GRANT,
    ("SHOW", "ROLES"): _GRANT,
    ("SHOW", "USERS"): _GRANT,
    ("SHOW", "SNAPSHOT"): _REPOSITORY,
    ("CREATE", "REPOSITORY"): _REPOSITORY,
    ("CREATE", "READ"): _REPOSITORY,
}
_VIEW: Final = "VIEW"
_MATERIALIZED: Final = "MATERIALIZED VIEW"
_KINDS: Final = ("TABLE", _VIEW, _MATERIALIZED)
_ON_TABLE: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    ("SHOW", "CREATE", "TABLE"): ("ANY", _KINDS),
    ("SHOW", "CREATE", "VIEW"): ("ANY", _KINDS),
    ("SHOW", "PARTITIONS", "FROM"): ("ANY", _KINDS[:1]),
    ("SHOW", "TEMPORARY", "PARTITIONS", "FROM"): ("ANY", _KINDS[:1]),
    ("SHOW", "COLUMNS", "FROM"): ("ANY", _KINDS[:1]),
    ("SHOW", "FULL", "COLUMNS", "FROM"): ("ANY", _KINDS[:1]),
    ("SHOW", "INDEX", "FROM"): ("ANY", _KINDS[:1]),
    ("DESC",): ("ANY", _KINDS[:1]),
    ("DESCRIBE",): ("ANY", _KINDS[:1]),
    ("ALTER", "TABLE"): ("ALTER", _KINDS[:1]),
    ("ALTER", "VIEW"): ("ALTER", (_VIEW,)),
    ("ALTER", "MATERIALIZED", "VIEW"): ("ALTER", (_MATERIALIZED,)),
    ("REFRESH", "MATERIALIZED", "VIEW"): ("REFRESH", (_MATERIALIZED,)),
    ("DROP", "TABLE"): ("DROP", _KINDS[:1]),
    ("DROP", "VIEW"): ("DROP", (_VIEW,)),
    ("DROP", "MATERIALIZED", "VIEW"): ("DROP", (_MATERIALIZED,)),
    ("TRUNCATE", "TABLE"): ("DELETE", _KINDS[:1]),
    ("INSERT", "INTO"): ("INSERT", _KINDS[:1]),
    ("INSERT", "OVERWRITE"): ("INSERT", _KINDS[:1]),
    ("UPDATE",): ("UPDATE", _KINDS[:1]),
    ("DELETE", "FROM"): ("DELETE", _KINDS[:1]),
}
"""Privilege, and the kinds of things that are asked about: of the others the server finds no such table and lets go."""

_ON_DATABASE: Final[dict[tuple[str, ...], str]] = {
    ("CREATE", "TABLE"): "CREATE TABLE",
    ("CREATE", "EXTERNAL", "TABLE"): "CREATE TABLE",
    ("CREATE", "TEMPORARY", "TABLE"): "CREATE TABLE",
    ("RECOVER", "TABLE"): "CREATE TABLE",
    ("CREATE", "VIEW"): "CREATE VIEW",
    ("CREATE", "OR", "REPLACE", "VIEW"): "CREATE VIEW",
    ("CREATE", "MATERIALIZED", "VIEW"): "CREATE MATERIALIZED VIEW",
}
"""Privilege on the database that the name behind the keywords begins with, or on the current one."""

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
    for words, (privilege, kinds) in _ON_TABLE.items():
        if probe.looking_at(*words):
            _check_table(session, Cursor(cursor.text, cursor.lexemes, len(words)), privilege, kinds)
    _check_database(session, probe)
    if probe.looking_at("SELECT") or probe.looking_at("WITH") or probe.looking_at("CREATE"):
        _check_reads(session, probe)


def _check_database(session: Session, probe: Cursor) -> None:
    accounts, user = session.frontend.accounts, session.user
    for words, privilege in _ON_DATABASE.items():
        if probe.looking_at(*words):
            named = Cursor(probe.text, probe.lexemes, len(words))
            _check_in(session, privilege, _names(named)[0] or session.database)
    if probe.looking_at("CREATE", "DATABASE") or probe.looking_at("RECOVER", "DATABASE"):
        accounts.check(user, ("CREATE DATABASE",), "CATALOG")
    for verb in ("DROP", "ALTER"):
        if probe.looking_at(verb, "DATABASE"):
            _check_in(session, verb, _names(Cursor(probe.text, probe.lexemes, 2))[1])
    if probe.looking_at("RECOVER", "PARTITION"):
        for privilege in ("INSERT", "ALTER"):
            _check_table(session, Cursor(probe.text, probe.lexemes, 4), privilege, _KINDS[:1])


def _check_in(session: Session, privilege: str, name: str | None) -> None:
    database = session.frontend.catalog.databases.get(name or "")
    if database is not None:
        session.frontend.accounts.check(session.user, (privilege,), "DATABASE", database)


def _check_table(session: Session, probe: Cursor, privilege: str, kinds: tuple[str, ...]) -> None:
    database_name, name = _names(probe)
    database = _database(session, database_name)
    table = database.tables.get(name) if database else None
    if database is None or table is None or kind_of(table) not in kinds:
        return
    if not session.frontend.accounts.may(session.user, (privilege,), kind_of(table), database, table):
        raise denied(privilege, f"{kinds[0]} {table.name}")


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
