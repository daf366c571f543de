"""Whose past a table is taken back to, where the history holds that of several clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from starrocks_br.domain.chain import AnyLink, Link
from starrocks_br.domain.errors import RequestError
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import ClusterId, TableRef
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.domain.status import RESTORABLE


def timeline(
    links: Iterable[AnyLink], table: TableRef, own: ClusterId, wanted: ClusterId | None = None
) -> tuple[AnyLink, ...]:
    """The points of one table among which an instant names one: two clusters may each have another table of its name.

    It is for choosing only: the chain of what was chosen is followed through all links, for a restore may rest on
    another cluster's snapshots.

    Args:
        links: What is recorded, of all clusters.
        table: Whose past.
        own: The cluster that we are connected to.
        wanted: The cluster whose points are wanted; None: our own ones, and before the first of them those of clusters
            that followed one another, as after disasters.

    Returns:
        Links that can be points, exact or not; none if nothing of the table can be restored to.

    Raises:
        RequestError: Nothing is recorded of the wanted cluster; or none is wanted, we have no point, and several others
            have some from the same time.
    """
    found = [link for link in links if link.table == table and link.type is not BackupType.METADATA]
    points = [link for link in found if link.snapshot.status in RESTORABLE and link.snapshot.snapshot_at is not None]
    if wanted is not None:
        return _only(points, table, wanted)
    ours = [link for link in points if link.snapshot.cluster == own]
    first = min((_at(link) for link in ours), default=None)
    past = [link for link in points if link.snapshot.cluster != own and (first is None or _at(link) < first)]
    if not _overlap(past):
        return (*past, *ours)
    if not ours:
        raise _ambiguous(past, table)
    return tuple(ours)


def _overlap(points: Iterable[Link]) -> bool:
    """Whether one cluster has points from between those of another: then an instant does not tell whose are meant."""
    in_order = sorted(points, key=lambda link: (_at(link), link.snapshot.cluster))
    stretches = [cluster for cluster, _ in groupby(in_order, key=lambda link: link.snapshot.cluster)]
    return len(stretches) > len(set(stretches))


def _at(link: Link) -> datetime:
    at = link.snapshot.snapshot_at
    assert at is not None, "only points have a time"  # noqa: S101
    return at


def _only(points: Sequence[AnyLink], table: TableRef, wanted: ClusterId) -> tuple[AnyLink, ...]:
    chosen = tuple(link for link in points if link.snapshot.cluster == wanted)
    if not chosen:
        known = ", ".join(sorted({link.snapshot.cluster for link in points})) or "no cluster"
        raise RequestError(
            f"no point of {table} is recorded of cluster {wanted}",
            why=f"there are some of {known}",
            hint=f"starrocks-br bootstrap --from-cluster {wanted} takes its history over from the repository",
        )
    return chosen


def _ambiguous(points: Sequence[Link], table: TableRef) -> RequestError:
    newest = [
        f"{cluster} (up to {show_instant(max(_at(link) for link in points if link.snapshot.cluster == cluster))})"
        for cluster in sorted({link.snapshot.cluster for link in points})
    ]
    return RequestError(
        f"several clusters have points of {table}, and this one has none",
        why=f"they are {', '.join(newest)}",
        hint="say which with --from-cluster",
    )
