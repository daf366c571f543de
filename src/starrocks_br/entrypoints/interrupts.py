"""Ctrl-C and SIGTERM: the first stops the command, the second ends the process; what is left behind on the server."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import Final, NoReturn

from starrocks_br.entrypoints.streams import tell

BACKUP_GOES_ON: Final = (
    "a job that was sent goes on on the server; the next starrocks-br backup finds it and records how it ended"
)
RESTORE_GOES_ON: Final = (
    "what was complete stays; what had begun is taken back, but for a job that was sent: that goes on on the server; "
    "a minute after its end starrocks-br restore --resume ID finishes the restore, or --undo ID or any later backup or "
    "restore takes it back"
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


STOPPING_SLOWLY: Final = 2.0
"""Seconds after which a command that was told to stop says what it waits for."""

WAITS: Final = "stopping as soon as the server has answered; once more, and it stops without waiting\n"


@contextmanager
def second_signal_leaves() -> Iterator[None]:
    """While the block runs, a second SIGINT or SIGTERM ends the process at once, whatever it is doing.

    Python raises the first one between two instructions of its own, so that a driver that waits on a dead line may
    keep it for as long as `read_timeout`. What a signal writes into the wakeup descriptor comes through meanwhile. The
    library never does this.
    """
    receiver, sender = socket.socketpair()
    sender.settimeout(0)
    before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    watcher = Thread(target=watch_signals, args=(receiver, os._exit), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        sender.close()
        watcher.join()
        receiver.close()


def watch_signals(
    receiver: socket.socket, leave: Callable[[int], object], *, patience: float = STOPPING_SLOWLY
) -> None:
    """Read signal numbers until the other end closes; `leave` at the second one, with that signal's exit code.

    Args:
        receiver: Gives a byte for each signal.
        leave: Ends the process.
        patience: Seconds after the first signal until the user is told what the command waits for.
    """
    told_to_stop = False
    while number := _next_signal(receiver, told_to_stop=told_to_stop, patience=patience):
        stops = number in {signal.SIGINT, signal.SIGTERM}
        if stops and told_to_stop:
            leave(128 + number)
        told_to_stop = told_to_stop or stops


def _next_signal(receiver: socket.socket, *, told_to_stop: bool, patience: float) -> int:
    """The number of the next signal; 0 once there will be none."""
    receiver.settimeout(patience if told_to_stop else None)
    try:
        return int.from_bytes(receiver.recv(1))
    except TimeoutError:
        tell(sys.stderr, WAITS)
        receiver.settimeout(None)
        return int.from_bytes(receiver.recv(1))
