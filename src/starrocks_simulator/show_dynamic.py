"""SHOW DYNAMIC PARTITION TABLES (w:74 of the transcripts)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.catalog import Table
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import Result, strings
from starrocks_simulator.show_filter import Row
from starrocks_simulator.times import show, zone_of

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_NAMES: Final = (
    "TableName", "Enable", "TimeUnit", "Start", "End", "Prefix", "Buckets", "ReplicationNum", "StartOf",
    "LastUpdateTime",
    "LastSchedulerTime", "State", "LastCreatePartitionMsg", "LastDropPartitionMsg", "InScheduler",
)  # fmt: skip


def show_dynamic(session: Session, cursor: Cursor) -> Result:
    """SHOW DYNAMIC PARTITION TABLES [FROM db]; its times are Shanghai's whatever the session says."""
    name = cursor.qualified()[1] if cursor.accept_any("FROM", "IN") else None
    cursor.end()
    tables = session.find_database(name).olap_tables()
    return strings(_NAMES, [_row(table) for table in tables if "dynamic_partition.enable" in table.properties])


def _row(table: Table) -> Row:
    def of(key: str, default: str = "") -> str:
        return table.properties.get(f"dynamic_partition.{key}", default)

    when = show(table.create_time, zone_of("Asia/Shanghai"))
    enabled = of("enable")
    return (
        table.name, enabled, of("time_unit"), of("start", "-2147483648"), of("end"), of("prefix"), of("buckets", "0"),
        table.properties["replication_num"], None, when, when, "NORMAL", None, None, enabled,
    )  # fmt: skip


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SHOW", "DYNAMIC", "PARTITION", "TABLES"): show_dynamic,
}
