"""Every run also backs up its own history, so that an empty cluster can start from the repository alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starrocks_br.domain.manifest import digest_of
from starrocks_br.domain.names import DatabaseName, RunId, TableName, TableRef, metadata_label_for
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import Server
from starrocks_br.domain.snapshot import BackupType, Entry, Snapshot
from starrocks_br.domain.status import Status
from starrocks_br.services.attempt import Draft
from starrocks_br.services.campaign import Campaign
from starrocks_br.services.reports import DatabaseOutcome
from starrocks_br.services.requests import Place

HISTORY: Final = TableName("backup_history")
"""The one table that holds the whole backup state."""

OWN: Final = frozenset({HISTORY, TableName("restore_history")})
"""Our own tables, which every command reads and writes while it works."""


def save_history(ports: Ports, place: Place, server: Server, run: RunId) -> DatabaseOutcome | None:
    """Take a metadata snapshot of our own history; None if the last one already holds all there is to know.

    Always whole, never a point: `bootstrap` restores it, nothing else does.
    """
    if not _stale(ports, place, server, run):
        return None

    def draft(ops: DatabaseName, without: Mapping[TableRef, str]) -> Draft:
        del without  # of its one table nothing is seen that could endanger it
        return _draft(ports, place, server, run, TableRef(ops, HISTORY))

    return Campaign(ports=ports, place=place, max_parallel=1, draft=draft).run([place.ops])[place.ops]


def _stale(ports: Ports, place: Place, server: Server, run: RunId) -> bool:
    """Whether a row was written since the intent of this cluster's own last finished metadata snapshot.

    Rows of this run were, whatever the leader's clock says: it may have been set back.
    """
    outlines = ports.backups.outlines()
    saved = [
        outline.snapshot.created_at
        for outline in outlines
        if outline.type is BackupType.METADATA
        and outline.snapshot.status is Status.FINISHED
        and (outline.snapshot.cluster, outline.snapshot.repository) == (server.cluster, place.repository)
    ]
    others = [outline.snapshot for outline in outlines if outline.type is not BackupType.METADATA]
    changed = [max(one.created_at, one.finished_at or one.created_at) for one in others]
    return any(one.run == run for one in others) or (bool(changed) and (not saved or max(changed) >= max(saved)))


def _draft(ports: Ports, place: Place, server: Server, run: RunId, table: TableRef) -> Draft:
    now = ports.cluster.now()
    label = metadata_label_for(server.cluster, now, ports.tokens())
    snapshot = Snapshot(
        label=label,
        run=run,
        cluster=server.cluster,
        repository=place.repository,
        database=place.ops,
        status=Status.PENDING,
        created_at=now,
    )
    entry = Entry(
        snapshot=snapshot, table=table, type=BackupType.METADATA, table_id=0, fingerprint="", digest=digest_of({})
    )
    return Draft(
        entries=(entry,),
        looked_at=ports.clock.monotonic(),
        before=None,
        after=None,
        submit=lambda: ports.cluster.submit_whole(label, place.repository, table, place.job_timeout),
    )
