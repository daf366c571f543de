"""The moment before others can see a restored table: what only we can know of it is known now or never."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starrocks_br.domain.anchor import Restored
from starrocks_br.domain.dependents import Dependents, group_in
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import Rename, SetAside, Swap
from starrocks_br.domain.server import Server
from starrocks_br.services import anchors, dependents
from starrocks_br.services.restore_table import TableRestore


def before_exposing(ports: Ports, tables: Sequence[TableRestore], seen: Dependents) -> tuple[str, ...]:
    """Look at tables whose next step moves a name that others use, once for all of them, and let users in.

    Args:
        ports: The outside.
        tables: At the same kind of step.
        seen: What hung on their targets before.

    Returns:
        Notes for people.
    """
    about = [one for one in tables if about_to_show(one)]
    if not about:
        return ()
    notes = dependents.hand_over(ports, seen, {one.plan.target.table: one.plan.alias for one in about})
    look = ports.cluster.observe([one.plan.alias for one in about])
    for one in about:
        one.hidden = look.tables.get(one.plan.alias)
        one.newest_job = look.newest_job.get(one.plan.alias.database)
        one.exposed_at = look.at
    return tuple(_by_target(note, about) for note in notes)


def about_to_show(one: TableRestore) -> bool:
    """Whether the next step of a table moves a name that others use, for the first time."""
    moving = one.exposed_at is None and isinstance(one.step, Rename | SetAside | Swap)
    return moving and one.hides  # what goes on after a kill may be past that


def _group(one: TableRestore, seen: Dependents) -> str:
    """The colocate group of a table that comes back where nothing is: that of a table that lives is handed over."""
    manifest = one.plan.manifest
    missing = one.plan.target.table == manifest.table and manifest.table not in seen.groups
    return group_in(manifest.ddl) if missing else ""


def _by_target(note: str, about: Sequence[TableRestore]) -> str:
    """A note on a table under its alias, with the name that it is about to get."""
    for one in about:
        note = note.replace(str(one.plan.alias), str(one.plan.target.table))
    return note


def after_exposing(ports: Ports, server: Server, tables: Sequence[TableRestore], seen: Dependents) -> tuple[str, ...]:
    """Put back what hangs on restored tables, and write down what the next backup is cut against.

    Args:
        ports: The outside.
        server: Where they were restored.
        tables: Done.
        seen: What hung on their targets before.

    Returns:
        Notes for people: nothing here makes a restore fail.
    """
    if not tables:
        return ()
    put_back = dependents.after(ports, seen, {one.plan.target.table: one.plan.target.table for one in tables})
    groups = {one.plan.target.table: group for one in tables if (group := _group(one, seen))}
    return (*put_back, *dependents.regroup(ports, groups), *anchors.record(ports, server, list(_anchors(tables))))


def _anchors(tables: Sequence[TableRestore]) -> Iterator[Restored]:
    for one in tables:
        if one.hidden is not None and one.exposed_at is not None:
            yield Restored(
                manifest=one.plan.manifest,
                table=one.plan.target.table,
                hidden=one.hidden,
                shown=one.shown if one.shown_to_others else None,
                newest_job=one.newest_job,
                not_before=one.exposed_at,
                shown_at=one.shown_at,
                filled=one.filled,
            )
