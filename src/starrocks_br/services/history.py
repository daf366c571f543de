"""What is recorded: for people who look back, and for programs that choose a point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from starrocks_br.domain import chain
from starrocks_br.domain.errors import BrokenChain, NotInitialised, RequestError
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_outline import outline_of
from starrocks_br.domain.snapshot import BackupType, Outline
from starrocks_br.domain.status import Status
from starrocks_br.domain.timeline import timeline
from starrocks_br.services.reports import HistoryReport, RestoresReport, SnapshotReport
from starrocks_br.services.requests import Place


def history(
    ports: Ports,
    place: Place,
    *,
    table: TableRef | DatabaseName | None = None,
    limit: int | None = None,
    everything: bool = False,
) -> HistoryReport:
    """Recorded entries, newest first, and which of them can be restored to exactly.

    Args:
        ports: The outside.
        place: What the command works with.
        table: Only this table's, or those of the tables of this database.
        limit: At most so many.
        everything: Metadata snapshots and expired ones, too.
    """
    _check_layout(ports, place)
    outlines = _outlines(ports, table)
    shown = [outline for outline in outlines if everything or _of_interest(outline)]
    cut = shown if limit is None else shown[:limit]
    return HistoryReport(outlines=tuple(cut), points=_exact_points(outlines), more=len(cut) < len(shown))


def restores(
    ports: Ports, place: Place, *, table: TableRef | DatabaseName | None = None, limit: int | None = None
) -> RestoresReport:
    """Restores that were written down, newest first, and what became of them.

    Args:
        ports: The outside.
        place: What the command works with.
        table: Only those of this table, or of the tables of this database.
        limit: At most so many.
    """
    _check_layout(ports, place)
    # only where all are meant the store can tell which are the newest
    found = ports.restores.newest(limit + 1 if limit is not None and table is None else None)
    shown = [outline_of(journal) for journal in reversed(found.sound) if _is_of(journal.target, table)]
    cut = shown if limit is None else shown[:limit]
    return RestoresReport(
        restores=tuple(cut), damages=tuple(one.told for one in found.damaged), more=len(cut) < len(shown)
    )


def points(ports: Ports, place: Place, table: TableRef, from_cluster: ClusterId | None = None) -> tuple[Outline, ...]:
    """What the table can be restored to exactly, newest first; each by its instant.

    Raises:
        RequestError: As in `domain.timeline`.
    """
    _check_layout(ports, place)
    outlines = ports.backups.outlines(table=table)
    found = chain.points(outlines, table)
    if from_cluster is None and len({outline.snapshot.cluster for outline in outlines}) < 2:  # noqa: PLR2004
        return found
    choice = timeline(outlines, table, ports.cluster.server().cluster, from_cluster)
    labels = {outline.label for outline in choice}
    return tuple(outline for outline in found if outline.label in labels)


def show(ports: Ports, place: Place, label: Label, table: TableRef | None = None) -> SnapshotReport:
    """One snapshot in full.

    Raises:
        RequestError: Nothing is recorded under that label.
    """
    _check_layout(ports, place)
    outlines = ports.backups.outlines()
    own = [outline for outline in outlines if outline.label == label]
    if not own:
        raise RequestError(f"nothing is recorded of snapshot {label}", hint="starrocks-br list --all shows every label")
    snapshot = own[0].snapshot
    reading = ports.backups.entries([label])
    entries = tuple(
        entry
        for entry in reading.entries
        if entry.type is not BackupType.METADATA and (table is None or entry.table == table)
    )
    remote = ports.cluster.find_snapshots(snapshot.repository, [label]).get(label)
    empty = snapshot.status is Status.UNCHANGED or own[0].type is BackupType.RESTORED
    silent = "" if empty else "the repository does not list it"
    return SnapshotReport(
        snapshot=snapshot,
        entries=entries,
        chains={entry.table: _chain(outlines, entry.table, label) for entry in entries},
        remote=remote.problem if remote is not None else silent,
        damages=reading.damages,
    )


def _check_layout(ports: Ports, place: Place) -> None:
    problem = ports.cluster.layout_problem()
    if problem:
        raise NotInitialised(f"the {place.ops} database is not ready", why=problem, hint="run starrocks-br init")


def _outlines(ports: Ports, table: TableRef | DatabaseName | None) -> tuple[Outline, ...]:
    if table is None or isinstance(table, TableRef):
        return ports.backups.outlines(table=table)
    return tuple(outline for outline in ports.backups.outlines() if _is_of(outline.table, table))


def _is_of(one: TableRef, wanted: TableRef | DatabaseName | None) -> bool:
    return wanted is None or wanted in {one, one.database}


def _of_interest(outline: Outline) -> bool:
    return outline.type is not BackupType.METADATA and outline.snapshot.status is not Status.EXPIRED


def _exact_points(outlines: Iterable[Outline]) -> frozenset[tuple[Label, TableRef]]:
    by_table: dict[TableRef, list[Outline]] = defaultdict(list)
    for outline in outlines:
        by_table[outline.table].append(outline)
    return frozenset((point.label, table) for table, own in by_table.items() for point in chain.points(own, table))


def _chain(outlines: Iterable[Outline], table: TableRef, label: Label) -> tuple[Label, ...]:
    try:
        return tuple(link.label for link in chain.lineage(outlines, table, label))
    except BrokenChain:
        return ()
