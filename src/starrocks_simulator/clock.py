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

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        ...


@define
class SystemClock:
    """The machine's clock, and what it is ahead of it: time that a test let pass without waiting."""

    _ahead: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Go ahead by so much more."""
        self._ahead += seconds


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
