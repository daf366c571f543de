"""A query in StarRocks' SQL to the same one in DuckDB's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import sqlglot
from attrs import frozen
from sqlglot import exp
from sqlglot.errors import SqlglotError

from starrocks_simulator.errors import no_database, refused, syntax
from starrocks_simulator.expressions import parse
from starrocks_simulator.relations import relation
from starrocks_simulator.server_functions import substitute

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


_LONGEST_KEPT: Final = 10_000
"""Characters of the longest statement whose translation is kept."""


@frozen
class Reference:
    """One table named in a query.

    Attributes:
        database: Where it is.
        name: Its name.
        partitions: The partitions named behind it; None for all.
    """

    database: str
    name: str
    partitions: tuple[str, ...] | None


def to_duckdb(session: Session, text: str) -> str:
    """The same query for DuckDB, over relations that are made here and now.

    Raises:
        ServerError: Syntax, an unknown database, table or variable, or a table under RESTORE.
    """
    text = substitute(session, text)
    is_long = len(text) > _LONGEST_KEPT
    references, mentioned = (_references.__wrapped__ if is_long else _references)(text, session.database)
    made = [relation(session, one.database, one.name, one.partitions, mentioned) for one in references]
    return str((_render.__wrapped__ if is_long else _render)(text, session.database, tuple(made)))


def condition_to_duckdb(session: Session, text: str, database: str, table: str) -> str:
    """A WHERE condition over one table's columns, for DuckDB.

    Args:
        session: Who asks.
        text: The condition.
        database: Of the table.
        table: Its name, with which columns may be qualified.
    """
    query = to_duckdb(session, f"SELECT 1 FROM `{database}`.`{table}` WHERE {text}")
    where = sqlglot.parse_one(query, read="duckdb").find(exp.Where)
    if where is None:
        raise syntax(f"No viable statement for input '{text[:80]}'")
    for column in where.find_all(exp.Column):
        if column.table == table:
            column.set("table", None)
    return str(where.this.sql(dialect="duckdb"))


# a client sends the same statements again and again: parsing one takes longer than running it
@lru_cache(maxsize=512)
def _references(text: str, current: str | None) -> tuple[list[Reference], frozenset[str] | None]:
    """The tables that a query names, and the names of all columns that it mentions; None if `*` may mean any."""
    tree = parse(text)
    return [reference for _, reference in _tables(tree, current)], _mentioned(tree)


@lru_cache(maxsize=512)
def _render(text: str, current: str | None, relations: tuple[str, ...]) -> str:
    """The query in DuckDB's dialect, its tables replaced by these relations in order."""
    tree = parse(text)
    found = list(_tables(tree, current))
    aliases = _aliases([reference for _, reference in found])
    for column in tree.find_all(exp.Column):
        if column.db:
            alias = aliases.get((column.db, column.table), column.table)
            column.set("catalog", None)
            column.set("db", None)
            column.set("table", exp.to_identifier(alias, quoted=True))
    for (table, reference), name in zip(found, relations, strict=True):
        _replace(table, name, aliases[reference.database, reference.name])
    for table in list(tree.find_all(exp.Table)):
        if table.name.lower() == "dual" and not table.db:
            _drop_from(table)
    try:
        return str(tree.transform(_replace_function, copy=False).sql(dialect="duckdb", copy=False))
    except SqlglotError as error:
        raise refused(f"the simulator cannot run this: {error}") from None


def _tables(tree: exp.Expr, current: str | None) -> Iterator[tuple[exp.Table, Reference]]:
    """The tables in a query, common table expressions and `dual` left out."""
    common = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not table.name or (not table.db and (table.name in common or table.name.lower() == "dual")):
            continue
        database = table.db or current
        if database is None:
            raise no_database()
        partition = table.args.get("partition")
        named = None if partition is None else tuple(str(one.name) for one in partition.expressions)
        yield table, Reference(database, table.name, named)


def _mentioned(tree: exp.Expr) -> frozenset[str] | None:
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        return None
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column))


def _aliases(references: list[Reference]) -> dict[tuple[str, str], str]:
    """How unaliased tables are called: by name, or with the database where two databases have one of that name."""
    databases: dict[str, set[str]] = {}
    for reference in references:
        databases.setdefault(reference.name, set()).add(reference.database)
    return {
        (database, name): name if len(among) == 1 else f"{database}.{name}"
        for name, among in databases.items()
        for database in among
    }


def _replace(table: exp.Table, made: str, alias: str) -> None:
    alias = table.alias or alias
    table.set("this", exp.to_identifier(made, quoted=True))
    table.set("db", None)
    table.set("catalog", None)
    table.set("partition", None)
    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _drop_from(table: exp.Table) -> None:
    """`FROM dual` is no table."""
    clause = table.find_ancestor(exp.From)
    if clause is not None:
        clause.pop()


def _replace_function(node: exp.Expr) -> exp.Expr:
    """MySQL counts whole units where DuckDB's DATE_DIFF counts boundaries."""
    if isinstance(node, exp.TimestampDiff):
        unit = exp.Literal.string(node.text("unit").lower())
        return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
    return node
