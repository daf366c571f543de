"""The order in which a Java HashMap gives its keys back: the server lists some things in no other order (O2§y2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

_T = TypeVar("_T")
_LEAST_BUCKETS: Final = 16
_MASK: Final = 0xFFFF_FFFF


def by_string(items: Iterable[_T], key: Callable[[_T], str]) -> list[_T]:
    """Things in the order of a HashMap with these strings as keys, put in as they come."""
    return _ordered(list(items), lambda item: _string_hash(key(item)))


def by_long(items: Iterable[_T], key: Callable[[_T], int]) -> list[_T]:
    """Things in the order of a HashMap with these 64-bit numbers as keys, put in as they come."""
    return _ordered(list(items), lambda item: (key(item) ^ (key(item) >> 32)) & _MASK)


def _ordered(items: list[_T], hashed: Callable[[_T], int]) -> list[_T]:
    buckets = _LEAST_BUCKETS
    while len(items) > buckets * 3 // 4:
        buckets *= 2

    def bucket(item: _T) -> int:
        code = hashed(item)
        return (code ^ (code >> 16)) & (buckets - 1)

    return sorted(items, key=bucket)


def _string_hash(text: str) -> int:
    code = 0
    units = text.encode("utf-16-be")
    for index in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[index : index + 2])) & _MASK
    return code
