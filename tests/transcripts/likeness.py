"""When two answers count as the same: ids by a bijection learned on the way, instants roughly, the rest exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from attrs import define, field

_TOKEN = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3})"
    r"|(?P<moment>\d{4,5}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"|(?P<hash>(?<![0-9a-zA-Z])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-zA-Z]))"
    r"|(?P<build>\d+\.\d+\.\d+-\w+)"
    r"|(?P<number>(?<![\d.])\d+)"
)
_LEAST_ID = 10_000
"""The server's counter starts above it (ids of backends); smaller numbers are versions, counts, sizes."""
_SECONDS = range(1_700_000_000, 2_000_000_000)
_MILLISECONDS = range(1_700_000_000_000, 2_000_000_000_000)


class Unlike(Exception):
    """Two values differ; says how."""


@define
class Likeness:
    """What has been learned about how the recorded world maps onto ours.

    Attributes:
        tolerance: Seconds by which two instants may differ: a tick's phase is chance.
        ours: Recorded id or timestamp → ours.
        recorded: The inverse; together they make it a bijection.
    """

    tolerance: float
    ours: dict[str, str] = field(factory=dict)
    recorded: dict[str, str] = field(factory=dict)

    def same_value(self, recorded: object, ours: object, *, name: str = "") -> None:
        """Compare one cell and learn from it.

        Raises:
            Unlike: They differ, and how.
        """
        left, right = _plain(recorded), _plain(ours)
        if left is None or right is None:
            if left is not right:
                raise Unlike(f"{name}: recorded {left!r}, ours {right!r}")
            return
        if _json(left) is not None and _json(right) is not None:
            self._same_tree(_json(left), _json(right), name)
            return
        self._same_text(left, right, name)

    def same_row(self, recorded: Sequence[object], ours: Sequence[object], names: Sequence[str]) -> None:
        """Compare a row cell by cell; learn from all of it or nothing."""
        before = (dict(self.ours), dict(self.recorded))
        try:
            for name, left, right in zip(names, recorded, ours, strict=True):
                self.same_value(left, right, name=name)
        except Unlike as unlike:
            self.ours, self.recorded = before
            raise Unlike(f"{unlike} | {_head([recorded])} / {_head([ours])}") from None

    def same_rows(self, recorded: Sequence[Sequence[Any]], ours: Sequence[Sequence[Any]], names: Sequence[str]) -> None:
        """Compare result sets: in order, or where the server keeps none, by finding each row its like."""
        if len(recorded) != len(ours):
            raise Unlike(f"{len(recorded)} rows recorded, ours {len(ours)}: {_head(recorded)} / {_head(ours)}")
        before = (dict(self.ours), dict(self.recorded))
        try:
            for left, right in zip(recorded, ours, strict=True):
                self.same_row(left, right, names)
        except Unlike as in_order:
            self.ours, self.recorded = before
            self._same_rows_anyhow(recorded, list(ours), names, in_order)

    def to_ours(self, text: str) -> str:
        """A recorded statement with the ids and timestamps that we gave out instead."""

        def replace(found: re.Match[str]) -> str:
            return self.ours.get(found[0], found[0])

        return _TOKEN.sub(replace, text)

    def _same_rows_anyhow(
        self, recorded: Sequence[Sequence[Any]], ours: list[Sequence[Any]], names: Sequence[str], in_order: Unlike
    ) -> None:
        before = (dict(self.ours), dict(self.recorded))
        for left in recorded:
            for candidate in ours:
                try:
                    self.same_row(left, candidate, names)
                except Unlike:
                    continue
                ours.remove(candidate)
                break
            else:
                self.ours, self.recorded = before
                raise in_order

    def _same_tree(self, left: Any, right: Any, name: str) -> None:
        match left, right:
            case dict(), dict():
                if len(left) != len(right):
                    raise Unlike(f"{name}: keys {sorted(left)} recorded, ours {sorted(right)}")
                for key, value in left.items():
                    mine = key if key in right else self.ours.get(key, key)
                    if mine not in right:
                        raise Unlike(f"{name}: key {key!r} recorded, ours {sorted(right)}")
                    self._same_tree(value, right[mine], f"{name}.{key}")
            case list(), list():
                if len(left) != len(right):
                    raise Unlike(f"{name}: {left!r} recorded, ours {right!r}")
                for one, other in zip(left, right, strict=True):
                    self._same_tree(one, other, name)
            case _:
                self._same_text(str(left), str(right), name)

    def _same_text(self, left: str, right: str, name: str) -> None:
        if left == right:
            self._learn_equal(left)
            return
        if _TOKEN.sub("\0", left) != _TOKEN.sub("\0", right):
            raise Unlike(f"{name}: recorded {left!r}, ours {right!r}")
        by_name = name.lower().endswith("id") and name.lower() != "partitionid"
        for one, other in zip(_TOKEN.finditer(left), _TOKEN.finditer(right), strict=True):
            if not self._same_token(one, other, small_ids=by_name):
                raise Unlike(f"{name}: recorded {left!r}, ours {right!r} ({one[0]} / {other[0]})")

    def _same_token(self, one: re.Match[str], other: re.Match[str], *, small_ids: bool) -> bool:
        match one.lastgroup, other.lastgroup:
            case "moment", "moment":
                return one[0] == other[0] or self._near(_moment(one[0]), _moment(other[0]))
            case "stamp", "stamp":
                return self._near(_stamp(one[0]), _stamp(other[0])) and self._learn(one[0], other[0])
            case "number", "number":
                return self._same_number(one[0], other[0], small_ids=small_ids)
            case left, right:
                return left == right

    def _same_number(self, one: str, other: str, *, small_ids: bool) -> bool:
        left, right = int(one), int(other)
        if left in _SECONDS and right in _SECONDS:
            return self._near(left, right)
        if left in _MILLISECONDS and right in _MILLISECONDS:
            return self._near(left / 1000, right / 1000)
        if min(left, right) < _LEAST_ID and not small_ids:
            return left == right
        return self._learn(one, other)

    def _near(self, left: float, right: float) -> bool:
        return abs(left - right) <= self.tolerance

    def _learn(self, left: str, right: str) -> bool:
        if self.ours.get(left, right) != right or self.recorded.get(right, left) != left:
            return False
        self.ours[left], self.recorded[right] = right, left
        return True

    def _learn_equal(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token.lastgroup == "stamp" or (token.lastgroup == "number" and int(token[0]) >= _LEAST_ID):
                self._learn(token[0], token[0])


def _plain(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(int(value))
        case float() | Decimal():
            return str(float(value)).removesuffix(".0")
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _json(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return float("nan")


def _stamp(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S-%f").timestamp()  # noqa: DTZ007 - both sides in one zone


def _head(rows: Sequence[Sequence[Any]]) -> str:
    return repr([tuple(row) for row in rows[:3]])[:300]
