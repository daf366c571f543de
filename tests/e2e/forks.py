"""Copies of this process: what was prepared once is there in each of them for nothing, and no copy spoils it."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from starrocks_simulator.frontend import Frontend
from starrocks_simulator.wire import serve

T = TypeVar("T")
_FORKS = multiprocessing.get_context("fork")


def fork(act: Callable[..., object], *values: object) -> BaseProcess:
    """Begin an act in a copy of this process."""
    process = _FORKS.Process(target=act, args=values)
    with warnings.catch_warnings():
        # From Python 3.12 on it warns of other threads: a test runner's, which wait for work and hold nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    return process


def in_a_copy(folder: Path, act: Callable[[], T]) -> T:
    """Do something in a copy of this process; what it leaves in a folder is undone.

    Raises:
        AssertionError: It failed; with its traceback.
    """
    answers, sender = _FORKS.Pipe(duplex=False)
    with undone(folder):
        process = fork(_answer, sender, act)
        sender.close()
        try:
            failed, answer = answers.recv()
        except EOFError:
            failed, answer = True, "the copy died"
        process.join()
    if failed:
        raise AssertionError(answer)
    result: T = answer
    return result


def _answer(sender: Connection, act: Callable[[], Any]) -> None:
    try:
        answer = (False, act())
    except BaseException:  # noqa: BLE001 -- whatever it is, the test that began the copy fails with it
        answer = (True, traceback.format_exc())
    sender.send(answer)


@contextmanager
def undone(folder: Path) -> Iterator[None]:
    """Put a folder back in the end as it is now."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as kept:
        copied = shutil.copytree(folder, Path(kept) / folder.name)
        yield
        shutil.rmtree(folder)
        copied.rename(folder)


@contextmanager
def forked_frontend(frontend: Frontend) -> Iterator[int]:
    """Serve a copy of a frontend, in a process of its own, while the block runs; gives the port."""
    ports, sender = _FORKS.Pipe(duplex=False)
    process = fork(_serve, frontend, sender)
    try:
        yield ports.recv()
    finally:
        process.kill()
        process.join()


def _serve(frontend: Frontend, sender: Connection) -> None:
    with serve(frontend) as port:
        sender.send(port)
        Event().wait()
