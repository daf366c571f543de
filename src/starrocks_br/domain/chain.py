"""The exact entries that give a table back: found by recorded baselines, never by time or name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from attrs import field, frozen

from starrocks_br.domain.errors import BrokenChain, NoPoint
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.reprs import count
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Snapshot
from starrocks_br.domain.status import RESTORABLE, Status


class Link(Protocol):
    """What lineage is made of: an `Entry`, or the `Outline` of one."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot it is a part of."""

    @property
    def table(self) -> TableRef:
        """Whose part."""

    @property
    def type(self) -> BackupType:
        """What it captured."""

    @property
    def baseline(self) -> Label | None:
        """What it was cut against, or what was restored."""

    @property
    def consistency(self) -> Consistency:
        """How well its point is known."""


AnyLink = TypeVar("AnyLink", bound=Link)


@frozen
class Chain:
    """A table's entries from a full one to the target; each baseline is the label before it.

    Attributes:
        entries: At least one, the full one first.
    """

    entries: tuple[Entry, ...] = field(repr=count)

    def manifest(self) -> Manifest:
        """The table at the target. Raises BrokenChain if the fold is not what was recorded."""
        return extend(None, *self.entries)


def points(links: Iterable[AnyLink], table: TableRef, *, allow_fuzzy: bool = False) -> tuple[AnyLink, ...]:
    """What the table can be restored to, newest first: exact points (with `allow_fuzzy` all) whose chain is whole."""
    own = _of_table(links, table)
    index, doubled = _index(own)
    candidates = [link for link in own if _is_point(link, allow_fuzzy=allow_fuzzy)]
    return tuple(sorted((link for link in candidates if _whole(index, doubled, link)), key=_moment, reverse=True))


def point_at(links: Iterable[AnyLink], table: TableRef, at: datetime, *, allow_fuzzy: bool = False) -> AnyLink:
    """The newest point at or before the instant, whether or not its chain is whole: a broken one is never skipped.

    Raises:
        NoPoint: There is none; the error tells the oldest and the newest one.
    """
    own = _of_table(links, table)
    known = sorted((link for link in own if _is_point(link, allow_fuzzy=allow_fuzzy)), key=_moment)
    before = [link for link in known if _moment(link)[0] <= at]
    if before:
        return before[-1]
    raise _no_point(table, at, known, own)


def unsure_at(links: Iterable[AnyLink], table: TableRef, at: datetime) -> AnyLink | None:
    """The point whose cut may lie on either side of the instant (`not_before ≤ at < snapshot_at`), if there is one."""
    for link in _of_table(links, table):
        start, end = link.snapshot.not_before, link.snapshot.snapshot_at
        if _is_point(link, allow_fuzzy=True) and start is not None and end is not None and start <= at < end:
            return link
    return None


def lineage(links: Iterable[AnyLink], table: TableRef, target: Label) -> tuple[AnyLink, ...]:
    """The links from a full one to the target, by recorded baselines; their order in `links` never matters.

    Raises:
        BrokenChain: A gap, a cycle, another cluster's or repository's link, or one that is unfinished or expired.
    """
    return _walk(*_index(_of_table(links, table)), table, target)


def chain_to(entries: Iterable[Entry], table: TableRef, target: Label) -> Chain:
    """The chain that ends with the target's entry of the table. Raises BrokenChain, as `lineage` does."""
    return Chain(lineage(entries, table, target))


def resolve_chain(entries: Iterable[Entry], table: TableRef, at: datetime, *, allow_fuzzy: bool = False) -> Chain:
    """The chain of the newest point at or before the instant. Raises NoPoint or BrokenChain."""
    known = tuple(entries)
    return chain_to(known, table, point_at(known, table, at, allow_fuzzy=allow_fuzzy).snapshot.label)


def _of_table(links: Iterable[AnyLink], table: TableRef) -> list[AnyLink]:
    return [link for link in links if link.table == table and link.type is not BackupType.METADATA]


def _index(links: Sequence[AnyLink]) -> tuple[dict[Label, AnyLink], frozenset[Label]]:
    index: dict[Label, AnyLink] = {}
    doubled = set()
    for link in links:
        if link.snapshot.label in index:
            doubled.add(link.snapshot.label)
        index[link.snapshot.label] = link
    return index, frozenset(doubled)


def _walk(
    index: dict[Label, AnyLink], doubled: frozenset[Label], table: TableRef, target: Label
) -> tuple[AnyLink, ...]:
    walked: list[AnyLink] = []
    seen: set[Label] = set()
    label: Label | None = target
    while label is not None:
        problem = _problem(index, doubled, seen, label, walked)
        if problem:
            raise BrokenChain(
                f"{table} cannot be restored from snapshot {target}",
                table=table,
                labels=(*(link.snapshot.label for link in walked), label),
                why=problem,
                hint=f"starrocks-br list --table {table} shows the points that can be restored",
            )
        seen.add(label)
        walked.append(index[label])
        label = index[label].baseline
    return tuple(reversed(walked))


def _problem(
    index: dict[Label, AnyLink],
    doubled: frozenset[Label],
    seen: set[Label],
    label: Label,
    walked: Sequence[AnyLink],
) -> str:
    if label in seen:
        return f"its chain goes in a circle at snapshot {label}"
    if label not in index:
        return f"its chain needs snapshot {label}, of which nothing sound is recorded"
    if label in doubled:
        return f"its chain needs snapshot {label}, which is recorded twice"
    return _unfit(index[label], walked)


def _unfit(link: Link, walked: Sequence[Link]) -> str:
    snapshot = link.snapshot
    wanted = RESTORABLE if not walked else {Status.FINISHED}
    if snapshot.status not in wanted:
        return f"its chain needs snapshot {snapshot.label}, which is {snapshot.status}"
    if (link.type is BackupType.FULL) is (link.baseline is not None):
        return f"snapshot {snapshot.label} is recorded as {link.type} with baseline {link.baseline}"
    if walked and not _at_home(link, walked[-1]):
        return f"its chain needs snapshot {snapshot.label}, which belongs to another cluster or repository"
    return ""


def _at_home(link: Link, above: Link) -> bool:
    """Whether two links go together: only a restore takes a chain from one cluster to another."""
    below, snapshot = link.snapshot, above.snapshot
    same_cluster = below.cluster == snapshot.cluster or above.type is BackupType.RESTORED
    return same_cluster and below.repository == snapshot.repository


def _whole(index: dict[Label, AnyLink], doubled: frozenset[Label], link: AnyLink) -> bool:
    try:
        _walk(index, doubled, link.table, link.snapshot.label)
    except BrokenChain:
        return False
    return True


def _is_point(link: Link, *, allow_fuzzy: bool) -> bool:
    return (
        link.snapshot.status in RESTORABLE
        and link.snapshot.snapshot_at is not None
        and (allow_fuzzy or link.consistency is Consistency.EXACT)
    )


def _moment(link: Link) -> tuple[datetime, Label]:
    at = link.snapshot.snapshot_at
    assert at is not None, "only points are ordered"  # noqa: S101
    return at, link.snapshot.label


def _no_point(table: TableRef, at: datetime, known: Sequence[Link], own: Sequence[Link]) -> NoPoint:
    what = f"{table} cannot be restored to {show_instant(at)}"
    if known:
        oldest, newest = _moment(known[0])[0], _moment(known[-1])[0]
        return NoPoint(
            what,
            oldest=oldest,
            newest=newest,
            why=f"its oldest restorable point is {show_instant(oldest)}, its newest {show_instant(newest)}",
            hint=f"starrocks-br list --table {table} shows its points",
        )
    if any(_is_point(link, allow_fuzzy=True) for link in own):
        return NoPoint(
            what,
            why="none of its points is exact",
            hint="--allow-fuzzy takes the nearest one: some partitions may be slightly older than others",
        )
    return NoPoint(what, why="no finished backup of it is recorded", hint="check the name, and starrocks-br list --all")
