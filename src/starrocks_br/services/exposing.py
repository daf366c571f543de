"""The moments before and after others see restored tables: what is known then or never, and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import define, field

from starrocks_br.domain.anchor import Restored
from starrocks_br.domain.dependents import Dependents, group_in
from starrocks_br.domain.errors import ClusterError
from starrocks_br.domain.events import Warned
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import Rename, SetAside, Swap
from starrocks_br.domain.server import Server
from starrocks_br.services import anchors, dependents
from starrocks_br.services.restore_table import TableRestore

SIGN_OF_LIFE: Final = 20.0
"""Seconds after which what is done for one table after the other says again that the command is at work."""


@define(kw_only=True)
class Surroundings:
    """What hangs on the tables of one command.

    Attributes:
        ports: The outside.
        server: Where they are restored.
        tables: All of them, of whatever database.
        seen: What hung on their targets before.
        notes: For people; they grow, and may repeat.
    """

    ports: Ports
    server: Server
    tables: Sequence[TableRestore]
    seen: Dependents
    notes: list[str]
    _settled: set[RestoreId] = field(factory=set, init=False)
    _signed_at: float = field(default=0.0, init=False)

    @classmethod
    def begin(cls, ports: Ports, server: Server, tables: Sequence[TableRestore], notes: list[str]) -> Surroundings:
        """Look at what hangs on tables that are about to be replaced.

        Raises:
            ClusterError: The cluster does not answer; what it refuses is a note.
        """
        names = {one.lives_at: one.plan.target.table for one in tables}
        seen = dependents.before(ports, names.keys()).under(names)
        return cls(ports=ports, server=server, tables=tables, seen=seen, notes=notes)

    def before_exposing(self, tables: Sequence[TableRestore]) -> None:
        """Look at tables whose next step moves a name that others use, once for all of them, and let users in.

        Args:
            tables: At the same kind of step.
        """
        about = [one for one in tables if about_to_show(one)]
        if not about:
            return
        self._signed_at = self.ports.clock.monotonic()
        self._look_again([one for one in about if one.plan.replaces is not None])
        aliases = {one.plan.target.table: one.plan.alias for one in about}
        notes = dependents.hand_over(self.ports, self.seen, aliases, self._sign)
        look = self.ports.cluster.observe([one.plan.alias for one in about])
        for one in about:
            one.hidden = look.tables.get(one.plan.alias)
            one.newest_job = look.newest_job.get(one.plan.alias.database)
            one.exposed_at = look.at
        self.notes += (_by_target(note, about) for note in notes)

    def _look_again(self, tables: Sequence[TableRestore]) -> None:
        """Hours may have passed: what was granted and taken back meanwhile holds for the new tables, too."""
        if tables:
            names = {one.lives_at: one.plan.target.table for one in tables}
            self.seen = self.seen.renewed(dependents.before(self.ports, names.keys()).under(names))

    def settle(self) -> None:
        """For the tables that are over since, write down what the next backup is cut against, and put things back.

        The sooner the better: others of the command may take hours. Nothing here makes a restore fail.
        """
        self._signed_at = self.ports.clock.monotonic()
        over = [one for one in self.tables if one.step is None and one.plan.restore not in self._settled]
        if done := [one for one in over if one.done]:
            self._complete(done)
        self.given_back([one for one in over if not one.done])
        self._settled |= {one.plan.restore for one in over}

    def given_back(self, tables: Sequence[TableRestore]) -> None:
        """Make views active again that lost what they read while it had another name.

        Args:
            tables: Of which the old ones have their names again, if they ever lost them.
        """
        moved = [one for one in tables if one.plan.replaces is not None and _had_moved(one)]
        if moved:
            names = {one.plan.target.table for one in moved}
            for note in dependents.reactivate(self.ports, names, self.seen.views, self._to_come(), self._sign):
                self.ports.listener(Warned(message=note))  # there may be no report

    def _to_come(self) -> set[TableRef]:
        return {one.plan.target.table for one in self.tables if one.step is not None}

    def _complete(self, done: Sequence[TableRestore]) -> None:
        recorded = anchors.record(self.ports, self.server, list(_anchors(done)))
        put_back = dependents.after(
            self.ports,
            self.seen,
            {one.plan.target.table: one.plan.target.table for one in done},
            self._sign,
            handed_over={one.plan.target.table for one in done if one.shown_to_others and one.exposed_at is not None},
            to_come=self._to_come(),
        )
        groups = {one.plan.target.table: group for one in done if (group := _group(one, self.seen))}
        self.notes += (*put_back, *dependents.regroup(self.ports, groups, self._sign), *recorded)

    def _sign(self) -> None:
        """What is put back, one thing after the other, may take minutes: the others must not look dead meanwhile."""
        now = self.ports.clock.monotonic()
        if now - self._signed_at < SIGN_OF_LIFE:
            return
        self._signed_at = now
        try:
            self.ports.restores.claim([one.claim() for one in self.tables if one.step is not None])
        except ClusterError:
            return  # whoever goes on with them finds out


def _had_moved(one: TableRestore) -> bool:
    return one.exposed_at is not None or one.lives_at != one.plan.target.table


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
