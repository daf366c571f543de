"""information_schema and sys as relations: made when a query asks for them, with no more columns than it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from starrocks_simulator.errors import refused, unknown_table
from starrocks_simulator.partitions_meta import partitions_meta
from starrocks_simulator.sys_tables import sys_rows
from starrocks_simulator.system_rows import (
    columns,
    materialized_views,
    schemata,
    tables,
    tables_config,
    temp_tables,
    views,
)
from starrocks_simulator.system_tables import SYS_TABLES, SYSTEM_TABLES, TABLE_NAMES, SystemColumn

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

Values = Sequence[object]
Source = Callable[["Session"], Mapping[str, Callable[[], Values]]]
"""Gives for each column something that lists its values; what no query names is never listed."""

SOURCES: Final[dict[str, Source]] = {
    "partitions_meta": partitions_meta,
    "tables": tables,
    "tables_config": tables_config,
    "temp_tables": temp_tables,
    "columns": columns,
    "schemata": schemata,
    "views": views,
    "materialized_views": materialized_views,
}


def system_relation(session: Session, name: str, wanted: frozenset[str] | None) -> str:
    """Make a system table; gives back its name in DuckDB.

    Args:
        session: Who asks; DATETIMEs are shown in its zone.
        name: Of the table, in lower case.
        wanted: Names of columns, in lower case, that the query mentions anywhere; None for all.

    Raises:
        ServerError: No such table, or one that is not modelled.
    """
    if name not in SYSTEM_TABLES:
        if name in TABLE_NAMES:
            raise refused(f"the simulator does not model information_schema.{name}")
        raise unknown_table(f"information_schema.{name}")
    source = SOURCES[name](session) if name in SOURCES else {}
    return _relation(session, f"is_{name}", SYSTEM_TABLES[name], source, wanted)


def sys_relation(session: Session, name: str, wanted: frozenset[str] | None) -> str:
    """The same of the database `sys`.

    Raises:
        ServerError: No such table, or one that the user may not read.
    """
    rows = sys_rows(session, name)
    return _relation(session, f"sys_{name}", SYS_TABLES[name], rows, wanted)


def _relation(
    session: Session,
    made: str,
    columns: tuple[SystemColumn, ...],
    source: Mapping[str, Callable[[], Values]],
    wanted: frozenset[str] | None,
) -> str:
    shown = [one for one in columns if wanted is None or one.name.lower() in wanted] or columns[:1]
    values: list[Values] = []
    items = []
    for column in shown:
        values.append(source[column.name]() if column.name in source else [])
        items.append(f'unnest(CAST(? AS {column.duckdb}[])) AS "{column.name}"')
    return session.frontend.rows.temporary(made, f"SELECT {', '.join(items)}", values)
