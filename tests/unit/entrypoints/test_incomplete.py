"""When a backup is not complete, and how that ends."""

from __future__ import annotations

from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.errors import AccessDenied, Busy
from starrocks_br.domain.names import database_name
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.exit_codes import ExitCode
from starrocks_br.entrypoints.failures import Failure
from starrocks_br.entrypoints.incomplete import of_plan, of_report
from starrocks_br.services.reports import BackupReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import ORDERS

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


def _certain(found: Failure | None) -> Failure:
    assert found is not None
    return found
