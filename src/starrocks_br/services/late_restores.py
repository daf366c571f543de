"""A RESTORE that arrived after its journal was closed: each hidden table that it made is found and dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import Journal
from starrocks_br.domain.names import RestoreId, TableRef, restore_of
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropTable, RestorePartitions
from starrocks_br.domain.server import Server
from starrocks_br.domain.status import Status
from starrocks_br.services.journals import dropped
from starrocks_br.services.liveness import job_of


def drop_late_tables(ports: Ports, server: Server) -> tuple[Settled, ...]:
    """Drop hidden tables of restores that are closed and never knew that they had made one.

    A connection that breaks leaves a RESTORE behind that the server may still accept. Under a hidden name it harms
    nobody, so that the next restore of the table need not wait for it.
    """
    hidden: dict[RestoreId, list[TableRef]] = defaultdict(list)
    for table in sorted(ports.cluster.tables()):
        restore = restore_of(table.name)
        if restore is not None:
            hidden[restore].append(table)
    known = ports.restores.journals(hidden).sound if hidden else ()
    return tuple(
        _settle(ports, journal, table, making)
        for journal in known
        if journal.closed and journal.cluster == server.cluster
        for table, making in _unknown_to(journal).items()
        if table in hidden[journal.restore]
    )


def _unknown_to(journal: Journal) -> Mapping[TableRef, Sequence[RestorePartitions]]:
    """The tables of which no id was ever written down, each with the jobs that make it."""
    making: dict[TableRef, list[RestorePartitions]] = {journal.alias: []}
    for line in journal.steps:
        if isinstance(line.step, RestorePartitions) and line.step.creating:
            making.setdefault(line.step.into, []).append(line.step)
    return {table: jobs for table, jobs in making.items() if table not in journal.made}


def _settle(ports: Ports, journal: Journal, table: TableRef, making: Sequence[RestorePartitions]) -> Settled:
    job = job_of(ports, journal, making)
    if job is None:
        detail = f"whether {table} is its table cannot be shown, so it stays: DROP TABLE it when you know"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    if not job.ended:
        detail = f"its RESTORE came late: the job is {job.state}; {table} is dropped once that has ended"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    if trouble := dropped(ports, DropTable(table=table)):
        detail = f"its RESTORE came late, and {table} could not be dropped: {trouble}"
        return Settled(subject=journal.restore, outcome=None, detail=detail)
    detail = f"its RESTORE came late: the unfinished table {table} was dropped"
    return Settled(subject=journal.restore, outcome=Status.FAILED, detail=detail)
