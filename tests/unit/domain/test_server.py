"""What the server reports."""

from __future__ import annotations

import pytest

from starrocks_br.domain.names import DatabaseName
from starrocks_br.domain.server import ABSENT, UNREAD, Job, JobKind, RemoteSnapshot, names_one_of
from tests.unit.domain.examples import NOON


def job(**more: object) -> Job:
    """A BACKUP job."""
    known = {
        "kind": JobKind.BACKUP,
        "database": DatabaseName("db1"),
        "label": "a",
        "state": "UPLOADING",
        "created_at": NOON,
    }
    return Job(**{**known, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("progress", "tablets"),
    [
        ("", (0, 0)),
        ("[15014: 3/4]", (3, 4)),
        ("[15014: 3/4], [15015: 0/8]", (3, 12)),
        ("[15014: 3/4], [15015: x/8]", (3, 4)),
        ("[15014: ?/?]", (0, 0)),
        ("[15014: 3/4: 5/6 ]", (5, 6)),
        ("[15014: 3/4/5]", (0, 0)),
    ],
)
def test_progress_is_summed_over_the_tasks_that_reported(progress: str, tablets: tuple[int, int]) -> None:
    """What cannot be read is left out."""
    assert job(progress=progress).tablets == tablets


def test_a_cut_is_made_once_the_job_is_past_snapshoting_and_tells_its_time() -> None:
    """Before that a restart of the frontend may cut again."""
    assert not job(state="SNAPSHOTING", snapshot_at=NOON).cut
    assert not job(state="PENDING", snapshot_at=NOON).cut
    assert not job(state="UPLOAD_SNAPSHOT").cut
    assert job(state="UPLOAD_SNAPSHOT", snapshot_at=NOON).cut


def test_finished_and_cancelled_are_the_ends() -> None:
    """The server knows no other."""
    assert [job(state=state).ended for state in ("FINISHED", "CANCELLED", "PENDING")] == [True, True, False]


def test_a_snapshot_is_usable_with_one_timestamp_and_no_problem() -> None:
    """As far as was looked."""
    assert RemoteSnapshot(label="a", backup_timestamp="ts").usable
    assert not RemoteSnapshot(label="a").usable
    assert not RemoteSnapshot(label="a", backup_timestamp="ts", problem="md5 differs").usable


def test_what_the_repository_could_not_look_at_is_neither_there_nor_absent() -> None:
    assert RemoteSnapshot(label="a", problem=f"{UNREAD}: timeout").unread
    assert not RemoteSnapshot(label="a", problem=f"{UNREAD}: timeout").absent
    assert RemoteSnapshot(label="a", problem=ABSENT).absent
    assert not RemoteSnapshot(label="a", problem=ABSENT).unread


@pytest.mark.parametrize(
    ("objects", "sources"),
    [
        ("t", {"t"}),
        ("t PARTITIONS [p1, u, p2]", {"t"}),
        ("t PARTITIONS [p1], u, v w PARTITIONS [x]", {"t", "u", "v w"}),
        ("a, b PARTITIONS [p1, t], c", {"a, b", "c"}),
        ("a PARTITIONS [b], c", {"a PARTITIONS [b]", "c"}),
    ],
)
def test_a_restore_names_its_tables_and_partitions_are_none(objects: str, sources: set[str]) -> None:
    """Also those whose names hold what divides the list."""
    assert all(job(objects=objects).restores(source) for source in sources)
    assert not any(job(objects=objects).restores(other) for other in ("p1", "p2", "x", "z"))


@pytest.mark.parametrize(
    "words",
    [
        "Table t does not exist in snapshot l (error 5064)",
        "Partition p of table t does not exist in snapshot l (error 5064)",
        "Table: t can not support backup restore, type: CLOUD_NATIVE (error 5064)",
        "Getting analyzing error from line 1. Detail message: Duplicated alias name: t.",
        "A snapshot restore operation is in progress on the table t. Please wait (error 1064)",
        "Unknown table 't'",
    ],
)
def test_a_refusal_that_names_a_table_is_about_that_one(words: str) -> None:
    assert names_one_of(words, {"s", "t"})
    assert not names_one_of(words, {"s", "tt"})


@pytest.mark.parametrize(
    "words",
    [
        "failed to list remote path: s3a://t/table/t. msg: timeout (error 5064)",
        "Repository t does not exist (error 5064)",
        "Failed to get info of snapshot 't' because: Expected one file with path: t. get: 0 (error 5064)",
        "Can not create database: t in restore process (error 5064)",
        "Table t-2 does not exist in snapshot t (error 5064)",
    ],
)
def test_other_refusals_are_about_the_whole_statement(words: str) -> None:
    assert not names_one_of(words, {"t"})
