"""Columns, sizes, durations and counts as people read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final

_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")
_KILO: Final = 1024
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400

NOTHING: Final = "-"
"""Stands where there is no value."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()) -> list[str]:
    """Align rows under headings; two blanks between columns, none at the end of a line.

    Args:
        headings: One per column.
        rows: Cells, as many as headings.
        right: The headings of columns whose cells are aligned to the right: numbers.
    """
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return [_line(headings, widths, line, right) for line in lines]


def _line(headings: Sequence[str], widths: Sequence[int], cells: Sequence[str], right: Collection[str]) -> str:
    padded = (
        cell.rjust(width) if heading in right else cell.ljust(width)
        for heading, width, cell in zip(headings, widths, cells, strict=True)
    )
    return "  ".join(padded).rstrip()


def size(count: int | None) -> str:
    """A number of bytes in binary units; `-` if unknown."""
    if count is None:
        return NOTHING
    if count < _KILO:
        return f"{count} B"
    amount = count / _KILO
    for unit in _UNITS[:-1]:
        if round(amount, 1) < _KILO:
            return f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:,.1f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """A span of time: `7 s`, `3 min 05 s`, `2 h 03 min`, `4 d 02 h`; what is smaller is cut off."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY:,} d {whole % _DAY // _HOUR:02} h"


def number(count: int, noun: str) -> str:
    """A count with its noun, in the plural if there is not exactly one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def some(names: Collection[object], most: int = 5) -> str:
    """The first few of a collection's sorted names, and how many more there are."""
    shown = ", ".join(islice(sorted(str(name) for name in names), most))
    more = len(names) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def indented(lines: Iterable[str], by: str = "  ") -> list[str]:
    """The lines, each moved to the right."""
    return [by + line for line in lines]
