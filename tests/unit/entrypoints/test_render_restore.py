"""What people read of restores and cold starts."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.names import TableRef, database_name, partition_name, table_name
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import CreateDatabase, DropTable, PauseTtl, RepairHole, Step
from starrocks_br.domain.snapshot import Damage
from starrocks_br.entrypoints.render.restore import restore_plan, restore_report, step_text, target_label, total_size
from starrocks_br.entrypoints.render.setup import bootstrap_plan, bootstrap_report, init_report
from starrocks_br.services.reports import BootstrapReport, InitReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import FULL_LABEL, META_LABEL, NEXT_LABEL, ORDERS

DRILL = TableRef(database_name("drill"), table_name("orders"))


def test_a_plan_shows_point_contents_steps_and_notes() -> None:
    plan = values.restore_plan()
    lines = restore_plan(plan)
    assert lines[:11] == [
        "restore of db1.orders",
        f"  point:    2025-10-06 12:00:00+00:00, snapshot {NEXT_LABEL}",
        "  contents: 3 partitions, 1.5 KiB as last reported",
        "  from:     repository my_backup_repo, 2 RESTORE jobs",
        "  steps:",
        f"    1. create db1.__br_x1: 1 partition of orders in snapshot {FULL_LABEL}, 512 B",
        "    2. look for leftovers of the RESTORE in db1.__br_x1",
        "    3. rename db1.__br_x1 to orders",
        f"    4. add to db1.orders: 2 partitions of orders in snapshot {NEXT_LABEL}, 1.0 KiB",
        "    5. look for leftovers of the RESTORE in db1.orders",
        "    6. compare db1.orders with what was recorded, and read it",
    ]
    assert lines[11:] == [f"  note:     {note}" for note in plan.notes]
    assert plan.notes


def test_a_plan_for_another_name_says_so_and_list_partitions_are_added_first() -> None:
    lines = restore_plan(values.restore_plan(partitioning=Partitioning.LIST))
    assert "    4. add 2 empty partitions to db1.orders (p1, p2)" in lines
    assert restore_plan(values.restore_plan(DRILL))[0] == "restore of db1.orders as drill.orders"


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (CreateDatabase(database=database_name("d")), "create database d unless it exists"),
        (PauseTtl(table=ORDERS, properties={}), "keep the server from dropping partitions of db1.orders on its own"),
        (
            RepairHole(table=ORDERS, partition=partition_name("p"), version=3),
            "make partition p of db1.orders loadable again",
        ),
        (DropTable(table=ORDERS), "drop db1.orders"),
    ],
)
def test_every_step_has_its_words(step: Step, text: str) -> None:
    assert step_text(step) == text


def test_a_whole_table_needs_no_number_of_partitions() -> None:
    (first, *_) = values.restore_plan().jobs
    whole = type(first)(
        label=first.label,
        backup_timestamp=first.backup_timestamp,
        source=first.source,
        into=first.into,
        creating=True,
        partitions=None,
    )
    assert step_text(whole) == f"create db1.__br_x1: all of orders in snapshot {FULL_LABEL}, -"


def test_the_target_is_the_last_snapshot_of_the_chain_and_unknown_sizes_stay_unknown() -> None:
    plan = values.restore_plan()
    assert target_label(plan) == NEXT_LABEL
    assert total_size(plan) == 1536
    empty = RestorePlan(
        restore=plan.restore,
        repository=plan.repository,
        target=plan.target,
        alias=plan.alias,
        manifest=plan.manifest,
        way=plan.way,
        why=plan.why,
        steps=(),
    )
    assert total_size(empty) is None


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


def test_init_tells_whether_it_created_anything() -> None:
    created = InitReport(ops=database_name("ops"), created=True, replication_num=3)
    assert init_report(created) == [
        "created what was missing of the tables in ops, with 3 replicas",
        "next: starrocks-br backup",
    ]
    there = InitReport(ops=database_name("ops"), created=False, replication_num=3)
    assert init_report(there) == ["the tables in ops are there already; nothing was changed"]


def test_a_cold_start_tells_what_came_back() -> None:
    report = BootstrapReport(
        plan=values.bootstrap_plan(),
        rows=7,
        points={ORDERS: 2},
        damages=(Damage(label="torn", table="", problem="1 of 2 rows"),),
    )
    assert bootstrap_report(report) == [
        f"7 history rows came back from snapshot {META_LABEL}",
        "  TABLE       POINTS",
        "  db1.orders       2",
        "damaged: torn: 1 of 2 rows",
        "next: starrocks-br list, then starrocks-br restore --table DATABASE.TABLE --timestamp POINT",
        "      the next backup takes whole what was not restored under its own name on this cluster",
    ]
    assert bootstrap_plan(report.plan) == [
        f"history from snapshot {META_LABEL} in repository my_backup_repo",
        "  taken:   2025-10-06 12:00:00+00:00",
        "  cluster: 77",
        "  older snapshots of the same history: 2",
    ]


def test_a_cold_start_without_points_says_so() -> None:
    report = BootstrapReport(plan=values.bootstrap_plan(), rows=1, points={})
    assert bootstrap_report(report)[1:] == [
        "no table has a point that can be restored",
        "next: starrocks-br list --all",
    ]
