"""What is recorded, as people look at it."""

from __future__ import annotations

import pytest

from starrocks_br.domain.errors import NotInitialised, RequestError
from starrocks_br.domain.names import DatabaseName, Label, TableRef
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.domain.status import Status
from starrocks_br.services import history, undo
from tests.support.world import Killed, World, fail, kill, only_reads


@pytest.fixture
def three(world: World) -> World:
    """A full backup of two tables, an incremental one, and one that failed."""
    world.ready("d1.a", "d1.b").backup()
    world.sql("INSERT INTO d1.a VALUES (3, '2024-01-01', 3)")
    world.backup()
    world.sql("INSERT INTO d1.b VALUES (3, '2024-01-01', 3)")
    world.in_state("UPLOADING", fail("[COMMON_ERROR, msg: user cancelled]"))
    world.backup()
    return world


def test_the_newest_comes_first_and_what_can_be_restored_is_told(three: World) -> None:
    report = history.history(three.ports, three.place)
    times = [outline.snapshot.created_at for outline in report.outlines]
    assert times == sorted(times, reverse=True)
    assert [outline.snapshot.status for outline in report.outlines[:2]] == [Status.FAILED] * 2
    restorable = {
        (outline.label, outline.table) for outline in report.outlines if outline.snapshot.status is Status.FINISHED
    }
    assert report.points == restorable
    assert len(restorable) == 4
    assert not report.more


def test_a_limit_says_that_there_is_more(three: World) -> None:
    report = history.history(three.ports, three.place, limit=3)
    assert (len(report.outlines), report.more) == (3, True)


def test_only_one_tables(three: World) -> None:
    report = history.history(three.ports, three.place, table=TableRef.parse("d1.b"))
    assert {str(outline.table) for outline in report.outlines} == {"d1.b"}
    assert len(report.outlines) == 3


def test_only_one_databases(three: World) -> None:
    three.range_table("d2.t")
    three.backup("d2.*")
    report = history.history(three.ports, three.place, table=DatabaseName("d2"))
    assert {str(outline.table) for outline in report.outlines} == {"d2.t"}
    assert len(report.points) == 1
    assert len(history.history(three.ports, three.place, table=DatabaseName("d1")).outlines) == 6


def test_metadata_snapshots_are_shown_on_demand(three: World) -> None:
    shown = history.history(three.ports, three.place, everything=True)
    assert BackupType.METADATA in {outline.type for outline in shown.outlines}
    assert BackupType.METADATA not in {outline.type for outline in history.history(three.ports, three.place).outlines}


def test_show_tells_partitions_chain_and_what_the_repository_says(three: World) -> None:
    newest, oldest = three.points("d1.a")
    report = history.show(three.ports, three.place, newest.label)
    assert {str(table): len(labels) for table, labels in report.chains.items()} == {"d1.a": 2, "d1.b": 2}
    assert report.chains[TableRef.parse("d1.a")] == (oldest.label, newest.label)
    assert report.remote == ""
    (entry,) = history.show(three.ports, three.place, newest.label, TableRef.parse("d1.a")).entries
    assert list(entry.captured) == ["p1"]


def test_show_of_a_broken_chain_has_no_chain(three: World) -> None:
    newest, oldest = three.points("d1.a")
    three.sql(f"DELETE FROM ops.backup_history WHERE label = '{oldest.label}'")
    assert history.show(three.ports, three.place, newest.label).chains[TableRef.parse("d1.a")] == ()


def test_show_of_a_snapshot_that_the_repository_lost_says_so(three: World) -> None:
    label = three.points("d1.a")[0].label
    for folder in three.folder.rglob(f"__ss_{label}"):
        folder.rename(folder.with_name("gone"))
    assert history.show(three.ports, three.place, label).remote == "the repository does not list it"


def test_show_of_an_unchanged_snapshot_expects_nothing_in_the_repository(three: World) -> None:
    three.backup()
    label = three.backup().databases[0].label
    assert label is not None
    report = history.show(three.ports, three.place, label)
    assert (report.snapshot.status, report.remote) == (Status.UNCHANGED, "")


def test_show_of_a_metadata_snapshot_has_no_entries(three: World) -> None:
    metadata = three.backup().metadata
    assert metadata is not None
    assert metadata.label is not None
    assert history.show(three.ports, three.place, metadata.label).entries == ()


def test_show_of_a_label_that_nobody_recorded_says_so(three: World) -> None:
    with pytest.raises(RequestError, match="nothing is recorded"):
        history.show(three.ports, three.place, Label("d1_x"))


def test_looking_back_sends_only_reads(three: World) -> None:
    with three.counted() as sent:
        history.history(three.ports, three.place)
        history.show(three.ports, three.place, three.points("d1.a")[0].label)
    assert only_reads(sent)


def test_without_init_it_says_what_to_run(world: World) -> None:
    with pytest.raises(NotInitialised) as refusal:
        history.history(world.ports, world.place)
    assert "init" in refusal.value.hint


# --- restores ---------------------------------------------------------------------------------------------------------


def restores(world: World, table: TableRef | DatabaseName | None = None, limit: int | None = None) -> list[str]:
    """Each restore with what became of it, newest first."""
    report = history.restores(world.ports, world.place, table=table, limit=limit)
    return [f"{one.table} {one.state}{', replaced' if one.replaced else ''}" for one in report.restores]


def test_restores_are_listed_with_what_became_of_them(three: World) -> None:
    replaced = three.restore("d1.a", replace=True)
    undo.undo(three.ports, three.place, replaced.restore)
    three.restore("d1.a", into="d1.copy")
    three.before("RENAME", kill)
    with pytest.raises(Killed):
        three.restore("d1.b", into="d1.other")
    three.reconnect()
    assert restores(three) == ["d1.other OPEN", "d1.copy DONE", "d1.a UNDONE, replaced"]
    assert restores(three, limit=1) == ["d1.other OPEN"]
    assert history.restores(three.ports, three.place, limit=1).more
    assert restores(three, TableRef.parse("d1.copy"), limit=1) == ["d1.copy DONE"]
    assert (len(restores(three, DatabaseName("d1"))), restores(three, DatabaseName("d2"))) == (3, [])
    three.later(1200)
    undo.undo(three.ports, three.place, history.restores(three.ports, three.place).restores[0].restore)
    assert restores(three, limit=1) == ["d1.other GIVEN UP"]


def test_a_restore_that_cannot_be_read_is_told_among_them(three: World) -> None:
    three.restore("d1.a", into="d1.copy")
    three.sql("UPDATE ops.restore_history SET detail_json = 'broken' WHERE step = 0")
    report = history.restores(three.ports, three.place)
    assert report.restores == ()
    assert "cannot be read" in report.damages[0]
