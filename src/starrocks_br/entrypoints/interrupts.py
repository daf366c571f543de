"""Ctrl-C and SIGTERM: what they raise, and what is left behind on the server."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

BACKUP_GOES_ON: Final = (
    "a job that was sent goes on on the server; the next starrocks-br backup finds it and records how it ended"
)
RESTORE_GOES_ON: Final = (
    "a job that was sent goes on on the server; once it has ended, the next starrocks-br backup or restore clears "
    "away what this one began; then restore again"
)
BOOTSTRAP_GOES_ON: Final = (
    "a job that was sent goes on on the server; once it has ended, run starrocks-br bootstrap again"
)
NOTHING_LEFT: Final = "nothing is left behind; run it again when you like"

AFTERMATH: Final = {"backup": BACKUP_GOES_ON, "restore": RESTORE_GOES_ON, "bootstrap": BOOTSTRAP_GOES_ON}
"""What to do after an interrupted command, by its name; `NOTHING_LEFT` for the others."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived. Handled like Ctrl-C all the way up; only the exit code differs."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Have SIGTERM raise `Terminated` in the main thread while the block runs. The library never does this."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
