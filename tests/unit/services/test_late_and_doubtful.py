"""Snapshots that were found late, seen by two commands, or that stand beside something else: what they prove."""

from __future__ import annotations

import pytest

from starrocks_br.domain.snapshot import BackupType
from tests.support.world import World

FLAT = (
    "CREATE TABLE {name} (id INT, v INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
    "PROPERTIES('replication_num'='1')"
)


@pytest.mark.parametrize("name", ["$log", "$$"])
def test_a_table_whose_only_partition_begins_with_a_dollar_is_backed_up_and_comes_back(world: World, name: str) -> None:
    """The one partition of such a table bears its name: it is no hidden one."""
    world.ready("d1.other")
    quoted = f"d1.`{name}`"
    world.sql(FLAT.format(name=quoted))
    world.sql(f"INSERT INTO {quoted} VALUES (1, 10)")
    world.backup()
    world.sql(f"INSERT INTO {quoted} VALUES (2, 20)")
    world.backup()
    assert [point.type for point in world.points(f"d1.{name}")] == [BackupType.INCREMENTAL, BackupType.FULL]
    wanted = world.rows(quoted)
    world.sql(f"DROP TABLE {quoted} FORCE")
    world.restore(f"d1.{name}")
    assert world.rows(quoted) == wanted
