"""What is known of each table's last usable backup, in a number of statements that does not grow with the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starrocks_br.domain.backup_plan import Recorded
from starrocks_br.domain.baseline import Baseline, newest_baseline
from starrocks_br.domain.chain import chain_to, lineage
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.events import Warned
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.partitions import Observation
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Outline
from starrocks_br.domain.status import RESTORABLE
from starrocks_br.services.requests import Place
from starrocks_br.services.watch import listed


def recorded(ports: Ports, place: Place, look: Observation) -> dict[TableRef, Recorded]:
    """The newest baseline of every observed table, folded, with the holders that the repository lacks."""
    outlines = _by_table(ports.backups.outlines(statuses=RESTORABLE), look.tables)
    bases = {
        table: base
        for table, state in look.tables.items()
        if (base := newest_baseline(outlines[table], table, look.cluster, place.repository, state.table_id))
    }
    chains = {table: _links(outlines[table], table, base) for table, base in bases.items()}
    entries = _read(ports, {link.label for links in chains.values() for link in links})
    manifests = {table: _manifest(ports, entries, table, base.label) for table, base in bases.items()}
    timestamps = {entry.label: entry.snapshot.backup_timestamp for entry in entries}
    missing = _missing(ports, place, manifests.values(), timestamps)
    return {
        table: Recorded(
            manifest=manifests[table],
            baseline=base.label,
            length=sum(link.type is not BackupType.RESTORED for link in chains[table]),
            seen_at=base.seen_at,
            newest_point=base.newest_point,
            missing=missing | _haunted(entries, table),
        )
        for table, base in bases.items()
    }


def _by_table(outlines: Collection[Outline], tables: Collection[TableRef]) -> dict[TableRef, list[Outline]]:
    grouped: dict[TableRef, list[Outline]] = {table: [] for table in tables}
    for outline in outlines:
        if outline.table in grouped:
            grouped[outline.table].append(outline)
    return grouped


def _links(outlines: Collection[Outline], table: TableRef, base: Baseline) -> tuple[Outline, ...]:
    try:
        return lineage(outlines, table, base.label)
    except BrokenChain:
        return ()


def _read(ports: Ports, labels: Collection[Label]) -> tuple[Entry, ...]:
    if not labels:
        return ()
    reading = ports.backups.entries(labels)
    for damage in reading.damages:
        ports.listener(Warned(message=f"history of {damage.label} {damage.table} is damaged: {damage.problem}"))
    return reading.entries


def _manifest(ports: Ports, entries: Collection[Entry], table: TableRef, label: Label) -> Manifest | None:
    try:
        return chain_to(entries, table, label).manifest()
    except BrokenChain as broken:
        ports.listener(Warned(message=f"{broken}; it is taken whole", table=table))
        return None


def _haunted(entries: Collection[Entry], table: TableRef) -> frozenset[Label]:
    """Snapshots that may hold ghosts of the table: a restore that found some has written it down."""
    return frozenset(
        entry.label for entry in entries if entry.table == table and entry.consistency is Consistency.UNKNOWN
    )


def _missing(
    ports: Ports,
    place: Place,
    manifests: Collection[Manifest | None],
    timestamps: Mapping[Label, str | None],
) -> frozenset[Label]:
    holders = frozenset(label for manifest in manifests if manifest for label in manifest.holders())
    found = listed(ports, place, place.repository, holders)
    sound = {label for label, remote in found.items() if remote.usable and remote.backup_timestamp == timestamps[label]}
    return holders - sound
