"""How long a job may take."""

from __future__ import annotations

import pytest

from starrocks_br.domain.estimate import SLOWEST, Pace, Timing, fit, total

MB = 1_000_000


def measured(*pairs: tuple[int, float]) -> list[Timing]:
    """Jobs by size and seconds."""
    return [Timing(size=size, seconds=seconds) for size, seconds in pairs]


def test_nothing_measured_foretells_nothing() -> None:
    assert fit([]) is None


def test_what_took_no_time_was_not_measured() -> None:
    """A clock that was set back, or rows that were written at one instant."""
    assert fit(measured((MB, 0.0), (MB, -3.0))) is None
    assert fit(measured((MB, 0.0), (MB, 18.0))) == Pace(base=18.0, per_byte=0.0)


def test_an_unknown_size_takes_an_unknown_time() -> None:
    pace = Pace(base=18.0, per_byte=0.5)
    assert pace.seconds(None) is None
    assert pace.seconds(0) == 18.0
    assert pace.seconds(4) == 20.0


def test_the_floor_and_the_bytes_are_told_apart() -> None:
    pace = fit(measured((100 * MB, 28.0), (0, 18.0), (1_000 * MB, 118.0)))
    assert pace is not None
    assert pace.seconds(500 * MB) == pytest.approx(68.0)
    assert pace.base == pytest.approx(18.0)


@pytest.mark.parametrize("size", [0, 7, 10**18 + 1])
def test_sizes_that_are_all_the_same_tell_nothing_about_bytes(size: int) -> None:
    assert fit(measured((size, 18.0), (size, 24.0), (size, 21.0))) == Pace(base=21.0, per_byte=0.0)


def test_larger_jobs_that_were_quicker_tell_nothing_about_bytes() -> None:
    assert fit(measured((MB, 24.0), (2 * MB, 18.0))) == Pace(base=21.0, per_byte=0.0)


def test_no_job_takes_less_than_nothing() -> None:
    """A line that would cross zero seconds goes through the origin instead."""
    pace = fit(measured((100 * MB, 1.0), (300 * MB, 9.0)))
    assert pace is not None
    assert pace.base == 0.0
    assert pace.per_byte == pytest.approx((100 * 1.0 + 300 * 9.0) / (100**2 + 300**2) / MB)


def test_a_few_bytes_do_not_foretell_months() -> None:
    """Small jobs differ by a turn of the frontend, not by what they read."""
    pace = fit(measured((1_000, 18.0), (1_200, 21.0)))
    assert pace is not None
    assert pace.per_byte <= SLOWEST
    assert pace.base == pytest.approx(19.5, abs=0.01)


def test_a_steep_line_through_zero_is_bounded_too() -> None:
    pace = fit(measured((10, 1.0), (MB, 40.0)))
    assert pace is not None
    assert pace.per_byte == SLOWEST
    assert pace.base == pytest.approx(20.5 - 0.500005)
    assert fit(measured((100 * MB, 0.5), (1_000 * MB, 1_010.0))) == Pace(base=0.0, per_byte=SLOWEST)


def test_a_line_that_just_holds_to_the_bounds_is_taken_as_it_is() -> None:
    """Also where the edges of what is possible would give another."""
    assert fit(measured((0, 0.5), (MB, 1.0), (2 * MB, 1.5))) == Pace(base=0.5, per_byte=0.5 / MB)
    through_zero = fit(measured((MB, 0.5), (2 * MB, 1.0)))
    assert through_zero is not None
    assert through_zero.base == pytest.approx(0.0, abs=1e-9)


def test_a_sum_of_which_one_part_is_unknown_is_unknown() -> None:
    assert total([1.5, 2.0]) == 3.5
    assert total([1.5, None]) is None
    assert total(iter(())) == 0
