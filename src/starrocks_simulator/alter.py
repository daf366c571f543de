"""ALTER TABLE and ALTER DATABASE: which clause is meant, and what may be altered at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator import alter_columns, alter_indexes, alter_names, alter_partitions, alter_properties
from starrocks_simulator.alter_target import Clause, Target
from starrocks_simulator.catalog import Table, TableState
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.ddl import check_normal, find_table, forget_temp_partitions
from starrocks_simulator.errors import analyzing, refused, unknown_database
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import Token
from starrocks_simulator.parse_table import index_tail
from starrocks_simulator.results import OK, Result

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_CLAUSES: Final[dict[tuple[str, ...], Clause]] = {
    **alter_names.CLAUSES,
    **alter_partitions.CLAUSES,
    **alter_columns.CLAUSES,
    **alter_indexes.CLAUSES,
    **alter_properties.CLAUSES,
}
_LONGEST: Final = max(map(len, _CLAUSES))
_BUSY_WITH: Final = {
    "COLUMN": (TableState.SCHEMA_CHANGE, "SCHEMA_CHANGE/WAITING_STABLE"),
    "ROLLUP": (TableState.ROLLUP, "ROLLUP"),
    "OPTIMIZE": (TableState.OPTIMIZE, "OPTIMIZE"),
}
"""What CANCEL ALTER ends: the state that the table has to be in, and as a refusal names it."""


def alter_table(session: Session, cursor: Cursor) -> Result:
    """ALTER TABLE [db.]t clause, …."""
    database_name, name = cursor.qualified()
    _check_clauses(cursor)
    clauses = [_clause(cursor)]
    _check_database(session, database_name)
    table = find_table(session, database_name, name)
    target = Target(session, session.find_database(database_name), table)
    check_alterable(table)
    clauses[0](target, cursor)
    while cursor.accept(","):
        _clause(cursor)(target, cursor)
    cursor.end()
    return OK


def _check_clauses(cursor: Cursor) -> None:
    """Make sure that each part between commas begins as a clause does, before the first one has an effect."""
    if cursor.lexemes[cursor.at + 1].value == "ROLLUP":
        return  # ADD and DROP ROLLUP take several names
    probe, depth = Cursor(cursor.text, cursor.lexemes, cursor.at), 0
    while probe.next.kind is not Token.END:
        lexeme = probe.take()
        if lexeme.kind is Token.SYMBOL:
            depth += (lexeme.text in {"(", "["}) - (lexeme.text in {")", "]"})
            if lexeme.text == "," and depth == 0:
                _clause(probe)


def _check_database(session: Session, name: str | None) -> None:
    """ALTER has its own words for an unknown database (y11:83 of the transcripts)."""
    if name is not None and name not in session.frontend.catalog.databases:
        raise analyzing(f"Database default_catalog.{name} is not found")


def check_alterable(table: Table) -> None:
    """Refuse a change of a table that something else is changing."""
    check_normal(table)
    if table.state is not TableState.NORMAL:
        raise refused(f"Table's state({table.state.value}) is not NORMAL. Do not allow doing ALTER ops")


def _clause(cursor: Cursor) -> Clause:
    for length in range(_LONGEST, 0, -1):
        words = tuple(lexeme.value for lexeme in cursor.lexemes[cursor.at : cursor.at + length])
        if words in _CLAUSES:
            cursor.at += length
            return _CLAUSES[words]
    raise cursor.error(", ".join(sorted({f"'{words[0]}'" for words in _CLAUSES})))


def alter_database(session: Session, cursor: Cursor) -> Result:
    """ALTER DATABASE name RENAME new (O§i); SET … is accepted."""
    name = cursor.name()
    databases = session.frontend.catalog.databases
    if name not in databases:
        raise unknown_database(name)
    if cursor.accept("SET"):
        cursor.rest()
        return OK
    cursor.expect("RENAME")
    new = cursor.name()
    cursor.end()
    if new in databases:
        raise refused(f"Database name[{new}] is already used")
    databases[new] = databases.pop(name)
    databases[new].name = new
    return OK


def create_index(session: Session, cursor: Cursor) -> Result:
    """CREATE INDEX i ON [db.]t (c) USING …: a schema change (O2§y4)."""
    name = cursor.name()
    cursor.expect("ON")
    database_name, table_name = cursor.qualified()
    columns = cursor.names()
    index = index_tail(cursor, name, columns)
    cursor.end()
    table = find_table(session, database_name, table_name)
    check_alterable(table)
    alter_indexes.add_index(Target(session, session.find_database(database_name), table), index)
    return OK


def drop_index(session: Session, cursor: Cursor) -> Result:
    """DROP INDEX i ON [db.]t."""
    name = cursor.name()
    cursor.expect("ON")
    database_name, table_name = cursor.qualified()
    cursor.end()
    table = find_table(session, database_name, table_name)
    check_alterable(table)
    alter_indexes.remove_index(Target(session, session.find_database(database_name), table), name)
    return OK


def cancel_alter(session: Session, cursor: Cursor) -> Result:
    """CANCEL ALTER TABLE COLUMN | ROLLUP | OPTIMIZE FROM [db.]t [(job, …)] (documented, not observed)."""
    kind = cursor.accept_any(*_BUSY_WITH)
    if kind is None:
        cursor.fail(", ".join(f"'{one}'" for one in _BUSY_WITH), braces=True)
    cursor.expect("FROM")
    table = find_table(session, *cursor.qualified())
    cursor.rest()
    state, shown = _BUSY_WITH[kind]
    if table.state is not state:
        raise refused(f"Table[{table.name}] is not under {shown}.")
    session.frontend.schema_changes.cancel(table.id, kind, session.frontend.now())
    forget_temp_partitions(session, table)
    table.state = TableState.NORMAL
    return OK


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("ALTER", "TABLE"): alter_table,
    ("CANCEL", "ALTER", "TABLE"): cancel_alter,
    ("ALTER", "DATABASE"): alter_database,
    ("CREATE", "INDEX"): create_index,
    ("DROP", "INDEX"): drop_index,
}
