"""The beginning: create our own tables."""

from __future__ import annotations

from typing import Final

from starrocks_br.domain.errors import NotInitialised
from starrocks_br.domain.ports import Ports
from starrocks_br.services.preflight import check_repository
from starrocks_br.services.reports import InitReport
from starrocks_br.services.requests import Place

MOST_REPLICAS: Final = 3

COLUMNS_WITHIN: Final = 120.0
"""Seconds for which added columns are waited for: a schema change of a small table waits for a turn or two of the
frontend (10 s each), unless it is one of those that act at once."""


def init(ports: Ports, place: Place) -> InitReport:
    """Create the ops database and its tables; tables of an older version get the columns that they lack.

    Nothing else happens to what exists.

    Raises:
        NotInitialised: There are tables of that name with an unknown layout.
        RequestError: The repository does not exist.
    """
    server = ports.cluster.server()
    check_repository(ports, place)
    replication_num = min(place.replication_num or MOST_REPLICAS, server.alive_backends)
    created = bool(ports.cluster.layout_problem())
    if created:
        _check_layout(ports, place, growing=ports.cluster.initialise(replication_num))
    return InitReport(ops=place.ops, created=created, replication_num=replication_num)


def _check_layout(ports: Ports, place: Place, *, growing: bool) -> None:
    began = ports.clock.monotonic()
    while (problem := ports.cluster.layout_problem()) and growing:
        if ports.clock.monotonic() - began >= COLUMNS_WITHIN:
            break
        ports.clock.sleep(place.poll_interval)
    if problem:
        raise NotInitialised(
            f"the {place.ops} database cannot be used",
            why=problem,
            hint=f"see SHOW ALTER TABLE COLUMN FROM {place.ops}; run starrocks-br init again once its jobs have ended"
            if growing
            else f"name another database in the settings, or move these tables out of {place.ops}",
        )
