"""When a backup or a restore is not complete, and how that ends."""

from __future__ import annotations

from collections.abc import Mapping

from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.errors import AccessDenied, Busy, StarRocksBrError, TargetExists
from starrocks_br.domain.names import TableRef, database_name, table_name
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.exit_codes import ExitCode
from starrocks_br.entrypoints.failures import Failure
from starrocks_br.entrypoints.incomplete import of_batch, of_plan, of_report, of_restores
from starrocks_br.services.reports import BackupReport, BatchReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import EVENTS, ORDERS

BUSY = Busy("db1 is busy", why="job x\nruns", hint="wait for it")


def test_a_complete_run_is_no_failure() -> None:
    assert of_report(values.backup_report()) is None
    assert of_plan(values.backup_plan()) is None


def test_a_plan_with_tables_left_out_ends_as_the_run_would() -> None:
    some = _certain(of_plan(values.backup_plan({ORDERS: "no such table"})))
    assert (some.exit_code, some.why) == (ExitCode.PARTIAL, "db1.orders: no such table")
    assert some.what == "the backup is not complete: 1 table left out"
    assert _certain(of_plan(BackupPlan(databases=(), problems={ORDERS: "gone"}))).exit_code is ExitCode.FAILED


def test_some_databases_ended_well_others_not() -> None:
    failed = values.outcome(database=database_name("db2"), status=Status.FAILED, error=BUSY)
    found = _certain(
        of_report(values.backup_report(databases=(values.outcome(), failed), problems={"db9.t": "no such table"}))
    )
    assert found.exit_code is ExitCode.PARTIAL
    assert found.what == "the backup is not complete: 1 of 2 databases failed, 1 table left out"
    assert found.why.splitlines() == ["db2: db1 is busy: job x", "db2: runs", "db9.t: no such table"]
    assert found.hint == "wait for it"


def test_all_failed_for_one_cause_ends_with_its_exit_code() -> None:
    failed = values.outcome(status=Status.FAILED, error=BUSY)
    assert _certain(of_report(values.backup_report(databases=(failed,), metadata=None))).exit_code is ExitCode.BUSY


def test_all_failed_for_different_causes_ends_with_1_and_general_advice() -> None:
    report = values.backup_report(
        databases=(values.outcome(error=BUSY),), metadata=values.metadata(error=AccessDenied("no", hint="GRANT"))
    )
    found = _certain(of_report(report))
    assert found.exit_code is ExitCode.FAILED
    assert "run starrocks-br backup again" in found.hint
    assert found.what.endswith("1 of 1 database failed, the history was not saved in the repository")
    assert found.why.splitlines()[-1] == "ops: no"


def test_nothing_but_left_out_tables_is_a_failure() -> None:
    report = BackupReport(run=values.RUN, databases=(), problems={"db9.*": "matches no table"})
    assert _certain(of_report(report)).exit_code is ExitCode.FAILED


def test_a_run_whose_points_are_inexact_is_not_complete() -> None:
    found = _certain(of_report(values.backup_report(inexact=(values.inexact(),))))
    assert found.exit_code is ExitCode.PARTIAL
    assert found.what == "the backup is not complete: 1 table only restored with --allow-fuzzy"
    assert found.why.startswith("db1.orders: its new point is FUZZY; its newest exact point is 2025-10-06 12:00")
    assert "when fewer loads run" in found.hint
    both = _certain(of_report(values.backup_report(inexact=(values.inexact(),), problems={"db9.t": "no such table"})))
    assert "mend the cause" in both.hint


def restored(failures: Mapping[TableRef, StarRocksBrError], well: int = 1) -> BatchReport:
    return BatchReport(restored=(values.restore_report(),) * well, failures=failures, seconds=1)


def test_a_restore_of_all_tables_is_no_failure() -> None:
    assert of_restores(restored({})) is None
    assert of_batch(RestoreBatch(plans=())) is None


def test_some_tables_came_back_others_not() -> None:
    found = _certain(of_restores(restored({EVENTS: BUSY, ORDERS: TargetExists("db1.orders exists", hint="away")})))
    assert (found.exit_code, found.what) == (ExitCode.PARTIAL, "2 of 3 tables not restored")
    assert found.why.splitlines() == [
        "db1.events: db1 is busy: job x",
        "runs",
        "  next: wait for it",
        "db1.orders exists",
        "  next: away",
    ]
    assert "with these tables only" in found.hint


def test_what_to_do_is_said_once_if_it_differs_by_the_name_only() -> None:
    failures = {name: TargetExists(f"{name} exists", hint=f"rename {name}") for name in (ORDERS, EVENTS)}
    found = _certain(of_restores(restored(failures, well=0)))
    assert (found.exit_code, found.hint) == (ExitCode.USAGE, "rename DB.TABLE")
    assert found.why.splitlines() == ["db1.events exists", "db1.orders exists"]
    alone = _certain(of_restores(restored({ORDERS: failures[ORDERS]})))
    assert (alone.what, alone.hint) == ("1 of 2 tables not restored", "rename db1.orders")


def test_no_table_came_back_for_different_reasons() -> None:
    found = _certain(of_restores(restored({EVENTS: BUSY, ORDERS: TargetExists("db1.orders exists")}, well=0)))
    assert found.exit_code is ExitCode.FAILED


def test_a_plan_ends_as_the_restore_would() -> None:
    found = _certain(of_batch(RestoreBatch(plans=(values.restore_plan(),), problems={EVENTS: BUSY})))
    assert (found.exit_code, found.what) == (ExitCode.PARTIAL, "1 of 2 tables cannot be restored")
    assert _certain(of_batch(RestoreBatch(plans=(), problems={EVENTS: BUSY}))).exit_code is ExitCode.BUSY


def test_hundreds_of_reasons_are_cut() -> None:
    failures = {TableRef(ORDERS.database, table_name(f"t{number:02}")): Busy("no") for number in range(25)}
    lines = _certain(of_restores(restored(failures))).why.splitlines()
    assert lines[-2:] == ["db1.t19: no", "and 5 more: --json names them all"]


def _certain(found: Failure | None) -> Failure:
    assert found is not None
    return found
