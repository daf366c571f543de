"""Laws of points in time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.errors import InvalidInstant
from starrocks_br.domain.instants import parse_instant, show_instant

NEW_YORK = ZoneInfo("America/New_York")

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
years = (datetime(1970, 1, 1), datetime(2999, 1, 1))  # noqa: DTZ001 -- bounds of wall-clock time
naive = st.datetimes(*years).map(lambda at: at.replace(microsecond=0))
points = st.builds(lambda at, zone: at.replace(tzinfo=zone), naive, offsets)
walls = st.sampled_from([" ", "T"])


@given(points, st.sampled_from([UTC, NEW_YORK]))
def test_a_point_can_be_pasted_back(point: datetime, zone: ZoneInfo) -> None:
    """What `list` prints, `--timestamp` takes: the same instant, whatever zone is configured."""
    assert parse_instant(show_instant(point), zone) == point
    assert parse_instant(show_instant(point), zone).utcoffset() == timedelta(0)


@given(naive, offsets, walls)
def test_an_offset_in_the_text_beats_the_configured_zone(wall: datetime, zone: timezone, between: str) -> None:
    """And a text without one is meant in the configured zone."""
    text = wall.isoformat(sep=between)
    assert parse_instant(text, zone) == wall.replace(tzinfo=zone)
    assert parse_instant(text + "+00:00", zone) == wall.replace(tzinfo=UTC)
    assert parse_instant(text + "Z", zone) == wall.replace(tzinfo=UTC)


@given(naive)
def test_a_time_that_a_zone_skips_or_shows_twice_is_refused(wall: datetime) -> None:
    """The oracle is the way there and back through UTC, for both folds."""
    through = {
        wall.replace(tzinfo=NEW_YORK, fold=fold).astimezone(UTC).astimezone(NEW_YORK).replace(tzinfo=None)
        for fold in (0, 1)
    }
    readings = {wall.replace(tzinfo=NEW_YORK, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if through == {wall} and len(readings) == 1:
        assert parse_instant(wall.isoformat(), NEW_YORK) in readings
    else:
        with pytest.raises(InvalidInstant, match="not one point in time"):
            parse_instant(wall.isoformat(), NEW_YORK)


@given(st.one_of(st.text(), st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?.{0,7}")))
def test_any_text_is_an_instant_or_refused_with_an_example(text: str) -> None:
    """No other error, no local time, no guess."""
    try:
        found, refusal = parse_instant(text), None
    except InvalidInstant as error:
        found, refusal = None, error
    if refusal is None:
        assert found is not None
        assert found.tzinfo is UTC
    else:
        assert repr(text) in refusal.what
        assert "2025-10-06 12:00:00" in refusal.hint
