"""What a killed or failing restore left behind is taken back by the next command; what is not ours is left alone."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import OutcomeUnknown, Refused
from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import Claim
from starrocks_br.domain.names import ClusterId
from starrocks_br.domain.status import Status
from starrocks_br.services import backup
from starrocks_br.services.journals import give_up
from starrocks_br.services.reconcile import reconcile
from starrocks_simulator.faults import Hold
from tests.support.world import Killed, World, cut, kill, refuse

RESTORE = "RESTORE SNAPSHOT"
LONG_SILENCE = 400
"""Seconds after which nobody takes a silent restore for a living one."""


def kill_restore(world: World) -> None:
    """The process dies in a restore where a fault was planted; another one comes, once the first counts as dead."""
    with pytest.raises(Killed):
        world.restore("d1.t")
    world.ports = world.reconnect()
    world.later(LONG_SILENCE)


def settle(world: World) -> list[Settled]:
    """What the next command does first."""
    return reconcile(world.ports, world.place, world.ports.cluster.server()).settled


def closed(world: World) -> bool:
    """Whether no journal is open."""
    return world.ports.restores.unfinished().sound == ()


@pytest.mark.parametrize("nth", range(1, 11))
def test_killed_before_any_line_of_the_journal_the_next_backup_takes_it_back(two: World, nth: int) -> None:
    two.before("UPDATE ops.restore_history", kill, nth=nth)
    kill_restore(two)
    assert backup.run(two.ports, two.request()).settled
    assert closed(two)
    assert "t" not in two.tables("d1")
    assert two.restore("d1.t").rows == 3


def killed_in_the_middle_of_a_replacement(two: World) -> list[tuple[object, ...]]:
    """A long time ago; the rows of the table that lived."""
    two.range_table("d1.t")
    old = two.rows("d1.t")
    two.before("UPDATE ops.restore_history", kill, nth=9)
    with pytest.raises(Killed):
        two.restore("d1.t", replace=True)
    two.ports = two.reconnect()
    two.later(LONG_SILENCE)
    return old


def test_what_may_not_be_taken_back_yet_is_said_and_blocks_no_other_table(two: World) -> None:
    two.range_table("d1.other")
    old = killed_in_the_middle_of_a_replacement(two)
    allow = two.always("^(ALTER TABLE|DROP TABLE)", refuse(5203, "Access denied; you need the ALTER privilege(s)"))
    report = backup.run(two.ports, two.request("d1.*"))
    (settled,) = report.settled
    assert settled.outcome is None
    assert "cannot be taken back yet" in settled.detail
    assert [str(one.table) for one in report.databases[0].tables] == ["d1.other"]
    assert not closed(two)
    allow()
    (settled,) = settle(two)
    assert settled.outcome is Status.FAILED
    assert two.rows("d1.t") == old
    assert closed(two)


def test_what_cannot_be_taken_back_yet_is_said_and_tried_again_by_the_next_command(two: World) -> None:
    old = killed_in_the_middle_of_a_replacement(two)
    two.before("^(ALTER TABLE|DROP TABLE)", refuse(1064, "the table is not in a normal state"))
    (settled,) = settle(two)
    assert settled.outcome is None
    assert "cannot be taken back yet: ALTER TABLE was refused: the table is not in a normal state" in settled.detail
    (settled,) = settle(two)
    assert settled.outcome is Status.FAILED
    assert two.rows("d1.t") == old


TAKEN_OVER = "^UPDATE ops.restore_history SET message"


def test_who_wakes_up_as_he_is_taken_over_is_left_alone(two: World) -> None:
    """What was read of him does not hold any more: he may be sending that very step."""
    old = killed_in_the_middle_of_a_replacement(two)
    (step,) = two.sql("SELECT min(step) FROM ops.restore_history WHERE status = 'PLANNED'")[0]
    goes_on = f"UPDATE ops.restore_history SET status = 'SENT', updated_at = now() WHERE step = {step}"
    two.before(TAKEN_OVER, lambda: two.sql(goes_on))
    (settled,) = settle(two)
    assert settled.outcome is None
    assert "is in somebody's hands" in settled.detail
    assert not closed(two)
    two.later(LONG_SILENCE)
    assert settle(two)[0].outcome is Status.FAILED
    assert two.rows("d1.t") == old


def test_who_is_taken_over_while_he_gives_up_leaves_that_to_the_other(two: World) -> None:
    two.before("^ALTER TABLE .* RENAME", refuse(1064, "the table is not in a normal state"))
    two.before(
        TAKEN_OVER, lambda: two.sql("UPDATE ops.restore_history SET message = 'closed by x' WHERE status <> 'DONE'")
    )
    with pytest.raises(Refused) as refusal:
        two.restore("d1.t")
    assert "its journal was written to a moment ago" in refusal.value.hint


def test_who_was_taken_over_before_he_fails_undoes_nothing(two: World) -> None:
    def taken_over() -> None:
        two.sql("UPDATE ops.restore_history SET message = 'closed by x' WHERE status <> 'DONE'")
        refuse(1064, "the table is not in a normal state")()

    two.before("^ALTER TABLE .* RENAME", taken_over)
    with pytest.raises(Refused) as refusal:
        two.restore("d1.t")
    assert "another command has taken it over" in refusal.value.hint
    assert len(two.tables("d1")) == 1


def test_killed_before_anything_was_sent_nothing_is_left(one: World) -> None:
    one.before(RESTORE, kill)
    kill_restore(one)
    (settled,) = settle(one)
    assert (settled.outcome, "left nothing behind" in settled.detail) == (Status.FAILED, True)
    assert closed(one)


def test_killed_while_the_job_runs_the_alias_is_dropped_once_it_has_ended(one: World) -> None:
    """Only the job in the slot shows that the alias is ours: its id was never written down."""
    hold = [True]
    one.frontend.faults.steps.append(lambda job: Hold() if hold and job.kind == "RESTORE" else None)
    one.after(RESTORE, kill)
    kill_restore(one)
    (running,) = settle(one)
    assert (running.outcome, "still runs" in running.detail) == (None, True)
    assert not closed(one)
    hold.clear()
    one.wait_for("RESTORE", "d1")
    (noticed,) = settle(one)
    assert noticed.outcome is None, "a living command would note the end of its job in a moment"
    one.later()
    (settled,) = settle(one)
    assert (settled.outcome, "was dropped" in settled.detail) == (Status.FAILED, True)
    assert (one.tables("d1"), closed(one)) == (set(), True)


def test_an_alias_that_cannot_be_shown_to_be_ours_stays(one: World) -> None:
    one.after(RESTORE, kill)
    kill_restore(one)
    one.wait_for("RESTORE", "d1")
    one.range_table("d1.x")
    one.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (x)")
    (settled,) = settle(one)
    assert "cannot be shown" in settled.detail
    assert len(one.tables("d1")) == 2
    assert closed(one)


def test_an_alias_that_somebody_made_anew_stays(one: World) -> None:
    one.before("RENAME t", kill)
    kill_restore(one)
    (alias,) = one.tables("d1")
    one.sql(f"DROP TABLE d1.{alias} FORCE")
    one.range_table(f"d1.{alias}")
    (settled,) = settle(one)
    assert "cannot be shown" in settled.detail
    assert one.tables("d1") == {alias}


def test_killed_after_the_rename_that_ends_it_the_restore_is_complete(one: World) -> None:
    one.after("RENAME t", kill)
    kill_restore(one)
    (settled,) = settle(one)
    assert (settled.outcome, "was complete" in settled.detail) == (Status.FINISHED, True)
    assert one.tables("d1") == {"t"}
    assert closed(one)
    assert len(backup.run(one.ports, one.request()).databases) == 1


def test_killed_before_the_rename_that_would_have_ended_it_the_alias_is_dropped(one: World) -> None:
    one.before("RENAME t", kill)
    kill_restore(one)
    settle(one)
    assert one.tables("d1") == set()


def test_an_incomplete_table_that_bears_the_name_is_hidden_again(two: World) -> None:
    two.after("RENAME t", kill)
    kill_restore(two)
    (settled,) = settle(two)
    assert "what it made is d1.__br_" in settled.detail
    (left,) = two.tables("d1")
    assert left.startswith("__br_")
    assert closed(two)
    assert two.restore("d1.t").rows == 3


def test_an_incomplete_table_that_cannot_be_renamed_is_said_so(two: World) -> None:
    two.after("RENAME t", kill)
    kill_restore(two)
    two.before("RENAME __br_", refuse(1064, "Table[t]'s state is not NORMAL"))
    (settled,) = settle(two)
    assert "cannot be taken back yet" in settled.detail
    assert "t" in two.tables("d1")
    (settled,) = settle(two)
    assert "what it made is d1.__br_" in settled.detail
    assert "t" not in two.tables("d1")


def test_a_stranger_under_the_targets_name_is_not_renamed(two: World) -> None:
    two.after("RENAME t", kill)
    kill_restore(two)
    two.sql("DROP TABLE d1.t FORCE")
    two.range_table("d1.t")
    (settled,) = settle(two)
    assert "left nothing behind" in settled.detail
    assert two.tables("d1") == {"t"}


def test_a_journal_of_another_cluster_is_closed_without_a_touch(one: World) -> None:
    one.before("RENAME t", kill)
    kill_restore(one)
    server = evolve(one.ports.cluster.server(), cluster=ClusterId("9"))
    assert reconcile(one.ports, one.place, server).settled == []
    assert closed(one)
    assert len(one.tables("d1")) == 1


def test_a_failing_restore_whose_job_still_runs_leaves_it_to_the_next_command(one: World) -> None:
    """Looking at the job is denied in the middle: it cannot be known here when it ends."""
    one.frontend.faults.steps.append(lambda job: Hold() if job.kind == "RESTORE" else None)
    words = "Access denied; you need (at least one of) the REPOSITORY privilege(s) on SYSTEM for this operation."
    one.before("SHOW RESTORE FROM", refuse(5203, words), nth=3)
    with pytest.raises(Exception, match="denied") as failure:
        one.restore("d1.t")
    assert "any other command takes it back" in str(getattr(failure.value, "hint", ""))
    assert not closed(one)


def test_a_failing_restore_that_cannot_clean_up_leaves_it_to_the_next_command(one: World) -> None:
    one.before("RENAME t", refuse(1064, "no"))
    one.before("DROP TABLE", cut)
    with pytest.raises(Refused) as failure:
        one.restore("d1.t")
    assert "the next command does" in failure.value.hint
    assert not closed(one)
    one.later(LONG_SILENCE)
    settle(one)
    assert (one.tables("d1"), closed(one)) == (set(), True)


def test_a_doubtful_step_leaves_the_journal_open(one: World) -> None:
    one.after("RENAME t", cut)
    with pytest.raises(OutcomeUnknown):
        one.restore("d1.t")
    one.later(LONG_SILENCE)
    (settled,) = settle(one)
    assert "was complete" in settled.detail


def test_giving_up_what_is_closed_already_does_nothing(one: World) -> None:
    report = one.restore("d1.t")
    assert give_up(one.ports, Claim(restore=report.restore, number=0), "") == ""


def test_only_the_failing_restore_is_given_up(one: World) -> None:
    one.before("RENAME t", kill)
    kill_restore(one)
    (other,) = one.ports.restores.unfinished().sound
    assert give_up(one.ports, Claim(restore=type(other.restore)("other"), number=0), "") == ""
    assert not closed(one)
