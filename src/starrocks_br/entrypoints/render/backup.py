"""What a backup would do, and what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from starrocks_br.domain.backup_plan import BackupPlan, DatabaseBackup, Reason, TableBackup
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import DatabaseName, TableRef
from starrocks_br.domain.snapshot import Consistency, Outline
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.render.layout import NOTHING, duration, indented, number, size, some, table
from starrocks_br.services.reports import BackupReport, DatabaseOutcome, Inexact

PlannedDatabases = Mapping[DatabaseName, DatabaseBackup]
"""The last plan of each database in a run."""


def backup_plan(plan: BackupPlan) -> list[str]:
    """A dry run: what would be taken, and why."""
    rows = [_planned(choice) for database in plan.databases for choice in database.tables]
    lines = table(("TABLE", "TYPE", "PARTITIONS", "WHY"), rows, right={"PARTITIONS"}) if rows else []
    jobs = [database for database in plan.databases if not database.unchanged]
    return [
        *lines,
        *_left_out({str(name): reason for name, reason in plan.problems.items()}),
        f"{number(len(jobs), 'BACKUP job')} would be sent; this was a dry run: nothing was written or sent",
    ]


def _planned(choice: TableBackup) -> tuple[str, str, str, str]:
    captured = "all" if choice.partitions is None else str(len(choice.partitions))
    kind = NOTHING if choice.unchanged and not choice.dropped else str(choice.type)
    return str(choice.table), kind, captured, why(choice)


def why(choice: TableBackup) -> str:
    """The reasons of one table's backup in a few words, with the names of a few partitions."""
    if choice.partitions is None or not (choice.partitions or choice.dropped):
        return str(choice.reason)
    counts = Counter(choice.partitions.values())
    parts = [
        f"{counts[reason]} {reason} ({some([name for name, its in choice.partitions.items() if its is reason])})"
        for reason in (Reason.NEW, Reason.CHANGED)
        if counts[reason]
    ]
    if choice.dropped:
        parts.append(f"{len(choice.dropped)} dropped ({some(choice.dropped)})")
    return ", ".join(parts)


def backup_report(report: BackupReport, planned: PlannedDatabases) -> list[str]:
    """A run: per database what was captured and why, then the metadata snapshot, then what to do next.

    Args:
        report: What happened.
        planned: What was planned last for each database, as far as it was heard.
    """
    lines = [f"backup run {report.run}"]
    for outcome in report.databases:
        lines += _database(outcome, planned.get(outcome.database))
    return [*lines, *_metadata(report.metadata), *_left_out(report.problems), *_inexact(report), *_next(report)]


def _database(outcome: DatabaseOutcome, planned: DatabaseBackup | None) -> list[str]:
    reasons = {choice.table: why(choice) for choice in planned.tables} if planned else {}
    rows = [_captured(outline, reasons) for outline in outcome.tables]
    right = {"PARTITIONS", "SIZE"}
    lines = table(("TABLE", "TYPE", "PARTITIONS", "SIZE", "POINT", "WHY"), rows, right=right) if rows else []
    if outcome.error is not None:
        lines += str(outcome.error).splitlines()
    return [f"{outcome.database}: {_headline(outcome)}", *indented(lines)]


def _headline(outcome: DatabaseOutcome) -> str:
    words = [str(outcome.status), f"after {duration(outcome.seconds)}"]
    if outcome.attempts > 1:
        words.append(f"in {outcome.attempts} attempts")
    if outcome.label is not None:
        words.append(f"as snapshot {outcome.label}" if outcome.status is not Status.UNCHANGED else "without a job")
    return " ".join(words)


def _captured(outline: Outline, reasons: Mapping[TableRef, str]) -> tuple[str, ...]:
    at = outline.snapshot.snapshot_at
    point = NOTHING if at is None else show_instant(at)
    if at is not None and outline.consistency is not Consistency.EXACT:
        point += f" ({outline.consistency})"
    return (
        str(outline.table),
        NOTHING if outline.leaf and not outline.dropped else str(outline.type),
        str(outline.captured),
        size(outline.size),
        point,
        reasons.get(outline.table, ""),
    )


def _metadata(outcome: DatabaseOutcome | None) -> list[str]:
    if outcome is None:
        return ["history: nothing new to save in the repository"]
    if outcome.error is not None:
        return [f"history: NOT saved in the repository: {outcome.error}"]
    return [f"history: saved as snapshot {outcome.label}"]


def _left_out(problems: Mapping[str, str]) -> list[str]:
    if not problems:
        return []
    return ["left out:", *indented(f"{name}: {reason}" for name, reason in sorted(problems.items()))]


def _inexact(report: BackupReport) -> list[str]:
    if not report.inexact:
        return []
    return ["restored only with --allow-fuzzy:", *indented(f"{one.table}: {of_inexact(one)}" for one in report.inexact)]


def of_inexact(one: Inexact) -> str:
    """How well the new point of a table is known, and what `restore` takes instead."""
    if one.newest_exact is None:
        return f"its new point is {one.consistency}; it has no exact point"
    return f"its new point is {one.consistency}; its newest exact point is {show_instant(one.newest_exact)}"


def _next(report: BackupReport) -> list[str]:
    lines = ["next: starrocks-br list shows the points that tables can be restored to"]
    if report.metadata is not None and report.metadata.error is None:
        lines.append(f"      on a new, empty cluster: starrocks-br bootstrap --label {report.metadata.label}")
    return lines if report.succeeded else []
