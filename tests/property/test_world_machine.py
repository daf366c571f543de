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

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.world.product import MOMENTS
from tests.property.world.users import DATABASES, KINDS, Act, acts, sneaky
from tests.property.world.world import PATTERNS, World

_SHM: Final = Path("/dev/shm")  # noqa: S108 - files that are gone in a second
_FOLDERS: Final = _SHM if _SHM.is_dir() else None
_HISTORIES: Final = {"quick": 5, "ci": 80, "long": 100_000}
_PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", "quick")


@dataclass(frozen=True)
class Meanwhile:
    """What happens at one statement or moment of a command.

    Attributes:
        moment: Which: the statement's number, or a moment's name.
        after: Once the statement has had its effect, and before it is sent otherwise.
        what: A fault, a stranger, or a user.
        act: The user's.
    """

    moment: int | str
    after: bool
    what: str
    act: Act

    def plan(self, world: World) -> None:
        """Have it happen in the next command."""
        world.meanwhile(self.moment, deed(world, self.what, self.act), after=self.after)


def deed(world: World, what: str, act: Act) -> Callable[[], None]:
    """Something that happens to the cluster or to the product."""
    product = world.here.product
    deeds: dict[str, Callable[[], None]] = {
        "user": partial(world.user, act),
        "stranger": partial(world.stranger_backs_up, DATABASES[act.table % 2]),
        "stranger restores": partial(world.stranger_restores, act.part, act.more),
        "process": world.another_process_backs_up,
        "jump": partial(world.jump, (-3600, -60, -3, 3600)[act.more % 4]),
        "switch": world.switch_leader,
        "spoil": partial(world.spoil, act.more),
        "botch": partial(world.botch, act.more),
        "kill": product.kill,
        "cut": product.cut,
        "restart": product.restart_frontend,
        "down": product.go_down,
        "refuse": partial(product.refuse, act.more),
    }
    return deeds[what]


_WHAT: Final = (
    *("user",) * 12,
    *("kill",) * 4,
    *("cut",) * 3,
    *("refuse", "spoil") * 2,
    "botch",
    *("restart", "switch", "down", "jump", "stranger", "stranger restores", "process"),
)
_IMPOSSIBLE: Final = {"cut": frozenset(_WHAT) - {"user"}, "after cut": frozenset({"refuse"})}
"""The cut is a tick of the server's own; and after it the statement that brought it about has been answered."""

_NUMBERED: Final = 60


def _at_a_statement(number: int, act: Act) -> Meanwhile:
    """Where in a command, and what: decoded from one number."""
    number, what = divmod(number, len(_WHAT))
    moment, after = divmod(number, 2)
    # it is refused instead of being done
    return Meanwhile(1 + moment, bool(after) and _WHAT[what] != "refuse", _WHAT[what], act)


def _at_a_moment(number: int, act: Act) -> Meanwhile:
    number, what = divmod(number, len(_WHAT))
    moment = MOMENTS[number]
    possible = _WHAT[what] not in _IMPOSSIBLE.get(moment, ())
    return Meanwhile(moment, after=False, what=_WHAT[what] if possible else "user", act=act)


numbered: Final = st.builds(_at_a_statement, st.integers(0, _NUMBERED * 2 * len(_WHAT) - 1), sneaky)
at_moments: Final = st.builds(_at_a_moment, st.integers(0, len(MOMENTS) * len(_WHAT) - 1), sneaky)
disturbances: Final[st.SearchStrategy[list[Meanwhile]]] = st.just([]) | st.lists(numbered | at_moments, max_size=3)
before_the_cut: Final = st.tuples(st.sampled_from(("submit", "cut", "cut")), sneaky)
patterns_: Final = st.sampled_from((PATTERNS, PATTERNS, PATTERNS[:1]))
rarely: Final = st.integers(0, 7).map(lambda number: number == 0)


_OTHERS: Final = (
    *("stranger", "stranger restores", "restart", "switch", "down", "jump", "neighbour", "dry run"),
    *("disaster",) * 2,
)


class WorldMachine(RuleBasedStateMachine):
    """The rules; what must hold is in `World`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="world", dir=_FOLDERS))

    @initialize(
        sql=st.sampled_from((False,) * 11 + (True,)), kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=2)
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

    @rule(some=st.lists(acts, min_size=1, max_size=4))
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

    @rule(
        some=st.lists(acts, max_size=2),
        early=st.lists(before_the_cut, min_size=1, max_size=2),
        killed=st.booleans(),
        later=st.lists(sneaky, max_size=2),
        waits=st.booleans(),
        pause=st.sampled_from((0, 0, 100, 3_000)),
    )
    def backup_around_the_cut(
        self, some: list[Act], early: list[tuple[str, Act]], killed: bool, later: list[Act], waits: bool, pause: int
    ) -> None:
        """Users act between the two looks; killed after the cut, the next command looks late."""
        for act in some:
            self.world.user(act)
        for moment, act in early:
            self.world.meanwhile(moment, partial(self.world.user, act))
        for act in () if killed else later:
            self.world.meanwhile("after cut", partial(self.world.user, act))
        if killed:
            self.world.meanwhile("after cut", self.world.here.product.kill)
        self.world.backup()
        if killed:
            self.world.clock.advance(pause)
            for act in later:
                self.world.user(act)
            self.world.backup(calm=waits)

    @rule(
        some=st.lists(acts, max_size=2),
        stranger=st.sampled_from(("", "ends", "is cancelled")),
        hidden=st.booleans(),
        pause=st.sampled_from((0, 30, 500)),
        later=st.lists(sneaky, max_size=2),
    )
    def backup_that_dies(self, some: list[Act], stranger: str, hidden: bool, pause: int, later: list[Act]) -> None:
        """The job goes on alone; a stranger's takes its slot, and the repository may not list it for a while."""
        for act in some:
            self.world.user(act)
        self.world.meanwhile("after cut", self.world.here.product.kill)
        self.world.backup()
        self.world.here.settle()
        for act in later:
            self.world.user(act)
        taken = bool(stranger) and self.world.stranger_takes_slots(cancelled=stranger == "is cancelled")
        self.world.clock.advance(pause)
        # of a job that it shows as FINISHED the server surely lists the snapshot
        if taken and hidden:
            with self.world.out_of_sight():
                self.world.backup(calm=False)
        self.world.backup()

    @rule(
        index=st.integers(0, 9),
        elsewhere=rarely,
        moment=st.integers(1, _NUMBERED),
        after=st.booleans(),
        taken=st.booleans(),
        act=sneaky,
        pause=st.sampled_from((0, 100, 500)),
    )
    def restore_that_dies(
        self, index: int, elsewhere: bool, moment: int, after: bool, taken: bool, act: Act, pause: int
    ) -> None:
        """Its name is taken before the next command finds what it left."""
        self.world.meanwhile(moment, self.world.here.product.kill, after=after)
        self.world.restore(index, elsewhere=elsewhere)
        if taken:
            self.world.take_names(act)
        self.world.user(act)
        self.world.clock.advance(pause)
        self.world.backup(calm=False)

    @rule(plans=disturbances, index=st.integers(0, 9), elsewhere=rarely, taken_over=rarely, act=acts)
    def restore(self, plans: list[Meanwhile], index: int, elsewhere: bool, taken_over: bool, act: Act) -> None:
        """A table goes back to a point."""
        for plan in plans:
            plan.plan(self.world)
        if taken_over:
            self.world.meanwhile("restored", partial(self.world.take_over, act))
        self.world.restore(index, elsewhere=elsewhere)

    @rule(what=st.sampled_from(_OTHERS), act=acts)
    def others(self, what: str, act: Act) -> None:
        """Strangers, the frontend, another cluster, the end of this one; the product's process goes on."""
        deeds: dict[str, Callable[[], None]] = {
            "neighbour": self.world.neighbour,
            "disaster": self.world.disaster,
            "dry run": self.world.dry_run,
        }
        (deeds.get(what) or deed(self.world, what, act))()

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
            if hasattr(self, "world"):
                note("\n".join(self.world.here.users.log))
            shutil.rmtree(self.folder, ignore_errors=True)


TestWorld = WorldMachine.TestCase
TestWorld.settings = settings(
    max_examples=_HISTORIES.get(_PROFILE, _HISTORIES["quick"]),
    stateful_step_count=12 if _PROFILE == "quick" else 30,
    suppress_health_check=list(HealthCheck),
)
