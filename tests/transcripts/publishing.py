"""Which loads of a transcript were committed and held back: told by the gaps that partitions_meta shows later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.transcripts.recording import Line, Recording

_LOAD = re.compile(r"^\s*insert\s+into\b", re.IGNORECASE)
_Key = tuple[str, str]


def held_loads(recording: Recording) -> frozenset[int]:
    """Numbers of the lines whose load was committed and did not become visible.

    A note that shows a partition with NEXT_VERSION k further ahead of VISIBLE_VERSION than the note before means that
    the last k loads of that table in between were held.
    """
    held: set[int] = set()
    before: dict[_Key, int] = {}
    loads: list[Line] = []
    for line in recording.lines:
        if line.sql is not None:
            if _LOAD.match(line.sql) and line.error is None:
                loads.append(line)
            continue
        rows = line.fields.get("partitions_meta")
        if rows is None:
            continue
        now = gaps(rows)
        for (table, name), gap in now.items():
            grown = gap - before.get((table, name), 1)
            of_table = [load.number for load in loads if re.search(rf"\b{re.escape(table)}\b", load.sql or "")]
            held.update(of_table[-grown:] if grown > 0 else ())
        before, loads = now, []
    return frozenset(held)


def gaps(rows: Iterable[Mapping[str, Any]]) -> dict[_Key, int]:
    """NEXT_VERSION minus VISIBLE_VERSION by table and partition; 1 is what it should be."""
    return {
        (str(row["table_name"]), str(row["partition_name"])): int(row["next_version"]) - int(row["visible_version"])
        for row in rows
    }
