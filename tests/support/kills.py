"""Killing the product between two statements, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from starrocks_br.services import backup, bootstrap, setup
from starrocks_br.services.reports import BackupReport
from tests.support.copies import once
from tests.support.world import POLLS, READS, Killed, World

DATABASES = ("d1.*", "d2.*")
LONG_AFTER = 3600.0
"""Seconds after which whatever was sent has acted, or never will."""

Rows = list[tuple[Any, ...]]


@define
class Diary:
    """What every table held, and when: the oracle.

    Attributes:
        world: Where.
        notes: Moment and rows by table, oldest first; None while it did not exist.
    """

    world: World
    notes: list[tuple[float, dict[str, Rows]]] = field(factory=list)

    def note(self) -> None:
        """Write down what there is now; the change that led here is less than a second old."""
        tables = [f"{database}.{name}" for database in ("d1", "d2") for name in sorted(self.world.tables(database))]
        held = {table: self.world.rows(table) for table in tables}
        self.notes.append((self.world.clock.now(), held))

    def at(self, table: str, instant: datetime) -> Rows:
        """What the table held at an instant."""
        return [held[table] for moment, held in self.notes if moment <= instant.timestamp() and table in held][-1]

    @property
    def now(self) -> dict[str, Rows]:
        """What there must be now."""
        return self.notes[-1][1]


@define
class Stage:
    """A world with a past, in which a command is about to be killed."""

    world: World
    diary: Diary

    def copy(self, folder: Path) -> Stage:
        """The same in another folder."""
        world = self.world.copy(folder)
        return Stage(world, Diary(world, [*self.diary.notes]))

    def change(self, *statements: str) -> None:
        """Let a user do something, a minute later."""
        self.world.later()
        for statement in statements:
            self.world.sql(statement)
        self.diary.note()


@frozen(kw_only=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: For the test's name.
        prepare: Makes the past.
        act: Runs the command in this process.
        arguments: The same as a command line.
        again: What a person does after the kill, before the plain backup.
    """

    name: str
    prepare: Callable[[Path], Stage]
    act: Callable[[World], object]
    arguments: Callable[[World], tuple[str, ...]]
    again: Callable[[World], object] = lambda _world: None


# --- the past ---------------------------------------------------------------------------------------------------------


@once
def _tables(folder: Path) -> Stage:
    world = World(folder)
    world.range_table("d1.t")
    world.range_table("d1.live")
    world.range_table("d2.u")
    stage = Stage(world, Diary(world))
    stage.diary.note()
    return stage


@once
def _initialised(folder: Path) -> Stage:
    stage = _tables(folder)
    setup.init(stage.world.ports, stage.world.place)
    return stage


@once
def _backed_up(folder: Path) -> Stage:
    stage = _initialised(folder)
    stage.world.backup(*DATABASES)
    return stage


@once
def _changed(folder: Path) -> Stage:
    stage = _backed_up(folder)
    stage.change(
        "INSERT INTO d1.t VALUES (3, '2024-01-01', 30)",
        "INSERT INTO d2.u VALUES (3, '2024-01-02', 30)",
        "ALTER TABLE d2.u DROP PARTITION p1 FORCE",
    )
    return stage


@once
def _three_holders(folder: Path) -> Stage:
    stage = _changed(folder)
    stage.world.backup(*DATABASES)
    stage.change(
        "ALTER TABLE d1.t ADD PARTITION p3 VALUES [('2024-01-03'), ('2024-01-04'))",
        "INSERT INTO d1.t VALUES (4, '2024-01-03', 40)",
    )
    stage.world.backup(*DATABASES)
    return stage


@once
def _dropped(folder: Path) -> Stage:
    stage = _three_holders(folder)
    stage.change("DROP TABLE d1.t FORCE")
    return stage


@once
def _lost_cluster(folder: Path) -> Stage:
    """Another cluster on the same repository: empty, and it knows nothing."""
    old = _three_holders(folder)
    world = World(folder, cluster_id=2002, clock=old.world.clock, tokens=old.world._tokens)
    for database in ("d1", "d2"):
        world.sql(f"CREATE DATABASE {database}")
    stage = Stage(world, Diary(world, notes=old.diary.notes))
    world.later()
    stage.diary.note()
    return stage


# --- the commands -----------------------------------------------------------------------------------------------------


def _backup(world: World) -> BackupReport:
    return backup.run(world.ports, world.request(*DATABASES))


def _init(world: World) -> object:
    return setup.init(world.ports, world.place)


def _bootstrap(world: World) -> object:
    return bootstrap.run(world.ports, world.place, bootstrap.plan(world.ports, world.place))


def _first_label(world: World) -> str:
    return world.points("d1.t")[-1].label


SCENARIOS = (
    Scenario(name="init", prepare=_tables, act=_init, arguments=lambda _: ("init",), again=_init),
    Scenario(name="full backup", prepare=_initialised, act=_backup, arguments=lambda _: ("backup",)),
    Scenario(name="incremental backup", prepare=_changed, act=_backup, arguments=lambda _: ("backup",)),
    Scenario(name="backup of what is unchanged", prepare=_backed_up, act=_backup, arguments=lambda _: ("backup",)),
    Scenario(
        name="restore",
        prepare=_dropped,
        act=lambda world: world.restore("d1.t"),
        arguments=lambda _: ("restore", "--table", "d1.t", "--timestamp", "2099-01-01 00:00:00"),
    ),
    Scenario(
        name="restore of a hidden table",
        prepare=_dropped,
        act=lambda world: world.restore("d1.t", label=_first_label(world)),
        arguments=lambda world: ("restore", "--table", "d1.t", "--label", _first_label(world)),
    ),
    Scenario(
        name="bootstrap", prepare=_lost_cluster, act=_bootstrap, arguments=lambda _: ("bootstrap",), again=_bootstrap
    ),
)


# --- killing ----------------------------------------------------------------------------------------------------------


def moments(scenario: Scenario, folder: Path) -> list[int]:
    """After how many statements a kill finds the server as no other kill does.

    Between two statements that change nothing, and no time that passes between them, a kill leaves the same behind: of
    each such row only the first moment counts. 0 is before the first statement.
    """
    stage = scenario.prepare(folder)
    start = len(stage.world.sent)
    scenario.act(stage.world)
    sent = stage.world.sent[start:]
    return [0, *(number for number, sql in enumerate(sent, 1) if POLLS.match(sql) or not READS.match(sql))]


def kill_after(world: World, number: int, act: Callable[[World], object]) -> bool:
    """Run a command and kill it once its nth statement has had its effect; whether it lived that long."""
    start = len(world.sent)

    def before(_sql: str) -> None:
        if number == 0:
            raise Killed

    def after(_sql: str) -> None:
        if len(world.sent) - start == number:
            raise Killed

    world.frontend.faults.before.append(before)
    world.frontend.faults.after.append(after)
    try:
        act(world)
    except Killed:
        return True
    finally:
        world.frontend.faults.before.remove(before)
        world.frontend.faults.after.remove(after)
        world.ports = world.reconnect()
    return False


# --- afterwards -------------------------------------------------------------------------------------------------------


def check_aftermath(stage: Stage, scenario: Scenario) -> None:
    """A command at once, a command much later: then nothing may be lost, stuck, half made or untrue."""
    world, killed_at = stage.world, stage.world.clock.now()
    scenario.again(world)
    backup.run(world.ports, world.request(*DATABASES))
    _accept_what_was_complete(stage, killed_at)
    _check_live(stage)
    world.later(LONG_AFTER)
    report = backup.run(world.ports, world.request(*DATABASES))
    _accept_what_was_complete(stage, killed_at)
    _check_live(stage)
    check_nothing_stuck(world)
    if stage.diary.now:
        assert not report.failures, [str(error) for error in report.failures]
    _check_points(stage)


def _accept_what_was_complete(stage: Stage, killed_at: float) -> None:
    """A restore whose last act was done when it was killed has made a table: one of those that there were."""
    if (
        "d1.t" in stage.diary.now
        or "t" not in stage.world.tables("d1")
        or stage.world.ports.restores.unfinished().sound
    ):
        return
    rows = stage.world.rows("d1.t")
    assert rows in [held["d1.t"] for _, held in stage.diary.notes if "d1.t" in held]
    stage.diary.notes.append((killed_at, {**stage.diary.now, "d1.t": rows}))


def _check_live(stage: Stage) -> None:
    for table, rows in stage.diary.now.items():
        assert stage.world.rows(table) == rows, table


def check_nothing_stuck(world: World, *, restored: int = 1) -> None:
    """No snapshot or restore is open; at most one snapshot is nobody's, and one table for each that was restored."""
    assert not {label: status for label, status in world.statuses().items() if status in {"PENDING", "RUNNING"}}
    assert not world.ports.restores.unfinished().sound
    known = {label for label, status in world.statuses().items() if status in {"FINISHED", "UNCHANGED"}}
    listed = {str(row[0]) for row in world.sql("SHOW SNAPSHOT ON repo")}
    orphans = {label for label in listed - known if not label.startswith("br_meta_")}
    assert len(orphans) <= 1, orphans
    databases = {str(row[0]) for row in world.sql("SHOW DATABASES")} & {"d1", "d2", "ops", "drill"}
    own = {name for database in databases for name in world.tables(database) if name.startswith("__br_")}
    assert len(own) <= restored, own


def _check_points(stage: Stage) -> None:
    """Every point of one table, and the newest of the others, gives the rows that the diary has."""
    world = stage.world
    tables = sorted({table for _, held in stage.diary.notes for table in held})
    for table in tables:
        points = world.points(table)
        assert points, f"{table} has no point"
        for point in points if table == "d1.t" else points[:1]:
            assert point.snapshot.snapshot_at is not None
            world.sql(f"DROP TABLE IF EXISTS {table} FORCE")
            world.restore(table, label=point.label)
            assert world.rows(table) == stage.diary.at(table, point.snapshot.snapshot_at), (table, point.label)
