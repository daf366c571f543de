"""Snapshots that were found late, seen by two commands, or that stand beside something else: what they prove."""

from __future__ import annotations

import pytest

from starrocks_br.domain.names import Label
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.domain.status import Event
from starrocks_br.services import backup
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
