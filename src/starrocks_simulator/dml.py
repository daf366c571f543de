"""INSERT, UPDATE and DELETE."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import duckdb

from starrocks_simulator.automatic_buckets import loaded_part
from starrocks_simulator.catalog import Column, Model, Partition, Table, TableState
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.ddl import find_table
from starrocks_simulator.errors import ServerError, analyzing, refused
from starrocks_simulator.handlers import Handler
from starrocks_simulator.overwrite import overwrite
from starrocks_simulator.parse_insert import Insert
from starrocks_simulator.parse_insert import insert as parse_insert
from starrocks_simulator.prune import may_match
from starrocks_simulator.query import server_error
from starrocks_simulator.results import Result
from starrocks_simulator.routing import route
from starrocks_simulator.staging import stage_changes, stage_query, stage_values
from starrocks_simulator.translate import condition_to_duckdb
from starrocks_simulator.versions import is_blocked, publish

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


_TIMEOUT: Final = 5024


class Explained(Exception):
    """A load that is only looked at has come to where it would have its effect.

    Attributes:
        count: Rows that it would load.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def _stop_if_explained(session: Session, count: int = 0) -> None:
    if session.explaining:
        raise Explained(count)


def insert(session: Session, cursor: Cursor) -> Result:
    """INSERT INTO | OVERWRITE … VALUES | SELECT."""
    statement = parse_insert(cursor)
    table = find_table(session, statement.database, statement.table)
    if statement.overwrite and table.state is TableState.RESTORE:
        raise refused("table state is RESTORE, please wait to insert overwrite until table state is normal")
    label = _label(session, statement)
    targets = _targets(table, statement)
    _check_partitions(table)
    count = _stage(session, table, statement)
    _stop_if_explained(session, count)
    if table.state is TableState.RESTORE:
        raise refused(f'fail to execute commit task: Cannot write RESTORE state table "{table.name}"')
    used = session.find_database(statement.database).labels
    if statement.label is not None and (count or statement.overwrite):
        used.add(label)
    try:
        if statement.overwrite:
            overwrite(session, table, targets)
            return loaded(session, label, count)
        return load(session, table, targets, label, count)
    except ServerError as error:
        if error.errno != _TIMEOUT:  # a load that waits for its turn is committed all the same
            used.discard(label)
        raise


def _label(session: Session, statement: Insert) -> str:
    """The label asked for, or one of the server's own. A load that comes to nothing gives its label back (R§12.3)."""
    if statement.label is None:
        return f"insert_{uuid.uuid4()}"
    if statement.label in session.find_database(statement.database).labels:
        raise refused(f"Label [{statement.label}] has already been used.")
    return statement.label


def load(session: Session, table: Table, targets: list[Partition] | None, label: str, count: int) -> Result:
    """Commit the staged rows: into their partitions, one version more where there are rows (O§n)."""
    if count == 0:
        return loaded(session, label, 0)
    parts = [(loaded_part(session.frontend, table, one), rows) for one, rows in route(session, table, targets)]
    if session.frontend.faults.holds(table.name) or any(is_blocked(physical) for physical, _ in parts):
        for physical, rows in parts:
            session.frontend.held_loads.commit(table, physical, rows)
        return _stuck(session, label, count)
    for physical, rows in parts:
        session.frontend.rows.add(physical.id, table.model, table.columns, rows, alone=count == 1)
    publish(session.frontend, [physical for physical, _ in parts])
    return loaded(session, label, count)


def loaded(session: Session, label: str, count: int, status: str = "VISIBLE") -> Result:
    """The OK packet of a load (R§11.10)."""
    number = session.frontend.catalog.new_transaction()
    return Result(affected=count, info=f"{{'label':'{label}', 'status':'{status}', 'txnId':'{number}'}}")


def _stuck(session: Session, label: str, count: int) -> Result:
    """A load behind a hole: COMMITTED for ever, or, when publishing is waited for, a timeout (O2§y6)."""
    if session.frontend.config["enable_sync_publish"] == "true":
        raise refused(
            f"Query reached its timeout of {session.variables['insert_timeout']} seconds, please increase the "
            "'insert_timeout' session variable and retry",
            _TIMEOUT,
        )
    return loaded(session, label, count, "COMMITTED")


def _targets(table: Table, statement: Insert) -> list[Partition] | None:
    if statement.partitions is None:
        return None
    found = []
    for name in statement.partitions:
        partition = table.find_partition(name, temp=statement.temp)
        if partition is None:
            raise analyzing(f"Unknown partition '{name}' in table '{table.name}'")
        found.append(partition)
    return found


def _check_partitions(table: Table) -> None:
    if not table.partitions:
        raise analyzing(
            "data cannot be inserted into table with empty partition.Use `SHOW PARTITIONS FROM "
            f"{table.name}` to see the currently partitions of this table. "
        )


def _stage(session: Session, table: Table, statement: Insert) -> int:
    columns = _target_columns(table, statement.columns)
    if statement.rows is None:
        return stage_query(session, table, columns, statement.query)
    return stage_values(session, table, columns, statement.rows)


def _target_columns(table: Table, names: list[str] | None) -> list[Column]:
    if names is None:
        return [column for column in table.visible_columns if not column.generated]
    found = []
    for name in names:
        column = table.find_column(name)
        if column is None:
            raise analyzing(f"Unknown column '{name}' in '{table.name}'", 1054, "42S22")
        found.append(column)
    return found


def update(session: Session, cursor: Cursor) -> Result:
    """UPDATE [db.]t SET c = expr, … WHERE …: a SELECT and an upsert, of PRIMARY KEY tables (R§12.1)."""
    database, name = cursor.qualified()
    table = find_table(session, database, name)
    cursor.expect("SET")
    changes = _assignments(cursor, table)
    if not cursor.accept("WHERE"):
        raise analyzing("must specify where clause to prevent full table update")
    condition = cursor.rest()
    if table.model is not Model.PRIMARY:
        raise analyzing(f"table {name} does not support update")
    _stop_if_explained(session)
    _check_writable(table)
    columns = [column for column in table.visible_columns if not column.generated]
    items = ", ".join(
        f"({changes[column.name]})" if column.name in changes else f"`{name}`.`{column.name}`" for column in columns
    )
    source = f"`{session.find_database(database).name}`.`{name}`"
    count = stage_changes(session, table, columns, f"SELECT {items} FROM {source} WHERE {condition}", changes)
    return load(session, table, None, f"update_{uuid.uuid4()}", count)


def _assignments(cursor: Cursor, table: Table) -> dict[str, str]:
    """`a = expr, …` up to WHERE: text of each expression by the column's name."""
    found: dict[str, str] = {}
    while True:
        name = cursor.qualified()[1]
        column = table.find_column(name)
        if column is None:
            raise analyzing(f"table {table.name} do not existed column({name})")
        if column.is_key:
            raise analyzing(f"primary key column cannot be updated: {column.name}")
        cursor.expect("=")
        found[column.name] = _expression(cursor)
        if not cursor.accept(","):
            return found


def _expression(cursor: Cursor) -> str:
    start, depth, end = cursor.next.start, 0, cursor.next.start
    while cursor.next.text != "<EOF>":
        if depth == 0 and (cursor.looking_at(",") or cursor.looking_at("WHERE")):
            break
        depth += (cursor.next.text == "(") - (cursor.next.text == ")")
        end = cursor.take().end
    return cursor.text[start:end]


def delete(session: Session, cursor: Cursor) -> Result:
    """DELETE FROM [db.]t [PARTITION p | (p, …)] WHERE …."""
    cursor.expect("FROM")
    database, name = cursor.qualified()
    table = find_table(session, database, name)
    named = None
    if cursor.accept_any("PARTITION", "PARTITIONS"):
        named = cursor.names() if cursor.looking_at("(") else [cursor.name()]
    if not cursor.accept("WHERE"):
        raise analyzing("Delete must specify where clause to prevent full table delete")
    text = cursor.rest()
    if table.state is TableState.RESTORE:
        raise refused(f"Table's state is not normal: {name}")
    _stop_if_explained(session)
    condition = condition_to_duckdb(session, text, session.find_database(database).name, name)
    chosen = table.shown_partitions() if named is None else [_named(table, one) for one in named]
    if table.model is Model.PRIMARY:
        return _delete_by_key(session, table, chosen, condition)
    _check_readable(session, table, condition)
    touched = [one for one in chosen if named is not None or may_match(table, one, text)]
    for partition in touched:
        for physical in partition.physical:
            session.frontend.rows.delete(physical.id, table.columns, condition)
    publish(session.frontend, [physical for partition in touched for physical in partition.physical])
    return loaded(session, f"delete_{uuid.uuid4()}", 0)


def _check_readable(session: Session, table: Table, condition: str) -> None:
    try:
        session.frontend.rows.query(
            f"SELECT 1 FROM ({session.frontend.rows.relation([], table.columns)}) WHERE {condition}"
        )
    except duckdb.Error as error:
        raise server_error(error) from None


def _delete_by_key(session: Session, table: Table, chosen: list[Partition], condition: str) -> Result:
    """Rows go, and only partitions that lost some get a version more."""
    _check_readable(session, table, condition)
    touched, count = [], 0
    for partition in chosen:
        for physical in partition.physical:
            gone = session.frontend.rows.delete(physical.id, table.columns, condition)
            count += gone
            if gone:
                touched.append(physical)
    publish(session.frontend, touched)
    return loaded(session, f"delete_{uuid.uuid4()}", count)


def _named(table: Table, name: str) -> Partition:
    found = table.find_partition(name)
    if found is None:
        raise refused(f"Partition {name} does not exist")
    return found


def _check_writable(table: Table) -> None:
    if table.state is TableState.RESTORE:
        raise refused(f'fail to execute commit task: Cannot write RESTORE state table "{table.name}"')


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("INSERT",): insert,
    ("UPDATE",): update,
    ("DELETE",): delete,
}
