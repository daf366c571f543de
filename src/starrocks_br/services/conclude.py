"""From a job that FINISHED to a proven snapshot: what the repository says it holds, written in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from starrocks_br.domain.conclusion import Looked, settle_contents
from starrocks_br.domain.errors import JobFailed, OutcomeUnknown
from starrocks_br.domain.names import Label
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.snapshot import Consistency, Entry
from starrocks_br.domain.status import Event, Status
from starrocks_br.services.requests import Place
from starrocks_br.services.watch import Answer, listed, patiently

SECOND: Final = timedelta(seconds=1)

SOON: Final = timedelta(seconds=60)
"""How long after the cut a look still tells what was there at the cut."""


def conclude(
    ports: Ports,
    place: Place,
    entries: Sequence[Entry],
    *,
    cut_by: datetime | None,
    finished_at: datetime | None,
    after: datetime | None = None,
    looked: Looked | None = None,
) -> tuple[Entry, ...]:
    """Prove a snapshot and write it down as FINISHED; or write it down as FAILED if there is proof of that.

    A job may have taken hours, so a lost connection is waited out at every step; each of them may be repeated.

    Args:
        ports: The outside.
        place: What the command works with.
        entries: The intent, as recorded.
        cut_by: The cut is not later than this: SnapshotFinishedTime. None where this command did not see it: then the
            intent tells, if what was seen after the cut was kept. Where nobody knows, the point lies at the end of the
            job, or at the present, and the consistency is unknown whatever was seen.
        finished_at: When the job ended; None where nobody saw it FINISHED: then a snapshot that is not there proves
            nothing.
        after: The newest point that is known of the tables: this one is later.
        looked: What the look after the cut taught; None if there was none: consistency stays unknown.

    Raises:
        JobFailed: It can never be a point; recorded as FAILED.
        OutcomeUnknown: The repository does not list it, or does not say what it holds; left open. Or another command
            has settled it otherwise.
    """

    def ask(act: Callable[[], Answer]) -> Answer:
        return patiently(ports.clock, act, place)

    label, repository = entries[0].label, entries[0].snapshot.repository
    remote = ask(lambda: listed(ports, place, repository, [label])).get(label)
    if remote is None:
        raise OutcomeUnknown(f"repository {repository} does not list snapshot {label}")
    if looked and looked.danger:
        raise ask(lambda: _failed(ports, label, looked.danger))
    stamp = remote.backup_timestamp
    if remote.unread or (finished_at is None and remote.absent):
        raise OutcomeUnknown(f"what became of snapshot {label} is not known", why=remote.problem)
    if not remote.usable or stamp is None:
        raise ask(lambda: _failed(ports, label, remote.problem))
    details = ask(lambda: ports.cluster.read_snapshot(repository, label, stamp))
    if details.contents is None:
        raise OutcomeUnknown(f"what snapshot {label} holds cannot be read", why=details.problem)
    settled, difference = settle_contents(looked.entries if looked else entries, details.contents)
    if difference:
        raise ask(lambda: _failed(ports, label, difference))
    ended = finished_at or ask(ports.cluster.now)
    known = cut_by + SECOND if cut_by else settled[0].snapshot.snapshot_at
    point = known or ended + SECOND
    snapshot = evolve(
        settled[0].snapshot,
        status=Status.FINISHED,
        not_before=settled[0].snapshot.not_before or settled[0].snapshot.created_at,
        snapshot_at=max(point, after + SECOND) if after else point,
        finished_at=ended,
        backup_timestamp=stamp,
    )
    concluded = tuple(evolve(entry, snapshot=snapshot) for entry in (settled if known else _doubted(settled)))
    if not ask(lambda: ports.backups.conclude(concluded)):
        why = "another command has written it down as failed: it may have seen what is gone by now"
        raise OutcomeUnknown(f"snapshot {label} could not be written down as finished", why=why)
    return concluded


def trusted(looked: Looked, *, cut_by: datetime | None, looked_at: datetime) -> Looked:
    """What a look proves: all that it saw if it came soon after the cut, else nothing. The cut is noted in any case.

    What differs at a late look may have moved after the cut; and where nothing does, a partition that came before the
    cut may be gone again, or a table swapped and swapped back.

    Args:
        looked: What was seen.
        cut_by: The cut is not later than this: SnapshotFinishedTime.
        looked_at: When the look began, on the same clock.
    """
    snapshot = evolve(looked.entries[0].snapshot, snapshot_at=cut_by + SECOND if cut_by else None)
    entries = tuple(evolve(entry, snapshot=snapshot) for entry in looked.entries)
    if cut_by is not None and -SECOND <= looked_at - cut_by <= SOON:
        return evolve(looked, entries=entries)
    return Looked(entries=_doubted(entries))


def _doubted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(evolve(entry, consistency=Consistency.UNKNOWN) for entry in entries)


def _failed(ports: Ports, label: Label, why: str) -> JobFailed | OutcomeUnknown:
    """Write it down as FAILED, and say so if it is: another command may have settled it meanwhile."""
    if not ports.backups.advance(label, Event.REFUSED, {"error_code": "unusable", "error": why}):
        return OutcomeUnknown(f"snapshot {label} could not be written down as failed", why=why)
    return JobFailed(f"snapshot {label} cannot be a point", label=label, why=why, transient=True)
