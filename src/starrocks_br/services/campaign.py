"""Jobs from intent to proof: several databases at a time, one connection, one loop, no threads."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from starrocks_br.domain.conclusion import look_again
from starrocks_br.domain.errors import (
    AccessDenied,
    Busy,
    ClusterError,
    JobFailed,
    OutcomeUnknown,
    Refused,
    StarRocksBrError,
    Unreachable,
    Unrestorable,
)
from starrocks_br.domain.events import JobSent, Retrying, Warned
from starrocks_br.domain.names import DatabaseName, Label, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import CANCELLED, SLOT_TAKEN, Job, JobKind
from starrocks_br.domain.snapshot import Consistency, Entry
from starrocks_br.domain.status import UNSETTLED, Event, Status
from starrocks_br.services.attempt import Attempt, Draft, Intent
from starrocks_br.services.conclude import conclude, trusted
from starrocks_br.services.reports import DatabaseOutcome
from starrocks_br.services.requests import Place
from starrocks_br.services.slot_wait import SlotWait
from starrocks_br.services.watch import Answer, Watched, patiently

ATTEMPTS: Final = 3
"""How often a database is tried, all causes together."""

KEPT_AFTER: Final = 30.0
"""Seconds after the look after a cut: as long as a command that follows a kill still looks soon enough (`SOON`)."""

HIDDEN: Final = "a job that this user is not shown holds it"

WORTH_A_RETRY: Final = ("already merged", "failed to choose replica", "does not exist")
"""Parts of a CANCELLED job's Status after which a new look and a new job may succeed (R§4.4)."""


@define(kw_only=True)
class Campaign:
    """Takes databases from draft to outcome.

    Attributes:
        ports: The outside.
        place: What the command works with.
        max_parallel: How many jobs run at the same time.
        draft: Makes the next job of a database from a fresh look, without some tables that came with the reason; or
            says at once how it ended; or None: not yet, to be asked again at the next poll.
    """

    ports: Ports
    place: Place
    max_parallel: int
    draft: Callable[[DatabaseName, Mapping[TableRef, str]], Draft | DatabaseOutcome | None]
    _queue: deque[DatabaseName] = field(factory=deque, init=False)
    _waiting: set[DatabaseName] = field(factory=set, init=False)
    _blocked: dict[DatabaseName, SlotWait] = field(factory=dict, init=False)
    _active: dict[DatabaseName, Attempt] = field(factory=dict, init=False)
    _tries: dict[DatabaseName, int] = field(factory=dict, init=False)
    _began: dict[DatabaseName, float] = field(factory=dict, init=False)
    _outcomes: dict[DatabaseName, DatabaseOutcome] = field(factory=dict, init=False)
    _endangered: dict[DatabaseName, dict[TableRef, str]] = field(factory=lambda: defaultdict(dict), init=False)

    def run(
        self, databases: Iterable[DatabaseName], adopted: Iterable[Intent] = ()
    ) -> dict[DatabaseName, DatabaseOutcome]:
        """Work until every database has an outcome; jobs of earlier commands come first in their databases.

        Raises:
            Unreachable: Nobody answers any more. What was sent goes on and is picked up by the next command.
        """
        now = self.ports.clock.monotonic()
        for intent in adopted:
            watched = Watched(database=intent.database, label=intent.label, began=now)
            self._active[intent.database] = Attempt(intent=intent, watched=watched, adopted=True)
        self._queue.extend(databases)
        while self._queue or self._waiting or self._active:
            self._start_some()
            if self._active or self._waiting:
                self._poll()
            if self._queue or self._active or self._waiting:
                self.ports.clock.sleep(self.place.poll_interval)
        return self._outcomes

    # --- sending ------------------------------------------------------------------------------------------------------

    def _start_some(self) -> None:
        for database in [name for name in self._queue if name not in self._active]:
            if len(self._active) >= self.max_parallel:
                return
            self._queue.remove(database)
            self._start(database)

    def _start(self, database: DatabaseName) -> None:
        self._began.setdefault(database, self.ports.clock.monotonic())
        self._tries[database] = self._tries.get(database, 0) + 1
        try:
            draft = self.draft(database, self._without(database))
        except ClusterError as error:
            self._end_or_retry(database, None, error)
            return
        if draft is None:
            self._tries[database] -= 1
            self._queue.append(database)
        elif isinstance(draft, DatabaseOutcome):
            self._outcomes.setdefault(database, draft)
        else:
            self._send(draft)

    def _without(self, database: DatabaseName) -> Mapping[TableRef, str]:
        """What made former attempts unusable: the last one leaves it out, that the others get their backup."""
        return self._endangered[database] if self._tries[database] == ATTEMPTS else {}

    def _send(self, draft: Draft) -> None:
        database, label = draft.database, draft.label
        try:
            self.ports.backups.record(draft.entries)
            draft = draft.sent(self._leader_time(draft))
            if not self.ports.backups.advance(label, Event.SENT, {"submitted_at": draft.snapshot.submitted_at}):
                raise OutcomeUnknown(f"snapshot {label} could not be written down as sent; it was not sent")
        except (ClusterError, Unrestorable) as error:
            self._end_or_retry(database, label, error)
            return
        try:
            draft.submit()
        except (Refused, AccessDenied) as refusal:
            self._refused(draft, refusal)
        except (OutcomeUnknown, Unreachable) as error:
            self._ask_whether_sent(draft, error)
        else:
            self._watch(draft)

    def _leader_time(self, draft: Draft) -> datetime:
        """The leader's clock now, told from when it was last read: a statement less for every job."""
        elapsed = self.ports.clock.monotonic() - draft.looked_at
        return draft.snapshot.created_at + timedelta(seconds=int(elapsed))

    def _watch(self, draft: Draft) -> None:
        self._blocked.pop(draft.database, None)
        self.ports.listener(JobSent(database=draft.database, label=draft.label))
        watched = Watched(database=draft.database, label=draft.label, began=self.ports.clock.monotonic())
        self._active[draft.database] = Attempt(intent=draft, watched=watched, adopted=False)

    def _refused(self, draft: Draft, refusal: Refused | AccessDenied) -> None:
        code = str(refusal.errno) if isinstance(refusal, Refused) else "denied"
        self._write_failure(draft.label, code, refusal.why)
        if SLOT_TAKEN in refusal.why:
            self._wait_for_slot(draft, refusal)
        else:
            self._end_or_retry(draft.database, draft.label, refusal)

    def _wait_for_slot(self, draft: Draft, refusal: Refused | AccessDenied) -> None:
        database, now = draft.database, self.ports.clock.monotonic()
        wait = self._blocked.setdefault(database, SlotWait(since=now))
        if wait.lasted(now) >= self.place.wait:
            self._end(database, draft.label, _busy(database, HIDDEN if wait.hidden(now) else refusal.why))
            return
        wait.refused(now)
        self._tries[database] -= 1
        self._waiting.add(database)
        self.ports.listener(Warned(message=f"{database}: {refusal.why}; waiting for it to end"))

    def _ask_whether_sent(self, draft: Draft, error: ClusterError) -> None:
        """A statement that was in flight may still arrive, so that its label stays RUNNING whatever the answer."""
        job = self._jobs(JobKind.BACKUP, [draft.database]).get(draft.database)
        if job is not None and job.label == draft.label:
            self._watch(draft)
            return
        if isinstance(error, Unreachable):
            self._write_failure(draft.label, "unreachable", f"never sent: {error.why}")
        self._end_or_retry(draft.database, draft.label, error, transient=True)

    def _write_failure(self, label: Label, code: str, why: str, *, finished_at: datetime | None = None) -> None:
        """Write down that a snapshot failed. The same UPDATE twice is harmless, so a lost connection is waited out."""
        changes = {"error_code": code, "error": why, "finished_at": finished_at}
        try:
            if not self._patiently(lambda: self.ports.backups.advance(label, Event.REFUSED, changes)):
                self.ports.listener(Warned(message=f"{label} failed ({why}), but another command has settled it"))
        except Refused as refusal:
            self.ports.listener(Warned(message=f"{label} failed, which could not be written down: {refusal}"))

    def _patiently(self, act: Callable[[], Answer]) -> Answer:
        return patiently(self.ports.clock, act, self.place)

    # --- watching -----------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        jobs = self._jobs(JobKind.BACKUP, self._active)
        current = {
            database: job
            for database, job in jobs.items()
            if database in self._active and job.label == self._active[database].intent.label
        }
        self._look_after_cuts(current)
        for database, attempt in list(self._active.items()):
            self._step(attempt, current.get(database))
        self._poll_waiting()

    def _jobs(self, kind: JobKind, databases: Iterable[DatabaseName]) -> dict[DatabaseName, Job]:
        names = tuple(databases)
        found = self._patiently(lambda: self.ports.cluster.jobs(kind, names))
        return {job.database: job for job in found}

    def _look_after_cuts(self, jobs: Mapping[DatabaseName, Job]) -> None:
        """One look for all jobs that were cut since the last poll."""
        due = [
            attempt
            for database, attempt in self._active.items()
            if attempt.look_due and attempt.intent.before is not None and database in jobs and jobs[database].cut
        ]
        if not due:
            return
        tables = [entry.table for attempt in due for entry in attempt.intent.entries]
        try:
            look = self._patiently(lambda: self.ports.cluster.observe(tables))
        except (Refused, AccessDenied) as refusal:
            self.ports.listener(Warned(message=f"the tables cannot be looked at after the cut: {refusal}"))
            look = None
        for attempt in due:
            attempt.look_due = False
            if look is not None and attempt.intent.before is not None:
                looked = look_again(attempt.intent.entries, attempt.intent.before, look)
                cut_by = jobs[attempt.intent.database].snapshot_at
                attempt.looked = trusted(looked, cut_by=cut_by, looked_at=look.at)
                attempt.keep_at = self.ports.clock.monotonic() + KEPT_AFTER
                if attempt.looked.danger:
                    # at once: whoever takes the job over looks later, and may see nothing of it any more
                    self._write_failure(attempt.intent.label, "unusable", attempt.looked.danger)

    def _keep(self, attempt: Attempt) -> None:
        """Write down what the look taught: whoever takes the job over after a kill looks too late to learn it.

        A job that is over sooner costs no statement for that: its command has to write it down once only.
        """
        looked, attempt.keep_at = attempt.looked, None
        if looked is None or looked.danger:
            return
        try:
            self._patiently(lambda: self.ports.backups.keep(looked.entries))
        except (Refused, AccessDenied) as refusal:
            message = f"what was seen after the cut of {attempt.intent.label} could not be written down yet: {refusal}"
            self.ports.listener(Warned(message=message))

    def _step(self, attempt: Attempt, job: Job | None) -> None:
        if job is None:
            self._vanished(attempt)
        elif not job.ended:
            attempt.watched.saw(self.ports, job)
            if attempt.keep_at is not None and self.ports.clock.monotonic() >= attempt.keep_at:
                self._keep(attempt)
            if attempt.watched.stuck(self.ports.clock):
                self._give_up_stuck(attempt, job)
        else:
            self._forget(attempt, job)
            if job.state == CANCELLED:
                self._cancelled(attempt, job)
            else:
                self._finished(attempt, cut_by=job.snapshot_at, finished_at=job.finished_at)

    def _forget(self, attempt: Attempt, job: Job | None) -> None:
        del self._active[attempt.intent.database]
        attempt.watched.ended(self.ports, job)

    def _vanished(self, attempt: Attempt) -> None:
        """A slot is only given away when its job has ended; how it ended only the repository can tell (R§5)."""
        self._forget(attempt, None)
        self._finished(attempt, cut_by=attempt.watched.cut_by, finished_at=None)

    def _give_up_stuck(self, attempt: Attempt, job: Job) -> None:
        """The one case in which we cancel: a frozen job holds its slot for a day (O§v)."""
        try:
            self.ports.cluster.cancel_backup(attempt.intent.database)
        except ClusterError as error:
            # It may have moved or ended this very moment: the next polls tell.
            self.ports.listener(Warned(message=f"{attempt.intent.label} is frozen and could not be cancelled: {error}"))
            attempt.watched.wait_again(self.ports.clock)
            return
        self._forget(attempt, job)
        why = f"it did not move for long in {job.state}, as after a restart of the frontend (cancelled)"
        self._write_failure(attempt.intent.label, "stuck", why)
        what = f"the backup of {attempt.intent.database} was frozen"
        self._failed(attempt, JobFailed(what, label=attempt.intent.label, why=why, transient=True))

    def _cancelled(self, attempt: Attempt, job: Job) -> None:
        label = attempt.intent.label
        self._write_failure(label, "cancelled", job.status, finished_at=job.finished_at)
        transient = any(part in job.status for part in WORTH_A_RETRY)
        what = f"the backup of {attempt.intent.database} was cancelled by the server"
        self._failed(attempt, JobFailed(what, label=label, why=job.status, transient=transient))

    def _finished(self, attempt: Attempt, *, cut_by: datetime | None, finished_at: datetime | None) -> None:
        try:
            if attempt.adopted and self._settled_elsewhere(attempt):
                return
            entries = conclude(
                self.ports,
                self.place,
                attempt.intent.entries,
                cut_by=cut_by,
                finished_at=finished_at,
                after=attempt.intent.after,
                looked=attempt.looked,
            )
        except ClusterError as error:
            self._failed(attempt, error)
        else:
            self._succeeded(attempt, entries)

    def _settled_elsewhere(self, attempt: Attempt) -> bool:
        """Whether the command that sent an adopted job is alive and has concluded it itself."""
        outlines = self._patiently(lambda: self.ports.backups.outlines(statuses=UNSETTLED))
        return attempt.intent.label not in {outline.label for outline in outlines}

    # --- outcomes -----------------------------------------------------------------------------------------------------

    def _succeeded(self, attempt: Attempt, entries: Sequence[Entry]) -> None:
        if attempt.adopted:
            return
        database = attempt.intent.database
        self._outcomes[database] = self._outcome(database, attempt.intent.label, Status.FINISHED, entries=entries)
        doubt = _doubt(entries) if attempt.intent.before is not None else ""
        if doubt and self._tries[database] < ATTEMPTS:
            self._again(database, doubt)

    def _failed(self, attempt: Attempt, error: ClusterError) -> None:
        if attempt.adopted:
            self.ports.listener(Warned(message=f"{attempt.intent.label}: {error}"))
        else:
            if attempt.looked is not None:
                self._endangered[attempt.intent.database] |= attempt.looked.endangered
            self._end_or_retry(attempt.intent.database, attempt.intent.label, error)

    def _end_or_retry(
        self, database: DatabaseName, label: Label | None, error: StarRocksBrError, *, transient: bool | None = None
    ) -> None:
        worth_it = _is_transient(error) if transient is None else transient
        if isinstance(error, Unreachable) and not worth_it:
            raise error  # the wait for an answer is over: there is nobody to ask for the next database either
        if worth_it and self._tries[database] < ATTEMPTS:
            self._again(database, str(error))
        else:
            self._end(database, label, error)

    def _end(self, database: DatabaseName, label: Label | None, error: StarRocksBrError) -> None:
        """A database that has a fuzzy point already has not failed, whatever becomes of the attempt at a better one."""
        if database in self._outcomes:
            self.ports.listener(Warned(message=f"{database}: its point stays inexact: {error}"))
        else:
            self._outcomes[database] = self._outcome(database, label, Status.FAILED, error=error)

    def _again(self, database: DatabaseName, reason: str) -> None:
        self.ports.listener(Retrying(database=database, attempt=self._tries[database] + 1, reason=reason))
        self._queue.append(database)

    def _outcome(
        self,
        database: DatabaseName,
        label: Label | None,
        status: Status,
        *,
        entries: Sequence[Entry] = (),
        error: StarRocksBrError | None = None,
    ) -> DatabaseOutcome:
        return DatabaseOutcome(
            database=database,
            label=label,
            status=status,
            tables=tuple(entry.outline() for entry in entries),
            attempts=self._tries[database],
            seconds=self.ports.clock.monotonic() - self._began[database],
            error=error,
        )

    # --- a slot that someone else holds -------------------------------------------------------------------------------

    def _poll_waiting(self) -> None:
        if not self._waiting:
            return
        holders = {**self._running(JobKind.RESTORE), **self._running(JobKind.BACKUP)}
        for database in sorted(self._waiting):
            job, wait, now = holders.get(database), self._blocked[database], self.ports.clock.monotonic()
            wait.holder_shown = wait.holder_shown or job is not None
            if job is None and wait.over(now, self.place.wait):
                self._waiting.remove(database)
                self._queue.append(database)
            elif job is not None and wait.lasted(now) >= self.place.wait:
                self._waiting.remove(database)
                self._end(database, None, _busy(database, f"{job.kind} {job.label} is {job.state}"))

    def _running(self, kind: JobKind) -> dict[DatabaseName, Job]:
        return {database: job for database, job in self._jobs(kind, self._waiting).items() if not job.ended}


def _doubt(entries: Iterable[Entry]) -> str:
    """Why another attempt may give a better point; empty if this one is exact.

    A point that nobody can be sure of is neither restored by default nor a baseline, so that it is worth one, too.
    """
    known = {entry.consistency for entry in entries}
    if Consistency.UNKNOWN in known:
        return "what was seen after the cut does not show that the snapshot is sound; taking another one"
    return "partitions moved while the snapshot was cut; taking them, too" if Consistency.FUZZY in known else ""


def _busy(database: DatabaseName, why: str) -> Busy:
    return Busy(
        f"the job slot of {database} is taken",
        why=f"{why}; a database has one slot for both kinds of job",
        hint="wait for it to end, then run the command again",
    )


def _is_transient(error: StarRocksBrError) -> bool:
    return isinstance(error, OutcomeUnknown) or bool(getattr(error, "transient", False))
