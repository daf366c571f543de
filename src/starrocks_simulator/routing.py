"""Which partition each staged row belongs to; automatic tables grow here."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from starrocks_simulator.catalog import SHADOW, Partition, Table
from starrocks_simulator.create_table import new_partition
from starrocks_simulator.errors import analyzing
from starrocks_simulator.parse_partitions import next_unit, truncate
from starrocks_simulator.partitioning import Bound, Key, KeyValue, ListKeys, PartitionKeys, Range, row_key, shown_value
from starrocks_simulator.staging import filtered

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

Finder: TypeAlias = Callable[[Key], Partition | None]
"""Gives the partition that takes a key; None if there is none."""

_FORMATS: Final = {
    "hour": "%Y%m%d%H",
    "day": "%Y%m%d",
    "week": "%Y%m%d",
    "month": "%Y%m",
    "quarter": "%Y%m",
    "year": "%Y",
}
_DROPPED: Final = frozenset("-: *")


def route(session: Session, table: Table, targets: list[Partition] | None) -> list[tuple[Partition, str]]:
    """Sort the staged rows into partitions.

    Args:
        session: Who loads.
        table: Where to.
        targets: The partitions that the statement named; None = all, and an automatic table may get new ones.

    Returns:
        Each partition that gets rows, with the query for its rows (`n` and `c<unique id>` columns).

    Raises:
        ServerError: A row fits nowhere.
    """
    if table.partitioning is None:
        return [((targets or list(table.partitions.values()))[0], "FROM staged")]
    keys = _distinct_keys(session, table)
    among = table.shown_partitions() if targets is None else targets
    finder = _finder(table, among)
    found: dict[int, Partition] = {}
    numbers: list[int] = []
    for key in keys:
        partition = finder(key)
        if partition is None and targets is None and table.partitioning.automatic:
            partition = _create(session, table, key)
            finder = _finder(table, table.shown_partitions())
        if partition is None:
            raise filtered(session)
        found[partition.id] = partition
        numbers.append(partition.id)
    if len(found) == 1:
        return [(partition, "FROM staged") for partition in found.values()]
    _join(session, table, keys, numbers)
    return [(partition, f"FROM routed WHERE target = {number}") for number, partition in found.items()]


def _key_expressions(table: Table) -> list[str]:
    unit = "" if table.partitioning is None else table.partitioning.unit
    names = [f"c{column.unique_id}" for column in table.partition_columns]
    return [f"CAST(date_trunc('{unit}', {name}) AS TIMESTAMP)" for name in names] if unit else names


def _distinct_keys(session: Session, table: Table) -> list[Key]:
    expressions = ", ".join(_key_expressions(table))
    return session.frontend.rows.query(f"SELECT DISTINCT {expressions} FROM staged ORDER BY ALL")


def _join(session: Session, table: Table, keys: list[Key], numbers: list[int]) -> None:
    expressions = _key_expressions(table)
    kinds = [
        "TIMESTAMP" if "CAST" in one else column.type.duckdb
        for one, column in zip(expressions, table.partition_columns, strict=True)
    ]
    unnested = ", ".join(f"unnest(CAST(? AS {kind}[])) AS k{at}" for at, kind in enumerate(kinds))
    matches = " AND ".join(f"{one} IS NOT DISTINCT FROM k{at}" for at, one in enumerate(expressions))
    columns = [[key[at] for key in keys] for at in range(len(expressions))]
    session.frontend.rows.duckdb.execute(
        f"CREATE OR REPLACE TEMP TABLE routed AS SELECT staged.*, target FROM staged JOIN "
        f"(SELECT {unnested}, unnest(CAST(? AS BIGINT[])) AS target) ON {matches}",
        [*columns, numbers],
    )


def _finder(table: Table, among: list[Partition]) -> Finder:
    if table.partitioning is not None and table.partitioning.kind == "LIST":
        return _list_finder(among)
    return _range_finder(table, among)


def _list_finder(among: list[Partition]) -> Finder:
    by_value = {item: partition for partition in among if partition.keys for item in partition.values.items}

    def find(key: Key) -> Partition | None:
        return by_value.get(tuple(shown_value(value) for value in key))

    return find


def _range_finder(table: Table, among: list[Partition]) -> Finder:
    types = tuple(column.type for column in table.partition_columns)
    ordered = sorted((one for one in among if one.keys), key=lambda one: one.range.lower.key(types))
    lowers = [one.range.lower.key(types) for one in ordered]
    is_date = [kind.name == "date" for kind in types]

    def find(key: Key) -> Partition | None:
        rank = row_key(tuple(_as_date(value) if date else value for value, date in zip(key, is_date, strict=True)))
        at = bisect.bisect_right(lowers, rank) - 1
        if at < 0 or rank >= ordered[at].range.upper.key(types):
            return None
        return ordered[at]

    return find


def _as_date(value: KeyValue) -> KeyValue:
    return value.date() if isinstance(value, dt.datetime) else value


def _create(session: Session, table: Table, key: Key) -> Partition:
    """Make the partition that an automatic table lacks for this key (O§f)."""
    name, keys = automatic(table, key)
    new_partition(session.frontend, table, name, keys)
    shadow = table.partitions.pop(SHADOW, None)
    if shadow is not None:
        table.partitions[SHADOW] = shadow
    return table.partitions[name]


def automatic(table: Table, key: Key) -> tuple[str, PartitionKeys]:
    """Name and range or values of the partition that the server makes for a key."""
    partitioning = table.partitioning
    if partitioning is None:
        raise TypeError(table.name)
    if partitioning.kind == "LIST":
        values = tuple(shown_value(value) for value in key)
        return _free_name(table, "p" + "_".join(map(_squeezed, values)), values), ListKeys((values,))
    moment = key[0]
    if not isinstance(moment, dt.datetime):
        raise analyzing("The expression partition's column is NULL")
    start = truncate(moment, partitioning.unit)
    end = next_unit(start, partitioning.unit)
    is_date = table.partition_columns[0].type.name == "date"
    low, high = (one.date().isoformat() if is_date else one.isoformat(sep=" ") for one in (start, end))
    return "p" + start.strftime(_FORMATS[partitioning.unit]), Range(Bound((low,)), Bound((high,)))


def _squeezed(value: str | None) -> str:
    """A value as it goes into a partition's name: letters and digits; the rest dropped or in hexadecimal (O§f)."""
    if value is None:
        return "NULL"
    sign = "_" if value.startswith("-") else ""
    text = value.removesuffix(" 00:00:00")
    return sign + "".join(
        one if one.isascii() and one.isalnum() else "" if one in _DROPPED else f"{ord(one):x}" for one in text
    )


def _free_name(table: Table, name: str, values: tuple[str | None, ...]) -> str:
    """Two values may squeeze to one name: the second gets a hash behind it."""
    if table.find_partition(name) is None:
        return name
    code = 0
    for one in ",".join(map(str, values)):
        code = (code * 31 + ord(one)) & 0xFFFFFFFF
    return f"{name}_{code:x}"
