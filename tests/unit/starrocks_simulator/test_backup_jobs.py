"""BACKUP jobs of the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import Fail, Hold
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster with one loaded RANGE table `d.t`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10), (2, '2024-01-02', 20)")
    return made


def test_a_job_passes_through_every_state_one_per_tick(cluster: Cluster) -> None:
    """The order of O§a; JobId is -1 until the first tick."""
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    seen = [cluster.job("BACKUP", "d")]
    while seen[-1]["State"] != "FINISHED":
        cluster.clock.advance(cluster.tick)
        seen.append(cluster.job("BACKUP", "d"))
    assert [row["State"] for row in seen] == [
        "PENDING",
        "SNAPSHOTING",
        "UPLOAD_SNAPSHOT",
        "UPLOADING",
        "SAVE_META",
        "UPLOAD_INFO",
        "FINISHED",
    ]
    assert seen[0]["JobId"] == "-1"
    assert seen[0]["BackupObjs"] == "[d.t]"
    assert seen[-1]["Timeout"] == "86400"


def test_a_snapshot_holds_the_rows_of_the_tick_that_leaves_pending(cluster: Cluster) -> None:
    """What is loaded before the cut is in it, what is loaded after it is not (O§0.14)."""
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.run("INSERT INTO d.t VALUES (3, '2024-01-01', 30)")
    cluster.clock.advance(cluster.tick)
    cluster.run("INSERT INTO d.t VALUES (4, '2024-01-01', 40)")
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.restore("d", "l", "t") == "FINISHED"
    assert cluster.run("SELECT id FROM d.t ORDER BY id") == [(1,), (2,), (3,)]


def test_one_slot_per_database_for_both_kinds(cluster: Cluster) -> None:
    """H4; and the newest job hides the one before, whatever its kind (O§m)."""
    assert cluster.backup("d", "l1", "t") == "FINISHED"
    cluster.run("BACKUP SNAPSHOT d.l2 TO r ON (t)")
    with pytest.raises(ServerError, match="Can only run one backup or restore job of a database at same time"):
        cluster.submit_restore("d", "l1", "t AS u")
    cluster.wait("BACKUP", "d")
    cluster.submit_restore("d", "l1", "t AS u")
    assert cluster.run("SHOW BACKUP FROM d") == []


@pytest.mark.parametrize(("ticks", "reusable"), [(0, True), (1, True), (2, True), (3, False), (5, False)])
def test_a_cancelled_job_burns_its_label_once_it_uploaded(cluster: Cluster, ticks: int, reusable: bool) -> None:
    """PENDING, SNAPSHOTING, UPLOAD_SNAPSHOT: reusable; later: used for ever (O§l)."""
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.clock.advance(ticks * cluster.tick)
    cluster.run("CANCEL BACKUP FROM d")
    assert cluster.job("BACKUP", "d")["Status"] == "[COMMON_ERROR, msg: user cancelled]"
    if reusable:
        assert cluster.backup("d", "l", "t") == "FINISHED"
        return
    with pytest.raises(ServerError, match="Snapshot with name 'l' already exist in repository"):
        cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    assert cluster.run("SHOW SNAPSHOT ON r WHERE SNAPSHOT = 'l'") == [("l", "", "ERROR: no snapshot")]


def test_two_databases_racing_for_one_label_both_finish_and_neither_restores(cluster: Cluster) -> None:
    """Item 7 of O§0."""
    cluster.run("CREATE DATABASE e")
    cluster.run(RANGE_TABLE.format(name="e.t"))
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.clock.advance(0.1)
    cluster.run("BACKUP SNAPSHOT e.l TO r ON (t)")
    assert (cluster.wait("BACKUP", "d"), cluster.wait("BACKUP", "e")) == ("FINISHED", "FINISHED")
    timestamps = cluster.timestamp("l").split("\n")
    assert len(timestamps) == 2
    cluster.run(
        "RESTORE SNAPSHOT d.l FROM r ON (t AS u) "
        f"PROPERTIES('backup_timestamp'='{timestamps[0]}', 'replication_num'='1')"
    )
    assert cluster.wait("RESTORE", "d") == "[COMMON_ERROR, msg: Failed to read backup meta from file]"


@pytest.mark.parametrize(("ticks", "stuck"), [(0, True), (1, True), (2, False), (3, False), (4, False), (5, False)])
def test_a_restart_leaves_a_young_backup_stuck(cluster: Cluster, ticks: int, stuck: bool) -> None:
    """PENDING and SNAPSHOTING never move again, JobId grows; later states finish (O§v)."""
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.clock.advance(ticks * cluster.tick)
    cluster.frontend.restart()
    if not stuck:
        assert cluster.wait("BACKUP", "d") == "FINISHED"
        return
    cluster.clock.advance(cluster.tick)
    first = cluster.job("BACKUP", "d")
    cluster.clock.advance(10 * cluster.tick)
    later = cluster.job("BACKUP", "d")
    assert (later["State"], later["Status"]) == ("PENDING", "[OK]")
    assert int(later["JobId"]) > int(first["JobId"])
    cluster.run("CANCEL BACKUP FROM d")
    assert cluster.job("BACKUP", "d")["State"] == "CANCELLED"


def test_a_job_times_out(cluster: Cluster) -> None:
    """Failing tasks never end a job, its timeout does (R§4.5)."""
    cluster.frontend.faults.steps.append(
        lambda job: Hold(task_errors="[1: upload failed]") if job.state == "UPLOADING" else None
    )
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t) PROPERTIES('timeout'='600')")
    cluster.clock.advance(599)
    held = cluster.job("BACKUP", "d")
    assert (held["State"], held["TaskErrMsg"], held["Status"]) == ("UPLOADING", "[1: upload failed]", "[OK]")
    cluster.frontend.faults.steps.clear()
    cluster.clock.advance(10)
    assert cluster.wait("BACKUP", "d") == "[TIMEOUT, msg: ]"


def test_a_held_job_goes_on_and_its_task_errors_stay(cluster: Cluster) -> None:
    """TaskErrMsg is no sign of failure (O§u)."""
    cluster.frontend.faults.steps.append(
        lambda job: Hold(task_errors="[1: upload failed]") if job.state == "UPLOADING" else None
    )
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.clock.advance(60)
    assert cluster.job("BACKUP", "d")["State"] == "UPLOADING"
    cluster.frontend.faults.steps.clear()
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    assert cluster.job("BACKUP", "d")["TaskErrMsg"] == "[1: upload failed]"


def test_a_planted_failure_cancels_with_its_status(cluster: Cluster) -> None:
    """Any Status of R§4.4 can be planted."""
    cluster.frontend.faults.steps.append(lambda _: Fail("[OLAP_VERSION_ALREADY_MERGED, msg: x]"))
    assert cluster.backup("d", "l", "t") == "[OLAP_VERSION_ALREADY_MERGED, msg: x]"


def test_the_last_job_is_forgotten_after_seven_days(cluster: Cluster) -> None:
    """R§5."""
    cluster.backup("d", "l", "t")
    cluster.clock.advance(7 * 86_400 - 60)
    assert len(cluster.run("SHOW BACKUP FROM d")) == 1
    cluster.clock.advance(120)
    assert cluster.run("SHOW BACKUP FROM d") == []


def test_a_table_dropped_before_the_cut_cancels_the_job(cluster: Cluster) -> None:
    """O§l."""
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.wait("BACKUP", "d") == "[NOT_FOUND, msg: table t does not exist]"
