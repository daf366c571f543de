"""Killed between any two statements: nothing is lost, nothing stays blocked, nothing live is touched.

STARROCKS_BR_KILLS=all takes every moment there is; else a few of them are taken, always the same.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.support.kills import SCENARIOS, Scenario, check_aftermath, kill_after, moments

ALL = os.environ.get("STARROCKS_BR_KILLS") == "all"
EVERY = 1 if ALL else 13
SHARES = 3 if ALL else 1


def _shares() -> list[ParameterSet]:
    return [
        pytest.param(scenario, share, id=f"{scenario.name.replace(' ', '-')}-{share}")
        for scenario in SCENARIOS
        for share in range(SHARES)
    ]


@pytest.mark.parametrize(("scenario", "share"), _shares())
def test_a_command_killed_after_any_statement_loses_nothing_and_blocks_nothing(
    scenario: Scenario, share: int, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    found = moments(scenario, tmp_path / "whole")
    offset = SCENARIOS.index(scenario) % EVERY
    for number in found[offset::EVERY][share::SHARES]:
        with subtests.test(killed_after=number):
            stage = scenario.prepare(tmp_path / f"killed-{number}")
            assert kill_after(stage.world, number, scenario.act)
            check_aftermath(stage, scenario)
