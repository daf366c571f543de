"""SHOW PROC '/…': the few branches that say something about databases (y6, y10 of the transcripts)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from starrocks_simulator.results import Result, strings

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


BRANCHES: Final[dict[str, Callable[[Session], Result]]] = {
    "": _root,
    "/dbs": _databases,
    "/transactions": _transactions,
}
"""By path, without the trailing slash."""
