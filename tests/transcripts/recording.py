"""Transcripts: what a real frontend answered, statement by statement."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attrs import field, frozen

LAB_ZONE = "America/New_York"
"""The zone of the frontend process that was recorded (O, head)."""

_SUBMIT = re.compile(r"^\s*BACKUP\b.*?\bSNAPSHOT\s+(?:`?\w+`?\.)?[`]?(?P<label>[^`\s]+)", re.IGNORECASE | re.DOTALL)


@frozen
class Line:
    """One line of a transcript.

    Attributes:
        number: Counted from 1, as observed.md cites it.
        seconds: Since the scenario began.
        sql: The statement; None for a note.
        note: The recorder's remark, or "".
        who: The session that sent it: a user, perhaps with `#` and a session's name.
        fields: Everything else as recorded.
    """

    number: int
    seconds: float
    sql: str | None
    note: str
    who: str
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """errno, sqlstate and message of a refusal."""
        return self.fields.get("error")

    @property
    def columns(self) -> Sequence[str] | None:
        """Names of the result set's columns."""
        return self.fields.get("columns")

    @property
    def rows(self) -> Sequence[Sequence[Any]] | None:
        """Rows of the result set."""
        return self.fields.get("rows")

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        return [dict(zip(self.columns or (), row, strict=False)) for row in self.rows or ()]


@frozen
class Recording:
    """One scenario.

    Attributes:
        name: The file's name without its endings.
        lines: In the order in which they were recorded.
    """

    name: str
    lines: Sequence[Line] = field(repr=False)

    @property
    def tick(self) -> float:
        """Seconds between two steps of a job: scenarios whose name begins with y ran faster (O, Files)."""
        return 0.3 if self.name.startswith("y") else 3.0

    @property
    def epoch(self) -> float:
        """When the scenario began, epoch seconds: told by the first instant it shows of something it did."""
        for known in (self._first_snapshot(), self._first_job(), self._first_clock(), self._first_version()):
            if known is not None:
                return known
        return 1_795_360_000.0

    def _first_snapshot(self) -> float | None:
        """A snapshot's timestamp is the instant of its submit."""
        stamps = {
            row["Snapshot"]: row["Timestamp"]
            for line in self.lines
            if line.columns and "Snapshot" in line.columns and "Timestamp" in line.columns
            for row in line.records
            if re.fullmatch(r"\d{4}(-\d\d){5}-\d{3}", str(row["Timestamp"]))
        }
        for line in self.lines:
            submit = _SUBMIT.match(line.sql or "")
            if submit and not line.error and submit["label"] in stamps:
                return _instant(stamps[submit["label"]]) - line.seconds
        return None

    def _first_job(self) -> float | None:
        """A job's CreateTime is the second of its submit, in the session's zone, which nobody has set yet."""
        submitted = 0.0
        for line in self.lines:
            if line.sql and _SUBMIT.match(line.sql):
                submitted = line.seconds
            elif submitted and line.records and "CreateTime" in line.records[0] and "JobId" in line.records[0]:
                return _local(str(line.records[0]["CreateTime"])) - submitted
        return None

    def _first_clock(self) -> float | None:
        """An answer of UNIX_TIMESTAMP()."""
        for line in self.lines:
            if line.sql and line.rows and re.match(r"\s*select\s+unix_timestamp\(\)", line.sql, re.IGNORECASE):
                return float(line.rows[0][0]) - line.seconds
        return None

    def _first_version(self) -> float | None:
        """The newest visible version is about as old as the note that shows it."""
        for line in self.lines:
            newest = max(
                (row.get("visible_version_time") or 0 for row in line.fields.get("partitions_meta") or ()), default=0
            )
            if newest:
                return float(newest) - line.seconds
        return None


def _instant(stamp: str) -> float:
    when = datetime.strptime(stamp, "%Y-%m-%d-%H-%M-%S-%f").replace(tzinfo=ZoneInfo(LAB_ZONE))
    return when.timestamp()


def _local(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LAB_ZONE)).timestamp()


def read(path: Path) -> Recording:
    """The scenario in one `.jsonl` or `.jsonl.gz` file."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [_line(number, json.loads(text)) for number, text in enumerate(data.splitlines(), 1) if text.strip()]
    return Recording(path.name.removesuffix(".gz").removesuffix(".jsonl"), lines)


def find(folder: Path) -> Iterator[Path]:
    """The transcripts in a folder, in the order of their names."""
    yield from sorted((*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")))


def _line(number: int, raw: dict[str, Any]) -> Line:
    return Line(
        number=number,
        seconds=float(raw.get("t") or 0.0),
        sql=raw.get("sql"),
        note=str(raw.get("note") or ""),
        who=str(raw.get("who") or "root"),
        fields=raw,
    )
