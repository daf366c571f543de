"""What restores did."""

from __future__ import annotations

from collections.abc import Iterator

from starrocks_br.domain.instants import show_instant
from starrocks_br.entrypoints.render.layout import duration, indented, number, size
from starrocks_br.entrypoints.render.restore_batch import shared
from starrocks_br.services.reports import BatchReport, RestoreReport, UndoReport


def restore_report(report: RestoreReport) -> list[str]:
    """What is there now, and the way back."""
    facts = [f"snapshot {report.label}", *_facts(report), number(report.jobs, "job"), duration(report.seconds)]
    return [
        _headline(report),
        f"  {', '.join(facts)}",
        *indented(_way_back(report)),
        *(f"  note: {note}" for note in report.notes),
    ]


def batch_report(report: BatchReport) -> list[str]:
    """What is there now of several tables."""
    lines = [f"{number(len(report.restored), 'table')} restored in {duration(report.seconds)}"]
    for one in report.restored:
        lines.append(f"  {_headline(one)} ({', '.join(_facts(one))})")
        lines += indented(_way_back(one), "    ")
    notes = shared({one.table: one.notes for one in report.restored})
    return [*lines, *(f"  note: {note}" for note in (*notes, *report.notes))]


def undo_report(report: UndoReport) -> list[str]:
    """What was found and done."""
    return [f"restore {report.restore}: {report.detail}"]


def _headline(report: RestoreReport) -> str:
    point = show_instant(report.point)
    if report.table != report.source:
        return f"{report.table} holds {report.source} as it was at {point}"
    return f"{report.table} is as it was at {point}"


def _facts(report: RestoreReport) -> tuple[str, ...]:
    rows = "rows not counted" if report.rows is None else number(report.rows, "row")
    return number(report.partitions, "partition"), rows, size(report.size)


def _way_back(report: RestoreReport) -> Iterator[str]:
    if report.aside is not None:
        yield f"the table that it was before is {report.aside} now: DROP TABLE it when you need it no more"
        yield f"undo: starrocks-br restore --undo {report.restore}"
