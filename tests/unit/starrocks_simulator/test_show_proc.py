"""SHOW PROC '/dbs/…' and DESC … ALL: tables, their indices, and the columns of those (y4 of the transcripts)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with a RANGE table `t`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    return made


def index_ids(cluster: Cluster) -> dict[str, str]:
    """IndexId by IndexName of table `t`."""
    return {str(row[1]): str(row[0]) for row in cluster.run("SHOW PROC '/dbs/d/t/index_schema'")}


def wait(cluster: Cluster) -> None:
    """Let a job of ALTER TABLE end."""
    cluster.clock.advance(40)
    cluster.run("SELECT 1")


def test_a_database_shows_its_tables_as_they_are_stored(cluster: Cluster) -> None:
    """ReplicaCount counts rollups (y4:97, y4:1697); a view has neither state nor partitions."""
    cluster.run("CREATE VIEW d.w AS SELECT id FROM d.t")
    (table_id, *table), (_, *view) = cluster.run("SHOW PROC '/dbs/d'")
    assert table == ["t", "1", "dt", "2", "NORMAL", "OLAP", None, "4", "RANGE", None]
    assert view == ["w", None, None, "1", None, "VIEW", None, "0", "UNPARTITIONED", None]
    (database_id,) = (row[0] for row in cluster.run("SHOW PROC '/dbs'") if row[1] == "d")
    assert cluster.run(f"SHOW PROC '/dbs/{database_id}'")[0][1] == "t"
    nodes = cluster.run(f"SHOW PROC '/dbs/{database_id}/{table_id}'")
    assert nodes == [("partitions",), ("temp_partitions",), ("index_schema",)]


def test_schema_version_moves_for_every_schema_job_and_for_no_rename(cluster: Cluster) -> None:
    """SchemaHash stays when nothing is rewritten; the IndexId does, too (O2§y4, y4:176, y4:408, y4:1361)."""
    (before,) = cluster.run("SHOW PROC '/dbs/d/t/index_schema'")
    assert before[1:3] + before[4:] == ("t", "0", "1", "COLUMN", "DUP_KEYS(id)")
    cluster.run("ALTER TABLE d.t ADD COLUMN x INT")
    (added,) = cluster.run("SHOW PROC '/dbs/d/t/index_schema'")
    assert added == (*before[:2], "1", *before[3:])
    cluster.run("ALTER TABLE d.t RENAME COLUMN x TO y")
    assert cluster.run("SHOW PROC '/dbs/d/t/index_schema'") == [added]
    cluster.run("ALTER TABLE d.t MODIFY COLUMN v BIGINT")
    wait(cluster)
    (rewritten,) = cluster.run("SHOW PROC '/dbs/d/t/index_schema'")
    assert (rewritten[0] != added[0], rewritten[2], rewritten[3] != added[3]) == (True, "2", True)


def test_a_rollup_is_an_index_with_keys_of_its_own(cluster: Cluster) -> None:
    """Its columns become keys whatever they are in the table; DESC … ALL says how they aggregate (y4:1705-1712)."""
    cluster.run("ALTER TABLE d.t ADD ROLLUP ru (dt, v)")
    wait(cluster)
    assert cluster.run("SHOW PROC '/dbs/d'")[0][2] == "2"
    base, rollup = cluster.run("SHOW PROC '/dbs/d/t/index_schema'")
    assert (base[1], rollup[1:3], rollup[4:]) == ("t", ("ru", "0"), ("2", "COLUMN", "DUP_KEYS(dt, v)"))
    assert cluster.run(f"SHOW PROC '/dbs/d/t/index_schema/{index_ids(cluster)['ru']}'") == [
        ("dt", "date", "NO", "true", None, ""),
        ("v", "int", "YES", "true", None, ""),
    ]
    assert cluster.run("DESC d.t ALL")[-2:] == [
        ("ru", "DUP_KEYS", "dt", "date", "NO", "true", None, "NONE"),
        ("", "", "v", "int", "YES", "true", None, "NONE"),
    ]
    cluster.run("ALTER TABLE d.t RENAME COLUMN v TO vv")
    assert cluster.run("DESC d.t ALL")[-1][2] == "vv"


def test_a_synchronous_view_aggregates_under_names_of_its_own(cluster: Cluster) -> None:
    """Its model is that of the grouping, in DESC … ALL only (y4:2019-2026)."""
    cluster.run("CREATE MATERIALIZED VIEW d.mv AS SELECT dt, SUM(v) FROM d.t GROUP BY dt")
    wait(cluster)
    assert cluster.run("DESC d.t ALL")[-2:] == [
        ("mv", "AGG_KEYS", "dt", "date", "NO", "true", None, ""),
        ("", "", "mv_sum_v", "bigint", "YES", "false", None, "SUM"),
    ]
    assert cluster.run("SHOW PROC '/dbs/d/t/index_schema'")[1][4:] == ("1", "COLUMN", "DUP_KEYS(dt)")


def test_bloom_filters_and_defaults_that_are_worked_out_stand_in_extra(cluster: Cluster) -> None:
    """DESC … ALL has them behind the aggregation, an index has them alone (y4:2713-2719)."""
    cluster.run(
        "CREATE TABLE d.b (id INT, m DATETIME DEFAULT CURRENT_TIMESTAMP) DISTRIBUTED BY HASH(id) "
        "PROPERTIES('replication_num'='1')"
    )
    cluster.run("ALTER TABLE d.t SET ('bloom_filter_columns' = 'v')")
    wait(cluster)
    assert cluster.run("DESC d.t ALL")[-1][-1] == "NONE,BLOOM_FILTER"
    assert cluster.run(f"SHOW PROC '/dbs/d/t/index_schema/{index_ids(cluster)['t']}'")[-1][-1] == "BLOOM_FILTER"
    assert cluster.run("DESC d.b")[-1][-2:] == ("CURRENT_TIMESTAMP", "DEFAULT_GENERATED")


@pytest.mark.parametrize("path", ["/dbs/x", "/dbs/d/x", "/dbs/d/t/index_schema/1", "/dbs/d/t/partitions"])
def test_what_does_not_exist_is_refused(cluster: Cluster, path: str) -> None:
    """SHOW PROC opens a path or fails."""
    with pytest.raises(ServerError):
        cluster.run(f"SHOW PROC '{path}'")


def test_loads_that_wait_are_running_transactions(cluster: Cluster) -> None:
    """Behind a hole they wait for ever; with the hole declared filled the backend has not got it (y6:44, y6b:91)."""
    cluster.run("ADMIN SET FRONTEND CONFIG ('enable_sync_publish' = 'false')")
    cluster.frontend.faults.hold_publish = True
    cluster.run("INSERT INTO d.t PARTITION(p1) VALUES (1, '2024-01-01', 1)")
    cluster.frontend.faults.hold_publish = False
    (held,) = cluster.records("SHOW PROC '/transactions/d/running'")
    assert (held["TransactionStatus"], held["FinishTime"], held["ErrMsg"]) == ("COMMITTED", None, "")
    assert cluster.backup("d", "l", "t") == "FINISHED"
    cluster.frontend.held_loads.publish()
    assert cluster.run("SHOW PROC '/transactions/d/running'") == []
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.restore("d", "l", "t") == "FINISHED"
    cluster.run("INSERT INTO d.t PARTITION(p1) VALUES (1, '2024-01-01', 1)")
    (stuck,) = cluster.records("SHOW PROC '/transactions/d/running'")
    assert str(stuck["ErrMsg"]).startswith("wait for publishing partition ")
    assert " version 2. self version: 3. table " in str(stuck["ErrMsg"])
    cluster.run("ADMIN SET TABLE d.t PARTITION (p1) VERSION TO 2")
    (refused,) = cluster.records("SHOW PROC '/transactions/d/running'")
    assert "failed. succeed replica num 0 less than quorum 1" in str(refused["ErrMsg"])
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.run("SHOW PROC '/transactions/d/running'") == []


@pytest.mark.parametrize(
    ("path", "rows"), [("cluster_balance", 9), ("meta_recovery", 0), ("global_current_queries", 0)]
)
def test_a_quiet_cluster_has_little_to_tell(cluster: Cluster, path: str, rows: int) -> None:
    """As recorded of an idle one (y10:9, y10:33, y10:34)."""
    assert len(cluster.run(f"SHOW PROC '/{path}'")) == rows
