"""The first act of every command that writes: find the truth about what earlier commands left open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from attrs import define, field

from starrocks_br.domain.chain import chain_to
from starrocks_br.domain.conclusion import Looked, look_again
from starrocks_br.domain.errors import BrokenChain, JobFailed, OutcomeUnknown
from starrocks_br.domain.events import Settled, Warned
from starrocks_br.domain.journal import GRACE
from starrocks_br.domain.manifest import extend
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, RepositoryName, RestoreId, TableRef
from starrocks_br.domain.partitions import Identity
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import CANCELLED, DONE, Job, JobKind, RemoteSnapshot, Server
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Snapshot
from starrocks_br.domain.status import UNSETTLED, Event, Status
from starrocks_br.services import dependents
from starrocks_br.services.conclude import conclude, trusted
from starrocks_br.services.journals import close_journals
from starrocks_br.services.late_restores import drop_late_tables
from starrocks_br.services.lifetimes import with_lifetimes
from starrocks_br.services.requests import Place


@define(kw_only=True)
class Reconciled:
    """What was found.

    Attributes:
        settled: What became of each open end.
        alive: Our BACKUP jobs that still run, by database.
        busy: Tables under a restore that still runs, or that cannot be read, each with the reason.
    """

    settled: list[Settled] = field(factory=list)
    alive: dict[DatabaseName, Snapshot] = field(factory=dict)
    busy: Mapping[TableRef, str] = field(factory=dict)


def reconcile(ports: Ports, place: Place, server: Server) -> Reconciled:
    """Settle what can be settled; leave alone what still runs. Safe to do at any time, and to do again."""
    found = Reconciled()
    found.settled.extend(drop_late_tables(ports, server))
    closed: list[Settled] = []
    found.busy = close_journals(ports, server, closed)
    found.settled.extend(with_lifetimes(ports, settled) for settled in closed)
    snapshots = _open_snapshots(ports)
    own = [snapshot for snapshot in snapshots if snapshot.cluster == server.cluster]
    jobs = _own_jobs(ports, own)
    remote = _remote(ports, place, snapshots)
    for snapshot in snapshots:
        case = _Case(ports, place, server, snapshot, jobs.get(snapshot.database), remote.get(snapshot.label))
        case.settle(found)
    for settled in found.settled:
        ports.listener(settled)
    for note in _views_again(ports, closed):
        ports.listener(Warned(message=note))
    return found


def _views_again(ports: Ports, closed: Iterable[Settled]) -> Iterable[str]:
    """Make views active again that read tables which have their names again, or new ones; notes for people."""
    outcomes = {RestoreId(one.subject): one.outcome for one in closed if one.outcome is not None}
    journals = ports.restores.journals(outcomes.keys()).sound if outcomes else ()
    tables = {one.target for one in journals if one.replaced or outcomes[one.restore] is Status.FINISHED}
    return dependents.reactivate(ports, tables) if tables else ()


def _remote(ports: Ports, place: Place, snapshots: Iterable[Snapshot]) -> Mapping[Label, RemoteSnapshot]:
    """What the repositories list of them: one statement each; a repository that is gone lists nothing."""
    labels: dict[RepositoryName, list[Label]] = defaultdict(list)
    for snapshot in snapshots:
        labels[snapshot.repository].append(snapshot.label)
    known = {place.repository}
    if labels.keys() - known:
        known |= {repository.name for repository in ports.cluster.repositories()}
    found: dict[Label, RemoteSnapshot] = {}
    for repository in labels.keys() & known:
        found |= ports.cluster.find_snapshots(repository, labels[repository])
    return found


def _open_snapshots(ports: Ports) -> list[Snapshot]:
    outlines = ports.backups.outlines(statuses=UNSETTLED)
    return sorted({outline.label: outline.snapshot for outline in outlines}.values(), key=lambda one: one.created_at)


def _own_jobs(ports: Ports, snapshots: Iterable[Snapshot]) -> Mapping[DatabaseName, Job]:
    databases = {snapshot.database for snapshot in snapshots}
    return {job.database: job for job in ports.cluster.jobs(JobKind.BACKUP, databases)}


@define
class _Case:
    """One open snapshot and the evidence about it."""

    ports: Ports
    place: Place
    server: Server
    snapshot: Snapshot
    job: Job | None
    remote: RemoteSnapshot | None

    def settle(self, found: Reconciled) -> None:
        own = self.snapshot.cluster == self.server.cluster
        if own and self.job is not None and self.job.label == self.snapshot.label:
            self._by_job(found, self.job)
        elif self.remote is not None and self.remote.usable:
            self._proven(found, None)
        elif self.remote is not None and self.remote.unread:
            self._report(found, None, self.remote.problem)
        else:
            self._by_age(found, own=own)

    def _by_job(self, found: Reconciled, job: Job) -> None:
        if job.state == DONE:
            self._proven(found, job)
        elif job.state == CANCELLED:
            self._close(found, Event.REFUSED, job.status)
        else:
            found.alive[self.snapshot.database] = self.snapshot
            self._report(found, None, f"its job is {job.state}")

    def _proven(self, found: Reconciled, job: Job | None) -> None:
        """Conclude it: by its job, or, where that has left the slot, by what the repository holds."""
        reading = self.ports.backups.entries([self.snapshot.label])
        if reading.damages or not reading.entries:
            problem = "; ".join(damage.problem for damage in reading.damages) or "its rows are gone"
            self._close(found, Event.REFUSED, f"its rows cannot be trusted: {problem}")
            return
        try:
            concluded = conclude(
                self.ports,
                self.place,
                reading.entries,
                cut_by=job.snapshot_at if job else None,
                finished_at=job.finished_at if job else None,
                after=baseline_point(self.ports, reading.entries),
                looked=look_late(self.ports, self.place, reading.entries, job.snapshot_at) if job else None,
            )
        except OutcomeUnknown as doubt:
            self._report(found, None, str(doubt))
        except JobFailed as failure:
            self._report(found, Status.FAILED, str(failure))
        else:
            self._report(found, Status.FINISHED, _found(concluded))

    def _by_age(self, found: Reconciled, *, own: bool) -> None:
        """Our label is not in the slot: a job of ours that still runs would be (R§5). So it ended or never began."""
        age = self.server.now - (self.snapshot.submitted_at or self.snapshot.created_at)
        if own and self.snapshot.status is Status.PENDING and age > GRACE:
            self._close(found, Event.REFUSED, "never sent")
        elif not own or age > GRACE:
            self._lose(found)

    def _lose(self, found: Reconciled) -> None:
        if self.snapshot.status is not Status.LOST:
            self._close(found, Event.LOST, "neither its job nor its snapshot can be found")

    def _close(self, found: Reconciled, event: Event, why: str) -> None:
        changes = {"error_code": event.value.lower(), "error": why}
        if self.ports.backups.advance(self.snapshot.label, event, changes):
            self._report(found, Status.LOST if event is Event.LOST else Status.FAILED, why)
        else:
            self._report(found, None, f"another command has settled it ({why})")

    def _report(self, found: Reconciled, outcome: Status | None, detail: str) -> None:
        found.settled.append(Settled(subject=self.snapshot.label, outcome=outcome, detail=detail))


def _found(entries: Iterable[Entry]) -> str:
    """What to tell of a snapshot that was proven; a metadata snapshot is no point of any table."""
    tables = [entry for entry in entries if entry.type is not BackupType.METADATA]
    inexact = sorted(str(entry.table) for entry in tables if entry.consistency is not Consistency.EXACT)
    return f"found in the repository; not exact: {', '.join(inexact)}" if inexact else "found in the repository"


def look_late(ports: Ports, place: Place, entries: Sequence[Entry], cut_by: datetime | None) -> Looked | None:
    """Look now at the tables of a snapshot that nobody looked at after its cut; None where that cannot help."""
    if entries[0].type is BackupType.METADATA or entries[0].snapshot.repository != place.repository:
        return None
    before = identities_before(ports, entries)
    if before is None:
        return None
    look = ports.cluster.observe([entry.table for entry in entries])
    return trusted(look_again(entries, before, look), cut_by=cut_by, looked_at=look.at)


def identities_before(ports: Ports, entries: Sequence[Entry]) -> dict[TableRef, dict[PartitionName, Identity]] | None:
    """All identities of each table as its intent saw them: its baseline's manifest with its entry.

    Returns:
        None if that is not sure, or if what a look after the cut taught is written down already.
    """
    if any(entry.consistency is not Consistency.UNKNOWN for entry in entries):
        return None
    known = _lineage_entries(ports, entries)
    try:
        return {
            entry.table: extend(
                chain_to(known, entry.table, entry.baseline).manifest() if entry.baseline else None, entry
            ).identities()
            for entry in entries
        }
    except BrokenChain:
        return None


def _lineage_entries(ports: Ports, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries on which these rest, found by following baselines a link at a time."""
    known: dict[Label, tuple[Entry, ...]] = {}
    wanted = _baselines(entries)
    while wanted:
        read = ports.backups.entries(wanted).entries
        for label in wanted:
            known[label] = tuple(entry for entry in read if entry.label == label)
        wanted = _baselines(read) - known.keys()
    return tuple(entry for group in known.values() for entry in group)


def _baselines(entries: Collection[Entry]) -> set[Label]:
    return {entry.baseline for entry in entries if entry.baseline is not None}


def baseline_point(ports: Ports, entries: Sequence[Entry]) -> datetime | None:
    """The newest point among the baselines of a snapshot's entries."""
    baselines = _baselines(entries)
    read = ports.backups.entries(baselines).entries if baselines else ()
    return max((entry.snapshot.snapshot_at for entry in read if entry.snapshot.snapshot_at), default=None)
