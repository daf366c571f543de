"""A fresh world for every test of a use case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.copies import once
from tests.support.world import World


@once
def _one(folder: Path) -> World:
    world = World(folder).ready("d1.t")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    return world


def _backed_up_twice(folder: Path, *tables: str) -> World:
    world = World(folder).ready(*tables)
    world.backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup()
    return world


@once
def _twice(folder: Path) -> World:
    return _backed_up_twice(folder, "d1.t")


@once
def _two(folder: Path) -> World:
    world = _twice(folder)
    world.sql("DROP TABLE d1.t FORCE")
    return world


@once
def _lost(folder: Path) -> World:
    world = _backed_up_twice(folder, "d1.t", "d1.other")
    world.sql("DROP TABLE d1.t FORCE")
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster with a repository, and nothing of ours in it yet."""
    return World(tmp_path)


@pytest.fixture
def one(tmp_path: Path) -> World:
    """A table that one snapshot gives back; it is gone now."""
    return _one(tmp_path)


@pytest.fixture
def twice(tmp_path: Path) -> World:
    """A table that two snapshots give back, and that lives."""
    return _twice(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> World:
    """A table that two snapshots give back; it is gone now."""
    return _two(tmp_path)


@pytest.fixture
def lost(tmp_path: Path) -> World:
    """A table that two snapshots hold parts of was dropped; another one stays."""
    return _lost(tmp_path)
