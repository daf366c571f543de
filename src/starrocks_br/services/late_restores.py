"""A RESTORE that arrived after its journal was closed: the hidden table that it made is found and dropped."""

from __future__ import annotations

from collections.abc import Iterator

from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import Journal
from starrocks_br.domain.names import RestoreId, TableRef, restore_of
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropTable, RestorePartitions
from starrocks_br.domain.server import Server
from starrocks_br.domain.status import Status
from starrocks_br.services.journals import dropped, job_of


def drop_late_tables(ports: Ports, server: Server) -> tuple[Settled, ...]:
    """Drop hidden tables of restores that are closed and never knew that they had made one.

    A connection that breaks leaves a RESTORE behind that the server may still accept. Under a hidden name it harms
    nobody, so that the next restore of the table need not wait for it.
    """
    hidden: dict[RestoreId, TableRef] = {}
    for table in ports.cluster.tables():
        restore = restore_of(table.name)
        if restore is not None:
            hidden[restore] = table
    known = ports.restores.journals(hidden) if hidden else ()
    return tuple(
        _settle(ports, journal)
        for journal in known
        if journal.closed
        and journal.cluster == server.cluster
        and journal.table_id is None
        and journal.alias in hidden.values()
    )


def _settle(ports: Ports, journal: Journal) -> Settled:
    job = job_of(ports, journal, list(_creating(journal)))
    if job is None:
        detail = f"whether {journal.alias} is its table cannot be shown, so it stays: DROP TABLE it when you know"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    if not job.ended:
        detail = f"its RESTORE came late: the job is {job.state}; {journal.alias} is dropped once that has ended"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    if trouble := dropped(ports, DropTable(table=journal.alias)):
        detail = f"its RESTORE came late, and {journal.alias} could not be dropped: {trouble}"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    detail = f"its RESTORE came late: the unfinished table {journal.alias} was dropped"
    return Settled(subject=journal.restore, outcome=Status.FAILED, detail=detail)


def _creating(journal: Journal) -> Iterator[RestorePartitions]:
    for line in journal.steps:
        if isinstance(line.step, RestorePartitions) and line.step.creating:
            yield line.step
