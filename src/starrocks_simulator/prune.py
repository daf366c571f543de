"""Which partitions a DELETE's condition can touch: the others get no version (n:24 of the transcripts)."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from starrocks_simulator.catalog import Partition, Table
from starrocks_simulator.expressions import parse
from starrocks_simulator.partitioning import Range, key_value

_FLIPPED: Final[dict[type[exp.Expr], type[exp.Expr]]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
}


def may_match(table: Table, partition: Partition, condition: str) -> bool:
    """Whether a row of the partition can satisfy the condition; True in doubt."""
    columns = table.partition_columns
    if len(columns) != 1 or not isinstance(partition.keys, Range):
        return True
    tree = parse(f"SELECT 1 FROM t WHERE {condition}").find(exp.Where)
    conjuncts = (
        tree.this.flatten() if tree is not None and isinstance(tree.this, exp.And) else [tree.this if tree else None]
    )
    return all(_possible(table, partition.keys, one) for one in conjuncts)


def _possible(table: Table, keys: Range, conjunct: exp.Expr | None) -> bool:
    column = table.partition_columns[0]
    kind: type[exp.Expr] = exp.EQ
    if isinstance(conjunct, exp.In):
        left, values = conjunct.this, conjunct.expressions
    elif type(conjunct) in _FLIPPED and isinstance(conjunct, exp.Binary):
        left, values, kind = conjunct.left, [conjunct.right], type(conjunct)
        if isinstance(left, exp.Literal):
            left, values, kind = conjunct.right, [conjunct.left], _FLIPPED[kind]
    else:
        return True
    if not isinstance(left, exp.Column) or left.name.lower() != column.name.lower():
        return True
    literals = [one for one in values if isinstance(one, exp.Literal)]
    if len(literals) != len(values) or not values:
        return True
    return any(_overlaps(table, keys, kind, one.name) for one in literals)


def _overlaps(table: Table, keys: Range, kind: type[exp.Expr], literal: str) -> bool:
    types = tuple(column.type for column in table.partition_columns)
    value = ((0, key_value(literal, types[0])),)
    lower, upper = keys.lower.key(types), keys.upper.key(types)
    if kind is exp.EQ:
        return lower <= value < upper
    if kind is exp.LT:
        return lower < value
    if kind is exp.LTE:
        return lower <= value
    return value < upper
