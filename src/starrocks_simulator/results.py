"""What one statement gives back: a result set or an OK packet."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen


class Kind(Enum):
    """The MySQL type under which a column travels (R§11.11)."""

    STRING = "string"
    BIGINT = "bigint"
    INT = "int"
    DOUBLE = "double"
    DATETIME = "datetime"
    DATE = "date"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python, each time that a set is asked


@frozen
class Column:
    """Name and type of one column of a result set."""

    name: str
    kind: Kind = Kind.STRING


@frozen
class Result:
    """The outcome of one statement that succeeded.

    Attributes:
        columns: Of the result set; None for an OK packet.
        rows: Values in the columns' order: `str`, `int`, `float`, `Decimal`, `datetime` (naive, in the session's
            zone), `date`
            or None. A BOOLEAN is 0 or 1.
        affected: Rows loaded, changed or deleted, for the OK packet; of a result set, its number of rows.
        info: The OK packet's text, as `{'label':'insert_…', 'status':'VISIBLE', 'txnId':'…'}` after a load (R§11.10).
    """

    columns: tuple[Column, ...] | None = None
    rows: list[tuple[object, ...]] = field(factory=list)
    affected: int = 0
    info: str = ""


OK = Result()


def strings(names: tuple[str, ...], rows: list[tuple[object, ...]]) -> Result:
    """A result set whose columns are all strings, as every SHOW sends them (R§6)."""
    return Result(tuple(Column(name) for name in names), rows, len(rows))
