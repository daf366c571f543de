"""The documents of `--json`."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from starrocks_br.domain.errors import Busy, NoPoint, VerificationMismatch
from starrocks_br.domain.events import Settled
from starrocks_br.domain.names import database_name
from starrocks_br.domain.restore_outline import RestoreState
from starrocks_br.domain.snapshot import Damage
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.exit_codes import ExitCode
from starrocks_br.entrypoints.failures import failure_of
from starrocks_br.services.reports import BootstrapReport, HistoryReport, InitReport, RestoresReport, SnapshotReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import FULL_LABEL, META_LABEL, NEXT_LABEL, NOON, ORDERS

POINT = "2025-10-06 12:00:00+00:00"
SETTLED = (
    Settled(subject="l1", outcome=Status.LOST, detail="gone"),
    Settled(subject="l2", outcome=None, detail="still running"),
)


def test_a_good_end_in_one_document() -> None:
    text = documents_out.envelope("list", ExitCode.OK, warnings=["w"], result={"ä": 1})
    assert "ä" in text
    assert json.loads(text) == {
        "format": 1,
        "command": "list",
        "exit_code": 0,
        "error": None,
        "warnings": ["w"],
        "result": {"ä": 1},
    }


def test_a_bad_end_in_one_document_with_the_fields_of_the_error() -> None:
    failure = failure_of(NoPoint("no point", why="too old", hint="list", oldest=NOON), "restore")
    document = json.loads(documents_out.envelope("restore", failure.exit_code, failure=failure))
    assert document["exit_code"] == 14
    assert document["result"] is None
    assert document["error"] == {
        "kind": "NoPoint",
        "what": "no point",
        "why": "too old",
        "hint": "list",
        "oldest": POINT,
        "newest": None,
    }


def test_fields_of_errors_become_plain() -> None:
    failure = failure_of(VerificationMismatch("differs", table=ORDERS, differences=["p1", "p2"]), "restore")
    document = _through_json(documents_out.error(failure))
    assert document["table"] == "db1.orders"
    assert document["differences"] == ["p1", "p2"]


def test_init() -> None:
    report = InitReport(ops=database_name("ops"), created=True, replication_num=3)
    assert documents_out.init_report(report) == {"database": "ops", "created": True, "replication_num": 3}


def test_a_backup_plan_names_reasons_that_scripts_can_rely_on() -> None:
    document = _through_json(documents_out.backup_plan(values.backup_plan({ORDERS: "gone"})))
    assert document["dry_run"] is True
    assert document["problems"] == {"db1.orders": "gone"}
    (database,) = document["databases"]
    assert (database["database"], database["job"]) == ("db1", True)
    events, orders, *_ = database["tables"]
    assert (events["type"], events["reason"], events["partitions"]) == ("FULL", "FIRST", None)
    assert orders == {
        "table": "db1.orders",
        "type": "INCREMENTAL",
        "reason": "INCREMENTAL",
        "baseline": FULL_LABEL,
        "partitions": {"p9": "NEW", "p1": "CHANGED", "p2": "CHANGED"},
        "dropped": ["p0"],
    }


def test_a_backup_report() -> None:
    failed = values.outcome(
        database=database_name("db2"), label=None, status=Status.FAILED, tables=(), error=Busy("db2 is busy")
    )
    report = values.backup_report(databases=(values.outcome(), failed), problems={"db9.*": "no"}, settled=SETTLED)
    report = evolve(report, inexact=(values.inexact(), values.inexact(None)))
    document = _through_json(documents_out.backup_report(report, {values.DB1: values.planned()}))
    good, bad = document["databases"]
    assert (good["label"], good["status"], good["seconds"], good["error"]) == (FULL_LABEL, "FINISHED", 41.9, None)
    (table,) = good["tables"]
    assert (table["table"], table["point"], table["size"], table["consistency"]) == ("db1.orders", POINT, 2048, "EXACT")
    assert table["plan"]["reason"] == "INCREMENTAL"
    assert bad["error"]["kind"] == "Busy"
    assert document["metadata"]["label"] == META_LABEL
    assert document["problems"] == {"db9.*": "no"}
    known, none = document["inexact"]
    assert known == {"table": "db1.orders", "consistency": "FUZZY", "newest_exact": POINT}
    assert none["newest_exact"] is None
    assert [one["outcome"] for one in document["settled"]] == ["LOST", None]


def test_restores_by_their_ids() -> None:
    report = RestoresReport(restores=(values.restore_outline(RestoreState.GIVEN_UP),), damages=("bad",), more=True)
    assert _through_json(documents_out.restores(report)) == {
        "restores": [
            {"restore": "r1", "table": "db1.orders", "began_at": POINT, "state": "GIVEN_UP", "replaced": True}
        ],
        "more": True,
        "damages": ["bad"],
    }


def test_a_backup_report_without_plan_and_metadata() -> None:
    report = values.backup_report(metadata=None)
    document = documents_out.backup_report(report, {})
    assert document["metadata"] is None
    assert document["databases"][0]["tables"][0]["plan"] is None


def test_a_list_says_of_each_row_whether_it_can_be_restored() -> None:
    other = values.outline(of=values.snapshot(NEXT_LABEL, at=None))
    report = HistoryReport(outlines=(other, values.outline()), points=frozenset({(FULL_LABEL, ORDERS)}), more=True)
    document = _through_json(documents_out.history(report))
    assert document["more"] is True
    assert [row["restorable"] for row in document["entries"]] == [False, True]
    assert [row["point"] for row in document["entries"]] == [None, POINT]


def test_a_snapshot() -> None:
    report = SnapshotReport(
        snapshot=evolve(values.snapshot(NEXT_LABEL), error_code="X", error="words"),
        entries=(values.entry(),),
        chains={ORDERS: (FULL_LABEL, NEXT_LABEL)},
        remote="not there",
        damages=(Damage(label="l", table="t", problem="torn"),),
    )
    document = _through_json(documents_out.snapshot(report))
    assert document["problem_in_repository"] == "not there"
    assert (document["error_code"], document["error"], document["submitted_at"]) == ("X", "words", None)
    (table,) = document["tables"]
    assert table["chain"] == [FULL_LABEL, NEXT_LABEL]
    assert table["partitions"] == {"p1": {"rows": 1000, "size": 10000}, "p2": {"rows": None, "size": None}}
    assert document["damages"] == [{"label": "l", "table": "t", "problem": "torn"}]
    sound = documents_out.snapshot(evolve(report, remote="", chains={}))
    assert sound["problem_in_repository"] is None
    assert sound["tables"][0]["chain"] == []


def test_a_bootstrap_plan_and_its_report() -> None:
    plan = values.bootstrap_plan()
    assert _through_json(documents_out.bootstrap_plan(plan))["taken_at"] == POINT
    report = BootstrapReport(plan=plan, rows=7, points={ORDERS: 2}, settled=SETTLED)
    document = _through_json(documents_out.bootstrap_report(report))
    assert (document["dry_run"], document["rows"], document["points"]) == (False, 7, {"db1.orders": 2})
    assert document["settled"][0]["detail"] == "gone"


def _through_json(document: documents_out.Document) -> Any:
    return json.loads(json.dumps(document))
