"""A snapshot that was cut while an overwrite was under way that left no other trace: RESTORE brings ghosts (O2§0.1)."""

from __future__ import annotations

import pytest

from starrocks_br.domain.backup_plan import Reason
from starrocks_br.domain.errors import Haunted, VerificationMismatch
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import Target
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.services import backup, restore, restore_planning
from starrocks_br.services.requests import RestoreRequest, Wanted
from tests.support.world import World, refuse


@pytest.fixture
def haunted(world: World) -> World:
    """The only point of d1.t is exact, and holds a ghost; d1.u lies in the same snapshot."""
    world.ready("d1.t", "d1.u")
    world.after(
        "BACKUP SNAPSHOT d1",
        lambda: world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))"),
    )
    world.in_state("SNAPSHOTING", lambda: world.sql("ALTER TABLE d1.t DROP TEMPORARY PARTITION tp"))
    world.backup()
    assert certainty(world) == {"t": [Consistency.EXACT], "u": [Consistency.EXACT]}
    return world


def certainty(world: World) -> dict[str, list[Consistency]]:
    """How well the points of the two tables are known that backups made, newest first."""
    return {
        name: [
            one.consistency
            for one in world.ports.backups.outlines(table=TableRef.parse(f"d1.{name}"))
            if one.type is not BackupType.RESTORED
        ]
        for name in ("t", "u")
    }


def test_it_is_found_before_anybody_can_see_the_table_and_another_way_gives_every_row(haunted: World) -> None:
    wanted = haunted.rows("d1.t")
    haunted.sql("DROP TABLE d1.t FORCE")
    report = haunted.restore("d1.t")
    assert (haunted.rows("d1.t"), haunted.tables("d1")) == (wanted, {"t", "u"})
    assert any("ghost partitions of d1.t" in note and "dropped at once" in note for note in report.notes)
    assert any("ghost" in warning and "trying again" in warning for warning in haunted.warnings)
    assert haunted.ports.restores.unfinished().sound == ()
    haunted.sql("SELECT PARTITION_ID FROM information_schema.partitions_meta")


def test_the_next_backup_takes_the_table_whole_and_later_points_are_filled_at_once(haunted: World) -> None:
    haunted.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    haunted.backup()
    wanted, later = haunted.rows("d1.t"), haunted.newest("d1.t")
    with pytest.raises(Haunted):
        haunted.restore("d1.t", into="d1.copy")
    assert certainty(haunted)["t"] == [Consistency.EXACT, Consistency.UNKNOWN]
    (planned,) = backup.plan(haunted.ports, haunted.request("d1.t")).databases
    assert [table.reason for table in planned.tables] == [Reason.BROKEN]
    haunted.sql("DROP TABLE d1.t FORCE")
    plan = haunted.plan_restore("d1.t", later)
    assert plan.way is Way.REFILL
    haunted.run_restore(plan)
    assert haunted.rows("d1.t") == wanted


def test_where_the_table_cannot_be_filled_it_fails_and_says_where_it_can(haunted: World) -> None:
    wanted = haunted.rows("d1.t")
    with pytest.raises(Haunted, match="ghost") as refusal:
        haunted.restore("d1.t", replace=True)
    assert "dropped at once" in refusal.value.why
    assert "--to-database" in refusal.value.hint
    assert (haunted.rows("d1.t"), haunted.tables("d1")) == (wanted, {"t", "u"})
    label = haunted.ports.backups.outlines(table=TableRef.parse("d1.t"))[0].label
    haunted.restore("d1.t", label=label, allow_fuzzy=True, into="drill.t")
    assert haunted.rows("drill.t") == wanted


def test_what_comes_back_in_the_same_job_is_not_blamed(haunted: World) -> None:
    wanted = haunted.rows("d1.t"), haunted.rows("d1.u")
    for name in "tu":
        haunted.sql(f"DROP TABLE d1.{name} FORCE")
    tables = [TableRef.parse(f"d1.{name}") for name in "tu"]
    wishes = tuple(Wanted(table=table, target=Target(table=table)) for table in tables)
    request = RestoreRequest(place=haunted.place, wanted=wishes, at=haunted.ports.cluster.now())
    report = restore.run(haunted.ports, request, restore_planning.plan(haunted.ports, request))
    assert (dict(report.failures), haunted.rows("d1.t"), haunted.rows("d1.u")) == ({}, *wanted)
    assert certainty(haunted) == {"t": [Consistency.UNKNOWN], "u": [Consistency.EXACT]}


def test_one_that_may_not_be_dropped_is_named_with_the_drop_that_is_urgent(haunted: World) -> None:
    haunted.sql("DROP TABLE d1.t FORCE")
    allowed = haunted.always("^DROP TABLE", refuse(5203, "Access denied; you need the DROP privilege(s)"))
    with pytest.raises(VerificationMismatch, match="ghost") as refusal:
        haunted.restore("d1.t")
    (hidden,) = haunted.tables("d1") - {"u"}
    assert f"d1.{hidden} could not be dropped, and no frontend may start again: " in refusal.value.why
    assert "dropped at once" not in refusal.value.why
    assert refusal.value.hint.startswith(f"run DROP TABLE d1.{hidden} FORCE at once")
    allowed()


def test_while_ghosts_stand_elsewhere_no_snapshot_is_blamed(one: World) -> None:
    over = one.always("partitions_meta WHERE", refuse(1064, "dataProperty is null for Range"))
    with pytest.raises(VerificationMismatch, match="others stand elsewhere"):
        one.restore("d1.t")
    over()
    assert one.restore("d1.t").rows == 2


def test_a_verdict_that_cannot_be_written_down_is_told(haunted: World) -> None:
    haunted.sql("DROP TABLE d1.t FORCE")
    haunted.before("SET .*consistency", refuse(1064, "no backend"))
    haunted.restore("d1.t")
    assert any("could not be written down" in warning for warning in haunted.warnings)
    assert certainty(haunted)["t"] == [Consistency.EXACT]
