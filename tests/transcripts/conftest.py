"""`--transcripts DIR`: replay another folder of transcripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcripts.recording import find

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--transcripts`."""
    parser.addoption("--transcripts", type=Path, default=None, help="folder of .jsonl or .jsonl.gz files to replay")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per transcript."""
    if "transcript" in metafunc.fixturenames:
        folder = metafunc.config.getoption("--transcripts") or HERE / "recorded"
        paths = list(find(folder))
        metafunc.parametrize("transcript", paths, ids=[path.name.split(".")[0] for path in paths])
