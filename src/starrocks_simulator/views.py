"""CREATE VIEW and MATERIALIZED VIEW, DROP of both (O§p)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import duckdb
from sqlglot import exp

from starrocks_simulator.alter_indexes import start_rollup
from starrocks_simulator.alter_target import Target
from starrocks_simulator.catalog import Column, Database, Distribution, Model, Table, View
from starrocks_simulator.column_types import Type
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.ddl import check_normal, find_table, remove_table
from starrocks_simulator.errors import analyzing, refused, table_not_found, unknown_table
from starrocks_simulator.expressions import parse
from starrocks_simulator.handlers import Handler
from starrocks_simulator.headings import headings
from starrocks_simulator.lexer import tokenize
from starrocks_simulator.overwrite import overwrite
from starrocks_simulator.parse_table import distribution
from starrocks_simulator.query import server_error
from starrocks_simulator.results import OK, Result, strings
from starrocks_simulator.rollups import view_columns
from starrocks_simulator.show_filter import Row, shown
from starrocks_simulator.staging import stage_query
from starrocks_simulator.translate import to_duckdb
from starrocks_simulator.view_activity import BY_HAND, activate, base_ids, inactivate_readers

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_LISTED: Final = (
    "id", "database_name", "name", "refresh_type", "is_active", "inactive_reason", "partition_type", "task_id",
    "task_name",
    "last_refresh_start_time", "last_refresh_finished_time", "last_refresh_duration", "last_refresh_state",
    "last_refresh_force_refresh", "last_refresh_start_partition", "last_refresh_end_partition",
    "last_refresh_base_refresh_partitions", "last_refresh_mv_refresh_partitions", "last_refresh_error_code",
    "last_refresh_error_message", "rows", "text", "extra_message", "query_rewrite_status", "creator",
)  # fmt: skip
_TYPES: Final = {
    "BOOLEAN": Type("boolean"),
    "TINYINT": Type("tinyint"),
    "SMALLINT": Type("smallint"),
    "INTEGER": Type("int"),
    "BIGINT": Type("bigint"),
    "HUGEINT": Type("bigint"),
    "FLOAT": Type("float"),
    "DOUBLE": Type("double"),
    "DATE": Type("date"),
    "TIMESTAMP": Type("datetime"),
}


def create_view(session: Session, cursor: Cursor) -> Result:
    """CREATE VIEW [IF NOT EXISTS] [db.]v [(c, …)] [COMMENT '…'] AS query."""
    return _create(session, cursor, replace=False)


def replace_view(session: Session, cursor: Cursor) -> Result:
    """CREATE OR REPLACE VIEW …."""
    return _create(session, cursor, replace=True)


def _create(session: Session, cursor: Cursor, *, replace: bool) -> Result:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database_name, name = cursor.qualified()
    named = _column_names(cursor)
    comment = cursor.string() if cursor.accept("COMMENT") else ""
    cursor.expect("AS")
    query = cursor.rest()
    database = session.find_database(database_name)
    old = database.tables.get(name)
    if old is not None and not (replace and isinstance(old, View)):
        if if_not_exists:
            return OK
        raise refused(f"Table '{name}' already exists", 1050, "42S01")
    columns = query_columns(session, query)
    for column, (new, about) in zip(columns, named, strict=False):
        column.name, column.comment = new, about
    frontend = session.frontend
    text = qualified_text(session, query)
    if old is not None:
        inactivate_readers(frontend.catalog, old, f"base-view changed: {name}")
    database.tables[name] = View(frontend.catalog.new_id(), name, text, columns, int(frontend.now()), comment)
    return OK


def _column_names(cursor: Cursor) -> list[tuple[str, str]]:
    """Step over `(c [COMMENT '…'], …)` if it comes next: names and comments."""
    if not cursor.accept("("):
        return []
    found = []
    while True:
        name = cursor.name()
        found.append((name, cursor.string() if cursor.accept("COMMENT") else ""))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return found


def alter_view(session: Session, cursor: Cursor) -> Result:
    """ALTER VIEW [db.]v [(c, …)] AS query."""
    probe = Cursor(cursor.text, cursor.lexemes, cursor.at)
    database_name, name = probe.qualified()
    found = session.find_object(database_name, name)
    if found is None:
        raise table_not_found(name)
    if not isinstance(found, View):
        raise analyzing(f"The specified table [{session.find_database(database_name).name}.{name}] is not a view")
    return _create(session, cursor, replace=True)


def query_columns(session: Session, query: str) -> list[Column]:
    """Names and types of a query's columns.

    Raises:
        ServerError: The query cannot run.
    """
    try:
        described = session.frontend.rows.query(f"DESCRIBE {to_duckdb(session, query)}")
    except duckdb.Error as error:
        raise server_error(error) from None
    given = headings(query, tokenize(query))
    names = [str(row[0]) for row in described]
    if len(given) == len(names):
        names = [new or old for new, old in zip(given, names, strict=True)]
    return [Column(name, _type(str(row[1]))) for name, row in zip(names, described, strict=True)]


def _type(duckdb_type: str) -> Type:
    if duckdb_type.startswith("DECIMAL"):
        precision, scale = duckdb_type[len("DECIMAL(") : -1].split(",")
        return Type("decimal", int(precision), int(scale))
    return _TYPES.get(duckdb_type, Type("varchar", 65533))


def qualified_text(session: Session, query: str) -> str:
    """The query as the server keeps it: every name with its database and table (p:204 of the transcripts)."""
    tree = parse(query)
    tables = [one for one in tree.find_all(exp.Table) if one.name]
    for table in tables:
        if not table.db:
            table.set("db", exp.to_identifier(session.find_database(None).name))
    if len(tables) == 1 and not tables[0].alias:
        for column in tree.find_all(exp.Column):
            column.set("table", exp.to_identifier(tables[0].name))
            column.set("db", exp.to_identifier(tables[0].db))
    text = str(tree.sql(dialect="starrocks", identify=True))
    return text.replace(" FROM ", "\nFROM ", 1)


def drop_view(session: Session, cursor: Cursor) -> Result:
    """DROP VIEW [IF EXISTS] [db.]v."""
    if_exists = cursor.accept("IF", "EXISTS")
    database_name, name = cursor.qualified()
    cursor.end()
    database = session.find_database(database_name)
    found = database.tables.get(name)
    if found is None:
        if if_exists:
            return OK
        raise unknown_table(name)
    if not isinstance(found, View):
        raise analyzing(f"'{database.name}'.'{name}' is not 'VIEW'", 1347)
    del database.tables[name]
    inactivate_readers(session.frontend.catalog, found, f"base-table dropped: {name}")
    return OK


def create_materialized_view(session: Session, cursor: Cursor) -> Result:
    """CREATE MATERIALIZED VIEW …: with REFRESH or DISTRIBUTED BY an object of its own, else a rollup of its table.

    An asynchronous one has no rows before its first REFRESH, whatever it says about when to refresh.
    """
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database_name, name = cursor.qualified()
    comment = cursor.string() if cursor.accept("COMMENT") else ""
    is_async, wanted, properties = False, Distribution([], 0), dict[str, str]()
    while not cursor.accept("AS"):
        if cursor.accept("DISTRIBUTED", "BY"):
            is_async, wanted = True, distribution(cursor)
        elif cursor.looking_at("PROPERTIES"):
            properties = cursor.optional_properties()
        elif cursor.accept("REFRESH"):
            is_async = True
        elif cursor.next.text == "<EOF>":
            cursor.fail("'AS'")
        else:
            cursor.take()
    query = cursor.rest()
    database = session.find_database(database_name or (None if is_async else _source(query).db or None))
    if name in database.tables:
        if if_not_exists:
            return OK
        raise refused(f"Table '{name}' already exists", 1050, "42S01")
    if not is_async:
        return _rollup(session, database, name, query)
    database.tables[name] = _materialized(session, name, query, wanted, {"replication_num": "1", **properties})
    database.tables[name].comment = comment
    return OK


def _rollup(session: Session, database: Database, name: str, query: str) -> Result:
    reference = _source(query)
    table = find_table(session, reference.db or database.name, reference.name)
    select = parse(query).find(exp.Select)
    if select is None:
        raise analyzing("Materialized view query statement only supports a single query blocks")
    model, columns = view_columns(table, select, query_columns(session, query))
    start_rollup(Target(session, database, table), name, columns, model)
    return OK


def _source(query: str) -> exp.Table:
    """The table that a synchronous view belongs to; its database is the view's, too."""
    reference = parse(query).find(exp.Table)
    if reference is None:
        raise analyzing("The from clause in materialized view is empty")
    return reference


def _materialized(session: Session, name: str, query: str, wanted: Distribution, properties: dict[str, str]) -> Table:
    frontend, catalog = session.frontend, session.frontend.catalog
    columns = query_columns(session, query)
    definition = qualified_text(session, query)
    for number, column in enumerate(columns):
        column.unique_id, column.is_key = number, number == 0
    table = Table(
        id=catalog.new_id(),
        name=name,
        model=Model.DUPLICATE,
        columns=columns,
        partitioning=None,
        distribution=wanted,
        properties=properties,
        sort_key=[columns[0].name],
        create_time=int(frontend.now()),
        index_id=catalog.new_id(),
        next_unique_id=len(columns),
        is_materialized_view=True,
        definition=definition,
        base_ids=base_ids(catalog, definition),
    )
    table.partitions[name] = catalog.new_partition(
        name, None, now=frontend.now(), buckets=wanted.buckets or 1, replication_num=int(properties["replication_num"])
    )
    return table


def refresh_materialized_view(session: Session, cursor: Cursor) -> Result:
    """REFRESH MATERIALIZED VIEW [db.]mv …: its query's rows take the place of those before, in new partitions.

    An inactive one is activated first.
    """
    found = _find_materialized(session, cursor)
    cursor.rest()
    if found.inactive_reason:
        activate(session.frontend.catalog, found)
    stage_query(session, found, found.columns, found.definition)
    overwrite(session, found, None)
    return strings(("QUERY_ID",), [(str(uuid.uuid4()),)])


def alter_materialized_view(session: Session, cursor: Cursor) -> Result:
    """ALTER MATERIALIZED VIEW [db.]mv ACTIVE | INACTIVE."""
    found = _find_materialized(session, cursor)
    wanted = cursor.accept_any("ACTIVE", "INACTIVE")
    if wanted is None:
        cursor.fail("'ACTIVE', 'INACTIVE'")
    cursor.end()
    if wanted == "ACTIVE":
        activate(session.frontend.catalog, found)
    else:
        found.inactive_reason = BY_HAND
        inactivate_readers(session.frontend.catalog, found, f"base-mv inactive: {found.name}")
    return OK


def _find_materialized(session: Session, cursor: Cursor) -> Table:
    database_name, name = cursor.qualified()
    found = session.find_database(database_name).tables.get(name)
    if not isinstance(found, Table) or not found.is_materialized_view:
        raise refused(f"Materialized view {name} is not found")
    return found


def show_materialized_views(session: Session, cursor: Cursor) -> Result:
    """SHOW MATERIALIZED VIEWS [FROM db] [LIKE '…']: asynchronous ones."""
    name = cursor.qualified()[1] if cursor.accept_any("FROM", "IN") else None
    database = session.find_database(name)
    rows: list[Row] = []
    for table in database.olap_tables():
        if table.is_materialized_view:
            known: dict[str, str | None] = {
                "id": str(table.id),
                "database_name": database.name,
                "name": table.name,
                "refresh_type": "MANUAL",
            }
            known |= {
                "is_active": "false" if table.inactive_reason else "true",
                "inactive_reason": table.inactive_reason or None,
                "partition_type": "UNPARTITIONED",
                "text": table.definition,
                "creator": "root",
            }
            rows.append(tuple(known.get(one) for one in _LISTED))
    return shown(cursor, _LISTED, rows, like_column=2)


def drop_materialized_view(session: Session, cursor: Cursor) -> Result:
    """DROP MATERIALIZED VIEW [IF EXISTS] [db.]mv; a synchronous one is a rollup of some table (documented)."""
    if_exists = cursor.accept("IF", "EXISTS")
    database_name, name = cursor.qualified()
    cursor.end()
    database = session.find_database(database_name)
    found = database.tables.get(name)
    if isinstance(found, Table) and found.is_materialized_view:
        remove_table(session, database, found, force=True)
    elif not _drop_rollup(database, name) and not if_exists:
        raise refused(f"Materialized view {name} is not found")
    return OK


def _drop_rollup(database: Database, name: str) -> bool:
    """Take a synchronous view of that name from its table; whether there was one."""
    for table in database.olap_tables():
        found = next((one for one in table.rollups if one.name == name), None)
        if found is not None:
            check_normal(table)
            table.rollups.remove(found)
            return True
    return False


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("CREATE", "VIEW"): create_view,
    ("CREATE", "OR", "REPLACE", "VIEW"): replace_view,
    ("ALTER", "VIEW"): alter_view,
    ("DROP", "VIEW"): drop_view,
    ("CREATE", "MATERIALIZED", "VIEW"): create_materialized_view,
    ("DROP", "MATERIALIZED", "VIEW"): drop_materialized_view,
    ("ALTER", "MATERIALIZED", "VIEW"): alter_materialized_view,
    ("REFRESH", "MATERIALIZED", "VIEW"): refresh_materialized_view,
    ("SHOW", "MATERIALIZED", "VIEWS"): show_materialized_views,
}
