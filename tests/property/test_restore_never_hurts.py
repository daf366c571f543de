"""A restore never hurts: whatever stops it, what lived before is there, and it can be finished or taken back.

STARROCKS_BR_KILLS=all takes every moment of every mode and every way on; else a few of them, always the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

from starrocks_br.domain.errors import StarRocksBrError
from tests.support.aftermath import WAYS_ON, by_any_command, check_nothing_is_left, check_the_living
from tests.support.kills import kill_after
from tests.support.modes import LONG_AFTER, MODES, UNDOS, Mode, Past, Rows
from tests.support.world import POLLS, READS, World, refuse

ALL: Final = os.environ.get("STARROCKS_BR_KILLS") == "all"
SHARES: Final = 4 if ALL else 1
NO: Final = (refuse(1064, "Unexpected exception: no."), refuse(5203, "Access denied; you need the X privilege."))
"""What is refused for good: a statement, and the right to it."""


# --- the laws ---------------------------------------------------------------------------------------------------------


@contextmanager
def at_every_statement(world: World, look: Callable[[], None]) -> Iterator[None]:
    """Look at the server after each statement has had its effect: a kill would leave it so."""
    looking: list[bool] = []

    def after(_sql: str) -> None:
        if not looking:
            looking.append(True)
            look()
            looking.clear()

    world.frontend.faults.after.append(after)
    yield
    world.frontend.faults.after.remove(after)


@pytest.mark.parametrize("mode", [*MODES, *UNDOS], ids=lambda mode: mode.name)
def test_after_each_statement_what_lived_before_has_its_rows(mode: Mode, tmp_path: Path) -> None:
    past = mode.prepare(tmp_path)
    looks = []

    def look() -> None:
        looks.append(1)
        check_the_living(past, mode)

    with at_every_statement(past.world, look):
        report = mode.act(past)
    assert looks
    for goal, source in mode.goals.items():
        undone = mode in UNDOS
        assert past.world.rows(goal) == (past.wanted[source] if not undone else []), goal
    check_nothing_is_left(past, mode, str(report))


@pytest.mark.parametrize(
    "mode", [mode for mode in MODES if mode.name.startswith("replace, one holder")], ids=lambda mode: mode.name
)
def test_with_one_holder_the_name_of_a_replaced_table_is_never_absent(mode: Mode, tmp_path: Path) -> None:
    """And bears the old table or the new one, whole, whenever somebody looks."""
    past = mode.prepare(tmp_path)
    seen: list[Rows] = []
    with at_every_statement(past.world, lambda: seen.append(past.world.rows("d1.t"))):
        mode.act(past)
    changes = [rows for before, rows in zip([None, *seen], seen, strict=False) if rows != before]
    assert changes == [past.lived["d1.t"], past.wanted["d1.t"]]


def moments(mode: Mode, folder: Path) -> tuple[list[int], int]:
    """After how many statements a kill finds the server as no other one does, and how many statements there are."""
    past = mode.prepare(folder)
    start = len(past.world.sent)
    mode.act(past)
    sent = past.world.sent[start:]
    return [0, *(number for number, sql in enumerate(sent, 1) if POLLS.match(sql) or not READS.match(sql))], len(sent)


def acting(past: Past, mode: Mode) -> Callable[[World], object]:
    """The mode, as something that is done in its world."""
    return lambda _world: mode.act(past)


def cases(every: int = 1) -> list[ParameterSet]:
    """Every mode, or as a sample some of them; all of them where all kills are asked for."""
    found = [
        pytest.param(mode, share, id=f"{mode.name}-{share}".replace(" ", "-"))
        for mode in (*MODES, *UNDOS)
        for share in range(SHARES)
    ]
    return found if ALL else found[::every]


@pytest.mark.parametrize(("mode", "share"), cases())
def test_killed_after_any_statement_it_is_finished_or_taken_back(
    mode: Mode, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    found, _ = moments(mode, tmp_path / "whole")
    place = MODES.index(mode) if mode in MODES else 0
    sample = (
        found[share::SHARES]
        if ALL
        else sorted({found[(5 * place + len(found) // 2) % len(found)], found[-2 - place % 3]})
    )
    for number in sample:
        ways = WAYS_ON if ALL else [WAYS_ON[(number + place) % len(WAYS_ON)]]
        for way in ways:
            with subtests.test(killed_after=number, way=way.__name__):
                past = mode.prepare(tmp_path / f"{number}-{way.__name__}")
                assert kill_after(past.world, number, acting(past, mode))
                check_the_living(past, mode)
                told = way(past, mode)
                check_nothing_is_left(past, mode, told)


@pytest.mark.parametrize(("mode", "share"), cases(every=3))
def test_refused_at_any_statement_it_is_finished_or_taken_back(
    mode: Mode, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """For good: the command ends with an error that it knows, or does without; the next command leaves nothing."""
    _, count = moments(mode, tmp_path / "whole")
    place = MODES.index(mode) if mode in MODES else 0
    sample = range(share + 1, count + 1, SHARES) if ALL else [(23 + 17 * place) % count + 1]
    for number in sample:
        for kind in (0, 1) if ALL else (number % 2,):
            with subtests.test(refused=number, kind=kind):
                past = mode.prepare(tmp_path / f"{number}-{kind}")
                past.world.before("", NO[kind], nth=number)
                told = said_by(past, mode)
                check_the_living(past, mode)
                past.world.later(LONG_AFTER)
                told += by_any_command(past, mode)
                check_nothing_is_left(past, mode, told)


@pytest.mark.parametrize(("mode", "share"), cases(every=3))
def test_beside_a_backup_and_another_restore_it_hurts_nobody(
    mode: Mode, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Two other processes act between two statements of it; each succeeds or knows why it does not."""
    found, _ = moments(mode, tmp_path / "whole")
    place = MODES.index(mode) if mode in MODES else 0
    sample = found[1:][share::SHARES] if ALL else [found[1:][(11 + 7 * place) % len(found[1:])]]
    for number in sample:
        with subtests.test(after=number):
            past = mode.prepare(tmp_path / str(number))
            world, others = past.world, list[str]()
            due = len(world.sent) + number
            look = partial(acting_beside, past, others, due)
            with at_every_statement(world, look):
                told = said_by(past, mode)
            check_the_living(past, mode)
            check_nothing_is_left(past, mode, told + by_any_command(past, mode) + "".join(others))
            check_the_newest_point(past, mode)


def acting_beside(past: Past, said: list[str], due: int) -> None:
    """A backup, and the restore of a table that nobody else is about, once so many statements were sent."""
    world, own = past.world, past.world.ports
    if len(world.sent) != due:
        return
    world.ports = world.reconnect()
    commands: list[Callable[[], object]] = [world.backup]
    if "d1.other" in past.lived:
        commands.append(lambda: world.restore("d1.other", replace=True))
    for command in commands:
        try:
            said.append(str(command()))
        except StarRocksBrError as error:
            said.append(f"{error}\n{error.hint}")
    world.ports = own


def said_by(past: Past, mode: Mode) -> str:
    """Run the mode; its report, or why it failed."""
    try:
        return str(mode.act(past))
    except StarRocksBrError as error:
        return f"{error}\n{error.hint}"


def check_the_newest_point(past: Past, mode: Mode) -> None:
    """Whatever was backed up meanwhile is the table as it was at some moment."""
    for goal, source in mode.goals.items():
        if goal != source:
            continue
        past.world.restore(source, into=f"{source}_proof")
        before = [rows for table, rows in past.lived.items() if table.partition("__before_")[0] == goal]
        assert past.world.rows(f"{source}_proof") in (*before, past.wanted[source])
