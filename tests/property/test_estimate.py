"""Laws of estimates: nothing possible lies nearer to what was measured, and what lies on a line is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.estimate import SLOWEST, Pace, Timing, fit

SIZES = st.integers(min_value=0, max_value=10**13)
SECONDS = st.floats(min_value=0.5, max_value=10**5)
TIMINGS = st.lists(st.builds(Timing, size=SIZES, seconds=SECONDS), min_size=1, max_size=20)


def _error(pace: Pace, timings: list[Timing]) -> float:
    """How far all measures lie from a pace: the oracle knows no formula for the best one."""
    return sum(((pace.seconds(timing.size) or 0.0) - timing.seconds) ** 2 for timing in timings)


@given(TIMINGS, st.floats(min_value=0, max_value=10**5), st.floats(min_value=0, max_value=SLOWEST))
def test_no_possible_pace_lies_nearer_to_what_was_measured(timings: list[Timing], base: float, per_byte: float) -> None:
    """Any other one that jobs could have is at least as far away."""
    best = fit(timings)

    assert best is not None
    other = _error(Pace(base=base, per_byte=per_byte), timings)
    assert _error(best, timings) <= other * (1 + 1e-6) + 1e-6


@given(TIMINGS, st.floats(min_value=-1, max_value=1), st.floats(min_value=-1, max_value=1))
def test_no_step_away_from_it_leads_nearer(timings: list[Timing], up: float, steeper: float) -> None:
    """In any direction that stays possible, by steps that matter."""
    best = fit(timings)

    assert best is not None
    moved = Pace(
        base=max(0.0, best.base + up),
        per_byte=min(SLOWEST, max(0.0, best.per_byte + steeper * SLOWEST / 100)),
    )
    assert _error(best, timings) <= _error(moved, timings) * (1 + 1e-6) + 1e-6


@given(TIMINGS)
def test_what_is_foretold_is_never_negative_and_grows_with_the_bytes(timings: list[Timing]) -> None:
    """However odd the measures."""
    best = fit(timings)

    assert best is not None
    assert best.base >= 0
    assert 0 <= best.per_byte <= SLOWEST


@given(
    st.lists(SIZES, min_size=2, max_size=20, unique=True).filter(lambda sizes: max(sizes) - min(sizes) > 10**9),
    st.floats(min_value=1, max_value=100),
    st.floats(min_value=0, max_value=SLOWEST / 2),
)
def test_measures_on_a_line_give_that_line(sizes: list[int], base: float, per_byte: float) -> None:
    """Exactly, as far as floats go."""
    best = fit(Timing(size=size, seconds=base + per_byte * size) for size in sizes)

    assert best is not None
    for size in sizes:
        assert best.seconds(size) == pytest.approx(base + per_byte * size, rel=1e-6, abs=1e-3)


@given(TIMINGS)
def test_the_order_of_the_measures_does_not_matter(timings: list[Timing]) -> None:
    """Nor does it matter which of two equal ones comes first."""
    one, other = fit(timings), fit(reversed(timings))

    assert one is not None
    assert other is not None
    assert _error(one, timings) == pytest.approx(_error(other, timings), rel=1e-6, abs=1e-6)
