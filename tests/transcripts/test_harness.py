"""The replay itself: what it notices, and that odd files do not break it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts.likeness import Likeness, Unlike
from tests.transcripts.recording import find, read
from tests.transcripts.replay import Replay
from tests.transcripts.scope import scope_of

CREATE = {"t": 0.1, "sql": "create database d", "columns": None, "rows": None, "error": None, "affected": 0}


def replay(folder: Path, *lines: dict[str, Any]) -> Replay:
    """Replay these lines from a file."""
    path = folder / "odd.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    played = Replay(read(path), folder / "repository", scope_of("odd"))
    played.run()
    return played


def test_a_wrong_answer_is_noticed(tmp_path: Path) -> None:
    """Another error, a success for an error, other rows, other columns: each differs."""
    error = {"errno": 1007, "sqlstate": "HY000", "message": "Can't create database 'd'; database exists"}
    show = {"t": 0.2, "sql": "show tables from d", "columns": ["Tables_in_d"], "rows": [], "error": None, "affected": 0}
    played = replay(
        tmp_path,
        CREATE,
        {**CREATE, "error": error},
        {**CREATE, "error": {**error, "message": "something else"}},
        CREATE,
        {**CREATE, "sql": "create database e", "error": error},
        show,
        {**show, "rows": [["t"]]},
        {**show, "columns": ["Tables"]},
    )
    assert played.agreed == [1, 2, 6]
    assert [difference.line.number for difference in played.differences] == [3, 4, 5, 7, 8]


def test_what_it_does_not_know_is_passed_over(tmp_path: Path) -> None:
    """Unknown notes, missing fields, lines that are cut short."""
    played = replay(
        tmp_path,
        {"t": 0},
        {"note": 7, "something": [1]},
        {"t": None, "note": "FE restart"},
        {"t": 1, "sql": "select 1"},
        {"t": 1, "sql": "bogus", "columns": None, "rows": None, "error": {}, "affected": None},
        {"t": 2, "note": "odd", "partitions_meta": [{"db_name": "d"}]},
        {"t": 2, "note": "empty", "partitions_meta": []},
        {"t": 3, "note": "seen", "statements_seen_by_fe": [["OK"]]},
        {**CREATE, "who": "root#else"},
    )
    assert 9 in played.agreed


def test_compressed_and_plain_files_are_found(tmp_path: Path) -> None:
    """In the order of their names."""
    (tmp_path / "b.jsonl").write_text(json.dumps(CREATE))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(CREATE).encode()))
    (tmp_path / "c.txt").write_text("no transcript")
    assert [read(path).name for path in find(tmp_path)] == ["a", "b"]


def test_ids_are_mapped_one_to_one() -> None:
    """A recorded id has one id of ours, and the other way round; versions are no ids."""
    likeness = Likeness(tolerance=5)
    likeness.same_value("10265", "20001", name="PartitionId")
    likeness.same_value("table 10265 has been dropped", "table 20001 has been dropped")
    assert likeness.to_ours("SHOW PROC '/dbs/10265'") == "SHOW PROC '/dbs/20001'"
    for recorded, ours in (("10265", "20002"), ("10266", "20001"), ("3", "4"), ("p1", "p2"), (None, "")):
        with pytest.raises(Unlike):
            likeness.same_value(recorded, ours)


def test_instants_are_the_same_within_the_tolerance() -> None:
    """DATETIMEs, epoch seconds and milliseconds; a snapshot's timestamp is also mapped."""
    likeness = Likeness(tolerance=5)
    likeness.same_value("2026-11-22 10:00:00", "2026-11-22 10:00:04")
    likeness.same_value(1795359870, 1795359872)
    likeness.same_value("2026-11-22-10-00-00-000", "2026-11-22-10-00-01-500")
    assert likeness.to_ours("'2026-11-22-10-00-00-000'") == "'2026-11-22-10-00-01-500'"
    with pytest.raises(Unlike):
        likeness.same_value("2026-11-22 10:00:00", "2026-11-22 10:00:06")


def test_rows_without_an_order_find_their_like() -> None:
    """And nothing is learned from a comparison that fails."""
    likeness = Likeness(tolerance=5)
    likeness.same_rows([["a", "10001"], ["b", "10002"]], [("b", 20002), ("a", 20001)], ["Name", "Id"])
    with pytest.raises(Unlike):
        likeness.same_rows([["c", "10003"], ["d", "1"]], [("c", 20003), ("d", 2)], ["Name", "Version"])
    assert likeness.to_ours("10001 10002 10003") == "20001 20002 10003"
