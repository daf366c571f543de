"""Closing what a killed or failed restore left behind: nothing is dropped that cannot be shown to be ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import evolve

from starrocks_br.domain.chain import chain_to, lineage
from starrocks_br.domain.errors import AccessDenied, Busy, Refused, UnknownRestore
from starrocks_br.domain.events import Settled, Warned
from starrocks_br.domain.journal import GRACE, QUIET, Journal, Journals, JournalStep, Mark, StepStatus
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropDatabase, DropTable, RestorePartitions, Step, Verify
from starrocks_br.domain.server import DONE, Job, JobKind, Server
from starrocks_br.domain.status import Status
from starrocks_br.domain.taking_back import to_the_end, way_back


def close_journals(ports: Ports, server: Server, settled: list[Settled]) -> Mapping[TableRef, str]:
    """Close the journal of every restore that a kill left open, and of none that is at work beside us.

    Returns:
        The tables that a restore may still work on, each with the reason.
    """
    left = ports.restores.unfinished()
    busy = held(left)
    for damaged in left.damaged:
        ports.listener(Warned(message=damaged.told))
    for journal in left.sound:
        if journal.cluster != server.cluster:
            ports.restores.abandon(journal.restore, "it belongs to another cluster")
            continue
        found = _closed_if_dead(ports, journal, server, left)
        settled.append(found)
        if found.outcome is None:
            busy |= dict.fromkeys(journal.names, found.detail)
    return busy


def held(left: Journals) -> dict[TableRef, str]:
    """The tables of restores that cannot be read: left alone until somebody has looked; each with the reason."""
    return {table: damaged.told for damaged in left.damaged for table in damaged.tables}


def journal_of(ports: Ports, restore: RestoreId) -> Journal | None:
    """What is written of a restore; None if nothing is. Raises UnknownRestore if it cannot be read."""
    found = ports.restores.journals([restore])
    for damaged in found.damaged:
        raise UnknownRestore(f"restore {restore} cannot be gone on with", why=damaged.told)
    return next(iter(found.sound), None)


def _closed_if_dead(ports: Ports, journal: Journal, server: Server, left: Journals) -> Settled:
    if alive := why_alive(ports, journal, server, left):
        return Settled(subject=journal.restore, outcome=None, detail=alive)
    try:
        return close_journal(ports, journal)
    except Busy as beside:
        return Settled(subject=journal.restore, outcome=None, detail=str(beside))
    except (AccessDenied, Refused) as refusal:
        # It stays open, and its tables busy: once that has passed, the next command takes it back.
        detail = f"the restore of {journal.target} cannot be taken back yet: {refusal}"
        return Settled(subject=journal.restore, outcome=None, detail=detail)


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
    if late := _may_arrive(ports, journal, job, server.now):
        return (
            f"a restore of {journal.target} was stopped while its last {late} was sent: "
            f"that may still arrive, for {GRACE.total_seconds():.0f} s"
        )
    return ""


def _may_arrive(ports: Ports, journal: Journal, job: Job | None, now: datetime) -> str:
    """The statement that would change the target's name or rows if it arrived after all; empty if there is none."""
    if not journal.may_arrive(now):
        return ""
    if job is None and journal.overlaying:
        return "RESTORE"
    step = journal.setting_aside
    if step is not None and ports.cluster.table_ids([step.table]).get(step.table) == step.table_id:
        return "RENAME"
    return ""


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


def close_journal(ports: Ports, journal: Journal) -> Settled:
    """Bring a restore to its end if its table was verified and has its name, else take it back; close its journal.

    Should the command that began it be alive after all, it is not granted a step from here on.

    A table is touched only if it bears an id that the restore wrote down, or if the job in the slot shows that the
    restore itself made the alias.

    Returns:
        FINISHED if it is complete, else FAILED, and what was done.

    Raises:
        Busy: Its command, or another that closes it, is at work.
        AccessDenied, Refused: It could not be taken back, and stays open.
    """
    take_over(ports, journal)
    found = ports.cluster.table_ids(journal.names)
    left = to_the_end(journal, found)
    if left is not None:
        _apply(ports, left)
        open_ = [number for number, line in enumerate(journal.steps) if line.status is not StepStatus.DONE]
        ports.restores.mark([Mark(restore=journal.restore, number=one, status=StepStatus.DONE) for one in open_])
        detail = f"the restore of {journal.target} was complete: only its last lines were missing"
        if found.get(journal.alias) not in {None, journal.replaced}:
            detail += f"; {journal.alias} is a table that took the name {journal.target} in the last moment: rename it"
        return Settled(subject=journal.restore, outcome=Status.FINISHED, detail=detail)
    return _given_back(ports, journal)


def give_back(ports: Ports, journal: Journal) -> Settled:
    """Take a restore back, even if it was complete, and close its journal; see `close_journal`."""
    take_over(ports, journal)
    return _given_back(ports, journal)


def take_over(ports: Ports, journal: Journal) -> str:
    """Let nobody else go on with a restore; the name under which its steps can be claimed from here on.

    Raises:
        Busy: Somebody went on with it, or closed it, since the journal was read: what it says does not hold any more.
    """
    holder = ports.tokens()
    ports.restores.take_over(journal.restore, holder)
    now = journal_of(ports, journal.restore)
    if now is None or (now.steps, now.marked_at) != (journal.steps, journal.marked_at):
        raise Busy(
            f"the restore of {journal.target} is in somebody's hands",
            why="its journal was written to a moment ago",
            hint="try again in a minute",
        )
    return holder


def _given_back(ports: Ports, journal: Journal) -> Settled:
    detail = f"the restore of {journal.target} was given up; {take_back(ports, journal)}"
    ports.restores.abandon(journal.restore, detail)
    return Settled(subject=journal.restore, outcome=Status.FAILED, detail=detail)


def whole_manifest(ports: Ports, journal: Journal) -> Manifest:
    """The table at the point that a restore is about, as recorded. Raises BrokenChain."""
    goal = next(line.step for line in journal.steps if isinstance(line.step, Verify))
    links = lineage(ports.backups.outlines(table=goal.source), goal.source, goal.point)
    entries = ports.backups.entries([link.label for link in links], goal.source).entries
    return chain_to(entries, goal.source, goal.point).manifest()


def informed(ports: Ports, journal: Journal) -> Journal:
    """The journal with the id of a table that its last job made, if a kill came before that was written down.

    The job in the slot is the evidence, unless it was cancelled: a name alone is none.
    """
    job = last_job(ports, journal) if journal.creating_sent else None
    if job is None or (job.ended and job.state != DONE):
        return journal
    found = ports.cluster.table_ids(journal.creating_sent)
    return evolve(journal, steps=tuple(_learned(line, found) for line in journal.steps))


def _learned(line: JournalStep, found: Mapping[TableRef, int]) -> JournalStep:
    step = line.step
    if isinstance(step, RestorePartitions) and step.creating and line.status is StepStatus.SENT:
        return evolve(line, table_id=found.get(step.into))
    return line


def take_back(ports: Ports, journal: Journal) -> str:
    """Give the table that lived before its name again, and hide or drop what was made; what was done, for people.

    Raises:
        AccessDenied, Refused: Not all of it could be done; what is left can be tried again.
    """
    journal = informed(ports, journal)
    back = way_back(journal, ports.cluster.table_ids(journal.names))
    _apply(ports, back.steps)
    return f"{back.detail}{_database_dropped(ports, journal)}" if journal.new_database else back.detail


def _database_dropped(ports: Ports, journal: Journal) -> str:
    """Drop a database that was made for the restore, unless it is of use to anybody; what was done, for people."""
    database = journal.target.database
    left = ports.restores.unfinished()
    others = {one.target for one in left.sound if one.restore != journal.restore} | held(left).keys()
    if ports.cluster.objects(database) != {} or any(table.database == database for table in others):
        return ""
    if trouble := dropped(ports, DropDatabase(database=database)):
        return f"; database {database}, which it made and which is empty, stays: {trouble}"
    return f"; database {database}, which it had made and which was empty, was dropped"


def _apply(ports: Ports, steps: Iterable[Step]) -> None:
    for step in steps:
        ports.cluster.apply(step)


def dropped(ports: Ports, step: DropDatabase | DropTable) -> str:
    """Drop what harms nobody if it stays; the server's words if it does not let us."""
    try:
        ports.cluster.apply(step)
    except (Refused, AccessDenied) as refusal:
        return str(refusal)
    return ""


def give_up(ports: Ports, restore: RestoreId, step: int, why: str, *, interrupted: bool = False) -> str:
    """Take back what a failing restore made, unless its job still runs; what was done, for people.

    Args:
        ports: The outside.
        restore: Which.
        step: The number of the step that failed: written down last, so that a kill meanwhile leaves the journal open.
        why: Its error.
        interrupted: Whether it was stopped from outside, perhaps with a statement under way.
    """
    try:
        journal = journal_of(ports, restore)
    except UnknownRestore as damage:
        return damage.why
    if journal is None or journal.closed:
        return ""
    job = last_job(ports, journal)
    if job is not None and not job.ended:
        return (
            f"its job is still {job.state}; once that has ended, restore --resume {restore} goes on with it, and any "
            "other command takes it back"
        )
    if interrupted and (late := _may_arrive(ports, journal, job, ports.cluster.now())):
        return f"its last {late} may still arrive; the next command takes it back"
    try:
        closed = close_journal(ports, journal)
    except Busy as beside:
        return str(beside)
    ports.restores.mark([Mark(restore=restore, number=step, status=StepStatus.FAILED, detail=why)])
    return closed.detail
