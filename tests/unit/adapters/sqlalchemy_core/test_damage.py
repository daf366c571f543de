"""What the histories make of rows that are not as they were written, and of tables that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from attrs import evolve, frozen

from starrocks_br.adapters.sqlalchemy_core import tables
from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.adapters.step_documents import dumps_step
from starrocks_br.domain.errors import NotInitialised, OutcomeUnknown, Refused, Unrestorable
from starrocks_br.domain.journal import Mark
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, RestoreId, TableRef
from starrocks_br.domain.snapshot import Damage, Entry
from starrocks_br.domain.status import Event, Status
from starrocks_simulator.errors import refused
from starrocks_simulator.faults import ConnectionCut
from tests.contract.recorded import ITEMS, NOON, captured, entry, journal, leaf, snapshot
from tests.served import OPS, Served, served


@frozen
class Store:
    """Both histories on one cluster."""

    cluster: Served
    history: SqlAlchemyBackupHistory
    restores: SqlAlchemyRestoreHistory

    def run(self, sql: str) -> None:
        """A stray hand."""
        self.cluster.executor.execute(sql)

    def damages(self, *labels: str) -> tuple[Damage, ...]:
        """What is damaged of these labels."""
        return self.history.entries([Label(label) for label in labels]).damages

    def heard(self, start: str) -> list[str]:
        """Statements that reached the server and begin so."""
        return [sql for sql in self.cluster.heard if sql.startswith(start)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Both histories on an initialised cluster."""
    with served(tmp_path) as cluster:
        cluster.make_ops()
        yield Store(
            cluster,
            SqlAlchemyBackupHistory(cluster.connection, OPS),
            SqlAlchemyRestoreHistory(cluster.connection, OPS),
        )


_UPDATE = "UPDATE ops.backup_history SET {} WHERE label = 'l1' AND seq = 0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("backup_type = 'HALF'", "row (l1, 0), field backup_type: 'HALF' is none of FULL"),
        ("baseline_label = 'a b'", "row (l1, 0), field baseline_label: 'a b' is not a snapshot name"),
        ("captured_partitions = 3", "row (l1, 0), field partitions_json: it holds another number of partitions"),
        ("partitions_json = substr(partitions_json, 1, 80)", "row (l1, 0), field partitions_json: "),
    ],
)
def test_a_damaged_row_is_named_with_its_field_and_the_other_tables_stay_sound(
    store: Store, change: str, words: str
) -> None:
    """Nothing is restored from it, nothing else is lost with it."""
    sound = entry(snapshot("l1"), ITEMS)
    store.history.record([entry(snapshot("l1")), sound])
    store.run(_UPDATE.format(change))

    reading = store.history.entries([Label("l1")])

    assert reading.entries == (sound,)
    ((label, table, problem),) = [(one.label, one.table, one.problem) for one in reading.damages]
    assert (label, table) == ("l1", "db1.orders")
    assert problem.startswith(words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("status = 'DONE'", "row (l1, 0), field status: 'DONE' is none of PENDING"),
        ("cluster_id = 'a b'", "row (l1, 0), field cluster_id: 'a b' is not a cluster name"),
        ("row_count = 2", "row (l1, 0), field row_count: 1 of 2 rows are there"),
    ],
)
def test_damage_to_what_belongs_to_the_snapshot_concerns_its_whole_label(store: Store, change: str, words: str) -> None:
    """And no other label; outlines leave it out, too."""
    other = entry(snapshot("l2"))
    store.history.record([entry(snapshot("l1"))])
    store.history.record([other])
    store.run(_UPDATE.format(change))

    reading = store.history.entries([Label("l1"), Label("l2")])

    assert reading.entries == (other,)
    ((label, table, problem),) = [(one.label, one.table, one.problem) for one in reading.damages]
    assert (label, table) == ("l1", "")
    assert problem.startswith(words)
    assert store.history.outlines() == (other.outline(),)


def test_rows_of_a_label_that_contradict_each_other_are_damage(store: Store) -> None:
    """One label has one status; no row is more right than another."""
    store.history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    store.run("UPDATE ops.backup_history SET status = 'FINISHED' WHERE label = 'l1' AND seq = 1")

    assert store.damages("l1") == (
        Damage(label="l1", table="", problem="row (l1, 1), field status: it is not the same as in row (l1, 0)"),
    )


@pytest.mark.parametrize("lost", [0, 1])
def test_a_torn_label_is_damage_whichever_row_is_lost(store: Store, lost: int) -> None:
    """`row_count` says how many there must be."""
    store.history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    store.run(f"DELETE FROM ops.backup_history WHERE label = 'l1' AND seq = {lost}")

    assert store.damages("l1")[0].table == ""
    assert store.history.entries([Label("l1")]).entries == ()
    assert store.history.outlines() == ()


def test_a_limit_is_not_used_up_by_damaged_labels(store: Store) -> None:
    """Whoever asks for the newest sound one gets it."""
    sound = entry(snapshot("l1"))
    store.history.record([sound])
    store.history.record([entry(snapshot("l2", 1))])
    store.run("UPDATE ops.backup_history SET row_count = 7 WHERE label = 'l2'")

    assert store.history.outlines(limit=1) == (sound.outline(),)


def _wide(*names: str) -> Entry:
    """An entry whose every partition fills most of a row."""
    wide = captured(*names)
    for name, one in wide.items():
        wide[name] = evolve(one, partition=evolve(one.partition, values="x" * 700_000))
    return entry(snapshot("l1"), captured=wide)


def test_an_entry_that_needs_several_rows_is_read_back_whole_and_outlined_once(store: Store) -> None:
    """Its rows lie side by side, each below what a VARCHAR holds."""
    wide, small = _wide("p1", "p2", "p3"), entry(snapshot("l1"), ITEMS)

    store.history.record([wide, small])

    counts = store.cluster.executor.execute(
        "SELECT table_name, COUNT(*), MAX(LENGTH(partitions_json)), MAX(row_count), MAX(captured_partitions) "
        "FROM ops.backup_history GROUP BY table_name ORDER BY table_name DESC"
    ).rows
    assert [(row[0], row[1], row[3], row[4]) for row in counts] == [("orders", 3, 4, 3), (ITEMS.name, 1, 4, 2)]
    assert int(str(counts[0][2])) < 1_048_576
    assert store.history.entries([Label("l1")]).entries == (wide, small)
    assert store.history.outlines() == (wide.outline(), small.outline())


def test_a_partition_that_fits_into_no_row_is_refused_before_anything_is_written(store: Store) -> None:
    """It could never be read back."""
    wide = _wide("p1")
    huge = evolve(wide.captured[PartitionName("p1")].partition, values="x" * 1_048_577)
    too_wide = evolve(wide, captured={PartitionName("p1"): evolve(wide.captured[PartitionName("p1")], partition=huge)})

    with pytest.raises(Unrestorable, match="cannot be recorded"):
        store.history.record([too_wide])
    assert store.history.outlines() == ()


def test_an_intent_is_one_insert_and_a_conclusion_another(store: Store) -> None:
    """Each is one transaction of the server; no BEGIN, no DELETE unless rows were left over."""
    entries = [entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)]
    store.history.record(entries)
    store.history.conclude([evolve(one, snapshot=snapshot("l1", status=Status.FINISHED)) for one in entries])

    assert len(store.heard("INSERT INTO `ops`.`backup_history`")) == 2
    assert store.heard("DELETE") == []


def test_the_status_is_read_back_only_where_the_count_of_rows_leaves_a_doubt(store: Store) -> None:
    """Some servers count oddly; one that wrote rows has done what was asked."""
    store.history.record([entry(snapshot("l1"))])

    assert store.history.advance(Label("l1"), Event.SENT, {})
    assert store.heard("SELECT DISTINCT") == []
    assert store.history.advance(Label("l1"), Event.SENT, {})
    assert len(store.heard("SELECT DISTINCT")) == 1


def test_rows_that_a_shorter_conclusion_leaves_over_are_not_read_even_before_they_are_deleted(store: Store) -> None:
    """A kill between the two statements leaves the label as it was concluded."""
    store.history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    short = entry(snapshot("l1", status=Status.FINISHED))

    def cut(sql: str) -> None:
        if sql.startswith("DELETE"):
            raise ConnectionCut

    store.cluster.frontend.faults.before.append(cut)
    with pytest.raises(OutcomeUnknown):
        store.history.conclude([short])

    assert store.history.entries([Label("l1")]).entries == (short,)
    assert store.history.outlines() == (short.outline(),)
    assert store.history.outlines(statuses=[Status.PENDING]) == ()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes two rows in an INSERT."""
    monkeypatch.setattr(tables, "MAX_ROWS", 2)


def _many(status: Status, digest: str = "d", tables: int = 5) -> list[Entry]:
    names = [TableRef.parse(f"db1.t{number}") for number in range(tables)]
    return [entry(snapshot("l1", status=status), table, digest=digest) for table in names]


@pytest.mark.usefixtures("narrow")
def test_labels_of_more_rows_than_an_insert_takes_are_written_in_parts(store: Store) -> None:
    """And read in parts, too."""
    intent, end = _many(Status.PENDING), _many(Status.FINISHED, "e")
    store.history.record(intent)
    assert store.history.entries([Label("l1"), Label("l2"), Label("l3")]).entries == tuple(intent)

    store.history.conclude(end)

    assert store.history.entries([Label("l1")]).entries == tuple(end)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_conclusion_in_parts_that_is_cut_short_is_never_taken_for_finished(store: Store, parts: int) -> None:
    """It can be made again; until then the snapshot is open, and found open, though it grows meanwhile."""
    end = _many(Status.FINISHED, "e", 6)
    store.history.record(_many(Status.PENDING))
    store.history.advance(Label("l1"), Event.SENT, {})
    seen: list[str] = []

    def cut(sql: str) -> None:
        if sql.startswith(("INSERT", "UPDATE")):
            seen.append(sql)
            if len(seen) > parts:
                raise ConnectionCut

    store.cluster.frontend.faults.before.append(cut)
    with pytest.raises(OutcomeUnknown):
        store.history.conclude(end)
    store.cluster.frontend.faults.before.remove(cut)

    assert {one.snapshot.status for one in store.history.outlines()} == {Status.RUNNING}
    store.history.conclude(end)
    assert store.history.entries([Label("l1")]).entries == tuple(end)


@pytest.mark.usefixtures("narrow")
def test_an_intent_in_parts_that_is_cut_short_shows_itself_torn(store: Store) -> None:
    """Nothing was sent for it yet."""
    fault = iter([None, ConnectionCut()])

    def cut(sql: str) -> None:
        if sql.startswith("INSERT") and (error := next(fault)):
            raise error

    store.cluster.frontend.faults.before.append(cut)
    with pytest.raises(OutcomeUnknown):
        store.history.record(_many(Status.PENDING))

    assert "2 of 5 rows are there" in store.damages("l1")[0].problem


def test_messages_are_cut_to_their_column_and_never_inside_a_character(store: Store) -> None:
    """4,096 bytes of UTF-8."""
    store.history.record([entry(snapshot("l1", error="x" + "é" * 3000))])
    store.history.advance(Label("l1"), Event.REFUSED, {"error": "é" * 2048 + "x"})
    (failed,) = store.history.entries([Label("l1")]).entries
    assert failed.snapshot.error == "é" * 2048

    store.history.record([entry(snapshot("l2", error="x" + "é" * 3000))])
    (made,) = store.history.entries([Label("l2")]).entries
    assert made.snapshot.error == "x" + "é" * 2047


def test_every_write_leaves_the_servers_own_time_and_our_version(store: Store) -> None:
    """`updated_at` is NOW() of the leader: what the next metadata snapshot goes by."""
    store.history.record([entry(snapshot("l1"))])
    store.run("UPDATE ops.backup_history SET updated_at = '2000-01-01 00:00:00' WHERE label = 'l1'")
    store.history.advance(Label("l1"), Event.SENT, {"submitted_at": NOON})

    ((fresh, tool),) = store.cluster.executor.execute(
        "SELECT updated_at > '2020-01-01', tool_version FROM ops.backup_history"
    ).rows
    assert fresh == 1
    assert tool


def test_a_time_without_a_zone_is_never_written(store: Store) -> None:
    """Nobody could say what it means."""
    with pytest.raises(Exception, match="has no time zone"):
        store.history.record([entry(snapshot("l1", created_at=NOON.replace(tzinfo=None)))])


def test_without_our_tables_the_histories_say_what_makes_them(tmp_path: Path) -> None:
    """Each server version has its own number and words for it."""
    with served(tmp_path) as cluster:
        history = SqlAlchemyBackupHistory(cluster.connection, DatabaseName("ops"))
        restores = SqlAlchemyRestoreHistory(cluster.connection, DatabaseName("ops"))
        with pytest.raises(NotInitialised) as caught:
            history.outlines()
        assert "init" in caught.value.hint
        with pytest.raises(NotInitialised):
            history.record([entry(snapshot("l1"))])
        cluster.executor.execute("CREATE DATABASE ops")
        with pytest.raises(NotInitialised):
            restores.unfinished()
        with pytest.raises(NotInitialised):
            history.record([entry(snapshot("l1"))])


def test_other_refusals_pass_as_they_are(store: Store) -> None:
    """A full disk is no missing table."""

    def refuse(sql: str) -> None:
        if sql.startswith("INSERT"):
            raise refused("because of too many versions, current/limit: 1001/1000.")

    store.cluster.frontend.faults.before.append(refuse)
    with pytest.raises(Refused) as caught:
        store.history.record([entry(snapshot("l1"))])
    assert caught.value.transient
    assert caught.value.what == "recording l1 was refused"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('detail_json = \'{"kind":"Rename"}\'', "row (a1, 1), field detail_json: "),
        ("status = 'HALF'", "row (a1, 1), field status: 'HALF' is none of PLANNED"),
        ("table_id = 7, step = 9", "row (a1, 9), field step: step 1 is missing"),
    ],
)
def test_a_damaged_journal_is_told_and_never_guessed_and_hides_no_other(store: Store, change: str, words: str) -> None:
    """What to undo is not known then."""
    store.restores.begin([journal("a1")])
    if "step = 9" in change:
        store.run("DELETE FROM ops.restore_history WHERE restore_id = 'a1' AND step = 1")
        words = "row (a1, 2), field step: step 1 is missing"
    else:
        store.run(f"UPDATE ops.restore_history SET {change} WHERE restore_id = 'a1' AND step = 1")

    store.restores.begin([journal("a2")])

    found = store.restores.unfinished()
    assert found.sound == (journal("a2"),)
    (damaged,) = found.damaged
    assert damaged.problem.startswith(words)
    assert damaged.tables == {journal("a1").target, journal("a1").alias}
    assert store.restores.journals([RestoreId("a1")]).damaged == (damaged,)


def _second_insert_fails(store: Store) -> None:
    """Where a kill may come, too."""
    seen = count(1)

    def refuse(sql: str) -> None:
        if sql.startswith("INSERT INTO") and next(seen) == 2:
            raise refused("too many versions")

    store.cluster.frontend.faults.before.append(refuse)


def test_a_restore_is_written_down_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are begun with it: a journal that ends early would be taken for one that is done."""
    monkeypatch.setattr(tables, "MAX_ROWS", 9)  # two of four steps, and a step of the third
    _second_insert_fails(store)
    with pytest.raises(Refused):
        store.restores.begin([journal("a1"), journal("a2"), journal("a3")])
    found = store.restores.unfinished()
    assert found.sound == (journal("a1"), journal("a2"))
    assert not found.damaged


def test_a_restore_of_which_only_the_first_steps_are_written_down_is_damaged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was too long for one statement."""
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    _second_insert_fails(store)
    with pytest.raises(Refused):
        store.restores.begin([journal("a1")])
    (damaged,) = store.restores.unfinished().damaged
    assert damaged.problem.endswith("the restore has 4 steps, and 3 are written down")
    store.restores.begin([journal("a1")])
    assert store.restores.unfinished().sound == (journal("a1"),)


def test_what_was_written_before_steps_told_how_many_there_are_is_read(store: Store) -> None:
    step = journal("a1").steps[0].step
    begun = journal("a1", step)
    store.restores.begin([begun])
    store.run(f"UPDATE ops.restore_history SET detail_json = '{dumps_step(step)}' WHERE restore_id = 'a1'")
    assert store.restores.unfinished().sound == (begun,)


def test_names_that_cannot_be_read_are_held_by_nobody(store: Store) -> None:
    """The other rows say them, too, if one is damaged; if all are, the message has none."""
    store.restores.begin([journal("a1")])
    store.run("UPDATE ops.restore_history SET table_name = '' WHERE restore_id = 'a1' AND step = 0")
    (damaged,) = store.restores.unfinished().damaged
    assert damaged.tables == {journal("a1").target, journal("a1").alias}
    store.run("UPDATE ops.restore_history SET database_name = '' WHERE restore_id = 'a1'")
    (damaged,) = store.restores.unfinished().damaged
    assert not damaged.tables
    assert "it holds what it worked on" in damaged.told


def test_what_a_step_said_is_kept_for_people(store: Store) -> None:
    """Cut to its column; a later mark without words leaves them."""
    begun = journal("a1")
    store.restores.begin([begun])
    store.restores.mark([Mark(restore=begun.restore, number=0, status=begun.steps[0].status, detail="é" * 3000)])
    store.restores.mark([Mark(restore=begun.restore, number=0, status=begun.steps[0].status)])
    store.restores.abandon(begun.restore, "killed")

    said = store.cluster.executor.execute("SELECT message, action FROM ops.restore_history ORDER BY step").rows
    assert said[0] == ("killed", "CreateDatabase")
    assert {message for message, _ in said} == {"killed"}


def test_an_outline_of_a_leaf_is_read_without_its_document(store: Store) -> None:
    """Outlines stay cheap and hold even where a document is damaged."""
    unchanged = leaf(snapshot("l1"), "l0")
    store.history.record([unchanged])
    store.run(_UPDATE.format("partitions_json = '{'"))

    assert store.history.outlines() == (unchanged.outline(),)
    assert store.heard("SELECT h.`label`")[-1].find("partitions_json") == -1
