"""How long a connection that was there is missed before the command ends."""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from starrocks_br.domain.errors import OutcomeUnknown, Unreachable, gone
from starrocks_br.domain.events import Warned
from starrocks_br.domain.ports import Clock, Listener

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
"""Seconds between two attempts: the first pause, doubled from attempt to attempt up to the longest."""


@frozen(kw_only=True)
class Patience:
    """What to do about a connection that broke.

    Attributes:
        clock: For waiting.
        listener: Is told once per break.
        timeout: Seconds, from the first failure on, for which it is made anew over and over.
    """

    clock: Clock
    listener: Listener
    timeout: float

    def waiting(self) -> Waiting:
        """For one statement."""
        return Waiting(self)


@define
class Waiting:
    """The attempts at one statement."""

    _patience: Patience
    _since: float | None = field(default=None, init=False)
    _pause: float = field(default=FIRST_PAUSE, init=False)

    def pause(self, error: Unreachable | OutcomeUnknown) -> None:
        """Wait before the next attempt.

        The time runs from the first failure: an attempt on a dead line may itself have lasted longer than all of it.

        Raises:
            Unreachable: It was tried for long enough.
        """
        clock, timeout = self._patience.clock, self._patience.timeout
        now = clock.monotonic()
        if self._since is None:
            self._since = now
            again = f"trying again for up to {timeout:g} s"
            self._patience.listener(Warned(message=f"the connection is lost ({error.why}); {again}"))
        if now - self._since > timeout:
            raise gone(error) from error
        clock.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
