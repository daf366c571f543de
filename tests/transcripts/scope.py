"""What the simulator leaves out, with the reason: kinds of statement, and single lines of single transcripts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.transcripts.recording import Line

LIST = Path(__file__).parent / "out_of_scope.toml"


@frozen
class Scope:
    """What is left out of one transcript.

    Attributes:
        lines: Line number → reason.
        kinds: Patterns of statements, each with its reason.
    """

    lines: Mapping[int, str]
    kinds: Sequence[tuple[re.Pattern[str], str]]

    def reason(self, line: Line) -> str | None:
        """Why a line is left out; None if it has to replay."""
        if line.number in self.lines:
            return self.lines[line.number]
        return next((reason for pattern, reason in self.kinds if pattern.match(line.sql or "")), None)


def scope_of(name: str, path: Path = LIST) -> Scope:
    """The scope of the transcript of that name.

    The file holds `[kinds]` (reason = pattern) and one table per transcript, whose keys are lines and ranges ("12",
    "30-41", "50, 53") and whose values are reasons.
    """
    entries = tomllib.loads(path.read_text())
    lines = {number: reason for text, reason in entries.get(name, {}).items() for number in _numbers(text)}
    kinds = [(re.compile(rf"\s*(?:{text})", re.IGNORECASE), reason) for reason, text in entries["kinds"].items()]
    return Scope(lines, kinds)


def _numbers(lines: str) -> list[int]:
    numbers: list[int] = []
    for part in lines.split(","):
        first, _, last = part.strip().partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
