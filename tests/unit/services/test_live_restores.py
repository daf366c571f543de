"""A restore that is at work is not taken for one that was killed; one that was stopped lets go of what it made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from starrocks_br.domain.errors import Busy
from starrocks_br.domain.journal import QUIET, QUIET_WHILE_READING
from starrocks_br.services import backup
from starrocks_br.services.reports import BackupReport
from tests.support.world import Killed, World, cut, kill

SHOWN = r"^ALTER TABLE .* RENAME"
READ = r"^SELECT COUNT.* FROM d1\."


def stop() -> None:
    raise KeyboardInterrupt


def beside(world: World, act: Callable[[World], object]) -> Callable[[], None]:
    """Let another process, on the same cluster, do something in between."""

    def acts() -> None:
        own, world.ports = world.ports, world.reconnect()
        try:
            act(world)
        finally:
            world.ports = own

    return acts


@pytest.mark.parametrize("moment", [SHOWN, READ, r"^UPDATE .*restore_history"])
def test_a_backup_between_the_steps_of_a_restore_leaves_its_table_alone(lost: World, moment: str) -> None:
    problems: list[dict[str, str]] = []
    lost.after(moment, beside(lost, lambda world: problems.append({**_run(world).problems})))
    lost.restore("d1.t")
    assert len(lost.rows("d1.t")) == 3
    assert lost.tables("d1") == {"t", "other"}
    assert all(why.startswith("a restore of d1.t may still be at work") for one in problems for why in one.values())
    assert problems
    assert not lost.ports.restores.unfinished().sound


def _run(world: World) -> BackupReport:
    return backup.run(world.ports, world.request())


def test_another_restore_of_the_table_is_busy_while_it_is_read(lost: World) -> None:
    asked = []

    def again(world: World) -> None:
        asked.append("d1.t")
        world.later(QUIET.total_seconds() * 2)
        with pytest.raises(Busy, match="is not over"):
            world.restore("d1.t")

    lost.after(READ, beside(lost, again))
    lost.restore("d1.t")
    assert asked
    assert lost.tables("d1") == {"t", "other"}


@pytest.mark.parametrize(("moment", "quiet"), [(SHOWN, QUIET), (READ, QUIET_WHILE_READING)])
def test_a_killed_restore_counts_as_dead_once_it_was_silent_for_long_enough(
    lost: World, moment: str, quiet: timedelta
) -> None:
    lost.after(moment, kill)
    with pytest.raises(Killed):
        lost.restore("d1.t")
    lost.ports = lost.reconnect()
    lost.later(quiet.total_seconds() - 2)
    assert "a restore of d1.t may still be at work" in _run(lost).problems["d1.t"]
    assert lost.ports.restores.unfinished().sound
    lost.later(2)
    assert not _run(lost).problems
    assert not lost.ports.restores.unfinished().sound


def test_ctrl_c_between_jobs_takes_back_what_was_made_at_once(lost: World) -> None:
    lost.after(SHOWN, stop)
    with pytest.raises(KeyboardInterrupt):
        lost.restore("d1.t")
    assert not lost.ports.restores.unfinished().sound
    assert "t" not in lost.tables("d1")


def test_ctrl_c_while_a_job_runs_leaves_it_to_the_next_command(lost: World) -> None:
    lost.after("^SHOW RESTORE", stop)
    with pytest.raises(KeyboardInterrupt):
        lost.restore("d1.t")
    assert lost.ports.restores.unfinished().sound
    lost.wait_for("RESTORE", "d1")
    lost.restore("d1.t")
    assert len(lost.rows("d1.t")) == 3


def test_ctrl_c_while_nothing_answers_says_that_the_next_command_takes_it_back(lost: World) -> None:
    def stop_and_cut() -> None:
        lost.door.answering = False
        lost.before(r"(?s)^SELECT .*restore_history", cut)
        stop()

    lost.after(SHOWN, stop_and_cut)
    with pytest.raises(KeyboardInterrupt):
        lost.restore("d1.t")
    assert any("stays until the next command" in warning for warning in lost.warnings)
    lost.door.answering = True
    assert lost.ports.restores.unfinished().sound
