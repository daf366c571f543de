"""The first signal stops a command, the second ends the process."""

from __future__ import annotations

import signal
import socket
from threading import Thread

import pytest

from starrocks_br.entrypoints.interrupts import WAITS, second_signal_leaves, watch_signals

INT, TERM, OTHER = signal.SIGINT, signal.SIGTERM, signal.SIGWINCH


def _codes(*numbers: int, patience: float = 60.0) -> list[int]:
    """With which exit codes the process would have been left after these signals."""
    receiver, sender = socket.socketpair()
    codes: list[int] = []
    with receiver, sender:
        sender.sendall(bytes(numbers))
        sender.shutdown(socket.SHUT_WR)
        watch_signals(receiver, codes.append, patience=patience)
    return codes


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        ((), []),
        ((INT,), []),
        ((INT, INT), [130]),
        ((INT, TERM), [143]),
        ((TERM, INT), [130]),
        ((OTHER, INT, OTHER), []),
        ((OTHER, OTHER), []),
        ((INT, OTHER, TERM), [143]),
    ],
)
def test_the_second_signal_to_stop_leaves_with_its_own_code(numbers: tuple[int, ...], codes: list[int]) -> None:
    assert _codes(*numbers) == codes


def test_who_waits_for_an_answer_after_the_first_signal_is_told_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    receiver, sender = socket.socketpair()
    codes: list[int] = []
    with receiver, sender:
        watcher = Thread(target=watch_signals, args=(receiver, codes.append), kwargs={"patience": 0.05})
        watcher.start()
        sender.sendall(bytes([INT]))
        watcher.join(timeout=0.5)
        assert watcher.is_alive()
        sender.sendall(bytes([INT]))
        sender.shutdown(socket.SHUT_WR)
        watcher.join()
    assert codes == [130]
    assert capsys.readouterr().err.count(WAITS) == 1


def test_afterwards_signals_go_where_they_went_before() -> None:
    receiver, sender = socket.socketpair()
    sender.settimeout(0)
    with receiver, sender:
        found = signal.set_wakeup_fd(sender.fileno())
        try:
            with second_signal_leaves(), pytest.raises(KeyboardInterrupt):
                signal.raise_signal(INT)
        finally:
            restored = signal.set_wakeup_fd(found)
        assert restored == sender.fileno()
