"""What a restored table must look like."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from attrs import evolve

from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import PartitionName, TableRef
from starrocks_br.domain.partitions import UNKNOWN, Partitioning, TableState
from starrocks_br.domain.snapshot import Captured
from starrocks_br.domain.verify import differences
from tests.unit.domain.examples import entry, identity, manifest, part, table

WANTED = manifest(part("p1", 10, values="[1, 2)"), part("p2", 11))
BOTH = WANTED.held.keys()
P1 = part("p1", 77, values="[1, 2)")
P2 = part("p2", 78)


def test_a_table_as_it_was_differs_in_nothing() -> None:
    """New physical ids aside."""
    assert differences(WANTED, table(P1, P2), BOTH) == ()
    assert differences(WANTED, table(P1), [PartitionName("p1")]) == ()


@pytest.mark.parametrize(
    ("state", "expected", "difference"),
    [
        (table(P1), BOTH, "partition p2 is missing"),
        (table(P1, P2), [PartitionName("p1")], "partition p2 should not be there"),
        (
            table(P1, P2, temporary=frozenset({PartitionName("x")})),
            BOTH,
            "temporary partition x should not be there",
        ),
        (table(evolve(P1, values="[3, 4)"), P2), BOTH, "partition p1 holds [3, 4), not [1, 2)"),
        (table(P1, evolve(P2, buckets=8)), BOTH, "partition p2 has 8 buckets, not 4"),
        (
            table(P1, evolve(P2, hole=True)),
            BOTH,
            "partition p2 has a hole in its versions: no load would ever become visible",
        ),
        (
            table(P1, part("p2", 78, version=1)),
            BOTH,
            "partition p2 is at version 1, not between 2 and None",
        ),
    ],
)
def test_a_difference_is_told_in_words(state: TableState, expected: Collection[PartitionName], difference: str) -> None:
    """One line each."""
    assert differences(WANTED, state, expected) == (difference,)


def test_a_version_lies_between_the_two_looks() -> None:
    """A load between look and cut is in the snapshot; one after the second look is not."""
    seen = Captured(partition=part("p1", 10), after=identity(10, 4))
    known = extend(None, evolve(entry(0, part("p1", 10)), captured={PartitionName("p1"): seen}))
    names = known.held.keys()
    assert differences(known, table(part("p1", 77, version=4)), names) == ()
    assert differences(known, table(part("p1", 77, version=5)), names) == (
        "partition p1 is at version 5, not between 2 and 4",
    )


def test_of_a_partition_that_nobody_saw_only_the_name_is_known() -> None:
    """It was born between the look and the cut."""
    born = manifest(evolve(part("p1", 10), identity=UNKNOWN))
    assert differences(born, table(part("p1", 77, version=9, values="[5, 6)")), born.held.keys()) == ()


def test_versions_of_grown_partitions_are_not_compared() -> None:
    """There are several of them."""
    grown = evolve(part("p1", 10), identity=identity(10) | identity(11))
    known = manifest(grown)
    assert differences(known, table(part("p1", 77, version=1)), known.held.keys()) == ()


def test_the_partition_of_an_unpartitioned_table_is_named_like_the_table() -> None:
    """Whatever the table is called now."""
    known: Manifest = manifest(part("orders", 10), partitioning=Partitioning.NONE)
    alias = TableRef.parse("db1.__br_r1")
    assert differences(known, table(part("__br_r1", 77), table=alias), known.held.keys()) == ()


def test_what_was_read_over_has_versions_of_its_own_and_what_grew_no_buckets_of_its_own() -> None:
    known = manifest(part("p1", 10, version=7), evolve(part("p2", 11), identity=identity(11) | identity(12)))
    state, names = table(part("p1", 77), evolve(part("p2", 78), buckets=8)), known.held.keys()
    assert differences(known, state, names, copied=names) == ()
    assert differences(known, state, names) == (
        "partition p1 is at version 2, not between 7 and None",
        "partition p2 has 8 buckets, not 4",
    )
    assert differences(known, state, names, copied=[PartitionName("p2")]) == (
        "partition p1 is at version 2, not between 7 and None",
    )
    fixed = table(evolve(part("p1", 77), buckets=8), part("p2", 78))
    assert differences(known, fixed, names, copied=names) == ("partition p1 has 8 buckets, not 4",)
