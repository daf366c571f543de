"""Which tables a run gave no point that `restore` takes by itself, although their snapshots are sound."""

from __future__ import annotations

from collections.abc import Iterable

from starrocks_br.domain.chain import points
from starrocks_br.domain.names import RunId
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.snapshot import Consistency
from starrocks_br.domain.status import RESTORABLE
from starrocks_br.services.reports import DatabaseOutcome, Inexact


def inexact(ports: Ports, run: RunId, outcomes: Iterable[DatabaseOutcome]) -> tuple[Inexact, ...]:
    """The tables whose only points of this run are not exact, in order; no statement if every last one is exact.

    An exact point of an earlier attempt of the same run is one: the table has what was asked for.

    Args:
        ports: The outside.
        run: This one.
        outcomes: How its databases ended.
    """
    doubtful = {
        outline.table: outline
        for outcome in outcomes
        for outline in outcome.tables
        if outline.consistency is not Consistency.EXACT
    }
    if not doubtful:
        return ()
    recorded = ports.backups.outlines(statuses=RESTORABLE)
    found = []
    for table, outline in sorted(doubtful.items()):
        exact = points(recorded, table)
        if all(point.snapshot.run != run for point in exact):
            newest = exact[0].snapshot.snapshot_at if exact else None
            found.append(Inexact(table=table, consistency=outline.consistency, newest_exact=newest))
    return tuple(found)
