"""What every `BackupHistory` does, worded for a store that replaces what comes again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from starrocks_br.adapters.memory import MemoryBackupHistory
from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, PartitionName, RepositoryName, TableRef
from starrocks_br.domain.ports import BackupHistory
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Reading, Snapshot
from starrocks_br.domain.status import Event, Status, sources
from tests.contract.recorded import ITEMS, NOON, ORDERS, captured, entry, leaf, snapshot
from tests.served import OPS, served

RESTORED = TableRef.parse("old_ops.backup_history")


@frozen
class Stores:
    """A history under test, and another one that it knows as the table RESTORED."""

    history: BackupHistory
    restored: BackupHistory


@pytest.fixture(params=["memory", "sqlalchemy"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Every implementation that we ship."""
    if request.param == "memory":
        restored = MemoryBackupHistory()
        yield Stores(MemoryBackupHistory({RESTORED: restored}), restored)
        return
    with served(tmp_path) as cluster:
        cluster.make_ops()
        cluster.make_ops(RESTORED.database)
        yield Stores(
            SqlAlchemyBackupHistory(cluster.connection, OPS),
            SqlAlchemyBackupHistory(cluster.connection, RESTORED.database),
        )


@pytest.fixture
def history(stores: Stores) -> BackupHistory:
    """The history under test."""
    return stores.history


def _read(history: BackupHistory, *labels: str) -> tuple[Entry, ...]:
    reading = history.entries([Label(label) for label in labels])
    assert reading.damages == ()
    return reading.entries


def test_what_is_recorded_is_read_back_whole(history: BackupHistory) -> None:
    """Every field of every entry survives, times with their zone, names with their blanks and accents."""
    made = snapshot(
        "l1",
        submitted_at=NOON + timedelta(seconds=1),
        not_before=NOON + timedelta(seconds=2),
        snapshot_at=NOON + timedelta(seconds=3),
        finished_at=NOON + timedelta(seconds=4),
        backup_timestamp="2026-03-01-12-00-00-123",
        error_code="X",
        error="é\\'%s",
    )
    entries = (entry(made), leaf(made, "l0", ITEMS))

    history.record(entries)

    assert _read(history, "l1") == entries


def test_an_empty_table_and_a_metadata_snapshot_have_entries_without_partitions(history: BackupHistory) -> None:
    """Nothing captured is not the same as nothing recorded."""
    empty = entry(snapshot("l1"), captured={})
    own = entry(
        snapshot("br_meta_1_20260301T120000_a", database=DatabaseName("ops")),
        TableRef.parse("ops.backup_history"),
        type=BackupType.METADATA,
        captured={},
    )
    history.record([empty])
    history.record([own])

    assert _read(history, "l1", own.label) == (own, empty)


def test_what_was_restored_is_recorded_with_the_identities_that_are_not_known(history: BackupHistory) -> None:
    """An entry of many partitions that holds none: of one it says that nothing is known of it."""
    known = captured("p1", "p2")
    bare = known[PartitionName("p2")]
    unknown = Captured(partition=evolve(bare.partition, identity=frozenset()))
    made = snapshot("br_restored_db1_20260301T120000_a", status=Status.FINISHED, not_before=NOON, snapshot_at=NOON)
    restored = evolve(leaf(made, "l0"), type=BackupType.RESTORED, captured={**known, bare.partition.name: unknown})

    history.record([restored])

    assert _read(history, restored.label) == (restored,)
    assert history.outlines() == (restored.outline(),)
    assert (restored.outline().captured, restored.outline().size) == (2, 0)


def test_a_label_that_comes_again_replaces_what_was_there(history: BackupHistory) -> None:
    """As the server's primary key does."""
    history.record([entry(snapshot("l1"), ORDERS, "p1"), entry(snapshot("l1"), ITEMS)])
    again = [entry(snapshot("l1"), ORDERS, "p2"), entry(snapshot("l1"), ITEMS, "p3")]

    history.record(again)

    assert _read(history, "l1") == tuple(again)


def test_entries_of_several_labels_come_by_label_and_unknown_labels_are_left_out(history: BackupHistory) -> None:
    """Whoever asks for what is not there gets what is there."""
    second, first = entry(snapshot("l2")), entry(snapshot("l1", 5))
    history.record([second])
    history.record([first])

    assert _read(history, "l2", "nope", "l1", "l1") == (first, second)
    assert history.entries([]) == Reading(entries=())


def test_an_event_moves_exactly_the_states_that_the_status_table_says(history: BackupHistory) -> None:
    """The condition of the write and the status table are one thing."""
    for status in Status:
        for event in Event:
            label = Label(f"{status}-{event}")
            history.record([entry(snapshot(label, status=status))])

            moved = history.advance(label, event, {})

            after = _read(history, label)[0].snapshot.status
            assert after is (_leads_to(event) if status in sources(event) else status), label
            assert moved is (after is _leads_to(event)), label


def _leads_to(event: Event) -> Status:
    names = {Event.SENT: "RUNNING", Event.PROVEN: "FINISHED", Event.REFUSED: "FAILED", Event.LOST: "LOST"}
    return Status(names.get(event) or {Event.EXPIRE: "EXPIRING", Event.GONE: "EXPIRED"}[event])


def test_advancing_writes_status_and_changes_to_every_entry_of_the_label_only(history: BackupHistory) -> None:
    """One label, all its tables, nothing else."""
    other = entry(snapshot("l2"))
    history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    history.record([other])

    assert history.advance(Label("l1"), Event.SENT, {"submitted_at": NOON})
    assert history.advance(
        Label("l1"), Event.REFUSED, {"finished_at": NOON, "error_code": "CANCELLED", "error": "user cancelled"}
    )

    made = snapshot(
        "l1",
        status=Status.FAILED,
        submitted_at=NOON,
        finished_at=NOON,
        error_code="CANCELLED",
        error="user cancelled",
    )
    assert _read(history, "l1", "l2") == (entry(made), entry(made, ITEMS), other)


def test_doubt_is_written_down_of_one_entry_only(history: BackupHistory) -> None:
    made = snapshot("l1", status=Status.FINISHED)
    sure, doubted, other = (
        evolve(one, consistency=Consistency.EXACT)
        for one in (entry(made), entry(made, ITEMS), entry(snapshot("l2"), ITEMS))
    )
    history.record([sure, doubted])
    history.record([other])

    history.doubt(Label("l1"), ITEMS)

    assert _read(history, "l1", "l2") == (sure, evolve(doubted, consistency=Consistency.UNKNOWN), other)


def test_advancing_to_where_the_label_is_already_is_a_success_without_effect(history: BackupHistory) -> None:
    """After a doubt about a write the same one may be made again."""
    history.record([entry(snapshot("l1"))])
    history.advance(Label("l1"), Event.SENT, {"submitted_at": NOON})

    assert history.advance(Label("l1"), Event.SENT, {"submitted_at": NOON + timedelta(hours=1)})
    assert _read(history, "l1")[0].snapshot.submitted_at == NOON


def test_an_event_that_the_state_does_not_allow_changes_nothing_and_says_so(history: BackupHistory) -> None:
    """A label that failed stays failed; an unknown one stays unknown."""
    failed = entry(snapshot("l1", status=Status.FAILED))
    history.record([failed])

    assert not history.advance(Label("l1"), Event.PROVEN, {"finished_at": NOON})
    assert not history.advance(Label("l2"), Event.SENT, {})
    assert _read(history, "l1", "l2") == (failed,)


def test_concluding_replaces_everything_of_the_label(history: BackupHistory) -> None:
    """What was learned at the end stands, and nothing of the intent is left, not even rows that it had more of."""
    history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    history.advance(Label("l1"), Event.SENT, {})
    end = snapshot("l1", status=Status.FINISHED, snapshot_at=NOON, backup_timestamp="2026-03-01-12-00-00-123")
    concluded = entry(end, captured=captured("p1", "p2", "p3", after=True), consistency=Consistency.EXACT)

    assert history.conclude([concluded])
    assert history.conclude([concluded]), "after a doubt it is done again"

    assert _read(history, "l1") == (concluded,)
    assert history.outlines() == (concluded.outline(),)


def test_what_another_command_settled_meanwhile_is_not_written_over(history: BackupHistory) -> None:
    """What was seen after the cut is kept while the snapshot runs; only what may still be proven is concluded."""
    for status in Status:
        found = entry(snapshot("l1", status=status))
        seen = entry(snapshot("l1", status=Status.RUNNING), consistency=Consistency.EXACT)
        end = entry(snapshot("l1", status=Status.FINISHED, snapshot_at=NOON), consistency=Consistency.EXACT)

        history.record([found])
        history.keep([seen])
        assert _read(history, "l1") == (seen if status in {Status.PENDING, Status.RUNNING} else found,)

        history.record([found])
        provable = status in {Status.PENDING, Status.RUNNING, Status.LOST, Status.FINISHED}
        assert history.conclude([end]) is provable
        assert _read(history, "l1") == (end if provable else found,)


def test_one_tables_entries_can_be_had_alone(history: BackupHistory) -> None:
    """Whatever else the labels hold."""
    made, later = snapshot("l1"), snapshot("l2")
    history.record([entry(made), leaf(made, "l0", ITEMS)])
    history.record([leaf(later, "l1", ITEMS)])

    assert history.entries([Label("l1"), Label("l2")], ITEMS).entries == (
        leaf(made, "l0", ITEMS),
        leaf(later, "l1", ITEMS),
    )
    assert history.entries([Label("l2")], entry(made).table).entries == ()


def test_outlines_are_entries_without_partitions_newest_first(history: BackupHistory) -> None:
    """By the time of the intent, then by label; the tables of one label in the order they were recorded."""
    old, new, tie = snapshot("l3", 1), snapshot("l1", 2), snapshot("l2", 2)
    entries = [entry(tie), entry(new, ITEMS), leaf(new, "l3"), entry(old, ORDERS, "p1", "p2", "p3")]
    for made in (old, tie, new):
        history.record([one for one in entries if one.snapshot is made])

    assert history.outlines() == tuple(one.outline() for one in entries)


def test_outlines_can_be_chosen_by_status_and_table(history: BackupHistory) -> None:
    """Both conditions hold together."""
    done = snapshot("l2", 1, status=Status.FINISHED)
    history.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    history.record([entry(done), entry(done, ITEMS)])

    def found(**choice: object) -> list[tuple[str, TableRef]]:
        return [(one.label, one.table) for one in history.outlines(**choice)]  # type: ignore[arg-type]

    assert found(statuses=[Status.FINISHED, Status.LOST]) == [("l2", ORDERS), ("l2", ITEMS)]
    assert found(table=ITEMS) == [("l2", ITEMS), ("l1", ITEMS)]
    assert found(table=ORDERS, statuses={Status.PENDING}) == [("l1", ORDERS)]
    assert found(statuses=[Status.LOST]) == []


def test_of_those_that_began_in_one_second_the_later_point_is_the_newer_one(history: BackupHistory) -> None:
    later: dict[str, Any] = {"status": Status.FINISHED, "finished_at": NOON + timedelta(hours=1)}
    for label, changes in (
        ("b", later | {"snapshot_at": NOON + timedelta(seconds=1)}),
        ("a", later | {"snapshot_at": NOON + timedelta(seconds=2)}),
        ("c", {}),
    ):
        history.record([entry(snapshot(label, **changes))])
    assert [outline.label for outline in history.outlines()] == ["a", "b", "c"]
    assert [outline.label for outline in history.outlines(limit=1)] == ["a"]


def test_a_limit_gives_the_newest_ones_that_meet_the_conditions(history: BackupHistory) -> None:
    """A limit counts what is wanted, not what is skipped."""
    for hour, status in enumerate([Status.FINISHED, Status.FAILED, Status.FINISHED, Status.FAILED]):
        made = snapshot(f"l{hour}", hour, status=status)
        history.record([entry(made), entry(made, ITEMS)])

    newest = history.outlines(statuses=[Status.FINISHED], table=ORDERS, limit=1)
    assert [(one.label, one.table) for one in newest] == [("l2", ORDERS)]
    assert [one.label for one in history.outlines(limit=3)] == ["l3", "l3", "l2"]
    assert len(history.outlines(limit=100)) == 8


def test_adopting_takes_over_the_labels_that_are_absent_and_no_others(stores: Stores) -> None:
    """What is known here is not overwritten by an older copy of it."""
    here = entry(snapshot("l1", status=Status.FINISHED))
    stores.history.record([here])
    stores.restored.record([entry(snapshot("l1"))])
    new = [entry(snapshot("l2")), leaf(snapshot("l2"), "l1", ITEMS)]
    stores.restored.record(new)

    assert _adopt(stores) == 2
    assert _adopt(stores) == 0
    assert _read(stores.history, "l1", "l2") == (here, *new)


def _adopt(stores: Stores, repository: str = "repo") -> int:
    return stores.history.adopt(RESTORED, saved_by=Label("meta"), repository=RepositoryName(repository))


def test_adopted_rows_name_the_repository_as_it_is_called_here(stores: Stores) -> None:
    """Another cluster may know the same place by another name, and another place by the name that ours has."""
    elsewhere = snapshot("l3", repository=RepositoryName("tapes"))
    stores.restored.record([entry(snapshot("meta"), type=BackupType.METADATA, captured={})])
    stores.restored.record([entry(snapshot("l1")), entry(snapshot("l1"), ITEMS)])
    stores.restored.record([entry(elsewhere)])

    assert _adopt(stores, "theirs") == 4

    adopted = _read(stores.history, "l1", "l3", "meta")
    assert [one.snapshot.repository for one in adopted] == ["theirs", "theirs", "tapes", "theirs"]
    assert _read(stores.restored, "l1")[0].snapshot.repository == "repo"


def test_how_the_table_is_made_is_kept_with_a_full_entry(stores: Stores) -> None:
    """To the letter; also where the entry takes several rows; and it is taken over with its row."""
    names = [f"p{number}_{'x' * 40}" for number in range(6_000)]
    ddl = 'CREATE TABLE `orders` (\n  `k é` int(11) NOT NULL DEFAULT "a\\\\\'%s:x"\n) ENGINE=OLAP'
    large = entry(snapshot("l1"), ORDERS, *names, schema_ddl=ddl)
    stores.restored.record([large, entry(snapshot("l1"), ITEMS, schema_ddl="CREATE TABLE items ...")])
    stores.restored.record([entry(snapshot("l2"))])

    _adopt(stores)

    assert [one.schema_ddl for one in _read(stores.history, "l1", "l2")] == [ddl, "CREATE TABLE items ...", ""]


def _sized(of: Snapshot, table: TableRef, *sizes: int | None, **changes: object) -> Entry:
    """An entry that holds partitions of these sizes."""
    parts = captured(*(f"p{number}" for number in range(len(sizes))))
    held = {
        name: evolve(one, partition=evolve(one.partition, size=size))
        for (name, one), size in zip(parts.items(), sizes, strict=True)
    }
    usual = {"captured": held, "consistency": Consistency.EXACT}
    return entry(of, table, **{**usual, **changes})


def test_what_jobs_took_is_told_newest_first(history: BackupHistory) -> None:
    """Of this cluster's jobs, all tables of a job together, where all is known of it and its end was seen."""

    def job(label: str, hour: int, **changes: object) -> Snapshot:
        began = NOON + timedelta(hours=hour)
        usual = {"status": Status.FINISHED, "submitted_at": began, "finished_at": began + timedelta(seconds=20 + hour)}
        return snapshot(label, hour, **{**usual, **changes})

    here = job("l1", 1).cluster
    assert history.timings(here) == ()
    history.record([_sized(job("l1", 1), ORDERS, 5, None), _sized(job("l1", 1), ITEMS, 7), leaf(job("l1", 1), "l0")])
    history.record([_sized(job("l2", 2), ORDERS, 9, consistency=Consistency.FUZZY)])
    history.record([_sized(job("unknown size", 3), ORDERS, None), _sized(job("unknown size", 3), ITEMS, 1)])
    history.record([_sized(job("found later", 3), ORDERS, 1, consistency=Consistency.UNKNOWN)])
    history.record([_sized(job("failed", 3, status=Status.FAILED), ORDERS, 1)])
    history.record([_sized(job("elsewhere", 3, cluster=ClusterId("7")), ORDERS, 1)])
    history.record([_sized(job("never sent", 3, submitted_at=None), ORDERS, 1)])
    history.record([_sized(job("meta", 3), ORDERS, 1, type=BackupType.METADATA)])
    history.record([leaf(job("leaf", 3), "l1")])

    assert history.timings(here) == (Timing(size=9, seconds=22.0), Timing(size=12, seconds=21.0))


def test_only_the_newest_jobs_tell_how_long_they_took(history: BackupHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cluster did in other years is of no use."""
    monkeypatch.setattr("starrocks_br.adapters.memory.MOST_TIMINGS", 2)
    monkeypatch.setattr("starrocks_br.adapters.sqlalchemy_core.timings.MOST_TIMINGS", 2)
    for number in (3, 1, 4, 2):
        at = NOON + timedelta(minutes=number)
        made = snapshot(f"l{number}", status=Status.FINISHED, submitted_at=at, finished_at=at + timedelta(seconds=9))
        history.record([_sized(made, ORDERS, number)])

    assert [one.size for one in history.timings(snapshot("l").cluster)] == [4, 3]
