"""Laws of the status table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.errors import IllegalTransition
from starrocks_br.domain.status import TRANSITIONS, Event, Status, advance, outcome, sources

WRITTEN_FIRST = (Status.PENDING, Status.UNCHANGED)

statuses = st.sampled_from(Status)
happenings = st.sampled_from(Event)


@given(statuses, happenings)
def test_every_event_leads_to_a_state_or_fails_loudly(status: Status, event: Event) -> None:
    """The table is total over states; a miss is an error that names both, never a silent stay."""
    assert TRANSITIONS.keys() == set(Status)
    if event in TRANSITIONS[status]:
        assert advance(status, event) in set(Status)
    else:
        with pytest.raises(IllegalTransition, match=f"{status} cannot meet {event}"):
            advance(status, event)


@given(st.sampled_from([Status.FAILED, Status.EXPIRED]), st.lists(happenings))
def test_failed_and_expired_absorb(status: Status, story: list[Event]) -> None:
    """Whatever comes after, they stay what they are."""
    for event in story:
        assert advance(status, event) is status


@given(st.sampled_from(WRITTEN_FIRST), st.lists(happenings, max_size=8))
def test_what_is_finished_is_given_up_by_retention_only(first: Status, story: list[Event]) -> None:
    """No refusal, loss or second sending takes back a proof."""
    reached = [first]
    for event in story:
        if event in TRANSITIONS[reached[-1]]:
            reached.append(advance(reached[-1], event))
    if Status.FINISHED in reached:
        rest = reached[reached.index(Status.FINISHED) :]
        assert set(rest) <= {Status.FINISHED, Status.EXPIRING, Status.EXPIRED}
    if first is Status.UNCHANGED:
        assert set(reached) <= {Status.UNCHANGED, Status.EXPIRING, Status.EXPIRED}


@given(happenings)
def test_the_states_that_an_update_may_match_are_those_that_the_event_changes(event: Event) -> None:
    """`WHERE status IN (…)` says what the table says: no more, no less, and at least one state."""
    assert sources(event)
    assert {advance(status, event) for status in sources(event)} == {outcome(event)}
    for status in Status:
        legal = event in TRANSITIONS[status]
        assert (status in sources(event)) is (legal and advance(status, event) is not status)


@given(statuses)
def test_every_state_can_be_reached(status: Status) -> None:
    """From what is written first, by some story."""
    reached = set(WRITTEN_FIRST)
    for _ in Status:
        reached |= {target for known in reached for target in TRANSITIONS[known].values()}
    assert status in reached
