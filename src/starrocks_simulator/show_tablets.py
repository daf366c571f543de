"""SHOW TABLET, and what is left of SHOW DATA and SHOW CLUSTERS without backends (y4, y10, y11 of the transcripts)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import denied
from starrocks_simulator.catalog import Partition, PhysicalPartition, Table
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, no_database, refused, table_not_found
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import Result
from starrocks_simulator.show_filter import Row, shown

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_NAMES: Final = (
    "TabletId", "ReplicaId", "BackendId", "SchemaHash", "Version", "VersionHash", "LstSuccessVersion",
    "LstSuccessVersionHash", "LstFailedVersion", "LstFailedVersionHash", "LstFailedTime", "DataSize", "RowCount",
    "State", "LstConsistencyCheckTime", "CheckVersion", "CheckVersionHash", "VersionCount", "PathHash", "MetaUrl",
    "CompactionStatus", "DiskRootPath", "IsConsistent", "Checksum",
)  # fmt: skip
_TABLETS_AT_MOST: Final = 10_000
"""Of one physical partition: what keeps the ids that are made up here apart."""


def show_tablet(session: Session, cursor: Cursor) -> Result:
    """SHOW TABLET FROM [db.]t [PARTITION (…)] [WHERE …] [ORDER BY …] [LIMIT n]; tablets are not modelled otherwise."""
    cursor.expect("FROM")
    database_name, name = cursor.qualified()
    database = session.find_database(database_name)
    table = database.tables.get(name)
    if not isinstance(table, Table):
        raise table_not_found(name)
    if not session.sees(database, table):
        raise denied("ANY", "TABLE")
    partitions = list(table.every_partition())
    if cursor.accept_any("PARTITION", "PARTITIONS"):
        partitions = [_named(table, one) for one in cursor.names()]
    return shown(cursor, _NAMES, [row for partition in partitions for row in _rows(session, table, partition)])


def _named(table: Table, name: str) -> Partition:
    found = table.find_partition(name)
    if found is None:
        raise analyzing(f"Unknown partition: {name}")
    return found


def _rows(session: Session, table: Table, partition: Partition) -> Iterator[Row]:
    backends = session.frontend.backend_ids
    for one in partition.physical:
        for number in range(partition.buckets * (1 + len(table.rollups))):
            tablet = tablet_id(one, number, partition.replication_num)
            for copy in range(partition.replication_num):
                version, backend = str(one.visible_version), str(backends[copy % len(backends)])
                yield (
                    str(tablet), str(tablet + 1 + copy), backend, "0", version, "0", version, "0", "-1", "0", None,
                    "0B", "0", "NORMAL", None, "-1", "0", "-1", "0", f"http://*:0/api/meta/header/{tablet}",
                    f"http://*:0/api/compaction/show?tablet_id={tablet}", "/", "true", "-1",
                )  # fmt: skip


def tablet_id(physical: PhysicalPartition, number: int, replication_num: int) -> int:
    """The made-up id of a tablet; those of its replicas follow it."""
    return (physical.id * _TABLETS_AT_MOST + number) * (1 + replication_num)


def show_data(session: Session, cursor: Cursor) -> Result:
    """SHOW DATA [FROM t]: what stands behind FROM is a table, which needs a database (w:70)."""
    if cursor.accept("FROM"):
        cursor.qualified()
    cursor.end()
    if session.database is None:
        raise no_database()
    raise refused("the simulator does not model SHOW DATA")


def show_clusters(_: Session, cursor: Cursor) -> Result:
    """SHOW CLUSTERS FROM WAREHOUSE w: there are none (y10:27)."""
    cursor.expect("FROM", "WAREHOUSE")
    cursor.name()
    cursor.end()
    raise refused("unsupported statement in shared_nothing mode", 5907, "42000")


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SHOW", "TABLET"): show_tablet,
    ("SHOW", "DATA"): show_data,
    ("SHOW", "CLUSTERS"): show_clusters,
}
