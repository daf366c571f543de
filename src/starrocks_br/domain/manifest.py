"""The fold of a chain: which snapshot holds each partition of a table at one point."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from attrs import Factory, evolve, field, frozen

from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.names import ClusterId, Label, PartitionName, RepositoryName, TableRef
from starrocks_br.domain.partitions import Identity, Partitioning
from starrocks_br.domain.reprs import count
from starrocks_br.domain.snapshot import BackupType, Captured, Entry

_DIGEST_BYTES = 16
_FIRST = frozenset({BackupType.FULL})
_LATER = frozenset({BackupType.INCREMENTAL, BackupType.RESTORED})


@frozen(kw_only=True)
class Held:
    """One partition of a manifest.

    Attributes:
        captured: What was recorded of it when its holder was cut.
        holder: The snapshot that holds it.
        identity: What a later look is compared with: as captured, or as a restore from the holder left it.
    """

    captured: Captured
    holder: Label
    identity: Identity = field(default=Factory(lambda self: self.captured.partition.identity, takes_self=True))


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
        baseline: The newest snapshot of the chain that is no leaf: what a later entry rests on.
        dropped: The partitions that the table had there and has no longer.
        ddl: The CREATE TABLE that was recorded with the full entry: a chain has one schema; empty if there is none.
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
    baseline: Label
    dropped: frozenset[PartitionName] = field(default=frozenset(), repr=count)
    ddl: str = field(default="", repr=False)

    def identities(self) -> dict[PartitionName, Identity]:
        """Each partition's identity: what a later look is compared with."""
        return {name: held.identity for name, held in self.held.items()}

    @property
    def point(self) -> Label:
        """The snapshot whose point it is: the last of the chain."""
        return list(self.contents)[-1]

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
    """Fold more entries: the first of a chain is full, each later one rests on the manifest so far.

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
    baseline = manifest.baseline if manifest else entries[0].label
    dropped = manifest.dropped if manifest else frozenset()
    for entry in entries:
        if entry.type not in (_LATER if contents else _FIRST):
            raise _broken(
                entry, f"a chain starts with a full entry and goes on with incremental ones; this is {entry.type}"
            )
        total ^= _move(held, entry)
        if _text(total) != entry.digest:
            raise _broken(entry, "the partitions found are not those it was recorded with (its digest differs)")
        contents[entry.label] = 0 if entry.type is BackupType.RESTORED else len(entry.captured)
        baseline, dropped = (baseline, dropped | entry.dropped) if entry.leaf else (entry.label, frozenset())
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
        baseline=baseline,
        dropped=dropped,
        ddl=manifest.ddl if manifest else entries[0].schema_ddl,
    )


def _move(held: dict[PartitionName, Held], entry: Entry) -> int:
    """Apply one entry to the partitions so far; what it changes of their digest."""
    change = 0
    for name in entry.dropped:
        if name not in held:
            raise _broken(entry, f"it drops partition {name}, which its baseline does not have")
        change ^= _mark(name, held.pop(name).identity)
    if entry.type is BackupType.RESTORED:
        return change ^ _know_again(held, entry)
    for name, captured in entry.captured.items():
        if name in held:
            change ^= _mark(name, held[name].identity)
        change ^= _mark(name, captured.partition.identity)
        held[name] = Held(captured=captured, holder=entry.label)
    return change


def _know_again(held: dict[PartitionName, Held], entry: Entry) -> int:
    """Give every partition the identity that a restore gave it, its holder stays; what that changes of the digest.

    One that was left out would keep an identity of another table, which another partition could come to have.
    """
    if entry.captured.keys() != held.keys():
        raise _broken(entry, "it does not name exactly the partitions that its baseline has")
    change = 0
    for name, captured in entry.captured.items():
        change ^= _mark(name, held[name].identity) ^ _mark(name, captured.partition.identity)
        held[name] = evolve(held[name], identity=captured.partition.identity)
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
