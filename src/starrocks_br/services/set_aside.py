"""Tables that a restore replaced and kept: no part of their database any more, unless somebody names them."""

from __future__ import annotations

from collections.abc import Collection

from starrocks_br.domain.names import ClusterId, RestoreId, TableRef, restore_before
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import SetAside


def set_aside(ports: Ports, cluster: ClusterId, tables: Collection[TableRef]) -> dict[TableRef, RestoreId]:
    """Those of the tables that still bear the name that a restore gave them when it replaced them.

    The name alone proves nothing: the restore must have written down that it renames this table, by its id, to this
    name. No statement is sent unless a table bears such a name.

    Args:
        ports: The outside.
        cluster: This one.
        tables: Which may be.

    Returns:
        Each with its restore.
    """
    named = {table: restore for table in tables if (restore := restore_before(table.name)) is not None}
    if not named:
        return {}
    renamed = {
        (journal.restore, TableRef(line.step.table.database, line.step.to)): line.step.table_id
        for journal in ports.restores.journals(set(named.values())).sound
        if journal.cluster == cluster
        for line in journal.steps
        if isinstance(line.step, SetAside)
    }
    ids = ports.cluster.table_ids(named)
    return {
        table: restore
        for table, restore in named.items()
        if table in ids and renamed.get((restore, table)) == ids[table]
    }
