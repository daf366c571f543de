"""How fast this cluster restores, from what it did before."""

from __future__ import annotations

from starrocks_br.domain.errors import Refused
from starrocks_br.domain.estimate import Pace, fit
from starrocks_br.domain.events import Warned
from starrocks_br.domain.names import ClusterId
from starrocks_br.domain.ports import Ports


def pace(ports: Ports, cluster: ClusterId) -> Pace | None:
    """The pace of this cluster's own RESTORE jobs; while there are none, that of its BACKUP jobs.

    One or two statements, whatever is recorded. Other clusters have other disks and other ways to the repository.

    Returns:
        None if it did neither yet, or the server does not take the question: nobody is to lose a restore over it.
    """
    try:
        return fit(ports.restores.timings(cluster)) or fit(ports.backups.timings(cluster))
    except Refused as refusal:
        ports.listener(Warned(message=f"how long it will take cannot be told: {refusal}"))
        return None
