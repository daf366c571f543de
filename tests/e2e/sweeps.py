"""The command lines that are killed at each of their statements, and what is checked after each kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from starrocks_br.services import resume
from starrocks_br.services.requests import RestoreRequest
from tests.support.aftermath import (
    by_resume,
    by_the_next_command,
    by_undo,
    check_nothing_is_left,
    check_the_living,
    settled,
)
from tests.support.kills import SCENARIOS, Scenario, Stage, check_aftermath, check_nothing_stuck
from tests.support.kinds import KINDS
from tests.support.modes import LONG_AFTER, MODES, UNDOS, Mode, Past, newest_restore
from tests.support.world import Killed, World, kill

SOON: Final = "2099-01-01 00:00:00"


@frozen(kw_only=True)
class Sweep:
    """A command line that is killed.

    Attributes:
        name: For the test's name.
        prepare: Makes the past.
        arguments: The command line in it.
        ways_on: What is done after a kill, and checked: one of them after each, in turn. It is told what the killed
            process wrote.
    """

    name: str
    prepare: Callable[[Path], Any]
    arguments: Callable[[Any], tuple[str, ...]]
    ways_on: tuple[Callable[[Any, str], None], ...]


# --- what is about no table that lives --------------------------------------------------------------------------------


def _of_scenario(scenario: Scenario) -> Sweep:
    def check(stage: Stage, _said: str) -> None:
        check_aftermath(stage, scenario)

    return Sweep(
        name=scenario.name,
        prepare=scenario.prepare,
        arguments=lambda stage: scenario.arguments(stage.world),
        ways_on=(check,),
    )


# --- modes of a restore -----------------------------------------------------------------------------------------------


def _known(past: Past) -> set[tuple[str, str]]:
    """The points of the tables that are restored, by table and label."""
    return {(table, str(point.label)) for table in past.wanted for point in past.world.points(table)}


def _by_a_backup(past: Past, _mode: Mode) -> str:
    """One at once, as the clock of a machine would start it."""
    report = past.world.backup(*_databases(past))
    return f"{settled(past.world)}\n{report}"


def _databases(past: Past) -> tuple[str, ...]:
    return tuple(sorted({f"{table.partition('.')[0]}.*" for table in past.wanted}))


def _check_after(way: Callable[[Past, Mode], str], mode: Mode, past: Past, said: str) -> None:
    world, known = past.world, _known(past)
    check_the_living(past, mode)
    told = said + way(past, mode)
    check_the_living(past, mode)
    world.later(LONG_AFTER)
    told += _by_a_backup(past, mode)
    check_nothing_is_left(past, mode, told)
    check_nothing_stuck(world, restored=len(past.wanted))
    _check_points(past, known)


def _check_points(past: Past, known: set[tuple[str, str]]) -> None:
    """No point is lost; the wanted one gives its rows, one that is new the table as it was before or is now."""
    world, now = past.world, _known(past)
    assert known <= now
    for table, label in now:
        if (table, label) in known and label != past.label:
            continue
        world.restore(table, label=label, into=f"{table}_proof")
        rows = world.rows(f"{table}_proof")
        before = [rows for lived, rows in past.lived.items() if lived.partition("__before_")[0] == table]
        assert rows in (past.wanted[table], *(() if label == past.label else before)), (table, label)
        world.sql(f"DROP TABLE {table}_proof FORCE")


WAYS_ON: Final = (_by_a_backup, by_the_next_command, by_resume, by_undo)


def _of_mode(mode: Mode, arguments: Callable[[Past], tuple[str, ...]]) -> Sweep:
    return Sweep(
        name=mode.name,
        prepare=mode.prepare,
        arguments=arguments,
        ways_on=tuple(partial(_check_after, way, mode) for way in WAYS_ON),
    )


def _restore(*options: str) -> Callable[[Past], tuple[str, ...]]:
    return lambda past: ("restore", "--table", "d1.t", "--label", past.label, *options)


def _restore_of_all(past: Past) -> tuple[str, ...]:
    tables = [part for table in past.wanted for part in ("--table", table)]
    return ("restore", *tables, "--timestamp", SOON, "--replace", "--yes")


def _undo(past: Past) -> tuple[str, ...]:
    return ("restore", "--undo", newest_restore(past.world))


def _resume(past: Past) -> tuple[str, ...]:
    return ("restore", "--resume", newest_restore(past.world))


REPLACE: Final = ("--replace", "--yes")
ARGUMENTS: Final[Mapping[str, Callable[[Past], tuple[str, ...]]]] = {
    "absent, one holder": _restore(),
    "absent, several holders": _restore(),
    "absent, several holders, LIST": _restore(),
    "beside, one holder": _restore("--as", "copy"),
    "beside, copied": _restore("--as", "copy"),
    "another name, own name free": _restore("--as", "copy"),
    "another database": _restore("--to-database", "drill"),
    "replace, one holder": _restore(*REPLACE),
    "replace, one holder, drop old": _restore(*REPLACE, "--drop-old"),
    "replace, several holders": _restore(*REPLACE),
    "replace, several holders, LIST": _restore(*REPLACE),
    "replace, several holders, drop old": _restore(*REPLACE, "--drop-old"),
    "three tables of two databases": _restore_of_all,
    "undo, one holder": _undo,
    "undo, several holders": _undo,
}
"""The command line of each mode."""


# --- modes that only have a command line ------------------------------------------------------------------------------


def _grown(folder: Path) -> Past:
    """Several snapshots hold partitions whose buckets grew; the table lives, and is empty."""
    world = World(folder).ready("d1.other")
    kind = KINDS["grown buckets"]
    world.sql(f"CREATE TABLE d1.t {kind.create}")
    for statements in kind.nights:
        for statement in statements:
            world.sql(statement.format(t="d1.t", d="d1"))
        world.backup()
    past = Past(world, world.points("d1.t")[0].label, {"d1.t": world.rows("d1.t")})
    world.sql("TRUNCATE TABLE d1.t")
    past.note_the_living()
    return past


def _one_partition(folder: Path) -> Past:
    """All rows that are wanted lie in one partition; the table lives, and is empty."""
    world = World(folder).ready("d1.t", "d1.other")
    world.backup()
    for statement in ("TRUNCATE TABLE d1.t PARTITION (p1)", "INSERT INTO d1.t VALUES (3, '2024-01-02', 30)"):
        world.sql(statement)
    world.backup()
    past = Past(world, world.points("d1.t")[0].label, {"d1.t": world.rows("d1.t")})
    world.sql("TRUNCATE TABLE d1.t")
    past.note_the_living()
    return past


def _interrupted(mode: Mode, statement: str, nth: int) -> Callable[[Path], Past]:
    """A restore was killed right after it sent a statement, an hour ago."""

    def prepare(folder: Path) -> Past:
        past = mode.prepare(folder)
        past.world.after(statement, kill, nth=nth)
        try:
            mode.act(past)
        except Killed:
            past.world.ports = past.world.reconnect()
        else:
            raise AssertionError("it was not killed")
        past.world.later(LONG_AFTER)
        return past

    return prepare


def _act_resume(past: Past) -> object:
    request = RestoreRequest(place=past.world.place, wanted=())
    return resume.resume(past.world.ports, request, newest_restore(past.world))


def _mode(name: str) -> Mode:
    return next(mode for mode in MODES if mode.name == name)


def _resuming(name: str, statement: str, nth: int) -> Mode:
    mode = _mode(name)
    return evolve(mode, name=f"resume, {mode.name}", prepare=_interrupted(mode, statement, nth), act=_act_resume)


def _into(name: str, **how: Any) -> Callable[[Past], object]:
    return lambda past: past.world.restore("d1.t", label=past.label, into=name, **how)


OTHERS: Final = (
    (
        Mode(name="grown buckets, replace", prepare=_grown, act=_into("d1.t", replace=True)),
        _restore(*REPLACE),
    ),
    (
        Mode(name="grown buckets, beside", prepare=_grown, act=_into("d1.copy"), goals={"d1.copy": "d1.t"}),
        _restore("--as", "copy"),
    ),
    (
        Mode(
            name="one partition",
            prepare=_one_partition,
            act=_into("d1.part", partitions=("p2",)),
            goals={"d1.part": "d1.t"},
        ),
        _restore("--partition", "p2", "--as", "part"),
    ),
    (_resuming("absent, several holders", "^RESTORE", 2), _resume),
    (_resuming("replace, one holder", "^RESTORE", 1), _resume),
    (_resuming("replace, several holders", "^RESTORE", 2), _resume),
)

SWEEPS: Final = (
    *(_of_scenario(scenario) for scenario in SCENARIOS),
    *(_of_mode(mode, ARGUMENTS[mode.name]) for mode in (*MODES, *UNDOS)),
    *(_of_mode(mode, arguments) for mode, arguments in OTHERS),
)
