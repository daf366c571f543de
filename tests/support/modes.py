"""Every mode of a restore, each over a past of its own: what lived before, what is wanted, and who may say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from starrocks_br.domain.names import Label, RestoreId, TableRef
from starrocks_br.domain.restore_plan import Target
from starrocks_br.services import restore, restore_planning, undo
from starrocks_br.services.reports import BatchReport
from starrocks_br.services.requests import RestoreRequest, Wanted
from tests.support.copies import once
from tests.support.world import World

Rows = list[tuple[Any, ...]]

LONG_AFTER = 3600.0
"""Seconds after which whatever was sent has acted, or never will."""

LIST_TABLE = (
    "CREATE TABLE {name} (id INT NOT NULL, city VARCHAR(20) NOT NULL, v INT) DUPLICATE KEY(id) "
    "PARTITION BY LIST(city) (PARTITION pa VALUES IN ('a', 'b'), PARTITION pc VALUES IN ('c')) "
    "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES('replication_num'='1')"
)


@define
class Past:
    """A world in which something is about to be restored.

    Attributes:
        world: Where.
        label: The snapshot whose point is wanted.
        wanted: The rows of each source at that point.
        lived: The rows of each table that lives before the restore.
    """

    world: World
    label: Label
    wanted: Mapping[str, Rows]
    lived: dict[str, Rows] = field(factory=dict)

    def copy(self, folder: Path) -> Past:
        """The same in another folder."""
        return evolve(self, world=self.world.copy(folder), lived=dict(self.lived))

    def note_the_living(self) -> None:
        """From here on these rows must never be lost."""
        databases = [name for name in ("d1", "d2", "drill") if self._exists(name)]
        tables = [f"{database}.{name}" for database in databases for name in sorted(self.world.tables(database))]
        self.lived = {table: self.world.rows(table) for table in tables}

    def _exists(self, database: str) -> bool:
        return (database,) in self.world.sql("SHOW DATABASES")


@frozen(kw_only=True)
class Mode:
    """One way to restore.

    Attributes:
        name: For the test's name.
        prepare: Makes the past.
        act: Runs the command.
        goals: The names that the restored tables get, each with its source.
        drops_old: Whether the table that lived before is dropped in the end.
    """

    name: str
    prepare: Callable[[Path], Past]
    act: Callable[[Past], object]
    goals: Mapping[str, str] = field(factory=lambda: {"d1.t": "d1.t"})
    drops_old: bool = False


# --- pasts ------------------------------------------------------------------------------------------------------------


def _one_holder(folder: Path) -> Past:
    world = World(folder).ready("d1.t", "d1.other")
    wanted = {"d1.t": world.rows("d1.t")}
    world.backup()
    return Past(world, world.points("d1.t")[0].label, wanted)


def _two_holders(folder: Path) -> Past:
    past = _one_holder(folder)
    world = past.world
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    wanted = {"d1.t": world.rows("d1.t")}
    world.backup()
    return Past(world, world.points("d1.t")[0].label, wanted)


def _two_holders_of_a_list(folder: Path) -> Past:
    world = World(folder).ready("d1.other")
    world.sql(LIST_TABLE.format(name="d1.t"))
    world.sql("INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)")
    world.backup()
    world.sql("ALTER TABLE d1.t ADD PARTITION pd VALUES IN ('d') DISTRIBUTED BY HASH(id) BUCKETS 2")
    world.sql("INSERT INTO d1.t VALUES (3, 'd', 3)")
    wanted = {"d1.t": world.rows("d1.t")}
    world.backup()
    return Past(world, world.points("d1.t")[0].label, wanted)


def _three_tables(folder: Path) -> Past:
    """Of two databases; each snapshot holds a part of all of them."""
    world = World(folder).ready("d1.t", "d1.s", "d2.u")
    names = ("d1.t", "d1.s", "d2.u")
    world.backup("d1.*", "d2.*")
    for name in names:
        world.sql(f"INSERT INTO {name} VALUES (3, '2024-01-02', 30)")
    wanted = {name: world.rows(name) for name in names}
    world.backup("d1.*", "d2.*")
    return Past(world, world.points("d1.t")[0].label, wanted)


def _since(statement: str, make: Callable[[Path], Past]) -> Callable[[Path], Past]:
    """What a statement makes of the tables whose rows are wanted."""

    @once
    def prepare(folder: Path) -> Past:
        past = make(folder)
        for table in past.wanted:
            past.world.sql(statement.format(table))
        past.note_the_living()
        return past

    return prepare


def _alive(make: Callable[[Path], Past]) -> Callable[[Path], Past]:
    """The table lives, and is another than it was then."""
    return _since("TRUNCATE TABLE {}", make)


def _gone(make: Callable[[Path], Past]) -> Callable[[Path], Past]:
    """The table was dropped."""
    return _since("DROP TABLE {} FORCE", make)


def _replaced(make: Callable[[Path], Past]) -> Callable[[Path], Past]:
    """The table was replaced a while ago: that can be undone."""

    @once
    def prepare(folder: Path) -> Past:
        past = _alive(make)(folder)
        past.world.restore("d1.t", label=past.label, replace=True)
        past.world.later()
        past.note_the_living()
        return past

    return prepare


# --- acts -------------------------------------------------------------------------------------------------------------


def _restoring(into: str = "", **how: Any) -> Callable[[Past], object]:
    return lambda past: past.world.restore("d1.t", label=past.label, into=into, **how)


def restore_all(past: Past, *, at_once: int = 4, **how: Any) -> BatchReport:
    """Bring all tables back to their newest point, in one command."""
    world = past.world
    world.later()
    wanted = tuple(
        Wanted(table=TableRef.parse(name), target=Target(table=TableRef.parse(name), **how))
        for name in sorted(past.wanted)
    )
    request = RestoreRequest(place=world.place, wanted=wanted, at=world.ports.cluster.now(), max_parallel=at_once)
    batch = restore_planning.plan(world.ports, request)
    return restore.run(world.ports, request, batch)


def _undo(past: Past) -> object:
    return undo.undo(past.world.ports, past.world.place, newest_restore(past.world))


def newest_restore(world: World) -> RestoreId:
    """The id of the restore that was begun last."""
    rows = world.sql("SELECT restore_id FROM ops.restore_history ORDER BY created_at, restore_id")
    return RestoreId(str(rows[-1][0]))


ALL_THREE = {"d1.t": "d1.t", "d1.s": "d1.s", "d2.u": "d2.u"}
BESIDE = {"d1.copy": "d1.t"}

MODES = (
    Mode(name="absent, one holder", prepare=_gone(_one_holder), act=_restoring()),
    Mode(name="absent, several holders", prepare=_gone(_two_holders), act=_restoring()),
    Mode(name="absent, several holders, LIST", prepare=_gone(_two_holders_of_a_list), act=_restoring()),
    Mode(name="beside, one holder", prepare=_alive(_one_holder), act=_restoring("d1.copy"), goals=BESIDE),
    Mode(name="beside, copied", prepare=_alive(_two_holders), act=_restoring("d1.copy"), goals=BESIDE),
    Mode(name="another name, own name free", prepare=_gone(_two_holders), act=_restoring("d1.copy"), goals=BESIDE),
    Mode(
        name="another database",
        prepare=_alive(_two_holders),
        act=_restoring("drill.t"),
        goals={"drill.t": "d1.t"},
    ),
    Mode(name="replace, one holder", prepare=_alive(_one_holder), act=_restoring(replace=True)),
    Mode(
        name="replace, one holder, drop old",
        prepare=_alive(_one_holder),
        act=_restoring(replace=True, drop_old=True),
        drops_old=True,
    ),
    Mode(name="replace, several holders", prepare=_alive(_two_holders), act=_restoring(replace=True)),
    Mode(name="replace, several holders, LIST", prepare=_alive(_two_holders_of_a_list), act=_restoring(replace=True)),
    Mode(
        name="replace, several holders, drop old",
        prepare=_alive(_two_holders),
        act=_restoring(replace=True, drop_old=True),
        drops_old=True,
    ),
    Mode(
        name="three tables of two databases",
        prepare=_alive(_three_tables),
        act=lambda past: restore_all(past, replace=True),
        goals=ALL_THREE,
    ),
)

UNDOS = (
    Mode(name="undo, one holder", prepare=_replaced(_one_holder), act=_undo),
    Mode(name="undo, several holders", prepare=_replaced(_two_holders), act=_undo),
)
