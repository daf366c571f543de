"""Which backup the next one is cut against."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.baseline import newest_baseline
from starrocks_br.domain.names import ClusterId, Label, RepositoryName, TableRef
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from starrocks_br.domain.status import Status
from tests.unit.domain.examples import CLUSTER, ORDERS, REPOSITORY, entry, part, snapshot

FULL = entry(0, part("p1", 10))
NEXT = entry(1, part("p1", 10, version=3))


def chosen(*entries: Entry, table_id: int = 7) -> Label | None:
    """The label of the baseline."""
    found = newest_baseline([one.outline() for one in entries], ORDERS, CLUSTER, REPOSITORY, table_id)
    return found.label if found else None


def test_it_is_the_newest_finished_one_that_captured_something() -> None:
    """Exact or fuzzy, in whatever order they come."""
    assert chosen(FULL, NEXT) == chosen(NEXT, FULL) == "db1_1"
    assert chosen(FULL, evolve(NEXT, consistency=Consistency.FUZZY)) == "db1_1"


def test_what_cannot_be_compared_with_is_passed_over() -> None:
    """Leaves, unknown ones, unfinished ones, strangers."""
    assert chosen() is None
    strangers = [
        entry(1),
        evolve(NEXT, consistency=Consistency.UNKNOWN),
        evolve(NEXT, snapshot=snapshot(1, status=Status.LOST)),
        evolve(NEXT, snapshot=snapshot(1, status=Status.UNCHANGED)),
        evolve(NEXT, snapshot=snapshot(1, cluster=ClusterId("2"))),
        evolve(NEXT, snapshot=snapshot(1, repository=RepositoryName("other"))),
        evolve(NEXT, table=TableRef.parse("db1.other")),
        evolve(NEXT, type=BackupType.METADATA),
    ]
    for stranger in strangers:
        assert chosen(stranger) is None
        assert chosen(FULL, stranger) == "db1_0"


def test_a_backup_of_this_very_table_wins_over_one_of_its_namesake() -> None:
    """Two tables changed places and back: the older one can be compared with again."""
    namesake = evolve(NEXT, table_id=8)
    assert chosen(FULL, namesake) == "db1_0"
    assert chosen(FULL, namesake, table_id=8) == "db1_1"
    assert chosen(FULL, namesake, table_id=9) == "db1_1"


def test_only_a_look_that_compared_with_it_vouches_for_its_schema() -> None:
    """A leaf on it does; a full backup that nobody could judge does not: it may have been full for a schema change."""
    leaf = entry(1)
    unjudged = entry(2, part("p1", 10), type=BackupType.FULL, baseline=None, consistency=Consistency.UNKNOWN)
    found = newest_baseline([one.outline() for one in (FULL, leaf, unjudged)], ORDERS, CLUSTER, REPOSITORY, 7)
    assert found is not None
    assert (found.label, found.seen_at) == ("db1_0", snapshot(1).created_at)


def test_without_a_point_its_look_is_its_time() -> None:
    """A row of an older version may lack the point."""
    late = evolve(NEXT, snapshot=snapshot(1, snapshot_at=None))
    assert chosen(FULL, late) == "db1_1"


def test_the_newest_point_is_the_newest_of_all_leaves_included() -> None:
    leaf = entry(2)
    found = newest_baseline([one.outline() for one in (leaf, FULL, NEXT)], ORDERS, CLUSTER, REPOSITORY, 7)
    assert found is not None
    assert (found.label, found.newest_point) == ("db1_1", leaf.snapshot.snapshot_at)


def test_a_restored_table_is_compared_with_what_was_seen_after_the_restore() -> None:
    """Even an older point brought back: it is the newest of this very table."""
    back = evolve(entry(2, part("p1", 20)), type=BackupType.RESTORED, baseline=FULL.label, table_id=8)
    assert chosen(FULL, NEXT, back, table_id=8) == "db1_2"
    assert chosen(FULL, NEXT, back, table_id=7) == "db1_1"
