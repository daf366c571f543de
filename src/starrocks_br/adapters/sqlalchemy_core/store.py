"""The way to the ops tables that both histories share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnClause, Connection, Executable, Select, Table, column

from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.adapters.starrocks.errors import MISSING_OBJECT
from starrocks_br.domain.errors import NotInitialised, Refused

T = TypeVar("T")


class OpsStore:
    """Sends statements on the ops tables.

    Args:
        connection: Shared with the executor.
    """

    def __init__(self, connection: SingleConnection) -> None:
        self._connection = connection

    def write(self, statement: Executable, action: str) -> int:
        """Send one statement; how many rows the server says it wrote: -1 if it does not say."""
        return self._run(lambda connection: connection.execute(statement).rowcount, action)

    def read(self, query: Select[Any], action: str) -> list[Mapping[str, object]]:
        """Send one query, again if the connection broke; all its rows, by column."""
        return self._run(
            lambda connection: [dict(zip(row._fields, row, strict=True)) for row in connection.execute(query)],
            action,
            reads=True,
        )

    def _run(self, work: Callable[[Connection], T], action: str, *, reads: bool = False) -> T:
        try:
            return self._connection.run(work, action=action, reads=reads)
        except Refused as error:
            if error.errno not in MISSING_OBJECT and "is not found" not in error.why:
                raise
            raise NotInitialised(
                "our own tables are not there", why=error.why, hint="starrocks-br init makes them"
            ) from error


def bare(table: Table, name: str) -> ColumnClause[Any]:
    """A column without its table in front: in UPDATE and DELETE Core would write `database.table.column`."""
    return column(table.c[name].name, table.c[name].type)
