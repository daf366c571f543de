"""A command as a process of its own, killed for good right before or right after one of its statements."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from attrs import define, field

from starrocks_simulator.faults import Silence
from starrocks_simulator.wire import serve
from tests.e2e.processes import start
from tests.support.world import OPS, POLLS, REPOSITORY, TICK, World

LONGEST = 120.0


@define
class Observer:
    """Counts what reaches the frontend over the wire, and lets time pass whenever somebody polls.

    Attributes:
        world: Whose frontend.
        number: Of the statement at which nobody answers any more, polls aside, from 1; 0: there is none.
        after: Whether that statement still has its effect.
        seen: How many statements came, polls aside.
        reached: Set once nobody answers.
    """

    world: World
    number: int = 0
    after: bool = True
    seen: int = 0
    reached: Event = field(factory=Event)

    def before_statement(self, sql: str) -> None:
        """Count; or let time pass, so that a job moves on between two polls."""
        if POLLS.match(sql):
            self.world.clock.advance(TICK)
            return
        self.seen += 1
        if not self.after:
            self._stop()

    def after_statement(self, sql: str) -> None:
        """Leave the client without its answer."""
        if self.after and not POLLS.match(sql):
            self._stop()

    def _stop(self) -> None:
        if self.seen == self.number:
            self.reached.set()
            raise Silence

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Be there while the block runs."""
        faults = self.world.frontend.faults
        faults.before.append(self.before_statement)
        faults.after.append(self.after_statement)
        try:
            yield
        finally:
            faults.before.remove(self.before_statement)
            faults.after.remove(self.after_statement)


def configure(folder: Path, port: int) -> Path:
    """A configuration for both databases."""
    path = folder / "config.yaml"
    path.write_text(
        f"host: 127.0.0.1\nport: {port}\nuser: root\npassword: ''\ndatabase: {OPS}\nrepository: {REPOSITORY}\n"
        "tables: [d1.*, d2.*]\npoll_interval: 0.01\nwait: 5\n"
    )
    return path


def count_statements(world: World, arguments: tuple[str, ...], folder: Path) -> int:
    """Run a command to its end; how many statements it sent, polls aside."""
    observer = Observer(world)
    with serve(world.frontend) as port, observer.watching():
        process = start(*arguments, "--config", str(configure(folder, port)), cwd=folder)
        _, err = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, err
    return observer.seen


def kill_process(world: World, arguments: tuple[str, ...], folder: Path, *, number: int, after: bool) -> bool:
    """Run a command and SIGKILL it right before or after the nth statement's effect; whether it got there."""
    observer = Observer(world, number=number, after=after)
    with serve(world.frontend) as port, observer.watching():
        process = start(*arguments, "--config", str(configure(folder, port)), cwd=folder)
        _wait(process, observer.reached)
        process.kill()
        process.communicate()
    world.ports = world.reconnect()
    return observer.reached.is_set()


def _wait(process: subprocess.Popen[str], reached: Event) -> None:
    for _ in range(int(LONGEST / 0.05)):
        if reached.wait(0.05) or process.poll() is not None:
            return
    process.kill()
    raise AssertionError(f"the command hangs: {process.communicate()}")
