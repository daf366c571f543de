"""A RESTORE that broke with its connection may be accepted long after: it harms nothing, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from starrocks_br.domain.errors import Busy, OutcomeUnknown
from starrocks_br.domain.journal import GRACE, QUIET
from starrocks_br.services import backup
from starrocks_br.services.reconcile import reconcile
from tests.support.world import TICK, Killed, World, cut, kill, refuse

RESTORE = "^RESTORE SNAPSHOT"
A_MINUTE_LATER = QUIET.total_seconds() + 1


def break_off(world: World, nth: int = 1, into: str = "") -> Callable[[], object]:
    """A restore breaks off as it sends a RESTORE; what is given back lets that arrive after all."""
    number = len(world.sent)
    world.before(RESTORE, cut, nth=nth)
    with pytest.raises(OutcomeUnknown, match="cannot be found"):
        world.restore("d1.t", into=into)
    late = [sql for sql in world.sent[number:] if sql.startswith("RESTORE")][nth - 1]
    world.later(A_MINUTE_LATER)
    return lambda: world.sql(late)


def settle(world: World) -> list[str]:
    """What the next command does first, in its words."""
    return [one.detail for one in reconcile(world.ports, world.place, world.ports.cluster.server()).settled]


def test_the_hidden_table_of_a_late_restore_is_dropped_by_the_next_command(lost: World) -> None:
    arrive = break_off(lost)
    assert ["it left nothing behind" in detail for detail in settle(lost)] == [True]
    arrive()
    lost.later(3 * TICK)
    (detail,) = settle(lost)
    assert "came late: the job is " in detail
    lost.wait_for("RESTORE", "d1")
    assert len(lost.tables("d1")) == 2
    (detail,) = settle(lost)
    assert "was dropped" in detail
    assert lost.tables("d1") == {"other"}
    assert settle(lost) == []


def test_a_late_table_that_may_not_be_dropped_is_said_and_stops_no_command(lost: World) -> None:
    arrive = break_off(lost)
    settle(lost)
    arrive()
    lost.wait_for("RESTORE", "d1")
    lost.before("^DROP TABLE", refuse(5203, "Access denied; you need the DROP privilege(s)"))
    (detail,) = settle(lost)
    assert "could not be dropped: " in detail
    (detail,) = settle(lost)
    assert "was dropped" in detail


def test_the_table_can_be_restored_again_before_a_late_restore_arrives(lost: World) -> None:
    arrive = break_off(lost)
    lost.restore("d1.t")
    arrive()
    lost.wait_for("RESTORE", "d1")
    assert len(lost.rows("d1.t")) == 3
    assert backup.run(lost.ports, lost.request()).complete
    assert lost.tables("d1") == {"t", "other"}


def test_a_hidden_table_that_cannot_be_shown_to_be_ours_stays(lost: World) -> None:
    """Somebody's job took the slot: nothing tells any more who made the table."""
    arrive = break_off(lost)
    settle(lost)
    arrive()
    lost.wait_for("RESTORE", "d1")
    (hidden,) = lost.tables("d1") - {"other"}
    label = lost.points("d1.other")[-1].snapshot
    lost.later()
    lost.sql(
        f"RESTORE SNAPSHOT d1.{label.label} FROM repo ON (other AS theirs) "
        f"PROPERTIES('backup_timestamp'='{label.backup_timestamp}', 'replication_num'='1')"
    )
    lost.wait_for("RESTORE", "d1")
    (detail,) = settle(lost)
    assert f"whether d1.{hidden} is its table cannot be shown" in detail
    assert hidden in lost.tables("d1")


def test_a_late_table_that_was_to_be_read_over_is_dropped_too(two: World) -> None:
    """Beside a live table of its name: each snapshot's part would have had a table of its own."""
    two.range_table("d1.t")
    arrive = break_off(two, nth=2, into="d1.copy")
    assert ["was dropped" in detail for detail in settle(two)] == [True]
    arrive()
    two.wait_for("RESTORE", "d1")
    (hidden,) = two.tables("d1") - {"t", "other"}
    (detail,) = settle(two)
    assert detail == f"its RESTORE came late: the unfinished table d1.{hidden} was dropped"
    assert settle(two) == []


def test_hidden_tables_of_one_restore_in_two_databases_do_not_hide_each_other(lost: World) -> None:
    arrive = break_off(lost)
    settle(lost)
    arrive()
    lost.wait_for("RESTORE", "d1")
    (hidden,) = lost.tables("d1") - {"other"}
    for database in ("d0", "d2"):
        lost.range_table(f"{database}.{hidden}")
    (detail,) = settle(lost)
    assert detail == f"its RESTORE came late: the unfinished table d1.{hidden} was dropped"
    assert lost.tables("d0") == lost.tables("d2") == {hidden}


def test_a_table_that_was_hidden_for_somebody_to_look_at_stays(lost: World) -> None:
    """It bore the target's name, and its id is known: it was no late one that made it."""
    lost.after("^ALTER TABLE .* RENAME", kill)
    with pytest.raises(Killed):
        lost.restore("d1.t")
    lost.ports = lost.reconnect()
    lost.later(GRACE.total_seconds())
    (detail,) = settle(lost)
    assert "what it made is d1.__br_" in detail
    assert settle(lost) == []
    assert len(lost.tables("d1")) == 2


def test_tables_that_only_look_like_ours_are_nobodys_business(lost: World) -> None:
    for name in ("__br_never_heard_of", "__br_", "__br_$"):
        lost.range_table(f"d1.`{name}`")
    assert settle(lost) == []
    assert len(lost.tables("d1")) == 4


def test_while_a_restore_over_the_tables_own_name_may_arrive_the_table_is_busy(lost: World) -> None:
    """It would put old partitions over whatever bears the name by then."""
    at = lost.newest("d1.t")
    arrive = break_off(lost, nth=2)
    with pytest.raises(Busy):
        lost.restore("d1.t", at)
    arrive()
    assert any("still runs" in detail for detail in settle(lost))
    lost.wait_for("RESTORE", "d1")
    lost.later()
    assert any("was given up" in detail for detail in settle(lost))
    assert lost.restore("d1.t", at).rows == 3


def test_what_did_not_arrive_in_time_never_will(lost: World) -> None:
    at = lost.newest("d1.t")
    break_off(lost, nth=2)
    (detail,) = settle(lost)
    assert "may still arrive" in detail
    lost.later(GRACE.total_seconds())
    assert lost.restore("d1.t", at).rows == 3


def test_ctrl_c_while_a_restore_over_the_tables_own_name_is_sent_leaves_it_to_the_next_command(lost: World) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    at = lost.newest("d1.t")
    lost.before(RESTORE, stop, nth=2)
    with pytest.raises(KeyboardInterrupt):
        lost.restore("d1.t", at)
    assert lost.ports.restores.unfinished().sound
    lost.later(GRACE.total_seconds())
    assert lost.restore("d1.t", at).rows == 3


RENAME = r"^ALTER TABLE d1\.t RENAME t__before_"


def renaming(world: World) -> Callable[[], object]:
    """A restore of two snapshots that replaces d1.t dies as it takes it out of the way; what lets that act, late."""
    world.before(RENAME, kill)
    with pytest.raises(Killed):
        world.restore("d1.t", replace=True)
    late = world.sent[-1]
    world.ports = world.reconnect()
    world.later(A_MINUTE_LATER)
    return lambda: world.sql(late)


def test_while_the_rename_of_the_live_table_may_arrive_it_is_waited_for(twice: World) -> None:
    """It would take the name from a table that was given back already, and nobody would look for it."""
    rows = twice.rows("d1.t")
    arrive = renaming(twice)
    (detail,) = settle(twice)
    assert "stopped while its last RENAME was sent: that may still arrive" in detail
    arrive()
    assert any("was given up" in detail for detail in settle(twice))
    assert twice.rows("d1.t") == rows
    assert twice.tables("d1") == {"t"}


def test_a_rename_that_did_not_arrive_in_time_never_will(twice: World) -> None:
    rows = twice.rows("d1.t")
    renaming(twice)
    twice.later(GRACE.total_seconds())
    assert any("was given up" in detail for detail in settle(twice))
    assert twice.rows("d1.t") == rows
    assert twice.tables("d1") == {"t"}
