"""Back to the table that a restore replaced."""

from __future__ import annotations

from collections.abc import Mapping

from starrocks_br.domain.errors import UnknownRestore
from starrocks_br.domain.events import Warned
from starrocks_br.domain.journal import Journal, Mark, StepStatus
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.taking_back import way_back
from starrocks_br.services import dependents
from starrocks_br.services.journals import close_journal, closing, give_back, take_back, what_bears_its_names
from starrocks_br.services.liveness import dead_journal
from starrocks_br.services.preflight import ready
from starrocks_br.services.reports import UndoReport
from starrocks_br.services.requests import Place


def undo(ports: Ports, place: Place, restore: RestoreId) -> UndoReport:
    """Give the table that a restore replaced its name again; what was restored is kept under its alias.

    Raises:
        UnknownRestore: Nothing is written of it, or there is nothing to go back to.
        Busy: It may still be at work, or another restore of its table is.
    """
    report = _undone(ports, place, restore)
    for note in dependents.reactivate(ports, [report.table]):
        ports.listener(Warned(message=note))
    return report


def _undone(ports: Ports, place: Place, restore: RestoreId) -> UndoReport:
    journal = dead_journal(ports, ready(ports, place), restore)
    if not journal.closed:
        # What replaced a table goes back even if it was complete: that it is finished is not what was asked for.
        # Unless that table is gone: then there is nothing to go back to, and the name must not be lost, too.
        there = journal.replaced in ports.cluster.table_ids(journal.names).values()
        close = give_back if there else close_journal
        return UndoReport(restore=restore, table=journal.target, detail=close(ports, journal).detail)
    found = what_bears_its_names(ports, journal)
    _check_undoable(journal, found)
    back = way_back(journal, found)
    if back.taken:
        raise UnknownRestore(
            f"restore {restore} cannot be undone", why=back.detail, hint="undo the newer restore first, if it was one"
        )
    ports.listener(Warned(message=f"undoing restore {restore}; then {back.detail}", table=journal.target))
    with closing(ports, journal, undoing=True):
        detail = f"the restore of {journal.target} was undone; {take_back(ports, journal)}"
    last = len(journal.steps) - 1
    ports.restores.mark([Mark(restore=restore, number=last, status=StepStatus.UNDONE, detail=detail)])
    return UndoReport(restore=restore, table=journal.target, detail=detail)


def _check_undoable(journal: Journal, found: Mapping[TableRef, int]) -> None:
    if journal.replaced is None:
        raise UnknownRestore(
            f"restore {journal.restore} cannot be undone",
            why=f"it replaced no table: {journal.target} did not exist before",
            hint=f"DROP TABLE {journal.target} when you are sure",
        )
    if journal.replaced not in found.values():
        raise UnknownRestore(
            f"restore {journal.restore} cannot be undone",
            why=f"the table that {journal.target} was before is gone",
            hint=f"starrocks-br list --table {journal.target} shows the points that it can be restored to",
        )
