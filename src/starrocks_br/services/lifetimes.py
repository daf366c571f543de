"""What a killed restore would have said of the lifetimes that it switched off: whoever ends it says it instead."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import Journal
from starrocks_br.domain.lifetimes import lifetimes_in, still_on, switched_off
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.status import Status
from starrocks_br.services.journals import whole_manifest


def lifetime_notes(ports: Ports, table: TableRef, ddl: str) -> tuple[str, ...]:
    """How the lifetimes of a restored table stand now.

    Args:
        ports: The outside.
        table: Restored.
        ddl: As it was recorded; a property that was set after that is not known.
    """
    recorded = lifetimes_in(ddl)
    state = ports.cluster.inspect([table]).get(table) if recorded else None
    if state is None:
        return ()
    return tuple(
        still_on(key, value) if key in state.ttl else switched_off(table, key, value)
        for key, value in sorted(recorded.items())
    )


def with_lifetimes(ports: Ports, settled: Settled) -> Settled:
    """What was settled; of a restore that turned out to be complete, with what its own command cannot say any more."""
    if settled.outcome is not Status.FINISHED:
        return settled
    (journal,) = ports.restores.journals([RestoreId(settled.subject)]).sound
    notes = lifetime_notes(ports, journal.target, _recorded_ddl(ports, journal))
    return evolve(settled, detail="; ".join((settled.detail, *notes)))


def _recorded_ddl(ports: Ports, journal: Journal) -> str:
    """The CREATE TABLE that was recorded with the point; empty if that cannot be read any more."""
    try:
        return whole_manifest(ports, journal).ddl
    except BrokenChain:
        return ""
