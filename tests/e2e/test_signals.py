"""Signals to a command that runs as a process, and frontends that do not answer."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from starrocks_simulator.named_faults import plant
from starrocks_simulator.wire import serve
from tests.e2e.killing import Observer, configure
from tests.e2e.processes import read_until, start
from tests.support.world import World

AT_ONCE = 5.0
"""Seconds; a process that waited for its answer would take `read_timeout`, which is 16 minutes."""


def _world(folder: Path) -> World:
    return World(folder / "cluster").ready("d1.t", "d2.u")


def _ended(process: subprocess.Popen[str]) -> tuple[int, str, float]:
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    return process.returncode, err, time.monotonic() - began


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_leaves_a_job_that_the_next_backup_takes_over(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    world = _world(tmp_path)
    with serve(world.frontend) as port:
        process = start("backup", "--config", str(configure(tmp_path, port)), cwd=tmp_path)
        read_until(process, "d2: sent, snapshot")
        process.send_signal(number)
        returned, err, _ = _ended(process)
    assert returned == code
    assert "a job that was sent goes on on the server" in err
    assert set(world.statuses().values()) == {"RUNNING"}
    labels = set(world.statuses())
    world.later()
    assert world.backup("d1.*", "d2.*").complete
    assert {world.statuses()[label] for label in labels} == {"FINISHED"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_a_command_that_waits_for_an_answer(number: signal.Signals, tmp_path: Path) -> None:
    world = _world(tmp_path)
    observer = Observer(world, number=20)
    with serve(world.frontend) as port, observer.watching():
        process = start("backup", "--config", str(configure(tmp_path, port)), cwd=tmp_path)
        assert observer.reached.wait(60)
        process.send_signal(number)
        assert "once more, and it stops without waiting" in read_until(process, "stopping")
        process.send_signal(number)
        returned, err, seconds = _ended(process)
    assert returned == 128 + number
    assert "Traceback" not in err
    assert seconds < AT_ONCE


def test_a_silent_line_is_given_up_and_the_command_goes_on(tmp_path: Path) -> None:
    """Half-open TCP: the answer never comes, and neither does an error."""
    world = _world(tmp_path)
    observer = Observer(world)
    plant(world.frontend, "hang-before#2=SHOW BACKUP FROM")
    with serve(world.frontend) as port, observer.watching():
        path = configure(tmp_path, port)
        path.write_text(path.read_text() + "read_timeout: 1\n")
        returned, err, _ = _ended(start("backup", "--config", str(path), cwd=tmp_path))
    assert returned == 0, err
    assert set(world.statuses().values()) == {"FINISHED"}
