"""What the simulator leaves out, statement by statement, with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

LIST = Path(__file__).parent / "out_of_scope.toml"


def out_of_scope(name: str, path: Path = LIST) -> Mapping[int, str]:
    """Line number → reason, of one transcript.

    The file holds one table per transcript; its keys are lines and ranges ("12", "30-41", "50, 53"), its values
    reasons.
    """
    entries = tomllib.loads(path.read_text()).get(name, {})
    return {number: reason for lines, reason in entries.items() for number in _numbers(lines)}


def _numbers(lines: str) -> list[int]:
    numbers: list[int] = []
    for part in lines.split(","):
        first, _, last = part.strip().partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
