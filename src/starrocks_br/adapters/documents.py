"""How JSON in a row is written and read: compact, sorted, deterministic; and strict.

What a newer version, a cut value or a stray hand has changed is an error that names row and field, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import cache, partial
from operator import is_
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import cattrs

from starrocks_br.domain.errors import InvalidName, StarRocksBrError
from starrocks_br.domain.names import (
    DatabaseName,
    Label,
    PartitionName,
    TableName,
    database_name,
    label_name,
    partition_name,
    table_name,
)

PART_BYTES: Final = 1_000_000
"""Where what is written is cut or packed: VARCHAR(1048576), the widest there is, counts bytes (O2§y9)."""

MAX_BYTES: Final = 1_048_576

T = TypeVar("T")

encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False).encode
"""Write a value of dicts, lists and scalars. Pure ASCII, so that characters are bytes."""


class DamagedDocument(StarRocksBrError):
    """A stored row is not what was written, or was written by a version that this one does not know."""


def read(text: str, where: str, make: Callable[[Any], T]) -> T:
    """Read a document.

    Args:
        text: The document.
        where: Names its row and field.
        make: Turns dicts, lists and scalars into what is wanted; it may raise what `converter` raises.

    Raises:
        DamagedDocument: It is not what was written.
    """
    try:
        return make(parse(text))
    except cattrs.BaseValidationError as error:
        problems = cattrs.transform_error(error, path="", format_exception=_in_words)
        raise DamagedDocument(f"{where}: {'; '.join(problem.removesuffix(' @ ') for problem in problems)}") from None
    except (ValueError, TypeError, KeyError, RecursionError, InvalidName) as error:
        raise DamagedDocument(f"{where}: {_in_words(error)}") from None


def parse(text: str) -> Any:
    """Read JSON of texts, whole numbers, lists and mappings without double names. Raises ValueError."""
    return json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse, parse_float=_refuse)


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is no whole number")


def _in_words(error: BaseException, expected: object = None) -> str:
    del expected
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown fields {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown"
    return str(error) or type(error).__name__


@cache
def converter() -> cattrs.Converter:
    """The rules: types are never bent to fit, unknown fields are refused, names are checked as when they were made."""
    rules = cattrs.Converter(forbid_extra_keys=True)
    for plain in (int, str, bool):
        rules.register_structure_hook(plain, _exactly(plain))
    rules.register_structure_hook(StrEnum, _member)  # else the rule for str would do, and give a mere text
    for name, check in _NAMES.items():
        rules.register_structure_hook_func(partial(is_, name), _checked(check))
    rules.register_structure_hook_factory(_is_tuple, _tuple_hook)
    rules.register_structure_hook_func(_is_literal, _literal)
    return rules


_NAMES: Final[dict[Any, Callable[[str], str]]] = {
    DatabaseName: database_name,
    Label: label_name,
    PartitionName: partition_name,
    TableName: table_name,
}


def exactly(value: object, kind: type[T]) -> T:
    """The value, if it is of just this type: True is no number here. Raises TypeError."""
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is no {kind.__name__}")
    return value


def _exactly(kind: type[T]) -> Callable[[object, object], T]:
    return lambda value, _: exactly(value, kind)


def _member(value: object, kind: type[StrEnum]) -> StrEnum:
    return kind(exactly(value, str))


def _checked(check: Callable[[str], str]) -> Callable[[object, object], str]:
    return lambda value, _: check(exactly(value, str))


def _is_literal(wanted: Any) -> bool:
    return get_origin(wanted) is Literal


def _literal(value: object, wanted: Any) -> object:
    """Equal is not enough: True would be 1."""
    if not any(type(value) is type(one) and value == one for one in get_args(wanted)):
        raise ValueError(f"{value!r:.60} is not {' or '.join(map(repr, get_args(wanted)))}")
    return value


def _is_tuple(wanted: Any) -> bool:
    return get_origin(wanted) is tuple


def _tuple_hook(wanted: Any, rules: cattrs.BaseConverter) -> Callable[[object, object], tuple[object, ...]]:
    kind = get_args(wanted)[0]
    make = rules.get_structure_hook(kind)
    return lambda value, _: tuple(make(item, kind) for item in exactly(value, list))
