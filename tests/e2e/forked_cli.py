"""The command line in copies of this process: each is a process of its own, and none has to start a Python."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from attrs import frozen

from starrocks_br.entrypoints.cli import COMMANDS, main
from tests.e2e.forks import fork

LONGEST: Final = 300.0
"""Seconds until a command counts as hanging."""

for _module in ("client", "entrypoints.ending", *(f"entrypoints.commands.{name}" for name, _ in COMMANDS.values())):
    import_module(f"starrocks_br.{_module}")  # once here, so that no process has to


@frozen
class Running:
    """A command at work.

    Attributes:
        process: That does it.
        arguments: Its command line.
        out: The file that it writes its results to.
        err: The file for everything else.
    """

    process: BaseProcess
    arguments: tuple[str, ...]
    out: Path
    err: Path

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end."""
        self.process.join(LONGEST)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"{self.arguments} hangs: {self.err.read_text()}")
        return subprocess.CompletedProcess(
            self.arguments, self.process.exitcode, self.out.read_text(), self.err.read_text()
        )


def begin(*arguments: str, folder: Path, number: int = 0) -> Running:
    """Begin a command.

    Args:
        arguments: The command line.
        folder: For what it writes.
        number: Tells commands at the same time apart.
    """
    out, err = folder / f"out-{number}", folder / f"err-{number}"
    return Running(fork(run_here, arguments, out, err), arguments, out, err)


def run_here(arguments: tuple[str, ...], out: Path, err: Path) -> None:
    """Become the command: this process ends with it. Nobody sits at its keyboard, and no variable of ours is set."""
    for name in [name for name in os.environ if name.startswith("STARROCKS_BR_")]:
        del os.environ[name]
    with out.open("w") as sys.stdout, err.open("w") as sys.stderr:
        code = main(arguments)
    os._exit(code)
