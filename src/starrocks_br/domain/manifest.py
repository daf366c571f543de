"""The fold of a chain: which snapshot holds each partition of a table at one point."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from attrs import field, frozen

from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.names import ClusterId, Label, PartitionName, RepositoryName, TableRef
from starrocks_br.domain.partitions import Identity, Partitioning
from starrocks_br.domain.reprs import count
from starrocks_br.domain.snapshot import BackupType, Captured, Entry

_DIGEST_BYTES = 16


@frozen(kw_only=True)
class Held:
    """One partition of a manifest.

    Attributes:
        captured: What was recorded of it.
        holder: The snapshot that captured it with this identity.
    """

    captured: Captured
    holder: Label


@frozen(kw_only=True)
class Manifest:
    """One table at one point.

    Attributes:
        table: Which.
        cluster: Whose.
        repository: Where its holders are.
        at: The point (UTC).
        table_id: The server's id of the table.
        partitioning: How it is divided.
        automatic: Whether partitions are made by an expression.
        fingerprint: Of its schema.
        schema_job: The newest finished schema change.
        held: Each partition and its holder.
        contents: For each snapshot of the chain, in chain order, how many partitions of the table it holds in all.
        digest: Over names and identities of `held`.
    """

    table: TableRef
    cluster: ClusterId
    repository: RepositoryName
    at: datetime
    table_id: int
    partitioning: Partitioning
    automatic: bool
    fingerprint: str
    schema_job: int | None
    held: Mapping[PartitionName, Held] = field(repr=count)
    contents: Mapping[Label, int]
    digest: str

    def identities(self) -> dict[PartitionName, Identity]:
        """Each partition's identity: what a later look is compared with."""
        return {name: held.captured.partition.identity for name, held in self.held.items()}

    def holders(self) -> frozenset[Label]:
        """The snapshots that give the table back: for a table without partitions the full one, for its schema."""
        return frozenset(held.holder for held in self.held.values()) or frozenset({next(iter(self.contents))})


def digest_of(identities: Mapping[PartitionName, Identity]) -> str:
    """A digest over names and identities that does not depend on their order."""
    total = 0
    for name, identity in identities.items():
        total ^= _mark(name, identity)
    return _text(total)


def extend(manifest: Manifest | None, *entries: Entry) -> Manifest:
    """Fold more entries: the first of a chain is full, each later one was cut against the manifest so far.

    The digest is carried along instead of being made anew, so a step costs what its entry captured.

    Args:
        manifest: The table at the baseline of the first of `entries`; None before the full one.
        entries: At least one, in chain order.

    Raises:
        BrokenChain: An entry does not follow, or the result is not what was recorded with it.
    """
    held = dict(manifest.held) if manifest else {}
    contents = dict(manifest.contents) if manifest else {}
    total = int(manifest.digest, 16) if manifest else 0
    for entry in entries:
        if entry.type is not (BackupType.INCREMENTAL if contents else BackupType.FULL):
            raise _broken(
                entry, f"a chain starts with a full entry and goes on with incremental ones; this is {entry.type}"
            )
        total ^= _move(held, entry)
        if _text(total) != entry.digest:
            raise _broken(entry, "the partitions found are not those it was recorded with (its digest differs)")
        contents[entry.label] = len(entry.captured)
    last = entries[-1]
    return Manifest(
        table=last.table,
        cluster=last.snapshot.cluster,
        repository=last.snapshot.repository,
        at=last.snapshot.snapshot_at or last.snapshot.created_at,
        table_id=last.table_id,
        partitioning=last.partitioning,
        automatic=last.automatic,
        fingerprint=last.fingerprint,
        schema_job=last.schema_job,
        held=held,
        contents=contents,
        digest=last.digest,
    )


def _move(held: dict[PartitionName, Held], entry: Entry) -> int:
    """Apply one entry to the partitions so far; what it changes of their digest."""
    change = 0
    for name in entry.dropped:
        if name not in held:
            raise _broken(entry, f"it drops partition {name}, which its baseline does not have")
        change ^= _mark(name, held.pop(name).captured.partition.identity)
    for name, captured in entry.captured.items():
        if name in held:
            change ^= _mark(name, held[name].captured.partition.identity)
        change ^= _mark(name, captured.partition.identity)
        held[name] = Held(captured=captured, holder=entry.label)
    return change


def _mark(name: PartitionName, identity: Identity) -> int:
    text: str = name
    for number, version, time in sorted(identity):
        text += f"\0{number},{version},{time}"
    return int.from_bytes(blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest())


def _text(total: int) -> str:
    return f"{total:0{2 * _DIGEST_BYTES}x}"


def _broken(entry: Entry, why: str) -> BrokenChain:
    return BrokenChain(
        f"the history of {entry.table} cannot be folded at snapshot {entry.label}",
        table=entry.table,
        labels=(entry.label,),
        why=why,
    )
