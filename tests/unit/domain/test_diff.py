"""Two looks at one table."""

from __future__ import annotations

from starrocks_br.domain.diff import diff_partitions
from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import UNKNOWN
from tests.unit.domain.examples import identity

P1, P2, P3, P4, P5 = (PartitionName(f"p{number}") for number in range(1, 6))


def test_names_are_sorted_out_by_identity() -> None:
    """A lower version is as changed as a higher one; an unknown identity always is."""
    before = {P1: identity(1, 5), P2: identity(2, 5), P3: identity(3), P4: UNKNOWN}
    now = {P1: identity(1, 4), P2: identity(2, 5), P4: UNKNOWN, P5: identity(5)}
    diff = diff_partitions(before, now)
    assert [sorted(names) for names in (diff.new, diff.changed, diff.dropped, diff.same)] == [
        [P5],
        [P1, P4],
        [P3],
        [P2],
    ]
    assert diff.moved


def test_a_dropped_partition_alone_is_a_move() -> None:
    """And nothing at all is none."""
    assert diff_partitions({P1: identity(1)}, {}).moved
    assert not diff_partitions({P1: identity(1)}, {P1: identity(1)}).moved
