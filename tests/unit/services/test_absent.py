"""What a backup says of things that it was asked for and does not take."""

from __future__ import annotations

import pytest

from starrocks_br.services import backup
from tests.support.world import World, refuse


@pytest.fixture
def ready(world: World) -> World:
    """A table, a view and a table of a session, and a database without any."""
    world.ready("d1.t")
    world.sql("CREATE VIEW d1.v AS SELECT * FROM d1.t")
    world.sql("CREATE DATABASE empty")
    return world


OF = {
    "d1.nope": "no such table",
    "d9.t": "no such database",
    "d9.*": "no such database",
    "empty.*": "it holds no table that is backed up",
    "d1.v": "it is a view or materialized view: not backed up",
    "d1.T": "no such table; names are case-sensitive: there is d1.t",
    "D1.t": "no such database; names are case-sensitive: there is d1.t",
    "D1.*": "no such database; names are case-sensitive: there is d1",
    "ops.backup_history": "our own tables: their history is saved with every run",
    "information_schema.tables": "information_schema is the server's own: not backed up",
    "d1.__br_x": "a table that a restore works with: not backed up",
}


def test_what_is_not_backed_up_is_said_with_the_reason(ready: World) -> None:
    assert ready.backup("d1.*", *OF).problems == OF


def test_what_is_neither_listed_nor_a_view_is_told_too(ready: World) -> None:
    ready.before("SHOW FULL TABLES", lambda: ready.range_table("d1.late"))
    assert ready.backup("d1.late").problems == {
        "d1.late": "it is an external table, or was made a moment ago: not backed up"
    }


def test_a_database_that_may_not_be_looked_into_does_not_end_the_run(ready: World) -> None:
    ready.before("SHOW FULL TABLES", refuse(5203, "Access denied; you need (at least one of) the ANY privilege(s)"))
    report = ready.backup("d1.t", "d1.nope")
    assert (report.succeeded, report.problems) == (True, {"d1.nope": "no such table"})


def test_many_patterns_that_match_nothing_cost_a_statement_per_database(ready: World) -> None:
    with ready.counted() as sent:
        ready.backup("d1.t", *(f"d1.nope{number}" for number in range(9)))
    assert sum(sql.startswith("SHOW FULL TABLES") for sql in sent) == 1


# --- tables that have gone --------------------------------------------------------------------------------------------


def told_gone(world: World) -> list[str]:
    """The tables that the product called gone since it was last asked."""
    told = [warning.split()[0] for warning in world.warnings if "is not there any more" in warning]
    world.events.clear()
    return told


def test_a_table_of_a_database_that_went_since_its_last_backup_is_told_once(world: World) -> None:
    """An accident is found in the morning, and what was dropped on purpose is not told of for ever."""
    world.ready("d1.t", "d1.u", "d1.w", "d2.x").backup("d1.*", "d2.*")
    world.sql("DROP TABLE d1.u FORCE; DROP TABLE d2.x FORCE")
    world.backup("d1.t")
    assert told_gone(world) == [], "only t was asked for"
    assert world.backup("d1.*").complete
    assert told_gone(world) == ["d1.u"]
    world.backup("d1.*")
    assert told_gone(world) == []


def test_a_dry_run_tells_of_it_too(world: World) -> None:
    world.ready("d1.t", "d1.u").backup()
    world.sql("DROP TABLE d1.u FORCE")
    backup.plan(world.ports, world.request())
    assert told_gone(world) == ["d1.u"]
