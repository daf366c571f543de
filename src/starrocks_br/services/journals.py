"""Closing what a killed or failed restore left behind: nothing is dropped that cannot be shown to be ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from attrs import evolve

from starrocks_br.domain.chain import chain_to, lineage
from starrocks_br.domain.errors import AccessDenied, Busy, Refused, UnknownRestore
from starrocks_br.domain.events import Settled, Warned
from starrocks_br.domain.journal import CLOSER, Claim, Journal, Journals, JournalStep, Mark, StepStatus
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropDatabase, DropTable, RestorePartitions, Step, Verify
from starrocks_br.domain.server import DONE, Server
from starrocks_br.domain.status import Status
from starrocks_br.domain.taking_back import to_the_end, way_back
from starrocks_br.services.liveness import journal_of, last_job, what_may_arrive, why_alive


def close_journals(ports: Ports, server: Server, settled: list[Settled]) -> Mapping[TableRef, str]:
    """Close the journal of every restore that a kill left open, and of none that is at work beside us.

    Returns:
        The tables that a restore may still work on, each with the reason.
    """
    left = ports.restores.unfinished()
    busy = left.held
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


def close_journal(ports: Ports, journal: Journal) -> Settled:
    """Bring a restore to its end if its table was verified and has its name, else take it back; close its journal.

    Should the command that began it be alive after all, it is not granted a step from here on.

    A table is touched only if it bears an id that the restore wrote down, or if the job in the slot shows that the
    restore itself made the alias.

    Returns:
        FINISHED if it is complete, else FAILED, and what was done.

    Raises:
        Busy: Its command, or another that closes it, is at work.
        AccessDenied, Refused: It could not be taken back, or not be seen whether there is anything to take back; it
            stays open.
    """
    with closing(ports, journal):
        found = what_bears_its_names(ports, journal)
        left = to_the_end(journal, found)
        return _given_back(ports, journal) if left is None else _brought_to_its_end(ports, journal, left, found)


def _brought_to_its_end(ports: Ports, journal: Journal, left: Iterable[Step], found: Mapping[TableRef, int]) -> Settled:
    _apply(ports, left)
    numbers = [number for number, line in enumerate(journal.steps) if line.status is not StepStatus.DONE]
    ports.restores.mark([Mark(restore=journal.restore, number=one, status=StepStatus.DONE) for one in numbers])
    detail = f"the restore of {journal.target} was complete: only its last lines were missing"
    if found.get(journal.alias) not in {None, journal.replaced}:
        detail += f"; {journal.alias} is a table that took the name {journal.target} in the last moment: rename it"
    return Settled(subject=journal.restore, outcome=Status.FINISHED, detail=detail)


def give_back(ports: Ports, journal: Journal) -> Settled:
    """Take a restore back, even if it was complete, and close its journal; see `close_journal`."""
    with closing(ports, journal):
        return _given_back(ports, journal)


def _given_back(ports: Ports, journal: Journal) -> Settled:
    detail = f"the restore of {journal.target} was given up; {take_back(ports, journal)}"
    ports.restores.abandon(journal.restore, detail)
    return Settled(subject=journal.restore, outcome=Status.FAILED, detail=detail)


@contextmanager
def closing(ports: Ports, journal: Journal, *, undoing: bool = False) -> Iterator[None]:
    """Nobody else goes on with a restore or closes it meanwhile: SWAP sent twice would change nothing at all.

    What is refused is left to the next command, which need not wait as it does for a closer that it heard nothing of.

    Args:
        ports: The outside.
        journal: As it was read a moment ago.
        undoing: Whether it is closed, and is opened again for this.

    Raises:
        Busy: As `take_over`.
    """
    holder = f"{CLOSER}{ports.tokens()}"
    take_over(ports, journal, holder, undoing=undoing)
    try:
        yield
    except (AccessDenied, Refused):
        ports.restores.release(journal, holder)
        raise


def take_over(ports: Ports, journal: Journal, holder: str, *, undoing: bool = False) -> None:
    """Let nobody but `holder` go on with a restore.

    Raises:
        Busy: Somebody went on with it, or took it over, since the journal was read: what it says does not hold.
    """
    take = ports.restores.reopen if undoing else ports.restores.take_over
    take(journal, holder)
    now = journal_of(ports, journal.restore)
    if now is None or not now.held_by(holder):
        raise Busy(
            f"the restore of {journal.target} is in somebody's hands",
            why="its journal was written to a moment ago",
            hint="try again in a minute",
        )


def what_bears_its_names(ports: Ports, journal: Journal) -> Mapping[TableRef, int]:
    """The ids of the tables that bear the names of a restore now.

    Raises:
        AccessDenied: A table that should be there may be there, and is not shown to this user: what cannot be seen must
            not be taken for gone.
    """
    found = ports.cluster.table_ids(journal.names)
    known = {journal.replaced, *journal.made.values()} - {None}
    if journal.creating_sent or not known <= {*found.values()}:
        for name in sorted(journal.names - found.keys()):
            with suppress(Refused):
                ports.cluster.ddl(name)
    return found


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
    back = way_back(journal, what_bears_its_names(ports, journal))
    _apply(ports, back.steps)
    return f"{back.detail}{_database_dropped(ports, journal)}" if journal.new_database else back.detail


def _database_dropped(ports: Ports, journal: Journal) -> str:
    """Drop a database that was made for the restore, unless it is of use to anybody; what was done, for people."""
    database = journal.target.database
    left = ports.restores.unfinished()
    others = {one.target for one in left.sound if one.restore != journal.restore} | left.held.keys()
    if any(table.database == database for table in others) or not ports.cluster.is_empty(database):
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


def give_up(ports: Ports, claim: Claim, why: str, *, interrupted: bool = False) -> str:
    """Take back what a failing restore made, unless its job still runs; what was done, for people.

    Args:
        ports: The outside.
        claim: Which, who gives it up, and the step that failed: written down last, so that a kill meanwhile leaves the
            journal open.
        why: Its error.
        interrupted: Whether it was stopped from outside, perhaps with a statement under way.
    """
    try:
        journal = journal_of(ports, claim.restore)
        if journal is None or journal.closed:
            return ""
        if under_way := _under_way(ports, journal, claim.holder, interrupted=interrupted):
            return under_way
        closed = close_journal(ports, journal)
    except (UnknownRestore, Busy) as trouble:
        return trouble.why
    ports.restores.mark([Mark(restore=claim.restore, number=claim.number, status=StepStatus.FAILED, detail=why)])
    return closed.detail


def _under_way(ports: Ports, journal: Journal, holder: str, *, interrupted: bool) -> str:
    """Why whoever holds a failing restore must not touch it now; empty if nothing forbids it."""
    if not journal.held_by(holder):
        return "another command has taken it over"
    job = last_job(ports, journal)
    if job is not None and not job.ended:
        return (
            f"its job is still {job.state}; once that has ended, restore --resume {journal.restore} goes on with it, "
            "and any other command takes it back"
        )
    late = what_may_arrive(ports, journal, job, ports.cluster.now()) if interrupted else ""
    return f"its last {late} may still arrive; the next command takes it back" if late else ""
