"""The fold of a chain."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.manifest import digest_of, extend
from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.snapshot import BackupType
from tests.unit.domain.examples import (
    CLUSTER,
    ORDERS,
    REPOSITORY,
    entry,
    identity,
    manifest,
    next_entry,
    part,
    snapshot,
)

P1 = PartitionName("p1")


def test_each_partition_is_held_by_the_last_snapshot_that_captured_it() -> None:
    """What was dropped is held by none."""
    full = manifest(part("p1", 10), part("p2", 11), part("p3", 12))
    folded = extend(full, next_entry(full, 1, part("p2", 11, version=3), dropped=frozenset({"p3"})))
    assert {name: held.holder for name, held in folded.held.items()} == {"p1": "db1_0", "p2": "db1_1"}
    assert folded.identities() == {"p1": identity(10), "p2": identity(11, 3)}
    assert folded.holders() == {"db1_0", "db1_1"}
    assert folded.contents == {"db1_0": 3, "db1_1": 1}
    assert folded.at == snapshot(1).snapshot_at
    assert "held=2" in repr(folded)


def test_partitions_that_were_dropped_together_leave_the_digest_together() -> None:
    """The digest is carried along, never made anew."""
    full = manifest(part("p1", 10), part("p2", 11), part("p3", 12))
    folded = extend(full, next_entry(full, 1, dropped=frozenset({"p1", "p3"})))
    assert folded.digest == digest_of({PartitionName("p2"): identity(11)})


def test_a_manifest_is_of_the_table_as_its_last_entry_found_it() -> None:
    """What the next backup and a restore are held against."""
    full = manifest(part("p1", 10))
    last = evolve(next_entry(full, 1), table_id=8, fingerprint="g", schema_job=5, automatic=True)
    folded = extend(full, evolve(last, partitioning=Partitioning.LIST))
    assert (folded.table, folded.cluster, folded.repository) == (ORDERS, CLUSTER, REPOSITORY)
    assert (folded.table_id, folded.fingerprint, folded.schema_job) == (8, "g", 5)
    assert (folded.automatic, folded.partitioning) == (True, Partitioning.LIST)


def test_a_table_without_partitions_is_held_by_its_full_snapshot() -> None:
    """For its schema."""
    assert manifest().holders() == {"db1_0"}


def test_without_a_point_the_look_is_the_time() -> None:
    """An intent can be folded, too."""
    intent = entry(0, part("p1", 10), snapshot=snapshot(0, snapshot_at=None))
    assert extend(None, intent).at == snapshot(0).created_at


@pytest.mark.parametrize("kind", [BackupType.INCREMENTAL, BackupType.METADATA])
def test_a_chain_starts_with_a_full_entry(kind: BackupType) -> None:
    """Nothing can be put onto nothing."""
    with pytest.raises(
        BrokenChain, match=f"starts with a full entry and goes on with incremental ones; this is {kind}"
    ):
        extend(None, entry(0, part("p1", 10), type=kind))


def test_a_chain_has_no_second_full_entry() -> None:
    """A new full one begins a new chain."""
    full = entry(0, part("p1", 10))
    with pytest.raises(BrokenChain) as refusal:
        extend(None, full, evolve(full, snapshot=snapshot(1)))
    assert refusal.value.what == "the history of db1.orders cannot be folded at snapshot db1_1"
    assert (refusal.value.table, refusal.value.labels) == (ORDERS, ("db1_1",))


def test_what_the_baseline_has_not_cannot_be_dropped() -> None:
    """A link is missing, or the record is damaged."""
    full = manifest(part("p1", 10))
    with pytest.raises(BrokenChain, match="it drops partition p9, which its baseline does not have"):
        extend(full, evolve(entry(1), dropped=frozenset({PartitionName("p9")})))


def test_a_digest_that_differs_is_an_error_and_never_a_manifest() -> None:
    """A fold that lost something must not be restored."""
    with pytest.raises(BrokenChain) as refusal:
        extend(manifest(part("p1", 10)), entry(1, part("p2", 11)))
    assert refusal.value.why == "the partitions found are not those it was recorded with (its digest differs)"


def test_a_digest_depends_on_names_ids_versions_and_times() -> None:
    """And on nothing else."""
    seen = {P1: frozenset({(1, 2, 3)})}
    others = [
        {},
        {PartitionName("p2"): seen[P1]},
        *({P1: frozenset({row})} for row in [(9, 2, 3), (1, 9, 3), (1, 2, 9)]),
    ]
    assert len({digest_of(look) for look in [seen, *others]}) == 6
    assert digest_of({}) == "0" * 32
    assert {len(digest_of(look)) for look in others} == {32}


def test_a_restored_entry_names_every_partition_of_its_baseline() -> None:
    """One that was left out would keep the identity that it had in another table."""
    full = manifest(part("p1", 10), part("p2", 11))
    for parts in [(part("p1", 20),), (part("p1", 20), part("p2", 21), part("p3", 22))]:
        anchor = evolve(next_entry(full, 1, *parts), type=BackupType.RESTORED)
        with pytest.raises(BrokenChain, match=r": it does not name exactly the partitions that its baseline has$"):
            extend(full, anchor)


def test_the_ddl_is_that_of_the_whole_entry_that_the_chain_starts_with() -> None:
    full = manifest(part("p1", 10), schema_ddl="CREATE TABLE orders (id INT)")
    later = extend(full, evolve(next_entry(full, 1, part("p2", 11)), schema_ddl="another"))
    assert full.ddl == later.ddl == "CREATE TABLE orders (id INT)"


def test_a_restored_entry_has_a_digest_as_any_other() -> None:
    full = manifest(part("p1", 10))
    with pytest.raises(BrokenChain, match="digest differs"):
        extend(full, entry(1, part("p1", 20), type=BackupType.RESTORED, whole={P1: identity(10)}))


def test_a_chain_does_not_start_with_a_restored_entry() -> None:
    """There is nothing of its own in it."""
    with pytest.raises(BrokenChain, match="this is RESTORED"):
        extend(None, entry(0, part("p1", 10), type=BackupType.RESTORED))


def test_a_later_entry_rests_on_the_newest_one_that_is_no_leaf() -> None:
    full = manifest(part("p1", 10), part("p2", 11))
    assert (full.baseline, full.dropped) == ("db1_0", frozenset())
    leaf = extend(full, next_entry(full, 1, dropped=frozenset({"p1"})))
    assert (leaf.baseline, leaf.dropped) == ("db1_0", frozenset({P1}))
    again = extend(leaf, next_entry(leaf, 2, dropped=frozenset({"p2"})))
    assert (again.baseline, again.dropped) == ("db1_0", frozenset({P1, PartitionName("p2")}))
    loaded = extend(leaf, next_entry(leaf, 2, part("p2", 11, version=3)))
    assert (loaded.baseline, loaded.dropped) == ("db1_2", frozenset())
