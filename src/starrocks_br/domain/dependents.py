"""What hangs on a table and does not come with it: grants, materialized views that read it, its colocate group.

Grants follow the table's id: a restored table has none, whatever the one that had its name before was granted
(O2§0.8, seen). RESTORE AS forgets the colocate group (O2§y1, seen). A materialized view becomes inactive when a table
that it reads is dropped, renamed or swapped, and so do those that read it (documented, not observed).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Self, TypeAlias

from attrs import evolve, field, frozen

from starrocks_br.domain.names import TableRef
from starrocks_br.domain.reprs import count

_GROUP: Final = re.compile(r'"colocate_with" = "([^"]+)"')

_BY_THE_SERVER: Final = "base-"
"""How INACTIVE_REASON begins when a table or view underneath was the cause (documented, not observed)."""


@frozen(kw_only=True)
class Grant:
    """What one user or role may do with one table.

    Attributes:
        grantee: A role's name, or a user as the server writes it: `'name'@'host'`.
        is_role: Which of the two.
        privileges: In the server's words: "SELECT", "INSERT", ….
        grantable: Whether they were given WITH GRANT OPTION.
    """

    grantee: str
    is_role: bool
    privileges: frozenset[str]
    grantable: bool = False


@frozen(kw_only=True)
class MaterializedView:
    """An asynchronous materialized view.

    Attributes:
        name: Its name.
        active: Whether it is refreshed and used for queries.
        reason: Why it is inactive, in the server's words; empty if it is active.
        reads: Tables and views that its query names, and perhaps more than these.
    """

    name: TableRef
    active: bool
    reason: str = ""
    reads: frozenset[TableRef]


@frozen(kw_only=True)
class Dependents:
    """What hung on some tables at one look.

    Attributes:
        groups: The colocate group of each table that existed, empty for none; a missing table is missing.
        grants: By table; None if they could not be read. Grants ON ALL TABLES are among them.
        views: Every materialized view of the cluster that the user sees, by name.
        notes: What could not be read and why, for people.
    """

    groups: Mapping[TableRef, str] = field(repr=count)
    grants: Mapping[TableRef, tuple[Grant, ...]] | None = field(repr=False)
    views: Mapping[TableRef, MaterializedView] = field(repr=count)
    notes: tuple[str, ...] = ()

    def renewed(self, later: Dependents) -> Self:
        """The same after another look at some of the tables: it holds where it differs.

        What it could not read is not known any more: a grant that was taken back meanwhile must not come back.
        """
        known = None if later.grants is None else {**(self.grants or {}), **later.grants}
        return evolve(
            self,
            groups={**self.groups, **later.groups},
            grants=known,
            views=later.views or self.views,
            notes=tuple(dict.fromkeys((*self.notes, *later.notes))),
        )

    def under(self, names: Mapping[TableRef, TableRef]) -> Self:
        """The same, each table by the name that is given for it.

        Args:
            names: For each table that was asked for.
        """
        return evolve(
            self,
            groups={names[table]: group for table, group in self.groups.items()},
            grants=None if self.grants is None else {names[table]: given for table, given in self.grants.items()},
        )


@frozen
class GrantAgain:
    """Give somebody what was granted on the table before."""

    table: TableRef
    grant: Grant


@frozen
class Colocate:
    """Put a table into a colocate group."""

    table: TableRef
    group: str


@frozen
class Activate:
    """Make a materialized view active again: the server resolves its query anew, by name."""

    view: TableRef


@frozen
class Refresh:
    """Let a materialized view's rows be made anew."""

    view: TableRef


Repair: TypeAlias = GrantAgain | Colocate | Activate | Refresh
"""One statement that puts something back; each may be repeated."""


def group_in(ddl: str) -> str:
    """The colocate group that a SHOW CREATE TABLE names among the properties; empty for none."""
    found = _GROUP.search(ddl.rpartition("PROPERTIES (")[2])
    return found[1] if found else ""


def lost_grants(before: Iterable[Grant], now: Iterable[Grant]) -> tuple[Grant, ...]:
    """What was granted then and is not now, users first; what still holds, as ON ALL TABLES does, is not in it."""
    had, has = _by_grantee(before), _by_grantee(now)
    lost = []
    for (is_role, grantee, grantable), privileges in sorted(had.items()):
        kept = has.get((is_role, grantee, True), set()) | (
            set() if grantable else has.get((is_role, grantee, False), set())
        )
        if missing := frozenset(privileges - kept):
            lost.append(Grant(grantee=grantee, is_role=is_role, privileges=missing, grantable=grantable))
    return tuple(lost)


def _by_grantee(grants: Iterable[Grant]) -> dict[tuple[bool, str, bool], set[str]]:
    found: dict[tuple[bool, str, bool], set[str]] = defaultdict(set)
    for grant in grants:
        found[grant.is_role, grant.grantee, grant.grantable] |= grant.privileges
    return found


def readers(tables: Collection[TableRef], *looks: Iterable[MaterializedView]) -> frozenset[TableRef]:
    """Materialized views that read one of the tables, directly or through others, at any of the looks."""
    reads: dict[TableRef, set[TableRef]] = defaultdict(set)
    for view in (view for look in looks for view in look):
        reads[view.name] |= view.reads
    found: set[TableRef] = set()
    while more := {name for name, what in reads.items() if what & {*tables, *found}} - found:
        found |= more
    return frozenset(found)


def may_activate(view: MaterializedView, before: MaterializedView | None) -> bool:
    """Whether an inactive view was active before, or is inactive because of what it reads: nobody wanted it so."""
    return (before is not None and before.active) or view.reason.startswith(_BY_THE_SERVER)
