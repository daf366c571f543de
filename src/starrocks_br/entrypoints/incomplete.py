"""What was asked for and is not complete: what is missing, and with which exit code that ends."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.names import DatabaseName, TableRef
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.entrypoints.exit_codes import ExitCode, common_exit_code
from starrocks_br.entrypoints.failures import Failure
from starrocks_br.entrypoints.render.backup import of_inexact
from starrocks_br.entrypoints.render.layout import number
from starrocks_br.entrypoints.render.restore_batch import reason
from starrocks_br.services.reports import BackupReport, BatchReport

_KIND = "Incomplete"
_HINT = "mend the cause and run starrocks-br backup again; what is FINISHED can be restored"
_INEXACT_HINT = "run starrocks-br backup again when fewer loads run"
_MOST = 20


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
    if report.inexact:
        counts.append(number(len(report.inexact), "table") + " only restored with --allow-fuzzy")
    lines = [
        *_lines(failed),
        *(f"{name}: {reason}" for name, reason in sorted(report.problems.items())),
        *(f"{one.table}: {of_inexact(one)}" for one in report.inexact),
    ]
    if report.metadata is not None and report.metadata.error is not None:
        counts.append("the history was not saved in the repository")
        lines.append(f"{report.metadata.database}: {report.metadata.error}")
    hints = {error.hint for error in report.failures}
    if report.inexact and not failed and not report.problems:
        hints.add(_INEXACT_HINT)
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


def of_batch(batch: RestoreBatch) -> Failure | None:
    """What a restore of these tables cannot do; None if it can do all of it."""
    return _of_tables(batch.problems, len(batch.plans), "cannot be restored")


def of_restores(report: BatchReport) -> Failure | None:
    """What a restore of several tables did not do; None if it did all.

    Where no table came back at all, the exit code is the one that all causes share.
    """
    return _of_tables(report.failures, len(report.restored), "not restored")


def _of_tables(failures: Mapping[TableRef, StarRocksBrError], well: int, what: str) -> Failure | None:
    if not failures:
        return None
    common = _common_hint(failures)
    lines = [line for name in islice(sorted(failures), _MOST) for line in _of_table(name, failures[name], common)]
    if len(failures) > _MOST:
        lines.append(f"and {len(failures) - _MOST:,} more: --json names them all")
    return Failure(
        kind=_KIND,
        what=f"{len(failures)} of {number(well + len(failures), 'table')} {what}",
        why="\n".join(lines),
        hint=common or "mend the causes and run the command again with these tables only",
        exit_code=ExitCode.PARTIAL if well else common_exit_code(failures.values()),
    )


def _common_hint(failures: Mapping[TableRef, StarRocksBrError]) -> str | None:
    """What helps all of them alike; None if it differs by more than the table's name."""
    if len(failures) == 1:
        return next(error.hint for error in failures.values())
    hints = {error.hint.replace(str(name), "DB.TABLE") for name, error in failures.items()}
    return hints.pop() if len(hints) == 1 else None


def _of_table(name: TableRef, error: StarRocksBrError, common: str | None) -> list[str]:
    """One table's reason, and what to do about it unless that is the same for all."""
    lines = reason(name, error).splitlines()
    return [*lines, f"  next: {error.hint}"] if error.hint and common is None else lines
