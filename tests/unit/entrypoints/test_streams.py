"""Output that cannot be written."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from starrocks_br.entrypoints.streams import missing_streams_replaced, tell


def test_what_is_told_is_written_at_once() -> None:
    stream = io.StringIO()
    assert tell(stream, "täßt\n") is None
    assert stream.getvalue() == "täßt\n"


def test_characters_that_the_encoding_lacks_are_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert tell(stream, "d1.tä日\n") is None
    assert raw.getvalue() == b"d1.t\\xe4\\u65e5\n"


def test_a_stream_that_fails_says_so_once_and_leads_nowhere_from_there_on() -> None:
    """Not even closing it fails, as it is at the end of the process."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        error = tell(full, "one\n")
        assert error is not None
        assert "No space left" in str(error)
        assert tell(full, "two\n") is None


def test_streams_that_the_process_was_started_without_are_the_null_device_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with missing_streams_replaced():
        assert sys.stdin.read() == ""
        assert not sys.stdin.isatty()
        assert tell(sys.stdout, "x") is None
        assert tell(sys.stderr, "x") is None
    assert (sys.stdin, sys.stdout, sys.stderr) == (None, None, None)
