"""RESTORE jobs of the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from starrocks_simulator.jobs import Job
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster whose loaded RANGE table `d.t` is in the snapshot `full`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10), (2, '2024-01-02', 20)")
    assert made.backup("d", "full", "t") == "FINISHED"
    return made


def identities(cluster: Cluster, table: str = "t") -> dict[str, tuple[int, int]]:
    """Physical id and visible version of each partition."""
    rows = cluster.run(
        "SELECT PARTITION_NAME, PARTITION_ID, VISIBLE_VERSION FROM information_schema.partitions_meta "
        f"WHERE TABLE_NAME = '{table}'"
    )
    return {name: (number, version) for name, number, version in rows}


def test_a_missing_table_comes_back_with_new_ids_and_old_versions(cluster: Cluster) -> None:
    """O§c."""
    before = identities(cluster)
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.restore("d", "full", "t") == "FINISHED"
    after = identities(cluster)
    assert {name: version for name, (_, version) in after.items()} == {"p1": 2, "p2": 2}
    assert not {number for number, _ in before.values()} & {number for number, _ in after.values()}
    assert cluster.run("SELECT * FROM d.t ORDER BY id")[1][2] == 20


def test_an_existing_partition_keeps_its_id_and_goes_back_to_the_snapshots_version(cluster: Cluster) -> None:
    """O§0.2."""
    before = identities(cluster)
    cluster.run("INSERT INTO d.t VALUES (3, '2024-01-01', 30)")
    cluster.run("INSERT INTO d.t VALUES (4, '2024-01-01', 40)")
    assert identities(cluster)["p1"] == (before["p1"][0], 4)
    assert cluster.restore("d", "full", "t PARTITION (p1)") == "FINISHED"
    assert identities(cluster)["p1"] == (before["p1"][0], 2)
    assert cluster.run("SELECT id FROM d.t ORDER BY id") == [(1,), (2,)]


def test_a_table_under_restore_refuses_reads_and_writes(cluster: Cluster) -> None:
    """O§l."""
    cluster.submit_restore("d", "full", "t")
    cluster.clock.advance(cluster.tick)
    with pytest.raises(ServerError, match="Table state is not NORMAL: 'RESTORING'") as refused:
        cluster.run("SELECT COUNT(*) FROM d.t")
    assert refused.value.errno == 5014
    with pytest.raises(ServerError, match="Cannot write RESTORE state table"):
        cluster.run("INSERT INTO d.t VALUES (9, '2024-01-01', 9)")


def test_cancel_drops_what_the_job_created(cluster: Cluster) -> None:
    """O§l."""
    cluster.submit_restore("d", "full", "t AS u")
    cluster.clock.advance(3 * cluster.tick)
    cluster.run("CANCEL RESTORE FROM d")
    assert cluster.job("RESTORE", "d")["Status"] == "[COMMON_ERROR, msg: user cancelled, current state: DOWNLOADING]"
    assert cluster.run("SHOW TABLES FROM d") == [("t",)]


def test_a_snapshot_outlives_its_cluster(cluster: Cluster, tmp_path: Path) -> None:
    """A new cluster with a repository of the same name and location sees it (R§7.9)."""
    other = Cluster(tmp_path, clock=cluster.clock)
    assert other.restore("elsewhere", "full", "t AS copy") == "FINISHED"
    assert other.run("SELECT id, v FROM elsewhere.copy ORDER BY id") == [(1, 10), (2, 20)]


def test_a_stranger_under_the_name_is_dropped_with_the_failed_job(cluster: Cluster) -> None:
    """The server drops by name (O2§0.2)."""
    cluster.run(RANGE_TABLE.format(name="d.stranger"))

    def take_the_name(_: Job) -> bool:
        cluster.run("ALTER TABLE d.stranger RENAME u")
        return False

    cluster.frontend.faults.registrations.append(take_the_name)
    assert cluster.restore("d", "full", "t AS u") == "[COMMON_ERROR, msg: Table u already exist in db: d]"
    assert cluster.run("SHOW TABLES FROM d") == [("t",)]


def test_a_view_under_the_name_wedges_the_handler(cluster: Cluster) -> None:
    """The job stays PENDING, its JobId grows, CANCEL frees it (O§x)."""
    cluster.run("DROP TABLE d.t FORCE")
    cluster.run("CREATE VIEW d.t AS SELECT 1 AS x")
    cluster.submit_restore("d", "full", "t")
    cluster.clock.advance(30)
    first = cluster.job("RESTORE", "d")
    cluster.clock.advance(30)
    later = cluster.job("RESTORE", "d")
    assert (first["State"], later["State"], later["Status"]) == ("PENDING", "PENDING", "[OK]")
    assert int(later["JobId"]) > int(first["JobId"])
    cluster.run("CANCEL RESTORE FROM d")
    assert cluster.job("RESTORE", "d")["Status"].endswith("user cancelled, current state: PENDING]")


def test_a_temporary_partition_at_the_cut_comes_back_as_a_ghost(cluster: Cluster) -> None:
    """It breaks partitions_meta for the whole cluster until the table is dropped (O2§0.1)."""
    cluster.run("BACKUP SNAPSHOT d.ghostly TO r ON (t)")
    cluster.run("ALTER TABLE d.t ADD TEMPORARY PARTITION tp1 VALUES [('2024-01-01'), ('2024-01-02'))")
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    assert cluster.restore("d", "ghostly", "t AS u") == "FINISHED"
    with pytest.raises(ServerError, match="Range"):
        cluster.run("SELECT 1 FROM information_schema.partitions_meta")
    cluster.run("DROP TABLE d.u FORCE")
    assert cluster.run("SELECT 1 FROM information_schema.partitions_meta LIMIT 1") == [(1,)]


def test_list_partitions_are_replaced_but_never_added(cluster: Cluster) -> None:
    """And values are not compared (O§e, O§0.5)."""
    cluster.run(
        "CREATE TABLE d.l (id INT NOT NULL, k VARCHAR(8) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(k) ("
        "PARTITION pa VALUES IN ('a')) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
    )
    cluster.run("INSERT INTO d.l VALUES (1, 'a')")
    assert cluster.backup("d", "l1", "l") == "FINISHED"
    cluster.run("ALTER TABLE d.l ADD PARTITION pb VALUES IN ('b')")
    cluster.run("INSERT INTO d.l VALUES (2, 'b')")
    assert cluster.backup("d", "l2", "l PARTITION (pb)") == "FINISHED"
    cluster.run("DROP TABLE d.l FORCE")
    assert cluster.restore("d", "l1", "l") == "FINISHED"
    refusal = "[COMMON_ERROR, msg: No partition exist in single partitioned table l]"
    assert cluster.restore("d", "l2", "l") == refusal
    cluster.run("ALTER TABLE d.l ADD PARTITION pb VALUES IN ('other')")
    assert cluster.restore("d", "l2", "l") == "FINISHED"
    assert cluster.run("SELECT id, k FROM d.l ORDER BY id") == [(1, "a"), (2, "b")]
