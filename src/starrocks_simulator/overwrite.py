"""INSERT OVERWRITE: fresh partitions take the place of those overwritten (O§n)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starrocks_simulator.catalog import SHADOW, Partition, Table
from starrocks_simulator.errors import refused
from starrocks_simulator.routing import route
from starrocks_simulator.versions import publish, renew

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def overwrite(session: Session, table: Table, targets: list[Partition] | None) -> None:
    """Replace the targets by the staged rows.

    Every target gets new ids, also one without new rows: version 2 with rows, 1 without. With `dynamic_overwrite`
    and no
    named partitions only those with new rows are targets.
    """
    dynamic = targets is None and session.variables["dynamic_overwrite"] == "true" and table.partitioning is not None
    if dynamic and SHADOW not in table.partitions:
        # the server dereferences the shadow partition that a partial RESTORE lost (O§f)
        raise refused(
            'Cannot invoke "com.starrocks.catalog.Partition.getId()" because the return value of '
            '"com.starrocks.catalog.OlapTable.getPartition(String)" is null'
        )
    before = {partition.id for partition in table.shown_partitions()}
    parts = route(session, table, targets) if _any_staged(session) else []
    replaced = targets if targets is not None else [one for one in table.shown_partitions() if one.id in before]
    if dynamic:
        replaced = [partition for partition, _ in parts if partition.id in before]
    for partition in replaced:
        renew(session.frontend, partition)
    physical = [(partition.physical[-1], rows) for partition, rows in parts]
    for one, rows in physical:
        session.frontend.rows.add(one.id, table.model, table.columns, rows)
    publish(session.frontend, [one for one, _ in physical])


def _any_staged(session: Session) -> bool:
    return bool(session.frontend.rows.query("SELECT 1 FROM staged LIMIT 1"))
