"""The partition clauses of CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Final

from attrs import frozen

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing
from starrocks_simulator.lexer import Token
from starrocks_simulator.partitioning import LEAST, Bound, ListKeys, PartitionKeys, Range

_NAME_FORMATS: Final = {"hour": "%Y%m%d%H", "day": "%Y%m%d", "week": "%Y_%W", "month": "%Y%m", "year": "%Y"}


@frozen
class LessThan:
    """`VALUES LESS THAN (…)`: the lower end is the upper one of the partition before it."""

    upper: Bound


@frozen
class PartitionItem:
    """One partition as written.

    Attributes:
        name: Its name.
        keys: What it takes.
        properties: Of its own; `replication_num`, `storage_medium`, ….
        buckets: Of its own; 0 = the table's.
        if_not_exists: Whether an existing one is no error.
    """

    name: str
    keys: PartitionKeys | LessThan
    properties: dict[str, str]
    buckets: int = 0
    if_not_exists: bool = False


def partition_items(cursor: Cursor) -> list[PartitionItem]:
    """Step over `( item, … )` of CREATE TABLE; `()` is allowed."""
    cursor.expect("(")
    items: list[PartitionItem] = []
    while not cursor.accept(")"):
        items += _batch(cursor) if cursor.looking_at("START") else [partition_item(cursor)]
        if not cursor.accept(","):
            cursor.expect(")")
            break
    return items


def added_items(cursor: Cursor) -> list[PartitionItem]:
    """Step over what follows ALTER TABLE … ADD [TEMPORARY]: one PARTITION, or PARTITIONS START … EVERY."""
    if cursor.accept("PARTITIONS"):
        return _batch(cursor)
    return [partition_item(cursor)]


def partition_item(cursor: Cursor) -> PartitionItem:
    """Step over `PARTITION [IF NOT EXISTS] name VALUES … [(properties)] [DISTRIBUTED BY …]`."""
    cursor.expect("PARTITION")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.expect("VALUES")
    keys = _keys(cursor)
    properties = cursor.properties() if cursor.looking_at("(") else {}
    buckets = _own_buckets(cursor)
    properties |= cursor.optional_properties()
    return PartitionItem(name, keys, properties, buckets, if_not_exists)


def _keys(cursor: Cursor) -> PartitionKeys | LessThan:
    if cursor.accept("LESS", "THAN"):
        return LessThan(Bound((None,)) if cursor.accept("MAXVALUE") else bound(cursor))
    if cursor.accept("IN"):
        return list_keys(cursor)
    cursor.expect("[")
    lower = bound(cursor)
    cursor.expect(",")
    upper = bound(cursor)
    cursor.expect(")")
    return Range(lower, upper)


def bound(cursor: Cursor) -> Bound:
    """Step over `(value, …)`; MAXVALUE is None."""
    cursor.expect("(")
    values: list[str | None] = []
    while True:
        values.append(None if cursor.accept("MAXVALUE") else _value(cursor))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return Bound(tuple(values))


def list_keys(cursor: Cursor) -> ListKeys:
    """Step over `(value, …)` or `((value, …), …)`."""
    cursor.expect("(")
    items: list[tuple[str | None, ...]] = []
    while True:
        if cursor.accept("("):
            item = [_list_value(cursor)]
            while cursor.accept(","):
                item.append(_list_value(cursor))
            cursor.expect(")")
            items.append(tuple(item))
        else:
            items.append((_list_value(cursor),))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return ListKeys(tuple(items))


def _list_value(cursor: Cursor) -> str | None:
    return None if cursor.accept("NULL") else _value(cursor)


def _value(cursor: Cursor) -> str:
    sign = "-" if cursor.accept("-") else ""
    if cursor.next.kind is Token.STRING:
        return sign + cursor.string()
    if cursor.next.kind is not Token.NUMBER:
        cursor.fail("SINGLE_QUOTED_TEXT, INTEGER_VALUE")
    return sign + cursor.take().text


def _own_buckets(cursor: Cursor) -> int:
    if not cursor.accept("DISTRIBUTED", "BY"):
        return 0
    if not cursor.accept("RANDOM"):
        cursor.expect("HASH")
        cursor.names()
    return cursor.integer() if cursor.accept("BUCKETS") else 0


def _batch(cursor: Cursor) -> list[PartitionItem]:
    """`START ("a") END ("b") EVERY (INTERVAL n unit | n)`: as many partitions as fit (O§w:25)."""
    cursor.expect("START")
    (start,) = bound(cursor).values
    cursor.expect("END")
    (end,) = bound(cursor).values
    cursor.expect("EVERY", "(")
    interval = cursor.accept("INTERVAL")
    step = cursor.integer()
    unit = cursor.take().value.lower() if interval else ""
    cursor.expect(")")
    if start is None or end is None:
        raise analyzing("Batch build partition does not support MAXVALUE")
    return _date_batch(start, end, step, unit) if unit else _number_batch(int(start), int(end), step)


def _number_batch(start: int, end: int, step: int) -> list[PartitionItem]:
    return [
        PartitionItem(f"p{at}", Range(Bound((str(at),)), Bound((str(min(at + step, end)),))), {})
        for at in range(start, end, step)
    ]


def _date_batch(start: str, end: str, step: int, unit: str) -> list[PartitionItem]:
    items, at, last = [], dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
    with_time = unit == "hour" or len(start) > len("2024-01-01")
    while at < last:
        following = min(next_unit(at, unit, step), last)
        low, high = (
            moment.isoformat(sep=" ") if with_time else moment.date().isoformat() for moment in (at, following)
        )
        items.append(PartitionItem("p" + at.strftime(_NAME_FORMATS[unit]), Range(Bound((low,)), Bound((high,))), {}))
        at = following
    return items


def next_unit(moment: dt.datetime, unit: str, step: int = 1) -> dt.datetime:
    """The moment `step` units later: the end of a partition that begins at `moment`."""
    if unit in {"month", "quarter", "year"}:
        months = moment.year * 12 + moment.month - 1 + step * {"month": 1, "quarter": 3, "year": 12}[unit]
        year, month = months // 12, months % 12 + 1
        return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
    return moment + dt.timedelta(**{f"{unit}s": step})


def truncate(moment: dt.datetime, unit: str) -> dt.datetime:
    """`date_trunc(unit, moment)`."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def least_bound() -> Bound:
    """The end below every value."""
    return Bound((LEAST,))
