"""What people read before a restore of one table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from starrocks_br.domain.estimate import Pace
from starrocks_br.domain.names import PartitionName, TableRef, database_name, partition_name, table_name
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import (
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropPartitions,
    DropTable,
    PauseTtl,
    Reading,
    RepairHole,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.entrypoints.render.restore import question, restore_plan, step_text, total_size
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import FULL_LABEL, NEXT_LABEL, NOON, ORDERS

DRILL = TableRef(database_name("drill"), table_name("orders"))
PACE = Pace(base=10, per_byte=0.0009765625)


def line(plan: RestorePlan, label: str) -> str:
    """What one line of the plan says."""
    (found,) = (text for text in restore_plan(plan) if text.startswith(f"  {label}:"))
    return found.partition(":")[2].strip()


def test_a_plan_shows_point_contents_way_time_absence_steps_risks_and_notes() -> None:
    plan = values.restore_plan()
    lines = restore_plan(plan)
    assert lines[:14] == [
        "restore of db1.orders",
        f"  point:    2025-10-06 12:00:00+00:00, snapshot {NEXT_LABEL}",
        "            no later point",
        "  contents: 3 partitions, 1.5 KiB as last reported",
        "  way:      2 RESTORE jobs from repository my_backup_repo: 2 snapshots hold parts of it",
        "  time:     not known: this cluster has no job yet to tell by, or a size is unknown",
        "  away:     db1.orders is not there now; it appears incomplete and is filled",
        "  steps:",
        f"    1. create db1.__br_x1: 1 partition of orders in snapshot {FULL_LABEL}, 512 B",
        "    2. look for leftovers of the RESTORE in db1.__br_x1",
        "    3. rename db1.__br_x1 to orders",
        f"    4. add to db1.orders: 2 partitions of orders in snapshot {NEXT_LABEL}, 1.0 KiB",
        "    5. look for leftovers of the RESTORE in db1.orders",
        "    6. compare db1.orders with what was recorded, and count its rows",
    ]
    assert plan.risks
    assert plan.notes
    assert lines[14:] == [
        *(f"  risk:     {risk}" for risk in plan.risks),
        *(f"  note:     {note}" for note in plan.notes),
    ]


def test_the_gap_between_what_was_asked_for_and_what_there_is_can_be_seen() -> None:
    plan = values.restore_plan(asked=NOON + timedelta(minutes=30), next_point=NOON + timedelta(hours=1))
    assert restore_plan(plan)[2].strip() == (
        "30 min 00 s before what was asked for; the next point is 2025-10-06 13:00:00+00:00"
    )
    assert restore_plan(evolve(plan, asked=NOON, next_point=None))[2].strip() == (
        "exactly what was asked for; no later point"
    )


def test_time_is_foretold_for_all_and_for_each_job() -> None:
    plan = values.restore_plan(pace=PACE)
    assert line(plan, "time") == "about 21 s, as jobs went on this cluster so far"
    assert [text for text in restore_plan(plan) if "about 1" in text][-1].endswith("1.0 KiB, about 11 s")


def test_a_table_that_is_replaced_at_once_is_never_away_and_its_old_one_comes_back_with_undo() -> None:
    plan = values.restore_plan(live=True, holders=1)
    assert line(plan, "away") == "never: db1.orders serves until the restored table takes its name, in one statement"
    assert line(plan, "old one") == "stays as db1.orders__before_x1; back with starrocks-br restore --undo x1"
    assert question(plan) == "replace db1.orders?"


def test_a_table_that_is_replaced_in_parts_is_away_for_some_jobs() -> None:
    plan = values.restore_plan(live=True)
    assert line(plan, "away") == "db1.orders is absent for a moment, then incomplete for 1 job"
    assert line(evolve(plan, pace=PACE), "away").endswith("incomplete for 1 job, about 11 s")


def test_that_the_old_table_is_dropped_is_said_in_the_question_too() -> None:
    plan = values.restore_plan(live=True, drop_old=True)
    assert line(plan, "old one") == "is dropped in the end: there is no way back"
    assert question(plan) == "replace db1.orders and drop the table that it is now, past recovery?"


def test_an_absent_table_has_no_old_one() -> None:
    plan = values.restore_plan(holders=1)
    assert not any("old one" in text for text in restore_plan(plan))
    assert line(plan, "away") == "db1.orders is not there now; it appears complete, in the end"
    assert question(plan) == "restore db1.orders?"


def test_a_plan_for_another_name_says_so_and_list_partitions_are_added_first() -> None:
    lines = restore_plan(values.restore_plan(partitioning=Partitioning.LIST))
    assert "    4. add 2 empty partitions to db1.orders (p1, p2)" in lines
    assert restore_plan(values.restore_plan(DRILL))[0] == "restore of db1.orders as drill.orders"


PARTS: tuple[PartitionName, ...] = (partition_name("p"), partition_name("q"))


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (CreateDatabase(database=database_name("d")), "create database d"),
        (PauseTtl(table=ORDERS, properties={}), "keep the server from dropping partitions of db1.orders on its own"),
        (RepairHole(table=ORDERS, partition=PARTS[0], version=3), "make partition p of db1.orders loadable again"),
        (DropTable(table=ORDERS), "drop db1.orders"),
        (DropDatabase(database=database_name("d")), "drop database d, which is empty"),
        (DropPartitions(table=ORDERS, partitions=PARTS), "drop 2 partitions of db1.orders"),
        (
            CreateTable(table=ORDERS, ddl="", replication_num=1, wanted=()),
            "make db1.orders, empty, from the DDL that was recorded",
        ),
        (
            SetAside(table=ORDERS, to=table_name("old"), table_id=7),
            "rename the table that lived before from db1.orders to old",
        ),
        (
            Swap(table=ORDERS, restored=table_name("new"), table_id=7),
            "exchange the names of db1.orders and new, at once",
        ),
        (
            CopyPartitions(scratch=DRILL, table=ORDERS, partitions=PARTS),
            "read 2 partitions of drill.orders over into db1.orders",
        ),
        *(
            (
                Verify(table=ORDERS, source=ORDERS, point=FULL_LABEL, reading=reading),
                f"compare db1.orders with what was recorded, {read}",
            )
            for reading, read in (
                (Reading.TABLE, "and count its rows"),
                (Reading.PARTITIONS, "and count the rows of each partition"),
                (Reading.NONE, "but read no row"),
            )
        ),
    ],
)
def test_every_step_has_its_words(step: Step, text: str) -> None:
    assert step_text(step) == text


def test_a_whole_table_needs_no_number_of_partitions() -> None:
    (first, *_) = values.restore_plan().jobs
    whole = evolve(first, partitions=None, size=None)
    assert step_text(whole) == f"create db1.__br_x1: all of orders in snapshot {FULL_LABEL}, -"


def test_unknown_sizes_stay_unknown() -> None:
    plan = values.restore_plan()
    assert total_size(plan) == 1536
    assert total_size(evolve(plan, steps=())) is None
