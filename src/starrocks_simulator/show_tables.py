"""SHOW DATABASES, TABLES, CREATE …, COLUMNS, INDEX, TABLE STATUS; DESC (O§w)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator import create_text
from starrocks_simulator.accounts import denied
from starrocks_simulator.catalog import SYSTEM_DATABASES, Column, Table, View
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import table_not_found, unknown_database, unknown_table
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import Result, strings
from starrocks_simulator.show_filter import Row, shown
from starrocks_simulator.system_tables import SYSTEM_TABLES, TABLE_NAMES
from starrocks_simulator.times import show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

DESCRIPTION: Final = ("Field", "Type", "Null", "Key", "Default", "Extra")
_FULL: Final = ("Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment")
_INDEX: Final = (
    "Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality", "Sub_part", "Packed",
    "Null", "Index_type", "Comment",
)  # fmt: skip
_STATUS: Final = (
    "Name", "Engine", "Version", "Row_format", "Rows", "Avg_row_length", "Data_length", "Max_data_length",
    "Index_length",
    "Data_free", "Auto_increment", "Create_time", "Update_time", "Check_time", "Collation", "Checksum",
    "Create_options",
    "Comment",
)  # fmt: skip


def source(session: Session, cursor: Cursor) -> str:
    """Step over `[FROM|IN db]`; the database's name, or the current one's."""
    name = cursor.qualified()[1] if cursor.accept_any("FROM", "IN") else None
    if name is not None and name in SYSTEM_DATABASES:
        return name
    return session.find_database(name).name


def show_databases(session: Session, cursor: Cursor) -> Result:
    """SHOW DATABASES [LIKE '…']."""
    found = sorted(session.seen_databases())
    return shown(cursor, ("Database",), [(name,) for name in found])


def _tables(session: Session, name: str) -> list[tuple[str, str]]:
    if name in SYSTEM_DATABASES:
        return [(one, "SYSTEM VIEW") for one in TABLE_NAMES] if name == "information_schema" else []
    database = session.find_database(name)
    return sorted(
        (one, "BASE TABLE" if isinstance(table, Table) and not table.is_materialized_view else "VIEW")
        for one, table in database.tables.items()
        if session.sees(database, table)
    )


def show_tables(session: Session, cursor: Cursor) -> Result:
    """SHOW TABLES [FROM db] [LIKE '…']."""
    name = source(session, cursor)
    return shown(cursor, (f"Tables_in_{name}",), [(one,) for one, _ in _tables(session, name)])


def show_full_tables(session: Session, cursor: Cursor) -> Result:
    """SHOW FULL TABLES [FROM db] [LIKE '…']."""
    name = source(session, cursor)
    return shown(cursor, (f"Tables_in_{name}", "Table_type"), list(_tables(session, name)))


def show_create_table(session: Session, cursor: Cursor) -> Result:
    """SHOW CREATE TABLE [db.]name; of a view, too."""
    database, name = cursor.qualified()
    cursor.end()
    found = session.find_object(database, name)
    if found is None:
        raise table_not_found(name)
    if isinstance(found, View):
        return _create_view(found)
    if found.is_materialized_view:
        text = create_text.create_materialized_view_text(found)
        return strings(("Materialized View", "Create Materialized View"), [(name, text)])
    return strings(("Table", "Create Table"), [(name, create_text.create_table_text(found))])


def _create_view(view: View) -> Result:
    names = ("View", "Create View", "character_set_client", "collation_connection")
    return strings(names, [(view.name, create_text.create_view_text(view), "utf8", "utf8_general_ci")])


def show_create_database(session: Session, cursor: Cursor) -> Result:
    """SHOW CREATE DATABASE name."""
    name = session.find_database(cursor.qualified()[1]).name
    _check_seen(session, name)
    return strings(("Database", "Create Database"), [(name, f"CREATE DATABASE `{name}`")])


def _check_seen(session: Session, name: str) -> None:
    """USE and SHOW CREATE DATABASE ask for any privilege on the database or on something in it (R§9)."""
    database = session.frontend.catalog.databases.get(name)
    if database is not None and not session.frontend.accounts.sees_database(session.user, database):
        raise denied("ANY", f"DATABASE {name}")


def columns_of(session: Session, database: str | None, name: str) -> list[Column]:
    """Columns of a table or view.

    Raises:
        ServerError: 5501, 5502.
    """
    found = session.find_object(database, name)
    if found is None:
        raise unknown_table(name)
    return found.visible_columns if isinstance(found, Table) else found.columns


def described(column: Column, table: Table | None, aggregation: str = "") -> Row:
    """A row of DESC: Extra tells how values are aggregated, a bloom filter, and a default that is worked out."""
    blooms = "" if table is None else table.properties.get("bloom_filter_columns", "")
    extras = (
        aggregation,
        "BLOOM_FILTER" if column.name in [name.strip() for name in blooms.split(",")] else "",
        "DEFAULT_GENERATED" if column.default == "CURRENT_TIMESTAMP" else "",
    )
    nullable, key = "YES" if column.nullable else "NO", "true" if column.is_key else "false"
    return (column.name, column.type.short, nullable, key, column.default, ",".join(filter(None, extras)))


def desc(session: Session, cursor: Cursor) -> Result:
    """DESC [db.]name [ALL]."""
    database, name = cursor.qualified()
    everything = cursor.accept("ALL")
    cursor.end()
    if (database or session.database or "").lower() == "information_schema":
        return _describe_system(name.lower())
    columns = columns_of(session, database, name)
    found = session.find_object(database, name)
    if everything and isinstance(found, Table):
        return _describe_all(found)
    table = found if isinstance(found, Table) else None
    return strings(DESCRIPTION, [described(column, table) for column in columns])


def _describe_system(name: str) -> Result:
    if name not in SYSTEM_TABLES:
        raise unknown_table(name)
    return strings(
        DESCRIPTION, [(column.name, column.shown_type, "YES", "false", None, "") for column in SYSTEM_TABLES[name]]
    )


def _describe_all(table: Table) -> Result:
    """The base index, then a blank line and each rollup."""
    implied = {"DUP_KEYS": "NONE", "UNIQUE_KEYS": "REPLACE"}.get(table.model.value, "")
    names = ("IndexName", "IndexKeysType", *DESCRIPTION)
    rows: list[Row] = []
    for index, model, columns in [
        (table.name, table.model, table.visible_columns),
        *((one.name, one.model, one.columns) for one in table.rollups),
    ]:
        if rows:
            rows.append(("",) * len(names))
        for number, column in enumerate(columns):
            head = ("", "") if number else (index, model.value)
            rows.append((*head, *described(column, table, column.aggregation or ("" if column.is_key else implied))))
    return strings(names, rows)


def show_columns(session: Session, cursor: Cursor) -> Result:
    """SHOW [FULL] COLUMNS FROM [db.]name [FROM db] [LIKE '…']."""
    cursor.accept("FIELDS")
    cursor.accept("COLUMNS")
    columns = _columns_from(session, cursor)
    return shown(cursor, DESCRIPTION, [described(column, None) for column in columns])


def show_full_columns(session: Session, cursor: Cursor) -> Result:
    """SHOW FULL COLUMNS FROM [db.]name [FROM db] [LIKE '…']."""
    rows: list[Row] = [
        (
            column.name,
            column.type.short,
            "",
            "YES" if column.nullable else "NO",
            "YES" if column.is_key else "NO",
            column.default,
            "",
            "",
            column.comment,
        )
        for column in _columns_from(session, cursor)
    ]
    return shown(cursor, _FULL, rows)


def _columns_from(session: Session, cursor: Cursor) -> list[Column]:
    if cursor.accept_any("FROM", "IN") is None:
        cursor.fail("'FROM', 'IN'")
    database, name = cursor.qualified()
    if cursor.accept_any("FROM", "IN"):
        database = cursor.name()
    return columns_of(session, database, name)


def show_index(session: Session, cursor: Cursor) -> Result:
    """SHOW INDEX FROM [db.]name [FROM db]."""
    if cursor.accept_any("FROM", "IN") is None:
        cursor.fail("'FROM', 'IN'")
    database, name = cursor.qualified()
    if cursor.accept_any("FROM", "IN"):
        database = cursor.name()
    found = session.find_object(database, name)
    if found is None:
        raise table_not_found(name)
    indexes = found.indexes if isinstance(found, Table) else []
    owner = session.find_database(database).name
    cursor.end()
    rows: list[Row] = [
        (
            f"{owner}.{name}",
            "",
            one.name,
            "",
            ",".join(one.columns),
            "",
            "",
            "",
            "",
            "",
            create_text.index_type(one),
            one.comment,
        )
        for one in indexes
    ]
    return strings(_INDEX, rows)


def show_table_status(session: Session, cursor: Cursor) -> Result:
    """SHOW TABLE STATUS [FROM db] [LIKE '…']."""
    database = session.find_database(source(session, cursor))
    rows: list[Row] = []
    for name, table in database.tables.items():
        if not session.sees(database, table):
            continue
        is_view = isinstance(table, View)
        size = -1 if is_view else 0
        times = (
            show(table.create_time, session.zone),
            show(-1 if isinstance(table, View) else table.last_load, session.zone),
        )
        rows.append((
            name, None if is_view else "StarRocks", None, "", size, size, size, None, None, None, None, *times, None,
            "utf8_general_ci", None, "", table.comment,
        ))  # fmt: skip
    return shown(cursor, _STATUS, rows)


def use(session: Session, cursor: Cursor) -> Result:
    """USE [catalog.]db."""
    name = cursor.qualified()[1]
    cursor.end()
    if name not in session.frontend.catalog.databases and name not in SYSTEM_DATABASES:
        error = unknown_database(name)
        raise type(error)(error.errno, error.sqlstate, f"Unknown database '{name}'")
    _check_seen(session, name)
    session.database = name
    return Result()


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("USE",): use,
    ("SHOW", "DATABASES"): show_databases,
    ("SHOW", "SCHEMAS"): show_databases,
    ("SHOW", "TABLES"): show_tables,
    ("SHOW", "FULL", "TABLES"): show_full_tables,
    ("SHOW", "CREATE", "TABLE"): show_create_table,
    ("SHOW", "CREATE", "VIEW"): show_create_table,
    ("SHOW", "CREATE", "MATERIALIZED", "VIEW"): show_create_table,
    ("SHOW", "CREATE", "DATABASE"): show_create_database,
    ("SHOW", "COLUMNS"): show_columns,
    ("SHOW", "FIELDS"): show_columns,
    ("SHOW", "FULL", "COLUMNS"): show_full_columns,
    ("SHOW", "FULL", "FIELDS"): show_full_columns,
    ("SHOW", "INDEX"): show_index,
    ("SHOW", "INDEXES"): show_index,
    ("SHOW", "KEYS"): show_index,
    ("SHOW", "TABLE", "STATUS"): show_table_status,
    ("DESC",): desc,
    ("DESCRIBE",): desc,
}
