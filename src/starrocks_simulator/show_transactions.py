"""SHOW PROC '/transactions/<database>/running': loads that are committed and not visible (O2§y6)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from starrocks_simulator.results import Result, strings
from starrocks_simulator.show_filter import Row
from starrocks_simulator.show_proc import find_database
from starrocks_simulator.show_tablets import tablet_id
from starrocks_simulator.times import show

if TYPE_CHECKING:
    from starrocks_simulator.held_loads import HeldLoad
    from starrocks_simulator.session import Session

_NAMES: Final = (
    "TransactionId", "Label", "Coordinator", "TransactionStatus", "LoadJobSourceType", "PrepareTime", "PreparedTime",
    "CommitTime", "PublishTime", "FinishTime", "Reason", "ErrorReplicasCount", "ListenerId", "TimeoutMs",
    "PreparedTimeoutMs", "ErrMsg",
)  # fmt: skip


def running_transactions(session: Session, path: str) -> Result | None:
    """The rows for one database, with its id or name; None for other paths."""
    match path.split("/")[2:]:
        case [wanted, "running"]:
            loads = session.frontend.held_loads.of(find_database(session, wanted))
            return strings(_NAMES, [_row(session, load) for load in loads])
    return None


def _row(session: Session, load: HeldLoad) -> Row:
    committed, now = (show(when, session.zone) for when in (load.committed, session.frontend.now()))
    label = f"insert_{uuid.uuid5(uuid.NAMESPACE_OID, str(load.transaction))}"
    return (
        str(load.transaction), label, "FE: 127.0.0.1", "COMMITTED", "INSERT_STREAMING", committed, committed, committed,
        now, None, "", "0", f"[-1, {load.listener}]", "14400000", "86400000", _waits_for(load),
    )  # fmt: skip


def _waits_for(load: HeldLoad) -> str:
    """Versions before its own; or, if those were declared to be there, the backend, which does not have them."""
    partition, table, following = load.physical.id, load.table.id, load.physical.visible_version + 1
    if load.version > following:
        waited_for = f"partition {partition} version {following}"
        return f"wait for publishing {waited_for}. self version: {load.version}. table {table}"
    if not load.behind_hole:
        return ""
    return (
        f"publish on tablet {tablet_id(load.physical, 0, 1)} failed. succeed replica num 0 less than quorum 1. "
        f"table: {table}, partition: {partition}, publish version: {load.version}"
    )
