"""What several modules of examples need."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is nine hours ahead of UTC: whoever asks it for the time of day is found out."""
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()
