"""What must be true before anything is done, in the order in which an operator would check it."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.errors import NotInitialised, RequestError
from starrocks_br.domain.events import Warned
from starrocks_br.domain.names import RepositoryName
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import Server
from starrocks_br.services.requests import Place


def ready(ports: Ports, place: Place, *, writing: bool = False) -> Server:
    """Check server, own tables and repository.

    Args:
        ports: The outside.
        place: What the command works with.
        writing: Whether the repository will be written to.

    Raises:
        NotInitialised: The own tables are missing, or of an unknown layout.
        RequestError: The repository is missing, or read only.
    """
    server = ports.cluster.server()
    problem = ports.cluster.layout_problem()
    if problem:
        raise NotInitialised(
            f"the {place.ops} database is not ready",
            why=problem,
            hint="run starrocks-br init; on a new cluster with an old repository, starrocks-br bootstrap",
        )
    check_repository(ports, place, writing=writing)
    return server


def reading_from(ports: Ports, place: Place, recorded: RepositoryName) -> Place:
    """The place of a restore: snapshots are read from where they were written, whatever is backed up into now.

    A repository that the cluster knows no longer by its recorded name may have been made anew under the name that the
    settings give: labels and timestamps of what it holds tell.
    """
    if recorded == place.repository:
        return place
    known = {repository.name for repository in ports.cluster.repositories()}
    return evolve(place, repository=recorded) if recorded in known else place


def check_repository(ports: Ports, place: Place, *, writing: bool = False) -> None:
    """Check that the repository is known and fit. Raises RequestError."""
    known = {repository.name: repository for repository in ports.cluster.repositories()}
    repository = known.get(place.repository)
    if repository is None:
        raise RequestError(
            f"repository {place.repository} does not exist",
            why=f"the cluster knows {', '.join(sorted(known)) or 'no repository at all'}",
            hint="CREATE REPOSITORY ... with the name and location it always had",
        )
    if writing and repository.read_only:
        raise RequestError(
            f"repository {place.repository} is read only",
            hint="back up into another repository, or create this one without READ ONLY",
        )
    if repository.error:
        ports.listener(Warned(message=f"repository {place.repository} had an error lately: {repository.error}"))
