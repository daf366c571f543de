"""After a kill the same command works at the first try: its plan knows what the restore that was killed leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.domain.errors import TargetExists
from starrocks_br.domain.names import TableRef
from starrocks_br.services.standing import standing
from tests.support.modes import MODES, Mode
from tests.support.world import World
from tests.unit.services.test_undo import killed

BY_NAME = {mode.name: mode for mode in MODES}
OVERLAID = BY_NAME["replace, several holders"]
OTHER_NAME = BY_NAME["another name, own name free"]
OTHER_DATABASE = BY_NAME["another database"]


@pytest.mark.parametrize(
    ("mode", "pattern", "nth"),
    [
        (OVERLAID, "RENAME t__before", 1),
        (OVERLAID, "RENAME t$", 1),
        (BY_NAME["replace, one holder"], "SWAP WITH", 1),
        (OTHER_NAME, "RENAME t$", 1),
        (OTHER_NAME, "^RESTORE", 2),
        (OTHER_DATABASE, "CREATE DATABASE", 1),
        (OTHER_DATABASE, "^RESTORE", 1),
        (OTHER_DATABASE, "RENAME t$", 1),
    ],
    ids=lambda value: value.name if isinstance(value, Mode) else str(value),
)
def test_the_same_command_after_a_kill_works_at_once(mode: Mode, pattern: str, nth: int, tmp_path: Path) -> None:
    past = killed(mode, tmp_path, pattern, nth=nth)
    mode.act(past)
    ((goal, source),) = mode.goals.items()
    assert past.world.rows(goal) == past.wanted[source]
    assert not past.world.ports.restores.unfinished().sound


def test_what_was_complete_when_it_was_killed_is_in_the_way_at_once(tmp_path: Path) -> None:
    mode = BY_NAME["absent, one holder"]
    past = killed(mode, tmp_path, "RENAME t$")
    with pytest.raises(TargetExists):
        mode.act(past)


def test_without_a_kill_it_is_what_stands_there_now(world: World) -> None:
    world.ready("d1.t")
    world.sql("CREATE VIEW d1.v AS SELECT * FROM d1.t")
    names = [TableRef.parse(name) for name in ("d1.t", "d1.v", "d1.x", "d9.t")]
    found = standing(world.ports, world.ports.cluster.server(), names)
    assert found.objects == {"d1": {"t": "BASE TABLE", "v": "VIEW"}, "d9": None}
    assert list(found.ids) == names[:1]
