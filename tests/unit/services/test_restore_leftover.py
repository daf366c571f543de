"""What a killed restore left under the target's name does not stand in the way of the next one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from starrocks_br.domain.errors import TargetExists
from tests.support.world import Killed, World


def die() -> None:
    raise Killed


def killed_while_exposed(folder: Path) -> tuple[World, datetime, list[tuple[Any, ...]]]:
    """A world in which a restore from two snapshots died right after it gave the table its name."""
    world = World(folder).ready("d1.t")
    world.backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup()
    point, rows = world.newest("d1.t"), world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    world.after(r"^ALTER TABLE .* RENAME", die)
    with pytest.raises(Killed):
        world.restore("d1.t", point)
    assert "t" in world.tables("d1")
    world.ports = world.reconnect()
    return world, point, rows


def test_an_unfinished_table_under_the_targets_name_is_taken_back_and_restored_anew(tmp_path: Path) -> None:
    world, point, rows = killed_while_exposed(tmp_path)
    world.restore("d1.t", point)
    assert world.rows("d1.t") == rows


def test_a_strangers_table_that_took_the_name_meanwhile_stays_untouched(tmp_path: Path) -> None:
    world, point, _ = killed_while_exposed(tmp_path)
    world.sql("DROP TABLE d1.t FORCE")
    world.range_table("d1.t")
    rows = world.rows("d1.t")
    with pytest.raises(TargetExists):
        world.restore("d1.t", point)
    assert world.rows("d1.t") == rows
