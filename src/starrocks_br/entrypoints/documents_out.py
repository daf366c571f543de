"""The documents of `--json`: what each command found or did, shaped by hand so that scripts can rely on it.

Instants are texts as `show_instant` writes them, sizes are bytes, durations are seconds, states and reasons are the
names of their members, tables are `db.t`; what is not known is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from starrocks_br.domain.backup_plan import BackupPlan, DatabaseBackup, TableBackup
from starrocks_br.domain.events import Settled
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.snapshot import Damage, Entry, Outline, Snapshot
from starrocks_br.entrypoints.exit_codes import exit_code_of
from starrocks_br.entrypoints.failures import Failure, known_failure
from starrocks_br.entrypoints.render.backup import PlannedDatabases
from starrocks_br.services.reports import (
    BackupReport,
    BootstrapPlan,
    BootstrapReport,
    DatabaseOutcome,
    HistoryReport,
    Inexact,
    InitReport,
    RestoresReport,
    SnapshotReport,
)

Document: TypeAlias = dict[str, Any]

FORMAT: Final = 1


def envelope(
    command: str | None,
    exit_code: int,
    *,
    failure: Failure | None = None,
    warnings: Sequence[str] = (),
    result: Document | None = None,
) -> str:
    """The one document that a command writes on stdout, as text."""
    return json.dumps(
        {
            "format": FORMAT,
            "command": command,
            "exit_code": int(exit_code),
            "error": None if failure is None else error(failure),
            "warnings": list(warnings),
            "result": result,
        },
        ensure_ascii=False,
        indent=2,
    )


def error(failure: Failure) -> Document:
    """An error: its kind, its three texts, and the fields of its own."""
    own = {name: _plain(value) for name, value in failure.details.items()}
    return {"kind": failure.kind, "what": failure.what, "why": failure.why, "hint": failure.hint, **own}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return show_instant(value)
        case tuple():
            return [_plain(item) for item in value]
        case bool() | int() | None:
            return value
        case _:
            return str(value)


def init_report(report: InitReport) -> Document:
    """What `init` did."""
    return {"database": report.ops, "created": report.created, "replication_num": report.replication_num}


def backup_plan(plan: BackupPlan) -> Document:
    """What `backup --dry-run` would do."""
    return {
        "dry_run": True,
        "databases": [_database_plan(database) for database in plan.databases],
        "problems": {str(table): reason for table, reason in plan.problems.items()},
    }


def _database_plan(database: DatabaseBackup) -> Document:
    return {
        "database": database.database,
        "job": not database.unchanged,
        "tables": [_table_plan(table) for table in database.tables],
    }


def _table_plan(table: TableBackup) -> Document:
    captured = table.partitions
    return {
        "table": str(table.table),
        "type": table.type.name,
        "reason": table.reason.name,
        "baseline": table.baseline,
        "partitions": None if captured is None else {name: reason.name for name, reason in captured.items()},
        "dropped": sorted(table.dropped),
    }


def backup_report(report: BackupReport, planned: PlannedDatabases) -> Document:
    """How `backup` ended; `planned` is the last plan of each database, as far as it was heard."""
    return {
        "dry_run": False,
        "run": report.run,
        "databases": [_outcome(outcome, planned.get(outcome.database)) for outcome in report.databases],
        "metadata": None if report.metadata is None else _outcome(report.metadata, None),
        "problems": dict(report.problems),
        "inexact": [_inexact(one) for one in report.inexact],
        "settled": [_settled(one) for one in report.settled],
    }


def _outcome(outcome: DatabaseOutcome, planned: DatabaseBackup | None) -> Document:
    plans = {table.table: _table_plan(table) for table in planned.tables} if planned else {}
    failed = outcome.error
    return {
        "database": outcome.database,
        "label": outcome.label,
        "status": outcome.status.name,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "error": None if failed is None else error(known_failure(failed, exit_code_of(failed))),
        "tables": [{**_outline(outline), "plan": plans.get(outline.table)} for outline in outcome.tables],
    }


def _inexact(one: Inexact) -> Document:
    return {
        "table": str(one.table),
        "consistency": one.consistency.name,
        "newest_exact": _instant(one.newest_exact),
    }


def _settled(one: Settled) -> Document:
    return {"subject": one.subject, "outcome": one.outcome.name if one.outcome else None, "detail": one.detail}


def _outline(outline: Outline) -> Document:
    return {
        "table": str(outline.table),
        "label": outline.label,
        "cluster": outline.snapshot.cluster,
        "type": outline.type.name,
        "status": outline.snapshot.status.name,
        "consistency": outline.consistency.name,
        "point": _instant(outline.snapshot.point),
        "not_before": _instant(outline.snapshot.not_before),
        "baseline": outline.baseline,
        "partitions": outline.captured,
        "dropped": outline.dropped,
        "size": outline.size,
    }


def history(report: HistoryReport) -> Document:
    """What `list` shows, newest first."""
    rows = [
        {**_outline(outline), "restorable": (outline.label, outline.table) in report.points}
        for outline in report.outlines
    ]
    return {"entries": rows, "more": report.more}


def restores(report: RestoresReport) -> Document:
    """What `list --restores` shows, newest first."""
    rows = [
        {
            "restore": one.restore,
            "table": str(one.table),
            "began_at": show_instant(one.began_at),
            "state": one.state.name,
            "replaced": one.replaced,
        }
        for one in report.restores
    ]
    return {"restores": rows, "more": report.more, "damages": list(report.damages)}


def snapshot(report: SnapshotReport) -> Document:
    """What `show` shows."""
    return {
        **_snapshot(report.snapshot),
        "problem_in_repository": report.remote or None,
        "tables": [_entry(entry, report.chains.get(entry.table, ())) for entry in report.entries],
        "damages": damages(report.damages),
    }


def _snapshot(found: Snapshot) -> Document:
    return {
        "label": found.label,
        "run": found.run,
        "cluster": found.cluster,
        "repository": found.repository,
        "database": found.database,
        "status": found.status.name,
        "created_at": _instant(found.created_at),
        "submitted_at": _instant(found.submitted_at),
        "not_before": _instant(found.not_before),
        "point": _instant(found.point),
        "finished_at": _instant(found.finished_at),
        "backup_timestamp": found.backup_timestamp,
        "error_code": found.error_code or None,
        "error": found.error or None,
    }


def _entry(entry: Entry, chain: Sequence[str]) -> Document:
    return {
        "table": str(entry.table),
        "type": entry.type.name,
        "consistency": entry.consistency.name,
        "baseline": entry.baseline,
        "chain": list(chain),
        "partitions": {
            name: {"rows": part.partition.rows, "size": part.partition.size} for name, part in entry.captured.items()
        },
        "dropped": sorted(entry.dropped),
    }


def damages(found: Sequence[Damage]) -> list[Document]:
    """Recorded rows that cannot be trusted."""
    return [{"label": damage.label, "table": damage.table, "problem": damage.problem} for damage in found]


def bootstrap_plan(plan: BootstrapPlan) -> Document:
    """Which metadata snapshot `bootstrap` would take."""
    return {"dry_run": True, **_taken(plan)}


def _taken(plan: BootstrapPlan) -> Document:
    return {
        "label": plan.label,
        "cluster": plan.cluster,
        "taken_at": show_instant(plan.taken_at),
        "repository": plan.repository,
        "backup_timestamp": plan.backup_timestamp,
        "others": plan.others,
    }


def bootstrap_report(report: BootstrapReport) -> Document:
    """What `bootstrap` brought back."""
    points: Mapping[str, int] = {str(table): count for table, count in sorted(report.points.items())}
    return {
        "dry_run": False,
        **_taken(report.plan),
        "rows": report.rows,
        "points": points,
        "damages": damages(report.damages),
        "settled": [_settled(one) for one in report.settled],
    }


def _instant(value: datetime | None) -> str | None:
    return None if value is None else show_instant(value)
