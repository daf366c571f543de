"""A restore whose journal cannot be read holds its own tables until somebody has looked, and stops nothing else."""

from __future__ import annotations

import pytest

from starrocks_br.domain.errors import Busy, Refused, UnknownRestore
from starrocks_br.domain.names import RestoreId
from starrocks_br.services import backup, resume, undo
from starrocks_br.services.requests import RestoreRequest
from tests.support.world import Killed, World, kill, refuse

WRONG = "UPDATE ops.restore_history SET detail_json = 'gnawed' WHERE restore_id = '{}' AND step = 1"
LONG_SILENCE = 400


def damage(world: World) -> RestoreId:
    """A row of the newest restore is overwritten; its id."""
    restore = world.sql("SELECT DISTINCT restore_id FROM ops.restore_history ORDER BY restore_id DESC LIMIT 1")[0][0]
    world.sql(WRONG.format(restore))
    return RestoreId(str(restore))


@pytest.fixture
def killed(lost: World) -> World:
    """A restore of d1.t died long ago, its table under a hidden name."""
    lost.before("^ALTER TABLE .* RENAME", kill)
    with pytest.raises(Killed):
        lost.restore("d1.t")
    lost.ports = lost.reconnect()
    lost.later(LONG_SILENCE)
    return lost


@pytest.fixture
def damaged(killed: World) -> tuple[World, RestoreId]:
    """And what it wrote down cannot be read any more."""
    return killed, damage(killed)


def test_a_backup_leaves_its_table_out_and_says_which_row_is_wrong(damaged: tuple[World, RestoreId]) -> None:
    world, restore = damaged
    world.range_table("d1.t")
    report = backup.run(world.ports, world.request())
    assert report.problems.keys() == {"d1.t"}
    assert f"row ({restore}, 1), field detail_json: " in report.problems["d1.t"]
    assert f"DELETE FROM ops.restore_history WHERE restore_id = '{restore}'" in report.problems["d1.t"]
    assert report.problems["d1.t"] in world.warnings
    assert [str(one.table) for outcome in report.databases for one in outcome.tables] == ["d1.other"]


def test_a_dry_run_leaves_it_out_as_well(damaged: tuple[World, RestoreId]) -> None:
    world, restore = damaged
    world.range_table("d1.t")
    planned = backup.plan(world.ports, world.request())
    assert [str(part.table) for work in planned.databases for part in work.tables] == ["d1.other"]
    assert any(str(restore) in line for line in world.warnings)


def test_other_tables_are_restored_and_its_own_is_not(damaged: tuple[World, RestoreId]) -> None:
    world, restore = damaged
    assert world.restore("d1.other", into="d1.again").rows == 2
    with pytest.raises(Busy, match=r"a restore of d1\.t is not over") as refusal:
        world.restore("d1.t")
    assert str(restore) in refusal.value.why


def test_once_its_rows_are_deleted_everything_goes_on(damaged: tuple[World, RestoreId]) -> None:
    world, restore = damaged
    world.sql(f"DELETE FROM ops.restore_history WHERE restore_id = '{restore}'")
    assert world.restore("d1.t").rows == 3


def test_it_can_be_neither_undone_nor_gone_on_with(damaged: tuple[World, RestoreId]) -> None:
    world, restore = damaged
    with pytest.raises(UnknownRestore, match="cannot be gone on with") as refusal:
        undo.undo(world.ports, world.place, restore)
    assert "field detail_json" in refusal.value.why
    with pytest.raises(UnknownRestore, match="cannot be gone on with"):
        resume.resume(world.ports, RestoreRequest(place=world.place, wanted=()), restore)


def test_another_restore_of_its_table_is_not_undone_beside_it(twice: World) -> None:
    first = twice.restore("d1.t", replace=True).restore
    twice.before("^ALTER TABLE .* RENAME", kill)
    with pytest.raises(Killed):
        twice.restore("d1.t", replace=True)
    twice.ports = twice.reconnect()
    twice.later(LONG_SILENCE)
    damage(twice)
    with pytest.raises(Busy, match=r"another restore of d1\.t is not over"):
        undo.undo(twice.ports, twice.place, first)


def test_a_restore_whose_own_journal_is_damaged_under_it_says_so_and_undoes_nothing(two: World) -> None:
    def gnaw() -> None:
        damage(two)
        refuse(1064, "the table is not in a normal state")()

    two.before("^ALTER TABLE .* RENAME", gnaw)
    with pytest.raises(Refused, match="ALTER TABLE was refused") as refusal:
        two.restore("d1.t")
    assert "field detail_json" in refusal.value.hint
    (hidden,) = two.tables("d1")
    assert hidden.startswith("__br_")
