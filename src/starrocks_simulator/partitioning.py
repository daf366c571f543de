"""Ranges and lists of values: which partition a row belongs to, and how the server writes them (R§8.1)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from attrs import frozen

from starrocks_simulator.column_types import Type

KeyValue: TypeAlias = "int | str | dt.date | dt.datetime | Decimal | None"
Key: TypeAlias = tuple[KeyValue, ...]

_LEAST: Final = {"date": "0000-01-01", "datetime": "0000-01-01 00:00:00"}
_INTEGER_BITS: Final = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64, "largeint": 128}


@frozen
class Bound:
    """One end of a range.

    Attributes:
        values: As written in the DDL; a shorter tuple than the columns is filled with the least values. None =
            MAXVALUE.
    """

    values: tuple[str | None, ...]

    def key(self, types: Sequence[Type]) -> tuple[tuple[int, KeyValue], ...]:
        """Something that orders bounds and rows' keys: (-1,) least, (0, value), (1,) MAXVALUE."""
        filled = list(self.values) + [LEAST] * (len(types) - len(self.values))
        return tuple(_rank(value, kind) for value, kind in zip(filled, types, strict=True))


LEAST: Final = "\0least"


@frozen
class Range:
    """`[lower, upper)`."""

    lower: Bound
    upper: Bound

    def text(self, types: Sequence[Type]) -> str:
        """As PARTITION_VALUE and SHOW PARTITIONS write it."""
        names = ", ".join(kind.range_name for kind in types)
        ends = [
            ", ".join(_shown(value, kind) for value, kind in zip(_filled(bound, types), types, strict=True))
            for bound in (self.lower, self.upper)
        ]
        return f"[types: [{names}]; keys: [{ends[0]}]; ..types: [{names}]; keys: [{ends[1]}]; )"

    def clause(self, types: Sequence[Type]) -> str:
        """As SHOW CREATE TABLE writes it."""
        low, high = (
            ", ".join(
                "MAXVALUE" if value is None else f'"{_shown(value, kind)}"'
                for value, kind in zip(_filled(bound, types), types, strict=True)
            )
            for bound in (self.lower, self.upper)
        )
        return f"[({low}), ({high}))"

    def overlaps(self, other: Range, types: Sequence[Type]) -> bool:
        """Whether the two have a key in common."""
        return self.lower.key(types) < other.upper.key(types) and other.lower.key(types) < self.upper.key(types)

    def same(self, other: Range, types: Sequence[Type]) -> bool:
        """Whether both have the same ends, however they were written."""
        return self.lower.key(types) == other.lower.key(types) and self.upper.key(types) == other.upper.key(types)


@frozen
class ListKeys:
    """`VALUES IN (…)`: one tuple per item, as many values as partition columns; None = NULL."""

    items: tuple[tuple[str | None, ...], ...]

    def text(self) -> str:
        """As PARTITION_VALUE and SHOW PARTITIONS write it: `[["a"],["b"]]`."""
        return (
            json.dumps([list(item) for item in self.items], ensure_ascii=False, separators=(",", ":"))
            if self.items
            else ""
        )

    def clause(self) -> str:
        """As SHOW CREATE TABLE writes it: `IN ('a','b')`."""
        shown = [[_quoted(value) for value in item] for item in self.items]
        if all(len(item) == 1 for item in shown):
            return "IN (" + ", ".join(item[0] for item in shown) + ")"
        return "IN (" + ", ".join("(" + ", ".join(item) + ")" for item in shown) + ")"


PartitionKeys: TypeAlias = Range | ListKeys


def key_value(written: str | None, kind: Type) -> KeyValue:
    """The value that a literal of the DDL means for a column of that type."""
    if written is None:
        return None
    if kind.name == "date":
        return dt.date.fromisoformat(written[:10])
    if kind.name == "datetime":
        return dt.datetime.fromisoformat(written)
    if kind.name in _INTEGER_BITS or kind.name == "boolean":
        return int(written)
    return Decimal(written) if kind.name == "decimal" else written


def row_key(values: Key) -> tuple[tuple[int, KeyValue], ...]:
    """The rank of a row's partition values among bounds; NULL is the least."""
    return tuple((-1, None) if value is None else (0, value) for value in values)


def shown_value(value: KeyValue) -> str | None:
    """A row's partition value as a LIST partition made for it keeps it."""
    if value is None:
        return None
    return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else str(value)


def _rank(value: str | None, kind: Type) -> tuple[int, KeyValue]:
    if value is None:
        return (1, None)
    if value == LEAST or value == _LEAST.get(kind.name):
        return (-1, None)
    if kind.name in _INTEGER_BITS and int(value) == -(2 ** (_INTEGER_BITS[kind.name] - 1)):
        return (-1, None)
    return (0, key_value(value, kind))


def _filled(bound: Bound, types: Sequence[Type]) -> list[str | None]:
    return list(bound.values) + [LEAST] * (len(types) - len(bound.values))


def _shown(value: str | None, kind: Type) -> str:
    if value is None:
        return "MAXVALUE"
    if value == LEAST:
        bits = _INTEGER_BITS.get(kind.name)
        return str(-(2 ** (bits - 1))) if bits else _LEAST.get(kind.name, "")
    if kind.name == "datetime" and value != _LEAST["datetime"]:
        return dt.datetime.fromisoformat(value).isoformat(sep=" ")
    return value


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"
