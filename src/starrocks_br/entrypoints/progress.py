"""Progress on stderr: a line rewritten in place on a terminal, a line per change otherwise."""

from __future__ import annotations

import shutil
from typing import TextIO

from starrocks_br.domain.events import (
    BackupPlanned,
    JobEnded,
    JobSeen,
    JobSent,
    Progress,
    RestorePlanned,
    Retrying,
    Settled,
    StepDone,
    Warned,
)
from starrocks_br.domain.names import DatabaseName
from starrocks_br.entrypoints.render.layout import duration, number
from starrocks_br.entrypoints.render.restore import step_text
from starrocks_br.entrypoints.streams import tell

_CLEAR = "\r\x1b[K"
_MINUTE = 60


def describe(progress: Progress) -> str:
    """One event as one line."""
    match progress:
        case BackupPlanned() | RestorePlanned():
            return f"planned: {_planned(progress)}"
        case JobSent() | JobSeen() | JobEnded():
            return _of_job(progress)
        case StepDone():
            return f"step {progress.number}/{progress.total} done: {step_text(progress.step)}"
        case Settled():
            outcome = progress.outcome or "still running"
            return f"from an earlier command: {progress.subject} is {outcome} ({progress.detail})"
        case Retrying():
            return f"{progress.database}: attempt {progress.attempt} follows, because {progress.reason}"
        case _:
            about = f"{progress.table}: " if progress.table else ""
            return f"warning: {about}{progress.message}"


def _planned(progress: BackupPlanned | RestorePlanned) -> str:
    if isinstance(progress, RestorePlanned):
        plan = progress.plan
        return f"{plan.target.table} from {number(len(plan.jobs), 'snapshot')}, as restore {plan.restore}"
    databases = progress.plan.databases
    tables = sum(len(database.tables) for database in databases)
    jobs = sum(not database.unchanged for database in databases)
    return f"{number(tables, 'table')} in {number(len(databases), 'database')}, {number(jobs, 'job')}"


def _of_job(progress: JobSent | JobSeen | JobEnded) -> str:
    if isinstance(progress, JobSent):
        return f"{progress.database}: sent, snapshot {progress.label}"
    if isinstance(progress, JobSeen):
        return f"{progress.job.database}: {progress.job.kind} {progress.job.state}"
    if progress.job is None:
        return f"{progress.database}: the job of snapshot {progress.label} is not shown any more"
    return f"{progress.database}: {progress.job.kind} {progress.job.state} after {duration(progress.elapsed)}"


def live_text(seen: JobSeen) -> str:
    """A running job in the fewest words: database, state, tablets, clock."""
    done, total = seen.job.tablets
    tablets = f" {done}/{total} tablets" if total else ""
    minutes, seconds = divmod(int(seen.elapsed), _MINUTE)
    return f"{seen.job.database} {seen.job.state}{tablets} {minutes}:{seconds:02}"


class QuietDisplay:
    """Shows warnings only (`-q`)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        if isinstance(progress, Warned):
            self.say(describe(progress))

    def say(self, line: str) -> None:
        """Write a line that stays."""
        tell(self._stream, line + "\n")

    def close(self) -> None:
        """Leave nothing half written."""


class LineDisplay(QuietDisplay):
    """Shows one line per event, and of a running job one per change of its state: for logs."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._states: dict[tuple[DatabaseName, str], str] = {}

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        if not isinstance(progress, JobSeen) or self._is_news(progress):
            self.say(describe(progress))

    def _is_news(self, seen: JobSeen) -> bool:
        key = (seen.job.database, seen.job.label)
        before = self._states.get(key)
        self._states[key] = seen.job.state
        return before != seen.job.state


class TerminalDisplay(QuietDisplay):
    """Shows running jobs in one line that is rewritten, everything else above it: for eyes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._running: dict[DatabaseName, str] = {}

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        if isinstance(progress, JobSeen):
            self._running[progress.job.database] = live_text(progress)
            self._draw()
            return
        if isinstance(progress, JobEnded):
            self._running.pop(progress.database, None)
        self.say(describe(progress))

    def say(self, line: str) -> None:
        """Write a line that stays, above the live one."""
        super().say(_CLEAR + line)
        self._draw()

    def close(self) -> None:
        """Take the live line away."""
        if self._running:
            self._running.clear()
            tell(self._stream, _CLEAR)

    def _draw(self) -> None:
        if self._running:
            width = shutil.get_terminal_size().columns
            line = " | ".join(self._running[database] for database in sorted(self._running))
            tell(self._stream, _CLEAR + line[: width - 1])


def display_for(stream: TextIO, *, quiet: bool) -> QuietDisplay:
    """The display that fits the stream."""
    if quiet:
        return QuietDisplay(stream)
    return TerminalDisplay(stream) if stream.isatty() else LineDisplay(stream)
