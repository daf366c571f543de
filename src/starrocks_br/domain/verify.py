"""What a restored table must look like."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starrocks_br.domain.manifest import Held, Manifest
from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import Identity, Partition, TableState


def differences(
    manifest: Manifest,
    state: TableState,
    expected: Collection[PartitionName],
    copied: Collection[PartitionName] = (),
) -> tuple[str, ...]:
    """How the table differs from the manifest, one line each; nothing is said of rows.

    Args:
        manifest: What is wanted in the end.
        state: What was seen.
        expected: The partitions that should be there by now.
        copied: Those that were loaded anew: versions and automatic buckets are their own.
    """
    return tuple(_differences(manifest, state, expected, copied))


def _differences(
    manifest: Manifest, state: TableState, expected: Collection[PartitionName], copied: Collection[PartitionName]
) -> Iterable[str]:
    found = at_home(manifest, state)
    for name in sorted(set(expected) - found.keys()):
        yield f"partition {name} is missing"
    for name in sorted(found.keys() - set(expected)):
        yield f"partition {name} should not be there"
    for name in sorted(state.temporary):
        yield f"temporary partition {name} should not be there"
    for name in sorted(found.keys() & set(expected)):
        yield from _of_partition(manifest.held[name], found[name], anew=name in copied)


def at_home(manifest: Manifest, state: TableState) -> dict[PartitionName, Partition]:
    """The partitions that were seen, by the names they have in the manifest.

    Only an unpartitioned table needs it: its one partition bears the table's present name.
    """
    own = PartitionName(manifest.table.name)
    return {own if str(name) == state.table.name else name: found for name, found in state.partitions.items()}


def _of_partition(held: Held, found: Partition, *, anew: bool) -> Iterable[str]:
    wanted = held.captured.partition
    if not wanted.identity:
        return
    if found.values != wanted.values:
        yield f"partition {wanted.name} holds {found.values}, not {wanted.values}"
    if found.buckets != wanted.buckets and not (anew and wanted.grown):
        yield f"partition {wanted.name} has {found.buckets} buckets, not {wanted.buckets}"
    if found.hole:
        yield f"partition {wanted.name} has a hole in its versions: no load would ever become visible"
    if len(found.identity) == len(wanted.identity) == 1 and not anew:
        yield from _of_version(held, found)


def _of_version(held: Held, found: Partition) -> Iterable[str]:
    lowest = _version(held.captured.partition.identity)
    highest = _version(held.captured.after) if held.captured.after else None
    version = _version(found.identity)
    if version < lowest or (highest is not None and version > highest):
        yield f"partition {found.name} is at version {version}, not between {lowest} and {highest}"


def _version(identity: Identity) -> int:
    return max(version for _, version, _ in identity)
