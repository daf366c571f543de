"""The life of every kind of table: every night comes back, together with all the others, and nights go on after it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from starrocks_br.adapters.memory import MemoryRestoreHistory
from starrocks_br.domain.names import Label, PartitionName, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import Target
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import restore, restore_planning, undo
from starrocks_br.services.reports import BatchReport
from starrocks_br.services.requests import RestoreRequest, Wanted
from tests.support.kinds import AUTOMATIC, KINDS, NEVER_LOADED
from tests.support.world import World

Rows = list[tuple[Any, ...]]
DOCUMENT = Path(__file__).parents[3] / "docs" / "restore-semantics.md"
NIGHTS = (0, 2, 4)
"""For the ways that are no matter of every night: one snapshot holds all, several do, the schema has changed."""
BESIDE = ("d1.{}_beside", "drill.{}", "drill.other_{}")
TABLES = {kind: f"d1.{kind.replace(', ', '_').replace(' ', '_')}" for kind in KINDS}


@define(kw_only=True)
class Zoo:
    """A table of every kind, after all their nights.

    Attributes:
        world: Where they live.
        known: The rows of each in each night.
        journal: Of the restores. It is kept in memory, which saves most of the time: that of the cluster is under test
            elsewhere.
        standing: The night that the tables are of; None: they were touched.
    """

    world: World
    known: Mapping[Label, Mapping[str, Rows]]
    journal: MemoryRestoreHistory = field(factory=MemoryRestoreHistory)
    standing: Label | None = None

    @property
    def ports(self) -> Ports:
        """The product's."""
        return evolve(self.world.ports, restores=self.journal)

    def rows(self, tables: Mapping[str, str] = TABLES) -> dict[str, Rows]:
        """The rows of each as they are now."""
        return {kind: self.world.rows(table) for kind, table in tables.items()}

    def lost(self, *, keep: Collection[str] = ()) -> None:
        """Whatever the databases hold goes."""
        for name in sorted(self.world.tables("d1") - {table.removeprefix("d1.") for table in keep}):
            self.world.sql(f"DROP TABLE d1.{name} FORCE")
        self.world.sql("DROP DATABASE IF EXISTS drill FORCE")
        self.standing = self.standing if keep else None

    def back(self, night: Label) -> Mapping[str, Rows]:
        """All of them as they were, and nothing else; their rows."""
        if self.standing == night:
            self.lost(keep=TABLES.values())
        else:
            self.lost()
            self.restore(night)
            self.standing = night
        return self.known[night]

    def restore(self, night: Label, into: str = "d1.{}", only: Collection[str] = KINDS, **how: Any) -> BatchReport:
        """Bring them back in one command; `into` says where each goes."""
        targets = {kind: Target(table=TableRef.parse(there), **how) for kind, there in named(into, only).items()}
        return self.restore_to(night, targets)

    def restore_to(self, night: Label, targets: Mapping[str, Target]) -> BatchReport:
        """Bring some back, each its own way."""
        self.world.later()
        self.touched({str(target.table) for target in targets.values()})
        request = wish(self.world, night, targets)
        report = restore.run(self.ports, request, restore_planning.plan(self.ports, request))
        assert report.failures == {}
        return report

    def touched(self, tables: Collection[str]) -> None:
        """These are no more what they were."""
        if set(tables) & set(TABLES.values()):
            self.standing = None

    def some_partition(self, table: str, number: int) -> str:
        """The name of one of its partitions."""
        names = [str(row["PartitionName"]) for row in self.world.records(f"SHOW PARTITIONS FROM {table}")]
        return names[number % len(names)]

    def load(self, tables: Mapping[str, str]) -> None:
        """What must work after a restore; it changes all tables but those that never had a row."""
        before = self.rows(tables)
        self.touched(tables.values())
        for kind, table in tables.items():
            act(self.world, table, KINDS[kind].after)
        after = self.rows(tables)
        assert {kind for kind in tables if after[kind] == before[kind]} <= NEVER_LOADED


def named(into: str, kinds: Collection[str] = KINDS) -> dict[str, str]:
    """Where the tables go."""
    return {kind: into.format(TABLES[kind].removeprefix("d1.")) for kind in kinds}


def wish(world: World, night: Label, targets: Mapping[str, Target]) -> RestoreRequest:
    """What is asked for."""
    wanted = tuple(Wanted(table=TableRef.parse(TABLES[kind]), target=target) for kind, target in targets.items())
    return RestoreRequest(place=world.place, wanted=wanted, label=night, allow_fuzzy=True)


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


@pytest.mark.parametrize("night", NIGHTS)
def test_every_night_comes_back_over_the_living(zoo: Zoo, night: int) -> None:
    label, other = list(zoo.known)[night], list(zoo.known)[(night + 1) % 5]
    living = zoo.back(other)
    report = zoo.restore(label, replace=True)
    assert zoo.rows() == zoo.known[label]
    asides = {str(one.table): str(one.aside) for one in report.restored}
    assert zoo.rows({kind: asides[table] for kind, table in TABLES.items()}) == living
    for one in report.restored:
        undo.undo(zoo.ports, zoo.world.place, one.restore)
    assert zoo.rows() == living


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("into", BESIDE[:2])
def test_every_night_comes_back_beside_the_living(zoo: Zoo, night: int, into: str) -> None:
    label = list(zoo.known)[night]
    living = zoo.back(list(zoo.known)[-1])
    zoo.restore(label, into)
    assert zoo.rows(named(into)) == zoo.known[label]
    assert zoo.rows() == living


def told() -> Mapping[str, list[str]]:
    """What the table of the document says of each kind, column by column."""
    found: dict[str, list[str]] = {}
    for line in DOCUMENT.read_text().splitlines():
        kinds, *cells = line.strip("|").split(" | ")
        found |= {kind: cells for kind in re.sub(r"\(.*\)", "", kinds).strip().split("; ") if kind in KINDS}
    return found


@pytest.mark.parametrize(("into", "replace"), [("d1.{}", True), ("d1.{}_beside", False)])
def test_they_come_the_way_that_the_document_says(zoo: Zoo, into: str, replace: bool) -> None:
    zoo.back(list(zoo.known)[-1])
    for label in zoo.known:
        targets = {kind: Target(table=TableRef.parse(there), replace=replace) for kind, there in named(into).items()}
        plans = restore_planning.plan(zoo.ports, wish(zoo.world, label, targets)).plans
        for kind, plan in zip(KINDS, plans, strict=True):
            column = 0 if len(plan.manifest.holders()) == 1 else 1 if replace else 2
            ways = re.findall(r"([A-Z]+), (\w) job", told()[kind][column])
            assert (plan.way.name, len(plan.jobs)) in {
                (way, int(n.replace("n", str(len(plan.jobs))))) for way, n in ways
            }


def test_what_is_not_as_it_was_is_told_where_the_document_says_so(zoo: Zoo) -> None:
    zoo.lost()
    report = zoo.restore(list(zoo.known)[3])
    for kind, one in zip(KINDS, report.restored, strict=True):
        notes = [*one.notes, *(note for note in report.notes if str(one.table) in note)]
        special = [note for note in notes if not re.match("views|table properties|nobody was granted", note)]
        phrases = re.findall("`(.+?)`", told()[kind][3])
        assert len(special) == len(phrases)
        assert all(phrase in note for phrase, note in zip(phrases, special, strict=True))


@pytest.mark.parametrize("night", NIGHTS)
def test_every_night_comes_back_by_its_ddl(zoo: Zoo, night: int) -> None:
    """As if nobody had looked right after the cut. What grew parts can only come as a table that RESTORE makes."""
    label = list(zoo.known)[night]
    zoo.lost()
    judge = "UPDATE ops.backup_history SET consistency = '{}' WHERE label = '" + label + "'"
    zoo.world.sql(judge.format("UNKNOWN"))
    targets = {kind: Target(table=TableRef.parse(table)) for kind, table in TABLES.items()}
    plans = restore_planning.plan(zoo.ports, wish(zoo.world, label, targets)).plans
    others = {kind for kind, plan in zip(TABLES, plans, strict=True) if plan.way is not Way.REFILL}
    report = zoo.restore(label)
    zoo.world.sql(judge.format("EXACT"))
    assert others == {kind for kind in KINDS if kind.startswith("grown")}
    assert zoo.rows() == zoo.known[label]
    assert len(report.restored) == len(KINDS)


@pytest.mark.parametrize(("into", "replace"), [("d1.{}", True), *((one, False) for one in BESIDE)])
def test_tables_that_came_back_take_loads(zoo: Zoo, into: str, replace: bool) -> None:
    """New automatic partitions and dynamic overwrite included, whatever way they came."""
    *_, night, newest = zoo.known
    zoo.back(newest)
    zoo.restore(night, into, replace=replace)
    assert zoo.rows(named(into)) == zoo.known[night]
    zoo.load(named(into))


@pytest.mark.parametrize("night", NIGHTS)
def test_one_partition_of_each_comes_back_in_a_table_of_its_own(zoo: Zoo, night: int) -> None:
    label = list(zoo.known)[night]
    zoo.back(label)
    parts = {kind: zoo.some_partition(table, night) for kind, table in TABLES.items()}
    there = named("drill.{}", parts)
    zoo.restore_to(
        label,
        {
            kind: Target(table=TableRef.parse(there[kind]), partitions=frozenset({PartitionName(part)}))
            for kind, part in parts.items()
        },
    )
    wanted = zoo.rows({kind: f"{TABLES[kind]} PARTITION ({part})" for kind, part in parts.items()})
    assert zoo.rows(there) == wanted
    zoo.load({kind: table for kind, table in there.items() if KINDS[kind].after[-len(AUTOMATIC) :] == AUTOMATIC})


@pytest.mark.parametrize("into", ["d1.{}", "d1.{}_numbered"])
def test_numbers_are_not_given_out_again(zoo: Zoo, into: str) -> None:
    """Under its name a table is overlaid, beside the living one it is copied together."""
    kind = "numbers of its own"
    night = list(zoo.known)[3]
    (table,) = named(into, [kind]).values()
    zoo.back(night)
    if table == TABLES[kind]:
        zoo.world.sql(f"DROP TABLE {table} FORCE")
    zoo.restore(night, into, [kind])
    zoo.touched(TABLES.values())
    zoo.world.sql(f"INSERT INTO {table} (k) VALUES (19)")
    given = {number for number, _ in zoo.known[night][kind]}
    assert [number > max(given) for number, k in zoo.world.rows(table) if k == 19] == [True]


def test_tables_that_came_back_are_known_again(zoo: Zoo) -> None:
    """The next backup takes nothing of them, and rests on the restore; what it makes comes back."""
    night = list(zoo.known)[3]
    zoo.lost()
    zoo.restore(night)
    report = zoo.world.backup("d1.*")
    assert {str(one.table): (one.type, one.captured) for one in report.databases[0].tables} == dict.fromkeys(
        TABLES.values(), (BackupType.INCREMENTAL, 0)
    )
    zoo.lost()
    zoo.restore(report.databases[0].label or pytest.fail("no label"))
    assert zoo.rows() == zoo.known[night]


def test_what_is_loaded_after_a_restore_is_in_the_next_backup_which_is_no_full_one(zoo: Zoo) -> None:
    zoo.back(list(zoo.known)[3])
    zoo.load(TABLES)
    after = zoo.rows()
    report = zoo.world.backup("d1.*")
    whole = {str(table.table) for table in report.databases[0].tables if table.type is BackupType.FULL}
    assert {kind for kind, table in TABLES.items() if table in whole} == {kind for kind in KINDS if KINDS[kind].whole}
    zoo.lost()
    zoo.restore(report.databases[0].label or pytest.fail("no label"))
    assert zoo.rows() == after
