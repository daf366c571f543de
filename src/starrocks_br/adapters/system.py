"""This machine: its clock, its randomness, its log."""

from __future__ import annotations

import logging
import secrets
import string
import time
from typing import Final

from starrocks_br.domain.events import Progress
from starrocks_br.domain.ports import Clock, Listener, Tokens

_ALPHABET: Final = string.ascii_lowercase + string.digits
_LENGTH: Final = 8

_log = logging.getLogger(__name__)


class SystemClock(Clock):
    """The machine's own time."""

    def monotonic(self) -> float:  # noqa: D102 -- the port says it
        return time.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: D102
        time.sleep(seconds)


class SecretsTokens(Tokens):
    """Eight lower-case letters and digits from the system's randomness: one of 2.8 * 10^12.

    Labels are unique over all clusters that share a repository (O§k), hence no counter and no seed.
    """

    def __call__(self) -> str:  # noqa: D102
        return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


class Quiet(Listener):
    """Listens to nothing."""

    def __call__(self, progress: Progress, /) -> None:  # noqa: D102
        del progress


class Guarded(Listener):
    """Keeps a listener's own faults away from the work: the first is logged, all are dropped.

    Args:
        listener: Who is told.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._complained = False

    def __call__(self, progress: Progress, /) -> None:  # noqa: D102
        try:
            self._listener(progress)
        except Exception:  # noqa: BLE001 -- whatever it is, it is no reason to lose a backup
            if not self._complained:
                _log.exception("the progress listener failed; further faults of it are not logged")
            self._complained = True
