"""The life of every kind of table: every night comes back, together with all the others, and nights go on after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen

from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.restore_plan import Target
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import restore, restore_planning
from starrocks_br.services.reports import BatchReport
from starrocks_br.services.requests import RestoreRequest, Wanted
from tests.support.kinds import KINDS
from tests.support.world import World

Rows = list[tuple[Any, ...]]
TABLES = {kind: f"d1.{kind.replace(', ', '_').replace(' ', '_')}" for kind in KINDS}


@frozen(kw_only=True)
class Zoo:
    """A table of every kind, after all their nights.

    Attributes:
        world: Where they live.
        known: The rows of each in each night.
    """

    world: World
    known: Mapping[Label, Mapping[str, Rows]]

    def rows(self, tables: Mapping[str, str] = TABLES) -> dict[str, Rows]:
        """The rows of each as they are now."""
        return {kind: self.world.rows(table) for kind, table in tables.items()}

    def lost(self) -> None:
        """Whatever the database holds goes."""
        for name in sorted(self.world.tables("d1")):
            self.world.sql(f"DROP TABLE d1.{name} FORCE")

    def restore(self, night: Label, suffix: str = "", **how: Any) -> BatchReport:
        """Bring all of them back in one command."""
        self.world.later()
        wanted = tuple(
            Wanted(table=TableRef.parse(table), target=Target(table=TableRef.parse(table + suffix), **how))
            for table in TABLES.values()
        )
        request = RestoreRequest(place=self.world.place, wanted=wanted, label=night)
        report = restore.run(self.world.ports, request, restore_planning.plan(self.world.ports, request))
        assert report.failures == {}
        return report


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Four nights that leave the schemas alone, and one after they changed: one backup takes all tables."""
    world = World(tmp_path_factory.mktemp("repository"), backends=3).ready()
    world.sql("CREATE DATABASE d1")
    for kind, table in TABLES.items():
        world.sql(f"CREATE TABLE {table} {KINDS[kind].create}")
    known = {}
    for night in range(5):
        for kind, table in TABLES.items():
            act(world, table, (*KINDS[kind].nights, KINDS[kind].change)[night])
        report = world.backup("d1.*")
        assert report.complete
        known[report.databases[0].label or pytest.fail("no label")] = {
            kind: world.rows(table) for kind, table in TABLES.items()
        }
    return Zoo(world=world, known=known)


def act(world: World, table: str, statements: tuple[str, ...]) -> None:
    """What a user does to a table; schema changes are given the time that they take."""
    for statement in statements:
        world.sql(statement.format(t=table, d="d1"))
        if "ROLLUP" in statement or "VIEW" in statement:
            world.later()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_first_night_and_the_one_after_a_change_are_full(zoo: Zoo, kind: str) -> None:
    first, *nights, last = [point for point in zoo.world.points(TABLES[kind]) if point.label in zoo.known][::-1]
    later = BackupType.FULL if KINDS[kind].whole else BackupType.INCREMENTAL
    changed = BackupType.FULL if KINDS[kind].change else BackupType.INCREMENTAL
    assert [point.type for point in (first, *nights, last)] == [BackupType.FULL, later, later, later, changed]
    assert tuple(point.captured for point in nights) == KINDS[kind].captured


@pytest.mark.parametrize("night", range(5))
def test_every_night_comes_back_to_the_row(zoo: Zoo, night: int) -> None:
    label = list(zoo.known)[night]
    zoo.lost()
    report = zoo.restore(label)
    assert zoo.rows() == zoo.known[label]
    assert {str(one.table): one.rows for one in report.restored} == {
        table: len(zoo.known[label][kind]) for kind, table in TABLES.items()
    }


@pytest.mark.parametrize("how", ["under its name", "beside it"])
def test_numbers_are_not_given_out_again(zoo: Zoo, how: str) -> None:
    """Under its name a table is overlaid, beside the living one it is copied together."""
    kind = "numbers of its own"
    night = list(zoo.known)[3]
    zoo.lost()
    zoo.restore(night)
    table = TABLES[kind] if how == "under its name" else "d1.numbered"
    if table not in TABLES.values():
        zoo.world.restore(TABLES[kind], label=night, into=table)
    zoo.world.sql(f"INSERT INTO {table} (k) VALUES (19)")
    given = {number for number, _ in zoo.known[night][kind]}
    assert [number > max(given) for number, k in zoo.world.rows(table) if k == 19] == [True]


def test_a_night_comes_back_beside_the_living_and_over_them(zoo: Zoo) -> None:
    night, newest = list(zoo.known)[3:]
    zoo.lost()
    zoo.restore(newest)
    zoo.restore(night, "_beside")
    assert zoo.rows() == zoo.known[newest]
    assert zoo.rows({kind: f"{table}_beside" for kind, table in TABLES.items()}) == zoo.known[night]
    report = zoo.restore(night, replace=True)
    assert zoo.rows() == zoo.known[night]
    asides = {str(one.table): str(one.aside) for one in report.restored}
    assert zoo.rows({kind: asides[table] for kind, table in TABLES.items()}) == zoo.known[newest]


def test_what_is_loaded_after_a_restore_is_in_the_next_backup_which_is_no_full_one(zoo: Zoo) -> None:
    zoo.lost()
    zoo.restore(list(zoo.known)[3])
    restored = zoo.rows()
    for kind, table in TABLES.items():
        act(zoo.world, table, KINDS[kind].after)
    after = zoo.rows()
    assert {kind for kind in KINDS if after[kind] == restored[kind]} <= {"empty"}
    report = zoo.world.backup("d1.*")
    whole = {str(table.table) for table in report.databases[0].tables if table.type is BackupType.FULL}
    assert {kind for kind, table in TABLES.items() if table in whole} == {kind for kind in KINDS if KINDS[kind].whole}
    zoo.lost()
    zoo.restore(report.databases[0].label or pytest.fail("no label"))
    assert zoo.rows() == after
