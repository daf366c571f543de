"""What the world machine found, each history as short as it gets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from starrocks_br.services import backup
from starrocks_br.services.campaign import KEPT_AFTER
from starrocks_br.services.conclude import SOON
from starrocks_br.services.reconcile import reconcile
from starrocks_simulator.faults import Hold
from tests.support.world import TICK, Killed, World, kill, refuse

BACKUP = "BACKUP SNAPSHOT d1"
POLL = "SHOW BACKUP FROM d1"
A_MINUTE_LATER = (SOON + timedelta(seconds=1)).total_seconds()


def killed(world: World) -> World:
    """A run dies where it was planned; another process comes."""
    with pytest.raises(Killed):
        backup.run(world.ports, world.request())
    world.ports = world.reconnect()
    return world


def uploads_for_two_minutes(world: World) -> None:
    """Every job whose upload would begin in this time waits for its end."""
    until = world.clock.now() + 120
    assert KEPT_AFTER < 20 * TICK < 120
    world.frontend.faults.steps.append(
        lambda job: Hold() if job.state == "UPLOADING" and world.clock.now() < until else None
    )


def settle(world: World) -> list[str]:
    """What the next command says of what it found."""
    found = reconcile(world.ports, world.place, world.ports.cluster.server())
    return [settled.detail for settled in found.settled]


def test_a_late_look_that_sees_no_difference_proves_nothing(world: World) -> None:
    """A partition that came before the cut is gone again when the next command looks."""
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    world.before(BACKUP, lambda: world.sql("ALTER TABLE d1.t ADD PARTITION p9 VALUES [('2024-01-09'), ('2024-01-10'))"))
    world.after(BACKUP, kill)
    killed(world).wait_for("BACKUP", "d1")
    world.sql("ALTER TABLE d1.t DROP PARTITION p9 FORCE")
    world.later(A_MINUTE_LATER)
    assert settle(world) == ["found in the repository; not exact: d1.t"]
    assert len(world.points("d1.t")) == 1


def test_what_was_seen_after_the_cut_outlives_the_command_that_saw_it(world: World) -> None:
    """A kill hours after the cut costs nothing: whatever moved since, the snapshot stays exact."""
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    wanted = world.rows("d1.t")
    uploads_for_two_minutes(world)
    world.after(POLL, kill, nth=20)
    killed(world).wait_for("BACKUP", "d1")
    world.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)")
    world.later(A_MINUTE_LATER)
    assert settle(world) == ["found in the repository"]
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert world.rows("d1.t") == wanted


def test_a_look_that_cannot_be_written_down_fails_no_job(world: World) -> None:
    world.ready("d1.t")
    uploads_for_two_minutes(world)
    world.before("INSERT INTO ops.backup_history", refuse(1064, "disk 1 on backend 10001 exceed limit usage"), nth=2)
    assert world.backup().complete
    assert any("could not be written down yet" in warning for warning in world.warnings)
    assert len(world.points("d1.t")) == 1


def test_a_danger_outlives_the_command_that_saw_it(world: World) -> None:
    """Whoever comes after a kill finds the snapshot FAILED, whatever becomes of its job: it is never a point."""
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    uploads_for_two_minutes(world)
    world.in_state("SNAPSHOTING", lambda: world.sql("ALTER TABLE d1.t DROP PARTITION p2 FORCE"))
    world.after(POLL, kill, nth=20)
    killed(world).wait_for("BACKUP", "d1")
    world.later(A_MINUTE_LATER)
    assert settle(world) == []
    assert sorted(world.statuses().values()) == ["FAILED", "FINISHED"]


def test_the_history_is_saved_although_the_leaders_clock_was_set_back(world: World) -> None:
    world.ready("d1.t").after("SHOW SNAPSHOT ON repo WHERE SNAPSHOT =", lambda: world.later(5))
    world.backup()
    world.frontend.skew -= 3600
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    assert world.backup().metadata is not None


def test_an_empty_partition_of_a_table_that_makes_its_own_is_not_missing_beside_it(world: World) -> None:
    """No row is read over into it, and only a load makes such a partition: it has to be added by hand."""
    world.ready("d1.other")
    world.sql(
        "CREATE TABLE d1.t (id INT NOT NULL, k DATE NOT NULL) DUPLICATE KEY(id) PARTITION BY date_trunc('day', k) "
        "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num' = '1')"
    )
    world.sql("INSERT INTO d1.t VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-03')")
    world.backup()
    for into, statement in (
        ("d1.r", "TRUNCATE TABLE d1.t PARTITION (p20240102)"),
        ("d1.s", "INSERT INTO d1.t VALUES (4, '2024-01-02')"),
    ):
        world.sql(statement)
        world.backup()
        world.restore("d1.t", into=into)
        assert world.rows(into) == world.rows("d1.t")
        names = sorted(row["PartitionName"] for row in world.records(f"SHOW PARTITIONS FROM {into}"))
        assert names == ["p20240101", "p20240102", "p20240103"]


def test_a_column_changed_under_another_name_of_the_table_is_seen(world: World) -> None:
    """Nothing but the job tells of it, and the job bears the name that the table had then."""
    world.ready("d1.t").backup()
    world.sql("ALTER TABLE d1.t RENAME x")
    world.sql("ALTER TABLE d1.x DROP COLUMN v")
    world.later()
    world.sql("ALTER TABLE d1.x ADD COLUMN v INT")
    world.later()
    world.sql("ALTER TABLE d1.x RENAME t")
    live = world.rows("d1.t")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert world.rows("d1.t") == live
