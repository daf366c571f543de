"""Values through the in-process door: literals as mysqlclient writes them, types as it reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from starrocks_simulator.results import Column, Kind

_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}
)


_WRITE: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "NULL",
    bool: lambda value: str(int(value)),
    int: str,
    Decimal: str,
    float: lambda value: f"{value:.17g}",
    str: lambda value: f"'{value.translate(_ESCAPES)}'",
    dt.datetime: lambda value: f"'{value.isoformat(sep=' ')}'",
    dt.date: lambda value: f"'{value.isoformat()}'",
}


def literal(value: object) -> str:
    """A value as text of a statement.

    Raises:
        TypeError: Of a type that no column takes.
    """
    for kind in type(value).__mro__:
        if kind in _WRITE:
            return _WRITE[kind](value)
    raise TypeError(f"no literal for a {type(value).__name__}")


def filled_in(sql: str, values: Sequence[object] | Mapping[str, object] | None) -> str:
    """A statement with its `%s` or `%(name)s` replaced; without values it stays as it is, `%` and all."""
    if values is None:
        return sql
    if isinstance(values, Mapping):
        return sql % {name: literal(value) for name, value in values.items()}
    return sql % tuple(literal(value) for value in values)


def _text(value: object) -> str:
    match value:
        case bool():
            return str(int(value))
        case dt.datetime():
            return value.isoformat(sep=" ")
        case _:
            return str(value)


def _moment(value: object) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))


def _day(value: object) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


_READ: Final[dict[Kind, Callable[[object], object]]] = {
    Kind.STRING: _text,
    Kind.BIGINT: lambda value: int(_text(value)),
    Kind.INT: lambda value: int(_text(value)),
    Kind.BOOLEAN: lambda value: int(_text(value)),
    Kind.DOUBLE: lambda value: float(_text(value)),
    Kind.DECIMAL: lambda value: Decimal(_text(value)),
    Kind.DATETIME: _moment,
    Kind.DATE: _day,
}


def typed(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    """The rows as the driver hands them over: what travels as a string is a `str`, a DATETIME a naive `datetime`."""
    readers = [_READ[column.kind] for column in columns]
    return [
        tuple(None if value is None else read(value) for read, value in zip(readers, row, strict=True)) for row in rows
    ]
