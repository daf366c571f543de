"""The states of a snapshot."""

from __future__ import annotations

import pytest

from starrocks_br.domain.errors import IllegalTransition
from starrocks_br.domain.status import RESTORABLE, UNSETTLED, Event, Status, advance, outcome, sources


def test_the_life_of_a_snapshot_that_goes_well() -> None:
    """Intent, job, proof, retention."""
    status = Status.PENDING
    for event in (Event.SENT, Event.PROVEN, Event.EXPIRE, Event.GONE):
        status = advance(status, event)
    assert status is Status.EXPIRED


def test_a_later_proof_brings_back_what_was_lost() -> None:
    """LOST means that nobody knows, not that it failed."""
    assert advance(Status.LOST, Event.PROVEN) is Status.FINISHED


def test_what_cannot_be_is_a_loud_miss() -> None:
    """A defect of this program, told as one."""
    with pytest.raises(IllegalTransition, match="a snapshot that is UNCHANGED cannot meet SENT"):
        advance(Status.UNCHANGED, Event.SENT)


def test_an_update_matches_what_the_event_changes() -> None:
    """Never a state that absorbs, and never one that is there already."""
    assert sources(Event.PROVEN) == {Status.PENDING, Status.RUNNING, Status.LOST}
    assert sources(Event.LOST) == {Status.PENDING, Status.RUNNING}
    assert outcome(Event.EXPIRE) is Status.EXPIRING


@pytest.mark.parametrize(
    ("status", "event", "then"),
    [
        (Status.PENDING, Event.REFUSED, Status.FAILED),
        (Status.RUNNING, Event.REFUSED, Status.FAILED),
        (Status.LOST, Event.REFUSED, Status.FAILED),
        (Status.LOST, Event.LOST, Status.LOST),
        (Status.LOST, Event.EXPIRE, Status.EXPIRING),
        (Status.FINISHED, Event.PROVEN, Status.FINISHED),
        (Status.UNCHANGED, Event.EXPIRE, Status.EXPIRING),
        (Status.EXPIRING, Event.EXPIRE, Status.EXPIRING),
    ],
)
def test_what_a_command_after_a_kill_finds_is_legal(status: Status, event: Event, then: Status) -> None:
    """It looks again at what was looked at, hears a late refusal, goes on with a retention that was cut short."""
    assert advance(status, event) is then


def test_a_look_at_the_server_concerns_what_a_proof_would_change() -> None:
    """Nothing else is ever asked for again; what was proven, or needed no job, can be restored."""
    assert sources(Event.PROVEN) == UNSETTLED
    assert {Status.FINISHED, Status.UNCHANGED} == RESTORABLE
