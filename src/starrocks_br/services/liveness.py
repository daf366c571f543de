"""Whether a restore is at work: what its journal, the job slots and the clock say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from starrocks_br.domain.errors import Busy, UnknownRestore
from starrocks_br.domain.journal import GRACE, QUIET, Journal, Journals
from starrocks_br.domain.names import RestoreId
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import RestorePartitions
from starrocks_br.domain.server import Job, JobKind, Server


def why_alive(ports: Ports, journal: Journal, server: Server, left: Journals) -> str:
    """Why a restore counts as at work; empty if it is dead.

    Args:
        ports: The outside.
        journal: Of the restore.
        server: The cluster.
        left: All that is open: a sign of life of one restore is one of all that its command began.
    """
    job = last_job(ports, journal)
    if job is not None and not job.ended:
        return f"a restore of {journal.target} still runs: its job is {job.state}"
    # Who watches a job notes its end a moment later.
    just_ended = job is not None and job.finished_at is not None and server.now - job.finished_at < QUIET
    if just_ended or left.may_be_alive(journal, server.now):
        return f"a restore of {journal.target} may still be at work: it was heard of a moment ago"
    if late := what_may_arrive(ports, journal, job, server.now):
        return (
            f"a restore of {journal.target} was stopped while its last {late} was sent: "
            f"that may still arrive, for {GRACE.total_seconds():.0f} s"
        )
    return ""


def what_may_arrive(ports: Ports, journal: Journal, job: Job | None, now: datetime) -> str:
    """The statement that would change the target's name or rows if it arrived after all; empty if there is none."""
    if not journal.may_arrive(now):
        return ""
    if job is None and journal.overlaying:
        return "RESTORE"
    return journal.unanswered(ports.cluster.table_ids([journal.target])) if journal.sent else ""


def last_job(ports: Ports, journal: Journal) -> Job | None:
    """The newest RESTORE job in the slot of the target's database, if the journal does not know its end."""
    return job_of(ports, journal, journal.jobs_sent)


def job_of(ports: Ports, journal: Journal, steps: Sequence[RestorePartitions]) -> Job | None:
    """The newest RESTORE job in the slot of the target's database, if it is that of one of a journal's steps."""
    jobs = ports.cluster.jobs(JobKind.RESTORE, [journal.target.database])
    return next((job for job in jobs for step in steps if is_job_of(job, step, journal.created_at)), None)


def is_job_of(job: Job, step: RestorePartitions, since: datetime | None) -> bool:
    """Whether a job is the step's: SHOW RESTORE's label is the snapshot's, so label alone does not tell (R§6.2).

    Args:
        job: As the slot shows it.
        step: What was sent.
        since: Before it was sent, on the leader's clock: a job that ended is an earlier one if it was created before.
            One that runs never is, for a slot holds one job: if it seems older, the clock was set back. None: the
            server said that it took it.
    """
    return (
        job.label == step.label
        and job.timestamp == step.backup_timestamp
        and (since is None or not job.ended or job.created_at >= since)
        and job.restores(step.source)
    )


def journal_of(ports: Ports, restore: RestoreId) -> Journal | None:
    """What is written of a restore; None if nothing is. Raises UnknownRestore if it cannot be read."""
    found = ports.restores.journals([restore])
    for damaged in found.damaged:
        raise UnknownRestore(f"restore {restore} cannot be gone on with", why=damaged.told)
    return found.of(restore)


def dead_journal(ports: Ports, server: Server, restore: RestoreId) -> Journal:
    """What is written of a restore, if nobody is at work on it or its tables. Raises UnknownRestore or Busy."""
    journal = journal_of(ports, restore)
    if journal is None or journal.cluster != server.cluster:
        raise UnknownRestore(
            f"restore {restore} is not known",
            why="nothing is written of it" if journal is None else f"it ran on cluster {journal.cluster}",
            hint="restore prints its id; starrocks-br list --restores lists all",
        )
    left = ports.restores.unfinished()
    alive = "" if journal.closed else why_alive(ports, journal, server, left)
    if alive:
        raise Busy(f"restore {restore} may be at work", why=alive, hint="try again in a minute")
    held = left.held
    for table in sorted(journal.names & held.keys()):
        raise Busy(f"another restore of {table} is not over", why=held[table], hint="end it as told, then try again")
    for other in left.sound:
        beside = other.restore != restore and other.cluster == server.cluster and other.names & journal.names
        if beside and (alive := why_alive(ports, other, server, left)):
            raise Busy(f"another restore of {other.target} may be at work", why=alive, hint="wait for it to end")
    return journal
