"""A query in StarRocks' SQL to the same one in DuckDB's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from starrocks_simulator.errors import refused, syntax
from starrocks_simulator.expressions import parse
from starrocks_simulator.relations import relation
from starrocks_simulator.server_functions import substitute

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def to_duckdb(session: Session, text: str) -> str:
    """The same query for DuckDB, over relations that are made here and now.

    Raises:
        ServerError: Syntax, an unknown database, table or variable, or a table under RESTORE.
    """
    tree = parse(substitute(session, text))
    _replace_tables(session, tree)
    tree = tree.transform(_replace_function)
    try:
        return tree.sql(dialect="duckdb")
    except SqlglotError as error:
        raise refused(f"the simulator cannot run this: {error}") from None


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


def _replace_tables(session: Session, tree: exp.Expr) -> None:
    common = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    references = [one for one in tree.find_all(exp.Table) if one.name and (one.db or one.name not in common)]
    owners = {one: _owner(session, one) for one in references if one.db or one.name.lower() != "dual"}
    aliases = _aliases(owners)
    for column in tree.find_all(exp.Column):
        if column.db:
            alias = aliases.get((column.db, column.table), column.table)
            column.set("catalog", None)
            column.set("db", None)
            column.set("table", exp.to_identifier(alias, quoted=True))
    wanted = _mentioned(tree)
    for reference in references:
        if reference in owners:
            _replace(session, reference, owners[reference], aliases, wanted)
        else:
            _drop_from(reference)


def _mentioned(tree: exp.Expr) -> frozenset[str] | None:
    """Names of all columns anywhere in the query; None if `*` may mean any."""
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        return None
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column))


def _owner(session: Session, reference: exp.Table) -> str:
    return reference.db or session.find_database(None).name


def _aliases(owners: dict[exp.Table, str]) -> dict[tuple[str, str], str]:
    """How unaliased tables are called: by name, or with the database where two databases have one of that name."""
    databases: dict[str, set[str]] = {}
    for reference, database in owners.items():
        databases.setdefault(reference.name, set()).add(database)
    return {
        (database, name): name if len(among) == 1 else f"{database}.{name}"
        for name, among in databases.items()
        for database in among
    }


def _replace(
    session: Session,
    reference: exp.Table,
    database: str,
    aliases: dict[tuple[str, str], str],
    wanted: frozenset[str] | None,
) -> None:
    partition = reference.args.get("partition")
    names = None if partition is None else [one.name for one in partition.expressions]
    alias = reference.alias or aliases[database, reference.name]
    made = relation(session, database, reference.name, names, wanted)
    reference.set("this", exp.to_identifier(made, quoted=True))
    reference.set("db", None)
    reference.set("catalog", None)
    reference.set("partition", None)
    reference.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _drop_from(reference: exp.Table) -> None:
    """`FROM dual` is no table."""
    clause = reference.find_ancestor(exp.From)
    if clause is not None:
        clause.pop()


def _replace_function(node: exp.Expr) -> exp.Expr:
    """MySQL counts whole units where DuckDB's DATE_DIFF counts boundaries."""
    if isinstance(node, exp.TimestampDiff):
        unit = exp.Literal.string(node.text("unit").lower())
        return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
    return node
