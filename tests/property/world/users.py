"""Users who know nothing of backups: each act is sent to the simulator and, if it took it, done to the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from starrocks_simulator.catalog import Table as ServersTable
from starrocks_simulator.catalog import TableState
from starrocks_simulator.errors import ServerError
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.running_overwrite import RunningOverwrite
from starrocks_simulator.session import Session
from tests.property.world.model import MOMENTS_APART, Cell, Model, Name, Part, Table

DATABASES: Final = ("d1", "d2")
KINDS: Final = ("range", "primary", "list", "auto", "plain")
_ONE: Final = "'replication_num'='1'"
_RANGES: Final = "PARTITION BY RANGE(k) ({parts}) "
_TEMPLATES: Final = {
    "range": "(id INT NOT NULL, k DATE NOT NULL, v INT) DUPLICATE KEY(id) " + _RANGES,
    "primary": "(id INT NOT NULL, k DATE NOT NULL, v INT) PRIMARY KEY(id, k) " + _RANGES,
    "list": "(id INT NOT NULL, k VARCHAR(10) NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY LIST(k) ({parts}) ",
    "auto": "(id INT NOT NULL, k DATE NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY date_trunc('day', k) ",
    "plain": "(id INT NOT NULL, k DATE NOT NULL, v INT) DUPLICATE KEY(id) ",
}
KEYS: Final = 4
SLOW: Final = frozenset(
    {"add column", "drop column", "replace column", "add rollup", "add view of sums", "drop rollup"}
)
"""Acts that begin a job of the server's."""


@dataclass(frozen=True)
class Act:
    """Something a user does; the numbers choose among what there is."""

    kind: str
    table: int = 0
    part: int = 0
    more: int = 0


def day(key: int) -> str:
    """The date of a key."""
    return f"2024-01-{key + 1:02}"


def shown(table: Table, key: int) -> str:
    """A key as the partition column holds it."""
    return f"c{key}" if table.kind == "list" else day(key)


def bounds(table: Table, key: int) -> str:
    """How a partition's values are written."""
    if table.kind == "list":
        return f"VALUES IN ('c{key}')"
    return f"VALUES [('{day(key)}'), ('{day(key + 1)}'))"


class Users:
    """One session that changes tables.

    They hold a session of the frontend itself, no connection: what breaks the product's never stops them.

    Args:
        frontend: Where.
        model: Moved in step.

    Attributes:
        acted: When they acted, on the clock that never jumps, and what they did.
        given_up: When temporary partitions vanished without having taken a place.
        log: The statements that the server took.
    """

    def __init__(self, frontend: Frontend, model: Model) -> None:
        self.frontend = frontend
        self.model = model
        self.session: Session = frontend.connect()
        # else a load that is not published answers with a timeout, although it is committed
        frontend.config["enable_sync_publish"] = "false"
        self._numbers = 0
        self.acted: list[tuple[float, str]] = []
        self.given_up: list[float] = []
        self.log: list[str] = []
        self._running: dict[str, RunningOverwrite] = {}
        self._acts: dict[str, Callable[[Name, Table, Act], None]] = {
            "load": self._load,
            "load nothing": self._load_nothing,
            "delete": self._delete,
            "truncate": self._truncate,
            "truncate all": self._truncate_all,
            "overwrite": self._overwrite,
            "begin overwrite": self._begin_overwrite,
            "end overwrite": self._end_overwrite,
            "give up overwrite": self._give_up_overwrite,
            "add partition": self._add_partition,
            "drop partition": self._drop_partition,
            "recover partition": self._recover_partition,
            "rename partition": self._rename_partition,
            "swap": self._swap,
            "rename": self._rename,
            "drop and create": self._drop_and_create,
            "drop": self._drop,
            "add column": self._add_column,
            "drop column": self._drop_column,
            "replace column": self._replace_column,
            "hold a load": self._hold,
            "publish": self._publish,
            "recover table": self._recover_table,
            "add rollup": self._add_rollup,
            "add view of sums": self._add_view_of_sums,
            "drop rollup": self._drop_rollup,
            "start overwrite": self._start_overwrite,
            "finish overwrite": self._finish_overwrite,
        }

    def sql(self, text: str) -> list[tuple[object, ...]]:
        """Send one statement."""
        rows = self.session.execute(text)[-1].rows
        self.log.append(f"{self.frontend.now():.0f} {text}")
        return rows

    def do(self, act: Act) -> None:
        """Do it, as far as there is anything to do it to; what the server refuses has not happened."""
        self.frontend.catch_up()
        self.acted.append((self.frontend.now() - self.frontend.skew, act.kind))
        if act.kind in {"create", "create view", "drop view"}:
            with suppress(ServerError):
                {"create": self._create_missing, "create view": self._create_view, "drop view": self._drop_view}[
                    act.kind
                ](act)
        elif self.model.tables:
            names = sorted(self.model.tables)
            name = names[act.table % len(names)]
            with suppress(ServerError):
                self._acts[act.kind](name, self.model.tables[name], act)
        self.note()

    def meddled(self, since: float, until: float) -> bool:
        """Whether they did anything in that time, or changed a shape so shortly before that it was still going on."""
        return any(
            since - (MOMENTS_APART if kind in SLOW else 0) <= at <= until + MOMENTS_APART for at, kind in self.acted
        )

    def note(self) -> None:
        """Write down what has changed by now: on the clock that never jumps."""
        now = self.frontend.now() - self.frontend.skew
        self.model.note(now)
        for name in self.model.timeline:
            found = self._server_table(name)
            parts = (
                []
                if found is None
                else [(part.name, one.id) for part in found.every_partition() for one in part.physical]
            )
            self.model.shaped(name, now, (found and found.id, frozenset(parts)))

    def create(self, name: Name, kind: str, keys: tuple[int, ...] = (0, 1)) -> None:
        """Create a table."""
        table = Table(kind, [("id", 0), ("k", 1), ("v", 2)])
        parts = ", ".join(f"PARTITION p{key} {bounds(table, key)}" for key in keys)
        text = _TEMPLATES[kind].format(parts=parts)
        self.sql(f"CREATE DATABASE IF NOT EXISTS {name[0]}")
        self.sql(f"CREATE TABLE {name[0]}.{name[1]} {text} DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES({_ONE})")
        if kind == "plain":
            table.parts["all"] = Part(0)
        elif kind != "auto":
            table.parts = {f"p{key}": Part(key) for key in keys}
        self.model.tables[name] = table
        self.note()

    def _create_missing(self, act: Act) -> None:
        name = (DATABASES[act.table % 2], "tuv"[act.part % 3])
        if name not in self.model.tables:
            self.create(name, KINDS[act.more % len(KINDS)])

    # --- views ---

    def _create_view(self, act: Act) -> None:
        name = (DATABASES[act.table % 2], "tuvr"[act.part % 4])
        self.sql(f"CREATE VIEW {name[0]}.{name[1]} AS SELECT 1 AS one")
        self.model.views.add(name)

    def _drop_view(self, act: Act) -> None:
        if self.model.views:
            name = sorted(self.model.views)[act.part % len(self.model.views)]
            self.sql(f"DROP VIEW {name[0]}.{name[1]}")
            self.model.views.remove(name)

    # --- rows ---

    def _rows(self, table: Table, key: int, count: int) -> tuple[list[dict[int, Cell]], str]:
        rows: list[dict[int, Cell]] = []
        for _ in range(count):
            self._numbers += 1
            number = self._numbers % 5 if table.kind == "primary" else self._numbers
            extra = {uid: self._numbers * 10 + uid for _, uid in table.columns[3:]}
            rows.append({0: number, 1: shown(table, key), 2: self._numbers, **extra})
        unique = list({row[0]: row for row in rows}.values())
        order = [uid for _, uid in table.columns]
        text = ", ".join("(" + ", ".join(repr(row[uid]) for uid in order) + ")" for row in unique)
        return unique, text

    def _load(self, name: Name, table: Table, act: Act) -> None:
        key = act.part % KEYS if table.kind == "auto" else self._some_key(table, act)
        if key is None:
            return
        rows, text = self._rows(table, key, 1 + act.more % 3)
        self.sql(f"INSERT INTO {name[0]}.{name[1]} VALUES {text}")
        part = table.part_with(key)
        if part is None:
            part = f"p{day(key).replace('-', '')}"
            table.parts[part] = Part(key)
        if table.parts[part].held:
            table.parts[part].held.append(rows)
        else:
            table.put(table.parts[part], rows)

    def _some_key(self, table: Table, act: Act) -> int | None:
        names = sorted(table.parts)
        return table.parts[names[act.part % len(names)]].key if names else None

    def _some_part(self, table: Table, act: Act) -> str | None:
        names = sorted(table.parts)
        return names[act.part % len(names)] if names else None

    def _in(self, table: Table, part: str) -> str:
        return "" if table.kind == "plain" else f" PARTITION ({part})"

    def _load_nothing(self, name: Name, table: Table, _act: Act) -> None:
        if table.parts:
            self.sql(f"INSERT INTO {name[0]}.{name[1]} SELECT * FROM {name[0]}.{name[1]} WHERE id < 0")

    def _delete(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is None or any(one.held for one in table.parts.values()):
            return
        limit = act.more % 7
        # a DELETE from a PRIMARY KEY table takes no partition
        where = "" if table.kind == "primary" else self._in(table, part)
        self.sql(f"DELETE FROM {name[0]}.{name[1]}{where} WHERE id > {limit}")
        touched = table.parts.values() if table.kind == "primary" else [table.parts[part]]
        for one in touched:
            one.rows[:] = [row for row in one.rows if isinstance(row[0], int) and row[0] <= limit]

    def _truncate(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is not None:
            self.sql(f"TRUNCATE TABLE {name[0]}.{name[1]}{self._in(table, part)}")
            table.parts[part] = Part(table.parts[part].key)

    def _truncate_all(self, name: Name, table: Table, _act: Act) -> None:
        self.sql(f"TRUNCATE TABLE {name[0]}.{name[1]}")
        table.parts = {one: Part(part.key) for one, part in table.parts.items()}

    # --- overwriting ---

    def _overwrite(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is None:
            return
        rows, text = self._rows(table, table.parts[part].key, 1 + act.more % 2)
        self.sql(f"INSERT OVERWRITE {name[0]}.{name[1]}{self._in(table, part)} VALUES {text}")
        table.parts[part] = Part(table.parts[part].key, rows)

    def _begin_overwrite(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is None or table.kind in {"plain", "auto"} or table.temps:
            return
        key = table.parts[part].key
        where = f"{name[0]}.{name[1]}"
        self.sql(f"ALTER TABLE {where} ADD TEMPORARY PARTITION tmp {bounds(table, key)}")
        table.temps["tmp"] = Part(key)
        rows, text = self._rows(table, key, 1)
        self.sql(f"INSERT INTO {where} TEMPORARY PARTITION (tmp) VALUES {text}")
        table.temps["tmp"].rows.extend(rows)

    def _end_overwrite(self, name: Name, table: Table, _act: Act) -> None:
        for temp, new in [one for one in table.temps.items() if one[0] not in self._running]:
            old = table.part_with(new.key)
            if old is None:
                return
            self.sql(
                f"ALTER TABLE {name[0]}.{name[1]} REPLACE PARTITION ({old}) WITH TEMPORARY PARTITION ({temp}) "
                "PROPERTIES('strict_range'='false')"
            )
            del table.temps[temp]
            table.parts[old] = new

    def _give_up_overwrite(self, name: Name, table: Table, _act: Act) -> None:
        for temp in list(table.temps):
            self.given_up.append(self.frontend.now())
            if temp in self._running:
                self._running.pop(temp).abort()
            else:
                self.sql(f"ALTER TABLE {name[0]}.{name[1]} DROP TEMPORARY PARTITION {temp}")
            del table.temps[temp]

    def _start_overwrite(self, name: Name, table: Table, act: Act) -> None:
        """An INSERT OVERWRITE that takes its time."""
        part = self._some_part(table, act)
        if part is None or table.temps or table.kind == "auto":
            return
        server = self._server_table(name)
        if server is None or server.state is not TableState.NORMAL:
            return
        target = name[1] if table.kind == "plain" else part
        running = self.frontend.begin_overwrite(*name, [target])
        temp = running.replacements[0][1].name
        rows, text = self._rows(table, table.parts[part].key, 1)
        self._running[temp] = running
        self.log.append(f"an overwrite begins: {temp}")
        table.temps[temp] = Part(table.parts[part].key)
        self.sql(f"INSERT INTO {name[0]}.{name[1]} TEMPORARY PARTITION ({temp}) VALUES {text}")
        table.temps[temp].rows.extend(rows)

    def _finish_overwrite(self, name: Name, table: Table, _act: Act) -> None:
        for temp in [one for one in table.temps if one in self._running]:
            running, new = self._running.pop(temp), table.temps.pop(temp)
            old = running.replacements[0][0]
            known = running.table.partitions.get(old.name) is old
            if known and self._server_table(name) is running.table and running.table.state is TableState.NORMAL:
                running.finish()
                self.log.append(f"the overwrite ends: {temp}")
                table.parts["all" if table.kind == "plain" else old.name] = new
            else:
                running.abort()
                self.given_up.append(self.frontend.now())

    def _server_table(self, name: Name) -> ServersTable | None:
        found = self.frontend.catalog.databases[name[0]].tables.get(name[1])
        return found if isinstance(found, ServersTable) else None

    # --- partitions ---

    def _add_partition(self, name: Name, table: Table, act: Act) -> None:
        taken = {part.key for part in table.parts.values()}
        free = [key for key in range(KEYS) if key not in taken]
        if table.kind in {"plain", "auto"} or not free:
            return
        key = free[act.part % len(free)]
        new = next(one for one in (f"p{key}", f"r{key}", f"s{key}") if one not in table.parts)
        self.sql(f"ALTER TABLE {name[0]}.{name[1]} ADD PARTITION {new} {bounds(table, key)}")
        table.parts[new] = Part(key)

    def _drop_partition(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is None or table.kind == "plain":
            return
        force = " FORCE" if act.more % 2 else ""
        self.sql(f"ALTER TABLE {name[0]}.{name[1]} DROP PARTITION {part}{force}")
        gone = table.parts.pop(part)
        if not force:
            table.bin[part] = gone

    def _recover_partition(self, name: Name, table: Table, act: Act) -> None:
        taken = {part.key for part in table.parts.values()}
        names = [one for one, part in sorted(table.bin.items()) if part.key not in taken and one not in table.parts]
        if names:
            part = names[act.part % len(names)]
            self.sql(f"RECOVER PARTITION {part} FROM {name[0]}.{name[1]}")
            table.parts[part] = table.bin.pop(part)

    def _rename_partition(self, name: Name, table: Table, act: Act) -> None:
        part = self._some_part(table, act)
        if part is None or table.kind in {"plain", "auto"}:
            return
        key = table.parts[part].key
        new = next(one for one in (f"q{key}", f"r{key}", f"s{key}") if one not in table.parts)
        self.sql(f"ALTER TABLE {name[0]}.{name[1]} RENAME PARTITION {part} {new}")
        table.parts[new] = table.parts.pop(part)

    # --- tables ---

    def _swap(self, name: Name, table: Table, act: Act) -> None:
        others = [one for one in sorted(self.model.tables) if one[0] == name[0] and one != name]
        if others:
            other = others[act.part % len(others)]
            self.sql(f"ALTER TABLE {name[0]}.{name[1]} SWAP WITH {other[1]}")
            self.model.tables[name], self.model.tables[other] = self.model.tables[other], table

    def _rename(self, name: Name, table: Table, act: Act) -> None:
        new = (name[0], "tuvw"[act.part % 4])
        if new not in self.model.tables:
            self.sql(f"ALTER TABLE {name[0]}.{name[1]} RENAME {new[1]}")
            self.model.tables[new] = self.model.tables.pop(name)
            del table

    def _drop_and_create(self, name: Name, table: Table, act: Act) -> None:
        self._drop(name, table, act)
        kind = table.kind if act.more % 3 else KINDS[act.part % len(KINDS)]
        self.create(name, kind)

    def _drop(self, name: Name, table: Table, act: Act) -> None:
        self.sql(f"DROP TABLE {name[0]}.{name[1]}{' FORCE' if act.more % 2 else ''}")
        del self.model.tables[name]
        for temp in list(table.temps):  # they do not come back with RECOVER
            self._running.pop(temp, None)
            del table.temps[temp]
        if act.more % 2 == 0:
            self.model.bin.append((name, table))

    def _recover_table(self, _name: Name, _table: Table, act: Act) -> None:
        absent = [one for one, _ in self.model.bin if one not in self.model.tables]
        if absent:
            name = absent[act.part % len(absent)]
            self.sql(f"RECOVER TABLE {name[0]}.{name[1]}")
            at = max(at for at, (one, _) in enumerate(self.model.bin) if one == name)
            self.model.tables[name] = self.model.bin.pop(at)[1]

    # --- columns ---

    def _add_column(self, name: Name, table: Table, _act: Act) -> None:
        if "c" not in dict(table.columns) and not any(part.held for part in table.parts.values()):
            self.sql(f"ALTER TABLE {name[0]}.{name[1]} ADD COLUMN c INT")
            table.columns.append(("c", table.columns_made))
            table.columns_made += 1

    def _drop_column(self, name: Name, table: Table, _act: Act) -> None:
        if "c" in dict(table.columns) and not any(part.held for part in table.parts.values()):
            self.sql(f"ALTER TABLE {name[0]}.{name[1]} DROP COLUMN c")
            table.columns.pop()

    def _replace_column(self, name: Name, table: Table, act: Act) -> None:
        self._drop_column(name, table, act)
        self._add_column(name, table, act)

    # --- what stands beside a table's own rows ---

    def _add_rollup(self, name: Name, _table: Table, act: Act) -> None:
        self.sql(f"ALTER TABLE {name[0]}.{name[1]} ADD ROLLUP r{act.part % 2} (id, v)")

    def _add_view_of_sums(self, name: Name, _table: Table, act: Act) -> None:
        where = f"{name[0]}.{name[1]}"
        self.sql(f"CREATE MATERIALIZED VIEW m{act.part % 2} AS SELECT id, sum(v) AS s FROM {where} GROUP BY id")

    def _drop_rollup(self, name: Name, _table: Table, act: Act) -> None:
        self.sql(f"ALTER TABLE {name[0]}.{name[1]} DROP ROLLUP r{act.part % 2}")

    # --- loads that are committed and not visible ---

    def _hold(self, name: Name, table: Table, act: Act) -> None:
        key = self._some_key(table, act)
        if key is None or table.kind == "auto":
            return
        rows, text = self._rows(table, key, 1)
        self.frontend.faults.hold_publish = True
        try:
            self.sql(f"INSERT INTO {name[0]}.{name[1]} VALUES {text}")
        finally:
            self.frontend.faults.hold_publish = False
        part = table.part_with(key)
        if part is not None:
            table.parts[part].held.append(rows)

    def _publish(self, *_anything: object) -> None:
        self.frontend.held_loads.publish()
        for table in (*self.model.tables.values(), *(one for _, one in self.model.bin)):
            for part in (*table.parts.values(), *table.bin.values()):
                for rows in part.held:
                    table.put(part, rows)
                part.held.clear()


_USUAL: Final = (
    *("load",) * 16,
    *("overwrite", "truncate", "add partition", "drop partition", "create", "replace column") * 3,
    *("load nothing", "delete", "truncate all", "recover partition", "rename partition"),
    *("begin overwrite", "end overwrite", "give up overwrite", "start overwrite", "finish overwrite"),
    *("swap", "rename", "drop and create", "drop", "recover table", "add column", "drop column", "replace column"),
    *("hold a load", "publish", "add rollup", "add view of sums", "drop rollup", "create view", "drop view"),
)
_SNEAKY: Final = (
    *("load",) * 6,
    *("drop and create", "swap", "rename", "drop partition", "overwrite", "truncate", "rename partition") * 2,
    *("start overwrite", "finish overwrite", "give up overwrite", "begin overwrite", "replace column", "delete"),
    *("add partition", "recover partition", "recover table", "publish", "add rollup", "truncate all", "create view"),
)
_CHOICES: Final = 6


def _decoded(number: int, kinds: tuple[str, ...]) -> Act:
    number, more = divmod(number, _CHOICES)
    number, part = divmod(number, _CHOICES)
    kind, table = divmod(number, _CHOICES)
    return Act(kinds[kind], table, part, more)


def _drawn(kinds: tuple[str, ...]) -> st.SearchStrategy[Act]:
    """One number for each act: drawing and shrinking are quick, and long histories fit in what may be drawn."""
    return st.integers(0, len(kinds) * _CHOICES**3 - 1).map(lambda number: _decoded(number, kinds))


acts: Final = _drawn(_USUAL)
sneaky: Final = _drawn(_SNEAKY)
"""Acts that matter most while a table is backed up or restored."""
