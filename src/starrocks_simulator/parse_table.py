"""CREATE TABLE: text to a definition that nothing has checked against the cluster yet."""

from __future__ import annotations

import itertools
from typing import Final

from attrs import define, field

from starrocks_simulator.catalog import Column, Distribution, Index, Model, Partitioning
from starrocks_simulator.column_types import parse_type
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing
from starrocks_simulator.expressions import parse_expression
from starrocks_simulator.lexer import Token, unquote
from starrocks_simulator.parse_partitions import PartitionItem, partition_items

_AGGREGATIONS: Final = ("SUM", "MAX", "MIN", "REPLACE", "REPLACE_IF_NOT_NULL")
_MODELS: Final = {
    "DUPLICATE": Model.DUPLICATE,
    "AGGREGATE": Model.AGGREGATE,
    "UNIQUE": Model.UNIQUE,
    "PRIMARY": Model.PRIMARY,
}
_RANKS: Final = {
    "ENGINE": 0,
    **dict.fromkeys(_MODELS, 1),
    "COMMENT": 2,
    "PARTITION": 3,
    "DISTRIBUTED": 4,
    "ORDER": 5,
    "ROLLUP": 6,
    "PROPERTIES": 7,
}
"""The clauses behind the columns, in the only order that the grammar allows."""

_UNITS: Final = frozenset({"hour", "day", "week", "month", "quarter", "year"})


@define
class TableDefinition:
    """A CREATE TABLE as written.

    Attributes:
        columns: In order.
        indexes: In order.
        model: DUPLICATE where nothing is said.
        keys: Names of the key columns; empty where nothing is said.
        partitioning: None without PARTITION BY.
        items: The partitions named.
        distribution: None without DISTRIBUTED BY.
        order_by: Names of ORDER BY.
        rollups: Name to columns.
        engine: In lower case; "olap" where nothing is said.
    """

    columns: list[Column] = field(factory=list)
    indexes: list[Index] = field(factory=list)
    engine: str = "olap"
    model: Model | None = None
    keys: list[str] = field(factory=list)
    comment: str = ""
    partitioning: Partitioning | None = None
    items: list[PartitionItem] = field(factory=list)
    distribution: Distribution | None = None
    order_by: list[str] = field(factory=list)
    rollups: dict[str, list[str]] = field(factory=dict)
    properties: dict[str, str] = field(factory=dict)


def table_definition(cursor: Cursor) -> TableDefinition:
    """Step over everything behind the table's name.

    Raises:
        ServerError: Syntax errors, and what the parser already refuses.
    """
    found = TableDefinition()
    _body(cursor, found)
    last = -1
    while cursor.next.kind is not Token.END:
        rank = _RANKS.get(cursor.next.value, -1)
        if rank <= last:
            cursor.end()
        last = rank
        _clause(cursor, found)
    return found


def _body(cursor: Cursor, found: TableDefinition) -> None:
    cursor.expect("(")
    while True:
        if cursor.looking_at("INDEX"):
            found.indexes.append(_index(cursor))
        else:
            found.columns.append(column_definition(cursor))
        if not cursor.accept(","):
            break
    cursor.expect(")")


def _clause(cursor: Cursor, found: TableDefinition) -> None:
    if cursor.accept("ENGINE"):
        cursor.expect("=")
        found.engine = cursor.name().lower()
    elif cursor.accept("COMMENT"):
        found.comment = cursor.string()
    elif cursor.accept("PARTITION", "BY"):
        _partition_by(cursor, found)
    elif cursor.accept("DISTRIBUTED", "BY"):
        found.distribution = distribution(cursor)
    elif cursor.accept("ORDER", "BY"):
        found.order_by = cursor.names()
    elif cursor.accept("ROLLUP"):
        _rollups(cursor, found)
    elif cursor.looking_at("PROPERTIES"):
        found.properties = cursor.optional_properties()
    else:
        found.model = _MODELS[cursor.take().value]
        cursor.expect("KEY")
        found.keys = cursor.names()


def _rollups(cursor: Cursor, found: TableDefinition) -> None:
    """`ROLLUP (r (a, b) [PROPERTIES (…)], …)`."""
    cursor.expect("(")
    while True:
        name = cursor.name()
        found.rollups[name] = cursor.names()
        cursor.optional_properties()
        if not cursor.accept(","):
            break
    cursor.expect(")")


def column_definition(cursor: Cursor) -> Column:
    """Step over `name type [charset] [KEY] [agg] [NULL|NOT NULL] [DEFAULT …|AUTO_INCREMENT|AS expr] [COMMENT '…']`."""
    column = Column(cursor.name(), parse_type(cursor))
    while True:
        if cursor.accept("KEY"):
            column.is_key = True
        elif cursor.accept("NOT", "NULL"):
            column.nullable = False
        elif cursor.accept("NULL"):
            column.nullable = True
        elif cursor.accept("DEFAULT"):
            column.default = _default(cursor)
        elif cursor.accept("AUTO_INCREMENT"):
            column.auto_increment, column.nullable = True, False
        elif cursor.accept("AS"):
            column.generated = _quoted(_expression(cursor))
        elif cursor.accept("COMMENT"):
            column.comment = cursor.string()
        else:
            aggregation = cursor.accept_any(*_AGGREGATIONS)
            if aggregation is None:
                return column
            column.aggregation = aggregation


def _default(cursor: Cursor) -> str | None:
    if cursor.accept("NULL"):
        return None
    if cursor.accept("CURRENT_TIMESTAMP"):
        if cursor.accept("("):
            cursor.expect(")")
        return "CURRENT_TIMESTAMP"
    if cursor.accept("("):
        inner = cursor.name()
        cursor.expect("(", ")", ")")
        raise analyzing(f"the simulator knows no default ({inner}())")
    return cursor.string() if cursor.next.kind is Token.STRING else cursor.take().text


def _quoted(expression: str) -> str:
    """An expression as the server prints it: names in back-quotes (y1_gen:8 of the transcripts)."""
    return parse_expression(expression).sql(dialect="starrocks", identify=True)


def _expression(cursor: Cursor) -> str:
    """The text up to the end of the column: a comma or closing parenthesis outside parentheses, or COMMENT."""
    start, depth, end = cursor.next.start, 0, cursor.next.start
    while cursor.next.kind is not Token.END:
        text = cursor.next.text
        if depth == 0 and (text in {",", ")"} or cursor.looking_at("COMMENT")):
            break
        depth += (text == "(") - (text == ")")
        end = cursor.take().end
    return cursor.text[start:end]


def _index(cursor: Cursor) -> Index:
    cursor.expect("INDEX")
    name = cursor.name()
    columns = cursor.names()
    return index_tail(cursor, name, columns)


def index_tail(cursor: Cursor, name: str, columns: list[str]) -> Index:
    """Step over `USING type [(properties)] [COMMENT '…']`."""
    kind = cursor.name().upper() if cursor.accept("USING") else "BITMAP"
    properties = cursor.properties() if cursor.looking_at("(") else {}
    comment = cursor.string() if cursor.accept("COMMENT") else ""
    return Index(name, columns, kind, properties, comment)


def distribution(cursor: Cursor) -> Distribution:
    """Step over `HASH (…) [BUCKETS n]` or `RANDOM [BUCKETS n]`."""
    if cursor.accept("RANDOM"):
        columns: list[str] = []
    else:
        cursor.expect("HASH")
        columns = cursor.names()
    return Distribution(columns, cursor.integer() if cursor.accept("BUCKETS") else 0)


def _partition_by(cursor: Cursor, found: TableDefinition) -> None:
    kind = cursor.accept_any("RANGE", "LIST")
    if kind and cursor.looking_at("("):
        columns = _range_columns(cursor)
        found.partitioning = Partitioning(kind, [name for name, _ in columns])
        unit = next((unit for _, unit in columns if unit), "")
        if unit:
            found.partitioning.automatic, found.partitioning.unit = True, unit
            found.partitioning.expressions = [_truncated(columns[0][0], unit)]
        if cursor.looking_at("("):
            found.items = partition_items(cursor)
        return
    found.partitioning = _automatic(cursor, found)
    if cursor.looking_at("("):
        found.items = partition_items(cursor)


def _range_columns(cursor: Cursor) -> list[tuple[str, str]]:
    """`(dt)` or `(date_trunc('day', dt))`: names with the unit that cuts them."""
    cursor.expect("(")
    found = [_term(cursor)]
    while cursor.accept(","):
        found.append(_term(cursor))
    cursor.expect(")")
    return found


def _automatic(cursor: Cursor, found: TableDefinition) -> Partitioning:
    """`date_trunc('day', dt)`, `(a, b)`, or a mixture, which gets a hidden generated column per call (O§f)."""
    if cursor.accept("("):
        terms = [_term(cursor)]
        while cursor.accept(","):
            terms.append(_term(cursor))
        cursor.expect(")")
    else:
        terms = [_term(cursor)]
        while cursor.accept(","):
            terms.append(_term(cursor))
    if len(terms) == 1 and terms[0][1]:
        name, unit = terms[0]
        return Partitioning("RANGE", [name], automatic=True, unit=unit, expressions=[_truncated(name, unit)])
    numbers = itertools.count()
    columns = [_generated(found, next(numbers), name, unit) if unit else name for name, unit in terms]
    return Partitioning("LIST", columns, automatic=True, expressions=[f"`{name}`" for name in columns])


def _truncated(name: str, unit: str) -> str:
    return f"date_trunc('{unit}', {name})"


def _generated(found: TableDefinition, number: int, name: str, unit: str) -> str:
    source = next((column for column in found.columns if column.name.lower() == name.lower()), None)
    if source is None:
        raise analyzing(f"Partition exp column:{name} does not exist in columns")
    hidden = f"__generated_partition_column_{number}"
    found.columns.append(
        Column(hidden, source.type, generated=f"date_trunc('{unit}', `{name}`)", hidden=True, nullable=True)
    )
    return hidden


def _term(cursor: Cursor) -> tuple[str, str]:
    name = cursor.name()
    if name.lower() not in {"date_trunc", "time_slice", "str2date"} or not cursor.accept("("):
        return name, ""
    if name.lower() != "date_trunc":
        raise analyzing(f"the simulator knows no partitions by {name}")
    unit = unquote(cursor.take().text).lower()
    if unit not in _UNITS:
        raise analyzing(f"Unsupported date_trunc unit: {unit}")
    cursor.expect(",")
    column = cursor.name()
    cursor.expect(")")
    return column, unit
