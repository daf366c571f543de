"""Every kind of table: full, incremental, restore to both points; what comes back is compared row by row."""

from __future__ import annotations

import pytest
from attrs import frozen

from starrocks_br.domain.snapshot import BackupType
from tests.support.world import World


@frozen
class Kind:
    """A table, what fills it, and what happens between its two backups."""

    create: str
    fill: str
    change: tuple[str, ...]
    captured: set[str]


PLAIN = "(id INT NOT NULL, v INT)"
DATED = "(id INT NOT NULL, dt DATE NOT NULL, v INT)"
DAYS = (
    "PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ('2024-01-02'), "
    "PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03')))"
)
BUCKETS = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES('replication_num'='1')"
TWO_DAYS = "INSERT INTO d1.t VALUES (1, '2024-01-01', 1), (2, '2024-01-02', 2)"
ADD_DAY = (
    "ALTER TABLE d1.t ADD PARTITION p3 VALUES LESS THAN ('2024-01-04')",
    "INSERT INTO d1.t VALUES (3, '2024-01-03', 3), (2, '2024-01-02', 5)",
)
CITIES = (
    "CREATE TABLE d1.t (id INT NOT NULL, city VARCHAR(20) NOT NULL, v INT) DUPLICATE KEY(id) "
    "PARTITION BY LIST(city) (PARTITION pa VALUES IN ('a', 'b'), PARTITION pc VALUES IN ('c')) "
)

KINDS = {
    "range": Kind(f"CREATE TABLE d1.t {DATED} DUPLICATE KEY(id) {DAYS} {BUCKETS}", TWO_DAYS, ADD_DAY, {"p2", "p3"}),
    "range over two columns": Kind(
        "CREATE TABLE d1.t (a INT NOT NULL, b INT NOT NULL, v INT) DUPLICATE KEY(a, b) PARTITION BY RANGE(a, b) ("
        "PARTITION p1 VALUES LESS THAN ('10', '20'), PARTITION p2 VALUES LESS THAN ('20', '30')) "
        "DISTRIBUTED BY HASH(a) BUCKETS 2 PROPERTIES('replication_num'='1')",
        "INSERT INTO d1.t VALUES (1, 1, 1), (15, 1, 1)",
        ("INSERT INTO d1.t VALUES (16, 1, 1)",),
        {"p2"},
    ),
    "primary key": Kind(
        f"CREATE TABLE d1.t {DATED} PRIMARY KEY(id, dt) {DAYS} {BUCKETS}",
        TWO_DAYS,
        ("UPDATE d1.t SET v = 7 WHERE id = 2", "INSERT INTO d1.t VALUES (2, '2024-01-02', 8)"),
        {"p2"},
    ),
    "aggregate": Kind(
        f"CREATE TABLE d1.t (id INT NOT NULL, dt DATE NOT NULL, v BIGINT SUM) AGGREGATE KEY(id, dt) {DAYS} {BUCKETS}",
        TWO_DAYS,
        ("INSERT INTO d1.t VALUES (2, '2024-01-02', 40)",),
        {"p2"},
    ),
    "unique": Kind(
        f"CREATE TABLE d1.t {DATED} UNIQUE KEY(id, dt) {DAYS} {BUCKETS}",
        TWO_DAYS,
        ("INSERT INTO d1.t VALUES (1, '2024-01-01', 9)",),
        {"p1"},
    ),
    "random buckets": Kind(
        f"CREATE TABLE d1.t {DATED} DUPLICATE KEY(id) {DAYS} "
        "DISTRIBUTED BY RANDOM BUCKETS 3 PROPERTIES('replication_num'='1')",
        TWO_DAYS,
        ADD_DAY,
        {"p2", "p3"},
    ),
    "unpartitioned": Kind(
        f"CREATE TABLE d1.t {PLAIN} DUPLICATE KEY(id) {BUCKETS}",
        "INSERT INTO d1.t VALUES (1, 1)",
        ("DELETE FROM d1.t WHERE id = 1", "INSERT INTO d1.t VALUES (2, 2)"),
        {"t"},
    ),
    "list, loaded": Kind(
        f"{CITIES} {BUCKETS}",
        "INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)",
        ("INSERT INTO d1.t VALUES (3, 'c', 3)",),
        {"pc"},
    ),
    "list, with new values": Kind(
        f"{CITIES} {BUCKETS}",
        "INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)",
        (
            "ALTER TABLE d1.t ADD PARTITION pd VALUES IN ('d', 'e''s') DISTRIBUTED BY HASH(id) BUCKETS 5",
            "INSERT INTO d1.t VALUES (3, 'd', 3), (4, 'e''s', 4)",
        ),
        {"pd"},
    ),
    "list of numbers": Kind(
        "CREATE TABLE d1.t (id INT NOT NULL, k INT NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(k) "
        f"(PARTITION p1 VALUES IN ('1')) {BUCKETS}",
        "INSERT INTO d1.t VALUES (1, 1)",
        ("ALTER TABLE d1.t ADD PARTITION p2 VALUES IN ('2', '3')", "INSERT INTO d1.t VALUES (2, 3)"),
        {"p2"},
    ),
    "list of pairs, random buckets": Kind(
        "CREATE TABLE d1.t (id INT NOT NULL, a VARCHAR(9) NOT NULL, b VARCHAR(9) NOT NULL) DUPLICATE KEY(id) "
        "PARTITION BY LIST(a, b) (PARTITION p1 VALUES IN (('x', 'y'))) "
        "DISTRIBUTED BY RANDOM BUCKETS 2 PROPERTIES('replication_num'='1')",
        "INSERT INTO d1.t VALUES (1, 'x', 'y')",
        (
            "ALTER TABLE d1.t ADD PARTITION p2 VALUES IN (('u', 'v'), ('u', 'w')) DISTRIBUTED BY RANDOM BUCKETS 2",
            "INSERT INTO d1.t VALUES (2, 'u', 'w')",
        ),
        {"p2"},
    ),
    "list, automatic": Kind(
        "CREATE TABLE d1.t (id INT NOT NULL, city VARCHAR(20) NOT NULL) DUPLICATE KEY(id) PARTITION BY (city) "
        + BUCKETS,
        "INSERT INTO d1.t VALUES (1, 'rome'), (2, 'oslo')",
        ("INSERT INTO d1.t VALUES (3, 'oslo'), (4, 'bern')",),
        {"poslo", "pbern"},
    ),
    "expression": Kind(
        f"CREATE TABLE d1.t {DATED} DUPLICATE KEY(id) PARTITION BY date_trunc('month', dt) {BUCKETS}",
        TWO_DAYS,
        ("INSERT INTO d1.t VALUES (3, '2024-02-03', 3)",),
        {"p202402"},
    ),
    "empty partitions": Kind(
        f"CREATE TABLE d1.t {DATED} DUPLICATE KEY(id) {DAYS} {BUCKETS}",
        "SELECT 1",
        ("INSERT INTO d1.t VALUES (1, '2024-01-01', 1)",),
        {"p1"},
    ),
}


@pytest.fixture
def ready(world: World) -> World:
    """With a database for the table."""
    world.ready().sql("CREATE DATABASE d1")
    return world


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_both_points_of_every_kind_come_back_to_the_row(ready: World, kind: Kind) -> None:
    ready.sql(kind.create)
    ready.sql(kind.fill)
    first = ready.backup("d1.t")
    assert (first.complete, [table.type for table in first.databases[0].tables]) == (True, [BackupType.FULL])
    wanted = [ready.rows("d1.t")]
    for statement in kind.change:
        ready.sql(statement)
    second = ready.backup("d1.t")
    assert [table.type for table in second.databases[0].tables] == [BackupType.INCREMENTAL]
    (entry,) = ready.ports.backups.entries([second.databases[0].label or pytest.fail("no label")]).entries
    assert entry.captured.keys() == kind.captured
    wanted.insert(0, ready.rows("d1.t"))

    points = ready.points("d1.t")
    ready.sql("DROP TABLE d1.t FORCE")
    for point, rows in zip(points, wanted, strict=True):
        report = ready.restore("d1.t", point.snapshot.snapshot_at)
        assert ready.rows("d1.t") == rows
        assert report.rows == len(rows)
        assert {name for name in ready.tables("d1") if name.startswith("__br_")} == set()
        ready.sql("INSERT INTO d1.t SELECT * FROM d1.t")  # every partition takes loads
        ready.sql("DROP TABLE d1.t FORCE")


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
