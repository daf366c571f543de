"""What the tables hold, by somebody who believes nothing: plain dicts, moved in step with the simulator."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

Cell = int | str | None
Name = tuple[str, str]
"""A table by database and name."""

Contents = tuple[tuple[str, ...], frozenset[str], tuple[tuple[Cell, ...], ...]]
"""What anybody can see of a table: its columns, its partitions (none where it has no names to give), its rows."""

MOMENTS_APART: Final = 90.0
"""Seconds: the looks before and after a cut are not further away from it."""

_UIDS: Final = itertools.count(1)


@dataclass
class Part:
    """A partition.

    Attributes:
        key: The day or the city that it takes, as a number.
        rows: Each by the unique ids of the columns that were there when it was loaded.
        held: Rows of loads that are committed and not visible, oldest first.
    """

    key: int
    rows: list[dict[int, Cell]] = field(default_factory=list)
    held: list[list[dict[int, Cell]]] = field(default_factory=list)


@dataclass
class Table:
    """A table.

    Attributes:
        kind: range, primary, list, auto, or plain.
        columns: Name and unique id; the first three are id, the partition column, v.
        parts: By name.
        temps: Temporary partitions, by name.
        bin: Dropped partitions that can be recovered.
        uid: Which table it is, whatever it is called.
    """

    kind: str
    columns: list[tuple[str, int]]
    parts: dict[str, Part] = field(default_factory=dict)
    temps: dict[str, Part] = field(default_factory=dict)
    bin: dict[str, Part] = field(default_factory=dict)
    uid: int = field(default_factory=lambda: next(_UIDS))
    columns_made: int = 3

    def contents(self) -> Contents:
        """What anybody can see."""
        names = frozenset() if self.kind == "plain" else frozenset(self.parts)
        rows = [tuple(row.get(uid) for _, uid in self.columns) for part in self.parts.values() for row in part.rows]
        return tuple(name for name, _ in self.columns), names, tuple(sorted(rows, key=repr))

    def part_with(self, key: int) -> str | None:
        """The partition that takes a key."""
        return next((name for name, part in self.parts.items() if part.key == key or self.kind == "plain"), None)

    def put(self, part: Part, rows: list[dict[int, Cell]]) -> None:
        """Load rows: a PRIMARY KEY table replaces those with the same id."""
        if self.kind == "primary":
            new = {row[0] for row in rows}
            part.rows[:] = [row for row in part.rows if row[0] not in new]
        part.rows.extend(rows)


@dataclass
class Model:
    """All tables of one cluster, and what they held at which time.

    Attributes:
        tables: The live ones.
        bin: Dropped ones that can be recovered, newest last.
        views: Names that views hold.
        timeline: Per name, every state with the moment it began; None while nothing has that name.
        shapes: Per name, every set of ids that the server had there, with the moment it began.
    """

    tables: dict[Name, Table] = field(default_factory=dict)
    bin: list[tuple[Name, Table]] = field(default_factory=list)
    views: set[Name] = field(default_factory=set)
    timeline: dict[Name, list[tuple[float, Table | None]]] = field(default_factory=dict)
    shapes: dict[Name, list[tuple[float, object]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, at: float) -> None:
        """Write down what has changed by now."""
        for name in self.tables.keys() | self.timeline.keys():
            table = self.tables.get(name)
            line = self.timeline.setdefault(name, [])
            before = line[-1][1] if line else None
            if (before and before.contents()) != (table and table.contents()):
                line.append((at, deepcopy(table)))

    def shaped(self, name: Name, at: float, shape: object) -> None:
        """The server has this under a name now."""
        line = self.shapes[name]
        if not line or line[-1][1] != shape:
            line.append((at, shape))

    def undone(self, name: Name, at: float, count: int) -> bool:
        """Whether what the server had at a cut came moments before it and was undone moments after it, without a trace.

        Args:
            name: The table.
            at: When the cut was.
            count: How many shapes there had been by then.
        """
        line = self.shapes[name]
        before = {one for (_, one), (end, _) in pairwise(line[:count]) if end >= at - MOMENTS_APART}
        after = {one for since, one in line[count:] if since <= at + MOMENTS_APART}
        return bool(before & after - {line[count - 1][1]}) if count else False

    def between(self, name: Name, start: float, end: float) -> Iterator[Table]:
        """Every table that a name stood for at some moment of a time, both ends included."""
        line = self.timeline.get(name, [])
        for index, (since, table) in enumerate(line):
            until = line[index + 1][0] if index + 1 < len(line) else float("inf")
            if table is not None and since <= end and until >= start:
                yield table

    def copy(self) -> dict[Name, Table]:
        """The tables as they are now, for later."""
        return deepcopy(self.tables)
