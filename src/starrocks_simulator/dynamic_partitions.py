"""Dynamic partitioning: the partitions that a table gets when it is made (w:27 of the transcripts).

The server's scheduler goes on adding and dropping them every ten minutes; here only the first round happens.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from starrocks_simulator.catalog import Table
from starrocks_simulator.parse_partitions import PartitionItem, next_unit, truncate
from starrocks_simulator.partitioning import Bound, Range
from starrocks_simulator.times import zone_of

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend

_FORMATS: Final = {"hour": "%Y%m%d%H", "day": "%Y%m%d", "week": "%Y_%W", "month": "%Y%m", "year": "%Y"}


_DEFAULTS: Final = {"start": "-2147483648", "buckets": "0", "history_partition_num": "0"}
_FIRST_DAYS: Final = {"WEEK": "start_day_of_week", "MONTH": "start_day_of_month"}


def dynamic_defaults(frontend: Frontend, properties: dict[str, str]) -> dict[str, str]:
    """What the server adds to a table's `dynamic_partition.*` properties, if it has any (w:27 of the transcripts)."""
    if "dynamic_partition.time_unit" not in properties:
        return {}
    found = {**_DEFAULTS, "enable": "true", "time_zone": frontend.zone_name}
    first_day = _FIRST_DAYS.get(properties["dynamic_partition.time_unit"].upper())
    if first_day is not None:
        found[first_day] = "1"
    return {f"dynamic_partition.{name}": value for name, value in found.items()}


def dynamic_items(frontend: Frontend, table: Table) -> list[PartitionItem]:
    """Partitions from today to `dynamic_partition.end` units ahead."""
    properties = {key.removeprefix("dynamic_partition."): value for key, value in table.properties.items()}
    if properties.get("enable", "").lower() != "true" or table.partitioning is None:
        return []
    unit = properties["time_unit"].lower()
    now = dt.datetime.fromtimestamp(frontend.now(), zone_of(properties["time_zone"])).replace(tzinfo=None)
    is_date = table.partition_columns[0].type.name == "date"
    items, start = [], truncate(now, unit)
    for _ in range(int(properties["end"]) + 1):
        end = next_unit(start, unit)
        low, high = (moment.date().isoformat() if is_date else moment.isoformat(sep=" ") for moment in (start, end))
        name = properties["prefix"] + start.strftime(_FORMATS[unit])
        buckets = int(properties.get("buckets", "0"))
        items.append(PartitionItem(name, Range(Bound((low,)), Bound((high,))), {}, buckets))
        start = end
    return items
