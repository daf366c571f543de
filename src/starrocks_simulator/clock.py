"""The frontend's clock."""

from __future__ import annotations

import time
from typing import Protocol

from attrs import define


class Clock(Protocol):
    """Tells the time to one frontend."""

    def now(self) -> float:
        """Seconds since the epoch, with fraction; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


@define
class VirtualClock:
    """A clock that stands still until a test moves it."""

    _now: float = 1_800_000_000.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds
