"""What a restore leans on besides RESTORE: tables made from their own DDL, copies, buckets that grow, groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

ONE = "PROPERTIES('replication_num'='1')"
TABLES = {
    "range": (
        (
            "(id INT NOT NULL, dt DATE NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY RANGE(id, dt) ("
            "PARTITION p1 VALUES [('1', '2024-01-01'), ('2', '2024-01-02')), "
            f"PARTITION p2 VALUES LESS THAN (MAXVALUE, MAXVALUE)) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}"
        ),
        "(1, '2024-01-01', 5), (9, '2024-01-01', 5)",
    ),
    "list": (
        (
            "(id INT NOT NULL, c VARCHAR(20) NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY LIST(c, id) ("
            "PARTITION p1 VALUES IN (('a', '1'), ('b', '2')), PARTITION p2 VALUES IN (('c', '3'))) "
            f"DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}"
        ),
        "(1, 'a', 1), (3, 'c', 2)",
    ),
    "expression": (
        (
            "(id INT NOT NULL, dt DATETIME NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY date_trunc('day', dt) "
            f"DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}"
        ),
        "(1, '2024-01-01 01:00:00', 1), (2, '2024-01-02 01:00:00', 1)",
    ),
    "unpartitioned": (f"(id INT NOT NULL, v INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}", "(1, 1)"),
    "primary": (
        f"(id INT NOT NULL, v INT) PRIMARY KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 ORDER BY (v) {ONE}",
        "(1, 1), (1, 2)",
    ),
    "aggregate": (
        f"(id INT NOT NULL, v BIGINT SUM) AGGREGATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}",
        "(1, 1), (1, 2)",
    ),
    "unique": (f"(id INT NOT NULL, v BIGINT) UNIQUE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}", "(1, 1)"),
    "random": (f"(id INT NOT NULL, v INT) DUPLICATE KEY(id) DISTRIBUTED BY RANDOM {ONE}", "(1, 1)"),
    "generated": (
        f"(id INT NOT NULL, v INT, g INT AS (v + 1)) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}",
        "(1, 1)",
    ),
    "numbered": (
        f"(id BIGINT NOT NULL AUTO_INCREMENT, v INT) PRIMARY KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}",
        "(7, 1)",
    ),
    "colocated": (
        (
            "(id INT NOT NULL, v INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 "
            "PROPERTIES('replication_num'='1', 'colocate_with'='g')"
        ),
        "(1, 1)",
    ),
}
COLUMNS = {"generated": "(id, v)"}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run("USE d")
    return made


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_made_again_from_its_own_ddl_and_restored_over(cluster: Cluster, kind: str) -> None:
    """O2§y5: nothing of it is lost, the colocate group included."""
    definition, rows = TABLES[kind]
    cluster.run(f"CREATE TABLE t {definition}")
    cluster.run(f"INSERT INTO t {COLUMNS.get(kind, '')} VALUES {rows}")
    assert cluster.backup("d", "l", "t") == "FINISHED"
    ddl = cluster.run("SHOW CREATE TABLE t")[0][1]
    stored = cluster.run("SELECT * FROM t ORDER BY id")
    cluster.run("DROP TABLE t FORCE")
    cluster.run(ddl)
    assert cluster.run("SELECT * FROM t") == []
    assert cluster.restore("d", "l", "t") == "FINISHED"
    assert cluster.run("SELECT * FROM t ORDER BY id") == stored
    assert cluster.run("SHOW CREATE TABLE t")[0][1] == ddl
    holes = "SELECT COUNT(*) FROM information_schema.partitions_meta WHERE NEXT_VERSION <> VISIBLE_VERSION + 1"
    assert cluster.run(holes) == [(0,)]


def test_partitions_are_copied_with_named_columns(cluster: Cluster) -> None:
    """INSERT INTO … PARTITION … SELECT … PARTITION, and a count of one partition only."""
    cluster.run(f"CREATE TABLE t {TABLES['list'][0]}")
    cluster.run(f"INSERT INTO t VALUES {TABLES['list'][1]}")
    cluster.run("CREATE TABLE u LIKE t")
    copy = "INSERT INTO `d`.`u` PARTITION (`p2`) (`id`, `c`, `v`) SELECT `id`, `c`, `v` FROM `d`.`t` PARTITION (`p2`)"
    cluster.run(copy)
    assert cluster.run("SELECT COUNT(*) FROM `d`.`u` PARTITION (`p1`)") == [(0,)]
    assert cluster.run("SELECT * FROM d.u PARTITION (p2)") == [(3, "c", 2)]
    cluster.run("INSERT INTO u (id, c, v) SELECT id, c, v FROM t PARTITION (p1)")
    assert cluster.run("SELECT COUNT(*) FROM u") == [(2,)]


def test_partitions_of_several_columns_are_added_with_buckets_of_their_own(cluster: Cluster) -> None:
    cluster.run(f"CREATE TABLE t {TABLES['range'][0]}")
    cluster.run("ALTER TABLE t DROP PARTITION p2")
    cluster.run(
        'ALTER TABLE t ADD PARTITION p3 VALUES [("3", "2024-01-01"), ("4", "2024-01-01")) ("replication_num" = "1") '
        "DISTRIBUTED BY HASH(`id`) BUCKETS 5"
    )
    meta = "SELECT PARTITION_NAME, BUCKETS FROM information_schema.partitions_meta ORDER BY PARTITION_NAME"
    assert cluster.run(meta) == [("p1", 2), ("p3", 5)]


def test_automatic_buckets_grow_once_they_are_full(cluster: Cluster) -> None:
    """By a physical partition for each load that finds the last one full; never with buckets that were asked for."""
    loaded = "SELECT COUNT(*), MIN(VISIBLE_VERSION) FROM information_schema.partitions_meta WHERE TABLE_NAME = '{}'"
    for name, distribution, size, parts in (
        ("grows", "RANDOM", 1, 3),
        ("roomy", "RANDOM", 4096, 1),
        ("never", "RANDOM", 0, 1),
        ("fixed", "RANDOM BUCKETS 2", 1, 1),
        ("hashed", "HASH(id)", 1, 1),
    ):
        properties = f"PROPERTIES('replication_num'='1', 'bucket_size'='{size}')"
        cluster.run(f"CREATE TABLE {name} (id INT, v INT) DUPLICATE KEY(id) DISTRIBUTED BY {distribution} {properties}")
        for number in range(3):
            cluster.run(f"INSERT INTO {name} VALUES ({number}, 1)")
        assert cluster.run(loaded.format(name)) == [(parts, 2 if parts == 3 else 4)]
        assert cluster.run(f"SELECT COUNT(*) FROM {name}") == [(3,)]


def test_a_table_joins_and_leaves_a_colocate_group(cluster: Cluster) -> None:
    """ALTER … SET (y4); RESTORE AS forgets the group (O2§y1)."""
    cluster.run(RANGE_TABLE.format(name="t"))
    cluster.run('ALTER TABLE t SET ("colocate_with" = "g")')
    assert '"colocate_with" = "g"' in cluster.run("SHOW CREATE TABLE t")[0][1]
    assert cluster.backup("d", "l", "t") == "FINISHED"
    assert cluster.restore("d", "l", "t AS u") == "FINISHED"
    assert "colocate_with" not in cluster.run("SHOW CREATE TABLE u")[0][1]
    cluster.run('ALTER TABLE t SET ("colocate_with" = "")')
    assert "colocate_with" not in cluster.run("SHOW CREATE TABLE t")[0][1]


def test_one_statement_restores_several_tables_under_other_names(cluster: Cluster) -> None:
    """O2§y2: each its own partitions; no alias is a name that the statement names."""
    for name in ("a", "b", "c"):
        cluster.run(RANGE_TABLE.format(name=name))
        cluster.run(f"INSERT INTO {name} VALUES (1, '2024-01-01', 1), (2, '2024-01-02', 2)")
    assert cluster.backup("d", "l", "a, b, c") == "FINISHED"
    assert cluster.restore("d", "l", "a PARTITION (p1, p2) AS a1, b PARTITION (p2) AS b1, c AS c1") == "FINISHED"
    assert [cluster.run(f"SELECT COUNT(*) FROM {name}")[0][0] for name in ("a1", "b1", "c1")] == [2, 1, 2]
    with pytest.raises(ServerError, match="Duplicated alias name: b"):
        cluster.submit_restore("d", "l", "a AS b, b AS a2")


def test_databases_get_other_names(cluster: Cluster) -> None:
    """Unless one has it (O§i)."""
    cluster.run("CREATE DATABASE e")
    cluster.run("ALTER DATABASE e RENAME e2")
    assert {("d",), ("e2",)} <= set(cluster.run("SHOW DATABASES"))
    with pytest.raises(ServerError, match="already used"):
        cluster.run("ALTER DATABASE e2 RENAME d")
