"""Expressions and queries of StarRocks' SQL as trees."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from starrocks_simulator.errors import syntax


def parse(text: str) -> exp.Expr:
    """Parse one query.

    Raises:
        ServerError: 1064.
    """
    try:
        return sqlglot.parse_one(text, read="starrocks")
    except SqlglotError as error:
        raise syntax(f"No viable statement for input '{text[:80]}' ({str(error).splitlines()[0]})") from None


def parse_expression(text: str) -> exp.Expr:
    """Parse one scalar expression.

    Raises:
        ServerError: 1064.
    """
    tree = parse(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise syntax(f"No viable statement for input '{text[:80]}'")
    found: exp.Expr = tree.expressions[0]
    return found.unalias()


def expression_to_duckdb(text: str) -> str:
    """A scalar expression over columns' names, for DuckDB; nothing in it depends on the session."""
    return str(parse_expression(text).sql(dialect="duckdb"))
