"""The command line in this process, over the wire, on the time of a `World`: what would last hours lasts a moment."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, frozen

from starrocks_br.adapters import system
from starrocks_br.entrypoints.cli import main
from starrocks_simulator.wire import serve
from tests.support.world import OPS, REPOSITORY, TICK, World


@frozen
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code.
        said: All that it wrote.
    """

    code: int
    said: str


class Keyboard(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@frozen
class VirtualTimeModule:
    """Stands in for the standard library's `time` where the product asks for it."""

    world: World

    def monotonic(self) -> float:
        """The world's clock."""
        return self.world.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let the world's time pass."""
        self.world.later(seconds)


@define
class VirtualCli:
    """A world behind a port, and commands that talk to it.

    Attributes:
        world: Whose frontend is served, and whose time passes.
        config: The configuration file of all commands.
        settings: What stands in it.
    """

    world: World
    config: Path
    settings: dict[str, Any]

    def run(self, *arguments: str, **changes: object) -> Ended:
        """One command at which nobody sits; changes are to the settings, for this command."""
        return self._run(io.StringIO(), *arguments, **changes)

    def run_by(self, typed: str, *arguments: str) -> Ended:
        """One command at a terminal, and what somebody types there."""
        return self._run(Keyboard(typed), *arguments)

    def _run(self, stdin: io.StringIO, /, *arguments: str, **changes: object) -> Ended:
        settings = self.settings | changes
        self.config.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        said = io.StringIO()
        before, sys.stdin = sys.stdin, stdin
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = main([*arguments, "--config", str(self.config)])
        finally:
            sys.stdin = before
        return Ended(code, said.getvalue())


@contextlib.contextmanager
def virtual_cli(world: World, folder: Path) -> Iterator[VirtualCli]:
    """Serve a world while the block runs."""
    with pytest.MonkeyPatch.context() as patch, serve(world.frontend) as port:
        patch.setattr(system, "time", VirtualTimeModule(world))
        usual = {
            "host": "127.0.0.1",
            "port": port,
            "user": "root",
            "password": "''",
            "database": OPS,
            "repository": REPOSITORY,
            "tables": "[d1.*]",
            "poll_interval": TICK,
            "read_timeout": 60,
            "job_timeout": 1200,
        }
        yield VirtualCli(world, folder / "config.yaml", usual)
