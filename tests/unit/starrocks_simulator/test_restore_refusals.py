"""What makes a RESTORE over an existing table end CANCELLED, in the server's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.catalog import Table
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

DIFFERENT = "Table t already exist but with different schema, "
COLUMN_V = DIFFERENT + "column: v in existed table is different from the column in backup snapshot, column: {name}"
COLUMNS = "id INT NOT NULL, dt DATE NOT NULL, v INT"
RANGES = "PARTITION p1 VALUES [('2024-01-01'), ('2024-01-02')), PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03'))"


def table(
    columns: str = COLUMNS,
    model: str = "DUPLICATE KEY(id)",
    partitions: str | None = RANGES,
    buckets: str = "HASH(id) BUCKETS 2",
    properties: str = "'replication_num'='1'",
) -> str:
    """CREATE TABLE d.t, like the snapshot's but for what is given."""
    by = "" if partitions is None else f"PARTITION BY RANGE(dt) ({partitions})"
    return f"CREATE TABLE d.t ({columns}) {model} {by} DISTRIBUTED BY {buckets} PROPERTIES({properties})"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster with the snapshot `full` of `d.t`, which has been dropped."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10)")
    assert made.backup("d", "full", "t") == "FINISHED"
    made.run("DROP TABLE d.t FORCE")
    return made


@pytest.mark.parametrize(
    ("ddl", "message"),
    [
        (table(partitions=None), "Table's partition type is different"),
        (table(columns=f"{COLUMNS}, w INT"), DIFFERENT + "errMsg: "),
        (table(columns="id INT NOT NULL, dt DATE NOT NULL, v BIGINT"), COLUMN_V.format(name="v")),
        (table(columns="id INT NOT NULL, dt DATE NOT NULL, v INT NOT NULL"), COLUMN_V.format(name="v")),
        (table(columns=f"{COLUMNS} COMMENT 'x'"), COLUMN_V.format(name="v")),
        (table(columns=f"{COLUMNS} DEFAULT '7'"), COLUMN_V.format(name="v")),
        (table(model="DUPLICATE KEY(id, dt)"), DIFFERENT + "errMsg: short key column count is inconsistent"),
        (table(buckets="HASH(id) BUCKETS 3"), DIFFERENT + "errMsg: bucket num is inconsistent"),
        (
            table(buckets="HASH(dt) BUCKETS 2"),
            DIFFERENT + "errMsg: partition distribution col hash is inconsistent",
        ),
        (
            table(properties="'replication_num'='1', 'bloom_filter_columns'='v'"),
            DIFFERENT + "errMsg: ",
        ),
        (
            table(partitions="PARTITION p1 VALUES [('2024-01-01'), ('2024-02-02'))"),
            "Partition p1 in table t has different range with partition in repository",
        ),
        (
            table(partitions="PARTITION px VALUES [('2024-01-01'), ('2024-01-02'))"),
            "Partition p1 in table t has conflict range with existing ranges",
        ),
    ],
)
def test_another_table_under_the_name_is_refused(cluster: Cluster, ddl: str, message: str) -> None:
    """O§q and e2; the local table stays as it is and goes back to NORMAL."""
    cluster.run(ddl)
    before = cluster.run("SHOW CREATE TABLE d.t")
    assert cluster.restore("d", "full", "t") == f"[COMMON_ERROR, msg: {message}]"
    assert cluster.run("SHOW CREATE TABLE d.t") == before
    cluster.run("SELECT COUNT(*) FROM d.t")


def test_partitions_that_the_target_lacks_are_added(cluster: Cluster) -> None:
    """And comments of tables, or compression, are not looked at (O§q)."""
    cluster.run(
        table(
            partitions="PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03'))",
            properties="'replication_num'='1', 'compression'='ZSTD'",
        )
    )
    assert cluster.restore("d", "full", "t") == "FINISHED"
    assert cluster.run("SELECT id FROM d.t") == [(1,)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ADD COLUMN w INT", DIFFERENT + "errMsg: "),
        ("RENAME COLUMN v TO w", COLUMN_V.replace("column: v in", "column: w in").format(name="v")),
        ("ADD ROLLUP r1 (dt, id)", DIFFERENT + "errMsg: "),
    ],
)
def test_a_changed_table_does_not_take_its_old_snapshot(cluster: Cluster, change: str, message: str) -> None:
    """O§o."""
    cluster.run(table())
    cluster.run(f"ALTER TABLE d.t {change}")
    cluster.clock.advance(60)
    assert cluster.restore("d", "full", "t") == f"[COMMON_ERROR, msg: {message}]"


def test_a_column_dropped_and_added_again_takes_the_old_snapshot_without_its_values(cluster: Cluster) -> None:
    """The worst case: FINISHED, and wrong (O2§0.4)."""
    cluster.run(table())
    cluster.run("ALTER TABLE d.t DROP COLUMN v")
    cluster.run("ALTER TABLE d.t ADD COLUMN v INT")
    cluster.clock.advance(60)
    assert cluster.restore("d", "full", "t") == "FINISHED"
    assert cluster.run("SELECT id, v FROM d.t") == [(1, None)]


def test_an_alias_that_exists_is_refused(cluster: Cluster) -> None:
    """The table's name is part of its signature (R§7.4)."""
    assert cluster.restore("d", "full", "t AS u") == "FINISHED"
    message = "Table u already exist but with different schema, errMsg: Table name is inconsistent"
    assert cluster.restore("d", "full", "t AS u") == f"[COMMON_ERROR, msg: {message}]"


def test_replication_has_to_fit_the_backends_and_the_local_partition(cluster: Cluster) -> None:
    """O§g: the default is the frontend's, not the source's."""
    stamp = cluster.timestamp("full")
    without = f"RESTORE SNAPSHOT d.full FROM r ON (t) PROPERTIES('backup_timestamp'='{stamp}')"
    cluster.run(without)
    assert cluster.wait("RESTORE", "d") == "[COMMON_ERROR, msg: failed to find 3 different hosts to create table: t]"
    cluster.run(table())
    cluster.run(without)
    assert cluster.wait("RESTORE", "d") == (
        "[COMMON_ERROR, msg: Partition p1 in table t has different replication num '1' with partition in repository, "
        "which is 3]"
    )


def test_a_bad_table_cancels_the_whole_job(cluster: Cluster) -> None:
    """And the good one is untouched and NORMAL (O§q)."""
    cluster.run(table())
    cluster.run(RANGE_TABLE.format(name="d.good"))
    assert cluster.backup("d", "both", "t, good") == "FINISHED"
    cluster.run("INSERT INTO d.good VALUES (5, '2024-01-01', 50)")
    cluster.run("ALTER TABLE d.t ADD COLUMN w INT")
    assert cluster.restore("d", "both", "t, good") == f"[COMMON_ERROR, msg: {DIFFERENT}errMsg: ]"
    assert cluster.run("SELECT id FROM d.good") == [(5,)]


def test_a_table_where_the_snapshot_has_a_view_is_refused(cluster: Cluster) -> None:
    """O§q; a view there is replaced."""
    cluster.run("CREATE VIEW d.v AS SELECT 1 AS x")
    assert cluster.backup("d", "view", "v") == "FINISHED"
    assert cluster.restore("d", "view", "v") == "FINISHED"
    cluster.run("DROP VIEW d.v")
    cluster.run(RANGE_TABLE.format(name="d.v"))
    assert cluster.restore("d", "view", "v") == "[BAD_REPLACE, msg: Table: v has existed and it is not a View]"


def test_grown_automatic_buckets_only_go_into_a_missing_table(cluster: Cluster) -> None:
    """It depends on the snapshot's partition (O§h)."""
    cluster.run(table(buckets="RANDOM"))
    local = cluster.frontend.catalog.databases["d"].tables["t"]
    assert isinstance(local, Table)
    local.partitions["p1"].physical.append(cluster.frontend.catalog.new_physical(cluster.frontend.now()))
    assert cluster.backup("d", "grown", "t") == "FINISHED"
    assert cluster.restore("d", "grown", "t") == (
        "[COMMON_ERROR, msg: Partition p1 in table t is automatic bucket partition, can not be restored]"
    )
    assert cluster.restore("d", "grown", "t AS u") == "FINISHED"
    rows = cluster.run("SELECT PARTITION_NAME FROM information_schema.partitions_meta WHERE TABLE_NAME = 'u'")
    assert sorted(name for (name,) in rows) == ["p1", "p1", "p2"]


def test_an_unpublished_load_at_the_cut_leaves_a_hole(cluster: Cluster) -> None:
    """In a created table; every later load waits behind it, until ADMIN SET … VERSION or the same RESTORE (O2§y6)."""
    cluster.run(table())
    cluster.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10)")
    cluster.run("ADMIN SET FRONTEND CONFIG ('enable_sync_publish' = 'false')")
    cluster.frontend.faults.hold_publish = True
    cluster.run("INSERT INTO d.t VALUES (2, '2024-01-01', 20)")
    assert cluster.backup("d", "holed", "t") == "FINISHED"
    cluster.frontend.faults.hold_publish = False
    cluster.frontend.held_loads.publish()
    assert cluster.run("SELECT COUNT(*) FROM d.t") == [(2,)]
    assert cluster.restore("d", "holed", "t AS u") == "FINISHED"
    versions = (
        "SELECT VISIBLE_VERSION, NEXT_VERSION FROM information_schema.partitions_meta "
        "WHERE TABLE_NAME = 'u' AND PARTITION_NAME = 'p1'"
    )
    assert cluster.run(versions) == [(2, 4)]
    cluster.run("INSERT INTO d.u VALUES (3, '2024-01-01', 30)")
    assert cluster.run("SELECT COUNT(*) FROM d.u") == [(1,)]
    assert cluster.restore("d", "holed", "t AS w") == "FINISHED"
    cluster.run("ADMIN SET TABLE d.w PARTITION (p1) VERSION TO 2")
    cluster.run("INSERT INTO d.w VALUES (3, '2024-01-01', 30)")
    assert cluster.run("SELECT COUNT(*) FROM d.w") == [(2,)]
