"""The simulator moves ids, versions and times as the observed table says (O§n), and keeps the rows.

The oracle is a dictionary per table: partitions with the number, version, moment and rows that they must have. It knows
nothing of the simulator. An id that must be new is checked to be one that was never seen before, and adopted.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.errors import ServerError
from starrocks_simulator.frontend import Frontend

DAYS = range(1, 6)
NEW = 0
"""Stands for an id that must never have been seen before."""

Row = tuple[int, int, int]
"""id, day of January 2024, v."""


@define
class Part:
    """What one partition must look like.

    Attributes:
        day: Its day; 0 = every day.
        moment: VISIBLE_VERSION_TIME in whole epoch seconds.
    """

    day: int
    moment: int
    id: int = NEW
    version: int = 1
    rows: list[Row] = field(factory=list)


@define
class Model:
    """What one table must look like.

    Attributes:
        keyed: PRIMARY KEY(id, dt) instead of DUPLICATE KEY.
        automatic: Loads create days.
    """

    keyed: bool
    ranged: bool
    automatic: bool
    parts: dict[str, Part] = field(factory=dict)
    dropped: dict[str, Part] = field(factory=dict)
    temps: dict[str, Part] = field(factory=dict)

    def home(self, day: int) -> str | None:
        """Name of the partition that takes a day."""
        return next((name for name, part in self.parts.items() if part.day in {0, day}), None)


def date(day: int) -> str:
    """A day of January 2024."""
    return f"2024-01-{day:02}"


rows = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(DAYS), st.integers(0, 9)), min_size=1, max_size=4)
tables = st.sampled_from(["r", "p", "e", "f", "g"])
days = st.sampled_from(DAYS)


class Versions(RuleBasedStateMachine):
    """Statements in any order; after each, partitions_meta and the rows are compared with the oracle."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(1_800_000_000.25)
        self.session = Frontend(Path("unused"), clock=self.clock).connect()
        self.models: dict[str, Model] = {}
        self.dropped: dict[str, Model] = {}
        self.seen: set[int] = set()

    @property
    def now(self) -> int:
        """The moment, whole seconds."""
        return int(self.clock.now())

    def run(self, sql: str) -> None:
        """Send a statement that must succeed."""
        self.session.execute(sql)

    def refuse(self, sql: str) -> None:
        """Send a statement that must be refused."""
        with pytest.raises(ServerError):
            self.session.execute(sql)

    @initialize()
    def create(self) -> None:
        """A range, a keyed, an automatic and two unpartitioned tables."""
        self.run("CREATE DATABASE d")
        self.run("USE d")
        tail = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')"
        columns = "(id INT NOT NULL, dt DATE NOT NULL, v INT)"
        spans = ", ".join(f"PARTITION d{day} VALUES [('{date(day)}'), ('{date(day + 1)}'))" for day in (1, 2, 3))
        self.run(f"CREATE TABLE r {columns} DUPLICATE KEY(id) PARTITION BY RANGE(dt) ({spans}) {tail}")
        self.run(f"CREATE TABLE p {columns} PRIMARY KEY(id, dt) PARTITION BY RANGE(dt) ({spans}) {tail}")
        self.run(f"CREATE TABLE e {columns} DUPLICATE KEY(id) PARTITION BY date_trunc('day', dt) {tail}")
        self.run(f"CREATE TABLE f {columns} DUPLICATE KEY(id) {tail}")
        self.run(f"CREATE TABLE g {columns} DUPLICATE KEY(id) {tail}")
        for name in "rp":
            parts = {f"d{day}": Part(day, self.now) for day in (1, 2, 3)}
            self.models[name] = Model(name == "p", ranged=True, automatic=False, parts=parts)
        self.models["e"] = Model(keyed=False, ranged=True, automatic=True)
        for name in "fg":
            self.models[name] = Model(keyed=False, ranged=False, automatic=False, parts={name: Part(0, self.now)})

    @rule(seconds=st.floats(0, 100))
    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    def take(self, model: Model, new: list[Row]) -> set[str]:
        """Put rows into the oracle's partitions; gives back which got some."""
        touched = set()
        for row in new:
            name = model.home(row[1])
            assert name is not None
            part = model.parts[name]
            if model.keyed:
                part.rows = [old for old in part.rows if old[:2] != row[:2]]
            part.rows.append(row)
            touched.add(name)
        return touched

    def publish(self, model: Model, touched: set[str]) -> None:
        """One version more, now, in these partitions."""
        for name in touched:
            model.parts[name].version += 1
            model.parts[name].moment = self.now

    def values(self, new: list[Row]) -> str:
        """The rows as VALUES."""
        return ", ".join(f"({one}, '{date(day)}', {v})" for one, day, v in new)

    @rule(name=tables, new=rows)
    def insert(self, name: str, new: list[Row]) -> None:
        """INSERT: +1 in the partitions that get rows; an automatic table grows; no home, no load at all."""
        model = self.models.get(name)
        sql = f"INSERT INTO {name} VALUES {self.values(new)}"
        if model is None:
            self.refuse(sql)
            return
        if not model.automatic and any(model.home(row[1]) is None for row in new):
            self.refuse(sql)
            return
        self.grow(model, new)
        self.run(sql)
        self.publish(model, self.take(model, new))

    def grow(self, model: Model, new: list[Row]) -> None:
        """Partitions that an automatic table makes for new days."""
        for _, day, _ in new:
            if model.automatic and model.home(day) is None:
                model.parts[f"p202401{day:02}"] = Part(day, self.now)

    @rule(name=tables)
    def insert_nothing(self, name: str) -> None:
        """A load of no rows commits nothing; a table without partitions takes no load at all."""
        if name in self.models:
            empty = not self.models[name].parts and not self.models[name].automatic
            (self.refuse if empty else self.run)(f"INSERT INTO {name} SELECT * FROM {name} WHERE 1 = 0")

    @rule(day=days, one=st.integers(1, 3))
    def delete_rows(self, day: int, one: int) -> None:
        """DELETE from a duplicate table by its partition column: +1 where that day lives, rows or not."""
        model = self.models["r"]
        self.run(f"DELETE FROM r WHERE dt = '{date(day)}' AND id = {one}")
        home = model.home(day)
        if home is not None:
            model.parts[home].rows = [row for row in model.parts[home].rows if row[:2] != (one, day)]
            self.publish(model, {home})

    @rule(one=st.integers(1, 3))
    def delete_by_key(self, one: int) -> None:
        """DELETE from a keyed table: +1 where rows went."""
        model = self.models["p"]
        result = self.session.execute(f"DELETE FROM p WHERE id = {one}")[0]
        touched = {name for name, part in model.parts.items() if any(row[0] == one for row in part.rows)}
        gone = sum(row[0] == one for part in model.parts.values() for row in part.rows)
        for part in model.parts.values():
            part.rows = [row for row in part.rows if row[0] != one]
        self.publish(model, touched)
        assert result.affected == gone

    @rule(one=st.integers(1, 3), v=st.integers(0, 9))
    def update(self, one: int, v: int) -> None:
        """UPDATE: +1 where rows changed."""
        model = self.models["p"]
        result = self.session.execute(f"UPDATE p SET v = v + {v} WHERE d.p.id IN ({one})")[0]
        touched = {name for name, part in model.parts.items() if any(row[0] == one for row in part.rows)}
        changed = sum(row[0] == one for part in model.parts.values() for row in part.rows)
        for part in model.parts.values():
            part.rows = [(row[0], row[1], row[2] + v) if row[0] == one else row for row in part.rows]
        self.publish(model, touched)
        assert result.affected == changed

    def renew(self, part: Part) -> None:
        """A new id, version 1, now, no rows."""
        part.id, part.version, part.moment, part.rows = NEW, 1, self.now, []

    @rule(name=tables)
    def truncate(self, name: str) -> None:
        """TRUNCATE TABLE: every partition new, version 1."""
        if name in self.models:
            self.run(f"TRUNCATE TABLE {name}")
            for part in self.models[name].parts.values():
                self.renew(part)

    @rule(name=tables, data=st.data())
    def truncate_partition(self, name: str, data: st.DataObject) -> None:
        """TRUNCATE PARTITION: that one new, version 1."""
        model = self.models.get(name)
        if model is not None and model.parts:
            part = data.draw(st.sampled_from(sorted(model.parts)))
            self.run(f"TRUNCATE TABLE {name} PARTITION ({part})")
            self.renew(model.parts[part])

    @rule(name=tables, new=rows)
    def overwrite(self, name: str, new: list[Row]) -> None:
        """INSERT OVERWRITE: every partition new; version 2 with rows, 1 without."""
        model = self.models.get(name)
        if model is None or (not model.automatic and any(model.home(row[1]) is None for row in new)):
            return
        before = set(model.parts)
        self.grow(model, new)
        self.run(f"INSERT OVERWRITE {name} VALUES {self.values(new)}")
        for part in before:
            self.renew(model.parts[part])
        self.publish(model, self.take(model, new))

    @rule(day=days, new=rows)
    def overwrite_partition(self, day: int, new: list[Row]) -> None:
        """INSERT OVERWRITE PARTITION: that one new; rows of other days are refused."""
        model = self.models["r"]
        home = model.home(day)
        if home is None:
            return
        sql = f"INSERT OVERWRITE r PARTITION ({home}) VALUES {self.values(new)}"
        if any(row[1] != day for row in new):
            self.refuse(sql)
            return
        self.run(sql)
        self.renew(model.parts[home])
        self.publish(model, self.take(model, new))

    @rule(day=days, name=st.sampled_from(["r", "p"]))
    def add_partition(self, day: int, name: str) -> None:
        """ADD PARTITION: new, version 1, now; a taken range is refused."""
        model = self.models[name]
        sql = f"ALTER TABLE {name} ADD PARTITION d{day} VALUES [('{date(day)}'), ('{date(day + 1)}'))"
        if model.home(day) is not None or f"d{day}" in model.parts:
            self.refuse(sql)
            return
        self.run(sql)
        model.parts[f"d{day}"] = Part(day, self.now)

    @rule(name=st.sampled_from(["r", "p", "e"]), data=st.data(), force=st.booleans())
    def drop_partition(self, name: str, data: st.DataObject, force: bool) -> None:
        """DROP PARTITION: its row vanishes."""
        model = self.models[name]
        if model.parts:
            part = data.draw(st.sampled_from(sorted(model.parts)))
            self.run(f"ALTER TABLE {name} DROP PARTITION {part} {'FORCE' if force else ''}")
            gone = model.parts.pop(part)
            if not force:
                model.dropped[part] = gone

    @rule(name=st.sampled_from(["r", "p"]), data=st.data())
    def recover_partition(self, name: str, data: st.DataObject) -> None:
        """RECOVER PARTITION: the same id, version and time."""
        model = self.models[name]
        able = [
            part for part, gone in model.dropped.items() if part not in model.parts and model.home(gone.day) is None
        ]
        if able:
            part = data.draw(st.sampled_from(sorted(able)))
            self.run(f"RECOVER PARTITION {part} FROM {name}")
            model.parts[part] = model.dropped.pop(part)

    @rule(data=st.data())
    def rename_partition(self, data: st.DataObject) -> None:
        """RENAME PARTITION: only the name moves."""
        model = self.models["r"]
        old = data.draw(st.sampled_from(sorted(model.parts))) if model.parts else None
        if old is not None and f"x{old}" not in model.parts:
            self.run(f"ALTER TABLE r RENAME PARTITION {old} x{old}")
            model.parts[f"x{old}"] = model.parts.pop(old)

    @rule()
    def swap(self) -> None:
        """SWAP WITH: ids and versions move with the rows."""
        if {"f", "g"} <= set(self.models):
            self.run("ALTER TABLE f SWAP WITH g")
            f, g = self.models["f"].parts, self.models["g"].parts
            f["f"], g["g"] = g["g"], f["f"]

    @rule(new=rows)
    def replace_by_temporary(self, new: list[Row]) -> None:
        """REPLACE PARTITION: id, version and time are those of the temporary one, loaded before."""
        model = self.models["p"]
        home = model.home(1)
        if home is None:
            return
        span = f"VALUES [('{date(1)}'), ('{date(2)}'))"
        self.run(f"ALTER TABLE p ADD TEMPORARY PARTITION tp {span}")
        mine = [(one, 1, v) for one, _, v in new]
        self.run(f"INSERT INTO p TEMPORARY PARTITION (tp) VALUES {self.values(mine)}")
        loaded = self.now
        self.clock.advance(30)
        self.run(f"ALTER TABLE p REPLACE PARTITION ({home}) WITH TEMPORARY PARTITION (tp)")
        kept: dict[int, Row] = {row[0]: row for row in mine}
        model.parts[home] = Part(1, loaded, version=2, rows=list(kept.values()))

    @rule(name=st.sampled_from(["f", "g"]))
    def drop_table(self, name: str) -> None:
        """DROP TABLE: its rows vanish."""
        if name in self.models and name not in self.dropped:
            self.run(f"DROP TABLE {name}")
            self.dropped[name] = self.models.pop(name)

    @precondition(lambda self: bool(self.dropped))
    @rule(data=st.data())
    def recover_table(self, data: st.DataObject) -> None:
        """RECOVER TABLE: the same ids, versions and times."""
        name = data.draw(st.sampled_from(sorted(self.dropped)))
        self.run(f"RECOVER TABLE {name}")
        self.models[name] = self.dropped.pop(name)

    @rule(name=tables)
    def change_schema(self, name: str) -> None:
        """A fast schema change moves nothing."""
        if name in self.models:
            self.run(f"ALTER TABLE {name} ADD COLUMN w INT DEFAULT '7'")
            self.run(f"ALTER TABLE {name} DROP COLUMN w")
            self.run(f"ALTER TABLE {name} COMMENT = 'c'")

    @rule(version=st.integers(2, 9))
    def set_version(self, version: int) -> None:
        """ADMIN SET … VERSION: as told, now."""
        model = self.models["r"]
        home = model.home(1)
        if home is not None:
            self.run(f"ADMIN SET TABLE r PARTITION ({home}) VERSION TO {version}")
            model.parts[home].version, model.parts[home].moment = version, self.now

    @invariant()
    def metadata_is_as_the_oracle_says(self) -> None:
        """Names, ids, versions, next versions, times: exactly those."""
        found = self.session.execute(
            "SELECT table_name, partition_name, partition_id, visible_version, next_version, data_version, "
            "timestampdiff(SECOND, CAST('2027-01-15 08:00:00' AS DATETIME), visible_version_time), is_temp "
            "FROM information_schema.partitions_meta WHERE partition_name NOT LIKE '$%'"
        )[0].rows
        wanted = {(table, name): part for table, model in self.models.items() for name, part in model.parts.items()}
        assert {(row[0], row[1]) for row in found} == set(wanted)
        for table, name, number, version, following, data_version, moment, is_temp in found:
            part = wanted[str(table), str(name)]
            if part.id == NEW:
                assert number not in self.seen
                part.id = int(str(number))
            self.seen.add(part.id)
            assert (number, version, following, is_temp) == (part.id, part.version, part.version + 1, 0)
            assert moment == part.moment - 1_800_000_000
            assert data_version is not None

    @invariant()
    def rows_are_as_the_oracle_says(self) -> None:
        """Every table holds the rows that were loaded and not removed."""
        for table, model in self.models.items():
            found = self.session.execute(f"SELECT id, day(dt), v FROM {table}")[0].rows
            assert sorted(map(str, found)) == sorted(str(row) for part in model.parts.values() for row in part.rows)


TestVersions = Versions.TestCase
TestVersions.settings = settings(stateful_step_count=30)
