"""A cluster small enough to be obviously right: tables are dicts of rows, and events change them.

It shares no code with the product. Physical ids, versions and times move as a running frontend was seen to move them;
`written` is what no server offers: a number that is new after every change of a partition, the oracle of "changed".
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count
from typing import Final

TRACE: Final = 7 * 86400
"""Seconds for which the server tells of a finished schema change."""

Physical = tuple[int, int, int]


@dataclass(frozen=True)
class Part:
    """A partition: (id, version, time) of its physical rows, its values, its rows, and when it was written."""

    physical: tuple[Physical, ...]
    values: str
    rows: tuple[int, ...]
    written: int


@dataclass
class Table:
    """A table. `kind` is none, range or list; `columns` what its schema looks like; `schema` what it is.

    `job` is the last finished schema change that the server tells of under its name.
    """

    ident: int
    kind: str
    columns: int = 0
    schema: int | None = None
    job: int | None = None
    job_at: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    overwriting: str | None = None
    dropped: dict[str, Part] = field(default_factory=dict)

    def contents(self) -> dict[str, tuple[int, ...]]:
        """What somebody who reads it would see."""
        return {name: part.rows for name, part in self.parts.items()}


class Kind(Enum):
    """What can happen to a table."""

    LOAD = auto()
    DELETE = auto()
    TRUNCATE = auto()
    OVERWRITE = auto()
    BEGIN_OVERWRITE = auto()
    END_OVERWRITE = auto()
    REPLACE = auto()
    DROP = auto()
    ADD = auto()
    RECOVER = auto()
    RENAME_PART = auto()
    GROW = auto()
    ROLL_BACK = auto()
    ALTER = auto()
    REMAKE_COLUMN = auto()
    RECREATE = auto()
    RENAME = auto()
    SWAP = auto()
    TICK = auto()
    PAUSE = auto()


@dataclass(frozen=True)
class Event:
    """Something that happens; numbers choose among what there is when it happens, whatever that be."""

    kind: Kind
    table: int = 0
    part: int = 0


NAMES: Final = ("p0", "p1", "p2", "p3")
SIBLINGS: Final = ("db.t", "db.u", "db.w")


class World:
    """All tables of one cluster, by `database.table`, and its clock in epoch seconds."""

    def __init__(self, kinds: dict[str, str], *, cluster: str = "1", now: int = 1_760_000_000) -> None:
        self.cluster = cluster
        self.now = now
        self._ids = count(10_000)
        self._written = count(1)
        self.tables: dict[str, Table] = {}
        for name, kind in kinds.items():
            self.tables[name] = self._made(name, kind)

    def apply(self, event: Event) -> None:
        """Let the event happen; nothing happens if it makes no sense now."""
        if event.kind is Kind.TICK:
            self.now += 1
        elif event.kind is Kind.PAUSE:
            self.now += 86_400 * (1 + event.part % 8)
        elif self.tables:
            name = sorted(self.tables)[event.table % len(self.tables)]
            table = self.tables[name]
            # What an overwrite that is under way meets is not modelled: the table then takes loads only.
            if table.overwriting is None or event.kind in {Kind.LOAD, Kind.END_OVERWRITE}:
                self._act(event, name, table)

    def copy(self) -> World:
        """A world of its own from here on."""
        return deepcopy(self)

    def visible_job(self, table: Table) -> int | None:
        """The schema change that the server still tells of."""
        return table.job if table.job is not None and self.now - table.job_at <= TRACE else None

    def restored(self, name: str, source: Table) -> Table:
        """The table that RESTORE makes, without partitions yet: the server tells of its namesake's schema changes."""
        old = self.tables.get(name)
        job, job_at = (old.job, old.job_at) if old else (None, 0)
        return Table(
            ident=next(self._ids),
            kind=source.kind,
            columns=source.columns,
            schema=source.schema,
            job=job,
            job_at=job_at,
        )

    def copied(self, part: Part) -> Part:
        """The partition that RESTORE makes: new ids; version and time are the source's."""
        return replace(part, physical=tuple((next(self._ids), version, time) for _, version, time in part.physical))

    def overlaid(self, part: Part, there: Part) -> Part:
        """What RESTORE makes of a partition that is there: its id, the source's version, the time of the restore."""
        return replace(part, physical=((there.physical[0][0], part.physical[0][1], self.now),))

    def empty_like(self, part: Part) -> Part:
        """A partition made by hand for the same values."""
        return replace(part, physical=(self._new(1),), rows=(), written=next(self._written))

    def newest_job(self, database: str) -> int | None:
        """The newest schema change of any table that the server still tells of."""
        jobs = [self.visible_job(table) for name, table in self.tables.items() if name.startswith(f"{database}.")]
        return max((job for job in jobs if job is not None), default=None)

    def _act(self, event: Event, name: str, table: Table) -> None:
        on_table: dict[Kind, Callable[[str, Table, int], None]] = {
            Kind.ADD: self._add,
            Kind.RECOVER: self._recover,
            Kind.ALTER: self._alter,
            Kind.REMAKE_COLUMN: self._remake_column,
            Kind.RECREATE: self._recreate,
            Kind.RENAME: self._rename,
            Kind.SWAP: self._swap,
            Kind.END_OVERWRITE: self._end_overwrite,
        }
        if event.kind in on_table:
            on_table[event.kind](name, table, event.part)
        elif table.parts:
            part = sorted(table.parts)[event.part % len(table.parts)]
            self._act_on_part(event.kind, table, part)

    def _act_on_part(self, kind: Kind, table: Table, name: str) -> None:
        part = table.parts[name]
        first, version, _ = part.physical[0]
        fresh = (*part.rows, next(self._written))
        if kind is Kind.LOAD:
            self._write(table, name, fresh, self._moved(part, (first, version + 1, self.now)))
        elif kind is Kind.DELETE:
            self._write(table, name, part.rows[:-1], self._moved(part, (first, version + 1, self.now)))
        elif kind is Kind.TRUNCATE:
            self._write(table, name, (), (self._new(1),))
        elif kind is Kind.OVERWRITE:
            self._write(table, name, fresh[-1:], (self._new(2),))
        elif kind is Kind.REPLACE:
            number, _, _ = self._new(2)
            self._write(table, name, fresh[-1:], ((number, 5, self.now - 100),))
        elif kind is Kind.GROW:
            self._write(table, name, fresh, (*part.physical, self._new(2)))
        elif kind is Kind.ROLL_BACK:
            self.now += 3
            self._write(table, name, part.rows[:-1], self._moved(part, (first, max(1, version - 1), self.now)))
        elif kind is Kind.BEGIN_OVERWRITE:
            table.overwriting = name
        elif table.kind != "none":
            self._without_values(kind, table, name)

    def _without_values(self, kind: Kind, table: Table, name: str) -> None:
        if kind is Kind.DROP:
            table.dropped[name] = table.parts.pop(name)
        else:
            free = [other for other in NAMES if other not in table.parts]
            if free:
                table.parts[free[0]] = table.parts.pop(name)

    def _add(self, _name: str, table: Table, number: int) -> None:
        name = NAMES[number % len(NAMES)]
        if table.kind != "none" and name not in table.parts:
            table.parts[name] = self._empty(table.kind)

    def _recover(self, _name: str, table: Table, _number: int) -> None:
        for name in sorted(table.dropped.keys() - table.parts.keys()):
            table.parts[name] = table.dropped.pop(name)

    def _alter(self, _name: str, table: Table, _number: int) -> None:
        table.columns = next(self._ids)
        table.schema = table.job = next(self._ids)
        table.job_at = self.now

    def _remake_column(self, _name: str, table: Table, _number: int) -> None:
        """DROP c, ADD c: no id, version or column tells; the rows are others, and a schema change was seen."""
        table.schema = table.job = next(self._ids)
        table.job_at = self.now
        for name, part in table.parts.items():
            table.parts[name] = replace(part, rows=tuple(row + 1_000_000 for row in part.rows))

    def _recreate(self, name: str, table: Table, _number: int) -> None:
        self.tables[name] = self._made(name, table.kind)

    def _rename(self, name: str, table: Table, number: int) -> None:
        to = SIBLINGS[number % len(SIBLINGS)]
        if name in SIBLINGS and to not in self.tables:
            del self.tables[name]
            self._place(to, table)

    def _swap(self, name: str, table: Table, number: int) -> None:
        others = [
            other
            for other in SIBLINGS
            if other != name and other in self.tables and self.tables[other].overwriting is None
        ]
        if name in SIBLINGS and others:
            other = others[number % len(others)]
            mate = self.tables[other]
            self._place(name, mate)
            self._place(other, table)

    def _end_overwrite(self, _name: str, table: Table, _number: int) -> None:
        if table.overwriting is not None:
            self._write(table, table.overwriting, (next(self._written),), (self._new(2),))
            table.overwriting = None

    def _place(self, name: str, table: Table) -> None:
        if table.kind == "none":
            (part,) = table.parts.values()
            table.parts = {name.partition(".")[2]: part}
        self.tables[name] = table

    def _made(self, name: str, kind: str) -> Table:
        names = (name.partition(".")[2],) if kind == "none" else NAMES[:2]
        return Table(ident=next(self._ids), kind=kind, parts={part: self._empty(kind) for part in names})

    def _empty(self, kind: str) -> Part:
        number = next(self._ids)
        values = {"none": "", "range": f"[types: [INT]; keys: [{number}]; )", "list": f'[["v{number}"]]'}[kind]
        return Part(physical=(self._new(1),), values=values, rows=(), written=next(self._written))

    def _new(self, version: int) -> Physical:
        return next(self._ids), version, self.now

    @staticmethod
    def _moved(part: Part, first: Physical) -> tuple[Physical, ...]:
        return (first, *part.physical[1:])

    def _write(self, table: Table, name: str, rows: tuple[int, ...], physical: tuple[Physical, ...]) -> None:
        table.parts[name] = replace(table.parts[name], rows=rows, physical=physical, written=next(self._written))
