"""What a snapshot turned out to be."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.conclusion import look_again, settle_contents
from starrocks_br.domain.manifest import digest_of
from starrocks_br.domain.names import PartitionName, TableName, TableRef
from starrocks_br.domain.partitions import UNKNOWN, Observation, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from tests.unit.domain.examples import ORDERS, entry, identity, look, manifest, next_entry, part, table

P1, P2 = PartitionName("p1"), PartitionName("p2")
FULL = entry(0, part("p1", 10), part("p2", 11), consistency=Consistency.UNKNOWN)
NEXT = evolve(
    next_entry(manifest(part("p1", 10), part("p2", 11)), 1, part("p1", 10, version=3)), consistency=Consistency.UNKNOWN
)
BEFORE = {ORDERS: {P1: identity(10, 3), P2: identity(11)}}
ORDERS_NAME = TableName("orders")


def judged(one: Entry, after: Observation) -> Entry:
    """The entry as the second look left it."""
    looked = look_again((one,), BEFORE, after)
    assert not looked.danger
    return looked.entries[0]


def test_the_second_look_is_kept_and_makes_the_point_exact() -> None:
    """A load of a captured partition around the cut is no matter: it is captured again."""
    after = look(table(part("p1", 10, version=4), part("p2", 11)))
    assert judged(NEXT, after).consistency is Consistency.EXACT
    assert judged(NEXT, after).captured[P1].after == identity(10, 4)
    assert judged(NEXT, after).captured[P1].partition.identity == identity(10, 3)


def test_what_moved_outside_of_the_captured_makes_the_point_fuzzy() -> None:
    """A load; of a whole table nothing is outside."""
    after = look(table(part("p1", 10, version=3), part("p2", 11, version=3)))
    assert judged(NEXT, after).consistency is Consistency.FUZZY
    assert judged(FULL, after).consistency is Consistency.EXACT


def test_a_partition_that_is_born_meanwhile_leaves_a_doubt() -> None:
    """An overwrite of it may have been in flight at the cut; a whole table's list tells whether it was there then."""
    after = look(table(part("p1", 10, version=3), part("p2", 11), part("p3", 12)))
    assert judged(NEXT, after).captured[P1].after == identity(10, 3)
    assert judged(evolve(NEXT, consistency=Consistency.EXACT), after).consistency is Consistency.UNKNOWN
    whole = judged(FULL, after)
    before_the_cut, after_the_cut = frozenset({P1, P2, PartitionName("p3")}), frozenset({P1, P2})
    assert settle_contents((whole,), {ORDERS_NAME: after_the_cut})[0][0].consistency is Consistency.EXACT
    assert settle_contents((whole,), {ORDERS_NAME: before_the_cut})[0][0].consistency is Consistency.UNKNOWN


def test_a_birth_makes_the_point_of_a_leaf_fuzzy_and_no_more() -> None:
    """It is not in the job."""
    leaf = next_entry(manifest(part("p1", 10, version=3), part("p2", 11)), 1)
    after = look(table(part("p1", 10, version=3), part("p2", 11), part("p3", 12)))
    assert judged(leaf, after).consistency is Consistency.FUZZY


@pytest.mark.parametrize(
    ("state", "danger"),
    [
        (None, "the table was dropped or replaced while it was being backed up"),
        (
            table(part("p1", 10), part("p2", 11), table_id=8),
            "the table was dropped or replaced while it was being backed up",
        ),
        (table(part("p1", 10), part("p2", 11), fingerprint="g"), "its schema changed while it was being backed up"),
        (table(part("p1", 10), part("p2", 11), schema_job=3), "its schema changed while it was being backed up"),
        (
            table(
                part("p1", 10), part("p2", 11), temporary=frozenset({PartitionName("p2_77"), PartitionName("p2_76")})
            ),
            "temporary partitions stand right after the cut (p2_76, p2_77)",
        ),
        (table(part("p2", 11)), "partition p1 was dropped while the table was being backed up"),
        (table(part("p1", 99), part("p2", 11)), "partition p1 was replaced while the table was being backed up"),
        (table(part("p1", 10)), "partition p2 was dropped while the table was being backed up"),
        (table(part("p1", 10), part("p2", 99)), "partition p2 was replaced while the table was being backed up"),
    ],
)
def test_danger_is_told_in_words(state: TableState | None, danger: str) -> None:
    """Such a snapshot may hold ghosts, or another table's rows."""
    after = look(state) if state else look()
    looked = look_again((NEXT,), BEFORE, after)
    assert looked.danger == f"db1.orders: {danger}"
    assert looked.entries == (NEXT,)


def test_a_schema_change_of_before_the_intent_is_no_danger() -> None:
    """The table was captured as that change left it."""
    known = evolve(NEXT, schema_job=3)
    same = look(table(part("p1", 10, version=3), part("p2", 11), schema_job=3))
    assert judged(known, same).consistency is Consistency.EXACT


def test_the_second_look_is_kept_for_a_whole_table_too() -> None:
    """A restored partition's version is held against both looks."""
    after = look(table(part("p1", 10, version=4), part("p2", 11)))
    assert {name: seen.after for name, seen in judged(FULL, after).captured.items()} == {
        "p1": identity(10, 4),
        "p2": identity(11),
    }


def test_a_table_that_cannot_be_read_any_more_is_told_in_the_servers_words() -> None:
    """Nothing is known of it then."""
    looked = look_again((NEXT,), BEFORE, look(unreadable={ORDERS: "Access denied"}))
    assert looked.danger == "db1.orders: Access denied"


def test_every_table_that_makes_a_snapshot_unusable_is_named() -> None:
    other, sound = TableRef.parse("db1.other"), TableRef.parse("db1.sound")
    entries = (NEXT, evolve(NEXT, table=sound), evolve(NEXT, table=other))
    now = look(unreadable={ORDERS: "Access denied"})
    then = evolve(now, tables={sound: table(part("p1", 10), part("p2", 11), table=sound)})
    looked = look_again(entries, dict.fromkeys((ORDERS, sound, other), BEFORE[ORDERS]), then)
    assert looked.danger == "db1.orders: Access denied"
    assert looked.endangered == {
        ORDERS: "Access denied",
        other: "the table was dropped or replaced while it was being backed up",
    }


def test_a_leaf_is_not_in_the_job_and_cannot_be_haunted() -> None:
    """An overwrite of it makes its point fuzzy, no more."""
    leaf = next_entry(manifest(part("p1", 10, version=3), part("p2", 11)), 1)
    after = look(table(part("p1", 10, version=3), part("p2", 99), temporary=frozenset({PartitionName("x")})))
    assert judged(leaf, after).consistency is Consistency.FUZZY


def test_a_whole_table_that_had_no_partition_is_in_the_job() -> None:
    """A temporary partition is as dangerous there."""
    empty = entry(0)
    looked = look_again((empty,), {ORDERS: {}}, look(table(temporary=frozenset({PartitionName("x")}))))
    assert "temporary partitions stand" in looked.danger


def test_of_a_whole_table_the_repository_decides() -> None:
    """What was born before the cut is held, unknown; what was gone is not."""
    (whole,), problem = settle_contents((FULL,), {ORDERS_NAME: frozenset({P1, PartitionName("p3")})})
    assert problem == ""
    assert {name: held.partition.identity for name, held in whole.captured.items()} == {
        "p1": identity(10),
        "p3": UNKNOWN,
    }
    assert all(name == held.partition.name for name, held in whole.captured.items())
    assert whole.digest == digest_of({P1: identity(10), PartitionName("p3"): UNKNOWN})


def test_a_table_that_is_not_divided_has_its_one_partition() -> None:
    """Whole tables may lose partitions before the cut; this one cannot, so that its rows are missing."""
    flat = evolve(FULL, partitioning=Partitioning.NONE)
    assert settle_contents((flat,), {ORDERS_NAME: frozenset()}) == ((flat,), "the snapshot does not hold db1.orders")
    assert settle_contents((FULL,), {ORDERS_NAME: frozenset()})[1] == ""
    assert settle_contents((evolve(flat, captured={}),), {ORDERS_NAME: frozenset()})[1] == ""
    assert settle_contents((evolve(NEXT, partitioning=Partitioning.NONE),), {ORDERS_NAME: frozenset({P1})})[1] == ""


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ({}, "the snapshot does not hold db1.orders"),
        ({"orders": {"p1", "p2"}}, "the snapshot holds other partitions of db1.orders than were asked for"),
        ({"orders": {"p1"}, "b": set(), "a": set()}, "the snapshot holds a, b, which nobody asked for"),
    ],
)
def test_what_was_not_asked_for_forbids_the_conclusion(contents: dict[str, set[str]], problem: str) -> None:
    """The first difference is told."""
    held = {TableName(name): frozenset(map(PartitionName, parts)) for name, parts in contents.items()}
    assert settle_contents((NEXT,), held) == ((NEXT,), problem)


def test_a_leaf_shares_the_label_and_asks_for_nothing() -> None:
    """The job's other tables are held against the list."""
    leaf = evolve(entry(1), table=TableRef.parse("db1.quiet"))
    assert settle_contents((leaf, NEXT), {ORDERS_NAME: frozenset({P1})}) == ((leaf, NEXT), "")


def test_a_metadata_snapshot_is_whole_whatever_its_partition_is_called() -> None:
    """It has to be there; what it holds is not compared."""
    metadata = entry(0, type=BackupType.METADATA)
    assert settle_contents((metadata,), {ORDERS_NAME: frozenset({P1})}) == ((metadata,), "")
    assert settle_contents((metadata,), {})[1] == "the snapshot does not hold db1.orders"
