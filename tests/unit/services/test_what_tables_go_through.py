"""What a table may have gone through before a backup; what comes back is compared row by row."""

from __future__ import annotations

import pytest

from starrocks_br.domain.snapshot import BackupType
from tests.support.world import World

BUCKETS = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES('replication_num'='1')"


@pytest.fixture
def ready(world: World) -> World:
    """With a database for the table."""
    world.ready().sql("CREATE DATABASE d1")
    return world


def test_dropped_partitions_stay_dropped(ready: World) -> None:
    ready.range_table("d1.t")
    ready.backup("d1.t")
    ready.sql("ALTER TABLE d1.t DROP PARTITION p1 FORCE")
    ready.backup("d1.t")
    wanted = ready.rows("d1.t")
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t")
    assert ready.rows("d1.t") == wanted
    names = [row["PartitionName"] for row in ready.records("SHOW PARTITIONS FROM d1.t")]
    assert names == ["p2"]


def test_a_table_without_any_partition_comes_back_empty(ready: World) -> None:
    ready.sql(
        "CREATE TABLE d1.t (id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id) PARTITION BY RANGE(dt) () " + BUCKETS
    )
    assert ready.backup("d1.t").complete
    ready.sql("DROP TABLE d1.t FORCE")
    assert ready.restore("d1.t").partitions == 0
    assert ready.rows("d1.t") == []


def test_a_table_that_lost_all_its_partitions_is_taken_whole(ready: World) -> None:
    ready.range_table("d1.t")
    ready.backup("d1.t")
    ready.sql("ALTER TABLE d1.t DROP PARTITION p1 FORCE")
    ready.sql("ALTER TABLE d1.t DROP PARTITION p2 FORCE")
    report = ready.backup("d1.t")
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t")
    assert ready.rows("d1.t") == []


def test_truncated_and_overwritten_partitions_come_back_as_they_were(ready: World) -> None:
    ready.range_table("d1.t")
    ready.backup("d1.t")
    full = ready.rows("d1.t")
    ready.sql("TRUNCATE TABLE d1.t PARTITION (p1)")
    ready.sql("INSERT OVERWRITE d1.t PARTITION (p2) VALUES (9, '2024-01-02', 90)")
    ready.backup("d1.t")
    wanted = ready.rows("d1.t")
    points = ready.points("d1.t")
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", points[0].snapshot.snapshot_at)
    assert ready.rows("d1.t") == wanted == [(9, *wanted[0][1:])]
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", points[1].snapshot.snapshot_at)
    assert ready.rows("d1.t") == full


def test_a_schema_change_makes_the_next_backup_full_and_older_points_keep_the_old_schema(ready: World) -> None:
    ready.range_table("d1.t")
    ready.backup("d1.t")
    old = ready.rows("d1.t")
    ready.sql("ALTER TABLE d1.t ADD COLUMN w INT DEFAULT '5'")
    ready.later()
    report = ready.backup("d1.t")
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]
    oldest = ready.points("d1.t")[-1]
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", oldest.snapshot.snapshot_at)
    assert ready.rows("d1.t") == old


def test_rows_of_several_tables_and_databases_come_back_from_one_run(ready: World) -> None:
    for name in ("d1.a", "d1.b", "d2.a"):
        ready.range_table(name)
    report = ready.backup("d1.*", "d2.*")
    assert [outcome.database for outcome in report.databases] == ["d1", "d2"]
    ready.sql("INSERT INTO d1.b VALUES (7, '2024-01-01', 7)")
    ready.backup("d1.*", "d2.*")
    wanted = ready.rows("d1.b")
    ready.sql("DROP TABLE d1.b FORCE")
    ready.restore("d1.b")
    assert ready.rows("d1.b") == wanted
    assert len(ready.points("d1.a")) == len(ready.points("d2.a")) == 2
