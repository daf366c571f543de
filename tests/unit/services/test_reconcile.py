"""Whatever killed the last command, the next one finds the truth on the server."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.events import Settled
from starrocks_br.domain.names import Label, RepositoryName
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Status
from starrocks_br.services import backup
from starrocks_br.services.reconcile import Reconciled, reconcile
from starrocks_br.services.reports import BackupReport
from starrocks_simulator.faults import Hold
from tests.support.world import Killed, World, fail, kill, refuse

BACKUP = "BACKUP SNAPSHOT d1"
INTENT = "INSERT INTO ops.backup_history"
SENT = "UPDATE ops.backup_history SET status='RUNNING'"


def kill_backup(world: World, *patterns: str) -> World:
    """The process dies in a run where a fault was planted; another one comes."""
    with pytest.raises(Killed):
        world.backup(*patterns)
    world.ports = world.reconnect()
    return world


def settle(world: World) -> Reconciled:
    """What the next command does first."""
    return reconcile(world.ports, world.place, world.ports.cluster.server())


def outcomes(found: Reconciled) -> list[Status | None]:
    """How each open end was closed."""
    return [settled.outcome for settled in found.settled]


def run_now(world: World) -> BackupReport:
    """The next run, at once."""
    return backup.run(world.ports, world.request())


@pytest.fixture
def ready(world: World) -> World:
    """After init, with one table."""
    return world.ready("d1.t")


@pytest.mark.parametrize(
    ("moment", "pattern"),
    [
        ("before", INTENT),
        ("after", INTENT),
        ("before", SENT),
        ("after", SENT),
        ("before", BACKUP),
        ("after", BACKUP),
        ("before", "SHOW BACKUP FROM"),
        ("before", "partitions_meta WHERE"),
        ("before", "SHOW SNAPSHOT ON repo WHERE SNAPSHOT IN"),
        ("before", "SHOW SNAPSHOT ON repo WHERE SNAPSHOT ="),
        ("before", "INSERT INTO ops.backup_history .*FINISHED"),
        ("after", "INSERT INTO ops.backup_history .*FINISHED"),
        ("after", "BACKUP SNAPSHOT ops"),
    ],
)
def test_killed_anywhere_the_next_run_is_complete_and_nothing_stays_open_for_ever(
    ready: World, moment: str, pattern: str
) -> None:
    (ready.before if moment == "before" else ready.after)(pattern, kill)
    kill_backup(ready)
    wanted = ready.rows("d1.t")
    assert run_now(ready).complete
    ready.later(600)
    ready.backup()
    assert not {"RUNNING", "PENDING"} & set(ready.statuses().values())
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t")
    assert ready.rows("d1.t") == wanted


def test_a_live_job_is_adopted_watched_and_looked_after(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    report = run_now(ready)
    assert [(one.outcome, "its job is" in one.detail) for one in report.settled] == [(None, True)]
    assert list(ready.statuses().values()) == ["FINISHED", "UNCHANGED"] or set(ready.statuses().values()) == {
        "FINISHED"
    }
    assert ready.times_sent(BACKUP) <= 2
    assert len(ready.points("d1.t")) == 2


def test_an_adopted_job_that_is_cancelled_has_failed_and_the_run_goes_on(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.in_state("UPLOADING", fail("[COMMON_ERROR, msg: user cancelled]"))
    report = run_now(ready)
    assert report.complete
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]


def test_an_adopted_job_that_somebody_else_concludes_is_left_to_them(ready: World) -> None:
    """The command that sent it was not dead after all."""
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.before(
        "SHOW BACKUP FROM",
        lambda: ready.sql("UPDATE ops.backup_history SET status = 'FAILED' WHERE status = 'RUNNING'"),
        nth=4,
    )
    assert run_now(ready).complete
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]


def test_an_adopted_frozen_job_is_cancelled_and_its_database_backed_up(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.restart_frontend()
    ready.ports = ready.reconnect()
    report = run_now(ready)
    assert report.complete
    assert "CANCEL BACKUP FROM `d1`" in ready.sent


def test_a_load_after_an_adopted_jobs_cut_makes_its_consistency_unknown(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)")
    ready.later()
    (settled,) = settle(ready).settled
    assert (settled.outcome, settled.detail) == (Status.FINISHED, "found in the repository; not exact: d1.t")
    (table,) = run_now(ready).databases[0].tables
    assert (table.type, table.captured) == (BackupType.INCREMENTAL, 2), "cut against the baseline before it"


def test_a_job_that_finished_unseen_and_nothing_moved_since_is_exact(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    (settled,) = settle(ready).settled
    assert settled.detail == "found in the repository"
    assert len(ready.points("d1.t")) == 1
    assert [event for event in ready.events if isinstance(event, Settled)] == [settled]


def test_a_job_that_finished_unseen_after_a_broken_lineage_is_unknown(ready: World) -> None:
    first = ready.backup().databases[0].label
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql(f"DELETE FROM ops.backup_history WHERE label = '{first}'")
    (settled,) = settle(ready).settled
    assert settled.detail == "found in the repository; not exact: d1.t"


def test_a_second_chain_link_that_finished_unseen_is_exact_when_nothing_moved(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    assert settle(ready).settled[0].detail == "found in the repository"
    points = ready.points("d1.t")
    assert len(points) == 2
    assert points[0].snapshot.snapshot_at is not None
    assert points[1].snapshot.snapshot_at is not None
    assert points[0].snapshot.snapshot_at > points[1].snapshot.snapshot_at


def test_a_cancelled_job_has_failed_even_if_the_repository_lists_it(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.sql("CANCEL BACKUP FROM d1")
    (settled,) = settle(ready).settled
    assert (settled.outcome, "user cancelled" in settled.detail) == (Status.FAILED, True)


def test_a_snapshot_pushed_out_of_the_slot_is_found_in_the_repository(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (t)")
    (settled,) = settle(ready).settled
    assert settled.outcome is Status.FINISHED
    (entry,) = ready.ports.backups.entries([Label(settled.subject)]).entries
    assert entry.consistency is Consistency.UNKNOWN


def test_an_intent_that_was_never_sent_has_failed_after_a_while_and_not_before(ready: World) -> None:
    ready.before(SENT, kill)
    kill_backup(ready)
    assert outcomes(settle(ready)) == []
    ready.later(400)
    found = settle(ready)
    assert [(one.outcome, one.detail) for one in found.settled] == [(Status.FAILED, "never sent")]
    assert outcomes(settle(ready)) == []


def test_a_failure_that_another_command_was_quicker_than_is_not_reported(ready: World) -> None:
    ready.before(SENT, kill)
    kill_backup(ready).later(400)
    finished = "UPDATE ops.backup_history SET status = 'FINISHED' WHERE status = 'PENDING'"
    ready.before("UPDATE ops.backup_history SET status='FAILED'", lambda: ready.sql(finished))
    (settled,) = settle(ready).settled
    assert settled.outcome is None
    assert settled.detail == "another command has settled it (never sent)"


def test_what_was_perhaps_sent_and_cannot_be_found_is_lost_and_a_later_proof_still_counts(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    label = next(iter(ready.statuses()))
    (folder,) = ready.folder.rglob(f"__ss_{label}")
    folder.rename(folder.with_name("elsewhere"))
    ready.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (t)")
    assert outcomes(settle(ready)) == []
    ready.later(400)
    assert outcomes(settle(ready)) == [Status.LOST]
    assert outcomes(settle(ready)) == [], "said once"
    folder.with_name("elsewhere").rename(folder)
    assert outcomes(settle(ready)) == [Status.FINISHED]
    assert ready.statuses() == {label: "FINISHED"}


def test_a_finished_job_that_the_repository_does_not_list_stays_open(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    for folder in ready.folder.rglob("__ss_d1_*"):
        folder.rename(folder.with_name("elsewhere"))
    found = settle(ready)
    assert [(one.outcome, "does not list" in one.detail) for one in found.settled] == [(None, True)]
    assert list(ready.statuses().values()) == ["RUNNING"]


def test_a_snapshot_that_the_object_store_does_not_answer_about_stays_open(ready: World) -> None:
    """Whether its job still is in the slot or not."""
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (t)")
    ready.later(400)
    ready.frontend.faults.unread.update(ready.statuses())
    assert [(one.outcome, "Failed to get info" in one.detail) for one in settle(ready).settled] == [(None, True)]
    ready.frontend.faults.unread.clear()
    assert outcomes(settle(ready)) == [Status.FINISHED]


def test_a_finished_snapshot_that_is_none_has_failed(ready: World) -> None:
    """Two jobs under one label: neither can be restored."""
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    for file in ready.folder.rglob("__ss_d1_*/__info_*"):
        file.with_name("__info_2020-01-01-00-00-00-000.0").write_text("{}")
    (settled,) = settle(ready).settled
    assert settled.outcome is Status.FAILED
    assert list(ready.statuses().values()) == ["FAILED"]


def test_torn_or_damaged_intents_have_failed(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("UPDATE ops.backup_history SET partitions_json = 'x' WHERE status = 'RUNNING'")
    (settled,) = settle(ready).settled
    assert (settled.outcome, "cannot be trusted" in settled.detail) == (Status.FAILED, True)


def test_a_live_job_with_damaged_rows_is_left_alone(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.sql("UPDATE ops.backup_history SET partitions_json = 'x' WHERE status = 'RUNNING'")
    report = run_now(ready)
    assert report.complete
    assert any("left alone" in warning for warning in ready.warnings)


def test_a_snapshot_in_another_repository_is_looked_for_there(ready: World) -> None:
    """The settings name another repository since."""
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (t)")
    ready.wait_for("BACKUP", "d1")
    move_to_another_repository(ready)
    assert outcomes(settle(ready)) == [Status.FINISHED]


def move_to_another_repository(world: World) -> None:
    """From now on, the settings name another one."""
    world.sql("CREATE REPOSITORY second WITH BROKER ON LOCATION 's3a://bucket/second'")
    world.place = evolve(world.place, repository=RepositoryName("second"))


def test_a_snapshot_in_a_repository_that_is_gone_is_lost_in_the_end(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    ready.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (t)")
    ready.wait_for("BACKUP", "d1")
    move_to_another_repository(ready)
    ready.sql("DROP REPOSITORY repo")
    ready.later(400)
    assert outcomes(settle(ready)) == [Status.LOST]


def test_a_finished_job_in_another_repository_is_proven_there_and_looked_at(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    move_to_another_repository(ready)
    assert outcomes(settle(ready)) == [Status.FINISHED]
    (table,) = run_now(ready).databases[0].tables
    assert table.type is BackupType.FULL, "a chain stays in one repository"


def test_a_dropped_database_blocks_nothing(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.sql("DROP DATABASE d1 FORCE")
    ready.range_table("d2.t")
    assert backup.run(ready.ports, ready.request("d2.*")).complete


def test_one_database_that_still_runs_does_not_hold_up_the_others(world: World) -> None:
    world.ready("d1.t", "d2.t")
    world.after(BACKUP, kill)
    kill_backup(world, "d1.*")
    until = world.clock.now() + 300
    world.frontend.faults.steps.append(
        lambda job: Hold() if job.db_name == "d1" and world.clock.now() < until else None
    )
    ended: list[float] = []
    world.before("BACKUP SNAPSHOT d2", lambda: ended.append(world.clock.now()))
    report = backup.run(world.ports, world.request("d1.*", "d2.*"))
    assert report.complete
    assert ended[0] < until


def test_a_table_changed_while_its_adopted_job_ran_is_taken_by_the_same_run(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.in_state("UPLOADING", lambda: ready.sql("INSERT INTO d1.t VALUES (5, '2024-01-01', 5)"))
    assert run_now(ready).complete
    wanted = ready.rows("d1.t")
    run_now(ready)
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t")
    assert ready.rows("d1.t") == wanted


def test_a_listing_that_fails_is_an_error_and_settles_nothing(ready: World) -> None:
    ready.after(BACKUP, kill)
    kill_backup(ready)
    ready.wait_for("BACKUP", "d1")
    stop = ready.always(
        "SHOW SNAPSHOT", refuse(1064, "Failed to list snapshot in repo: repo, err: failed to list remote path: x")
    )
    with pytest.raises(Exception, match="failed to list"):
        settle(ready)
    stop()
    assert list(ready.statuses().values()) == ["RUNNING"]
