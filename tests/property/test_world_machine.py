"""Histories of a whole world: users, strangers, faults and kills around the product; every point must be right.

Long runs: HYPOTHESIS_PROFILE=long pytest tests/property/test_world_machine.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.world.users import DATABASES, KINDS, Act, acts
from tests.property.world.world import PATTERNS, World

_SHM: Final = Path("/dev/shm")  # noqa: S108 - files that are gone in a second
_FOLDERS: Final = _SHM if _SHM.is_dir() else None
_HISTORIES: Final = {"quick": 5, "ci": 80, "long": 100_000}
_PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", "quick")


@dataclass(frozen=True)
class Meanwhile:
    """What happens at one statement of a command.

    Attributes:
        number: Which statement.
        after: Once it has had its effect, and before it is sent otherwise.
        what: A fault, a stranger, or a user.
        act: The user's.
    """

    number: int
    after: bool
    what: str
    act: Act

    def plan(self, world: World) -> None:
        """Have it happen in the next command."""
        deeds: dict[str, Callable[[], None]] = {
            "user": partial(world.user, self.act),
            "stranger": partial(world.stranger_backs_up, DATABASES[self.act.table % 2]),
            "stranger restores": partial(world.stranger_restores, self.act.part, self.act.more),
            "process": world.another_process_backs_up,
        }
        deed = deeds.get(self.what) or partial(world.break_something, self.what)
        world.meanwhile(self.number, deed, after=self.after)


_WHAT: Final = (
    *("user",) * 6,
    *("kill",) * 2,
    *("cut",) * 2,
    "restart_frontend",
    "stranger",
    "stranger restores",
    "process",
)
# a backup looks, sends, is cut and looks again within these
numbers: Final = st.integers(12, 40) | st.integers(1, 60)
meanwhile: Final = st.builds(Meanwhile, numbers, st.booleans(), st.sampled_from(_WHAT), acts)
disturbances: Final[st.SearchStrategy[list[Meanwhile]]] = st.just([]) | st.lists(meanwhile, max_size=3)
some_acts: Final = st.lists(acts, min_size=1, max_size=4)
patterns_: Final = st.sampled_from((PATTERNS, PATTERNS, PATTERNS[:1]))
mostly_not: Final = st.sampled_from((False, False, True))
two_kinds: Final = st.lists(st.sampled_from(KINDS), min_size=2, max_size=2)
rarely: Final = st.integers(0, 7).map(lambda number: number == 0)


class WorldMachine(RuleBasedStateMachine):
    """The rules; what must hold is in `World`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="world", dir=_FOLDERS))

    @initialize(
        sql=st.sampled_from((False, False, True)), kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=2)
    )
    def begin(self, sql: bool, kinds: list[str]) -> None:
        """Two tables with rows, and a first backup."""
        self.world = World(self.folder, sql)
        for number, kind in enumerate(kinds):
            self.world.here.users.create((DATABASES[0], "tu"[number]), kind)
            self.world.user(Act("add column", number))
            self.world.user(Act("load", number))
            self.world.user(Act("load", number, 1))
        self.world.backup()

    @rule(some=some_acts)
    def users(self, some: list[Act]) -> None:
        """Users act."""
        for act in some:
            self.world.user(act)

    @rule(some=st.lists(acts, max_size=2), plans=disturbances, patterns=patterns_, full=rarely)
    def backup(self, some: list[Act], plans: list[Meanwhile], patterns: tuple[str, ...], full: bool) -> None:
        """Users act, then a run."""
        for act in some:
            self.world.user(act)
        for plan in plans:
            plan.plan(self.world)
        self.world.backup(patterns, full=full)

    @rule(plans=disturbances, index=st.integers(0, 9), elsewhere=rarely)
    def restore(self, plans: list[Meanwhile], index: int, elsewhere: bool) -> None:
        """A table goes back to a point."""
        for plan in plans:
            plan.plan(self.world)
        self.world.restore(index, elsewhere=elsewhere)

    @rule(what=st.sampled_from(("backup", "restore", "restart", "neighbour", "disaster", "dry run")), act=acts)
    def others(self, what: str, act: Act) -> None:
        """Strangers, the frontend, another cluster, the end of this one."""
        deeds: dict[str, Callable[[], None]] = {
            "backup": partial(self.world.stranger_backs_up, DATABASES[act.table % 2]),
            "restore": partial(self.world.stranger_restores, act.part, act.more),
            "restart": self.world.restart_between_commands,
            "neighbour": self.world.neighbour,
            "disaster": self.world.disaster,
            "dry run": self.world.dry_run,
        }
        deeds[what]()

    @rule(seconds=st.sampled_from((1, 3, 30, 400, 4_000, 90_000, 600_000)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.world.clock.advance(seconds)

    def teardown(self) -> None:
        """After everything, all must be well again."""
        try:
            if hasattr(self, "world") and sys.exc_info()[0] is None:
                self.world.end()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


TestWorld = WorldMachine.TestCase
TestWorld.settings = settings(
    max_examples=_HISTORIES.get(_PROFILE, _HISTORIES["quick"]),
    stateful_step_count=12 if _PROFILE == "quick" else 30,
    suppress_health_check=list(HealthCheck),
)
