"""Patience: what may be repeated is repeated, as long as that is of use."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from attrs import define, evolve, field

from starrocks_br.domain.errors import OutcomeUnknown, Refused, Unreachable
from starrocks_br.services.watch import patiently
from tests.support.world import World

LOST = OutcomeUnknown("SHOW BACKUP was sent", why="Lost connection")
AWAY = Unreachable("nobody listens")
BUSY = Refused("refused", errno=5064, transient=True)


@define
class Script:
    """An act that fails as it is told, then answers.

    Attributes:
        world: Whose time passes.
        lasts: Seconds that each try takes.
        failures: What the first tries raise.
        tried_at: When each try began.
    """

    world: World
    lasts: float
    failures: list[Exception]
    tried_at: list[float] = field(factory=list)

    def __call__(self) -> str:
        """One try."""
        self.tried_at.append(self.world.clock.now())
        self.world.later(self.lasts)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    @property
    def pauses(self) -> list[float]:
        """Seconds between the end of one try and the next one."""
        pairs = zip(self.tried_at, self.tried_at[1:], strict=False)
        return [later - earlier - self.lasts for earlier, later in pairs]


Play = Callable[..., tuple[object, Script]]


@pytest.fixture
def play(world: World) -> Play:
    """Try an act patiently; what came of it, and how."""

    def played(failures: Iterable[Exception], *, lasts: float = 0.0, within: float = 300.0) -> tuple[object, Script]:
        script = Script(world, lasts, list(failures))
        place = evolve(world.place, poll_interval=1.0, reconnect_timeout=within)
        try:
            return patiently(world.ports.clock, script, place), script
        except (Unreachable, Refused) as error:
            return error, script

    return played


@pytest.mark.parametrize("failure", [LOST, BUSY])
def test_what_fails_in_passing_is_tried_again_with_longer_and_longer_pauses(play: Play, failure: Exception) -> None:
    answer, script = play([failure] * 7)
    assert answer == "answer"
    assert script.pauses == [1, 2, 4, 8, 15, 15, 15]


@pytest.mark.parametrize(("failure", "end"), [(LOST, Unreachable), (BUSY, Refused)])
def test_in_the_end_patience_is_worn_out(play: Play, failure: Exception, end: type[Exception]) -> None:
    answer, script = play([failure] * 100, within=60)
    assert isinstance(answer, end)
    assert 60 < script.tried_at[-1] - script.tried_at[0] <= 75


def test_a_line_that_was_silent_for_longer_than_all_patience_is_made_anew(play: Play) -> None:
    """A half-open connection is noticed after read_timeout, which is longer than reconnect_timeout."""
    answer, _ = play([LOST], lasts=960.0, within=300.0)
    assert answer == "answer"


def test_no_patience_at_all_still_tries_twice(play: Play) -> None:
    answer, script = play([LOST], within=0)
    assert (answer, len(script.tried_at)) == ("answer", 2)


def test_whoever_says_that_nobody_answers_has_waited_already(play: Play) -> None:
    answer, script = play([AWAY])
    assert isinstance(answer, Unreachable)
    assert len(script.tried_at) == 1


def test_what_is_refused_for_good_is_not_tried_again(play: Play) -> None:
    answer, script = play([Refused("refused", errno=1064)])
    assert isinstance(answer, Refused)
    assert len(script.tried_at) == 1
