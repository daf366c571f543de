"""Closing what a killed or failed restore left behind: nothing is dropped that cannot be shown to be ours."""

from __future__ import annotations

from datetime import datetime

from starrocks_br.domain.errors import Refused
from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import GRACE, Journal, StepStatus
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropTable, Rename, RestorePartitions
from starrocks_br.domain.server import Job, JobKind, Server
from starrocks_br.domain.status import Status
from starrocks_br.services.requests import Place


def close_journals(ports: Ports, place: Place, server: Server, settled: list[Settled]) -> frozenset[TableRef]:
    """Close the journal of every restore that a kill left open, and of none that is at work beside us.

    Returns:
        The tables that a restore may still work on.
    """
    busy = set()
    for journal in ports.restores.unfinished():
        if journal.cluster != server.cluster:
            ports.restores.abandon(journal.restore, "it belongs to another cluster")
        elif detail := _still_open(journal, last_job(ports, journal), server.now):
            busy.add(journal.target)
            settled.append(Settled(subject=journal.restore, outcome=None, detail=detail))
        else:
            settled.append(close_journal(ports, place, journal))
    return frozenset(busy)


def _still_open(journal: Journal, job: Job | None, now: datetime) -> str:
    """Why the restore must be left alone; empty if it may be closed."""
    if job is not None and not job.ended:
        return f"a restore of {journal.target} still runs: its job is {job.state}"
    if journal.may_be_alive(now):
        return f"a restore of {journal.target} may still be at work: it was heard of less than a minute ago"
    if job is None and journal.may_arrive(now):
        return (
            f"a restore of {journal.target} was stopped while its last RESTORE was sent: "
            f"that may still arrive, for {GRACE.total_seconds():.0f} s"
        )
    return ""


def last_job(ports: Ports, journal: Journal) -> Job | None:
    """The newest RESTORE job in the slot of the target's database, if it is the journal's."""
    for job in ports.cluster.jobs(JobKind.RESTORE, [journal.target.database]):
        if any(is_job_of(job, step, journal.created_at) for step in journal.jobs_sent):
            return job
    return None


def is_job_of(job: Job, step: RestorePartitions, since: datetime) -> bool:
    """Whether a job is the step's: SHOW RESTORE's label is the snapshot's, so label alone does not tell (R§6.2)."""
    return (
        job.label == step.label
        and job.timestamp == step.backup_timestamp
        and job.created_at >= since
        and step.source in job.sources
    )


def close_journal(ports: Ports, place: Place, journal: Journal) -> Settled:
    """Take back what an incomplete restore made, and close its journal.

    The table is touched only if it bears the id that the restore wrote down, or if the job in the slot shows that the
    restore itself made the alias.

    Returns:
        FINISHED if nothing was missing, else FAILED, and what was done.
    """
    if _is_complete(ports, journal):
        ports.restores.mark(journal.restore, len(journal.steps) - 1, StepStatus.DONE)
        detail = f"the restore of {journal.target} was complete: only its last line was missing"
        return Settled(subject=journal.restore, outcome=Status.FINISHED, detail=detail)
    detail = _take_back(ports, place, journal)
    ports.restores.abandon(journal.restore, detail)
    return Settled(subject=journal.restore, outcome=Status.FAILED, detail=detail)


def _is_complete(ports: Ports, journal: Journal) -> bool:
    """Whether all was done and verified, and the rename that ends it has acted, too."""
    *before, last = journal.steps
    return (
        isinstance(last.step, Rename)
        and all(line.status is StepStatus.DONE for line in before)
        and journal.table_id is not None
        and ports.cluster.table_id(journal.target) == journal.table_id
    )


def _take_back(ports: Ports, place: Place, journal: Journal) -> str:
    known = journal.table_id is not None
    if journal.exposed and known and ports.cluster.table_id(journal.target) == journal.table_id:
        return _hide(ports, place, journal)
    made = ports.cluster.table_id(journal.alias)
    if made is None:
        return f"the restore of {journal.target} was given up; it left nothing behind"
    if made == journal.table_id or (journal.table_id is None and last_job(ports, journal) is not None):
        ports.cluster.apply(DropTable(table=journal.alias), place.repository, place.job_timeout)
        return f"the restore of {journal.target} was given up; its unfinished table {journal.alias} was dropped"
    return (
        f"the restore of {journal.target} was given up; whether {journal.alias} is its table cannot be shown, "
        f"so it stays: DROP TABLE {journal.alias} when you know"
    )


def _hide(ports: Ports, place: Place, journal: Journal) -> str:
    try:
        ports.cluster.apply(Rename(table=journal.target, to=journal.alias.name), place.repository, place.job_timeout)
    except Refused as refusal:
        return f"{journal.target} is an incomplete restore and could not be renamed: {refusal}"
    return (
        f"the restore of {journal.target} was given up; the incomplete table is {journal.alias} now: "
        f"DROP TABLE it when you need it no more"
    )


def give_up(ports: Ports, place: Place, restore: RestoreId, step: int, why: str, *, interrupted: bool = False) -> str:
    """Take back what a failing restore made, unless its job still runs; what was done, for people.

    Args:
        ports: The outside.
        place: What the command works with.
        restore: Which.
        step: The number of the step that failed: written down last, so that a kill meanwhile leaves the journal open.
        why: Its error.
        interrupted: Whether it was stopped from outside, perhaps with a statement under way.
    """
    for journal in ports.restores.unfinished():
        if journal.restore != restore:
            continue
        job = last_job(ports, journal)
        if job is not None and not job.ended:
            return f"its job is still {job.state}; the next command takes it back"
        if interrupted and job is None and journal.may_arrive(ports.cluster.now()):
            return "its last RESTORE may still arrive; the next command takes it back"
        closed = close_journal(ports, place, journal)
        ports.restores.mark(restore, step, StepStatus.FAILED, detail=why)
        return closed.detail
    return ""
