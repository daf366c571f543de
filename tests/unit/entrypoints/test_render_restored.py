"""What people read after a restore, and before one of several tables."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from starrocks_br.domain.errors import Busy, UnknownTable
from starrocks_br.domain.estimate import Pace
from starrocks_br.domain.names import TableRef, database_name, label_name, restore_id, table_name
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.entrypoints.render.restore_batch import batch_plan, question, shared
from starrocks_br.entrypoints.render.restored import batch_report, restore_report, undo_report
from starrocks_br.services.reports import BatchReport, UndoReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import EVENTS, FULL_LABEL, NEXT_LABEL, NOON, ORDERS

DRILL = TableRef(database_name("drill"), table_name("orders"))
ASIDE = TableRef(ORDERS.database, table_name("orders__before_x1"))
PACE = Pace(base=10, per_byte=0.0009765625)


def test_a_restore_tells_what_is_there_now() -> None:
    assert restore_report(values.restore_report()) == [
        "db1.orders is as it was at 2025-10-06 12:00:00+00:00",
        f"  snapshot {NEXT_LABEL}, 3 partitions, 12,345 rows, 1.5 KiB, 2 jobs, 1 min 05 s",
        "  note: grants do not come back",
    ]
    uncounted = restore_report(evolve(values.restore_report(ORDERS), rows=None))
    assert "rows not counted" in uncounted[1]
    renamed = restore_report(values.restore_report(DRILL))
    assert renamed[0] == "drill.orders holds db1.orders as it was at 2025-10-06 12:00:00+00:00"


def test_a_restore_that_replaced_a_table_tells_the_way_back() -> None:
    assert restore_report(evolve(values.restore_report(), aside=ASIDE))[2:4] == [
        "  the table that it was before is db1.orders__before_x1 now: DROP TABLE it when you need it no more",
        "  undo: starrocks-br restore --undo x1",
    ]


def test_several_restores_tell_what_is_theirs_and_once_what_is_all_theirs() -> None:
    one = evolve(values.restore_report(), aside=ASIDE, notes=("all", "mine"))
    other = evolve(values.restore_report(), source=EVENTS, table=EVENTS, restore=restore_id("x2"), notes=("all",))
    report = BatchReport(restored=(other, one), failures={}, seconds=65.2, notes=("views",))
    assert batch_report(report) == [
        "2 tables restored in 1 min 05 s",
        "  db1.events is as it was at 2025-10-06 12:00:00+00:00 (3 partitions, 12,345 rows, 1.5 KiB)",
        "  db1.orders is as it was at 2025-10-06 12:00:00+00:00 (3 partitions, 12,345 rows, 1.5 KiB)",
        "    the table that it was before is db1.orders__before_x1 now: DROP TABLE it when you need it no more",
        "    undo: starrocks-br restore --undo x1",
        "  note: all",
        "  note: db1.orders: mine",
        "  note: views",
    ]


def test_undoing_tells_what_was_found_and_done() -> None:
    report = UndoReport(restore=restore_id("x1"), table=ORDERS, detail="it was undone")
    assert undo_report(report) == ["restore x1: it was undone"]


def batch(*plans: RestorePlan, **more: object) -> RestoreBatch:
    """A plan for several tables."""
    return evolve(RestoreBatch(plans=plans, pace=PACE), **more)  # type: ignore[arg-type]


def test_a_plan_for_several_tables_has_a_line_for_each_and_the_statements_that_they_share() -> None:
    asked = NOON + timedelta(minutes=5)
    plans = (values.other_plan(asked=asked, notes=("n",)), values.restore_plan(asked=asked, risks=("r",), notes=("n",)))
    problems = {ORDERS: UnknownTable("db1.orders is not recorded"), DRILL: Busy("wait")}
    assert batch_plan(batch(*plans, problems=problems, notes=("m",))) == [
        "restore of 2 tables, asked for 2025-10-06 12:05:00+00:00",
        "  TABLE       POINT                      PARTITIONS     SIZE  HOW",
        "  db1.events  2025-10-06 12:00:00+00:00           3  1.5 KiB  appears complete",
        "  db1.orders  2025-10-06 12:00:00+00:00           3  1.5 KiB  appears, incomplete for 1 job",
        "  left out:",
        "    db1.orders is not recorded",
        "    drill.orders: wait",
        "  RESTORE statements: 2, about 23 s, as jobs went on this cluster so far",
        f"    snapshot {FULL_LABEL}: db1.orders, 512 B",
        f"    snapshot {NEXT_LABEL}: db1.events, db1.orders, 2.5 KiB",
        "  risk: db1.orders: r",
        "  note: n",
        "  note: m",
    ]


def test_a_plan_that_replaces_tables_says_how_and_how_to_go_back() -> None:
    plans = (values.other_plan(live=True), values.restore_plan(live=True))
    lines = batch_plan(batch(*plans))
    assert lines[2].endswith("replaced at once")
    assert lines[3].endswith("replaced, incomplete for 1 job")
    assert "  old ones: stay, as db1.events__before_x1 does; back with starrocks-br restore --undo x2, …" in lines, (
        "each has an id of its own"
    )
    assert question(batch(*plans)) == "restore 2 tables, 2 of them over tables that live now?"


def test_the_question_tells_what_is_lost() -> None:
    assert question(batch(values.restore_plan())) == "restore 1 table?"
    dropping = batch(values.other_plan(), values.restore_plan(live=True, drop_old=True))
    assert question(dropping) == (
        "restore 2 tables, 1 of them over tables that live now; those are dropped in the end, past recovery?"
    )
    assert not any("old ones" in line for line in batch_plan(dropping))


def test_a_table_whose_last_point_is_older_than_its_neighbours_may_have_been_dropped() -> None:
    older = values.other_plan()
    older = evolve(older, manifest=evolve(older.manifest, at=NOON - timedelta(hours=1)))
    (note,) = (line for line in batch_plan(batch(older, values.restore_plan())) if "perhaps dropped" in line)
    assert note.startswith("  note: db1.events: not as late a point")


def test_hundreds_of_tables_are_not_all_listed() -> None:
    plans = []
    for number in range(50):
        name = TableRef(ORDERS.database, table_name(f"t{number:02}"))
        plan = values.restore_plan(DRILL, holders=1)
        job = evolve(plan.jobs[0], label=label_name(f"s{number}"))
        plans.append(evolve(plan, manifest=evolve(plan.manifest, table=name), steps=(job,)))
    lines = batch_plan(batch(*plans))
    assert "  db1.t39 as drill.orders" in lines[41]
    assert lines[42] == "  and 10 more tables: --json shows all"
    assert "    and 38 more statements: --json shows all" in lines
    assert len(lines) < 70


def test_a_plan_without_tables_has_no_statements() -> None:
    assert batch_plan(batch(problems={ORDERS: UnknownTable("nothing is recorded of db1.orders")})) == [
        "restore of 0 tables",
        "  left out:",
        "    nothing is recorded of db1.orders",
    ]


def test_what_is_said_of_some_tables_names_them() -> None:
    assert list(shared({ORDERS: ["a", "b"], EVENTS: ["a"]})) == ["a", "db1.orders: b"]
