"""Every command, killed by SIGKILL right before and right after its statements.

STARROCKS_BR_KILLS=all takes every statement there is; else a few of them are taken, always the same.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.e2e.killing import count_statements, kill_process
from tests.support.kills import SCENARIOS, Scenario, check_aftermath

ALL = os.environ.get("STARROCKS_BR_KILLS") == "all"
SHARES = 4 if ALL else 1
SAMPLE = 97
"""Every so many kills one is done, another one for each command."""


def _shares() -> list[ParameterSet]:
    return [
        pytest.param(scenario, share, id=f"{scenario.name.replace(' ', '-')}-{share}")
        for scenario in SCENARIOS
        for share in range(SHARES)
    ]


@pytest.mark.parametrize(("scenario", "share"), _shares())
def test_a_killed_process_loses_nothing_and_blocks_nothing(
    scenario: Scenario, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    whole = scenario.prepare(tmp_path / "whole").world
    total = count_statements(whole, scenario.arguments(whole), tmp_path)
    kills = [(number, after) for number in range(1, total + 1) for after in (False, True)]
    offset = 17 * SCENARIOS.index(scenario) % SAMPLE
    chosen = kills[share::SHARES] if ALL else kills[offset::SAMPLE]
    print(f"{scenario.name}: {total} statements, {len(chosen)} kills")
    for number, after in chosen:
        with subtests.test(statement=number, after=after):
            stage = scenario.prepare(tmp_path / f"{number}-{after}")
            assert kill_process(stage.world, scenario.arguments(stage.world), tmp_path, number=number, after=after)
            check_aftermath(stage, scenario)
