"""A restored table as a baseline: which new identities are known to be what its holders hold.

Every partition of a restored table has a new physical id: by identity alone all of it would have changed. But what a
restore made and nobody can have touched since is still what the snapshot holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from starrocks_br.domain.backup_plan import newer_job
from starrocks_br.domain.manifest import Held, Manifest, digest_of
from starrocks_br.domain.names import PartitionName, TableRef
from starrocks_br.domain.partitions import UNKNOWN, Identity, Partition, TableState, same_identity
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Snapshot
from starrocks_br.domain.verify import at_home


@frozen(kw_only=True)
class Filled:
    """A partition that was made by hand, and that a RESTORE of ours filled: meanwhile the table took no load (R§7.7).

    Attributes:
        ids: Of its physical partitions, when it was made.
        began: When the job began, by the leader's clock (seconds since the epoch).
        ended: When it had ended.
    """

    ids: frozenset[int]
    began: int
    ended: int


@frozen(kw_only=True)
class Restored:
    """One table that a restore gave back.

    Attributes:
        manifest: As what.
        table: The name that it has now.
        hidden: The last look under the alias, where nobody else could load it; schema included (`Cluster.observe`).
        shown: The last look under its name, schema included; None if it was hidden until it was complete.
        newest_job: The greatest JobId that its database told of at a look before it was exposed
            (`Observation.newest_job`); None if it told of none.
        not_before: The leader's clock before it was exposed (UTC).
        shown_at: The leader's clock before the look `shown` was taken (UTC).
        filled: Partitions that were made by hand after that.
    """

    manifest: Manifest
    table: TableRef
    hidden: TableState
    shown: TableState | None
    newest_job: int | None
    not_before: datetime
    shown_at: datetime | None = None
    filled: Mapping[PartitionName, Filled] = field(factory=dict)

    @property
    def seen(self) -> TableState:
        """The last look."""
        return self.shown or self.hidden

    @property
    def seen_at(self) -> datetime:
        """When the last look was taken: a load after it is not in the restored point, whoever loads it."""
        return self.not_before if self.shown_at is None else self.shown_at

    @property
    def at_home(self) -> bool:
        """Whether it has the name again under which it was backed up: another one has no history."""
        return self.table == self.manifest.table

    @property
    def obstacle(self) -> str:
        """Why the next backup cannot be cut against it; empty if it can."""
        if self.seen.table_id != self.hidden.table_id:
            return "another table has taken its place"
        if newer_job(self.seen.schema_job, self.newest_job):
            return "its schema was changed before the restore had ended"
        if self.hidden.fingerprint != self.manifest.fingerprint:
            return "its schema is not quite the one that was recorded"
        return ""


def anchored(restored: Restored, snapshot: Snapshot) -> Entry:
    """The entry that says what the table's partitions are known by from now on.

    The schema job is the newest one of the whole database: rows are told by the name of the table, so those of its
    namesake before it may still be listed, and every change from now on is newer (O2§y4).

    Args:
        restored: Back under its own name, without an obstacle.
        snapshot: The restore as a point.
    """
    manifest = restored.manifest
    known = _known(restored)
    complete = at_home(manifest, restored.seen).keys() == manifest.held.keys()
    return Entry(
        snapshot=snapshot,
        table=manifest.table,
        type=BackupType.RESTORED,
        baseline=manifest.baseline,
        table_id=restored.hidden.table_id,
        fingerprint=manifest.fingerprint,
        schema_job=restored.newest_job,
        digest=digest_of(known),
        captured={
            name: Captured(partition=evolve(held.captured.partition, identity=known[name]))
            for name, held in manifest.held.items()
        },
        dropped=manifest.dropped,
        automatic=manifest.automatic,
        partitioning=manifest.partitioning,
        consistency=Consistency.EXACT if complete and all(known.values()) else Consistency.FUZZY,
    )


def _known(restored: Restored) -> dict[PartitionName, Identity]:
    """Each partition's identity where it is certain that it is what the holder holds; else unknown."""
    before = at_home(restored.manifest, restored.hidden)
    now = at_home(restored.manifest, restored.seen)
    exposed_at = int(restored.not_before.timestamp())
    known = {}
    for name, held in restored.manifest.held.items():
        certain = name in now and (
            _unmoved(held, before.get(name), now[name], exposed_at)
            or _just_filled(held, now[name], restored.filled.get(name))
        )
        known[name] = now[name].identity if certain else UNKNOWN
    return known


def _unmoved(held: Held, hidden: Partition | None, now: Partition, exposed_at: int) -> bool:
    """Whether nobody can have touched a partition since RESTORE made it.

    What was seen under the alias is what it was there. Of a partition that came later RESTORE copied version and time
    from the source (O§c); whatever touches it, RESTORE over it included, gives it a time after the table was exposed.
    One load gives many partitions the same version and time: by its values it is told from one that took its name.
    """
    if hidden is not None:
        return same_identity(hidden.identity, now.identity)
    source = held.captured.partition
    marks = {_marks(source.identity), _marks(held.captured.after or UNKNOWN)}
    copied = now.values == source.values and _marks(now.identity) in marks
    return copied and all(time < exposed_at for _, _, time in now.identity)


def _just_filled(held: Held, now: Partition, filled: Filled | None) -> bool:
    """Whether nobody can have touched a partition since a RESTORE of ours filled it.

    RESTORE over a partition keeps its id, and gives it the snapshot's version and its own time (O§n). A later load
    gives it another version, an overwrite other ids, and another RESTORE a time after this one had ended. Which version
    the snapshot has is certain if both looks around its cut saw the same.
    """
    versions = {
        _versions(one) for one in (held.captured.partition.identity, held.captured.after or UNKNOWN, now.identity)
    }
    return (
        filled is not None
        and len(versions) == 1
        and now.values == held.captured.partition.values
        and {number for number, _, _ in now.identity} == filled.ids
        and all(filled.began <= time <= filled.ended for _, _, time in now.identity)
    )


def _versions(identity: Identity) -> tuple[int, ...]:
    return tuple(sorted(version for _, version, _ in identity))


def _marks(identity: Identity) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((version, time) for _, version, time in identity))
