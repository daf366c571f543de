"""The partitions of an entry as JSON: what `backup_history.partitions_json` holds, format 1.

A table can have a hundred thousand partitions, so what is done for each of them is done by hand.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from typing import Any, Final, Literal

from attrs import frozen

from starrocks_br.adapters.documents import MAX_BYTES, PART_BYTES, DamagedDocument, converter, encode, exactly, read
from starrocks_br.domain.errors import Unrestorable
from starrocks_br.domain.names import PartitionName, partition_name
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.snapshot import Captured, Entry


@frozen(kw_only=True)
class PartitionsDocument:
    """What is stored of an entry's partitions.

    Attributes:
        captured: The partitions, by name.
        dropped: What its baseline has and it has not.
        digest: Over the complete manifest.
        partitioning: How the table is divided.
        automatic: Whether partitions are made by an expression.
    """

    captured: dict[PartitionName, Captured]
    dropped: frozenset[PartitionName]
    digest: str
    partitioning: Partitioning
    automatic: bool


@frozen(kw_only=True)
class _Head:
    """A document without its partitions; every part of an entry's documents repeats all but `dropped`."""

    format: Literal[1]
    dropped: tuple[PartitionName, ...]
    digest: str
    partitioning: Partitioning
    automatic: bool


def dumps_partitions(entry: Entry, limit: int = PART_BYTES) -> Iterator[str]:
    """Write an entry's partitions, cut into documents of about `limit` bytes; at least one.

    Raises:
        Unrestorable: A single partition does not fit into a row.
    """
    head = {"format": 1, "digest": entry.digest, "partitioning": entry.partitioning.value, "automatic": entry.automatic}
    for captured, dropped in _packed(entry, limit):
        start = encode({**head, "dropped": dropped})
        text = f'{start[:-1]},"partitions":{{{",".join(captured)}}}}}'
        if len(text) > MAX_BYTES:
            raise Unrestorable(
                f"{entry.table} cannot be recorded", why=f"one of its partitions takes {len(text)} bytes to write down"
            )
        yield text


def _packed(entry: Entry, limit: int) -> Iterator[tuple[list[str], list[str]]]:
    captured: list[str] = []
    dropped: list[str] = []
    room = limit
    for name, text in chain(_written(entry), ((name, "") for name in sorted(entry.dropped))):
        cost = len(text or encode(name)) + 1
        if cost > room and (captured or dropped):
            yield captured, dropped
            captured, dropped, room = [], [], limit
        room -= cost
        if text:
            captured.append(text)
        else:
            dropped.append(name)
    yield captured, dropped


def _written(entry: Entry) -> Iterator[tuple[PartitionName, str]]:
    for name, captured in sorted(entry.captured.items()):
        partition = captured.partition
        stored = {
            "after": None if captured.after is None else sorted(captured.after),
            "before": sorted(partition.identity),
            "buckets": partition.buckets,
            "bytes": partition.size,
            "replication": partition.replication_num,
            "rows": partition.rows,
            "values": partition.values,
        }
        if partition.hole:
            stored["hole"] = True
        yield name, encode({name: stored})[1:-1]


def loads_partitions(texts: Sequence[str], where: Sequence[str]) -> PartitionsDocument:
    """Read an entry's partitions back from all its documents.

    Args:
        texts: The documents, in the order they were written.
        where: Names each one's row and field.

    Raises:
        DamagedDocument: They are not what was written.
    """
    with _uncollected():
        return _joined([read(text, row, _part) for text, row in zip(texts, where, strict=True)], where)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: nothing made in here is garbage, and to look for it takes half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _joined(parts: Sequence[tuple[_Head, dict[PartitionName, Captured]]], where: Sequence[str]) -> PartitionsDocument:
    captured: dict[PartitionName, Captured] = {}
    dropped: set[PartitionName] = set()
    first = parts[0][0]
    for (head, partitions), row in zip(parts, where, strict=True):
        if _shared(head) != _shared(first):
            raise DamagedDocument(f"{row}: it does not belong to the row before it")
        if captured.keys() & partitions.keys() or len(dropped | {*head.dropped}) != len(dropped) + len(head.dropped):
            raise DamagedDocument(f"{row}: a partition is recorded twice")
        captured |= partitions
        dropped.update(head.dropped)
    return PartitionsDocument(
        captured=captured,
        dropped=frozenset(dropped),
        digest=first.digest,
        partitioning=first.partitioning,
        automatic=first.automatic,
    )


def _shared(head: _Head) -> tuple[str, Partitioning, bool]:
    return head.digest, head.partitioning, head.automatic


def _part(found: Any) -> tuple[_Head, dict[PartitionName, Captured]]:
    partitions = exactly(exactly(found, dict).pop("partitions"), dict)
    head = converter().structure(found, _Head)
    return head, {partition_name(name): _captured(PartitionName(name), stored) for name, stored in partitions.items()}


_FIELDS: Final = ("after", "before", "buckets", "bytes", "replication", "rows", "values")
_values = itemgetter(*_FIELDS)
_UNKNOWN: Final = type(None)
_SHAPES: Final = frozenset(
    (after, list, int, size, int, rows, str)
    for after in (list, _UNKNOWN)
    for size in (int, _UNKNOWN)
    for rows in (int, _UNKNOWN)
)


def _captured(name: PartitionName, stored: Any) -> Captured:
    hole = exactly(stored, dict).pop("hole", False)
    if len(stored) != len(_FIELDS):
        raise ValueError(f"partition {name!r} has not the fields {', '.join(_FIELDS)}")
    values = after, before, buckets, size, replication, rows, bounds = _values(stored)
    if tuple(map(type, values)) not in _SHAPES or type(hole) is not bool:
        raise TypeError(f"partition {name!r} has a field of a wrong type: {stored!r:.200}")
    return Captured(
        partition=Partition(
            name=name,
            identity=_identity(name, before),
            values=bounds,
            buckets=buckets,
            replication_num=replication,
            rows=rows,
            size=size,
            hole=hole,
        ),
        after=None if after is None else _identity(name, after),
    )


def _identity(name: PartitionName, marks: list[Any]) -> Identity:
    try:
        found = [(one, version, at) for one, version, at in marks if type(one) is type(version) is type(at) is int]
    except (ValueError, TypeError):
        found = []
    if len(found) != len(marks):
        raise TypeError(f"partition {name!r}: {marks!r:.60} is no list of physical id, version and its time")
    return frozenset(found)
