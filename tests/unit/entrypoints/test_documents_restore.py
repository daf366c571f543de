"""The documents of `restore --json`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from attrs import evolve

from starrocks_br.domain.errors import Busy
from starrocks_br.domain.estimate import Pace
from starrocks_br.domain.names import restore_id
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.entrypoints import documents_restore
from starrocks_br.entrypoints.documents_out import Document
from starrocks_br.services.reports import BatchReport, UndoReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import EVENTS, FULL_LABEL, NEXT_LABEL, NOON, ORDERS

POINT = "2025-10-06 12:00:00+00:00"
PACE = Pace(base=10, per_byte=0.0009765625)


def test_a_plan_tells_everything_in_numbers() -> None:
    plan = values.restore_plan(
        live=True, asked=NOON + timedelta(minutes=5), next_point=NOON + timedelta(hours=1), pace=PACE, risks=("r",)
    )
    document = _through_json(documents_restore.restore_plan(plan))
    assert {name: value for name, value in document.items() if name not in {"steps", "why", "notes"}} == {
        "dry_run": True,
        "restore": "x1",
        "source": "db1.orders",
        "table": "db1.orders",
        "cluster": "77",
        "repository": "my_backup_repo",
        "label": NEXT_LABEL,
        "asked": "2025-10-06 12:05:00+00:00",
        "point": POINT,
        "gap": 300,
        "next_point": "2025-10-06 13:00:00+00:00",
        "partitions": 3,
        "jobs": 2,
        "size": 1536,
        "seconds": 21.5,
        "way": "OVERLAY",
        "replaces": True,
        "aside": "db1.orders__before_x1",
        "jobs_away": 1,
        "seconds_away": 11.0,
        "risks": ["r"],
    }
    assert document["notes"] == list(plan.notes)
    jobs = [step for step in document["steps"] if step["kind"] == "RestorePartitions"]
    assert [(job["label"], job["size"], job["seconds"]) for job in jobs] == [
        (FULL_LABEL, 512, 10.5),
        (NEXT_LABEL, 1024, 11.0),
    ]
    assert [job["partitions"] for job in jobs] == [["p0"], ["p1", "p2"]]
    assert "seconds" not in document["steps"][1]


def test_what_is_not_known_of_a_plan_is_null() -> None:
    document = _through_json(documents_restore.restore_plan(values.restore_plan()))
    unknown = ("asked", "gap", "next_point", "seconds", "aside", "seconds_away")
    assert [document[name] for name in unknown] == [None] * len(unknown)
    assert document["replaces"] is False
    assert document["steps"][0]["seconds"] is None


def test_a_plan_for_several_tables_has_their_statements_and_problems() -> None:
    batch = RestoreBatch(
        plans=(values.other_plan(), values.restore_plan()), pace=PACE, problems={ORDERS: Busy("no", hint="wait")}
    )
    document = _through_json(documents_restore.batch_plan(evolve(batch, notes=("n",))))
    assert (document["dry_run"], document["notes"], document["seconds"]) == (True, ["n"], 23.0)
    assert [table["table"] for table in document["tables"]] == ["db1.events", "db1.orders"]
    assert document["statements"] == [
        {"label": FULL_LABEL, "tables": ["db1.orders"]},
        {"label": NEXT_LABEL, "tables": ["db1.events", "db1.orders"]},
    ]
    assert document["failures"] == [
        {"table": "db1.orders", "kind": "Busy", "what": "no", "why": "", "hint": "wait"},
    ]


def test_a_report_tells_where_the_old_table_is() -> None:
    document = _through_json(documents_restore.restore_report(values.restore_report()))
    assert (document["dry_run"], document["rows"], document["size"], document["aside"]) == (False, 12345, 1536, None)
    replaced = evolve(values.restore_report(), aside=EVENTS)
    assert documents_restore.restore_report(replaced)["aside"] == "db1.events"


def test_a_report_on_several_tables_has_what_failed() -> None:
    report = BatchReport(
        restored=(values.restore_report(),), failures={EVENTS: Busy("no")}, seconds=1.23456, notes=("n",)
    )
    document = _through_json(documents_restore.batch_report(report))
    assert [one["restore"] for one in document["tables"]] == ["x1"]
    assert [one["table"] for one in document["failures"]] == ["db1.events"]
    assert (document["seconds"], document["notes"], document["dry_run"]) == (1.235, ["n"], False)


def test_an_undone_restore() -> None:
    report = UndoReport(restore=restore_id("x1"), table=ORDERS, detail="done")
    assert documents_restore.undo_report(report) == {"restore": "x1", "table": "db1.orders", "detail": "done"}


def _through_json(document: Document) -> Any:
    return json.loads(json.dumps(document))
