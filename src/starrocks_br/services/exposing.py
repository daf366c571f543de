"""The moment before others can see a restored table: what only we can know of it is known now or never."""

from __future__ import annotations

from collections.abc import Sequence

from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import Rename, SetAside, Swap
from starrocks_br.services.restore_table import TableRestore


def before_exposing(ports: Ports, tables: Sequence[TableRestore]) -> None:
    """Look at tables whose next step moves a name that others use, once for all of them."""
    about = [one for one in tables if one.exposed_at is None and isinstance(one.step, Rename | SetAside | Swap)]
    if not about:
        return
    look = ports.cluster.observe([one.plan.alias for one in about])
    for one in about:
        one.hidden = look.tables.get(one.plan.alias)
        one.exposed_at = look.at
