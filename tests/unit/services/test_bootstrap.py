"""The cold start: nothing but an empty cluster and the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.domain.errors import (
    JobFailed,
    NoPoint,
    OutcomeUnknown,
    Refused,
    RequestError,
    UnknownRestore,
    Unrestorable,
)
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.domain.status import Status
from starrocks_br.services import backup, bootstrap, resume
from starrocks_br.services.requests import RestoreRequest
from tests.support.modes import newest_restore
from tests.support.world import Killed, World, cut, fail, kill, only_reads, refuse


@pytest.fixture
def lost(twice: World) -> World:
    """A cluster with two points of d1.t and two metadata snapshots, about to be lost."""
    return twice


def successor(lost: World, *, cluster_id: int = 2002) -> World:
    """An empty cluster on the same repository, a while later."""
    world = World(lost.folder, cluster_id=cluster_id)
    world.clock.advance(lost.clock.now() - world.clock.now() + 3600)
    return world


def metadata_labels(world: World) -> list[str]:
    """The metadata snapshots in the repository, oldest first."""
    return sorted(
        str(row["Snapshot"])
        for row in world.records("SHOW SNAPSHOT ON repo")
        if str(row["Snapshot"]).startswith("br_meta_")
    )


def test_every_point_can_be_restored_on_the_new_cluster(lost: World) -> None:
    wanted, points = lost.rows("d1.t"), lost.points("d1.t")
    new = successor(lost)
    report = new.bootstrap()
    assert {str(table): count for table, count in report.points.items()} == {"d1.t": 2}
    assert [point.label for point in new.points("d1.t")] == [point.label for point in points]
    assert new.restore("d1.t").rows == 3
    assert new.rows("d1.t") == wanted
    assert report.damages == ()
    assert new.tables("ops") == {"backup_history", "restore_history"}
    assert new.ports.restores.unfinished().sound == ()


def test_the_next_backup_of_the_new_cluster_goes_on_from_what_was_restored(lost: World) -> None:
    new = successor(lost)
    new.bootstrap()
    new.restore("d1.t")
    new.sql("INSERT INTO d1.t VALUES (8, '2024-01-02', 80)")
    report = new.backup()
    (table,) = report.databases[0].tables
    assert (table.type, table.captured) == (BackupType.INCREMENTAL, 1)
    wanted = new.rows("d1.t")
    new.sql("DROP TABLE d1.t FORCE")
    new.restore("d1.t")
    assert new.rows("d1.t") == wanted


def test_the_newest_metadata_snapshot_is_taken_whatever_the_month(tmp_path: Path) -> None:
    """October is later than September, although 1 is less than 9."""
    world = World(tmp_path)
    world.clock.advance(1_820_000_000 - world.clock.now())  # 2 September 2027
    world.ready("d1.t").backup()
    world.later(40 * 86400)
    newest = world.backup().metadata
    assert newest is not None
    plan = bootstrap.plan(successor(world).ports, world.place)
    assert (plan.label, plan.others) == (newest.label, 1)
    assert plan.label == metadata_labels(world)[-1]


def test_an_older_metadata_snapshot_can_be_named(lost: World) -> None:
    oldest = metadata_labels(lost)[0]
    new = successor(lost)
    report = new.bootstrap(oldest)
    assert report.plan.label == oldest
    assert len(new.points("d1.t")) == 1


def test_planning_sends_only_reads(lost: World) -> None:
    new = successor(lost)
    with new.counted() as sent:
        bootstrap.plan(new.ports, new.place)
    assert sent
    assert only_reads(sent)


def test_an_empty_repository_says_so(world: World) -> None:
    with pytest.raises(NoPoint, match="no metadata snapshot"):
        bootstrap.plan(world.ports, world.place)


def test_a_label_that_is_no_metadata_snapshot_says_so(lost: World) -> None:
    new = successor(lost)
    label = lost.points("d1.t")[0].label
    with pytest.raises(NoPoint, match=label):
        bootstrap.plan(new.ports, new.place, label)


def test_it_does_not_guess_between_clusters(lost: World) -> None:
    second = successor(lost)
    second.ready("d1.t").backup()
    third = successor(second, cluster_id=3003)
    with pytest.raises(RequestError, match="2 clusters") as refusal:
        third.bootstrap()
    newest = max(label for label in metadata_labels(lost) if "_1001_" in label)
    assert newest in refusal.value.why
    assert third.bootstrap(newest).plan.cluster == "1001"


def test_a_metadata_snapshot_that_cannot_be_read_is_passed_over(lost: World) -> None:
    older, newest = metadata_labels(lost)
    for file in lost.folder.rglob(f"__ss_{newest}/__info_*"):
        file.write_text("{")
    new = successor(lost)
    assert bootstrap.plan(new.ports, lost.place).label == older
    assert any(f"{newest} is newer than {older}, but cannot be read" in warning for warning in new.warnings)


def test_a_newer_metadata_snapshot_that_the_object_store_does_not_answer_about_is_named(lost: World) -> None:
    older, newest = metadata_labels(lost)
    new = successor(lost)
    new.frontend.faults.unread.add(newest)
    assert bootstrap.plan(new.ports, lost.place).label == older
    assert any(f"{newest} is newer than {older}, but cannot be read" in warning for warning in new.warnings)


def test_an_older_metadata_snapshot_that_nobody_can_read_is_not_worth_a_word(lost: World) -> None:
    older, newest = metadata_labels(lost)
    new = successor(lost)
    new.frontend.faults.unread.add(older)
    assert bootstrap.plan(new.ports, lost.place).label == newest
    assert new.warnings == []


def test_a_database_that_is_named_like_ours_is_no_metadata(lost: World) -> None:
    """What the snapshot holds has the last word."""
    lost.range_table("d1.x")
    lost.sql("BACKUP SNAPSHOT d1.br_meta_1001_20990101T000000_zz TO repo ON (x)")
    lost.wait_for("BACKUP", "d1")
    assert bootstrap.plan(successor(lost).ports, lost.place).label == metadata_labels(lost)[-2]


def test_if_none_can_be_read_it_says_so(lost: World) -> None:
    for file in lost.folder.rglob("__ss_br_meta*/__info_*"):
        file.write_text("{")
    with pytest.raises(Unrestorable, match="no metadata snapshot of cluster 1001"):
        bootstrap.plan(successor(lost).ports, lost.place)


def test_what_was_under_way_when_the_history_was_saved_is_settled_by_the_repository(lost: World) -> None:
    """The metadata snapshot holds its own row as RUNNING; it is there, so it is FINISHED."""
    new = successor(lost)
    report = new.bootstrap()
    (own,) = [settled for settled in report.settled if settled.subject == report.plan.label]
    assert own.outcome is Status.FINISHED


def test_a_foreign_snapshot_that_the_repository_does_not_have_is_lost(lost: World) -> None:
    lost.before("SHOW BACKUP FROM", kill)
    lost.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 40)")
    with pytest.raises(Killed):
        lost.backup()
    lost.sql("CANCEL BACKUP FROM d1")
    lost.ports = lost.reconnect()
    lost.sql("BACKUP SNAPSHOT ops.br_meta_1001_20990101T000000_zz TO repo ON (backup_history)")
    lost.wait_for("BACKUP", "ops")
    new = successor(lost)
    report = new.bootstrap()
    assert [settled.outcome for settled in report.settled if settled.subject.startswith("d1_")] == [Status.LOST]
    assert "RUNNING" not in new.statuses().values()


def test_on_a_cluster_that_has_a_history_only_absent_labels_are_added(lost: World) -> None:
    before = lost.statuses()
    lost.sql(f"DELETE FROM ops.backup_history WHERE label = '{lost.points('d1.t')[1].label}'")
    assert lost.bootstrap().rows == 1
    assert lost.statuses() == before
    assert lost.bootstrap().rows == 0


def test_damaged_rows_are_told_at_once(lost: World) -> None:
    lost.sql("UPDATE ops.backup_history SET partitions_json = 'x' WHERE backup_type = 'FULL'")
    lost.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 40)")
    lost.backup()
    new = successor(lost)
    report = new.bootstrap()
    assert len(report.damages) == 1


def test_a_cancelled_restore_of_the_history_leaves_nothing_and_can_be_done_again(lost: World) -> None:
    new = successor(lost)
    new.in_state("DOWNLOADING", fail("[TIMEOUT, msg: x]"), kind="RESTORE")
    with pytest.raises(JobFailed):
        new.bootstrap()
    assert new.tables("ops") == {"backup_history", "restore_history"}
    assert new.ports.restores.unfinished().sound == ()
    assert new.bootstrap().points


def test_rows_that_cannot_be_taken_over_leave_nothing_behind(lost: World) -> None:
    """Also when the error has a hint of its own."""
    new = successor(lost)
    new.before("INSERT INTO ops.backup_history .*SELECT", refuse(1064, "Repository repo does not exist"))
    with pytest.raises(Refused) as refusal:
        new.bootstrap()
    assert "was dropped" in refusal.value.hint
    assert "CREATE REPOSITORY" in refusal.value.hint
    assert new.tables("ops") == {"backup_history", "restore_history"}
    assert new.ports.restores.unfinished().sound == ()


@pytest.mark.parametrize("pattern", ["RESTORE SNAPSHOT", "INSERT INTO ops.backup_history .*SELECT", "DROP TABLE"])
def test_a_connection_lost_on_the_way_is_picked_up_by_the_next_bootstrap(lost: World, pattern: str) -> None:
    new = successor(lost)
    new.before(pattern, cut)
    with pytest.raises(OutcomeUnknown):
        new.bootstrap()
    assert {str(table) for table in new.bootstrap().points} == {"d1.t"}
    assert new.tables("ops") == {"backup_history", "restore_history"}
    assert new.ports.restores.unfinished().sound == ()


@pytest.mark.parametrize(
    "pattern",
    ["UPDATE ops.restore_history", "RESTORE SNAPSHOT", "INSERT INTO ops.backup_history .*SELECT", "DROP TABLE"],
)
def test_killed_anywhere_it_can_be_done_again(lost: World, pattern: str) -> None:
    new = successor(lost)
    new.after(pattern, kill)
    with pytest.raises(Killed):
        new.bootstrap()
    new.ports = new.reconnect()
    assert {str(table) for table in new.bootstrap().points} == {"d1.t"}
    new.later()
    new.backup()
    assert new.tables("ops") == {"backup_history", "restore_history"}


def test_one_that_was_killed_is_not_gone_on_with_as_if_it_restored_a_table(lost: World) -> None:
    new = successor(lost)
    new.before("^DROP TABLE", kill)
    with pytest.raises(Killed):
        new.bootstrap()
    new.ports = new.reconnect()
    new.later(600)
    request = RestoreRequest(place=new.place, wanted=())
    with pytest.raises(UnknownRestore, match="brings the history back") as refusal:
        resume.resume(new.ports, request, newest_restore(new))
    assert refusal.value.hint == "run starrocks-br bootstrap again"
    assert {str(table) for table in new.bootstrap().points} == {"d1.t"}


def test_backup_after_a_cold_start_does_not_touch_the_old_clusters_rows(lost: World) -> None:
    new = successor(lost)
    new.bootstrap()
    old = new.statuses()
    new.range_table("d1.t")
    backup.run(new.ports, new.request())
    assert old.items() <= new.statuses().items()
