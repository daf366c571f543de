"""A fresh world for every test of a use case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster with a repository, and nothing of ours in it yet."""
    return World(tmp_path)
