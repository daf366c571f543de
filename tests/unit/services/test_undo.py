"""A restore that replaced a table can be undone, and one that was killed goes on where it stood."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.domain.errors import Busy, OutcomeUnknown, Refused, UnknownRestore, VerificationMismatch
from starrocks_br.domain.events import RestorePlanned
from starrocks_br.domain.journal import GRACE, Claim
from starrocks_br.domain.names import ClusterId, RestoreId, TableRef
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import backup, resume, undo
from starrocks_br.services.reports import RestoreReport, UndoReport
from starrocks_br.services.requests import RestoreRequest
from starrocks_simulator.faults import Hold
from tests.support.modes import LONG_AFTER, MODES, Mode, Past, newest_restore
from tests.support.world import Killed, World, kill, refuse
from tests.unit.services.test_refill import adopted_late

BY_NAME = {mode.name: mode for mode in MODES}
SWAPPED = BY_NAME["replace, one holder"]
OVERLAID = BY_NAME["replace, several holders"]
LISTED = BY_NAME["absent, several holders, LIST"]
COPIED = BY_NAME["beside, copied"]
LIVED: list[tuple[object, ...]] = []
"""The rows of the table that lives in all of these: it was truncated after the point that is wanted."""


def undone(world: World, restore: str = "") -> UndoReport:
    """Undo that restore, or the newest."""
    return undo.undo(world.ports, world.place, RestoreId(restore) if restore else newest_restore(world))


def resumed(world: World) -> RestoreReport:
    """Go on with the newest restore."""
    return resume.resume(world.ports, RestoreRequest(place=world.place, wanted=()), newest_restore(world))


def killed(mode: Mode, folder: Path, pattern: str, *, before: bool = False, nth: int = 1) -> Past:
    """A restore that died around a statement, an hour ago."""
    past = mode.prepare(folder)
    plant = past.world.before if before else past.world.after
    plant(pattern, kill, nth=nth)
    with pytest.raises(Killed):
        mode.act(past)
    past.world.ports = past.world.reconnect()
    past.world.later(LONG_AFTER)
    return past


# --- undo -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [SWAPPED, OVERLAID], ids=lambda mode: mode.name)
def test_a_finished_restore_is_undone_while_the_old_table_exists(mode: Mode, tmp_path: Path) -> None:
    past = mode.prepare(tmp_path)
    world = past.world
    mode.act(past)
    assert world.rows("d1.t") == past.wanted["d1.t"]
    report = undone(world)
    assert world.rows("d1.t") == LIVED
    (kept,) = world.tables("d1") - {"t", "other"}
    assert kept.startswith("__br_")
    assert world.rows(f"d1.{kept}") == past.wanted["d1.t"]
    assert f"what it made is d1.{kept} now" in report.detail
    assert str(report.table) == "d1.t"


def test_what_was_undone_cannot_be_undone_again_and_harms_nothing(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    undone(past.world)
    tables = past.world.tables("d1")
    again = undone(past.world)
    assert "d1.t is the table that it was before" in again.detail
    assert (past.world.rows("d1.t"), past.world.tables("d1")) == (LIVED, tables)


def test_without_the_old_table_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    mode = BY_NAME["replace, one holder, drop old"]
    past = mode.prepare(tmp_path)
    mode.act(past)
    with pytest.raises(UnknownRestore, match="cannot be undone") as refusal:
        undone(past.world)
    assert "is gone" in refusal.value.why
    assert past.world.rows("d1.t") == past.wanted["d1.t"]


def test_a_restore_that_replaced_nothing_cannot_be_undone(tmp_path: Path) -> None:
    mode = BY_NAME["beside, one holder"]
    past = mode.prepare(tmp_path)
    mode.act(past)
    with pytest.raises(UnknownRestore, match="cannot be undone") as refusal:
        undone(past.world)
    assert "replaced no table" in refusal.value.why


def test_a_restore_that_nobody_knows_cannot_be_undone(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    with pytest.raises(UnknownRestore, match="is not known") as refusal:
        undone(past.world, "never")
    assert "nothing is written" in refusal.value.why
    assert "ops." not in refusal.value.hint, "it may have another name"


def test_nor_can_one_that_ran_on_another_cluster(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    (journal,) = past.world.ports.restores.journals([newest_restore(past.world)]).sound
    past.world.ports.restores.begin([evolve(journal, restore=RestoreId("foreign"), cluster=ClusterId("7"))])
    with pytest.raises(UnknownRestore, match="is not known") as refusal:
        undone(past.world, "foreign")
    assert "it ran on cluster 7" in refusal.value.why


def test_an_undo_that_was_killed_half_way_is_done_by_the_next(tmp_path: Path) -> None:
    """The names change places in one statement: after it only ours may still have to be hidden."""
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    past.world.after("SWAP WITH", kill)
    with pytest.raises(Killed):
        undone(past.world)
    past.world.ports = past.world.reconnect()
    assert past.world.rows("d1.t") == LIVED
    past.world.later(GRACE.total_seconds())
    undone(past.world)
    assert past.world.rows("d1.t") == LIVED
    assert len([name for name in past.world.tables("d1") if name.startswith("__br_")]) == 1


@pytest.mark.parametrize("mode", [SWAPPED, OVERLAID], ids=lambda mode: mode.name)
def test_a_killed_restore_is_taken_back_by_undo_even_if_it_was_complete(mode: Mode, tmp_path: Path) -> None:
    past = killed(mode, tmp_path, "SELECT COUNT", nth=1)
    assert "is the table that it was before" in undone(past.world).detail
    assert past.world.rows("d1.t") == LIVED
    assert not past.world.ports.restores.unfinished().sound


def test_undo_of_a_restore_that_would_still_drop_the_old_table_keeps_it(tmp_path: Path) -> None:
    """Verified, and killed before the last step: any other command would finish it."""
    past = killed(BY_NAME["replace, one holder, drop old"], tmp_path, "^DROP TABLE", before=True)
    assert "is the table that it was before" in undone(past.world).detail
    assert past.world.rows("d1.t") == LIVED


def test_undo_of_a_killed_restore_that_was_complete_and_replaced_nothing_says_so(tmp_path: Path) -> None:
    past = killed(BY_NAME["absent, one holder"], tmp_path, "RENAME t")
    assert "was complete" in undone(past.world).detail
    assert past.world.rows("d1.t") == past.wanted["d1.t"]


def test_where_what_was_restored_will_be_is_told_before_it_moves(tmp_path: Path) -> None:
    """Killed later than that, nobody else would tell."""
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    restore = newest_restore(past.world)
    past.world.before("SWAP WITH", kill)
    with pytest.raises(Killed):
        undone(past.world)
    assert f"__br_{restore}" in past.world.warnings[-1]


def test_beside_another_restore_of_the_table_it_is_not_undone(tmp_path: Path) -> None:
    """It would move the table away from under that one."""
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    first = newest_restore(past.world)
    past.world.after("^RESTORE", kill)
    with pytest.raises(Killed):
        SWAPPED.act(past)
    past.world.ports = past.world.reconnect()
    with pytest.raises(Busy, match=r"a restore of d1\.t"):
        undone(past.world, first)
    assert past.world.rows("d1.t") == past.wanted["d1.t"]
    past.world.later(LONG_AFTER)
    undone(past.world, first)
    assert past.world.rows("d1.t") == LIVED


def test_a_restore_of_another_table_is_no_reason_not_to_undo(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    first = newest_restore(past.world)
    past.world.after("^RESTORE", kill)
    with pytest.raises(Killed):
        past.world.restore("d1.other", replace=True)
    past.world.ports = past.world.reconnect()
    undone(past.world, first)
    assert past.world.rows("d1.t") == LIVED


def test_undo_of_a_restore_that_has_dropped_the_old_table_leaves_the_new_one_its_name(tmp_path: Path) -> None:
    """There is nothing to go back to: it is complete but for its last lines."""
    past = killed(BY_NAME["replace, several holders, drop old"], tmp_path, "^DROP TABLE")
    assert "was complete" in undone(past.world).detail
    assert past.world.rows("d1.t") == past.wanted["d1.t"]


def test_what_may_be_at_work_is_not_undone(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    past.world.after("SWAP WITH", kill)
    with pytest.raises(Killed):
        SWAPPED.act(past)
    past.world.ports = past.world.reconnect()
    with pytest.raises(Busy, match="may be at work"):
        undone(past.world)
    with pytest.raises(Busy, match="may be at work"):
        resumed(past.world)


def test_an_undo_that_the_server_refuses_tells_its_words(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    past.world.before("SWAP WITH", refuse(1064, "Table[t]'s state is not NORMAL"))
    with pytest.raises(Refused, match="state is not NORMAL"):
        undone(past.world)
    assert past.world.rows("d1.t") == past.wanted["d1.t"]
    undone(past.world)
    assert past.world.rows("d1.t") == LIVED


def test_the_older_of_two_restores_cannot_be_undone_before_the_newer_one(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    world = past.world
    first = world.restore("d1.t", label=past.label, replace=True).restore
    world.later()
    second = world.restore("d1.t", label=past.label, replace=True).restore
    with pytest.raises(UnknownRestore, match="cannot be undone") as refusal:
        undone(world, first)
    assert "d1.t is another table now" in refusal.value.why
    undone(world, second)
    undone(world, first)
    assert world.rows("d1.t") == LIVED


# --- resume -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "pattern", "before", "nth"),
    [
        (SWAPPED, "UPDATE ops.restore_history", True, 1),
        (SWAPPED, "^RESTORE", True, 1),
        (SWAPPED, "^RESTORE", False, 1),
        (SWAPPED, "SELECT COUNT", False, 1),
        (SWAPPED, "SWAP WITH", True, 1),
        (SWAPPED, "SWAP WITH", False, 1),
        (SWAPPED, "RENAME t__before", False, 1),
        (OVERLAID, "RENAME t__before", True, 1),
        (OVERLAID, "RENAME t__before", False, 1),
        (OVERLAID, "RENAME t$", False, 1),
        (OVERLAID, "^RESTORE", True, 2),
        (OVERLAID, "^RESTORE", False, 2),
        (OVERLAID, "SELECT COUNT", True, 1),
        (LISTED, "ADD PARTITION", True, 1),
        (LISTED, "ADD PARTITION", False, 1),
        (LISTED, "^RESTORE", False, 2),
        (COPIED, "^RESTORE", False, 2),
        (COPIED, "ADD PARTITION", False, 1),
        (COPIED, "^INSERT INTO d1.__br_", True, 1),
        (COPIED, "^INSERT INTO d1.__br_", False, 1),
        (COPIED, "^DROP TABLE", False, 1),
        (BY_NAME["another database"], "CREATE DATABASE", True, 1),
        (BY_NAME["another database"], "CREATE DATABASE", False, 1),
    ],
    ids=lambda value: value.name if isinstance(value, Mode) else str(value),
)
def test_a_killed_restore_goes_on_where_it_stood(
    mode: Mode, pattern: str, before: bool, nth: int, tmp_path: Path
) -> None:
    past = killed(mode, tmp_path, pattern, before=before, nth=nth)
    report = resumed(past.world)
    ((goal, source),) = mode.goals.items()
    assert past.world.rows(goal) == past.wanted[source]
    (planned,) = [event.plan for event in past.world.events if isinstance(event, RestorePlanned)]
    assert past.world.times_sent("^RESTORE") == len(planned.jobs) + (before and pattern == "^RESTORE"), (
        "none is sent again"
    )
    assert not past.world.ports.restores.unfinished().sound
    assert {name for name in past.world.tables("d1") if name.startswith("__br_")} == set()
    if goal in past.lived:
        assert past.world.rows(str(report.aside)) == LIVED


@pytest.mark.parametrize("put_there", [False, True])
def test_a_target_that_went_since_it_was_killed_is_not_taken_for_one_that_changed_places(
    tmp_path: Path, *, put_there: bool
) -> None:
    past = killed(SWAPPED, tmp_path, "SWAP WITH", before=True)
    world = past.world
    world.sql("DROP TABLE d1.t FORCE")
    if put_there:
        world.range_table("d1.t")
    with pytest.raises(VerificationMismatch, match="dropped, renamed or replaced meanwhile"):
        resumed(world)
    assert ("t" in world.tables("d1")) is put_there
    assert [point.type for point in world.ports.backups.outlines(table=TableRef.parse("d1.t"))] == [BackupType.FULL]


def test_who_was_taken_for_dead_cannot_go_on_beside_whoever_resumes_it(tmp_path: Path) -> None:
    """From before the first look at what is there."""
    past = killed(SWAPPED, tmp_path, "^RESTORE")
    world, granted = past.world, list[object]()
    claim = Claim(restore=newest_restore(world), number=0)
    world.before("tables_config", lambda: granted.append(world.ports.restores.claim([claim])))
    resumed(world)
    assert granted == [frozenset()]
    assert world.rows("d1.t") == past.wanted["d1.t"]


def test_rows_that_are_still_being_read_over_are_waited_for(tmp_path: Path) -> None:
    """Their label is taken (R§12.3), and they cannot be seen: to read them again could bring them twice."""
    past = killed(COPIED, tmp_path, "^INSERT INTO d1.__br_", before=True)
    world = past.world
    world.before("^INSERT INTO d1.__br_", refuse(1064, "Label [__br_t00006_1] has already been used."))
    with pytest.raises(OutcomeUnknown, match="are being read over") as doubt:
        resumed(world)
    assert f"--resume {newest_restore(world)}" in doubt.value.hint
    world.later(LONG_AFTER)
    resumed(world)
    assert world.rows("d1.copy") == past.wanted["d1.t"]


def test_what_is_refused_for_another_reason_is_taken_back(tmp_path: Path) -> None:
    past = killed(COPIED, tmp_path, "^INSERT INTO d1.__br_", before=True)
    past.world.before("^INSERT INTO d1.__br_", refuse(1064, "too many versions"))
    with pytest.raises(Refused, match="too many versions"):
        resumed(past.world)
    assert past.world.tables("d1") == {"t", "other"}


def test_a_hidden_table_that_cannot_be_shown_to_be_ours_ends_it(tmp_path: Path) -> None:
    past = killed(SWAPPED, tmp_path, "^RESTORE")
    world = past.world
    world.wait_for("RESTORE", "d1")
    world.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (other)")
    world.wait_for("BACKUP", "d1")
    with pytest.raises(UnknownRestore, match="cannot be shown") as refusal:
        resumed(world)
    assert "cannot go on at RestorePartitions" in refusal.value.what


def test_what_is_closed_has_nothing_left_to_do(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    SWAPPED.act(past)
    with pytest.raises(UnknownRestore, match="nothing left"):
        resumed(past.world)


def test_a_restore_whose_job_still_runs_is_not_resumed(tmp_path: Path) -> None:
    past = SWAPPED.prepare(tmp_path)
    past.world.after("^RESTORE", kill)
    with pytest.raises(Killed):
        SWAPPED.act(past)
    past.world.frontend.faults.steps.append(lambda job: Hold() if job.kind == "RESTORE" else None)
    past.world.ports = past.world.reconnect()
    past.world.later(LONG_AFTER)
    with pytest.raises(Busy) as refusal:
        resumed(past.world)
    assert "still runs" in refusal.value.why


def test_a_resumed_restore_that_fails_is_taken_back(tmp_path: Path) -> None:
    past = killed(OVERLAID, tmp_path, "RENAME t__before")
    past.world.before("^RESTORE", refuse(5064, "Table t does not exist in snapshot x"))
    with pytest.raises(Refused):
        resumed(past.world)
    assert past.world.rows("d1.t") == LIVED
    assert not past.world.ports.restores.unfinished().sound


def test_chosen_partitions_are_resumed_as_chosen(tmp_path: Path) -> None:
    mode = evolve(
        BY_NAME["beside, one holder"],
        act=lambda past: past.world.restore("d1.t", label=past.label, into="d1.copy", partitions=frozenset({"p1"})),
    )
    past = killed(mode, tmp_path, "^RESTORE")
    assert resumed(past.world).partitions == 1
    assert past.world.rows("d1.copy") == [row for row in past.wanted["d1.t"] if str(row[1]) == "2024-01-01"]


def test_after_a_resumed_replace_the_next_backup_is_sound(tmp_path: Path) -> None:
    past = killed(SWAPPED, tmp_path, "SWAP WITH", before=True)
    resumed(past.world)
    world = past.world
    world.sql("INSERT INTO d1.t VALUES (77, '2024-01-01', 7)")
    wanted = world.rows("d1.t")
    assert backup.run(world.ports, world.request("d1.t")).complete
    world.restore("d1.t", replace=True)
    assert world.rows("d1.t") == wanted


def test_a_restore_that_went_on_after_the_names_had_changed_places_never_takes_the_old_table_for_its_own(
    tmp_path: Path,
) -> None:
    """By then the hidden name is the old table's: undone, it must not pass for what was restored."""
    past = killed(SWAPPED, tmp_path, "SWAP WITH")
    world = past.world
    resumed(world)
    undone(world)
    assert backup.run(world.ports, world.request("d1.t")).complete
    world.restore("d1.t", into="d1.newest")
    assert world.rows("d1.newest") == LIVED


def test_grants_of_a_table_that_was_set_aside_before_the_kill_come_back(tmp_path: Path) -> None:
    prepare = OVERLAID.prepare

    def with_grants(folder: Path) -> Past:
        past = prepare(folder)
        past.world.sql("CREATE USER alice")
        past.world.sql("GRANT SELECT ON TABLE d1.t TO USER alice")
        return past

    past = killed(evolve(OVERLAID, prepare=with_grants), tmp_path, "RENAME t__before")
    report = resumed(past.world)
    assert not any("newly made" in note for note in report.notes)
    granted = past.world.sql("SELECT OBJECT_NAME FROM sys.grants_to_users WHERE GRANTEE LIKE '%alice%'")
    assert ("t",) in granted


def test_a_table_that_was_just_made_from_its_ddl_cannot_be_shown_to_be_ours(world: World) -> None:
    label = adopted_late(world, "range")
    world.sql("DROP TABLE d1.t FORCE")
    world.after("^CREATE TABLE .*__br_", kill)
    with pytest.raises(Killed):
        world.restore("d1.t", label=label, allow_fuzzy=True)
    world.ports = world.reconnect()
    world.later(LONG_AFTER)
    with pytest.raises(UnknownRestore, match="cannot go on at CreateTable") as refusal:
        resumed(world)
    assert "cannot be shown" in refusal.value.why
    assert "so it stays" in undone(world).detail
