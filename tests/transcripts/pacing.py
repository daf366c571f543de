"""When jobs move: as the recorded polls show, never by our own clock, so that order counts and phase does not."""

from __future__ import annotations

import re
from bisect import bisect_left

from attrs import define, field

from starrocks_simulator.catalog import SchemaJob
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.handler import Job
from tests.transcripts.answers import Answers
from tests.transcripts.recording import Line, Recording

ORDER = {
    "BACKUP": ("PENDING", "SNAPSHOTING", "UPLOAD_SNAPSHOT", "UPLOADING", "SAVE_META", "UPLOAD_INFO", "FINISHED"),
    "RESTORE": ("PENDING", "SNAPSHOTING", "DOWNLOAD", "DOWNLOADING", "COMMIT", "COMMITTING", "FINISHED"),
}
_POLL = re.compile(r"^\s*show\s+(backup|restore)\b", re.IGNORECASE)
_ALTER_POLL = re.compile(r"^\s*show\s+alter\s+(?:table|materialized)\b", re.IGNORECASE)
_RANK = {"PENDING": 1, "WAITING_TXN": 2, "RUNNING": 3, "FINISHED": 4}
_TICKS_OF_A_SCHEMA_JOB = 3
_SECONDS_IN_STATE = {"PENDING": 4.0, "RUNNING": 12.0}


@define
class Pace:
    """Moves one frontend's jobs along a recording.

    Attributes:
        moved: Per job, by `id`: when it last moved or was seen in its state. The job stands beside it, so that it
            lives as long as its entry: the id of a job that is gone is given to another one.
        held: Jobs whose registration is held open (O2§0.2).
    """

    recording: Recording
    frontend: Frontend
    clock: VirtualClock
    moved: dict[int, tuple[Job, float]] = field(factory=dict)
    held: list[Job] = field(factory=list)
    _polls: list[Line] = field(init=False)
    _alter_polls: list[Line] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._polls = [line for line in self.recording.lines if _POLL.match(line.sql or "")]
        self._alter_polls = [line for line in self.recording.lines if _ALTER_POLL.match(line.sql or "")]

    def before(self, line: Line) -> None:
        """Let happen what happened before this statement."""
        sql = line.sql or ""
        poll = _POLL.match(sql)
        if poll:
            self._follow(line, poll[1].upper())
        elif not _ALTER_POLL.match(sql):
            self._catch_up(line)

    def move_schema_jobs(self, line: Line, answers: Answers) -> bool:
        """Move ALTER jobs one step further, if this is a poll that shows one further than ours; whether it did."""
        if self.frontend.schema_changes.idle or not _ALTER_POLL.match(line.sql or "") or "State" not in answers.names:
            return False
        state = answers.names.index("State")
        shown, ours = ([_RANK.get(row[state], 0) for row in rows] for rows in (answers.recorded, answers.ours))
        if len(shown) != len(ours) or all(one <= other for one, other in zip(shown, ours, strict=True)):
            return False
        self._step_schema_jobs()
        return True

    def _follow(self, line: Line, kind: str) -> None:
        """Bring the jobs that a poll shows to the states it shows; the ticks that takes are the others' ticks, too."""
        ticks = 0
        for row in line.records:
            for job in self.frontend.handler.jobs():
                if job.db_name == row.get("DbName") and job.kind == kind:
                    ticks = max(ticks, self._lead(job, str(row.get("State"))))
                    self.moved[id(job)] = (job, self.clock.now())
                    self._hold_registration(line, job)
        shown = {row.get("DbName") for row in line.records}
        for job in self.frontend.handler.jobs():
            if job.db_name not in shown:
                self._catch_up_one(line, job, ticks)

    def _lead(self, job: Job, state: str) -> int:
        """Bring a job to a state; gives the number of ticks it took."""
        order = ORDER[job.kind]
        if state != "PENDING" and self._is_held(job):
            self.frontend.faults.registrations.clear()
        for ticks in range(len(order) + 1):
            if job.state == state or job.state not in order[:-1]:
                return ticks
            if state in order and order.index(job.state) > order.index(state):
                return ticks
            self._step(job)
        return len(order) + 1

    def _catch_up(self, line: Line) -> None:
        """Let jobs that nobody polls move by the clock, but never past what the next poll shows."""
        for job in list(self.frontend.handler.jobs()):
            self._catch_up_one(line, job)
        running = [
            job for jobs in self.frontend.catalog.schema_jobs.values() for job in jobs if job.finish_time is None
        ]
        if running and all(self._is_ripe(line, job) for job in running):
            self._step_schema_jobs()

    def _is_ripe(self, line: Line, job: SchemaJob) -> bool:
        """Whether an ALTER job is old enough for its next state, and no later poll shows it behind that."""
        least = min(
            (
                _RANK.get(str(row.get("State")), 0)
                for later in self._alter_polls[bisect_left(self._alter_polls, line.number, key=_number) :]
                for row in later.records
                if row.get("TableName") == job.table_name and row.get("State") != "FINISHED"
            ),
            default=_RANK["FINISHED"],
        )
        age = self.clock.now() - job.create_time
        return least > _RANK[job.state] and age > _SECONDS_IN_STATE[job.state]

    def _catch_up_one(self, line: Line, job: Job, ticks: int = 0) -> None:
        """Let a job move by these ticks, and by the clock where none are known."""
        order = ORDER[job.kind]
        limit = self._next_row(line, job).get("State")
        while job.state in order[:-1] and (ticks > 0 or self._is_due(job)):
            ticks -= 1
            if limit is not None and (limit not in order or order.index(job.state) >= order.index(limit)):
                return
            before = job.state
            self._step(job)
            if job.state == before:
                return

    def _is_due(self, job: Job) -> bool:
        patience = 1.7 * self.recording.tick + 0.3
        return self.clock.now() - self._last_moved(job) > patience

    def _step(self, job: Job) -> None:
        self.moved[id(job)] = (job, self._last_moved(job) + self.recording.tick)
        self.frontend.handler.step(job)

    def _last_moved(self, job: Job) -> float:
        return self.moved[id(job)][1] if id(job) in self.moved else job.created

    def _is_held(self, job: Job) -> bool:
        return any(job is one for one in self.held)

    def _step_schema_jobs(self) -> None:
        for _ in range(_TICKS_OF_A_SCHEMA_JOB):
            self.frontend.schema_changes.run_tick(self.clock.now())

    def _hold_registration(self, line: Line, job: Job) -> None:
        """Hold a RESTORE between check and registration if its end tells that a stranger took the name there."""
        if job.kind != "RESTORE" or job.state != "PENDING" or self._is_held(job):
            return
        if "already exist in db" in str(self._end(line, job).get("Status")) or self._refuses_others(line):
            self.held.append(job)
            self.frontend.faults.registrations.append(lambda _: True)
            self.frontend.handler.step(job)

    def _refuses_others(self, line: Line) -> bool:
        """Whether a statement is refused because of a restore before the next poll: its table is locked already."""
        for later in self.recording.lines[line.number :]:
            if later.sql and _POLL.match(later.sql):
                return False
            if "snapshot restore operation is in progress" in str((later.error or {}).get("message")):
                return True
        return False

    def _next_row(self, line: Line, job: Job) -> dict[str, object]:
        """What the next poll says of a job."""
        return next(iter(self._later_rows(line, job)), {})

    def _end(self, line: Line, job: Job) -> dict[str, object]:
        """What the first poll says that shows a job's end."""
        rows = self._later_rows(line, job)
        return next((row for row in rows if row.get("State") in {"FINISHED", "CANCELLED"}), {})

    def _later_rows(self, line: Line, job: Job) -> list[dict[str, object]]:
        return [
            row
            for later in self._polls[bisect_left(self._polls, line.number, key=_number) :]
            if job.kind in (later.sql or "").upper()
            for row in later.records
            if row.get("DbName") == job.db_name and row.get("SnapshotName", row.get("Label")) == job.label
        ]


def _number(line: Line) -> int:
    return line.number
