"""How to take a restore back, or to its end, by the ids of the tables that bear its names now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from starrocks_br.domain.journal import Journal, StepStatus
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_steps import DropTable, Rename, SetAside, Step, Swap, names_after


@frozen(kw_only=True)
class WayBack:
    """What is to be done, and what to tell.

    Attributes:
        steps: In order; each acts on a table whose id was just seen to be the right one.
        detail: For people, once the steps are done.
        taken: Whether another table bears the target's name, so that the one from before cannot have it.
    """

    steps: tuple[Step, ...]
    detail: str
    taken: bool = False


def to_the_end(journal: Journal, found: Mapping[TableRef, int]) -> tuple[Step, ...] | None:
    """What is left of a restore whose table was verified and bears its name already; None if it is not so far.

    Args:
        journal: Of the restore.
        found: The ids of the tables that bear `journal.names` now.
    """
    if not journal.verified or journal.table_id is None or found.get(journal.target) != journal.table_id:
        return None
    names = dict(found)
    left: list[Step] = []
    for line in journal.steps:
        if line.status is StepStatus.DONE or journal.replaced is None:
            continue
        match line.step:
            case SetAside(table=table) if names.get(table) == journal.replaced:
                left.append(line.step)
                names = names_after(line.step, names)
            case DropTable(table=table) if names.get(table) == journal.replaced:
                left.append(line.step)
            case _:
                pass
    return tuple(left)


def way_back(journal: Journal, found: Mapping[TableRef, int]) -> WayBack:
    """How the table that lived before gets its name again, and what becomes of ours.

    What others may have seen or loaded is kept under the alias; what nobody could see is dropped.

    Args:
        journal: Of the restore.
        found: The ids of the tables that bear `journal.names` now.
    """
    scratch = [DropTable(table=name) for name in _scratches(journal, found)]
    old = _bearer(found, journal.replaced)
    ours = _bearer(found, journal.table_id)
    back: tuple[Step, ...] = ()
    if old is not None and old != journal.target:
        table_id = found[old]
        if journal.target not in found:
            back = (SetAside(table=old, to=journal.target.name, table_id=table_id),)
        elif ours == journal.target:
            back = (Swap(table=old, restored=journal.target.name, table_id=table_id),)
    taken = old is not None and old != journal.target and not back
    now = _after(back, found)
    hiding, kept = _hidden(journal, now, _bearer(now, journal.table_id), seen=ours != journal.alias)
    said = [_of_the_old(journal, old, taken=taken)]
    if ours is not None or not taken:
        said.append(_of_ours(journal, found, ours, kept))
    return WayBack(steps=(*scratch, *back, *hiding), detail="; ".join(filter(None, said)), taken=taken)


def once_closed(journal: Journal, found: Mapping[TableRef, int]) -> Mapping[TableRef, int]:
    """Which table bears which name once a restore that was killed is finished or taken back.

    Args:
        journal: Of the restore.
        found: The ids of the tables that bear `journal.names`, and others, now.
    """
    left = to_the_end(journal, found)
    return _after(way_back(journal, found).steps if left is None else left, found)


def _after(steps: Iterable[Step], names: Mapping[TableRef, int]) -> Mapping[TableRef, int]:
    for step in steps:
        names = names_after(step, names)
    return names


def _scratches(journal: Journal, found: Mapping[TableRef, int]) -> list[TableRef]:
    made = journal.made
    return sorted(name for name in made if name != journal.alias and found.get(name) == made[name])


def _bearer(found: Mapping[TableRef, int], table_id: int | None) -> TableRef | None:
    return next((name for name, bearer in sorted(found.items()) if bearer == table_id), None)


def _hidden(
    journal: Journal, now: Mapping[TableRef, int], ours: TableRef | None, *, seen: bool
) -> tuple[tuple[Step, ...], TableRef | None]:
    """Ours goes under the alias if others could see it, else for good; and the name it keeps, if it stays."""
    if ours is None:
        return (), None
    if ours != journal.alias and journal.alias not in now:
        return (Rename(table=ours, to=journal.alias.name),), journal.alias
    if seen or journal.shown:
        return (), ours
    return (DropTable(table=ours),), None


def _of_the_old(journal: Journal, old: TableRef | None, *, taken: bool) -> str:
    """What to tell of the table that lived before; empty if there was none."""
    target = journal.target
    if taken:
        return (
            f"{target} is another table now; the one that bore the name before is {old}: "
            f"ALTER TABLE {old} RENAME when the name is free"
        )
    if old is None:
        return (
            f"the table that {target} was before (id {journal.replaced}) bears no name that it knows: "
            "it was dropped, or somebody renamed it"
            if journal.replaced is not None
            else ""
        )
    if old == target and journal.overlaying:
        return (
            f"{target} is the table that it was before, but a RESTORE may have gone over it since somebody gave it the "
            "name again: look at its partitions before you use it"
        )
    return f"{target} is the table that it was before"


def _of_ours(journal: Journal, found: Mapping[TableRef, int], ours: TableRef | None, kept: TableRef | None) -> str:
    """What to tell of the table that the restore made."""
    if ours is not None:
        return (
            f"its unfinished table {ours} was dropped"
            if kept is None
            else f"what it made is {kept} now: DROP TABLE it when you need it no more"
        )
    if journal.alias in found and found[journal.alias] != journal.replaced:
        return f"whether {journal.alias} is its table cannot be shown, so it stays: DROP TABLE it when you know"
    if journal.overlaid and found.get(journal.target) not in {None, journal.replaced}:
        return (
            f"{journal.target} is no table that it knows; if the table was dropped while a RESTORE went over it, that "
            "made it anew, with a part of the rows: look at it before you use it"
        )
    return "it left nothing behind"
