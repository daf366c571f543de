"""What can be done with a frontend from Python."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import pytest

from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster with a table of one row, and the snapshot `first` of it."""
    made = Cluster(tmp_path / "one")
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10)")
    assert made.backup("d", "first", "t") == "FINISHED"
    return made


def copied(cluster: Cluster, folder: Path) -> Cluster:
    """Another cluster that is as this one is now."""
    made = copy(cluster)
    made.folder, made.clock = folder, copy(cluster.clock)
    made.frontend = cluster.frontend.copy(folder, made.clock)
    made.root = made.frontend.connect()
    return made


def test_a_copy_knows_what_the_frontend_knew(cluster: Cluster, tmp_path: Path) -> None:
    twin = copied(cluster, tmp_path / "other")
    for question in ("SELECT * FROM d.t", "SHOW PARTITIONS FROM d.t", "SHOW BACKUP FROM d", "SHOW SNAPSHOT ON r"):
        assert twin.run(question) == cluster.run(question)
    assert twin.restore("d", "first", "t AS u") == "FINISHED"
    assert twin.run("SELECT * FROM d.u") == cluster.run("SELECT * FROM d.t")


def test_what_is_done_to_one_is_not_seen_in_the_other(cluster: Cluster, tmp_path: Path) -> None:
    twin = copied(cluster, tmp_path / "other")
    seen = [twin.run(question) for question in ("SELECT * FROM d.t", "SHOW SNAPSHOT ON r", "SHOW TABLES FROM d")]
    cluster.run("INSERT INTO d.t VALUES (2, '2024-01-02', 20)")
    assert cluster.backup("d", "second", "t") == "FINISHED"
    cluster.run("ALTER TABLE d.t RENAME u")
    assert [twin.run(q) for q in ("SELECT * FROM d.t", "SHOW SNAPSHOT ON r", "SHOW TABLES FROM d")] == seen
    twin.run("TRUNCATE TABLE d.t")
    assert len(cluster.run("SELECT * FROM d.u")) == 2
    assert twin.clock.now() < cluster.clock.now()


def test_a_job_in_flight_goes_on_in_both(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("BACKUP SNAPSHOT d.second TO r ON (t)")
    cluster.clock.advance(cluster.tick)
    twin = copied(cluster, tmp_path / "other")
    for one in (cluster, twin):
        assert one.wait("BACKUP", "d") == "FINISHED"
        assert len(one.run("SHOW SNAPSHOT ON r")) == 2


def test_a_load_that_is_held_back_is_published_in_each_by_itself(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("ADMIN SET FRONTEND CONFIG ('enable_sync_publish' = 'false')")
    cluster.frontend.faults.hold_publish = True
    cluster.run("INSERT INTO d.t VALUES (2, '2024-01-02', 20)")
    twin = copied(cluster, tmp_path / "other")
    assert not twin.frontend.faults.hold_publish
    twin.frontend.held_loads.publish()
    assert (len(twin.run("SELECT * FROM d.t")), len(cluster.run("SELECT * FROM d.t"))) == (2, 1)
