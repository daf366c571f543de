"""Whether materialized views are active: what makes them inactive, and what ACTIVE asks for.

Documented, not observed: a materialized view becomes inactive when a table that it reads is dropped, renamed or
swapped, and those that read it with it; ACTIVE resolves its query again, by name. The server would try that by itself
every minute (`enable_mv_automatic_active_check`); here nobody does.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from starrocks_simulator.catalog import Catalog, Table, View
from starrocks_simulator.errors import ServerError, analyzing, refused, unknown_table
from starrocks_simulator.expressions import parse

BY_HAND: Final = "user use alter materialized view set status to inactive"
"""INACTIVE_REASON after ALTER MATERIALIZED VIEW … INACTIVE."""


def base_ids(catalog: Catalog, query: str) -> list[int]:
    """Ids of all tables and views that a query reads, through views, too. Its names are qualified.

    Raises:
        ServerError: 5502, one of them does not exist.
    """
    found: set[int] = set()
    for reference in parse(query).find_all(exp.Table):
        database = catalog.databases.get(reference.db)
        table = database.tables.get(reference.name) if database else None
        if table is None:
            raise unknown_table(f"{reference.db}.{reference.name}")
        found.add(table.id)
        if isinstance(table, View):
            found.update(base_ids(catalog, table.query))
    return sorted(found)


def inactivate_readers(catalog: Catalog, changed: Table | View, reason: str) -> None:
    """Make every active materialized view that reads something inactive, and those that read these.

    Args:
        catalog: Everything there is.
        changed: What was dropped, renamed, swapped or replaced.
        reason: What INACTIVE_REASON says of the direct readers.
    """
    for _, table in catalog.tables():
        if isinstance(table, Table) and changed.id in table.base_ids and not table.inactive_reason:
            table.inactive_reason = reason
            inactivate_readers(catalog, table, f"base-mv inactive: {table.name}")


def activate(catalog: Catalog, view: Table) -> None:
    """Resolve a materialized view's query again and make it active: ALTER … ACTIVE, and what RESTORE does (R§7.6).

    Raises:
        ServerError: Something that it reads is gone, or is an inactive materialized view.
    """
    try:
        found = base_ids(catalog, view.definition)
        for _, table in catalog.tables():
            if table.id in found and isinstance(table, Table) and table.inactive_reason:
                raise refused(f"base-mv inactive: {table.name}")
    except ServerError as error:
        raise analyzing(
            f"Can not active materialized view [{view.name}] because analyze materialized view define sql: \n\n"
            f"{view.definition}\n\nCause an error: {error.message}"
        ) from None
    view.base_ids, view.inactive_reason = found, ""
