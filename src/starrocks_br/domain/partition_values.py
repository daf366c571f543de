"""What partitions_meta says of a partition's values, read so that the partition can be made again, or refused."""

from __future__ import annotations

import json
import re
from typing import Final

from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_steps import NewPartition

_BOUNDS: Final = re.compile(
    r"\[types: \[(?P<types>[A-Z0-9_, ]+)\]; keys: \[(?P<lower>[^\[\]]*)\]; "
    r"\.\.types: \[(?P=types)\]; keys: \[(?P<upper>[^\[\]]*)\]; \)"
)


def new_partition(partition: Partition, partitioning: Partitioning) -> NewPartition:
    """What makes the partition again.

    Raises:
        ValueError: Its values cannot be written back with certainty.
    """
    # A grown partition is made anew with automatic buckets: as many as the server likes.
    buckets = 0 if partition.grown else partition.buckets
    if partitioning is Partitioning.LIST:
        return NewPartition(name=partition.name, values=parse_list_values(partition.values), buckets=buckets)
    return NewPartition(name=partition.name, values=parse_bounds(partition.values), buckets=buckets, ranged=True)


def parse_list_values(text: str) -> tuple[tuple[str, ...], ...]:
    """Read a LIST partition's PARTITION_VALUE: `[["a"],["b"]]` (O§w).

    Raises:
        ValueError: Not that, or a value that is no string: whether it round-trips was not shown.
    """
    rows = json.loads(text)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise ValueError("not a list of value tuples")
    for row in rows:
        for value in row:
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is no text")  # noqa: TRY004 -- one kind of error for one kind of fault
    return tuple(tuple(row) for row in rows)


def parse_bounds(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a RANGE partition's PARTITION_VALUE: `[types: [DATE]; keys: [2024-01-01]; ..types: … )` (O§w).

    Returns:
        The inclusive lower and the exclusive upper bound, a text per partition column.

    Raises:
        ValueError: Not that.
    """
    found = _BOUNDS.fullmatch(text)
    if found is None:
        raise ValueError("not a range with two bounds")
    columns = len(found["types"].split(", "))
    lower, upper = (tuple(found[side].split(", ")) for side in ("lower", "upper"))
    if not len(lower) == len(upper) == columns or not all((*lower, *upper)):
        raise ValueError(f"not {columns} keys on either side")
    return lower, upper
