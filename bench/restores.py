"""Restores in figures: bytes read, jobs sent, how long a name is away, and what one command for many tables saves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, evolve, field

from bench.figures import Figure
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_plan import RestorePlan, Target
from starrocks_br.services import restore, restore_planning
from starrocks_br.services.reports import BatchReport
from starrocks_br.services.requests import RestoreRequest, Wanted
from starrocks_simulator.errors import ServerError
from tests.support.world import TICK, World

LONGEST = 30
TABLES, CHANGED, ALONE = 500, 50, 5
OVERLAY_TICKS = 8
"""A job takes 7 ticks (O2§y2); the rest is for seeing that it has ended, and for the steps in between."""


def figures() -> list[Figure]:
    """All of them, on the simulated clock."""
    return [*_chains(), _away(nights=1), _away(nights=3), *_many()]


# --- chains -----------------------------------------------------------------------------------------------------------


def _chains() -> list[Figure]:
    """A RANGE table, and the way back to each of its points: one night more in the chain each."""
    with _world() as world:
        _range_table(world, "d.t", partitions=LONGEST)
        for night in range(1, LONGEST):
            world.sql(f"INSERT INTO d.t VALUES {', '.join(f'(1, {night - back})' for back in range(min(night, 3)))}")
            world.backup("d.t")
        points = world.points("d.t")[::-1]
        plans = [world.plan_restore("d.t", label=point.label, into="d.u") for point in points]
        world.sql("DROP TABLE d.t FORCE")
        report = world.restore("d.t", label=points[-1].label)
    assert (len(plans), report.jobs) == (LONGEST, len(plans[-1].jobs))
    replayed = [sum(point.size or 0 for point in points[: number + 1]) for number in range(LONGEST)]
    return [
        Figure(
            what=f"bytes read / bytes of the table, at most, chains of 1 to {LONGEST}",
            value=max(_read(plan) / _held(plan) for plan in plans),
            limit=1.0,
        ),
        Figure(
            what=f"the same if every snapshot were replayed whole, chain of {LONGEST}",
            value=replayed[-1] / _held(plans[-1]),
        ),
        Figure(
            what="the same on average over these chains",
            value=sum(whole / _held(plan) for whole, plan in zip(replayed, plans, strict=True)) / LONGEST,
        ),
        Figure(
            what="RESTORE jobs of a table / snapshots that hold parts of it, at most",
            value=max(len(plan.jobs) / len(plan.manifest.holders()) for plan in plans),
            limit=1.0,
        ),
    ]


def _read(plan: RestorePlan) -> int:
    return sum(job.size or 0 for job in plan.jobs)


def _held(plan: RestorePlan) -> int:
    return sum(held.captured.partition.size or 0 for held in plan.manifest.held.values())


# --- a name that is away ----------------------------------------------------------------------------------------------


@define
class Watch:
    """Looks at a table whenever time has passed.

    Attributes:
        world: Where it is.
        table: Which.
        whole: How many rows it may have: before, or after.
        away: Seconds for which it could not be read, or had another number of rows.
    """

    world: World
    table: str
    whole: set[int]
    away: float = 0.0
    _last: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """From now on."""
        self._last = self.world.clock.now()
        self.world.clock_alarm(0, self._look)

    def _look(self) -> None:
        now = self.world.clock.now()
        self.away += 0 if self._is_whole() else now - self._last
        self.begin()

    def _is_whole(self) -> bool:
        try:
            ((rows,),) = self.world.sql(f"SELECT COUNT(*) FROM {self.table}")
        except ServerError:
            return False
        return rows in self.whole


def _away(*, nights: int) -> Figure:
    """How long users miss a table that is replaced by its state of some nights ago."""
    with _world() as world:
        _range_table(world, "d.t", partitions=nights + 1)
        for night in range(1, nights):
            world.sql(f"INSERT INTO d.t VALUES (1, {night})")
            world.backup("d.t")
        label = world.points("d.t")[0].label
        then = len(world.rows("d.t"))
        world.sql("INSERT INTO d.t VALUES (1, 0), (2, 0), (3, 0)")
        world.later()
        plan = world.plan_restore("d.t", label=label, replace=True)
        watch = Watch(world=world, table="d.t", whole={then, then + 3})
        watch.begin()
        report = world.run_restore(plan)
    assert (len(plan.manifest.holders()), report.rows) == (nights, then)
    return Figure(
        what=f"ticks without the table while --replace brings it back from {nights} snapshots",
        value=watch.away / TICK,
        limit=OVERLAY_TICKS * (nights - 1),
    )


# --- many tables ------------------------------------------------------------------------------------------------------


def _many() -> list[Figure]:
    """Tables of one database, some of which changed after the first night: in one command, and one at a time."""
    with _world() as world:
        world.sql("CREATE DATABASE d")
        names = [f"d.t{number:03}" for number in range(TABLES)]
        for name in names:
            _make(world, name, partitions=2)
        world.backup("d.*")
        for name in names[:CHANGED]:
            world.sql(f"INSERT INTO {name} VALUES (1, 1)")
        world.backup("d.*")
        alone = names[CHANGED - 1 : CHANGED - 1 + ALONE]
        seconds, statements = _one_by_one(world, alone)
        for name in names:
            world.sql(f"DROP TABLE {name} FORCE")
        jobs = world.times_sent("^RESTORE SNAPSHOT")
        with world.counted() as sent:
            report = _together(world, names)
        jobs = world.times_sent("^RESTORE SNAPSHOT") - jobs
    assert (len(report.restored), report.failures) == (TABLES, {})
    tables = sum(one.jobs for one in report.restored)
    return [
        Figure(what=f"RESTORE statements for {TABLES} tables of two snapshots in one command", value=jobs, limit=2),
        Figure(what="tables in a RESTORE statement, on average", value=tables / jobs),
        Figure(what="statements per table of it, polls aside", value=len(sent) / TABLES),
        Figure(what=f"the same if one table is restored after the other ({ALONE} were)", value=statements / ALONE),
        Figure(what="time of it on the simulated clock", value=report.seconds, unit="s"),
        Figure(what="the same one after the other", value=seconds / ALONE * TABLES, unit="s"),
        Figure(
            what="time of it, in percent of that",
            value=100 * report.seconds / (seconds / ALONE * TABLES),
            unit="%",
            limit=1,
        ),
    ]


def _one_by_one(world: World, names: list[str]) -> tuple[float, int]:
    """Seconds and statements."""
    with world.counted() as sent:
        seconds = 0.0
        for name in names:
            world.sql(f"DROP TABLE {name} FORCE")
            seconds += world.restore(name).seconds
    return seconds, len(sent)


def _together(world: World, names: list[str]) -> BatchReport:
    wanted = tuple(Wanted(table=TableRef.parse(name), target=Target(table=TableRef.parse(name))) for name in names)
    request = RestoreRequest(place=world.place, wanted=wanted, at=max(world.newest(name) for name in names[:1]))
    return restore.run(world.ports, request, restore_planning.plan(world.ports, request))


# --- the scene --------------------------------------------------------------------------------------------------------


@contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory)).ready()
        world.place = evolve(world.place, poll_interval=1.0)
        yield world


def _range_table(world: World, name: str, *, partitions: int) -> None:
    """With its first backup."""
    world.sql("CREATE DATABASE d")
    _make(world, name, partitions)
    world.backup(name)


def _make(world: World, name: str, partitions: int) -> None:
    ranges = ", ".join(f"PARTITION p{number} VALUES LESS THAN ('{number + 1}')" for number in range(partitions))
    world.sql(
        f"CREATE TABLE {name} (id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) ({ranges}) "
        "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES ('replication_num' = '1')"
    )
    world.sql(f"INSERT INTO {name} VALUES {', '.join(f'({row}, {row % partitions})' for row in range(partitions * 4))}")
