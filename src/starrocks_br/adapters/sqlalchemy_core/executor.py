"""The SQL-executor port on one SQLAlchemy connection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import BindParameter, Connection, CursorResult, bindparam, text

from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.domain.ports import Rows, SqlExecutor

_READS = re.compile(r"\s*(?:SELECT|SHOW|ADMIN\s+SHOW)\b")
"""The first words of statements that change nothing (INSERT … SELECT begins with INSERT)."""

_VERB = re.compile(r"\s*([A-Z]+(?:\s+[A-Z]+){0,2})(?![\w.])")


class SqlAlchemyExecutor(SqlExecutor):
    r"""Sends statements over the command's one connection.

    With values, `:name` marks a place for one, and a list fills an `IN :name`; a colon before a letter that is meant
    as itself is written `\:`. Without values the text reaches the server byte for byte: names may hold `%` and `:x`.

    A SELECT or SHOW that met a break is sent again, as the connection's patience allows; nothing else ever is.

    Args:
        connection: Shared with the histories.
    """

    def __init__(self, connection: SingleConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:  # noqa: D102 -- the port says it
        return self._connection.run(
            lambda connection: _rows(_sent(connection, sql, values)),
            action=summary(sql),
            reads=_READS.match(sql) is not None,
        )


def summary(sql: str) -> str:
    """The first words of a statement, for people: never a name or a value out of it."""
    found = _VERB.match(sql)
    return " ".join(found[1].split()) if found else "a statement"


def _sent(connection: Connection, sql: str, values: Mapping[str, object] | None) -> CursorResult[tuple[object, ...]]:
    if not values:
        return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    lists: list[BindParameter[object]] = [
        bindparam(name, expanding=True) for name, value in values.items() if isinstance(value, list | tuple)
    ]
    return connection.execute(text(sql).bindparams(*lists), dict(values))


def _rows(result: CursorResult[tuple[object, ...]]) -> Rows:
    if not result.returns_rows:
        return Rows(affected=max(result.rowcount, 0))
    return Rows(columns=tuple(result.keys()), rows=tuple(tuple(row) for row in result))
