"""DROP ROLLUP leaves no trace (O2§y4): the chain goes on, and the restore finds another way."""

from __future__ import annotations

import pytest

from starrocks_br.domain.errors import JobFailed, Refused
from starrocks_br.domain.snapshot import BackupType
from tests.support.world import World, refuse


@pytest.fixture
def dropped(world: World) -> World:
    """A rollup of d1.t was dropped between its two backups; then the table was."""
    world.ready("d1.t")
    world.sql("ALTER TABLE d1.t ADD ROLLUP r (id, v)")
    world.later()
    world.backup()
    world.sql("ALTER TABLE d1.t DROP ROLLUP r")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup()
    assert [one.type for one in world.points("d1.t")] == [BackupType.INCREMENTAL, BackupType.FULL]
    return world


def test_partitions_are_read_over_where_restore_does_not_add_them(dropped: World) -> None:
    wanted = dropped.rows("d1.t")
    dropped.sql("DROP TABLE d1.t FORCE")
    report = dropped.restore("d1.t")
    assert (dropped.rows("d1.t"), report.rows) == (wanted, 3)
    assert any("different schema" in warning and "trying again" in warning for warning in dropped.warnings)
    assert dropped.ports.restores.unfinished().sound == ()
    (left,) = dropped.tables("d1") - {"t"}
    assert any(f"what it made is d1.{left} now: DROP TABLE it" in note for note in report.notes)


def test_a_live_table_has_its_name_until_the_second_attempt_is_whole(dropped: World) -> None:
    at, wanted = dropped.newest("d1.t"), dropped.rows("d1.t")
    dropped.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 40)")
    report = dropped.restore("d1.t", at, replace=True)
    assert dropped.rows("d1.t") == wanted
    assert len(dropped.rows(str(report.aside))) == 4


def test_if_that_cannot_be_planned_the_first_refusal_is_told(dropped: World) -> None:
    dropped.sql("DROP TABLE d1.t FORCE")
    dropped.after("RENAME __br_", lambda: dropped.range_table("d1.t"))
    with pytest.raises(JobFailed, match="different schema"):
        dropped.restore("d1.t")
    assert len(dropped.rows("d1.t")) == 2


def test_if_that_fails_too_its_reason_is_told(dropped: World) -> None:
    dropped.sql("DROP TABLE d1.t FORCE")
    dropped.before("INSERT INTO d1.__br_", refuse(1064, "no backend"))
    with pytest.raises(Refused, match="no backend"):
        dropped.restore("d1.t")
    assert "t" not in dropped.tables("d1")
