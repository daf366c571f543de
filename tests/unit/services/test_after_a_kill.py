"""What a killed command leaves is settled by later ones: regressions that the sweep of kills found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from starrocks_br.domain.journal import GRACE
from starrocks_br.services import backup
from tests.support.world import Killed, World, kill


def test_a_label_that_was_never_sent_does_not_stay_running_because_the_slot_was_taken_in_the_same_second(
    world: World,
) -> None:
    world.ready("d1.t")
    world.after("SET status='RUNNING'", kill)
    with pytest.raises(Killed):
        backup.run(world.ports, world.request())
    world.ports = world.reconnect()
    backup.run(world.ports, world.request())
    assert sorted(world.statuses().values()) == ["FINISHED", "RUNNING"]
    world.later((GRACE + timedelta(seconds=1)).total_seconds())
    world.backup()
    assert sorted(world.statuses().values()) == ["FINISHED", "LOST", "UNCHANGED"]


def test_a_label_that_was_never_sent_does_not_stay_running_for_a_day_while_nobody_else_takes_the_slot(
    world: World,
) -> None:
    world.ready("d1.t")
    world.after("SET status='RUNNING'", kill)
    with pytest.raises(Killed):
        backup.run(world.ports, world.request())
    world.ports = world.reconnect()
    world.later((GRACE + timedelta(seconds=1)).total_seconds())
    world.backup("d2.*")
    assert list(world.statuses().values()) == ["LOST"]
