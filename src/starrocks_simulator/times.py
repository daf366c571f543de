"""Instants and time zones, as the server shows them (R§10)."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starrocks_simulator.errors import analyzing

_OFFSET: Final = re.compile(r"([+-])(\d{1,2}):(\d{2})")
_ALIASES: Final = {"CST": "Asia/Shanghai", "PRC": "Asia/Shanghai"}
NEVER: Final = 253_402_271_999
"""The cooldown time of a partition that never cools down, epoch seconds (n:14 of the transcripts)."""


@cache
def zone_of(name: str) -> dt.tzinfo:
    """The zone that a value of `time_zone` names: an offset, or a name of the zone database.

    Raises:
        ServerError: 1298, as SET time_zone answers (O§r).
    """
    offset = _OFFSET.fullmatch(name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return dt.timezone(dt.timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if name.upper() in {"UTC", "GMT", "Z"}:
        return dt.UTC
    try:
        return ZoneInfo(_ALIASES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise analyzing(f"Unknown or incorrect time zone: '{name}'", 1298) from None


def naive(epoch: float, zone: dt.tzinfo) -> dt.datetime:
    """The wall-clock time in that zone, without a zone of its own."""
    return dt.datetime.fromtimestamp(epoch, zone).replace(tzinfo=None)


def show(epoch: float, zone: dt.tzinfo) -> str:
    """`yyyy-MM-dd HH:mm:ss` in that zone; what lies behind the year 9999 too (O§r)."""
    try:
        return naive(int(epoch), zone).isoformat(sep=" ", timespec="seconds")
    except (OverflowError, ValueError):
        shift = zone.utcoffset(dt.datetime(2000, 1, 1)) or dt.timedelta()  # noqa: DTZ001 - only the offset is wanted
        seconds = (int(epoch) + int(shift.total_seconds())) % 86_400
        return f"10000-01-01 {dt.timedelta(seconds=seconds)!s:0>8}"


def instant(text: str, zone: dt.tzinfo) -> float:
    """Epoch seconds of a wall-clock time in that zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
