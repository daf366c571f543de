"""After a restore: what the next backup is cut against, so that it need not take the whole table again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from attrs import frozen

from starrocks_br.domain.anchor import Restored, anchored
from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    RepositoryName,
    RunId,
    TableRef,
    restored_label_for,
    run_id,
)
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import Server
from starrocks_br.domain.snapshot import Outline, Snapshot
from starrocks_br.domain.status import Status
from starrocks_br.services.conclude import SECOND


def record(ports: Ports, server: Server, restored: Sequence[Restored]) -> tuple[str, ...]:
    """Write down the restored tables as baselines and points: one label, and one write, for each database and look.

    Call it once the tables are exposed, complete and verified, the sooner the better; the points are as old as the last
    looks at the tables, for what is loaded after these is in later points only. A table under another name than
    the one it was backed up under is left out: it has no history. Nothing here makes a restore fail.

    Args:
        ports: The outside.
        server: Where they were restored.
        restored: What was restored.

    Returns:
        Notes for the user: which tables the next backup takes whole, and why.
    """
    own = [one for one in restored if one.at_home]
    notes = [_note([one], one.obstacle) for one in own if one.obstacle]
    sound = [one for one in own if not one.obstacle]
    if not sound:
        return tuple(notes)
    try:
        return (*notes, *_Recording.begin(ports, server).record(sound))
    except StarRocksBrError as error:
        return (*notes, _note(sound, str(error)))


@frozen(kw_only=True)
class _Recording:
    """One recording of restored tables.

    Attributes:
        ports: The outside.
        cluster: Where they were restored.
        now: The leader's clock.
        run: Names the restore.
        recorded: All that is recorded already.
    """

    ports: Ports
    cluster: ClusterId
    now: datetime
    run: RunId
    recorded: tuple[Outline, ...]

    @classmethod
    def begin(cls, ports: Ports, server: Server) -> _Recording:
        now = ports.cluster.now()
        return cls(
            ports=ports,
            cluster=server.cluster,
            now=now,
            run=run_id(f"{now:%Y%m%dT%H%M%S}_{ports.tokens()}"),
            recorded=ports.backups.outlines(),
        )

    def record(self, restored: Iterable[Restored]) -> Iterator[str]:
        """One label for each database and look; a note for each that could not be written."""
        known = {(one.snapshot.cluster, one.table, one.table_id) for one in self.recorded}
        # A backup of it that began since would know of loads which a later point must not deny.
        new = [one for one in restored if (self.cluster, one.manifest.table, one.hidden.table_id) not in known]
        for _, group in groupby(sorted(new, key=_together), key=_together):
            tables = list(group)
            snapshot = self._snapshot(tables)
            try:
                self.ports.backups.record([anchored(one, snapshot) for one in tables])
            except StarRocksBrError as error:
                yield _note(tables, str(error))

    def _snapshot(self, restored: Sequence[Restored]) -> Snapshot:
        database, repository, seen_at = _together(restored[0])
        not_before = min(one.not_before for one in restored)
        return Snapshot(
            label=restored_label_for(database, self.now, self.ports.tokens()),
            run=self.run,
            cluster=self.cluster,
            repository=repository,
            database=database,
            status=Status.FINISHED,
            created_at=not_before,
            not_before=not_before,
            snapshot_at=max(seen_at, *self._points([one.table for one in restored])) + SECOND,
            finished_at=self.now,
        )

    def _points(self, tables: Collection[TableRef]) -> Iterable[datetime]:
        """Of the tables, on whatever cluster: the restored state is later, whatever its leader's clock says."""
        points = (one.snapshot.snapshot_at for one in self.recorded if one.table in tables)
        return (at for at in points if at is not None)


def _together(restored: Restored) -> tuple[DatabaseName, RepositoryName, datetime]:
    """Tables of which this is the same are one point: it must be no later than the last look at any of them."""
    return restored.table.database, restored.manifest.repository, restored.seen_at


def _note(restored: Sequence[Restored], why: str) -> str:
    return f"the next backup takes {', '.join(str(one.table) for one in restored)} whole: {why}"
