"""This machine: its clock, its randomness, its log."""

from __future__ import annotations

import re
import time

import pytest

from starrocks_br.adapters.system import Guarded, Quiet, SecretsTokens, SystemClock
from starrocks_br.domain.events import Progress, Warned
from starrocks_br.domain.names import restore_id


def test_the_clock_waits_as_long_as_it_is_told() -> None:
    """And its seconds only grow."""
    clock = SystemClock()
    before, wall = clock.monotonic(), time.monotonic()
    clock.sleep(0.02)

    assert clock.monotonic() - before >= 0.02
    assert time.monotonic() - wall < 5


def test_tokens_are_short_fit_for_names_and_never_drawn_twice() -> None:
    """Lower-case letters and digits; each is a valid restore id."""
    drawn = [SecretsTokens()() for _ in range(1000)]

    assert all(re.fullmatch(r"[a-z0-9]{8}", token) for token in drawn)
    assert len(set(drawn)) == 1000
    assert restore_id(drawn[0]) == drawn[0]


def test_a_listener_that_fails_is_logged_once_and_goes_on_being_told(caplog: pytest.LogCaptureFixture) -> None:
    """Progress is no reason to lose a backup."""
    told: list[Progress] = []

    class Clumsy:
        def __call__(self, progress: Progress, /) -> None:
            told.append(progress)
            raise RuntimeError("the terminal is gone")

    guarded = Guarded(Clumsy())
    for number in range(3):
        guarded(Warned(message=f"{number}"))

    assert len(told) == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the terminal is gone" in caplog.text


def test_ctrl_c_inside_a_listener_is_no_fault_of_its_own() -> None:
    """It stops the command as everywhere else."""

    class Stopped:
        def __call__(self, progress: Progress, /) -> None:
            raise KeyboardInterrupt(progress)

    with pytest.raises(KeyboardInterrupt):
        Guarded(Stopped())(Warned(message="x"))


def test_the_quiet_listener_says_nothing(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Nowhere."""
    Quiet()(Warned(message="x"))

    assert (*capsys.readouterr(), caplog.text) == ("", "", "")
