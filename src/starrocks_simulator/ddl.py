"""Databases, tables and views: CREATE, DROP, RECOVER, TRUNCATE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starrocks_simulator.alter_names import refuse_shadow
from starrocks_simulator.catalog import SYSTEM_DATABASES, Database, DroppedTable, Partition, Table, TableState
from starrocks_simulator.create_table import build_table, check_definition
from starrocks_simulator.create_text import create_table_text
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, refused, table_not_found, unknown_table
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import tokenize
from starrocks_simulator.parse_table import TableDefinition, table_definition
from starrocks_simulator.results import OK, Result
from starrocks_simulator.versions import renew
from starrocks_simulator.view_activity import inactivate_readers

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_DATABASE_NAME: Final = re.compile(r"[A-Za-z][\w\-~!@#$%^&<>=+ ]{0,255}|_[A-Za-z0-9][\w\-~!@#$%^&<>=+ ]{0,254}")
_BUSY_URL: Final = "https://docs.starrocks.io/docs/sql-reference/sql-statements/backup_restore/SHOW_RESTORE"


def create_database(session: Session, cursor: Cursor) -> Result:
    """CREATE DATABASE [IF NOT EXISTS] name."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()[1]
    cursor.optional_properties()
    cursor.end()
    if not _DATABASE_NAME.fullmatch(name):
        raise analyzing(f"Incorrect database name '{name}'", 1102, "42000")
    catalog = session.frontend.catalog
    if name in catalog.databases or name in SYSTEM_DATABASES:
        if if_not_exists:
            return OK
        raise refused(f"Can't create database '{name}'; database exists", 1007)
    catalog.databases[name] = Database(catalog.new_id(), name)
    return OK


def drop_database(session: Session, cursor: Cursor) -> Result:
    """DROP DATABASE [IF EXISTS] name [FORCE]; without FORCE it can be recovered (O§n)."""
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.qualified()[1]
    force = cursor.accept("FORCE")
    cursor.end()
    catalog = session.frontend.catalog
    database = catalog.databases.get(name)
    if database is None:
        if if_exists:
            return OK
        raise refused(f"Can't drop database '{name}'; database doesn't exist", 1008)
    del catalog.databases[name]
    for dropped in database.tables.values():
        inactivate_readers(catalog, dropped, f"base-table dropped: {dropped.name}")
    for table in database.olap_tables():
        forget_temp_partitions(session, table)
    if force:
        for table in database.olap_tables():
            session.frontend.rows.drop(physical_ids(table))
    else:
        catalog.recycle_bin.databases.append(database)
    return OK


def create_table(session: Session, cursor: Cursor) -> Result:
    """CREATE TABLE [IF NOT EXISTS] [db.]name ( … ) …."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database_name, name = cursor.qualified()
    definition = _like(session, cursor) if cursor.accept("LIKE") else table_definition(cursor)
    database = session.find_database(database_name)
    check_definition(definition)
    if name in database.tables:
        if if_not_exists:
            return OK
        raise analyzing(f"Table '{name}' already exists", 1050, "42S01")
    database.tables[name] = build_table(session.frontend, name, definition)
    return OK


def create_temporary_table(session: Session, cursor: Cursor) -> Result:
    """CREATE TEMPORARY TABLE …: partitions_meta and tables_config tell of it, no statement finds it (p:230-232).

    It stays until it is dropped, not until its session ends.
    """
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database_name, name = cursor.qualified()
    definition = table_definition(cursor)
    database = session.find_database(database_name)
    check_definition(definition)
    if name not in database.temporary:
        database.temporary[name] = build_table(session.frontend, name, definition)
    elif not if_not_exists:
        raise analyzing(f"Table '{name}' already exists", 1050, "42S01")
    return OK


def drop_temporary_table(session: Session, cursor: Cursor) -> Result:
    """DROP TEMPORARY TABLE [IF EXISTS] [db.]name [FORCE]."""
    if_exists = cursor.accept("IF", "EXISTS")
    database_name, name = cursor.qualified()
    cursor.accept("FORCE")
    cursor.end()
    table = session.find_database(database_name).temporary.pop(name, None)
    if table is None and not if_exists:
        raise unknown_table(name)
    return OK


def _like(session: Session, cursor: Cursor) -> TableDefinition:
    """The definition of the table named behind LIKE."""
    model = find_table(session, *cursor.qualified())
    cursor.end()
    text = create_table_text(model).removesuffix(";")
    copy = Cursor(text, tokenize(text))
    copy.expect("CREATE", "TABLE")
    copy.name()
    return table_definition(copy)


def drop_table(session: Session, cursor: Cursor) -> Result:
    """DROP TABLE [IF EXISTS] [db.]name [FORCE]; without FORCE it can be recovered (O§n)."""
    if_exists = cursor.accept("IF", "EXISTS")
    database_name, name = cursor.qualified()
    force = cursor.accept("FORCE")
    cursor.end()
    database = session.find_database(database_name)
    table = database.tables.get(name)
    if table is None:
        if if_exists:
            return OK
        raise unknown_table(name)
    if not isinstance(table, Table) or table.is_materialized_view:
        raise analyzing(f"'{database.name}'.'{name}' is not 'TABLE'", 1347)
    remove_table(session, database, table, force=force)
    return OK


def remove_table(session: Session, database: Database, table: Table, *, force: bool) -> None:
    """Take a table out of its database: into the recycle bin, or for good."""
    frontend = session.frontend
    del database.tables[table.name]
    inactivate_readers(frontend.catalog, table, f"base-table dropped: {table.name}")
    forget_temp_partitions(session, table)
    if force:
        frontend.rows.drop(physical_ids(table))
    else:
        frontend.catalog.recycle_bin.tables.append(DroppedTable(database.id, table, frontend.now()))


def forget_temp_partitions(session: Session, table: Table) -> None:
    """Temporary partitions do not come back with RECOVER (O§n)."""
    for partition in table.temp_partitions.values():
        session.frontend.rows.drop(one.id for one in partition.physical)
    table.temp_partitions.clear()


def physical_ids(table: Table) -> list[int]:
    """Ids of all physical partitions of a table."""
    return [one.id for partition in table.every_partition() for one in partition.physical]


def find_table(session: Session, database: str | None, name: str) -> Table:
    """The table that ALTER, INSERT, TRUNCATE, … mean.

    Raises:
        ServerError: 5501, or 1064 "Table t is not found" (O§q).
    """
    found = session.find_object(database, name)
    if not isinstance(found, Table):
        raise table_not_found(name)
    return found


def check_normal(table: Table) -> None:
    """Refuse a change of a table that is being restored (R§7.7)."""
    if table.state is TableState.RESTORE:
        raise refused(
            f"A snapshot restore operation is in progress on the table {table.name}. Please wait until the current "
            f"operation completes. To check the status of the operation, see {_BUSY_URL}"
        )


def truncate(session: Session, cursor: Cursor) -> Result:
    """TRUNCATE TABLE [db.]name [PARTITION (…)]: fresh physical partitions, version 1 (O§n)."""
    table = find_table(session, *cursor.qualified())
    chosen = list(table.partitions.values())
    if cursor.accept_any("PARTITION", "PARTITIONS"):
        names = cursor.names()
        chosen = [named_partition(table, name) for name in names]
        for name in names:
            refuse_shadow(name, "Truncate")
    cursor.end()
    check_normal(table)
    for partition in chosen:
        renew(session.frontend, partition)
    if len(chosen) == len(table.partitions):
        table.ghosts.clear()
    return OK


def named_partition(table: Table, name: str) -> Partition:
    """The partition of that name; 1064 if there is none."""
    found = table.find_partition(name)
    if found is None:
        raise refused(f"Partition {name} does not exist")
    return found


def recover(session: Session, cursor: Cursor) -> Result:
    """RECOVER DATABASE | TABLE | PARTITION: back with the same ids (O§n)."""
    if cursor.accept("DATABASE"):
        return _recover_database(session, cursor.name())
    if cursor.accept("TABLE"):
        return _recover_table(session, *cursor.qualified())
    cursor.expect("PARTITION")
    name = cursor.name()
    cursor.expect("FROM")
    return _recover_partition(session, name, find_table(session, *cursor.qualified()))


def _recover_database(session: Session, name: str) -> Result:
    catalog = session.frontend.catalog
    found = next((one for one in reversed(catalog.recycle_bin.databases) if one.name == name), None)
    if name in catalog.databases:
        raise refused(f"Can't create database '{name}'; database exists", 1007)
    if found is None:
        raise refused(f"Unknown database '{name}'", 5501, "3F000")
    catalog.recycle_bin.databases.remove(found)
    catalog.databases[name] = found
    return OK


def _recover_table(session: Session, database_name: str | None, name: str) -> Result:
    database = session.find_database(database_name)
    dropped = session.frontend.catalog.recycle_bin.tables
    if name in database.tables:
        raise refused(f"Table '{name}' already exists", 1050, "42S01")
    found = next((one for one in reversed(dropped) if one.database_id == database.id and one.table.name == name), None)
    if found is None:
        raise refused(f"Unknown table '{name}'", 5502, "42602")
    dropped.remove(found)
    database.tables[name] = found.table
    return OK


def _recover_partition(session: Session, name: str, table: Table) -> Result:
    dropped = session.frontend.catalog.recycle_bin.partitions
    found = next(
        (one for one in reversed(dropped) if one.table_id == table.id and one.partition.name.lower() == name.lower()),
        None,
    )
    if found is None:
        raise refused(f"No partition named '{name}' in recycle bin that belongs to table '{table.name}'")
    dropped.remove(found)
    table.partitions[found.partition.name] = found.partition
    return OK


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("CREATE", "DATABASE"): create_database,
    ("CREATE", "SCHEMA"): create_database,
    ("DROP", "DATABASE"): drop_database,
    ("DROP", "SCHEMA"): drop_database,
    ("CREATE", "TABLE"): create_table,
    ("CREATE", "EXTERNAL", "TABLE"): create_table,
    ("CREATE", "TEMPORARY", "TABLE"): create_temporary_table,
    ("DROP", "TABLE"): drop_table,
    ("DROP", "TEMPORARY", "TABLE"): drop_temporary_table,
    ("TRUNCATE", "TABLE"): truncate,
    ("RECOVER",): recover,
}
