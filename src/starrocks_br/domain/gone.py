"""Tables that were backed up with their database, and are not in it any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from starrocks_br.domain.names import ClusterId, DatabaseName, Label, TableRef
from starrocks_br.domain.snapshot import BackupType, Outline

_OF_A_BACKUP = frozenset({BackupType.FULL, BackupType.INCREMENTAL})


def gone_since(outlines: Iterable[Outline], existing: Collection[TableRef], cluster: ClusterId) -> frozenset[TableRef]:
    """The tables that went after the last backup of their database, as far as can be told from what it took.

    A backup of some tables is none of the database: a table counts as told of once a later backup took everything that
    is still there of what was taken with it last.

    Args:
        outlines: Entries that can be restored, in any order.
        existing: All tables of the cluster.
        cluster: This one: tables of another one never were here.
    """
    taken: dict[DatabaseName, dict[Label, set[TableRef]]] = defaultdict(lambda: defaultdict(set))
    own = [one for one in outlines if one.type in _OF_A_BACKUP and one.snapshot.cluster == cluster]
    for outline in sorted(own, key=lambda one: (one.snapshot.created_at, one.label), reverse=True):
        taken[outline.table.database][outline.label].add(outline.table)
    return frozenset(table for snapshots in taken.values() for table in _gone(snapshots.values(), frozenset(existing)))


def _gone(snapshots: Iterable[set[TableRef]], existing: frozenset[TableRef]) -> Iterable[TableRef]:
    """Of one database; the newest snapshot first."""
    seen: set[TableRef] = set()
    later: list[set[TableRef]] = []
    for taken in snapshots:
        absent = taken - seen - existing
        if absent and not any(taken & existing <= one for one in later):
            yield from absent
        seen |= taken
        later.append(taken)
