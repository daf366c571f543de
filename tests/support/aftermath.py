"""What must be true after a restore was stopped, and the ways on from there."""

from __future__ import annotations

from typing import Final

from starrocks_br.domain.errors import TargetExists, UnknownRestore
from starrocks_br.domain.events import RestorePlanned, Settled
from starrocks_br.services import resume, undo
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.requests import RestoreRequest
from starrocks_simulator.errors import ServerError
from tests.support.modes import LONG_AFTER, Mode, Past, Rows, newest_restore
from tests.support.world import World

# --- what must be true ------------------------------------------------------------------------------------------------


def holders_of(past: Past, mode: Mode, table: str, rows: Rows) -> list[str]:
    """The names under which the rows of a table that lived may be, and are: its own, or one that is told of."""
    database, _, name = table.partition("__before_")[0].partition(".")
    names = {table.partition(".")[2]} & past.world.tables(database)
    if f"{database}.{name}" in mode.goals:
        names |= {name} & past.world.tables(database)
        names |= {one for one in past.world.tables(database) if one.startswith((f"{name}__before_", "__br_"))}
    return sorted(one for one in names if readable(past.world, f"{database}.{one}") == rows)


def readable(world: World, table: str) -> Rows | None:
    """Its rows; None while a RESTORE works on it."""
    try:
        return world.rows(table)
    except ServerError as error:
        if "RESTORING" not in error.message:
            raise
        return None


def check_the_living(past: Past, mode: Mode) -> None:
    """Every table that lived has its rows; one that was to be dropped is dropped for the complete one only."""
    for table, rows in past.lived.items():
        if holders_of(past, mode, table, rows):
            continue
        assert mode.drops_old, f"the rows of {table} are lost"
        assert past.world.rows(table) == past.wanted[mode.goals[table]], table


def check_nothing_is_left(past: Past, mode: Mode, told: str) -> None:
    """No open journal, no name in between, and no table of ours but those that somebody was told of."""
    world = past.world
    assert not world.ports.restores.unfinished().sound
    check_the_living(past, mode)
    for goal, source in mode.goals.items():
        database, _, name = goal.partition(".")
        if (database,) not in world.sql("SHOW DATABASES"):
            continue
        there = world.tables(database)
        assert there or database in {"d1", "d2"}, f"{database} is left, empty"
        if name in there:
            before = [rows for table, rows in past.lived.items() if table.partition("__before_")[0] == goal]
            assert world.rows(goal) in (*before, past.wanted[source]), goal
        else:
            assert goal not in past.lived, f"{goal} has lost its name"
        for left in there - {name}:
            if left.startswith("__br_") or (
                left.startswith(f"{name}__before_") and f"{database}.{left}" not in past.lived
            ):
                assert left in told, f"nobody was told of {left}"


def settled(world: World) -> str:
    """All that was said so far, outside of reports; a plan is shown before it is done."""
    plans = (str(event.plan.aside) for event in world.events if isinstance(event, RestorePlanned))
    return "\n".join([*plans, *(event.detail for event in world.events if isinstance(event, Settled)), *world.warnings])


# --- ways on ----------------------------------------------------------------------------------------------------------


def by_the_next_command(past: Past, mode: Mode) -> str:
    """The same again: it first closes what was left open."""
    past.world.later(LONG_AFTER)
    try:
        report = mode.act(past)
    except (UnknownRestore, TargetExists):  # it was complete
        return by_any_command(past, mode)
    return f"{settled(past.world)}\n{report}"


def by_any_command(past: Past, _mode: Mode) -> str:
    """One that is about other things."""
    world = past.world
    world.later(LONG_AFTER)
    reconcile(world.ports, world.place, world.ports.cluster.server())
    return settled(world)


def by_resume(past: Past, _mode: Mode) -> str:
    """Each of them goes on where it stood; where that cannot be told, it is taken back."""
    world = past.world
    world.later(LONG_AFTER)
    told = []
    for journal in world.ports.restores.unfinished().sound:
        request = RestoreRequest(place=world.place, wanted=())
        try:
            report = resume.resume(world.ports, request, journal.restore)
        except UnknownRestore:
            told.append(undo.undo(world.ports, world.place, journal.restore).detail)
        else:
            told.append(str(report))
    return "\n".join([settled(world), *told])


def by_undo(past: Past, mode: Mode) -> str:
    """Each of them is taken back; an undo that was killed is asked for again."""
    world = past.world
    world.later(LONG_AFTER)
    restores = [one.restore for one in world.ports.restores.unfinished().sound]
    if mode.name.startswith("undo"):
        restores.append(newest_restore(world))
    told = [undo.undo(world.ports, world.place, restore).detail for restore in restores]
    return "\n".join([settled(world), *told])


WAYS_ON: Final = (by_the_next_command, by_resume, by_undo, by_any_command)
