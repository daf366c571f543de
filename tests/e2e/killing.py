"""A command as a process of its own, killed for good right before or right after one of its statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Final

from attrs import define, field, frozen

from starrocks_simulator.faults import Silence
from starrocks_simulator.wire import serve
from tests.e2e.forked_cli import run_here
from tests.e2e.forks import fork
from tests.support.world import OPS, POLLS, READS, REPOSITORY, TICK, World

LONGEST: Final = 120.0
"""Seconds until a command counts as hanging."""

SESSION: Final = re.compile(r"ROLLBACK|SET autocommit")
"""What a driver says when it connects and before it goes: it changes nothing."""

_TOKEN: Final = re.compile(r"(?<![a-z0-9])[a-z0-9]{8}(?![a-z0-9])")
"""Labels and restores are told apart by eight random letters and digits."""


@define
class Observer:
    """Counts what reaches the frontend over the wire, and lets time pass whenever somebody polls.

    Attributes:
        world: Whose frontend.
        number: Of the statement at which nobody answers any more, from 1; 0: there is none.
        after: Whether that statement still has its effect.
        seen: How many statements came.
        changes: What came and changed something, or let time pass, with its number.
        answered: The numbers of those that the server did not refuse.
        reached: Set once nobody answers.
    """

    world: World
    number: int = 0
    after: bool = True
    seen: int = 0
    changes: list[tuple[int, str]] = field(factory=list)
    answered: set[int] = field(factory=set)
    reached: Event = field(factory=Event)

    def before_statement(self, sql: str) -> None:
        """Count; let time pass, so that a job moves on between two polls."""
        self.seen += 1
        if not self.after:
            self._stop()
        if POLLS.match(sql):
            self.world.clock.advance(TICK)
        if POLLS.match(sql) or not (READS.match(sql) or SESSION.match(sql)):
            self.changes.append((self.seen, sql))

    def after_statement(self, _sql: str) -> None:
        """Leave the client without its answer."""
        self.answered.add(self.seen)
        if self.after:
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

    @property
    def trace(self) -> str:
        """What was done to the frontend; the same for two commands that differ in what they drew by lot."""
        names: dict[str, str] = {}
        text = "\n".join(sql for _, sql in self.changes)
        return _TOKEN.sub(lambda found: names.setdefault(found[0], f"<{len(names)}>"), text)


def configure(folder: Path, port: int) -> Path:
    """A configuration for both databases."""
    path = folder / "config.yaml"
    path.write_text(
        f"host: 127.0.0.1\nport: {port}\nuser: root\npassword: ''\ndatabase: {OPS}\nrepository: {REPOSITORY}\n"
        "tables: [d1.*, d2.*]\npoll_interval: 0.01\nwait: 5\n"
    )
    return path


@frozen(kw_only=True)
class Ended:
    """A process that is no more.

    Attributes:
        reached: Whether it was killed at the statement that was meant.
        code: Its exit code; negative: the signal that ended it.
        seen: How many statements it sent.
        changes: The numbers of those that changed something, or let time pass.
        answered: The numbers of those that the server did not refuse: only they have an effect to be killed after.
        trace: What it did to the frontend.
        said: What it wrote, stdout and stderr.
    """

    reached: bool
    code: int | None
    seen: int
    changes: tuple[int, ...]
    answered: frozenset[int]
    trace: str
    said: str


def run_to(world: World, arguments: tuple[str, ...], folder: Path, *, number: int = 0, after: bool = False) -> Ended:
    """Run a command in a process of its own, and SIGKILL it right before or after its nth statement's effect.

    The process is a copy of this one, which has the product loaded: there is no Python to be started. It is made
    before the frontend gets its thread.

    Args:
        world: On what.
        arguments: The command line, without `--config`.
        folder: For its configuration and for what it says.
        number: Of the statement, polls counted, too; 0: it may live.
        after: Whether the statement still has its effect.
    """
    observer = Observer(world, number=number, after=after)
    out, err = folder / "out", folder / "err"
    begun, begin = Pipe(duplex=False)
    process = fork(_command, begun, arguments, out, err)
    try:
        with serve(world.frontend) as port, observer.watching():
            begin.send(str(configure(folder, port)))
            _wait(process, observer.reached)
            process.kill()
            process.join()
    finally:
        process.kill()
    world.ports = world.reconnect()
    return Ended(
        reached=observer.reached.is_set(),
        code=process.exitcode,
        seen=observer.seen,
        changes=tuple(number for number, _ in observer.changes if number in observer.answered),
        answered=frozenset(observer.answered),
        trace=observer.trace,
        said=out.read_text() + err.read_text(),
    )


def _command(begun: Connection, arguments: tuple[str, ...], out: Path, err: Path) -> None:
    """What the process does: it is told its configuration, and runs the command."""
    run_here((*arguments, "--config", begun.recv()), out, err)


def _wait(process: BaseProcess, reached: Event) -> None:
    for _ in range(int(LONGEST / 0.01)):
        if reached.wait(0.01) or not process.is_alive():
            return
    raise AssertionError("the command hangs")
