"""Points in time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from starrocks_br.domain.errors import InvalidInstant
from starrocks_br.domain.instants import parse_instant, show_instant

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2025, 10, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-10-06 12:00:00",
        "2025-10-06T12:00:00Z",
        "2025-10-06 12:00",
        "2025-10-06 12:00:00  Z",
        " 2025-10-06 14:00:00 +02:00 ",
        "2025-10-06 14:00  +02:00",
        "2025-10-06 14:00:00+0200",
        "2025-10-06 12:00:00.000000",
        "2025-10-06 12:00:00,0",
    ],
)
def test_one_instant_in_many_spellings(text: str) -> None:
    """Without an offset it is UTC, unless another zone is configured."""
    assert parse_instant(text) == NOON
    assert parse_instant("2025-10-06 14:00:00", BERLIN) == NOON


@pytest.mark.usefixtures("machine_in_tokyo")
@pytest.mark.parametrize("text", ["2025-10-06 12:00:00", "2025-10-06 14:00:00+02:00"])
def test_where_the_machine_is_does_not_matter(text: str) -> None:
    """The result is in UTC: it is shown to people, and pasted back elsewhere."""
    assert show_instant(parse_instant(text)) == "2025-10-06 12:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-10-06",
        "2025-13-06 12:00",
        "12:00",
        "2025-10-06 12:00:00 +99:00",
        "0001-01-01 00:00+14:00",
    ],
)
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    """A date alone could mean either end of the day."""
    with pytest.raises(InvalidInstant) as refusal:
        parse_instant(text)
    assert refusal.value.what == f"{text!r} is not a point in time"
    assert refusal.value.why == str(refusal.value.__cause__ or "")
    assert refusal.value.hint == 'write it as "2025-10-06 12:00:00" or, with an offset, "2025-10-06 12:00:00+02:00"'


@pytest.mark.parametrize("text", ["2025-03-30 02:30:00", "2025-10-26 02:30:00"])
def test_a_time_that_comes_twice_or_never_needs_an_offset(text: str) -> None:
    """Nobody can know which one is meant."""
    with pytest.raises(InvalidInstant) as refusal:
        parse_instant(text, BERLIN)
    assert refusal.value.what == f"{text!r} is not one point in time in Europe/Berlin"
    assert refusal.value.why == (
        "clocks are put forward or back then, so that wall-clock time does not exist or comes twice"
    )
    assert refusal.value.hint == "add the offset, as in +00:00"
    assert parse_instant(text + "+01:00", BERLIN).hour == 1


def test_an_instant_is_shown_in_whole_seconds_with_its_offset() -> None:
    """Fit to be pasted back."""
    assert show_instant(NOON.replace(microsecond=999_999)) == "2025-10-06 12:00:00+00:00"
    assert show_instant(NOON.astimezone(BERLIN)) == "2025-10-06 14:00:00+02:00"
