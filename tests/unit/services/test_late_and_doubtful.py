"""Snapshots that were found late, seen by two commands, or that stand beside something else: what they prove."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from starrocks_br.domain.names import Label, RunId
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Event, Status
from starrocks_br.services import backup
from starrocks_br.services.backup import LOOK_KEEPS_FOR
from starrocks_br.services.conclude import SECOND
from starrocks_br.services.metadata import save_history
from starrocks_br.services.reconcile import reconcile
from starrocks_simulator.faults import Hold
from tests.support.world import Killed, World, kill

FLAT = (
    "CREATE TABLE {name} (id INT, v INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
    "PROPERTIES('replication_num'='1')"
)


@pytest.mark.parametrize("name", ["$log", "$$"])
def test_a_table_whose_only_partition_begins_with_a_dollar_is_backed_up_and_comes_back(world: World, name: str) -> None:
    """The one partition of such a table bears its name: it is no hidden one."""
    world.ready("d1.other")
    quoted = f"d1.`{name}`"
    world.sql(FLAT.format(name=quoted))
    world.sql(f"INSERT INTO {quoted} VALUES (1, 10)")
    world.backup()
    world.sql(f"INSERT INTO {quoted} VALUES (2, 20)")
    world.backup()
    assert [point.type for point in world.points(f"d1.{name}")] == [BackupType.INCREMENTAL, BackupType.FULL]
    wanted = world.rows(quoted)
    world.sql(f"DROP TABLE {quoted} FORCE")
    world.restore(f"d1.{name}")
    assert world.rows(quoted) == wanted


def uploads_for(world: World, seconds: float) -> None:
    """Every job whose upload would begin in this time from now on waits for its end."""
    until = world.clock.now() + seconds
    world.frontend.faults.steps.append(
        lambda job: Hold() if job.state == "UPLOADING" and world.clock.now() < until else None
    )


def killed(world: World) -> World:
    """A command dies at the fault that was planted."""
    with pytest.raises(Killed):
        world.backup()
    world.ports = world.reconnect()
    return world


@pytest.mark.parametrize(
    ("upload", "pattern", "nth"),
    [(150, "SHOW BACKUP FROM d1", 4), (0, "SHOW SNAPSHOT ON repo WHERE SNAPSHOT = .* AND TIMESTAMP", 1)],
    ids=["kept", "concluded"],
)
def test_what_one_command_saw_is_not_overwritten_by_another_one_that_came_later(
    world: World, upload: float, pattern: str, nth: int
) -> None:
    """Two watch one job; the first saw an overwrite that was given up before the second one looked."""
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    uploads_for(world, upload)
    world.after("^BACKUP SNAPSHOT d1", kill)
    killed(world)
    label = Label(max(world.statuses()))
    first, second = world.ports, world.reconnect()
    world.before(
        pattern, lambda: first.backups.advance(label, Event.REFUSED, {"error": "temporary partitions"}), nth=nth
    )
    backup.run(second, world.request())
    assert world.statuses()[label] == "FAILED"
    assert label not in {point.label for point in world.points("d1.t")}


# --- when it was cut --------------------------------------------------------------------------------------------------


def strangers_job(world: World) -> None:
    """Somebody else's BACKUP takes the slot of d1, so that SHOW BACKUP tells nothing of ours any more."""
    world.sql(FLAT.format(name="d1.own"))
    world.sql("BACKUP SNAPSHOT d1.stranger TO repo ON (own)")
    world.wait_for("BACKUP", "d1")


def cut_of(world: World, state: str = "UPLOADING") -> list[datetime]:
    """Filled with what SHOW BACKUP says of the cut of the next job once it reaches a state."""
    seen: list[datetime] = []

    def note() -> None:
        (row,) = world.records("SHOW BACKUP FROM d1")
        seen.append(datetime.fromisoformat(row["SnapshotFinishedTime"]).replace(tzinfo=UTC))

    world.in_state(state, note)
    return seen


def test_a_snapshot_found_late_has_the_point_at_which_it_was_cut(world: World) -> None:
    """What the look after the cut wrote down tells, when the slot has been given to somebody else."""
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    uploads_for(world, 60 + 120)
    seen = cut_of(world, "SAVE_META")
    world.clock_alarm(60 + 60, kill)
    killed(world).wait_for("BACKUP", "d1")
    strangers_job(world)
    world.later(3600)
    world.sql("TRUNCATE TABLE d1.t")
    world.backup()
    late = world.points("d1.t")[1]
    assert (late.consistency, late.snapshot.snapshot_at) == (Consistency.EXACT, seen[0] + SECOND)


def test_a_job_that_leaves_the_slot_between_two_polls_was_cut_when_the_polls_before_said(world: World) -> None:
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    uploads_for(world, 60 + 600)
    seen = cut_of(world, "SAVE_META")

    def pushed_out() -> None:
        world.wait_for("BACKUP", "d1")
        world.later(300)
        strangers_job(world)

    world.in_state("UPLOAD_INFO", lambda: world.before("SHOW BACKUP FROM d1", pushed_out))
    world.backup()
    newest = world.points("d1.t")[0]
    assert (newest.consistency, newest.snapshot.snapshot_at) == (Consistency.EXACT, seen[0] + SECOND)


def test_after_a_disaster_the_point_lies_before_it(world: World) -> None:
    """The history was saved while the job ran; its row tells when it was cut."""
    world.ready("d1.t", "d2.t").backup("d1.*", "d2.*")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    uploads_for(world, 60 + 120)
    seen = cut_of(world, "SAVE_META")
    world.clock_alarm(60 + 60, kill)
    killed(world)
    server = world.ports.cluster.server()
    save_history(world.ports, world.place, server, RunId("other"))
    world.wait_for("BACKUP", "d1")
    new = World(world.folder, cluster_id=2002)
    new.later(3 * 86400)
    new.bootstrap()
    (newest, _) = [one for one in new.ports.backups.outlines() if str(one.table) == "d1.t"]
    assert (newest.consistency, newest.snapshot.snapshot_at) == (Consistency.EXACT, seen[0] + SECOND)


def test_a_snapshot_of_which_nobody_knows_when_it_was_cut_is_never_exact(world: World) -> None:
    """Rows of an earlier version say EXACT without an instant."""
    world.ready("d1.t")
    uploads_for(world, 60 + 120)
    world.clock_alarm(60 + 60, kill)
    killed(world).wait_for("BACKUP", "d1")
    world.sql("UPDATE ops.backup_history SET snapshot_at = NULL WHERE status = 'RUNNING'")
    strangers_job(world)
    assert "not exact" in reconcile(world.ports, world.place, world.ports.cluster.server()).settled[0].detail
    assert world.points("d1.t") == ()


def test_a_running_snapshot_is_no_point_although_its_cut_is_known(world: World) -> None:
    world.ready("d1.t")
    uploads_for(world, 60 + 120)
    world.clock_alarm(60 + 60, kill)
    killed(world)
    (running,) = world.ports.backups.outlines()
    assert running.snapshot.snapshot_at is not None
    assert running.snapshot.point is None


# --- beside a restore -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [False, True])
def test_a_table_that_a_restore_took_up_after_the_run_began_is_left_out(world: World, replace: bool) -> None:
    """Between two jobs of a restore it stands under its name, half restored, and no job holds the slot."""
    world.ready("d1.t", "d2.t").backup("d1.*", "d2.*")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup("d1.*", "d2.*")
    if not replace:
        world.sql("DROP TABLE d1.t FORCE")

    def restored_by_halves() -> None:
        ours, world.ports = world.ports, world.reconnect()
        world.before("RESTORE SNAPSHOT", kill, nth=2)
        with pytest.raises(Killed):
            world.restore("d1.t", replace=replace)
        world.ports = ours

    world.before("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ID FROM", restored_by_halves, nth=2)
    points = world.points("d1.t")
    report = backup.run(world.ports, world.request("d1.*", "d2.*"))
    assert report.problems == {"d1.t": "its restore is not finished"}
    assert [one.status for one in report.databases] == [Status.UNCHANGED]
    assert world.points("d1.t") == points


# --- between the look and the job -------------------------------------------------------------------------------------


def test_a_look_that_grew_old_while_the_object_store_was_waited_for_is_taken_anew(world: World) -> None:
    """A partition that came and went since would leave no trace."""
    world.ready("d1.t", "d2.t").backup("d1.*", "d2.*")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.sql("INSERT INTO d2.t VALUES (3, '2024-01-02', 30)")
    unread = world.frontend.faults.unread

    def the_second_one_waits() -> None:
        unread.update(label for label in world.statuses() if label.startswith("d2_"))
        world.later(LOOK_KEEPS_FOR + 1)
        world.clock_alarm(200, unread.clear)

    world.after("BACKUP SNAPSHOT d1", the_second_one_waits)
    world.backup("d1.*", "d2.*", max_parallel=1)
    newest = world.points("d2.t")[0]
    sent, looked = newest.snapshot.submitted_at, newest.snapshot.created_at
    assert newest.type is BackupType.INCREMENTAL
    assert sent is not None
    assert (sent - looked).total_seconds() <= LOOK_KEEPS_FOR


def overwrite_begins(world: World, table: str) -> None:
    """A temporary partition stands, as while an INSERT OVERWRITE is at work."""
    world.sql(f"ALTER TABLE {table} ADD TEMPORARY PARTITION tp VALUES [('2024-01-02'), ('2024-01-03'))")


def overwrite_ends(world: World, table: str) -> None:
    """It is gone again."""
    world.sql(f"ALTER TABLE {table} DROP TEMPORARY PARTITION tp")


def test_while_one_database_waits_for_a_load_the_cuts_of_the_others_are_seen(world: World) -> None:
    names = ("d1", "d2", "d3", "d4")
    world.ready(*(f"{name}.t" for name in names))
    world.wait_at_most(90)
    until = world.clock.now() + 60 + 90
    world.frontend.faults.steps.append(
        lambda job: Hold() if job.label.startswith(("d1", "d2")) and world.clock.now() < until else None
    )
    world.clock_alarm(60 + 70, lambda: overwrite_begins(world, "d4.t"))
    report = world.backup(*(f"{name}.*" for name in names), max_parallel=2)
    assert [(one.attempts, one.status) for one in report.databases] == [(1, Status.FINISHED)] * 3 + [(1, Status.FAILED)]
    assert [table.consistency for one in report.databases for table in one.tables] == [Consistency.EXACT] * 3


def test_a_load_that_began_while_the_object_store_was_waited_for_is_waited_for_as_well(world: World) -> None:
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.wait_at_most(150)
    world.frontend.faults.unread.update(world.statuses())
    world.clock_alarm(60 + 80, world.frontend.faults.unread.clear)
    world.clock_alarm(60 + 40, lambda: overwrite_begins(world, "d1.t"))
    world.clock_alarm(60 + 120, lambda: overwrite_ends(world, "d1.t"))
    assert world.backup().problems == {}
    assert len(world.points("d1.t")) == 2
