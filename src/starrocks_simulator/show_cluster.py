"""SHOW FRONTENDS, BACKENDS, PROC, VARIABLES and other statements about the cluster and the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.controls import CONTROLS
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import refused
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import Result, strings
from starrocks_simulator.show_filter import Row, like, shown
from starrocks_simulator.show_proc import BRANCHES, in_database
from starrocks_simulator.show_transactions import running_transactions
from starrocks_simulator.times import show
from starrocks_simulator.variables import VERSION, config_comment, config_type, is_mutable

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_FRONTENDS: Final = (
    "Id", "Name", "IP", "EditLogPort", "HttpPort", "QueryPort", "RpcPort", "Role", "ClusterId", "Join", "Alive",
    "ReplayedJournalId", "LastHeartbeat", "IsHelper", "ErrMsg", "StartTime", "Version",
)  # fmt: skip
_BACKENDS: Final = (
    "BackendId", "IP", "HeartbeatPort", "BePort", "HttpPort", "BrpcPort", "LastStartTime", "LastHeartbeat", "Alive",
    "SystemDecommissioned", "ClusterDecommissioned", "TabletNum", "DataUsedCapacity", "AvailCapacity", "TotalCapacity",
    "UsedPct", "MaxDiskUsedPct", "ErrMsg", "Version", "Status", "DataTotalCapacity", "DataUsedPct", "CpuCores",
    "MemLimit",
    "NumRunningQueries", "MemUsedPct", "CpuUsedPct", "DataCacheMetrics", "Location", "StatusCode",
)  # fmt: skip
_COMPUTE_NODES: Final = (
    "ComputeNodeId", "IP", "HeartbeatPort", "BePort", "HttpPort", "BrpcPort", "LastStartTime", "LastHeartbeat", "Alive",
    "SystemDecommissioned", "ClusterDecommissioned", "ErrMsg", "Version", "CpuCores", "MemLimit", "NumRunningQueries",
    "MemUsedPct", "CpuUsedPct", "DataCacheMetrics", "HasStoragePath", "StatusCode",
)  # fmt: skip


def show_frontends(session: Session, cursor: Cursor) -> Result:
    """SHOW FRONTENDS: this one, the leader (O§t)."""
    cursor.end()
    return _frontends(session)


def _frontends(session: Session) -> Result:
    frontend = session.frontend
    started, now = show(frontend.started, session.zone), show(frontend.now(), session.zone)
    name = f"127.0.0.1_9010_{int(frontend.started * 1000)}"
    row: Row = (
        "1", name, "127.0.0.1", "9010", "8030", str(frontend.query_port), "9020", "LEADER",
        str(frontend.cluster_id), "true",
        "true", "1", now, "true", "", started, VERSION,
    )  # fmt: skip
    return strings(_FRONTENDS, [row])


def show_backends(session: Session, cursor: Cursor) -> Result:
    """SHOW BACKENDS: as many as the frontend was given, all alive."""
    cursor.end()
    return _backends(session)


def _backends(session: Session) -> Result:
    frontend = session.frontend
    started, now = show(frontend.started, session.zone), show(frontend.now(), session.zone)
    rows: list[Row] = [
        (
            str(number),
            f"127.0.0.{at}",
            "9050",
            "9060",
            "8040",
            "8060",
            started,
            now,
            "true",
            "false",
            "false",
            "0",
            "0.000 ",
            "1.000 TB",
            "1.000 TB",
            "0.00 %",
            "0.00 %",
            "",
            VERSION,
            "{}",
            "1.000 TB",
            "0.00 %",
            "8",
            "16.000GB",
            "0",
            "0.00 %",
            "0.0 %",
            "N/A",
            "",
            "OK",
        )
        for at, number in enumerate(frontend.backend_ids, 10)
    ]
    return strings(_BACKENDS, rows)


def show_proc(session: Session, cursor: Cursor) -> Result:
    """SHOW PROC '/…': frontends, backends, and what `show_proc` has."""
    path = cursor.string().rstrip("/")
    cursor.end()
    if path in BRANCHES:
        return BRANCHES[path](session)
    if path == "/frontends":
        return _frontends(session)
    if path == "/backends":
        return _backends(session)
    if path.startswith("/dbs/") and (found := in_database(session, path)) is not None:
        return found
    if path.startswith("/transactions/") and (found := running_transactions(session, path)) is not None:
        return found
    raise refused(f"the simulator does not model SHOW PROC '{path}'")


def show_variables(session: Session, cursor: Cursor) -> Result:
    """SHOW [GLOBAL|SESSION] VARIABLES [LIKE '…'] [WHERE …]."""
    among = session.frontend.variables if cursor.lexemes[1].value == "GLOBAL" else session.variables
    return shown(cursor, ("Variable_name", "Value"), sorted(among.items()))


def show_config(session: Session, cursor: Cursor) -> Result:
    """ADMIN SHOW FRONTEND CONFIG [LIKE '…']."""
    pattern = like(cursor.string()) if cursor.accept("LIKE") else like("%")
    cursor.end()
    rows: list[Row] = [
        (name, "[]", value, config_type(name, value), "true" if is_mutable(name) else "false", config_comment(name))
        for name, value in sorted(session.frontend.config.items())
        if pattern.fullmatch(name)
    ]
    return strings(("Key", "AliasNames", "Value", "Type", "IsMutable", "Comment"), rows)


def set_config(session: Session, cursor: Cursor) -> Result:
    """ADMIN SET FRONTEND CONFIG ("key" = "value"); the simulator's own keys are in `controls`."""
    changes = cursor.properties()
    cursor.end()
    if changes.keys() <= CONTROLS.keys():
        for name, value in changes.items():
            CONTROLS[name](session.frontend, value)
        return Result()
    for name in changes:
        if name not in session.frontend.config or not is_mutable(name):
            raise refused(f"Config '{name}' does not exist or is not mutable")
    session.frontend.config.update(changes)
    return Result()


def empty(*names: str) -> Handler:
    """A handler of a SHOW that has nothing to show."""

    def handler(_: Session, cursor: Cursor) -> Result:
        return shown(cursor, names, [])

    return handler


def show_catalogs(_: Session, cursor: Cursor) -> Result:
    """SHOW CATALOGS."""
    comment = "An internal catalog contains this cluster's self-managed tables."
    return shown(cursor, ("Catalog", "Type", "Comment"), [("default_catalog", "Internal", comment)])


def show_warehouses(_: Session, __: Cursor) -> Result:
    """SHOW WAREHOUSES: refused, which tells a shared-nothing cluster without any privilege (O2§y10)."""
    raise refused("unsupported statement in shared_nothing mode", 5907, "42000")


def show_processlist(session: Session, cursor: Cursor) -> Result:
    """SHOW [FULL] PROCESSLIST: this connection."""
    cursor.end()
    names = (
        "ServerName", "Id", "User", "Host", "Db", "Command", "ConnectionStartTime", "Time", "State", "Info",
        "IsPending",
        "Warehouse",
    )  # fmt: skip
    now = show(session.frontend.now(), session.zone)
    row: Row = (
        "127.0.0.1", str(session.connection_id), session.user, "127.0.0.1", session.database or "", "Query", now,
        "0", "OK",
        cursor.text, "false", "default_warehouse",
    )  # fmt: skip
    return strings(names, [row])


def kill(_: Session, cursor: Cursor) -> Result:
    """KILL [CONNECTION|QUERY] id: no other connection is known here."""
    cursor.accept_any("CONNECTION", "QUERY")
    raise refused(f"Unknown thread id: {cursor.integer()}", 1094)


def show_database_empty(*names: str) -> Handler:
    """A handler of a SHOW … FROM db that has nothing to show; the database is checked."""

    def handler(session: Session, cursor: Cursor) -> Result:
        if cursor.accept_any("FROM", "IN"):
            session.find_database(cursor.qualified()[1])
        return shown(cursor, names, [])

    return handler


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SHOW", "FRONTENDS"): show_frontends,
    ("SHOW", "BACKENDS"): show_backends,
    ("SHOW", "COMPUTE", "NODES"): empty(*_COMPUTE_NODES),
    ("SHOW", "PROC"): show_proc,
    ("SHOW", "VARIABLES"): show_variables,
    ("SHOW", "GLOBAL", "VARIABLES"): show_variables,
    ("SHOW", "SESSION", "VARIABLES"): show_variables,
    ("SHOW", "CATALOGS"): show_catalogs,
    ("SHOW", "WARNINGS"): empty("Level", "Code", "Message"),
    ("SHOW", "ERRORS"): empty("Level", "Code", "Message"),
    ("SHOW", "STATUS"): empty("Variable_name", "Value"),
    ("SHOW", "STORAGE", "VOLUMES"): empty("Storage Volume"),
    ("SHOW", "FUNCTIONS"): show_database_empty("Function Name"),
    ("SHOW", "DELETE"): show_database_empty("TableName", "PartitionName", "CreateTime", "DeleteCondition", "State"),
    ("SHOW", "PROCESSLIST"): show_processlist,
    ("SHOW", "FULL", "PROCESSLIST"): show_processlist,
    ("SHOW", "WAREHOUSES"): show_warehouses,
    ("ADMIN", "SHOW", "FRONTEND", "CONFIG"): show_config,
    ("ADMIN", "SET", "FRONTEND", "CONFIG"): set_config,
    ("KILL",): kill,
}
