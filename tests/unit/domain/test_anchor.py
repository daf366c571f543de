"""What is known of a table right after it was restored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from starrocks_br.domain.anchor import Filled, Restored, anchored
from starrocks_br.domain.backup_plan import BackupPolicy, Reason, Recorded, plan_backup
from starrocks_br.domain.manifest import Manifest, digest_of, extend
from starrocks_br.domain.names import ClusterId, PartitionName, TableRef
from starrocks_br.domain.partitions import UNKNOWN, Identity, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry
from tests.unit.domain.examples import (
    CLUSTER,
    ORDERS,
    entry,
    identity,
    look,
    manifest,
    next_entry,
    part,
    snapshot,
    table,
)

P1, P2 = PartitionName("p1"), PartitionName("p2")
ALIAS = TableRef.parse("db1.__br_r1")
EXPOSED = datetime(2026, 10, 7, tzinfo=UTC)
HERE = snapshot(9, cluster=ClusterId("2"))


def two_holders() -> Manifest:
    """p1 in the full snapshot, p2 in the next one, which saw it at version 5 before its cut and at 6 after it."""
    full = manifest(part("p1", 10), part("p2", 11))
    later = next_entry(full, 1, part("p2", 11, version=5))
    return extend(full, evolve(later, captured={P2: evolve(later.captured[P2], after=identity(11, 6))}))


def made(name: str, number: int, version: int) -> Partition:
    """A partition that RESTORE made: new id, the source's version and time."""
    return part(name, number, version)


def restored(*hidden: Partition, shown: TableState | None = None, **more: Any) -> Restored:
    """Orders, back under its name, with the id 70."""
    usual: dict[str, Any] = {
        "manifest": two_holders(),
        "table": ORDERS,
        "hidden": table(*hidden, table=ALIAS, table_id=70),
        "shown": shown,
        "newest_job": 40,
        "not_before": EXPOSED,
    }
    return Restored(**{**usual, **more})


def shown(*parts: Partition) -> TableState:
    """The last look at it under its own name."""
    return table(*parts, table_id=70)


def known(entry: Entry) -> dict[PartitionName, Identity]:
    """The identities that are recorded."""
    return {name: captured.partition.identity for name, captured in entry.captured.items()}


def exposed_with(*overlaid: Partition) -> Entry:
    """The anchor of a table that was exposed with p1, and had this at the last look."""
    return anchored(restored(made("p1", 20, 2), shown=shown(*overlaid)), HERE)


# --- a table that was hidden to the end -------------------------------------------------------------------------------


def test_what_was_seen_under_the_alias_is_what_the_holders_hold() -> None:
    """Whatever version it is at: the restore made it, and nobody else could touch it."""
    anchor = anchored(restored(made("p1", 20, 2), made("p2", 21, 6)), HERE)
    assert known(anchor) == {P1: identity(20, 2), P2: identity(21, 6)}
    assert (anchor.consistency, anchor.type) == (Consistency.EXACT, BackupType.RESTORED)
    assert (anchor.table, anchor.table_id, anchor.schema_job) == (ORDERS, 70, 40)
    assert anchor.baseline == "db1_1"
    assert anchor.digest == digest_of(known(anchor))


def test_everything_else_of_a_partition_is_as_it_was_recorded() -> None:
    """Values and sizes are what the next restore is held against."""
    whole = manifest(part("p1", 10, values="v", rows=5, size=50, replication_num=3))
    anchor = anchored(restored(made("p1", 20, 2), manifest=whole), HERE)
    assert (anchor.partitioning, anchor.automatic) == (Partitioning.RANGE, False)
    by_value = anchored(restored(made("p1", 20, 2), manifest=evolve(whole, partitioning=Partitioning.LIST)), HERE)
    assert by_value.partitioning is Partitioning.LIST
    on_its_own = anchored(restored(made("p1", 20, 2), manifest=evolve(whole, automatic=True)), HERE)
    assert on_its_own.automatic
    assert anchor.captured[P1] == Captured(
        partition=part("p1", 20, 2, values="v", rows=5, size=50, replication_num=3), after=None
    )


def test_an_unpartitioned_tables_partition_is_known_under_whatever_name_the_table_has() -> None:
    """Under the alias it bears the alias."""
    whole = manifest(part("orders", 10), partitioning=Partitioning.NONE)
    anchor = anchored(restored(made("__br_r1", 20, 2), manifest=whole), HERE)
    assert known(anchor) == {PartitionName("orders"): identity(20, 2)}
    assert (anchor.partitioning, anchor.consistency) == (Partitioning.NONE, Consistency.EXACT)


# --- a table that was exposed before it was complete ------------------------------------------------------------------


@pytest.mark.parametrize("version", [5, 6])
def test_a_partition_with_the_sources_version_and_time_is_what_restore_added(version: int) -> None:
    """As seen before the cut of its holder, or after it."""
    anchor = exposed_with(made("p1", 20, 2), made("p2", 21, version))
    assert known(anchor) == {P1: identity(20, 2), P2: identity(21, version)}
    assert anchor.consistency is Consistency.EXACT


@pytest.mark.parametrize(
    "partition",
    [
        made("p2", 21, 7),
        part("p2", 21, 1),
        evolve(made("p2", 21, 5), identity=frozenset({(21, 5, 1_790_000_006)})),
        evolve(made("p2", 21, 5), identity=frozenset({(21, 6, 1_790_000_005)})),
        evolve(made("p2", 21, 5), identity=frozenset({(21, 5, 1_790_000_005), (22, 2, 1_790_000_900)})),
    ],
    ids=["loaded", "truncated", "restored over", "rolled back", "grown"],
)
def test_a_partition_that_was_touched_since_is_unknown(partition: Partition) -> None:
    """So that the next backup captures it; the point is not exact."""
    anchor = exposed_with(made("p1", 20, 2), partition)
    assert known(anchor) == {P1: identity(20, 2), P2: UNKNOWN}
    assert anchor.consistency is Consistency.FUZZY


def test_a_partition_seen_under_the_alias_must_not_have_moved_since() -> None:
    """Not even to a version that its holder could have."""
    anchor = exposed_with(made("p1", 20, 3), made("p2", 21, 5))
    assert known(anchor) == {P1: UNKNOWN, P2: identity(21, 5)}
    replaced = exposed_with(made("p1", 29, 2), made("p2", 21, 5))
    assert known(replaced) == {P1: UNKNOWN, P2: identity(21, 5)}


def test_a_partition_that_is_gone_is_unknown_and_a_new_one_is_nobodys() -> None:
    """Neither makes an exact point."""
    gone = exposed_with(made("p1", 20, 2))
    assert (known(gone)[P2], gone.consistency) == (UNKNOWN, Consistency.FUZZY)
    grown = exposed_with(made("p1", 20, 2), made("p2", 21, 5), made("p3", 22, 2))
    assert known(grown) == {P1: identity(20, 2), P2: identity(21, 5)}
    assert grown.consistency is Consistency.FUZZY


def test_a_time_that_is_not_before_the_exposure_proves_nothing() -> None:
    """The clock of another leader was ahead: somebody may have loaded at that very second."""
    at = datetime.fromtimestamp(1_790_000_005, UTC)
    for exposed, wanted in [(at, UNKNOWN), (at + timedelta(seconds=1), identity(21, 5))]:
        last = shown(made("p1", 20, 2), made("p2", 21, 5))
        anchor = anchored(restored(made("p1", 20, 2), shown=last, not_before=exposed), HERE)
        assert known(anchor)[P2] == wanted


def test_a_partition_is_told_from_its_sibling_of_the_same_load_by_its_values() -> None:
    """Both have the source's version and time; one took the other's name."""
    full = manifest(part("p1", 10))
    both = extend(full, next_entry(full, 1, part("p2", 11, values="a"), part("p3", 12, values="b")))
    last = shown(made("p1", 20, 2), part("p2", 22, values="b"), part("p3", 21, values="a"))
    anchor = anchored(restored(made("p1", 20, 2), manifest=both, shown=last), HERE)
    assert known(anchor) == {P1: identity(20, 2), P2: UNKNOWN, PartitionName("p3"): UNKNOWN}


def test_what_was_never_known_is_not_known_by_its_marks() -> None:
    """The recorded identity is unknown: no version and time can be that of its source."""
    unseen = manifest(part("p1", 10), evolve(part("p2", 11), identity=UNKNOWN))
    bare = evolve(made("p2", 21, 5), identity=UNKNOWN)
    anchor = anchored(restored(made("p1", 20, 2), manifest=unseen, shown=shown(made("p1", 20, 2), bare)), HERE)
    assert (known(anchor)[P2], anchor.consistency) == (UNKNOWN, Consistency.FUZZY)


# --- partitions that were made by hand, and filled --------------------------------------------------------------------

ENDED = 1_700_000_000
OURS = Filled(ids=frozenset({21}), began=ENDED - 18, ended=ENDED)


def filled(partition: Partition, *, after: Identity | None = None, by: Filled | None = OURS) -> Identity:
    """What is known of p2, of which the snapshot surely has version 5, or what was seen after its cut."""
    full = manifest(part("p1", 10), part("p2", 11))
    later = next_entry(full, 1, part("p2", 11, version=5))
    seen = identity(11, 5) if after is None else after
    source = extend(full, evolve(later, captured={P2: evolve(later.captured[P2], after=seen)}))
    how = {} if by is None else {P2: by}
    last = shown(made("p1", 20, 2), partition)
    return known(anchored(restored(made("p1", 20, 2), manifest=source, shown=last, filled=how), HERE))[P2]


def at(number: int, version: int, time: int) -> Partition:
    """p2 as it was seen last."""
    return evolve(part("p2", number, version), identity=frozenset({(number, version, time)}))


@pytest.mark.parametrize("time", [ENDED - 18, ENDED])
def test_what_the_job_filled_is_known(time: int) -> None:
    assert filled(at(21, 5, time)) == {(21, 5, time)}


@pytest.mark.parametrize(
    "partition",
    [
        at(21, 6, ENDED),  # loaded, in the same second
        at(22, 5, ENDED),  # another one in its place
        at(21, 5, ENDED + 1),  # somebody else's RESTORE
        at(21, 5, ENDED - 19),
        evolve(at(21, 5, ENDED), values="others"),
    ],
)
def test_what_anybody_may_have_touched_since_is_not(partition: Partition) -> None:
    assert filled(partition) == UNKNOWN


def test_without_certainty_of_the_job_or_of_the_snapshots_version_nothing_is_known() -> None:
    assert filled(at(21, 5, ENDED), by=None) == UNKNOWN
    assert filled(at(21, 5, ENDED), after=identity(11, 6)) == UNKNOWN
    assert filled(at(21, 5, ENDED), after=UNKNOWN) == UNKNOWN


# --- what speaks against it -------------------------------------------------------------------------------------------


def test_only_a_table_under_its_own_name_has_a_history() -> None:
    assert restored().at_home
    assert not restored(table=TableRef.parse("db1.orders_old")).at_home
    assert not restored(table=TableRef.parse("db2.orders")).at_home


def test_another_table_or_another_schema_is_no_baseline() -> None:
    assert restored(made("p1", 20, 2)).obstacle == ""
    assert restored(made("p1", 20, 2), shown=shown()).obstacle == ""
    taken = restored(made("p1", 20, 2), shown=table(table_id=71))
    assert taken.obstacle == "another table has taken its place"
    assert restored(shown=evolve(shown(), schema_job=40)).obstacle == ""
    remade = restored(shown=evolve(shown(), schema_job=41))
    assert remade.obstacle == "its schema was changed before the restore had ended"
    changed = restored(hidden=table(table=ALIAS, table_id=70, fingerprint="g"))
    assert changed.obstacle == "its schema is not quite the one that was recorded"


# --- as a link of a chain ---------------------------------------------------------------------------------------------


def test_the_fold_knows_the_partitions_again_and_leaves_them_to_their_holders() -> None:
    """It is of the new table on the new cluster; what a restore needs is untouched."""
    before = two_holders()
    after = extend(before, anchored(restored(made("p1", 20, 2), made("p2", 21, 6)), HERE))
    assert after.identities() == {P1: identity(20, 2), P2: identity(21, 6)}
    assert {name: (held.captured, held.holder) for name, held in after.held.items()} == {
        name: (held.captured, held.holder) for name, held in before.held.items()
    }
    assert after.holders() == before.holders()
    assert after.contents == {**before.contents, HERE.label: 0}
    assert (after.cluster, after.table_id, after.schema_job) == (ClusterId("2"), 70, 40)
    assert (after.baseline, after.at) == (HERE.label, HERE.snapshot_at)


def test_a_point_that_changed_nothing_is_no_baseline_of_it_either() -> None:
    """What a leaf dropped, the anchor drops in its place."""
    leaf = next_entry(two_holders(), 2, dropped=frozenset({"p1"}))
    at_leaf = extend(two_holders(), leaf)
    assert (leaf.leaf, at_leaf.baseline, at_leaf.dropped) == (True, "db1_1", frozenset({P1}))
    anchor = anchored(restored(made("p2", 21, 6), manifest=at_leaf), HERE)
    assert (anchor.baseline, anchor.dropped) == ("db1_1", frozenset({P1}))
    after = extend(two_holders(), anchor)
    assert after.identities() == {P2: identity(21, 6)}
    assert (after.dropped, after.baseline) == (frozenset(), HERE.label)


def test_the_next_backup_takes_what_moved_and_nothing_else() -> None:
    """One partition is unknown, one was loaded since, one is as it was restored."""
    before = manifest(part("p0", 9), part("p1", 10), part("p2", 11))
    hidden = (made("p0", 19, 2), made("p1", 20, 2), made("p2", 21, 2))
    last = shown(made("p0", 19, 2), made("p1", 20, 3), made("p2", 21, 2))
    after = extend(before, anchored(restored(*hidden, manifest=before, shown=last), snapshot(9)))
    recorded = Recorded(manifest=after, baseline=after.baseline, length=2, seen_at=EXPOSED)
    now = look(shown(made("p0", 19, 2), made("p1", 20, 3), made("p2", 21, 3)), at=EXPOSED, cluster=CLUSTER)
    (work,) = plan_backup(now, {ORDERS: recorded}, BackupPolicy()).databases
    assert work.tables[0].partitions == {P1: Reason.CHANGED, P2: Reason.CHANGED}
    assert work.tables[0].baseline == HERE.label


def test_it_holds_nothing_that_takes_room() -> None:
    anchor = anchored(restored(made("p1", 20, 2), made("p2", 21, 6)), HERE)
    assert (anchor.outline().captured, anchor.outline().size) == (2, 0)
    assert not anchor.leaf
    assert not anchor.outline().leaf
    assert entry(0, part("p1", 10, size=7)).outline().size == 7
