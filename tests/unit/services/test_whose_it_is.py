"""Two commands that end one restore, statements that act late, and users who are not shown what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.domain.errors import Busy, Refused
from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import GRACE, QUIET
from starrocks_br.services import undo
from starrocks_br.services.reconcile import reconcile
from tests.support.modes import MODES, UNDOS, Past, newest_restore
from tests.support.world import Killed, World, kill, refuse

BY_NAME = {mode.name: mode for mode in (*MODES, *UNDOS)}
TAKEN_OVER = "^UPDATE ops.restore_history SET message"
OPENED_AGAIN = "^UPDATE ops.restore_history SET status='SENT', message"
GIVEN_BACK = "t__before_.* SWAP WITH t"
TEAM = (
    "OPERATE ON SYSTEM",
    "REPOSITORY ON SYSTEM",
    "SELECT, EXPORT ON ALL TABLES IN DATABASE d2",
    "SELECT, EXPORT, INSERT, UPDATE, DELETE ON ALL TABLES IN DATABASE ops",
)


def killed_in_the_second_job(folder: Path) -> Past:
    """The table has its public name and is not whole; the one that lived is put aside."""
    past = BY_NAME["replace, several holders"].prepare(folder)
    past.world.before("^RESTORE SNAPSHOT", kill, nth=2)
    with pytest.raises(Killed):
        BY_NAME["replace, several holders"].act(past)
    past.world.ports = past.world.reconnect()
    past.world.later(GRACE.total_seconds())
    return past


def settle(world: World, user: str = "root") -> list[Settled]:
    """What another command does first."""
    own, world.ports = world.ports, world.reconnect(user)
    try:
        return reconcile(world.ports, world.place, world.ports.cluster.server()).settled
    finally:
        world.ports = own


# --- one at a time ----------------------------------------------------------------------------------------------------


def test_of_two_commands_that_find_a_dead_restore_one_takes_it_back(tmp_path: Path) -> None:
    """SWAP is its own inverse: sent twice, the incomplete table would have the name, and be called the old one."""
    past = killed_in_the_second_job(tmp_path)
    beside: list[Settled] = []
    past.world.before(TAKEN_OVER, lambda: beside.extend(settle(past.world)))
    (late,) = settle(past.world)
    assert late.outcome is None
    assert "is in somebody's hands" in late.detail
    assert "is the table that it was before" in beside[0].detail
    assert past.world.times_sent(GIVEN_BACK) == 1
    assert past.world.rows("d1.t") == past.lived["d1.t"]


def test_while_one_takes_it_back_no_other_begins_to(tmp_path: Path) -> None:
    """Its SWAP may wait for a lock."""
    past = killed_in_the_second_job(tmp_path)
    beside: list[Settled] = []

    def waiting() -> None:
        past.world.later(GRACE.total_seconds() - 1)
        beside.extend(settle(past.world))

    past.world.before(GIVEN_BACK, waiting)
    settle(past.world)
    assert [one.outcome for one in beside] == [None]
    assert past.world.times_sent(GIVEN_BACK) == 1
    assert past.world.rows("d1.t") == past.lived["d1.t"]


def test_of_two_that_undo_a_restore_one_does(tmp_path: Path) -> None:
    mode = BY_NAME["undo, one holder"]
    past = mode.prepare(tmp_path)
    world = past.world
    rows, restore = world.rows("d1.t"), newest_restore(world)
    world.before(OPENED_AGAIN, lambda: undo.undo(world.reconnect(), world.place, restore))
    with pytest.raises(Busy, match="in somebody's hands"):
        undo.undo(world.ports, world.place, restore)
    assert world.rows("d1.t") != rows
    assert world.times_sent("SWAP WITH t$") == 1


def test_an_undo_that_was_killed_is_done_by_the_next_command(tmp_path: Path) -> None:
    past = BY_NAME["undo, one holder"].prepare(tmp_path)
    world = past.world
    rows = world.rows("d1.t")
    world.before("SWAP WITH t$", kill)
    with pytest.raises(Killed):
        undo.undo(world.ports, world.place, newest_restore(world))
    assert settle(world)[0].outcome is None
    world.later(GRACE.total_seconds())
    assert settle(world)[0].outcome is not None
    assert world.rows("d1.t") == rows, "nothing had been done yet: it stays restored"
    undo.undo(world.ports, world.place, newest_restore(world))
    assert world.rows("d1.t") != rows


# --- late -------------------------------------------------------------------------------------------------------------


def test_while_a_swap_may_act_its_tables_are_left_alone(tmp_path: Path) -> None:
    """It waits for a lock, and its command is dead."""
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    world = past.world
    world.before("SWAP WITH", kill)
    with pytest.raises(Killed):
        BY_NAME["replace, one holder"].act(past)
    late = world.sent[-1]
    world.later(QUIET.total_seconds() + 1)
    (settled,) = settle(world)
    assert "stopped while its last SWAP was sent: that may still arrive" in settled.detail
    world.sql(late)
    world.later(GRACE.total_seconds())
    (settled,) = settle(world)
    assert settled.outcome is not None
    assert not world.ports.restores.unfinished().sound


def test_ctrl_c_while_a_swap_is_under_way_leaves_it_to_the_next_command(tmp_path: Path) -> None:
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    world = past.world

    def stop() -> None:
        raise KeyboardInterrupt

    world.before("SWAP WITH", stop)
    with pytest.raises(KeyboardInterrupt):
        BY_NAME["replace, one holder"].act(past)
    assert any("its last SWAP may still arrive" in line for line in world.warnings)
    assert world.ports.restores.unfinished().sound


# --- not shown --------------------------------------------------------------------------------------------------------


def test_what_a_user_is_not_shown_is_not_taken_for_gone(tmp_path: Path) -> None:
    """Another team's backup closed the journal, and nobody gave the table back any more."""
    past = killed_in_the_second_job(tmp_path)
    past.world.range_table("d2.u")
    past.world.sql("CREATE USER team")
    for grant in TEAM:
        past.world.sql(f"GRANT {grant} TO USER team")
    (settled,) = settle(past.world, "team")
    assert settled.outcome is None
    assert "cannot be taken back yet" in settled.detail
    assert "Access denied" in settled.detail
    (settled,) = settle(past.world)
    assert "is the table that it was before" in settled.detail
    assert past.world.rows("d1.t") == past.lived["d1.t"]


def test_an_old_table_that_somebody_renamed_is_missed_aloud(tmp_path: Path) -> None:
    past = killed_in_the_second_job(tmp_path)
    (aside,) = (name for name in past.world.tables("d1") if "__before_" in name)
    past.world.sql(f"ALTER TABLE d1.{aside} RENAME elsewhere")
    (settled,) = settle(past.world)
    assert "bears no name that it knows: it was dropped, or somebody renamed it" in settled.detail


def test_a_database_in_which_somebody_made_a_view_is_not_dropped(tmp_path: Path) -> None:
    """An account without privileges on views is not shown them."""
    mode = BY_NAME["another database"]
    past = mode.prepare(tmp_path)
    world = past.world

    def beside() -> None:
        world.sql("CREATE VIEW drill.v AS SELECT id FROM d1.t")
        refuse(1064, "the table is not in a normal state")()

    world.before("^ALTER TABLE drill.* RENAME", beside)
    with pytest.raises(Refused):
        mode.act(past)
    assert world.tables("drill") == {"v"}
