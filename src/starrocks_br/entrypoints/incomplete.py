"""A backup that is not complete: what is missing, and with which exit code that ends."""

from __future__ import annotations

from collections.abc import Mapping

from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.names import DatabaseName
from starrocks_br.entrypoints.exit_codes import ExitCode, common_exit_code
from starrocks_br.entrypoints.failures import Failure
from starrocks_br.entrypoints.render.layout import number
from starrocks_br.services.reports import BackupReport

_KIND = "Incomplete"
_HINT = "mend the cause and run starrocks-br backup again; what is FINISHED can be restored"


def of_plan(plan: BackupPlan) -> Failure | None:
    """What a run of this plan could not do; None if it could do all of it."""
    if not plan.problems:
        return None
    return _failure(
        [f"{table}: {reason}" for table, reason in sorted(plan.problems.items())],
        [number(len(plan.problems), "table") + " left out"],
        ExitCode.PARTIAL if plan.databases else ExitCode.FAILED,
        "",
    )


def of_report(report: BackupReport) -> Failure | None:
    """What a run did not do; None if it did all.

    Where nothing was saved at all, the exit code is the one that all causes share.
    """
    if report.complete:
        return None
    failed = {outcome.database: outcome.error for outcome in report.databases if outcome.error is not None}
    counts = []
    if failed:
        counts.append(f"{len(failed)} of {number(len(report.databases), 'database')} failed")
    if report.problems:
        counts.append(number(len(report.problems), "table") + " left out")
    lines = [*_lines(failed), *(f"{name}: {reason}" for name, reason in sorted(report.problems.items()))]
    if report.metadata is not None and report.metadata.error is not None:
        counts.append("the history was not saved in the repository")
        lines.append(f"{report.metadata.database}: {report.metadata.error}")
    hints = {error.hint for error in report.failures}
    return _failure(
        lines,
        counts,
        ExitCode.PARTIAL if report.succeeded else common_exit_code(report.failures),
        hints.pop() if len(hints) == 1 else "",
    )


def _lines(failed: Mapping[DatabaseName, StarRocksBrError]) -> list[str]:
    return [f"{database}: {line}" for database, error in failed.items() for line in str(error).splitlines()]


def _failure(lines: list[str], counts: list[str], code: ExitCode, hint: str) -> Failure:
    return Failure(
        kind=_KIND,
        what=f"the backup is not complete: {', '.join(counts)}",
        why="\n".join(lines),
        hint=hint or _HINT,
        exit_code=code,
    )
