"""Every command, killed by SIGKILL right before and right after its statements.

STARROCKS_BR_KILLS=all takes every statement there is; else a few of them are taken, always the same. The process is
killed at each of them for good. What is left behind is checked once for kills that leave the same behind: between two
statements that change nothing, and no time that passes between them.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from tests.e2e.forks import in_a_copy
from tests.e2e.killing import run_to
from tests.e2e.sweeps import SWEEPS, Sweep
from tests.support.kills import SCENARIOS

ALL = os.environ.get("STARROCKS_BR_KILLS") == "all"
SHARES = 4 if ALL else 1
SAMPLE = 97
"""Every so many kills one is done, another one for each command."""


def _shares() -> list[ParameterSet]:
    return [
        pytest.param(sweep, share, id=f"{sweep.name.replace(', ', '-').replace(' ', '-')}-{share}")
        for sweep in (SWEEPS if ALL else [*SWEEPS[: len(SCENARIOS)], *SWEEPS[len(SCENARIOS) :: 4]])
        for share in range(SHARES)
    ]


def _length(sweep: Sweep, stage: Any, folder: Path) -> int:
    ended = run_to(stage.world, sweep.arguments(stage), folder)
    assert ended.code == 0, ended.said
    return ended.seen


def _kill(sweep: Sweep, stage: Any, folder: Path, known: set[str], number: int, after: bool) -> str:
    """Kill the command at a statement and check a way on from there; what it had done."""
    ended = run_to(stage.world, sweep.arguments(stage), folder, number=number, after=after)
    assert ended.reached, ended
    if ended.trace not in known:
        sweep.ways_on[len(known) % len(sweep.ways_on)](stage, ended.said)
    return ended.trace


@pytest.mark.parametrize(("sweep", "share"), _shares())
def test_a_killed_process_loses_nothing_and_blocks_nothing(
    sweep: Sweep, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    folder = tmp_path / "world"
    stage = sweep.prepare(folder)
    total = in_a_copy(folder, partial(_length, sweep, stage, folder))
    kills = [(number, after) for number in range(1, total + 1) for after in (False, True)]
    offset = 17 * SWEEPS.index(sweep) % SAMPLE
    chosen = kills[len(kills) * share // SHARES : len(kills) * (share + 1) // SHARES] if ALL else kills[offset::SAMPLE]
    known: set[str] = set()
    for number, after in chosen:
        with subtests.test(statement=number, after=after):
            known.add(in_a_copy(folder, partial(_kill, sweep, stage, folder, known, number, after)))
    print(f"{sweep.name}: {total} statements, {len(chosen)} kills, which left {len(known)} states behind")
