"""The beginning: create our own tables."""

from __future__ import annotations

from starrocks_br.domain.errors import NotInitialised
from starrocks_br.domain.ports import Ports
from starrocks_br.services.preflight import check_repository
from starrocks_br.services.reports import InitReport
from starrocks_br.services.requests import Place

MOST_REPLICAS = 3


def init(ports: Ports, place: Place) -> InitReport:
    """Create the ops database and its tables; nothing happens to what exists.

    Raises:
        NotInitialised: There are tables of that name with an unknown layout.
        RequestError: The repository does not exist.
    """
    server = ports.cluster.server()
    check_repository(ports, place)
    replication_num = min(place.replication_num or MOST_REPLICAS, server.alive_backends)
    created = bool(ports.cluster.layout_problem())
    if created:
        ports.cluster.initialise(replication_num)
        _check_layout(ports, place)
    return InitReport(ops=place.ops, created=created, replication_num=replication_num)


def _check_layout(ports: Ports, place: Place) -> None:
    problem = ports.cluster.layout_problem()
    if problem:
        raise NotInitialised(
            f"the {place.ops} database cannot be used",
            why=problem,
            hint=f"name another database in the settings, or move these tables out of {place.ops}",
        )
