"""After a restore under its own name the next backup of a table takes what changed since, not all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from starrocks_br.domain.anchor import Restored
from starrocks_br.domain.names import ALIAS_PREFIX, PartitionName, TableName, TableRef, table_name
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Outline
from starrocks_br.domain.status import Status
from starrocks_br.services import anchors, history
from tests.support.kinds import KINDS
from tests.support.modes import LIST_TABLE, Past, restore_all
from tests.support.world import World, refuse

Rows = list[tuple[Any, ...]]
ADD_PD = "ALTER TABLE d1.t ADD PARTITION pd VALUES IN ('d') DISTRIBUTED BY HASH(id) BUCKETS 2"


def bring_back(world: World, name: str = "d1.t", at: datetime | None = None, into: str = "") -> Restored:
    """Restore a table, and look at it right before it gets its name, and again if it was not complete by then.

    What the restore itself wrote down is forgotten: here that is done at a moment of our choosing.
    """
    target, known = TableRef.parse(into or name), anchors_of(world, name)
    before: list[Restored] = []
    planned = world.plan_restore(name, at, into=into)

    def look() -> None:
        (alias,) = (name for name in world.tables(target.database) if name.startswith(ALIAS_PREFIX))
        cluster = world.reconnect().cluster
        now, seen = cluster.now(), cluster.observe([TableRef(target.database, table_name(alias))])
        newest = seen.newest_job.get(target.database)
        (hidden,) = seen.tables.values()
        before.append(
            Restored(
                manifest=planned.manifest, table=target, hidden=hidden, shown=None, newest_job=newest, not_before=now
            )
        )

    world.before(rf"ALTER TABLE {target.database}\.__br_\w+ RENAME", look)
    world.restore(name, at, into=into)
    for written in anchors_of(world, name):
        if written not in known:
            world.sql(f"DELETE FROM ops.backup_history WHERE label = '{written.label}'")
    (restored,) = before
    return restored if len(planned.jobs) == 1 else evolve(restored, shown=shown(world, name))


def shown(world: World, name: str = "d1.t") -> Any:
    """What can be seen of a table."""
    table = TableRef.parse(name)
    return world.ports.cluster.observe([table]).tables[table]


def record(world: World, *restored: Restored) -> tuple[str, ...]:
    """Write down that they are back."""
    return anchors.record(world.ports, world.ports.cluster.server(), restored)


def anchors_of(world: World, name: str = "d1.t") -> list[Outline]:
    """What was written down of its restores, newest first."""
    found = world.ports.backups.outlines(table=TableRef.parse(name))
    return [outline for outline in found if outline.type is BackupType.RESTORED]


def newest_entry(world: World, name: str = "d1.t") -> Entry:
    """What the last backup captured of a table."""
    (newest, *_) = (
        outline
        for outline in world.ports.backups.outlines(table=TableRef.parse(name))
        if outline.type is not BackupType.RESTORED
    )
    return next(entry for entry in world.ports.backups.entries([newest.label]).entries if entry.table == newest.table)


def captured(world: World, name: str = "d1.t") -> tuple[str, set[str]]:
    """The type of a table's newest backup, and its partitions."""
    entry = newest_entry(world, name)
    return entry.type, {str(name) for name in entry.captured}


def check_points(world: World, wanted: dict[datetime, Rows], name: str = "d1.t") -> None:
    """Every point gives back the rows that the table had then."""
    assert {point.snapshot.snapshot_at for point in world.points(name)} == wanted.keys()
    for at, rows in wanted.items():
        world.sql(f"DROP TABLE {name} FORCE")
        world.restore(name, at)
        assert world.rows(name) == rows


def test_from_full_to_incremental_over_a_restore_every_point_comes_back(two: World) -> None:
    """The whole way: what is loaded after the restore is all that the next backup takes."""
    second, first = (point.snapshot.snapshot_at for point in two.points("d1.t"))
    assert first is not None
    assert second is not None
    assert record(two, bring_back(two)) == ()
    wanted: dict[datetime, Rows] = {second: two.rows("d1.t"), two.newest("d1.t"): two.rows("d1.t")}
    wanted[first] = [row for row in two.rows("d1.t") if row[0] != 3]
    two.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40)")
    two.backup()
    assert captured(two) == ("INCREMENTAL", {"p1"})
    assert newest_entry(two).baseline == anchors_of(two)[0].label
    wanted[two.newest("d1.t")] = two.rows("d1.t")
    two.sql("ALTER TABLE d1.t DROP PARTITION p1")
    two.backup()
    assert newest_entry(two).dropped == {"p1"}
    wanted[two.newest("d1.t")] = two.rows("d1.t")
    assert len(wanted) == 5
    check_points(two, wanted)


@pytest.mark.parametrize("name", [name for name in KINDS if "list" in name])
def test_list_partitions_whose_ids_nobody_noted_are_captured_again(tmp_path: Path, name: str) -> None:
    """Those that were made by hand; that every kind of table is known again, see test_every_kind_of_table.py."""
    kind = KINDS[name]
    world = World(tmp_path, backends=3).ready()
    world.sql("CREATE DATABASE d1")
    world.sql(f"CREATE TABLE d1.t {kind.create}")
    for night in kind.nights[:2]:
        for statement in night:
            world.sql(statement.format(t="d1.t", d="d1"))
        world.backup()
    later = set(newest_entry(world).captured)
    rows = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    restored = bring_back(world)
    assert record(world, restored) == ()
    by_hand = set() if restored.manifest.partitioning is not Partitioning.LIST or restored.shown is None else later
    (anchor,) = anchors_of(world)
    assert anchor.consistency is (Consistency.FUZZY if by_hand else Consistency.EXACT)
    world.backup()
    assert captured(world) == ("INCREMENTAL", by_hand)
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert world.rows("d1.t") == rows


def test_an_older_point_that_was_brought_back_is_what_the_next_backup_rests_on(two: World) -> None:
    """Not the newer point of the table that is gone."""
    oldest = two.points("d1.t")[-1].snapshot.snapshot_at
    assert record(two, bring_back(two, at=oldest)) == ()
    rows = two.rows("d1.t")
    two.backup()
    assert (captured(two), newest_entry(two).snapshot.status) == (("INCREMENTAL", set()), Status.UNCHANGED)
    two.sql("INSERT INTO d1.t VALUES (9, '2024-01-02', 90)")
    two.backup()
    assert captured(two) == ("INCREMENTAL", {"p2"})
    newest = two.newest("d1.t")
    two.sql("DROP TABLE d1.t FORCE")
    two.restore("d1.t", newest)
    assert two.rows("d1.t") == sorted([*rows, *two.sql("SELECT * FROM d1.t WHERE id = 9")], key=repr)


def test_a_restore_makes_no_chain_longer(two: World) -> None:
    """It has no snapshot of its own: two are two, and the third begins anew."""
    oldest = two.points("d1.t")[-1].snapshot.snapshot_at
    record(two, bring_back(two, at=oldest))
    two.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40)")
    two.backup(max_chain=2)
    assert captured(two) == ("INCREMENTAL", {"p1"})
    two.sql("INSERT INTO d1.t VALUES (5, '2024-01-01', 50)")
    two.backup(max_chain=2)
    assert captured(two) == ("FULL", {"p1", "p2"})


def test_a_point_that_changed_nothing_can_be_brought_back_and_built_on(two: World) -> None:
    """A leaf stays one: what rests on the restore rests on what the leaf was compared with."""
    record(two, bring_back(two))
    two.backup()
    leaf = newest_entry(two)
    assert leaf.leaf
    two.sql("DROP TABLE d1.t FORCE")
    record(two, bring_back(two, at=leaf.snapshot.snapshot_at))
    newest, older = anchors_of(two)
    assert newest.baseline == older.label
    two.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40)")
    two.backup()
    assert captured(two) == ("INCREMENTAL", {"p1"})


def test_what_is_loaded_before_the_restore_has_ended_is_captured(two: World) -> None:
    """The table could be seen already: the point is inexact, and nothing is lost."""
    restored = bring_back(two)
    two.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40), (5, '2024-01-02', 50)")
    assert record(two, evolve(restored, shown=shown(two))) == ()
    assert anchors_of(two)[0].consistency is Consistency.FUZZY
    rows = two.rows("d1.t")
    two.backup()
    assert captured(two) == ("INCREMENTAL", {"p1", "p2"})
    two.sql("DROP TABLE d1.t FORCE")
    two.restore("d1.t")
    assert two.rows("d1.t") == rows


# --- when it was ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looked_again", [0, 120])
def test_the_point_is_as_old_as_the_last_look(two: World, looked_again: int) -> None:
    """What is loaded after it is not in the point, however long the command goes on with other tables."""
    restored = bring_back(two)
    last = restored.not_before + timedelta(seconds=looked_again)
    two.later(600)
    record(two, evolve(restored, shown_at=last) if looked_again else restored)
    assert two.newest("d1.t") == last + timedelta(seconds=1)


def test_tables_that_were_seen_at_different_times_are_different_points(world: World) -> None:
    """One database, two looks: the later one is no moment of the table that was seen first."""
    world.ready("d1.t", "d1.u").backup()
    restored = []
    for name in ("d1.t", "d1.u"):
        world.sql(f"DROP TABLE {name} FORCE")
        restored.append(bring_back(world, name))
    assert record(world, *restored) == ()
    points = [world.newest(name) - timedelta(seconds=1) for name in ("d1.t", "d1.u")]
    assert points == [one.not_before for one in restored]


@pytest.mark.parametrize("gone", [False, True])
def test_a_load_while_the_command_goes_on_with_another_database_is_after_the_point(world: World, gone: bool) -> None:
    """Whether the table was hidden until it was complete, or came back in sight of everybody."""
    world.ready("d1.t", "d2.t").backup("d1.*", "d2.*")
    if gone:
        world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
        world.backup("d1.*", "d2.*")
    loaded: list[datetime] = []

    def load() -> None:
        world.later(2)
        world.sql("INSERT INTO d1.t VALUES (9, '2024-01-01', 90)")
        loaded.append(world.sql("SELECT NOW()")[0][0].replace(tzinfo=UTC))

    world.before("^RESTORE SNAPSHOT d2", load)
    wanted = {name: world.rows(name) for name in ("d1.t", "d2.t")}
    for name in wanted if gone else ():
        world.sql(f"DROP TABLE {name} FORCE")
    restore_all(Past(world, world.points("d1.t")[0].label, wanted), at_once=1, replace=not gone)
    assert world.points("d1.t")[0].type is BackupType.RESTORED
    assert world.newest("d1.t") < loaded[0]


# --- LIST partitions that were made by hand ---------------------------------------------------------------------------


@pytest.fixture
def listed(world: World) -> World:
    """d1.t, of which the second snapshot holds pd."""
    world.ready().sql("CREATE DATABASE d1")
    world.sql(LIST_TABLE.format(name="d1.t"))
    world.sql("INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)")
    world.backup()
    world.sql(ADD_PD)
    world.sql("INSERT INTO d1.t VALUES (3, 'd', 3)")
    world.backup()
    return world


def again(world: World) -> Rows:
    """It is lost, restored, backed up, lost, and restored: its rows when it was backed up."""
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    rows = world.rows("d1.t")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert world.rows("d1.t") == rows
    return rows


def test_what_restore_filled_is_known_again(listed: World) -> None:
    wanted = listed.rows("d1.t")
    assert again(listed) == wanted
    assert anchors_of(listed)[-1].consistency is Consistency.EXACT
    assert listed.times_sent("^BACKUP SNAPSHOT d1") == 2, "nothing had changed: no third one"


@pytest.mark.parametrize("seconds", [0, 2])
@pytest.mark.parametrize(
    "meanwhile",
    [
        "INSERT OVERWRITE d1.t PARTITION (pd) VALUES (5, 'd', 5)",
        f"ALTER TABLE d1.t DROP PARTITION pd FORCE; {ADD_PD}; INSERT INTO d1.t VALUES (6, 'd', 6)",
    ],
)
def test_what_takes_its_place_before_the_last_look_is_captured(listed: World, meanwhile: str, seconds: int) -> None:
    """Version 2, as in the snapshot, perhaps in the same second: the ids are others."""

    def replace() -> None:
        assert listed.wait_for("RESTORE", "d1") == "FINISHED"
        listed.later(seconds)
        listed.sql(meanwhile)

    listed.before("partitions_meta WHERE", replace, nth=4)
    assert again(listed)[-1][0] in {5, 6}
    assert captured(listed) == ("INCREMENTAL", {"pd"})


# --- schema changes ---------------------------------------------------------------------------------------------------


def test_schema_changes_of_the_table_that_bore_the_name_before_are_no_news(world: World) -> None:
    """They are still listed, by name."""
    world.ready("d1.t")
    world.sql("ALTER TABLE d1.t ADD COLUMN w INT NULL")
    world.later()
    world.backup()
    world.sql("ALTER TABLE d1.t ADD COLUMN x INT NULL")
    world.later()
    world.sql("DROP TABLE d1.t FORCE")
    assert record(world, bring_back(world)) == ()
    world.backup()
    assert captured(world) == ("INCREMENTAL", set())


def test_a_schema_change_after_the_restore_is(two: World) -> None:
    """Dropped and made again, a column leaves no other trace."""
    assert record(two, bring_back(two)) == ()
    two.sql("ALTER TABLE d1.t DROP COLUMN v")
    two.later()
    two.sql("ALTER TABLE d1.t ADD COLUMN v INT NULL")
    two.later()
    two.backup()
    assert captured(two) == ("FULL", {"p1", "p2"})


# --- what is not written down -----------------------------------------------------------------------------------------


def test_a_table_of_another_name_has_no_history(world: World) -> None:
    """Not under another name, not in another database."""
    world.ready("d1.t").backup()
    world.sql("CREATE DATABASE d2")
    for into in ("d1.u", "d2.t"):
        assert record(world, bring_back(world, into=into)) == ()
    assert anchors_of(world) == anchors_of(world, "d1.u") == anchors_of(world, "d2.t") == []


def test_another_schema_is_a_note_and_no_baseline(two: World) -> None:
    """As when another version of the server describes it otherwise."""
    restored = bring_back(two)
    other = evolve(restored, hidden=evolve(restored.hidden, fingerprint="g"))
    assert record(two, other) == (
        "the next backup takes d1.t whole: its schema is not quite the one that was recorded",
    )
    assert anchors_of(two) == []
    two.backup()
    assert captured(two) == ("FULL", {"p1", "p2"})


@pytest.mark.parametrize("statement", ["INSERT INTO ops.backup_history", "(?s)SELECT .*FROM ops.backup_history", "NOW"])
def test_what_cannot_be_written_down_is_a_note(two: World, statement: str) -> None:
    """The table is back: that counts."""
    restored = bring_back(two)
    server = two.ports.cluster.server()
    two.before(statement, refuse(5064, "no such luck"))
    (note,) = anchors.record(two.ports, server, [restored])
    assert note.startswith("the next backup takes d1.t whole: ")
    assert "no such luck" in note
    two.backup()
    assert captured(two) == ("FULL", {"p1", "p2"})


def test_a_table_that_was_backed_up_since_is_left_as_it_is(two: World) -> None:
    """That backup may hold a load which a later point would deny."""
    restored = bring_back(two)
    two.backup()
    assert captured(two)[0] == "FULL"
    assert record(two, restored) == ()
    assert anchors_of(two) == []


# --- how it is written down -------------------------------------------------------------------------------------------


def test_many_tables_are_written_down_at_once(world: World) -> None:
    """One label and one write for each database; what one of them cannot be told is not the others' fault."""
    names = ("d1.t", "d1.u", "d2.t")
    world.ready(*names).backup("d1.*", "d2.*")
    for name in names:
        world.sql(f"DROP TABLE {name} FORCE")
    restored = [bring_back(world, name) for name in names]
    restored = [evolve(one, not_before=restored[0].not_before) for one in restored]
    server = world.ports.cluster.server()
    world.before(r"INSERT INTO ops\.backup_history", refuse(5064, "no such luck"), nth=2)
    with world.counted() as sent:
        notes = anchors.record(world.ports, server, restored)
    assert len(sent) == 4
    assert [note.partition(":")[0] for note in notes] == ["the next backup takes d2.t whole"]
    (one,), (other,) = anchors_of(world, "d1.t"), anchors_of(world, "d1.u")
    assert one.snapshot == other.snapshot
    assert one.snapshot.label.startswith("br_restored_d1_")
    assert (one.snapshot.not_before, one.snapshot.status) == (restored[0].not_before, Status.FINISHED)
    assert one.snapshot.created_at == one.snapshot.not_before
    world.backup("d1.*", "d2.*")
    assert [captured(world, name)[0] for name in names] == ["INCREMENTAL", "INCREMENTAL", "FULL"]


def test_nothing_restored_is_nothing_to_do(world: World) -> None:
    """Not even a look."""
    world.ready()
    server = world.ports.cluster.server()
    with world.counted() as sent:
        assert anchors.record(world.ports, server, []) == ()
    assert sent == []


def test_people_see_that_it_holds_nothing_of_its_own(two: World) -> None:
    """A point like any other, with a chain."""
    record(two, bring_back(two))
    (anchor,) = anchors_of(two)
    report = history.show(two.ports, two.place, anchor.label)
    assert (report.remote, report.damages) == ("", ())
    assert len(report.chains[TableRef.parse("d1.t")]) == 3
    listed = history.history(two.ports, two.place)
    assert (anchor.label, anchor.table) in listed.points
    assert {str(label) for label, _ in listed.points} == set(two.statuses())


def test_after_a_cold_start_the_next_backup_is_incremental_too(two: World, tmp_path: Path) -> None:
    """On another cluster, whose clock is behind: what was restored there is newer than all that was before."""
    first = two.points("d1.t")
    other = World(tmp_path, cluster_id=2002)
    other.bootstrap()
    assert record(other, bring_back(other)) == ()
    rows = other.rows("d1.t")
    newest = other.points("d1.t")[0]
    assert newest.type is BackupType.RESTORED
    assert [point.label for point in other.points("d1.t")[1:]] == [point.label for point in first]
    other.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40)")
    other.backup()
    assert captured(other) == ("INCREMENTAL", {"p1"})
    loaded = other.rows("d1.t")
    wanted = {other.newest("d1.t"): loaded, newest.snapshot.snapshot_at: rows, first[0].snapshot.snapshot_at: rows}
    for at, there in wanted.items():
        other.sql("DROP TABLE d1.t FORCE")
        other.restore("d1.t", at)
        assert other.rows("d1.t") == there


def test_a_history_with_a_restore_in_it_survives_the_cluster(two: World, tmp_path: Path) -> None:
    """The metadata snapshot of the next backup has it."""
    record(two, bring_back(two))
    two.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 40)")
    two.backup()
    rows = two.rows("d1.t")
    other = World(tmp_path, cluster_id=2002)
    report = other.bootstrap()
    assert report.damages == ()
    assert report.points[TableRef.parse("d1.t")] == len(two.points("d1.t")) == 4
    other.restore("d1.t")
    assert other.rows("d1.t") == rows


def test_the_names_of_an_unpartitioned_table_are_its_own(world: World) -> None:
    """Under the alias its one partition bears the alias."""
    world.ready()
    world.sql(
        "CREATE DATABASE d1; CREATE TABLE d1.t (id INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2 "
        "PROPERTIES('replication_num'='1'); INSERT INTO d1.t VALUES (1)"
    )
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    restored = bring_back(world)
    assert restored.hidden.table.name != TableName("t")
    record(world, restored)
    (anchor,) = world.ports.backups.entries([anchors_of(world)[0].label]).entries
    assert anchor.captured[PartitionName("t")].partition.identity
