"""What a name in FROM stands for: a DuckDB view over a table's rows, over a view's query, or a system table's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starrocks_simulator.catalog import Partition, Table, TableState, View
from starrocks_simulator.errors import analyzing, unknown_database, unknown_table
from starrocks_simulator.information_schema import sys_relation, system_relation

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def relation(
    session: Session, database: str, name: str, partitions: tuple[str, ...] | None, wanted: frozenset[str] | None
) -> str:
    """Make the relation; gives back its name in DuckDB.

    Args:
        session: Who asks.
        database: Name of the database.
        name: Of the table or view.
        partitions: Only these; None for all.
        wanted: Names of columns that the query mentions; None for all.

    Raises:
        ServerError: 5501, 5502 "Unknown table 'db.t'", or 5014 while the table is being restored (O§l).
    """
    if database.lower() == "information_schema":
        return system_relation(session, name.lower(), wanted)
    if database.lower() == "sys":
        return sys_relation(session, name.lower(), wanted)
    if database not in session.frontend.catalog.databases:
        raise unknown_database(database)
    found = session.frontend.catalog.databases[database].tables.get(name)
    if found is None:
        raise unknown_table(f"{database}.{name}")
    if isinstance(found, View):
        return _view(session, database, found)
    if found.state is TableState.RESTORE:
        raise analyzing("Table state is not NORMAL: 'RESTORING'", 5014)
    return _table(session, found, partitions)


def _view(session: Session, database: str, view: View) -> str:
    from starrocks_simulator.translate import to_duckdb

    names = ", ".join('"' + column.name + '"' for column in view.columns)
    before, session.database = session.database, database
    try:
        body = to_duckdb(session, view.query)
    finally:
        session.database = before
    return session.frontend.rows.view(f"v{view.id}", f"SELECT * FROM ({body}) AS x({names})")


def _table(session: Session, table: Table, partitions: tuple[str, ...] | None) -> str:
    chosen = table.shown_partitions()
    name = f"t{table.id}"
    if partitions is not None:
        chosen = [_partition(table, one) for one in partitions]
        name += "_" + "_".join(str(one.id) for one in chosen)
    physical = [one for partition in chosen for one in partition.physical]
    return session.frontend.rows.view(name, session.frontend.rows.relation(physical, table.visible_columns))


def _partition(table: Table, name: str) -> Partition:
    found = table.find_partition(name)
    if found is None:
        raise analyzing(f"Unknown partition '{name}' in table '{table.name}'")
    return found
