"""A step of several statements says between them that it is at work, and hears there that it is nobody's any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.domain.errors import Busy
from starrocks_br.domain.restore_steps import Reading
from tests.support.modes import MODES, Past
from tests.support.world import World
from tests.unit.services.test_refill import adopted_late
from tests.unit.services.test_silent_restores import another_command

BY_NAME = {mode.name: mode for mode in MODES}
ALIVE = "may still be at work"


def slow(world: World, statement: str, seconds: float) -> None:
    """Each such statement of the product lasts so long."""
    world.always(statement, lambda: world.later(seconds))


def heard(world: World, statement: str, *, nth: int) -> list[str]:
    """What another command says at the end of the nth such statement."""
    said = list[str]()
    world.before(statement, lambda: said.extend(another_command(world)), nth=nth)
    return said


def taking_over(world: World, since: float) -> Callable[[], None]:
    """The line is away for so long, and somebody takes the restore over meanwhile."""

    def act() -> None:
        world.later(since)
        (journal,) = world.ports.restores.unfinished().sound
        world.ports.restores.take_over(journal, "somebody")

    return act


@pytest.fixture
def copied(tmp_path: Path) -> Past:
    """A restore whose second holder is read over."""
    return BY_NAME["beside, copied"].prepare(tmp_path)


@pytest.fixture
def replacing(tmp_path: Path) -> Past:
    """A table that lives, and has one holder."""
    return BY_NAME["replace, one holder"].prepare(tmp_path)


def test_a_table_that_is_counted_partition_by_partition_is_known_to_be_at_work(replacing: Past) -> None:
    world = replacing.world
    slow(world, "^SELECT COUNT", 250)
    said = heard(world, "^SELECT COUNT", nth=2)
    world.restore("d1.t", label=replacing.label, replace=True, reading=Reading.PARTITIONS)
    assert ALIVE in said[0]
    assert world.rows("d1.t") == replacing.wanted["d1.t"]


def test_a_table_that_was_taken_over_is_not_counted_further(replacing: Past) -> None:
    world = replacing.world
    world.before("^SELECT COUNT", taking_over(world, 30))
    with pytest.raises(Busy, match="was taken over"):
        world.restore("d1.t", label=replacing.label, replace=True, reading=Reading.PARTITIONS)
    assert world.times_sent("^SELECT COUNT") == 1


def test_rows_that_are_counted_read_over_and_counted_again_are_known_to_be_at_work(copied: Past) -> None:
    """Each of these statements has its time."""
    world = copied.world
    slow(world, "^SELECT COUNT", 120)
    slow(world, "^INSERT INTO d1", 900)
    said = list[str]()
    world.after("^INSERT INTO d1", lambda: world.before("^SELECT COUNT", lambda: said.extend(another_command(world))))
    world.restore("d1.t", label=copied.label, into="d1.copy")
    assert ALIVE in said[0]
    assert world.rows("d1.copy") == copied.wanted["d1.t"]


def test_what_was_taken_over_is_not_read_over(copied: Past) -> None:
    world = copied.world
    world.before("^SELECT COUNT", taking_over(world, 30))
    with pytest.raises(Busy, match="was taken over"):
        world.restore("d1.t", label=copied.label, into="d1.copy")
    assert world.times_sent("^INSERT INTO d1") == 0


def test_grants_are_handed_over_by_one_that_is_known_to_be_at_work(replacing: Past) -> None:
    world = replacing.world
    for user in "abc":
        world.sql(f"CREATE USER {user}")
        world.sql(f"GRANT SELECT ON TABLE d1.t TO USER {user}")
    slow(world, "^GRANT", 40)
    said = heard(world, "^GRANT", nth=3)
    world.restore("d1.t", label=replacing.label, replace=True)
    assert ALIVE in said[0]
    assert world.rows("d1.t") == replacing.wanted["d1.t"]


def test_one_that_was_taken_over_while_it_handed_grants_over_does_not_show_its_table(replacing: Past) -> None:
    world = replacing.world
    world.sql("CREATE USER a")
    world.sql("GRANT SELECT ON TABLE d1.t TO USER a")
    world.before("^GRANT", taking_over(world, 30))
    with pytest.raises(Busy, match="was taken over"):
        world.restore("d1.t", label=replacing.label, replace=True)
    assert world.rows("d1.t") == replacing.lived["d1.t"]


def test_one_that_waits_for_a_users_load_to_be_published_is_known_to_be_at_work(tmp_path: Path) -> None:
    past = BY_NAME["absent, several holders"].prepare(tmp_path)
    world, said = past.world, list[str]()
    world.place = evolve(world.place, poll_interval=30)

    def load() -> None:
        world.load_unseen("d1.t", "(9, '2024-01-01', 9)")
        world.clock_alarm(85, lambda: said.extend(another_command(world)))
        world.clock_alarm(100, world.frontend.held_loads.publish)

    world.before("partitions_meta WHERE", load, nth=3)
    with pytest.raises(Exception, match="not what was backed up"):
        world.restore("d1.t", label=past.label)
    assert ALIVE in said[0]


def test_a_table_that_is_made_from_its_ddl_is_known_to_be_at_work(world: World) -> None:
    label = adopted_late(world, "range")
    wanted = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    world.sql(
        f"UPDATE ops.backup_history SET schema_ddl = replace(schema_ddl, 'PARTITION p2', "
        f"'PARTITION p0 VALUES [(\"2023-01-01\"), (\"2023-01-02\")),\nPARTITION p2') WHERE label = '{label}'"
    )
    slow(world, "^CREATE TABLE d1|DROP PARTITION", 50)
    said = heard(world, "DROP PARTITION", nth=1)
    world.restore("d1.t", label=label, allow_fuzzy=True)
    assert ALIVE in said[0]
    assert world.rows("d1.t") == wanted
