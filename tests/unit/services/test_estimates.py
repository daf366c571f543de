"""How fast this cluster restores."""

from __future__ import annotations

import pytest

from starrocks_br.domain.names import ClusterId
from starrocks_br.services import estimates
from tests.support.world import TICK, World, refuse

HERE = ClusterId("1001")


def test_a_cluster_that_did_nothing_yet_foretells_nothing(world: World) -> None:
    assert estimates.pace(world.ready("d1.t").ports, HERE) is None


def test_before_the_first_restore_the_backups_tell_the_pace(world: World) -> None:
    """And another cluster's, which came with its history, do not."""
    world.ready("d1.t").backup()
    pace = estimates.pace(world.ports, HERE)
    assert pace is not None
    assert pace.base == pytest.approx(6 * TICK, abs=2 * TICK)
    assert estimates.pace(world.ports, ClusterId("7")) is None


def test_after_a_restore_its_jobs_tell_the_pace(world: World) -> None:
    """One statement is enough for it then."""
    world.ready("d1.t").backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.in_state("DOWNLOADING", lambda: world.later(100), kind="RESTORE")
    world.restore("d1.t")
    with world.counted() as sent:
        pace = estimates.pace(world.ports, HERE)
    assert len(sent) == 1
    assert pace is not None
    assert pace.base == pytest.approx(100 + 6 * TICK, abs=3 * TICK)


def test_a_pace_that_the_server_does_not_tell_costs_nobody_a_restore(world: World) -> None:
    world.ready("d1.t").backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.before("HAVING", refuse(1064, "no viable alternative"))
    assert world.restore("d1.t").rows == 2
    assert [text for text in world.warnings if "how long it will take cannot be told" in text]
