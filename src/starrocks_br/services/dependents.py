"""Putting back what hangs on a restored table: grants, the colocate group, materialized views that read it.

None of it can make a restore fail: what cannot be read or put back becomes a note for people, with the server's words
and the statement to run. `before` looks before the old table loses its name; `hand_over` may be called while the new
one still has its alias, so that nobody is locked out for a moment; `after` puts back what is missing then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias, TypeVar, assert_never

from starrocks_br.domain.dependents import (
    Activate,
    Colocate,
    Dependents,
    Grant,
    GrantAgain,
    MaterializedView,
    Refresh,
    Repair,
    lost_grants,
    may_activate,
    readers,
)
from starrocks_br.domain.errors import AccessDenied, ClusterError, InvalidName, Refused, Unreachable
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.ports import Ports

_LONGEST: Final = 500
"""Characters of the server's words in a note: it may quote a whole query."""

_GRANTS_UNKNOWN: Final = (
    "who was granted what on {tables} cannot be read ({words}), so nothing is granted again; somebody with the role "
    "user_admin finds it in sys.grants_to_users and sys.grants_to_roles, under the name that the old table has now"
)
_VIEWS_UNKNOWN: Final = "which materialized views read {tables} cannot be read ({words}); see SHOW MATERIALIZED VIEWS"
_GROUPS_UNKNOWN: Final = "the colocate group that {tables} may have had cannot be read ({words})"
_NEW: Final = "nobody was granted anything by name on {tables}, newly made; what is granted ON ALL TABLES holds"

_T = TypeVar("_T")

Sign: TypeAlias = Callable[[], None]
"""Called before each statement that puts something back: others of the command must not look dead meanwhile."""


def _no_sign() -> None:
    """Nobody else is at work."""


def before(ports: Ports, tables: Collection[TableRef]) -> Dependents:
    """Look at what hangs on tables that are about to be replaced, or are missing.

    Six statements, however many tables.

    Args:
        ports: The outside.
        tables: Under the names that they have now; missing ones may be among them.

    Raises:
        ClusterError: The cluster does not answer; what it refuses is a note.
    """
    notes: list[str] = []
    groups = _read(lambda: ports.cluster.colocate_groups(tables), _GROUPS_UNKNOWN, tables, notes)
    existing = tables if groups is None else groups.keys()
    grants = _read(lambda: ports.cluster.grants_on(existing), _GRANTS_UNKNOWN, existing, notes)
    views = _read(ports.cluster.materialized_views, _VIEWS_UNKNOWN, tables, notes)
    return Dependents(
        groups=dict.fromkeys(tables, "") if groups is None else groups,
        grants=grants,
        views={view.name: view for view in views or ()},
        notes=tuple(notes),
    )


def hand_over(
    ports: Ports, seen: Dependents, restored: Mapping[TableRef, TableRef], sign: Sign = _no_sign
) -> tuple[str, ...]:
    """Give restored tables the grants and the colocate groups of those whose places they take.

    What they have already is left alone, so it may be called again.

    Args:
        ports: The outside.
        seen: What `before` saw.
        restored: From the name that `before` was asked for to the one that the restored table has now.
        sign: Says that the command is at work.

    Returns:
        Notes for people.
    """
    notes: list[str] = []
    taken_over = {old: new for old, new in restored.items() if old in seen.groups}
    repairs: list[Repair] = [*_regrants(ports, seen, taken_over, notes), *_regroups(ports, seen, taken_over)]
    return (*notes, *_notes_on(ports, repairs, _attempt(ports, repairs, sign)))


def after(
    ports: Ports,
    seen: Dependents,
    restored: Mapping[TableRef, TableRef],
    sign: Sign = _no_sign,
    *,
    handed_over: Collection[TableRef] = (),
    to_come: Collection[TableRef] = (),
) -> tuple[str, ...]:
    """Put back everything that hangs on restored tables, once they have their names.

    Materialized views that were active, or are inactive because of a table that they read, are made active again.
    Their rows are left as they are: a refresh reads whole tables, so people are told the statement.

    Args:
        ports: The outside.
        seen: What `before` saw.
        restored: From the name that `before` was asked for to the one that the restored table has now.
        sign: Says that the command is at work.
        handed_over: Those for which `hand_over` was done so long ago that people may have changed what they were given.
        to_come: Tables after which this is done again: of views that read them only what works by now is told.

    Returns:
        Notes for people: what was put back, what was not and why, what to run by hand.
    """
    new_ones = sorted(new for old, new in restored.items() if old not in seen.groups)
    newly_made = (_NEW.format(tables=_list(new_ones)),) if new_ones else ()
    left = {old: new for old, new in restored.items() if new not in handed_over}
    handed = hand_over(ports, seen, left, sign)
    active = reactivate(ports, {*restored, *restored.values()}, seen.views, to_come, sign)
    return (*seen.notes, *newly_made, *handed, *active)


def regroup(ports: Ports, groups: Mapping[TableRef, str], sign: Sign) -> tuple[str, ...]:
    """Put tables into colocate groups: those that they were in when they were backed up.

    Returns:
        Notes for people.
    """
    wanted: list[Repair] = [Colocate(table, group) for table, group in sorted(groups.items())]
    return tuple(_notes_on(ports, wanted, _attempt(ports, wanted, sign)))


# --- grants and groups ------------------------------------------------------------------------------------------------


def _regrants(
    ports: Ports, seen: Dependents, taken_over: Mapping[TableRef, TableRef], notes: list[str]
) -> list[GrantAgain]:
    given = {new: seen.grants[old] for old, new in taken_over.items() if seen.grants and seen.grants.get(old)}
    if not given:
        return []
    now = _read(lambda: ports.cluster.grants_on(given.keys()), _GRANTS_UNKNOWN, given, notes, ClusterError)
    if now is None:
        return []
    return [GrantAgain(new, grant) for new in sorted(given) for grant in lost_grants(given[new], now[new])]


def _regroups(ports: Ports, seen: Dependents, taken_over: Mapping[TableRef, TableRef]) -> list[Colocate]:
    """Where it is not known whether a table is back in its group, it is put there again: that changes nothing."""
    wanted = {new: seen.groups[old] for old, new in taken_over.items() if seen.groups[old]}
    try:
        now = ports.cluster.colocate_groups(wanted.keys())
    except ClusterError:
        now = {}
    return [Colocate(new, wanted[new]) for new in sorted(wanted) if now.get(new) != wanted[new]]


# --- materialized views -----------------------------------------------------------------------------------------------


def reactivate(
    ports: Ports,
    tables: Collection[TableRef],
    before: Mapping[TableRef, MaterializedView] | None = None,
    to_come: Collection[TableRef] = (),
    sign: Sign = _no_sign,
) -> tuple[str, ...]:
    """Make materialized views active again that are inactive because tables that they read had other names.

    Args:
        ports: The outside.
        tables: These, which have their names again; or what `after` was asked for.
        before: The views as they were before, by name; None: why they are inactive is all that is known.
        to_come: As for `after`.
        sign: As for `after`.

    Returns:
        Notes for people.
    """
    known = before or {}
    notes: list[str] = []
    views = _read(ports.cluster.materialized_views, _VIEWS_UNKNOWN, tables, notes, ClusterError) or ()
    affected = readers(tables, known.values(), views)
    inactive = sorted((one for one in views if one.name in affected and not one.active), key=lambda one: one.name)
    wanted = [Activate(one.name) for one in inactive if may_activate(one, known.get(one.name))]
    failed = _activate(ports, wanted, sign)
    later = readers(to_come, known.values(), views)
    told = [one for one in wanted if one not in failed or one.view not in later]
    left = [one for one in inactive if Activate(one.name) not in wanted and one.name not in later]
    return (*notes, *_notes_on(ports, told, failed), *(_left_alone(ports, one) for one in left))


def _activate(ports: Ports, wanted: list[Activate], sign: Sign) -> dict[Repair, str]:
    """Try for as long as one more works: one that reads another works only after it."""
    failed = _attempt(ports, wanted, sign)
    while failed and len(failed) < len(wanted):
        wanted = [one for one in wanted if one in failed]
        failed = _attempt(ports, wanted, sign)
    return failed


def _left_alone(ports: Ports, view: MaterializedView) -> str:
    return (
        f"materialized view {view.name} was inactive before and stays so ({_words(view.reason)})"
        f"{_by_hand(ports, Activate(view.name))}"
    )


# --- trying and telling -----------------------------------------------------------------------------------------------


def _read(
    look: Callable[[], _T],
    unknown: str,
    tables: Iterable[TableRef],
    notes: list[str],
    survived: type[ClusterError] = Refused,
) -> _T | None:
    """What a look shows; None and a note if the server does not show it."""
    try:
        return look()
    except (survived, Refused, AccessDenied) as error:
        notes.append(unknown.format(tables=_list(sorted(tables)), words=_words(str(error))))
        return None


def _attempt(ports: Ports, repairs: Iterable[Repair], sign: Sign) -> dict[Repair, str]:
    """Carry out what can be; what failed, with the reason. A cluster that is gone is not asked again and again."""
    failed: dict[Repair, str] = {}
    gone: Unreachable | None = None
    for repair in repairs:
        if gone is None:
            sign()
        error = gone or _try(ports, repair)
        if error is not None:
            failed[repair] = _words(str(error))
        gone = error if isinstance(error, Unreachable) else None
    return failed


def _try(ports: Ports, repair: Repair) -> ClusterError | InvalidName | None:
    try:
        ports.cluster.repair(repair)
    except (ClusterError, InvalidName) as error:
        return error
    return None


def _notes_on(ports: Ports, repairs: Collection[Repair], failed: Mapping[Repair, str]) -> list[str]:
    """One note for each failure, one for each table whose grants are back, one for each other thing that is done."""
    done = [repair for repair in repairs if repair not in failed]
    told = dict.fromkeys(_done(ports, repair, done) for repair in done)
    left = [repair for repair in repairs if repair in failed]
    return [*told, *(f"{_what(one)} failed ({failed[one]}){_by_hand(ports, one)}" for one in left)]


def _done(ports: Ports, repair: Repair, done: Collection[Repair]) -> str:
    match repair:
        case GrantAgain(table=table):
            given = [one.grant for one in done if isinstance(one, GrantAgain) and one.table == table]
            return f"{table}: granted again to {', '.join(dict.fromkeys(_who(grant) for grant in given))}"
        case Activate(view=view):
            told = _by_hand(ports, Refresh(view), "until it is refreshed it shows the rows that it had")
            return f"materialized view {view} is active again{told}"
        case _:
            return f"{_what(repair)}: done"


def _what(repair: Repair) -> str:
    match repair:
        case GrantAgain(table=table, grant=grant):
            return f"granting {', '.join(sorted(grant.privileges))} on {table} again to {_who(grant)}"
        case Colocate(table=table, group=group):
            return f"putting {table} back into colocate group {group!r}"
        case Activate(view=view) | Refresh(view=view):
            return f"making materialized view {view} active again"
        case _:
            assert_never(repair)


def _who(grant: Grant) -> str:
    return f"role {grant.grantee}" if grant.is_role else grant.grantee


def _by_hand(ports: Ports, repair: Repair, why: str = "") -> str:
    """The end of a note: the statement to run, where it can be written."""
    try:
        statement = ports.cluster.spell(repair)
    except InvalidName:
        return ""
    return f"; {f'{why}: ' if why else 'run '}{statement}"


def _list(tables: Iterable[TableRef]) -> str:
    return ", ".join(str(table) for table in tables)


def _words(text: str) -> str:
    """The server's words on one line, cut where they are long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
