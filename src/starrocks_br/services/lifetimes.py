"""What a killed restore would have said of the lifetimes that it switched off: whoever ends it says it instead."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.chain import chain_to, lineage
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.events import Settled
from starrocks_br.domain.journal import Journal
from starrocks_br.domain.lifetimes import lifetimes_in, still_on, switched_off
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import Verify
from starrocks_br.domain.status import Status


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
    (journal,) = ports.restores.journals([RestoreId(settled.subject)])
    notes = lifetime_notes(ports, journal.target, _recorded_ddl(ports, journal))
    return evolve(settled, detail="; ".join((settled.detail, *notes)))


def _recorded_ddl(ports: Ports, journal: Journal) -> str:
    """The CREATE TABLE that was recorded with the point; empty if that cannot be read any more."""
    goal = next(line.step for line in journal.steps if isinstance(line.step, Verify))
    try:
        links = lineage(ports.backups.outlines(table=goal.source), goal.source, goal.point)
        entries = ports.backups.entries([link.label for link in links], goal.source).entries
        return chain_to(entries, goal.source, goal.point).manifest().ddl
    except BrokenChain:
        return ""
