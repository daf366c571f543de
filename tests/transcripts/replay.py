"""Replays a transcript against the simulator, in process, on a virtual clock.

Ticks are the one thing that a transcript does not hold: a job moves when the recorded polls say so, never by our own
clock. So the order of the states is checked, and their phase is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.errors import ServerError
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.handler import Job
from starrocks_simulator.results import Result
from starrocks_simulator.session import Session
from tests.transcripts.likeness import Likeness, Unlike
from tests.transcripts.publishing import gaps, held_loads
from tests.transcripts.recording import LAB_ZONE, Line, Recording

NEVER = 1e15
"""Seconds between two ticks of the frontend's own handler: it stands still, the replay moves the jobs."""

ORDER = {
    "BACKUP": ("PENDING", "SNAPSHOTING", "UPLOAD_SNAPSHOT", "UPLOADING", "SAVE_META", "UPLOAD_INFO", "FINISHED"),
    "RESTORE": ("PENDING", "SNAPSHOTING", "DOWNLOAD", "DOWNLOADING", "COMMIT", "COMMITTING", "FINISHED"),
}

FAKE_COLUMNS = {
    "UnfinishedTasks", "Progress", "TaskErrMsg",  # of the fake backends' tasks
    "DataSize", "StorageSize", "RowCount", "TABLE_ROWS", "AVG_ROW_LENGTH", "DATA_LENGTH", "MAX_DATA_LENGTH",
    "DATA_SIZE", "ROW_COUNT", "STORAGE_SIZE", "LastConsistencyCheckTime", "VersionEpoch",
    "VERSION_EPOCH", "LAST_CONSISTENCY_CHECK_TIME", "VersionTxnType", "VERSION_TXN_TYPE",
}  # fmt: skip
"""What fake backends cannot show (O, head), and counters without meaning to a client."""

_POLL = re.compile(r"^\s*show\s+(backup|restore)\b", re.IGNORECASE)
_SELECT = re.compile(r"^\s*(?:\(|with\b|select\b)", re.IGNORECASE)
_LOAD = re.compile(r"^\s*(?:insert|update|delete)\b", re.IGNORECASE)
_HOST_FACTS = re.compile(
    r"^\s*show\s+(?:frontends|backends|compute\s+nodes|processlist|data\b|proc\s+'/(?:'|backends|frontends))",
    re.IGNORECASE,
)
_DATABASES = re.compile(r"^\s*show\s+(?:databases|schemas)\b", re.IGNORECASE)
_LEFT_BEHIND = re.compile(r"^\s*drop\s+(?:repository|database|user|role|resource)\b", re.IGNORECASE)
_OBJECTS = re.compile(r"([^,\s][^,]*?)(?: PARTITIONS \[([^\]]*)\])?(?:, |$)")
_META_FIELDS = (
    "table_name", "partition_name", "partition_id", "visible_version", "visible_version_time", "next_version",
    "partition_key", "partition_value", "distribution_key", "buckets", "replication_num", "storage_medium",
    "is_temp", "data_version",
)  # fmt: skip


@frozen
class Difference:
    """A line on which the simulator and the server do not agree."""

    line: Line
    reason: str

    def __str__(self) -> str:
        return f"{self.line.number}: {(self.line.sql or self.line.note)[:160]}\n      {self.reason[:600]}"


@define
class Replay:
    """One scenario against one fresh frontend.

    Attributes:
        recording: What the server said.
        folder: Where the repositories go.
        agreed: Numbers of the lines on which both agree.
        differences: The others.
    """

    recording: Recording
    folder: Path
    agreed: list[int] = field(factory=list)
    differences: list[Difference] = field(factory=list)
    clock: VirtualClock = field(init=False)
    frontend: Frontend = field(init=False)
    likeness: Likeness = field(init=False)
    _sessions: dict[str, Session] = field(factory=dict)
    _moved: dict[int, float] = field(factory=dict)

    def run(self) -> None:
        """Play every line."""
        self.clock = VirtualClock(self.recording.epoch)
        self.frontend = Frontend(self.folder, clock=self.clock, tick=NEVER, jvm_zone=LAB_ZONE)
        held = held_loads(self.recording)
        self.likeness = Likeness(tolerance=4 * self.recording.tick + 3)
        for line in self.recording.lines:
            self._advance(line)
            self.frontend.faults.hold_publish = line.number in held
            if line.sql is not None:
                self._statement(line, line.sql)
            elif line.fields.get("partitions_meta") is not None:
                self._judge(line, self._partitions_meta)
            elif line.note.strip().lower() == "fe restart":
                self.frontend.restart()
                self._sessions.clear()

    def _advance(self, line: Line) -> None:
        due = self.recording.epoch + line.seconds - self.clock.now()
        if due > 0:
            self.clock.advance(due)

    def _statement(self, line: Line, sql: str) -> None:
        if not ("error" in line.fields and "rows" in line.fields):
            return
        if _POLL.match(sql):
            self._follow(line)
        else:
            self._catch_up(line)
        self._judge(line, self._compare)

    def _judge(self, line: Line, check: Any) -> None:
        try:
            check(line)
        except Unlike as unlike:
            self.differences.append(Difference(line, str(unlike)))
        except ServerError as error:
            self.differences.append(Difference(line, f"ours fails: {error.errno} {error.message}"))
        except Exception as crash:  # noqa: BLE001 - whatever it is, the line differs and the replay goes on
            self.differences.append(Difference(line, f"ours breaks: {type(crash).__name__}: {crash}"))
        else:
            self.agreed.append(line.number)

    def _session(self, who: str) -> Session:
        if who not in self._sessions:
            self._sessions[who] = self.frontend.connect(who.partition("#")[0])
        return self._sessions[who]

    def _compare(self, line: Line) -> None:
        sql = self.likeness.to_ours(line.sql or "")
        try:
            result = self._session(line.who).execute(sql)[-1]
        except ServerError as error:
            self._same_error(line, error)
            return
        if line.error is not None:
            if line.error["message"].startswith("lab: "):
                return  # the fake backend's, not the server's
            raise Unlike(f"recorded {line.error['errno']} {line.error['message']!r}, ours succeeds")
        self._same_result(line, result)

    def _same_error(self, line: Line, error: ServerError) -> None:
        if line.error is None:
            if _LEFT_BEHIND.match(line.sql or ""):
                return  # an earlier run of the scenario had left it behind
            raise Unlike(f"recorded a success, ours {error.errno} {error.message!r}")
        if line.error["message"].startswith("lab: "):
            return  # the fake backend's, not the server's
        names = ("errno", "sqlstate", "message")
        recorded = [line.error.get(name) for name in names]
        self.likeness.same_row(recorded, (error.errno, error.sqlstate, error.message), names)

    def _same_result(self, line: Line, result: Result) -> None:
        names = None if result.columns is None else [column.name for column in result.columns]
        if (names is None) != (line.columns is None) or (names and list(line.columns or ()) != names):
            raise Unlike(f"columns {line.columns} recorded, ours {names}")
        sql = line.sql or ""
        if names is None:
            if not _LOAD.match(sql) and (line.fields.get("affected") or 0) != result.affected:
                raise Unlike(f"affected {line.fields.get('affected')} recorded, ours {result.affected}")
            return
        if reads_real_rows(sql) or _HOST_FACTS.match(sql):
            return
        kept = [index for index, name in enumerate(names) if name not in FAKE_COLUMNS]
        recorded = [[row[index] for index in kept] for row in line.rows or ()]
        ours = [[row[index] for index in kept] for row in result.rows]
        kept_names = [names[index] for index in kept]
        if _POLL.match(sql):
            _hide_chance(recorded, ours, kept_names)
            if " from " not in sql.lower():
                recorded = self._of_this_scenario(recorded, kept_names)
        if _DATABASES.match(sql):
            recorded = [row for row in recorded if row[0] in {one[0] for one in ours}]
        if sql.lower().split() == ["show", "repositories"]:
            recorded = [row for row in recorded if row[1] in self.frontend.handler.repositories]
        self.likeness.same_rows(recorded, ours, kept_names)

    def _of_this_scenario(self, rows: list[list[Any]], names: Sequence[str]) -> list[list[Any]]:
        """Without what other scenarios, recorded on the same frontend before, left behind."""
        database = names.index("DbName")
        return [row for row in rows if row[database] in self.frontend.catalog.databases]

    def _partitions_meta(self, line: Line) -> None:
        recorded: Sequence[Mapping[str, Any]] = line.fields["partitions_meta"]
        session = self.frontend.connect("root")
        session.execute("SET time_zone = '+00:00'")
        databases = {row.get("db_name") for row in recorded}
        ours = _read_meta(session, databases)
        if any(gap == 1 and gaps(ours).get(key, 1) > 1 for key, gap in gaps(recorded).items()):
            self.frontend.held_loads.publish()
            ours = _read_meta(session, databases)
        mine = [[_meta(row, name) for name in _META_FIELDS] for row in ours]
        theirs = [[_meta(row, name) for name in _META_FIELDS] for row in recorded]
        self.likeness.same_rows(sorted(theirs, key=str), sorted(mine, key=str), _META_FIELDS)

    def _follow(self, line: Line) -> None:
        """Move the jobs that a poll shows to the states it shows."""
        kind = "BACKUP" if re.match(r"\s*show\s+backup", line.sql or "", re.IGNORECASE) else "RESTORE"
        for row in line.records:
            job = self._job(str(row.get("DbName")), kind)
            if job is not None:
                self._lead(job, str(row.get("State")))

    def _lead(self, job: Job, state: str) -> None:
        order = ORDER[job.kind]
        for _ in range(len(order) + 1):
            if job.state == state or job.state not in order[:-1]:
                return
            if state in order and order.index(job.state) > order.index(state):
                return
            self._step(job)

    def _catch_up(self, line: Line) -> None:
        """Let jobs that nobody polls move by the clock, but never past what the next poll shows."""
        for job in list(self.frontend.handler.jobs()):
            order = ORDER[job.kind]
            limit = self._next_state(line, job)
            while job.state in order[:-1] and self._is_due(job):
                if limit is not None and (limit not in order or order.index(job.state) >= order.index(limit)):
                    break
                before = job.state
                self._step(job)
                if job.state == before:
                    break

    def _is_due(self, job: Job) -> bool:
        patience = 1.7 * self.recording.tick + 0.3
        moved = self._moved.get(id(job), job.created)
        return self.clock.now() - moved > patience

    def _step(self, job: Job) -> None:
        self._moved[id(job)] = max(self._moved.get(id(job), job.created) + self.recording.tick, job.created)
        self.frontend.handler.step(job)

    def _next_state(self, line: Line, job: Job) -> str | None:
        for later in self.recording.lines[line.number - 1 :]:
            if not later.sql or not _POLL.match(later.sql):
                continue
            for row in later.records:
                name = row.get("SnapshotName", row.get("Label"))
                if row.get("DbName") == job.db_name and name == job.label and job.kind in later.sql.upper():
                    return str(row.get("State"))
        return None

    def _job(self, database: str, kind: str) -> Job | None:
        for job in self.frontend.handler.jobs():
            if job.db_name == database and job.kind == kind:
                return job
        return None


def reads_real_rows(sql: str) -> bool:
    """Whether the answer holds rows of a user's table, which the fake backends made up."""
    lowered = sql.lower()
    return bool(_SELECT.match(sql)) and " from " in lowered and "information_schema" not in lowered


def _hide_chance(recorded: list[list[Any]], ours: list[list[Any]], names: Sequence[str]) -> None:
    """Take out of polls what is a matter of phase and of ids.

    JobId is -1 at the start of PENDING and may be set at its end (O§a). RestoreObjs comes in the order of hash maps,
    one of which has ids as keys.
    """
    if "JobId" not in names or "State" not in names:
        return
    job_id, state = names.index("JobId"), names.index("State")
    for row in (*recorded, *ours):
        if row[state] in {"PENDING", "CANCELLED"}:
            row[job_id] = "-1"
        if "RestoreObjs" in names:
            objects = names.index("RestoreObjs")
            found = _OBJECTS.findall(row[objects])
            row[objects] = str(sorted((name, sorted(parts.split(", "))) for name, parts in found))


def _read_meta(session: Session, databases: set[Any]) -> list[dict[str, Any]]:
    answer = session.execute("SELECT * FROM information_schema.partitions_meta")[-1]
    names = [column.name.lower() for column in answer.columns or ()]
    rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
    return [row for row in rows if row["db_name"] in databases]


def _meta(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    if name == "visible_version_time" and not isinstance(value, int):
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return int(when.replace(tzinfo=UTC).timestamp())
    return value
