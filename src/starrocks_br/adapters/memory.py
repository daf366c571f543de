"""The repository ports in memory: for tests, and for programs that keep their history elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve

from starrocks_br.domain.estimate import MOST_TIMINGS, Timing
from starrocks_br.domain.journal import Claim, Journal, Journals, Mark, StepStatus
from starrocks_br.domain.names import ClusterId, Label, RepositoryName, RestoreId, TableRef
from starrocks_br.domain.ports import BackupHistory, RestoreHistory
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Outline, Reading
from starrocks_br.domain.status import Event, Status, outcome, sources, stands_open

_OF_A_JOB: Final = frozenset({BackupType.FULL, BackupType.INCREMENTAL})


class MemoryBackupHistory(BackupHistory):
    """Keeps entries by label; a label that comes again replaces what was there, as on the server.

    Args:
        elsewhere: Histories that `adopt` can find, by the name of their table.
    """

    def __init__(self, elsewhere: Mapping[TableRef, MemoryBackupHistory] | None = None) -> None:
        self._entries: dict[Label, tuple[Entry, ...]] = {}
        self._elsewhere = elsewhere or {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._entries)} snapshots)"

    def record(self, entries: Sequence[Entry]) -> None:  # noqa: D102 -- the port says it
        self._entries[entries[0].label] = tuple(entries)

    def advance(self, label: Label, event: Event, changes: Mapping[str, object]) -> bool:  # noqa: D102
        target = outcome(event)
        known = self._entries.get(label, ())
        if known and known[0].snapshot.status in sources(event):
            learned: dict[str, Any] = {"status": target, **changes}
            snapshot = evolve(known[0].snapshot, **learned)
            self._entries[label] = known = tuple(evolve(entry, snapshot=snapshot) for entry in known)
        return bool(known) and known[0].snapshot.status is target

    def keep(self, entries: Sequence[Entry]) -> None:  # noqa: D102
        if self._open(entries[0].label, Event.SENT):
            self.record(entries)

    def conclude(self, entries: Sequence[Entry]) -> bool:  # noqa: D102
        if found := self._open(entries[0].label, Event.PROVEN):
            self.record(entries)
        return found

    def _open(self, label: Label, event: Event) -> bool:
        return stands_open((entry.snapshot.status for entry in self._entries.get(label, ())), event)

    def doubt(self, label: Label, table: TableRef) -> None:  # noqa: D102
        self._entries[label] = tuple(
            evolve(entry, consistency=Consistency.UNKNOWN) if entry.table == table else entry
            for entry in self._entries[label]
        )

    def outlines(  # noqa: D102
        self, *, statuses: Collection[Status] = (), table: TableRef | None = None, limit: int | None = None
    ) -> tuple[Outline, ...]:
        newest_first = sorted(self._entries.values(), key=_made, reverse=True)
        found = (
            entry.outline()
            for entries in newest_first
            for entry in entries
            if (not statuses or entry.snapshot.status in statuses) and (table is None or entry.table == table)
        )
        return tuple(found)[:limit]

    def entries(self, labels: Collection[Label], table: TableRef | None = None) -> Reading:  # noqa: D102
        found = (entry for label in sorted(set(labels)) for entry in self._entries.get(label, ()))
        return Reading(entries=tuple(entry for entry in found if table in {None, entry.table}))

    def adopt(self, alias: TableRef, *, saved_by: Label, repository: RepositoryName) -> int:  # noqa: D102
        other = self._elsewhere[alias]._entries  # noqa: SLF001 -- of the same class
        called = {entry.snapshot.repository for entry in other.get(saved_by, ())}
        new = {label: entries for label, entries in other.items() if label not in self._entries}
        for label, entries in new.items():
            ours = repository if entries[0].snapshot.repository in called else entries[0].snapshot.repository
            snapshot = evolve(entries[0].snapshot, repository=ours)
            self._entries[label] = tuple(evolve(entry, snapshot=snapshot) for entry in entries)
        return sum(map(len, new.values()))

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:  # noqa: D102
        newest_first = sorted(self._entries.values(), key=_ended, reverse=True)
        found = (_timing(entries) for entries in newest_first if entries[0].snapshot.cluster == cluster)
        return tuple(timing for timing in found if timing is not None)[:MOST_TIMINGS]


def _ended(entries: Sequence[Entry]) -> tuple[bool, datetime | None, Label]:
    snapshot = entries[0].snapshot
    return snapshot.finished_at is not None, snapshot.finished_at, snapshot.label


def _timing(entries: Sequence[Entry]) -> Timing | None:
    """What the snapshot's job took; None if it had none, or not all is known of it."""
    snapshot = entries[0].snapshot
    if snapshot.status is not Status.FINISHED or snapshot.submitted_at is None or snapshot.finished_at is None:
        return None
    held = [
        entry.outline()
        for entry in entries
        if entry.type in _OF_A_JOB and entry.captured and entry.consistency is not Consistency.UNKNOWN
    ]
    sizes = [outline.size for outline in held if outline.size is not None]
    if not held or len(sizes) < len(held):
        return None
    return Timing(size=sum(sizes), seconds=(snapshot.finished_at - snapshot.submitted_at).total_seconds())


def _made(entries: Sequence[Entry]) -> tuple[datetime, bool, datetime, Label]:
    """Of those that began in one second, the one with the later point is the newer one; none is no point."""
    snapshot = entries[0].snapshot
    at = snapshot.snapshot_at
    return snapshot.created_at, at is not None, at or snapshot.created_at, snapshot.label


class MemoryRestoreHistory(RestoreHistory):
    """Keeps journals by id; what comes again replaces what was there."""

    def __init__(self, journals: Iterable[Journal] = ()) -> None:
        self._journals = {journal.restore: journal for journal in journals}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._journals)} restores)"

    def begin(self, journals: Sequence[Journal]) -> None:  # noqa: D102 -- the port says it
        self._journals |= {journal.restore: journal for journal in journals}

    def claim(self, claims: Sequence[Claim]) -> frozenset[RestoreId]:  # noqa: D102
        granted = [one for one in claims if self._is_whose(one) == one.holder]
        self.mark([Mark(restore=one.restore, number=one.number, status=StepStatus.SENT) for one in granted])
        return frozenset(one.restore for one in granted)

    def _is_whose(self, claim: Claim) -> str | None:
        line = self._journals[claim.restore].steps[claim.number]
        return line.holder if line.open else None

    def take_over(self, journal: Journal, holder: str) -> None:  # noqa: D102
        now = self._journals[journal.restore]
        if now == journal:
            steps = tuple(evolve(line, holder=holder) if line.open else line for line in now.steps)
            self._journals[journal.restore] = evolve(now, steps=steps)

    def reopen(self, journal: Journal, holder: str) -> None:  # noqa: D102
        now = self._journals[journal.restore]
        if now == journal:
            last = evolve(now.steps[-1], status=StepStatus.SENT, holder=holder)
            self._journals[journal.restore] = evolve(now, steps=(*now.steps[:-1], last))

    def release(self, journal: Journal, holder: str) -> None:  # noqa: D102
        if self._journals[journal.restore].held_by(holder):
            self._journals[journal.restore] = journal

    def mark(self, marks: Sequence[Mark]) -> None:  # noqa: D102
        for mark in marks:
            steps = list(self._journals[mark.restore].steps)
            line = steps[mark.number]
            known = line.table_id if mark.table_id is None else mark.table_id
            steps[mark.number] = evolve(line, status=mark.status, table_id=known)
            self._journals[mark.restore] = evolve(self._journals[mark.restore], steps=tuple(steps))

    def abandon(self, restore: RestoreId, detail: str) -> None:  # noqa: D102
        del detail
        journal = self._journals[restore]
        steps = tuple(evolve(line, status=StepStatus.ABANDONED) if line.open else line for line in journal.steps)
        self._journals[restore] = evolve(journal, steps=steps)

    def unfinished(self) -> Journals:  # noqa: D102
        return self.journals(self._journals).unfinished

    def newest(self, limit: int | None = None) -> Journals:  # noqa: D102
        found = self.journals(self._journals)
        return found if limit is None else Journals(sound=found.sound[-limit:])

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:  # noqa: D102
        del cluster  # nobody notes here when a step ended
        return ()

    def journals(self, restores: Collection[RestoreId]) -> Journals:  # noqa: D102
        found = [journal for restore, journal in self._journals.items() if restore in restores]
        return Journals(sound=tuple(sorted(found, key=lambda journal: (journal.created_at, journal.restore))))
