"""Which recorded backup of a table the next one is cut against."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from starrocks_br.domain.names import ClusterId, Label, RepositoryName, TableRef
from starrocks_br.domain.snapshot import BackupType, Consistency, Outline
from starrocks_br.domain.status import RESTORABLE, Status

_COMPARABLE = frozenset({Consistency.EXACT, Consistency.FUZZY})


@frozen(kw_only=True)
class Baseline:
    """The newest backup of a table that a later one can be cut against.

    Attributes:
        outline: Its entry.
        seen_at: When the table was last compared with it, or captured in it: only such a look shows that no schema
            change came since.
        newest_point: The newest point of the table, leaves included: the next one has to be later.
    """

    outline: Outline
    seen_at: datetime
    newest_point: datetime

    @property
    def label(self) -> Label:
        """Its snapshot."""
        return self.outline.label


def newest_baseline(
    outlines: Iterable[Outline], table: TableRef, cluster: ClusterId, repository: RepositoryName, table_id: int
) -> Baseline | None:
    """The newest finished entry that captured something, of the same cluster and repository.

    One of the same table id wins over a newer one of another table that bore the name; an entry of unknown
    consistency never is a baseline: what its snapshot holds was not compared with anything.
    """
    own = [
        outline
        for outline in outlines
        if outline.table == table
        and outline.type is not BackupType.METADATA
        and (outline.snapshot.cluster, outline.snapshot.repository) == (cluster, repository)
        and outline.snapshot.status in RESTORABLE
    ]
    comparable = [outline for outline in own if _comparable(outline)]
    if not comparable:
        return None
    newest = max(comparable, key=lambda outline: (outline.table_id == table_id, *_moment(outline)))
    seen_at = max(outline.snapshot.created_at for outline in own if newest.label in {outline.label, outline.baseline})
    return Baseline(outline=newest, seen_at=seen_at, newest_point=max(_moment(outline)[0] for outline in own))


def _comparable(outline: Outline) -> bool:
    return outline.snapshot.status is Status.FINISHED and not outline.leaf and outline.consistency in _COMPARABLE


def _moment(outline: Outline) -> tuple[datetime, Label]:
    return outline.snapshot.snapshot_at or outline.snapshot.created_at, outline.label
