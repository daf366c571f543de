"""Commands as processes, started as a shell would start them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """`python -m starrocks_br.cli …`; nobody sits at its keyboard, and no variable of ours is set."""
    return subprocess.Popen(
        [sys.executable, "-m", "starrocks_br.cli", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("STARROCKS_BR_")},
    )


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Follow its stderr to the first line with these words."""
    assert process.stderr is not None
    return next(line for line in process.stderr if words in line)
