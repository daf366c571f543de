"""Replays a transcript against the simulator, in process, on a virtual clock."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.errors import ServerError
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.results import Result
from starrocks_simulator.session import Session
from tests.transcripts import laboratory
from tests.transcripts.answers import comparable, is_made_up
from tests.transcripts.likeness import Likeness, Unlike
from tests.transcripts.pacing import Pace
from tests.transcripts.recording import LAB_ZONE, Line, Recording
from tests.transcripts.scope import Scope

NEVER = 1e15
"""Seconds between two ticks of the frontend's own handler: it stands still, the replay moves the jobs."""

_LOAD = re.compile(r"^\s*(?:insert|update|delete)\b", re.IGNORECASE)
_LEFT_BEHIND = re.compile(r"^\s*drop\s+(?:repository|database|user|role|resource)\b", re.IGNORECASE)
_RESTART = re.compile(r"\s*(?:fe\s+restart|(?:restart|kill)\s+(?:the\s+)?(?:fe|frontend))\b", re.IGNORECASE)
_ANSWER = frozenset({"error", "rows", "columns", "affected"})
"""A line with a statement and none of these was cut short: what was answered is not known."""

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
        scope: What is left out.
        agreed: Numbers of the lines on which both agree.
        left_out: Numbers of the lines that were not compared.
        differences: The others.
    """

    recording: Recording
    folder: Path
    scope: Scope
    left_out: list[int] = field(factory=list)
    agreed: list[int] = field(factory=list)
    differences: list[Difference] = field(factory=list)
    clock: VirtualClock = field(init=False)
    frontend: Frontend = field(init=False)
    likeness: Likeness = field(init=False)
    pace: Pace = field(init=False)
    _sessions: dict[str, Session] = field(factory=dict)

    def run(self) -> None:
        """Play every line."""
        epoch = self.recording.epoch
        self.clock = VirtualClock(epoch)
        self.frontend = Frontend(self.folder, clock=self.clock, tick=NEVER, jvm_zone=LAB_ZONE)
        self.likeness = Likeness(tolerance=15.0)
        self.pace = Pace(self.recording, self.frontend, self.clock)
        held = laboratory.held_loads(self.recording)
        for line in self.recording.lines:
            self.clock.advance(max(0.0, epoch + line.seconds - self.clock.now()))
            self.frontend.faults.hold_publish = line.number in held
            self._play(line)

    def _play(self, line: Line) -> None:
        if line.sql is not None:
            if line.fields.keys() & _ANSWER:
                self._judge(line, self._statement)
        elif line.fields.get("partitions_meta") is not None:
            self._judge(line, self._partitions_meta)
        elif _RESTART.match(line.note):
            self.frontend.restart()
            self._sessions.clear()
        else:
            laboratory.act_out_clients(self.frontend, line)

    def _judge(self, line: Line, check: Callable[[Line], None]) -> None:
        if self.scope.reason(line) is not None:
            self.left_out.append(line.number)
            with contextlib.suppress(Exception):
                self._have_its_effect(line)
            return
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

    def _have_its_effect(self, line: Line) -> None:
        """Send a statement that is left out, if it changed anything on the server."""
        if line.sql is not None and line.error is None:
            self.pace.before(line)
            self._session(line.who).execute(self.likeness.to_ours(line.sql))

    def _session(self, who: str) -> Session:
        if who not in self._sessions:
            self._sessions[who] = self.frontend.connect(who.partition("#")[0])
        return self._sessions[who]

    def _statement(self, line: Line) -> None:
        self.pace.before(line)
        self._compare(line)

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
        if result.columns is None and not result.affected:
            laboratory.touch_unmatched(self.frontend, sql)
        self._same_result(line, result)

    def _same_error(self, line: Line, error: ServerError) -> None:
        if line.error is None:
            if _LEFT_BEHIND.match(line.sql or ""):
                return  # an earlier run of the scenario had left it behind
            raise Unlike(f"recorded a success, ours {error.errno} {error.message!r}")
        if line.error["message"].startswith("lab: "):
            return  # the fake backend's, not the server's
        names = ("errno", "sqlstate", "message")
        recorded = (line.error["errno"], line.error["sqlstate"], _without_guesses(line.error["message"]))
        self.likeness.same_row(recorded, (error.errno, error.sqlstate, _without_guesses(error.message)), names)

    def _same_result(self, line: Line, result: Result) -> None:
        names = None if result.columns is None else [column.name for column in result.columns]
        if names != (None if line.columns is None else list(line.columns)):
            raise Unlike(f"columns {line.columns} recorded, ours {names}")
        sql = line.sql or ""
        if names is None:
            if not _LOAD.match(sql) and (line.fields.get("affected") or 0) != result.affected:
                raise Unlike(f"affected {line.fields.get('affected')} recorded, ours {result.affected}")
            return
        if is_made_up(sql):
            return
        answers = comparable(line, result, self.frontend)
        try:
            self.likeness.same_rows(answers.recorded, answers.ours, answers.names)
        except Unlike:
            if not self.pace.move_schema_jobs(line, answers):
                raise
            self._compare(line)

    def _partitions_meta(self, line: Line) -> None:
        recorded: Sequence[Mapping[str, Any]] = line.fields["partitions_meta"]
        self.pace.before(line)
        databases = {str(row.get("db_name")) for row in recorded}
        ours = self._read_meta(databases)
        if laboratory.catch_up(self.frontend, recorded, ours):
            ours = self._read_meta(databases)
        mine = [[_meta(row, name) for name in _META_FIELDS] for row in ours]
        theirs = [[_meta(row, name) for name in _META_FIELDS] for row in recorded]
        self.likeness.same_rows(sorted(theirs, key=str), sorted(mine, key=str), _META_FIELDS)

    def _read_meta(self, databases: set[str]) -> list[dict[str, Any]]:
        session = self.frontend.connect("root")
        session.execute("SET time_zone = '+00:00'")
        answer = session.execute("SELECT * FROM information_schema.partitions_meta")[-1]
        names = [column.name.lower() for column in answer.columns or ()]
        rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
        return [row for row in rows if row["db_name"] in databases]


def _without_guesses(message: str) -> str:
    """An error's text without what the server thinks was meant instead."""
    return message.partition(", the most similar ")[0].rstrip(".")


def _meta(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    if name == "visible_version_time" and not isinstance(value, int):
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return int(when.replace(tzinfo=UTC).timestamp())
    return value
