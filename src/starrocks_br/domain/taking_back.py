"""How to take a restore back, or to its end, by the ids of the tables that bear its names now."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from starrocks_br.domain.journal import Journal, StepStatus
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_steps import DropTable, Rename, SetAside, Step, Swap


@frozen(kw_only=True)
class WayBack:
    """What is to be done, and what to tell.

    Attributes:
        steps: In order; each acts on a table whose id was just seen to be the right one.
        detail: For people, once the steps are done.
    """

    steps: tuple[Step, ...]
    detail: str


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
            case SetAside(table=table, to=name) if names.get(table) == journal.replaced:
                left.append(line.step)
                names[TableRef(table.database, name)] = names.pop(table)
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
    if old is None or old == journal.target:
        steps, hidden = _hidden(journal, found, ours)
        return WayBack(steps=(*scratch, *steps), detail=_told(journal, old, ours, hidden, taken=journal.alias in found))
    if journal.target not in found:
        steps, hidden = _hidden(journal, found, ours)
        again = SetAside(table=old, to=journal.target.name, table_id=found[old])
        return WayBack(
            steps=(*scratch, again, *steps),
            detail=_told(journal, journal.target, ours, hidden, taken=journal.alias in found),
        )
    if ours == journal.target:
        swapped = {**found, journal.target: found[old], old: found[journal.target]}
        steps, hidden = _hidden(journal, swapped, old)
        again_swapped = Swap(table=old, restored=journal.target.name, table_id=found[old])
        return WayBack(
            steps=(*scratch, again_swapped, *steps),
            detail=_told(journal, journal.target, ours, hidden, taken=journal.alias in found),
        )
    return WayBack(
        steps=tuple(scratch),
        detail=f"{journal.target} is another table now; the one that bore the name before is {old}: "
        f"ALTER TABLE {old} RENAME when the name is free",
    )


def _scratches(journal: Journal, found: Mapping[TableRef, int]) -> list[TableRef]:
    made = journal.made
    return sorted(name for name in made if name != journal.alias and found.get(name) == made[name])


def _bearer(found: Mapping[TableRef, int], table_id: int | None) -> TableRef | None:
    return next((name for name, bearer in sorted(found.items()) if bearer == table_id), None)


def _hidden(
    journal: Journal, found: Mapping[TableRef, int], ours: TableRef | None
) -> tuple[tuple[Step, ...], TableRef | None]:
    """Ours goes under the alias if others could see it, else for good; and the name it keeps, if it stays."""
    if ours is None:
        return (), None
    if ours != journal.alias and journal.alias not in found:
        return (Rename(table=ours, to=journal.alias.name),), journal.alias
    if not journal.exposed:
        return (DropTable(table=ours),), None
    return (), ours


def _told(
    journal: Journal, old: TableRef | None, ours: TableRef | None, hidden: TableRef | None, *, taken: bool
) -> str:
    said = []
    if journal.table_id is None and journal.creating_sent and taken:
        said.append(f"whether {journal.alias} is its table cannot be shown, so it stays: DROP TABLE it when you know")
        return "; ".join(said)
    if journal.replaced is not None and old is not None:
        said.append(f"{old} is the table that it was before")
    if ours is None:
        said.append("it left nothing behind")
    elif hidden is None:
        said.append(f"its unfinished table {ours} was dropped")
    else:
        said.append(f"what it made is {hidden} now: DROP TABLE it when you need it no more")
    return "; ".join(said)
