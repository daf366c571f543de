"""What people read of a backup, before and after."""

from __future__ import annotations

from starrocks_br.domain.backup_plan import BackupPlan, Reason, TableBackup
from starrocks_br.domain.errors import Busy
from starrocks_br.domain.names import partition_name
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.render.backup import backup_plan, backup_report, why
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import DB1, EVENTS, FULL_LABEL, META_LABEL, NEXT_LABEL, ORDERS


def test_a_plan_says_per_table_what_is_taken_and_why_and_that_nothing_was_written() -> None:
    assert backup_plan(values.backup_plan({ORDERS: "it has temporary partitions (tp)"})) == [
        "TABLE       TYPE         PARTITIONS  WHY",
        "db1.events  FULL                all  no earlier backup",
        "db1.orders  INCREMENTAL           3  1 new (p9), 2 changed (p1, p2), 1 dropped (p0)",
        "db1.shrunk  INCREMENTAL           0  1 dropped (p0)",
        "db1.still   -                     0  nothing differs",
        "left out:",
        "  db1.orders: it has temporary partitions (tp)",
        "1 BACKUP job would be sent; this was a dry run: nothing was written or sent",
    ]


def test_an_empty_plan_is_one_line() -> None:
    assert backup_plan(BackupPlan(databases=())) == [
        "0 BACKUP jobs would be sent; this was a dry run: nothing was written or sent"
    ]


def test_only_the_reasons_that_occur_are_named() -> None:
    choice = TableBackup(
        table=ORDERS,
        type=BackupType.INCREMENTAL,
        reason=Reason.INCREMENTAL,
        partitions={partition_name("p1"): Reason.CHANGED},
    )
    assert why(choice) == "1 changed (p1)"


def test_a_run_tells_what_was_captured_and_why_and_which_label_bootstrap_needs() -> None:
    tables = (
        values.outline(EVENTS),
        values.outline(
            of=values.snapshot(NEXT_LABEL), kind=BackupType.INCREMENTAL, consistency=Consistency.FUZZY, dropped=1
        ),
    )
    report = values.backup_report(databases=(values.outcome(tables=tables, attempts=2),))
    changed = "1 new (p9), 2 changed (p1, p2), 1 dropped (p0)"
    assert backup_report(report, {DB1: values.planned()}) == [
        "backup run run1",
        f"db1: FINISHED after 41 s in 2 attempts as snapshot {FULL_LABEL}",
        "  TABLE       TYPE         PARTITIONS     SIZE  POINT                              WHY",
        "  db1.events  FULL                  3  2.0 KiB  2025-10-06 12:00:00+00:00          no earlier backup",
        f"  db1.orders  INCREMENTAL           3  2.0 KiB  2025-10-06 12:00:00+00:00 (FUZZY)  {changed}",
        f"history: saved as snapshot {META_LABEL}",
        "next: starrocks-br list shows the points that tables can be restored to",
        f"      on a new, empty cluster: starrocks-br bootstrap --label {META_LABEL}",
    ]


def test_an_unchanged_database_has_a_point_without_a_job() -> None:
    leaf = values.outline(kind=BackupType.INCREMENTAL, captured=0)
    report = values.backup_report(databases=(values.outcome(status=Status.UNCHANGED, tables=(leaf,)),), metadata=None)
    lines = backup_report(report, {})
    assert lines[1] == "db1: UNCHANGED after 41 s without a job"
    assert lines[3] == "  db1.orders  -              0     -  2025-10-06 12:00:00+00:00"
    assert lines[4] == "history: nothing new to save in the repository"


def test_a_database_that_failed_says_why_and_nothing_is_promised() -> None:
    failed = values.outcome(
        label=None,
        status=Status.FAILED,
        tables=(values.outline(of=values.snapshot(at=None)),),
        error=Busy("db1 is busy", why="job x runs"),
    )
    report = values.backup_report(
        databases=(failed,), metadata=values.metadata(error=Busy("ops is busy")), problems={"db9.t": "no such table"}
    )
    assert backup_report(report, {}) == [
        "backup run run1",
        "db1: FAILED after 41 s",
        "  TABLE       TYPE  PARTITIONS     SIZE  POINT  WHY",
        "  db1.orders  FULL           3  2.0 KiB  -",
        "  db1 is busy: job x runs",
        "history: NOT saved in the repository: ops is busy",
        "left out:",
        "  db9.t: no such table",
    ]


def test_a_partly_good_run_does_not_offer_a_metadata_label_that_failed() -> None:
    report = values.backup_report(
        databases=(values.outcome(tables=()),), metadata=values.metadata(error=Busy("ops is busy"))
    )
    assert backup_report(report, {})[-1].startswith("next: starrocks-br list")


def test_a_table_without_an_exact_point_of_the_run_is_told_with_what_restore_takes_instead() -> None:
    report = values.backup_report(inexact=(values.inexact(), values.inexact(None, Consistency.UNKNOWN)))
    lines = backup_report(report, {})
    assert lines[lines.index("restored only with --allow-fuzzy:") + 1 :][:2] == [
        "  db1.orders: its new point is FUZZY; its newest exact point is 2025-10-06 12:00:00+00:00",
        "  db1.orders: its new point is UNKNOWN; it has no exact point",
    ]
