"""A session of root on a fresh cluster, database `d` selected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.errors import ServerError
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.session import Session

Run = Callable[[str], list[tuple[Any, ...]]]
Refused = Callable[[str], str]


@pytest.fixture
def clock() -> VirtualClock:
    """2027-01-15 08:00:00 UTC."""
    return VirtualClock(1_800_000_000.0)


@pytest.fixture
def frontend(tmp_path: Path, clock: VirtualClock) -> Frontend:
    """A fresh cluster."""
    return Frontend(tmp_path, clock=clock)


@pytest.fixture
def session(frontend: Frontend) -> Session:
    """Root, in database `d`."""
    session = frontend.connect()
    session.execute("CREATE DATABASE d; USE d")
    return session


@pytest.fixture
def run(session: Session) -> Run:
    """Execute one text; the rows of its last result."""
    return lambda sql: session.execute(sql)[-1].rows


@pytest.fixture
def refused(session: Session) -> Refused:
    """Execute a text that must fail; `errno message`."""

    def attempt(sql: str) -> str:
        with pytest.raises(ServerError) as caught:
            session.execute(sql)
        return f"{caught.value.errno} {caught.value.message}"

    return attempt
