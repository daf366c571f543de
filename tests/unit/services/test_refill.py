"""A snapshot that nobody looked at after its cut: the table is made from its DDL and filled, so that no ghost comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from starrocks_br.domain.errors import Refused, UnsupportedServer, VerificationMismatch
from starrocks_br.domain.journal import GRACE
from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.snapshot import Consistency
from tests.support.world import Killed, World, kill, refuse

TABLE = TableRef.parse("d1.t")
TABLES = {
    "range": (
        (
            "(id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id) PARTITION BY RANGE(dt) (PARTITION "
            "p1 VALUES [('2024-01-01'), ('2024-01-02')), PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03')))"
        ),
        "(1, '2024-01-01'), (2, '2024-01-02')",
    ),
    "list": (
        (
            "(id INT NOT NULL, dt VARCHAR(20) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(dt) ("
            "PARTITION p1 VALUES IN ('a'), PARTITION p2 VALUES IN ('b'))"
        ),
        "(1, 'a'), (2, 'b')",
    ),
    "automatic": (
        "(id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id) PARTITION BY date_trunc('day', dt)",
        "(1, '2024-01-01'), (2, '2024-01-02')",
    ),
    "flat": ("(id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id)", "(1, '2024-01-01'), (2, '2024-01-02')"),
}


def adopted_late(world: World, kind: str, meanwhile: Callable[[], None] = kill, *, change: str = "") -> Label:
    """d1.t is changed, then backed up by a command that dies, and whose job somebody else's pushes out of the slot."""
    shape, rows = TABLES[kind]
    world.ready("d1.other")
    world.sql(
        f"CREATE TABLE d1.t {shape} DISTRIBUTED BY HASH(id) BUCKETS 1 "
        "PROPERTIES('replication_num'='1', 'partition_live_number'='9')"
        if kind == "automatic"
        else f"CREATE TABLE d1.t {shape} DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
    )
    world.sql(f"INSERT INTO d1.t VALUES {rows}")
    if change:
        world.sql(change)
        world.later()
    world.after("BACKUP SNAPSHOT d1", meanwhile)
    with pytest.raises(Killed):
        world.backup("d1.t")
    world.ports = world.reconnect()
    world.wait_for("BACKUP", "d1")
    world.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (other)")
    world.wait_for("BACKUP", "d1")
    world.later(GRACE.total_seconds())
    world.backup("d1.other")
    (late,) = [one for one in world.ports.backups.outlines(table=TABLE) if one.consistency is Consistency.UNKNOWN]
    return late.label


@pytest.mark.parametrize("kind", TABLES)
def test_it_is_made_from_its_ddl_and_filled(world: World, kind: str) -> None:
    label = adopted_late(world, kind)
    wanted = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    plan = world.plan_restore("d1.t", label=label, allow_fuzzy=True)
    assert (plan.way, "ghost" in plan.why) == (Way.REFILL, True)
    report = world.run_restore(plan)
    assert (world.rows("d1.t"), report.rows) == (wanted, 2)
    assert world.tables("d1") == {"t", "other"}
    paused = [note for note in report.notes if "partition_live_number" in note]
    assert bool(paused) is (kind == "automatic")


def test_a_ghost_in_the_snapshot_does_not_come_along(world: World) -> None:
    """Restored in the other way, it would break partitions_meta for the whole cluster; this way it is left behind."""

    def haunt() -> None:
        world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))")
        world.in_state("SNAPSHOTING", lambda: world.sql("ALTER TABLE d1.t DROP TEMPORARY PARTITION tp"))
        kill()

    label = adopted_late(world, "range", haunt)
    wanted = world.rows("d1.t")
    with pytest.raises(VerificationMismatch, match="ghost"):
        world.restore("d1.t", label=label, allow_fuzzy=True, into="d1.copy")
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t", label=label, allow_fuzzy=True)
    assert world.rows("d1.t") == wanted
    world.sql("SELECT PARTITION_ID FROM information_schema.partitions_meta")


def test_partitions_that_the_ddl_has_and_the_point_has_not_go_at_once(world: World) -> None:
    label = adopted_late(world, "range")
    world.sql("DROP TABLE d1.t FORCE")
    world.sql(
        f"UPDATE ops.backup_history SET schema_ddl = replace(schema_ddl, 'PARTITION p2', "
        f"'PARTITION p0 VALUES [(\"2023-01-01\"), (\"2023-01-02\")),\nPARTITION p2') WHERE label = '{label}'"
    )
    world.restore("d1.t", label=label, allow_fuzzy=True)
    assert {row["PartitionName"] for row in world.records("SHOW PARTITIONS FROM d1.t")} == {"p1", "p2"}


def test_a_list_partition_that_the_ddl_lacks_is_added(world: World) -> None:
    label = adopted_late(world, "list")
    wanted = world.rows("d1.t")
    world.sql("ALTER TABLE d1.t DROP PARTITION p2 FORCE")
    ddl = world.sql("SHOW CREATE TABLE d1.t")[0][1]
    world.sql(f"UPDATE ops.backup_history SET schema_ddl = {ddl!r} WHERE label = '{label}'")
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t", label=label, allow_fuzzy=True)
    assert world.rows("d1.t") == wanted


@pytest.mark.parametrize("where", [{"replace": True}, {"into": "d1.copy"}])
def test_beside_a_live_table_of_the_name_it_cannot_be_filled(world: World, where: dict[str, Any]) -> None:
    label = adopted_late(world, "range")
    plan = world.plan_restore("d1.t", label=label, allow_fuzzy=True, **where)
    assert plan.way is Way.HIDDEN


def test_what_the_server_does_not_take_leaves_nothing(world: World) -> None:
    label = adopted_late(world, "range")
    world.sql("DROP TABLE d1.t FORCE")
    world.before("CREATE TABLE d1.__br_", refuse(1064, "too many tablets"))
    with pytest.raises(Refused, match="too many tablets"):
        world.restore("d1.t", label=label, allow_fuzzy=True)
    assert world.tables("d1") == {"other"}
    assert world.ports.restores.unfinished().sound == ()


def test_a_ddl_that_is_none_is_not_sent(world: World) -> None:
    """The history is a table that anybody with the right to can write to."""
    label = adopted_late(world, "range")
    world.sql("DROP TABLE d1.t FORCE")
    world.sql(f"UPDATE ops.backup_history SET schema_ddl = 'DROP DATABASE d1 FORCE' WHERE label = '{label}'")
    with pytest.raises(UnsupportedServer, match="cannot be made from what was recorded"):
        world.restore("d1.t", label=label, allow_fuzzy=True)
    assert world.tables("d1") == {"other"}


def test_what_the_ddl_does_not_tell_is_made_by_restore_after_all(world: World) -> None:
    """SHOW CREATE TABLE tells no rollup, and RESTORE takes only a table that has it."""
    label = adopted_late(world, "range", change="ALTER TABLE d1.t ADD ROLLUP by_dt (dt)")
    wanted = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    report = world.restore("d1.t", label=label, allow_fuzzy=True)
    assert (world.rows("d1.t"), report.jobs) == (wanted, 1)
    assert any("different schema" in warning and "trying again" in warning for warning in world.warnings)
    (left,) = world.tables("d1") - {"t", "other"}
    assert any(f"what it made is d1.{left} now: DROP TABLE it" in note for note in report.notes)
