"""SHOW PROC '/…': the few branches that say something about databases (y6, y10 of the transcripts)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from starrocks_simulator.catalog import Column, Database, Rollup, Table
from starrocks_simulator.errors import refused
from starrocks_simulator.results import Result, strings
from starrocks_simulator.rollups import short_keys
from starrocks_simulator.show_filter import Row
from starrocks_simulator.show_tables import DESCRIPTION, described

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_QUOTA: Final = ("8388608.000 TB", None, str(2**63 - 1))
_SYSTEM: Final = (("1", "information_schema", "54"), ("100", "sys", "6"))
_NAMES: Final = (
    "brokers", "frontends", "routine_loads", "catalog", "colocation_group", "cluster_balance", "load_error_hub",
    "meta_recovery", "global_current_queries", "tasks", "compute_nodes", "statistic", "jobs", "warehouses", "resources",
    "monitor", "transactions", "backends", "current_queries", "stream_loads", "replications", "dbs",
    "current_backend_instances", "historical_nodes", "compactions",
)  # fmt: skip


def _root(_: Session) -> Result:
    return strings(("name",), [(name,) for name in _NAMES])


def _databases(session: Session) -> Result:
    databases = session.frontend.catalog.databases.values()
    rows: list[tuple[object, ...]] = [(*one, *_QUOTA) for one in _SYSTEM]
    rows += [(str(one.id), one.name, str(len(one.tables)), *_QUOTA) for one in databases]
    return strings(("DbId", "DbName", "TableNum", "Quota", "LastConsistencyCheckTime", "ReplicaQuota"), rows)


def _transactions(session: Session) -> Result:
    databases = session.frontend.catalog.databases.values()
    return strings(("DbId", "DbName"), [(str(one.id), one.name) for one in databases])


def in_database(session: Session, path: str) -> Result | None:
    """`/dbs/d`, `/dbs/d/t`, `/dbs/d/t/index_schema` and an index below it, with ids or names; None for others (y4)."""
    match path.split("/")[2:]:
        case [database]:
            return _tables(find_database(session, database))
        case [database, table]:
            _table(find_database(session, database), table)
            return strings(("Nodes",), [("partitions",), ("temp_partitions",), ("index_schema",)])
        case [database, table, "index_schema"]:
            return _indices(_table(find_database(session, database), table))
        case [database, table, "index_schema", index]:
            return _index(_table(find_database(session, database), table), index)
    return None


def find_database(session: Session, wanted: str) -> Database:
    """The database of that id or name."""
    for one in session.frontend.catalog.databases.values():
        if wanted in {str(one.id), one.name}:
            return one
    raise refused(f'Unknown database id or name "{wanted}"')


def _table(database: Database, wanted: str) -> Table:
    for one in database.tables.values():
        if wanted in {str(one.id), one.name} and isinstance(one, Table):
            return one
    raise refused(f'unknown table id or name "{wanted}"')


def _tables(database: Database) -> Result:
    names = (
        "TableId", "TableName", "IndexNum", "PartitionColumnName", "PartitionNum", "State", "Type",
        "LastConsistencyCheckTime", "ReplicaCount", "PartitionType", "StoragePath",
    )  # fmt: skip
    rows: list[Row] = []
    for one in sorted(database.tables.values(), key=lambda found: found.id):
        if isinstance(one, Table) and not one.external_engine:
            rows.append(_stored(one))
        else:
            kind = one.external_engine if isinstance(one, Table) else "VIEW"
            rows.append((str(one.id), one.name, None, None, "1", None, kind, None, "0", "UNPARTITIONED", None))
    return strings(names, rows)


def _stored(table: Table) -> Row:
    replicas = sum(one.buckets * len(one.physical) * one.replication_num for one in table.every_partition())
    return (
        str(table.id),
        table.name,
        str(1 + len(table.rollups)),
        "" if table.partitioning is None else ", ".join(table.partitioning.columns),
        str(len(table.partitions)),
        table.state.value,
        "MATERIALIZED_VIEW" if table.is_materialized_view else "OLAP",
        None,
        str(replicas * (1 + len(table.rollups))),
        "UNPARTITIONED" if table.partitioning is None else table.partitioning.type_name,
        None,
    )


def _indices(table: Table) -> Result:
    names = ("IndexId", "IndexName", "SchemaVersion", "SchemaHash", "ShortKeyColumnCount", "StorageType", "Keys")
    rows = [_shown(table, table.index_id, table.name, table.schema_version, table.schema_hash, table.visible_columns)]
    rows += [_shown(table, one.id, one.name, 0, one.schema_hash, one.columns) for one in table.rollups]
    return strings(names, rows)


def _shown(table: Table, index_id: int, name: str, version: int, schema_hash: int, columns: list[Column]) -> Row:
    keys = ", ".join(one.name for one in columns if one.is_key)
    short = str(short_keys(columns))
    return (str(index_id), name, str(version), str(schema_hash), short, "COLUMN", f"{table.model.value}({keys})")


def _index(table: Table, wanted: str) -> Result:
    rollups: dict[str, Rollup] = {str(one.id): one for one in table.rollups}
    if wanted != str(table.index_id) and wanted not in rollups:
        raise refused(f"Index {wanted} does not exist")
    columns = rollups[wanted].columns if wanted in rollups else table.visible_columns
    return strings(DESCRIPTION, [described(column, table) for column in columns])


def _balance(_: Session) -> Result:
    """Nothing is ever out of balance (y10:9)."""
    counted = ("balance_stat", "cluster_load_stat", "working_slots", "sched_stat")
    queues = ("priority_repair", "pending_tablets", "running_tablets", "history_tablets", "all_tablets")
    return strings(("Item", "Number"), [*((one, "1") for one in counted), *((one, "0") for one in queues)])


def _lost(_: Session) -> Result:
    """No partition has lost its data (y10:33)."""
    return strings(("Database", "Table", "Partition", "PartitionId", "Reason", "Advise"), [])


def _queries(_: Session) -> Result:
    """No query is running while this one is answered (y10:34)."""
    names = (
        "StartTime", "feIp", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows", "MemoryUsage",
        "DiskSpillSize", "CPUTime", "ExecTime", "ExecProgress", "Warehouse", "CustomQueryId", "ResourceGroup",
    )  # fmt: skip
    return strings(names, [])


BRANCHES: Final[dict[str, Callable[[Session], Result]]] = {
    "": _root,
    "/dbs": _databases,
    "/transactions": _transactions,
    "/cluster_balance": _balance,
    "/meta_recovery": _lost,
    "/global_current_queries": _queries,
}
"""By path, without the trailing slash."""
