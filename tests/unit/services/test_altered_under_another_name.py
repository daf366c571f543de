"""A table is altered while it bears another name: SHOW ALTER TABLE tells that name, and ids of its indices (O2§y4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import backup
from tests.support.world import World

AWAY_AND_BACK = {
    "swapped": ("ALTER TABLE d1.t SWAP WITH u", "ALTER TABLE d1.t SWAP WITH u"),
    "renamed": ("ALTER TABLE d1.t RENAME w", "ALTER TABLE d1.w RENAME t"),
}
ALTERED = {
    "column made again": ("ALTER TABLE d1.{name} DROP COLUMN v", "ALTER TABLE d1.{name} ADD COLUMN v INT"),
    "rewritten twice": ("ALTER TABLE d1.{name} ADD INDEX i (v) USING BITMAP", "ALTER TABLE d1.{name} DROP INDEX i"),
    "rollup": ("ALTER TABLE d1.{name} ADD ROLLUP r (id, v)",),
}


@pytest.fixture
def twins(world: World) -> World:
    """Two tables of one shape, backed up."""
    world.ready("d1.t", "d1.u")
    world.backup()
    return world


def alter(world: World, statements: Sequence[str], name: str) -> None:
    """Alter a table, and wait for each job to end."""
    for statement in statements:
        world.sql(statement.format(name=name))
        world.later(120)


def newest(world: World, table: str) -> BackupType:
    """Of which type the newest point of a table is."""
    return world.points(table)[0].type


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
@pytest.mark.parametrize("way", AWAY_AND_BACK)
def test_what_was_altered_under_another_name_is_taken_whole(twins: World, way: str, altered: Sequence[str]) -> None:
    away, back = AWAY_AND_BACK[way]
    twins.sql(away)
    alter(twins, altered, "u" if way == "swapped" else "w")
    twins.sql(back)
    twins.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    twins.backup()
    assert (newest(twins, "d1.t"), newest(twins, "d1.u")) == (BackupType.FULL, BackupType.INCREMENTAL)
    wanted = twins.rows("d1.t")
    twins.sql("DROP TABLE d1.t FORCE")
    twins.restore("d1.t")
    assert twins.rows("d1.t") == wanted


def test_altered_tables_that_are_swapped_in_and_dropped_cost_the_others_nothing(twins: World) -> None:
    """As they are built night by night by some tools."""
    twins.sql("CREATE TABLE d1.u_new LIKE d1.u")
    alter(twins, ALTERED["column made again"], "u_new")
    twins.sql("ALTER TABLE d1.u SWAP WITH u_new")
    twins.sql("DROP TABLE d1.u_new FORCE")
    twins.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    twins.backup()
    assert (newest(twins, "d1.t"), newest(twins, "d1.u")) == (BackupType.INCREMENTAL, BackupType.FULL)


def test_a_change_that_runs_at_a_backup_is_not_hidden_by_a_later_one_of_a_table_that_is_gone(twins: World) -> None:
    twins.sql("ALTER TABLE d1.t ADD ROLLUP r (id, v)")
    twins.sql("ALTER TABLE d1.u ADD COLUMN z INT DEFAULT '3'")
    twins.sql("DROP TABLE d1.u FORCE")
    twins.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    backup.run(twins.ports, twins.request("d1.t"))
    assert newest(twins, "d1.t") is BackupType.INCREMENTAL
    twins.later(600)
    twins.backup("d1.t")
    assert newest(twins, "d1.t") is BackupType.FULL
