"""What the server says of a partition's values is read so that the partition can be made again, or refused."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.partition_values import new_partition, parse_bounds
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.restore_steps import NewPartition
from tests.unit.domain.examples import identity, part

DAY = "[types: [DATE]; keys: [2024-01-01]; ..types: [DATE]; keys: [2024-01-02]; )"
PAIR = "[types: [INT, VARCHAR]; keys: [1, a b]; ..types: [INT, VARCHAR]; keys: [2, c]; )"


@pytest.mark.parametrize(
    ("text", "bounds"),
    [(DAY, (("2024-01-01",), ("2024-01-02",))), (PAIR, (("1", "a b"), ("2", "c")))],
)
def test_the_bounds_of_a_range_are_a_text_per_column(text: str, bounds: tuple[tuple[str, ...], ...]) -> None:
    assert parse_bounds(text) == bounds


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[["a"]]',
        DAY.replace("..types: [DATE]", "..types: [INT]"),
        DAY.removesuffix(")"),
        PAIR.replace("keys: [2, c]", "keys: [2]"),
        PAIR.replace("keys: [1, a b]", "keys: [1]"),
        DAY.replace("keys: [2024-01-01]", "keys: []"),
        DAY.replace("keys: [2024-01-02]", "keys: []"),
    ],
)
def test_what_is_not_two_bounds_of_all_columns_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a range with two bounds$|keys on either side"):
        parse_bounds(text)


def test_a_ranged_partition_is_made_with_its_buckets_and_a_grown_one_with_as_many_as_the_server_likes() -> None:
    day = part("p1", 1, values=DAY)
    made = NewPartition(name=day.name, values=(("2024-01-01",), ("2024-01-02",)), buckets=4, ranged=True)
    assert new_partition(day, Partitioning.RANGE) == made
    grown = evolve(day, identity=identity(1) | identity(2))
    assert new_partition(grown, Partitioning.RANGE) == evolve(made, buckets=0)


def test_a_list_partition_is_made_with_its_values_and_buckets() -> None:
    listed = part("p1", 1, values='[["a"],["b"]]')
    made = NewPartition(name=listed.name, values=(("a",), ("b",)), buckets=4)
    assert new_partition(listed, Partitioning.LIST) == made
