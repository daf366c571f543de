"""Laws of the simulator's snapshots; the oracle is a dict of rows and versions, kept beside it."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.starrocks_simulator.cluster import Cluster

DAYS = range(1, 6)
DAY = st.sampled_from(DAYS)
EVENTS = st.one_of(
    st.tuples(st.just("insert"), DAY),
    st.tuples(st.just("truncate"), DAY),
    st.tuples(st.just("overwrite"), DAY),
    st.tuples(st.just("delete"), DAY),
    st.tuples(st.just("drop"), DAY),
    st.tuples(st.just("add"), DAY),
    st.tuples(st.just("backup"), st.integers(min_value=0, max_value=6)),
)


@define
class Day:
    """One partition as it should be: its version and the values in it."""

    version: int = 1
    values: list[int] = field(factory=list)


@define
class History:
    """A table `d.t` with a partition per day, and what it should hold."""

    cluster: Cluster
    days: dict[int, Day] = field(factory=dict)
    snapshots: dict[str, dict[int, Day]] = field(factory=dict)
    submitted: str | None = None
    counter: int = 0

    def play(self, event: str, argument: int) -> None:
        """One event, on both sides."""
        if event == "backup":
            self._backup(argument)
        elif event == "add":
            self._add(argument)
        elif argument in self.days:
            getattr(self, f"_{event}")(argument)

    def _next(self) -> int:
        self.counter += 1
        return self.counter

    def _insert(self, day: int) -> None:
        value = self._next()
        self.cluster.run(f"INSERT INTO d.t VALUES ('2024-01-0{day}', {value})")
        self.days[day] = Day(self.days[day].version + 1, [*self.days[day].values, value])

    def _delete(self, day: int) -> None:
        self.cluster.run(f"DELETE FROM d.t PARTITION p{day} WHERE v >= 0")
        self.days[day] = Day(self.days[day].version + 1, [])

    def _truncate(self, day: int) -> None:
        self.cluster.run(f"TRUNCATE TABLE d.t PARTITION (p{day})")
        self.days[day] = Day()

    def _overwrite(self, day: int) -> None:
        value = self._next()
        self.cluster.run(f"INSERT OVERWRITE d.t PARTITION (p{day}) VALUES ('2024-01-0{day}', {value})")
        self.days[day] = Day(2, [value])

    def _drop(self, day: int) -> None:
        if len(self.days) > 1:
            self.cluster.run(f"ALTER TABLE d.t DROP PARTITION p{day} FORCE")
            del self.days[day]

    def _add(self, day: int) -> None:
        if day not in self.days:
            self.cluster.run(
                f"ALTER TABLE d.t ADD PARTITION p{day} VALUES [('2024-01-0{day}'), ('2024-01-0{day + 1}'))"
            )
            self.days[day] = Day()

    def _backup(self, ticks: int) -> None:
        """Submit, cut, and let some ticks pass; the job of the last backup ends first."""
        self.finish()
        self.submitted = f"l{self._next()}"
        self.cluster.run(f"BACKUP SNAPSHOT d.{self.submitted} TO r ON (t)")
        self.cluster.clock.advance(self.cluster.tick)
        self.cluster.run("SELECT 1")
        self.snapshots[self.submitted] = copy.deepcopy(self.days)
        self.cluster.clock.advance(ticks * self.cluster.tick)

    def finish(self) -> None:
        """Let the job that runs end."""
        if self.submitted is not None:
            assert self.cluster.wait("BACKUP", "d") == "FINISHED"


def _cluster(folder: str) -> Cluster:
    cluster = Cluster(Path(folder))
    cluster.run("CREATE DATABASE d")
    cluster.run(
        "CREATE TABLE d.t (dt DATE NOT NULL, v INT) DUPLICATE KEY(dt) PARTITION BY RANGE(dt) ("
        "PARTITION p1 VALUES [('2024-01-01'), ('2024-01-02'))) DISTRIBUTED BY HASH(dt) BUCKETS 1 "
        "PROPERTIES('replication_num'='1')"
    )
    return cluster


def _seen(cluster: Cluster, table: str) -> dict[int, Day]:
    versions = cluster.run(
        f"SELECT PARTITION_NAME, VISIBLE_VERSION FROM information_schema.partitions_meta WHERE TABLE_NAME = '{table}'"
    )
    rows = cluster.run(f"SELECT DAY(dt), v FROM d.{table} ORDER BY v")
    return {int(name[1:]): Day(version, [v for day, v in rows if day == int(name[1:])]) for name, version in versions}


@given(st.lists(EVENTS, max_size=12))
def test_a_snapshot_gives_back_rows_and_versions_of_its_cut(events: list[tuple[str, int]]) -> None:
    """Whatever happens to the table between the cut and the job's end, and afterwards; also to another cluster."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(_cluster(folder), {1: Day()})
        for event, argument in events:
            history.play(event, argument)
        history.finish()
        other = Cluster(Path(folder))
        for label, days in history.snapshots.items():
            for cluster in (history.cluster, other):
                assert cluster.restore("d", label, f"t AS {label}") == "FINISHED"
                assert _seen(cluster, label) == days
        assert _seen(history.cluster, "t") == history.days


@given(st.lists(EVENTS, max_size=8), st.sets(DAY, min_size=1))
def test_restored_partitions_are_replaced_and_the_others_stay(events: list[tuple[str, int]], wanted: set[int]) -> None:
    """Over the same table: those that are named go back to the snapshot, or are added; nothing else moves."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(_cluster(folder), {1: Day()})
        history.play("backup", 6)
        history.finish()
        (label, days), *_ = history.snapshots.items()
        for event, argument in events:
            history.play(event, argument)
        history.finish()
        named = sorted(wanted & days.keys()) or sorted(days)
        partitions = ", ".join(f"p{day}" for day in named)
        assert history.cluster.restore("d", label, f"t PARTITION ({partitions})") == "FINISHED"
        expected = {**history.days, **{day: days[day] for day in named}}
        assert _seen(history.cluster, "t") == expected
