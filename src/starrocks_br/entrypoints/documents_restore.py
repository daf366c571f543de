"""The documents of `restore --json`; see `documents_out` for how values are written."""

from __future__ import annotations

from collections.abc import Mapping

from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import RestorePartitions, Step
from starrocks_br.entrypoints.documents_out import Document, error
from starrocks_br.entrypoints.exit_codes import exit_code_of
from starrocks_br.entrypoints.failures import known_failure
from starrocks_br.entrypoints.render.restore import step_text, total_size
from starrocks_br.services.reports import BatchReport, RestoreReport, UndoReport


def restore_plan(plan: RestorePlan) -> Document:
    """What the restore of one table would do."""
    return {"dry_run": True, **_plan(plan)}


def batch_plan(batch: RestoreBatch) -> Document:
    """What the restore of several tables would do."""
    return {
        "dry_run": True,
        "tables": [_plan(plan) for plan in batch.plans],
        "statements": [
            {"label": job[0].label, "tables": [f"{one.into.database}.{one.source}" for one in job]}
            for job in batch.statements
        ],
        "seconds": _seconds(batch.seconds),
        "failures": _failures(batch.problems),
        "notes": list(batch.notes),
    }


def _plan(plan: RestorePlan) -> Document:
    asked, later = plan.asked, plan.next_point
    return {
        "restore": plan.restore,
        "source": str(plan.manifest.table),
        "table": str(plan.target.table),
        "cluster": plan.manifest.cluster,
        "repository": plan.repository,
        "label": plan.point,
        "asked": None if asked is None else show_instant(asked),
        "point": show_instant(plan.manifest.at),
        "gap": None if asked is None else int((asked - plan.manifest.at).total_seconds()),
        "next_point": None if later is None else show_instant(later),
        "partitions": len(plan.manifest.held),
        "jobs": len(plan.jobs),
        "size": total_size(plan),
        "seconds": _seconds(plan.seconds),
        "way": plan.way.name,
        "why": plan.why,
        "replaces": plan.replaces is not None,
        "aside": None if plan.aside is None else str(plan.aside),
        "jobs_away": len(plan.away),
        "seconds_away": _seconds(plan.seconds_away),
        "steps": [_step(plan, step) for step in plan.steps],
        "risks": list(plan.risks),
        "notes": list(plan.notes),
    }


def _step(plan: RestorePlan, step: Step) -> Document:
    told = {"kind": type(step).__name__, "text": step_text(step)}
    if not isinstance(step, RestorePartitions):
        return told
    return {
        **told,
        "label": step.label,
        "partitions": None if step.partitions is None else list(step.partitions),
        "size": step.size,
        "seconds": None if plan.pace is None else _seconds(plan.pace.seconds(step.size)),
    }


def restore_report(report: RestoreReport) -> Document:
    """What the restore of one table did."""
    return {"dry_run": False, **_report(report)}


def batch_report(report: BatchReport) -> Document:
    """What the restore of several tables did."""
    return {
        "dry_run": False,
        "tables": [_report(one) for one in report.restored],
        "failures": _failures(report.failures),
        "seconds": _seconds(report.seconds),
        "notes": list(report.notes),
    }


def _report(report: RestoreReport) -> Document:
    return {
        "restore": report.restore,
        "source": str(report.source),
        "table": str(report.table),
        "label": report.label,
        "point": show_instant(report.point),
        "jobs": report.jobs,
        "partitions": report.partitions,
        "rows": report.rows,
        "size": report.size,
        "seconds": _seconds(report.seconds),
        "aside": None if report.aside is None else str(report.aside),
        "notes": list(report.notes),
    }


def undo_report(report: UndoReport) -> Document:
    """What undoing a restore did."""
    return {"restore": report.restore, "table": str(report.table), "detail": report.detail}


def _failures(failures: Mapping[TableRef, StarRocksBrError]) -> list[Document]:
    return [
        {"table": str(name), **error(known_failure(failed, exit_code_of(failed)))}
        for name, failed in sorted(failures.items())
    ]


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
