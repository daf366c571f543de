"""Every command, killed by SIGKILL right before and right after its statements.

STARROCKS_BR_KILLS=all takes every statement there is, `changes` those that change something or let time pass, and
only their end; else a few are taken, always the same. The process is killed at each of them for good. What is left
behind is checked once for kills that leave the same behind: between two statements that change nothing, and no time
that passes between them.
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

KILLS = os.environ.get("STARROCKS_BR_KILLS", "")
SHARES = 4 if KILLS else 1
SAMPLE = 61
"""The kill of a command that is done if not all are: so many further than that of the command before."""


def _shares() -> list[ParameterSet]:
    return [
        pytest.param(sweep, share, id=f"{sweep.name.replace(', ', '-').replace(' ', '-')}-{share}")
        for sweep in (SWEEPS if KILLS else [*SWEEPS[: len(SCENARIOS)], *SWEEPS[len(SCENARIOS) :: 4]])
        for share in range(SHARES)
    ]


def _moments(sweep: Sweep, stage: Any, folder: Path) -> list[tuple[int, bool]]:
    """Run the command once: the statements to kill it at, and whether after them."""
    ended = run_to(stage.world, sweep.arguments(stage), folder)
    assert ended.code == 0, ended.said
    if KILLS == "changes":
        return [(1, False), *((number, True) for number in ended.changes)]
    every = [(number, after) for number in range(1, ended.seen + 1) for after in (False, True)]
    return [(number, after) for number, after in every if not after or number in ended.answered]


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
    kills = in_a_copy(folder, partial(_moments, sweep, stage, folder))
    only = SAMPLE * SWEEPS.index(sweep) % len(kills)
    chosen = kills[len(kills) * share // SHARES : len(kills) * (share + 1) // SHARES] if KILLS else [kills[only]]
    known: set[str] = set()
    for number, after in chosen:
        with subtests.test(statement=number, after=after):
            known.add(in_a_copy(folder, partial(_kill, sweep, stage, folder, known, number, after)))
    print(f"{sweep.name}: {len(chosen)} of {len(kills)} kills, which left {len(known)} states behind")
