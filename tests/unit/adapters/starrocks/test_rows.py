"""What a running frontend answered, read into the domain's values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from starrocks_br.adapters.starrocks import rows
from starrocks_br.domain.errors import UnsupportedServer
from starrocks_br.domain.names import DatabaseName, Label
from starrocks_br.domain.ports import Rows
from starrocks_br.domain.server import JobKind

FRONTENDS = Rows(
    columns=(
        "Id", "Name", "IP", "EditLogPort", "HttpPort", "QueryPort", "RpcPort", "Role", "ClusterId", "Join", "Alive",
        "ReplayedJournalId", "LastHeartbeat", "IsHelper", "ErrMsg", "StartTime", "Version",
    ),
    rows=(
        (
            "1", "127.0.0.1_19010_1795359852112", "127.0.0.1", "19010", "18030", "19030", "19020", "LEADER",
            "1840365487", "true", "true", "2211", "2026-11-22 10:17:58", "true", "", "2026-11-22 10:13:45", "3.5.7-lab",
        ),
    ),
)  # fmt: skip
BACKUP_COLUMNS = (
    "JobId", "SnapshotName", "DbName", "State", "BackupObjs", "CreateTime", "SnapshotFinishedTime",
    "UploadFinishedTime", "FinishedTime", "UnfinishedTasks", "Progress", "TaskErrMsg", "Status", "Timeout",
)  # fmt: skip
PENDING = (
    "-1", "a_full", "sa", "PENDING", "[sa.t_flat], [sa.t_range]", "2026-11-22 10:04:32", None, None, None, "", "", "",
    "[OK]", "86400",
)  # fmt: skip
UPLOADING = (
    "10058", "a_full", "sa", "UPLOADING", "[sa.t_flat], [sa.t_range]", "2026-11-22 10:04:32", "2026-11-22 10:04:39",
    None, None, "10060", "[10060: 3/8], [10061: 1/2]", "[10060: upload failed]", "[OK]", "86400",
)  # fmt: skip
RESTORE = Rows(
    columns=(
        "JobId", "Label", "Timestamp", "DbName", "State", "AllowLoad", "ReplicationNum", "RestoreObjs", "CreateTime",
        "MetaPreparedTime", "SnapshotFinishedTime", "DownloadFinishedTime", "FinishedTime", "UnfinishedTasks",
        "Progress", "TaskErrMsg", "Status", "Timeout",
    ),
    rows=(
        (
            "12", "c_full", "2026-11-22-10-05-29-182", "sc", "FINISHED", "false", "1", "t PARTITIONS [p1, p2, p3]",
            "2026-11-22 10:06:03", None, None, None, "2026-11-22 10:06:21", "", "", "", "[OK]", "86400",
        ),
    ),
)  # fmt: skip
LISTED = ("Snapshot", "Timestamp", "Status")
DETAILED = ("Snapshot", "Timestamp", "Database", "Details", "Status")
DETAILS = """{
 "database": "sa",
 "meta_version": 92,
 "backup_time": 1795359872599,
 "name": "a_full",
 "backup_result": "succeed",
 "backup_objects": {
  "t_auto": {"partitions": {
   "p20240101": {},
   "$shadow_automatic_partition": {}
  }},
  "t_flat": {"partitions": {"t_flat": {}}}
 }
}"""
STAMP = "2026-11-22-10-04-32-599"


def test_the_cluster_id_is_the_leaders() -> None:
    follower = ("2", *FRONTENDS.rows[0][1:7], "FOLLOWER", "77", *FRONTENDS.rows[0][9:])
    several = Rows(columns=FRONTENDS.columns, rows=(follower, *FRONTENDS.rows))
    assert rows.leader_cluster(several) == "1840365487"


def test_a_cluster_without_leader_cannot_be_worked_with() -> None:
    with pytest.raises(UnsupportedServer, match="no leader"):
        rows.leader_cluster(Rows(columns=FRONTENDS.columns))


@pytest.mark.parametrize(
    ("comment", "wanted"), [("3.5.7-lab", (3, 5, 7)), ("3.1.0-f00ba12", (3, 1, 0)), ("4.0.1 abc", (4, 0, 1))]
)
def test_the_version_is_read_from_the_comment(comment: str, wanted: tuple[int, int, int]) -> None:
    assert rows.version(comment) == wanted


@pytest.mark.parametrize(
    ("comment", "why"),
    [("MySQL Community Server - GPL", "no StarRocks"), ("3.0.9-f00ba12", "too old"), ("", "no StarRocks")],
)
def test_other_servers_and_old_versions_are_refused(comment: str, why: str) -> None:
    with pytest.raises(UnsupportedServer, match=why):
        rows.version(comment)


def test_dead_and_leaving_backends_take_no_replica() -> None:
    backends = Rows(
        columns=("BackendId", "Alive", "SystemDecommissioned"),
        rows=(("1", "true", "false"), ("2", "false", "false"), ("3", "true", "true"), ("4", "true", "false")),
    )
    assert rows.alive_backends(backends) == 2


def test_repositories_tell_whether_they_can_be_written_and_what_ailed_them() -> None:
    found = rows.repositories(
        Rows(
            columns=("RepoId", "RepoName", "CreateTime", "IsReadOnly", "Location", "Broker", "ErrMsg"),
            rows=(
                ("10003", "r_a", "2026-11-22 10:04:26", "false", "s3a://backup/rec/r_a", "", None),
                ("10004", "r_b", "2026-11-22 10:04:26", "true", "s3a://backup/rec/r_b", "", "no such bucket"),
            ),
        )
    )
    assert [(one.name, one.read_only, one.error) for one in found] == [
        ("r_a", False, ""),
        ("r_b", True, "no such bucket"),
    ]


def test_names_are_as_the_server_tells_them() -> None:
    """Whether a statement can be written about such a table is for others to say."""
    found = rows.table_refs(Rows(columns=("S", "N"), rows=(("db", "t"), ("db", "a`b"), ("1db", "t"))), "s", "n")
    assert {str(table) for table in found} == {"db.t", "db.a`b", "1db.t"}


def test_objects_are_told_with_their_kind() -> None:
    found = rows.objects(Rows(columns=("Tables_in_sw", "Table_type"), rows=(("t", "BASE TABLE"), ("v", "VIEW"))))
    assert found == {"t": "BASE TABLE", "v": "VIEW"}


def test_a_backup_job_that_just_began() -> None:
    (job,) = rows.jobs(Rows(columns=BACKUP_COLUMNS, rows=(PENDING,)), JobKind.BACKUP, DatabaseName("sa"))
    assert (job.label, job.state, job.status, job.cut, job.ended) == ("a_full", "PENDING", "[OK]", False, False)
    assert job.created_at == datetime(2026, 11, 22, 10, 4, 32, tzinfo=UTC)
    assert (job.snapshot_at, job.finished_at, job.timestamp) == (None, None, "")


def test_a_backup_job_under_way() -> None:
    (job,) = rows.jobs(Rows(columns=BACKUP_COLUMNS, rows=(UPLOADING,)), JobKind.BACKUP, DatabaseName("sa"))
    assert (job.cut, job.tablets, job.unfinished) == (True, (4, 10), "10060")
    assert job.task_error == "[10060: upload failed]"
    assert job.snapshot_at == datetime(2026, 11, 22, 10, 4, 39, tzinfo=UTC)


def test_a_restore_job_tells_snapshot_timestamp_and_objects() -> None:
    (job,) = rows.jobs(RESTORE, JobKind.RESTORE, DatabaseName("sc"))
    assert (job.label, job.timestamp, job.objects) == ("c_full", "2026-11-22-10-05-29-182", "t PARTITIONS [p1, p2, p3]")
    assert job.ended


def test_a_job_of_another_database_is_left_out() -> None:
    assert rows.jobs(RESTORE, JobKind.RESTORE, DatabaseName("other")) == ()


def test_a_job_without_its_creation_time_is_none() -> None:
    broken = (*PENDING[:5], None, *PENDING[6:])
    assert rows.jobs(Rows(columns=BACKUP_COLUMNS, rows=(broken,)), JobKind.BACKUP, DatabaseName("sa")) == ()


@pytest.mark.parametrize(
    ("timestamp", "status", "usable", "problem"),
    [
        (STAMP, "OK", True, ""),
        ("", "ERROR: no snapshot", False, "no snapshot"),
        (f"{STAMP}\n2026-11-22-10-04-33-000", "OK", False, "2 snapshots"),
        ("2026-11-22", "OK", False, "no valid timestamp"),
        (STAMP, "", False, "says nothing"),
        (STAMP, "ERROR: failed to get info", False, "failed to get info"),
    ],
)
def test_only_one_valid_timestamp_can_be_restored_from(timestamp: str, status: str, usable: bool, problem: str) -> None:
    (snapshot,) = rows.listed_snapshots(Rows(columns=LISTED, rows=(("a_full", timestamp, status),)))
    assert (snapshot.label, snapshot.usable) == ("a_full", usable)
    assert problem in snapshot.problem
    assert bool(snapshot.problem) is not usable


def test_details_tell_what_a_snapshot_holds_without_what_is_hidden() -> None:
    answer = Rows(columns=DETAILED, rows=(("a_full", STAMP, "sa", DETAILS, "OK"),))
    snapshot = rows.read_snapshot(answer, Label("a_full"), STAMP)
    assert (snapshot.database, snapshot.problem) == ("sa", "")
    assert snapshot.contents == {"t_auto": frozenset({"p20240101"}), "t_flat": frozenset({"t_flat"})}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((), "no answer"),
        ((("a", STAMP, "", "", "ERROR: Failed to get info"),), "Failed to get info"),
        ((("a", STAMP, "sa", "{", "OK"),), "cannot be read"),
        ((("a", STAMP, "sa", "{}", "OK"),), "cannot be read"),
        ((("a", STAMP, "sa", '{"backup_objects": []}', "OK"),), "cannot be read"),
        ((("a", STAMP, "sa", '{"backup_objects": {"t": {}}, "database": "sa"}', "OK"),), "cannot be read"),
    ],
)
def test_details_that_cannot_be_read_are_a_problem_and_no_contents(
    answer: tuple[tuple[object, ...], ...], problem: str
) -> None:
    snapshot = rows.read_snapshot(Rows(columns=DETAILED, rows=answer), Label("a"), STAMP)
    assert snapshot.contents is None
    assert problem in snapshot.problem


@pytest.mark.parametrize(
    ("value", "text", "number", "flag"),
    [
        (b"12", "12", 12, False),
        (None, "", None, False),
        ("x", "x", None, False),
        (1, "1", 1, True),
        ("True", "True", None, True),
    ],
)
def test_values_come_in_any_shape_the_driver_likes(value: object, text: str, number: int | None, flag: bool) -> None:
    row = {"c": value}
    assert (rows.text(row, "c"), rows.number(row, "c"), rows.flag(row, "c")) == (text, number, flag)
    assert rows.text({}, "c") == ""


def test_a_time_may_come_as_text_or_as_the_drivers_datetime() -> None:
    wanted = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert rows.moment({"at": "2026-01-02 03:04:05.123"}, "at") == wanted
    assert rows.moment({"at": wanted.replace(tzinfo=None)}, "at") == wanted
    assert rows.moment({"at": "never"}, "at") is None


def test_columns_are_found_whatever_their_case() -> None:
    assert rows.records(Rows(columns=("A", "b"), rows=((1, 2),))) == [{"a": 1, "b": 2}]
