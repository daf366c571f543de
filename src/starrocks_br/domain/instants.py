"""Points in time as people write them and read them: whole seconds, with an offset, fit to be pasted back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from starrocks_br.domain.errors import InvalidInstant

_HINT: Final = 'write it as "2025-10-06 12:00:00" or, with an offset, "2025-10-06 12:00:00+02:00"'
_GRAMMAR = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?\s*(Z|[+-]\d{2}:?\d{2})?")


def parse_instant(text: str, zone: tzinfo = UTC) -> datetime:
    """Read a date with a time of day; without an offset it is meant in `zone`. The result is in UTC.

    Never the machine's own zone. A date alone is refused: it could mean either end of the day.

    Raises:
        InvalidInstant: Not such a text, or a wall-clock time that `zone` skips or shows twice.
    """
    trimmed = text.strip()
    if not _GRAMMAR.fullmatch(trimmed):
        raise InvalidInstant(f"{text!r} is not a point in time", hint=_HINT)
    try:
        value = datetime.fromisoformat(re.sub(r"\s+(?=[Z+-]|$)", "", trimmed))
        return value.astimezone(UTC) if value.tzinfo else _in_zone(value, zone, text)
    except (ValueError, OverflowError) as error:
        raise InvalidInstant(f"{text!r} is not a point in time", why=str(error), hint=_HINT) from error


def _in_zone(value: datetime, zone: tzinfo, text: str) -> datetime:
    earlier, later = (value.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() != later.utcoffset():
        raise InvalidInstant(
            f"{text!r} is not one point in time in {zone}",
            why="clocks are put forward or back then, so that wall-clock time does not exist or comes twice",
            hint="add the offset, as in +00:00",
        )
    return earlier.astimezone(UTC)


def show_instant(value: datetime) -> str:
    """Write an instant as whole seconds with its offset; `parse_instant` reads exactly that back."""
    return value.replace(microsecond=0).isoformat(sep=" ")
