"""How long a job may take: a line through what jobs of this cluster took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from attrs import frozen

SLOWEST: Final = 1e-6
"""Seconds per byte that no object store is slower than (1 MB/s).

Else a few small jobs of slightly different sizes, whose times differ by a turn of the frontend (3 s), would foretell
months for a large one.
"""


Number = TypeVar("Number", int, float)

MOST_TIMINGS: Final = 200
"""How many jobs are looked at: what a cluster did lately tells more than what it did in other years."""


@frozen(kw_only=True)
class Timing:
    """What one job took.

    Attributes:
        size: Bytes that it moved, as the server reported them before the backup.
        seconds: From when it could begin to its end.
    """

    size: int
    seconds: float


@frozen(kw_only=True)
class Pace:
    """What jobs take: seconds = base + per_byte * bytes.

    Attributes:
        base: Seconds that a job takes whatever its size: most of them are turns of the frontend.
        per_byte: Seconds for each byte.
    """

    base: float
    per_byte: float

    def seconds(self, size: int | None) -> float | None:
        """What a job of so many bytes may take; None where they are not known."""
        return None if size is None else self.base + self.per_byte * size


def total(each: Iterable[Number | None]) -> Number | None:
    """The sum; None if one of them is not known."""
    known = list(each)
    return sum(one for one in known if one is not None) if None not in known else None


def fit(timings: Iterable[Timing]) -> Pace | None:
    """The pace that is nearest to what was measured (least squares), with no part of it less than nothing.

    Sizes that are all the same tell nothing about bytes: then every job is foretold to take their mean time. What
    took no time at all was not measured.

    Returns:
        None if nothing was measured.
    """
    known = [timing for timing in timings if timing.seconds > 0]
    if not known:
        return None
    free = _unbounded(known)
    if free.base >= 0 and 0 <= free.per_byte <= SLOWEST:
        return free
    return min(_at_a_bound(known), key=lambda pace: _distance(pace, known))


def _unbounded(known: Sequence[Timing]) -> Pace:
    """In whole numbers as far as it goes: sizes may be so large that floats do not tell them apart."""
    count, total = len(known), sum(timing.size for timing in known)
    off_mean = [count * timing.size - total for timing in known]
    spread = sum(off * off for off in off_mean)
    mean = sum(timing.seconds for timing in known) / count
    moved = sum(off * (timing.seconds - mean) for off, timing in zip(off_mean, known, strict=True))
    per_byte = count * moved / spread if spread else 0.0
    return Pace(base=mean - per_byte * total / count, per_byte=per_byte)


def _at_a_bound(known: Sequence[Timing]) -> Iterable[Pace]:
    """The best pace on each edge of what is possible, for jobs of which one at least has a size."""
    size = sum(timing.size for timing in known) / len(known)
    seconds = sum(timing.seconds for timing in known) / len(known)
    for per_byte in (0.0, SLOWEST):
        yield Pace(base=max(seconds - per_byte * size, 0.0), per_byte=per_byte)
    squares = sum(timing.size**2 for timing in known)
    through_zero = sum(timing.size * timing.seconds for timing in known) / squares
    yield Pace(base=0.0, per_byte=min(through_zero, SLOWEST))


def _distance(pace: Pace, known: Iterable[Timing]) -> float:
    return sum((pace.base + pace.per_byte * timing.size - timing.seconds) ** 2 for timing in known)
