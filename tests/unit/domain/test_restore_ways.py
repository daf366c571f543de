"""How partitions of several snapshots come together, step by step, and when another way is taken."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import TargetExists, Unrestorable
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import Label, PartitionName, RestoreId, TableRef
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import A_TABLE, RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateTable,
    DropTable,
    NewPartition,
    Rename,
    SetAside,
    Swap,
    Verify,
)
from tests.unit.domain.examples import ORDERS, identity, manifest, next_entry, part
from tests.unit.domain.test_restore_plan import ALIAS, FACTS

DDL = "CREATE TABLE `orders` (id INT)"
UNSURE = evolve(FACTS, unsure=True)
THREE = evolve(FACTS, backup_timestamps={Label(f"db1_{number}"): f"ts{number}" for number in range(3)})
COPY = TableRef.parse("db1.copy")
SCRATCH, SECOND_SCRATCH = TableRef.parse("db1.__br_k3f9qa_1"), TableRef.parse("db1.__br_k3f9qa_2")


def planned(what: Manifest, facts: TargetFacts = FACTS, **how: object) -> RestorePlan:
    """The plan to bring it back under its own name, unless it is told otherwise."""
    target = Target(**{"table": ORDERS, **how})  # type: ignore[arg-type]
    return plan_restore(what, facts, target, RestoreId("k3f9qa"))


def listed(*more: int, ddl: str = DDL) -> Manifest:
    """A LIST table: p1 of 70 bytes in the full snapshot, and a partition of so many bytes in each later one."""
    what = manifest(part("p1", 10, values='[["a"]]', size=70), partitioning=Partitioning.LIST)
    for number, size in enumerate(more, start=1):
        added = part(f"p{number + 1}", 10 + number, values=f'[["{number}"]]', size=size)
        what = extend(what, evolve(next_entry(what, number, added), partitioning=Partitioning.LIST))
    return evolve(what, ddl=ddl)


def made(name: str, value: str) -> NewPartition:
    """A partition of the LIST table, made by hand."""
    return NewPartition(name=PartitionName(name), values=((value,),), buckets=4)


# --- refilled ---------------------------------------------------------------------------------------------------------


def test_what_may_hold_ghosts_is_filled_into_a_table_made_from_its_ddl() -> None:
    plan = planned(listed(7), UNSURE)
    first, second = plan.jobs
    assert plan.way is Way.REFILL
    assert "RESTORE over a table that was made from its recorded DDL" in plan.why
    assert plan.steps == (
        CreateTable(
            table=ALIAS,
            ddl=DDL,
            replication_num=1,
            wanted=(PartitionName("p1"), PartitionName("p2")),
            addable=(made("p1", "a"), made("p2", "1")),
        ),
        Rename(table=ALIAS, to=ORDERS.name),
        first,
        CheckRestored(table=ORDERS, created=False),
        second,
        CheckRestored(table=ORDERS, created=False),
        Verify(table=ORDERS, source=ORDERS, point=Label("db1_1")),
    )
    assert [(job.label, job.into, job.creating) for job in plan.jobs] == [
        ("db1_0", ORDERS, False),
        ("db1_1", ORDERS, False),
    ]
    assert [job.partitions for job in plan.jobs] == [("p1",), ("p2",)]
    assert any("it is filled in place" in risk for risk in plan.risks)
    assert "table properties are those of snapshot db1_0" in plan.notes


def test_a_table_of_ranges_has_its_partitions_from_its_ddl() -> None:
    plan = planned(evolve(manifest(part("p1", 10)), ddl=DDL), UNSURE)
    (create, *_) = plan.steps
    assert isinstance(create, CreateTable)
    assert create.addable == ()


@pytest.mark.parametrize(
    ("what", "facts", "how"),
    [
        (listed(7), FACTS, {}),
        (listed(7, ddl=""), UNSURE, {}),
        (evolve(manifest(), ddl=DDL), UNSURE, {}),
        (listed(7), evolve(UNSURE, home_taken=True), {"table": COPY}),
        (listed(7), evolve(UNSURE, taken_by=A_TABLE, target_id=7, home_taken=True), {"replace": True}),
        (
            evolve(manifest(evolve(part("p1", 10), identity=identity(1) | identity(2))), ddl=DDL),
            UNSURE,
            {},
        ),
    ],
    ids=["sure", "no DDL", "no partition", "its name is taken", "over a live table", "grown"],
)
def test_else_it_is_not(what: Manifest, facts: TargetFacts, how: dict[str, object]) -> None:
    assert planned(what, facts, **how).way is not Way.REFILL


# --- copied -----------------------------------------------------------------------------------------------------------


def test_each_further_snapshot_is_read_over_from_a_table_of_its_own() -> None:
    plan = planned(listed(500, 7), evolve(THREE, home_taken=True), table=COPY)
    largest, first, last = plan.jobs
    assert [job.label for job in plan.jobs] == ["db1_1", "db1_0", "db1_2"], "the largest is not read over"
    assert [job.into for job in plan.jobs] == [ALIAS, SCRATCH, SECOND_SCRATCH]
    assert plan.steps == (
        largest,
        CheckRestored(table=ALIAS, created=True),
        first,
        CheckRestored(table=SCRATCH, created=True),
        AddPartitions(table=ALIAS, partitions=(made("p1", "a"),), replication_num=1),
        CopyPartitions(scratch=SCRATCH, table=ALIAS, partitions=(PartitionName("p1"),)),
        DropTable(table=SCRATCH),
        last,
        CheckRestored(table=SECOND_SCRATCH, created=True),
        AddPartitions(table=ALIAS, partitions=(made("p3", "2"),), replication_num=1),
        CopyPartitions(scratch=SECOND_SCRATCH, table=ALIAS, partitions=(PartitionName("p3"),)),
        DropTable(table=SECOND_SCRATCH),
        Verify(table=ALIAS, source=ORDERS, point=Label("db1_2")),
        Rename(table=ALIAS, to=COPY.name),
    )
    assert "table properties are those of snapshot db1_1" in plan.notes


@pytest.mark.parametrize("ddl", ["", "CREATE TABLE orders (id BIGINT auto_increment)"])
def test_the_one_job_that_sets_the_counter_is_that_of_the_newest(ddl: str) -> None:
    plan = planned(listed(500, 7, ddl=ddl), evolve(THREE, home_taken=True), table=COPY)
    assert plan.jobs[0].label == "db1_2"


def test_what_restore_refused_to_add_is_copied_with_the_newest_schema_first() -> None:
    plan = planned(listed(500, 7), THREE, copied=True)
    assert (plan.way, plan.jobs[0].label) == (Way.COPY, "db1_2")
    assert "it has other rollups, perhaps" in plan.why
    assert planned(manifest(part("p1", 10)), THREE, copied=True).way is Way.HIDDEN


# --- overlaid ---------------------------------------------------------------------------------------------------------


def test_an_absent_table_is_put_together_in_the_order_of_its_snapshots() -> None:
    plan = planned(listed(500, 7), THREE)
    assert [(job.label, job.creating) for job in plan.jobs] == [("db1_0", True), ("db1_1", False), ("db1_2", False)]
    assert plan.away == plan.jobs[1:]
    assert plan.why == "3 snapshots hold parts of it"
    assert "table properties are those of snapshot db1_0" in plan.notes


def test_over_a_live_table_the_largest_goes_first_and_with_a_counter_the_newest_last() -> None:
    live = evolve(THREE, taken_by=A_TABLE, target_id=7, home_taken=True)
    sizes = listed(500, 900)
    assert [job.label for job in planned(sizes, live, replace=True).jobs] == ["db1_2", "db1_0", "db1_1"]
    counted = evolve(sizes, ddl="")
    assert [job.label for job in planned(counted, live, replace=True).jobs] == ["db1_1", "db1_0", "db1_2"]


def test_no_size_is_less_than_a_byte() -> None:
    live = evolve(THREE, taken_by=A_TABLE, target_id=7, home_taken=True)
    what = manifest(part("p1", 10, size=1), partitioning=Partitioning.RANGE)
    what = evolve(extend(what, next_entry(what, 1, part("p2", 11), part("p3", 12))), ddl=DDL)
    assert planned(what, live, replace=True).jobs[0].label == "db1_0"


def test_a_partition_that_grew_is_what_makes_the_table() -> None:
    what = manifest(part("p1", 10, size=500))
    grown = evolve(part("p2", 11, size=1), identity=identity(1) | identity(2))
    plan = planned(evolve(extend(what, next_entry(what, 1, grown)), ddl=DDL))
    assert [(job.label, job.creating) for job in plan.jobs] == [("db1_1", True), ("db1_0", False)]


def test_under_another_name_it_bears_its_old_one_while_it_is_put_together() -> None:
    live = evolve(THREE, taken_by=A_TABLE, target_id=7)
    plan = planned(listed(500), live, table=COPY, replace=True)
    assert plan.way is Way.OVERLAY
    assert plan.jobs[0].label == "db1_0", "nobody serves under that name meanwhile"
    aside = TableRef.parse("db1.copy__before_k3f9qa")
    assert plan.steps[2:] == (
        Rename(table=ALIAS, to=ORDERS.name),
        AddPartitions(table=ORDERS, partitions=(made("p2", "1"),), replication_num=1),
        plan.jobs[1],
        CheckRestored(table=ORDERS, created=False),
        Verify(table=ORDERS, source=ORDERS, point=Label("db1_1")),
        Swap(table=COPY, restored=ORDERS.name, table_id=7),
        SetAside(table=ORDERS, to=aside.name, table_id=7),
    )
    assert (plan.aside, plan.away) == (aside, ())


def test_under_another_absent_name_it_is_away_while_nothing_is_restored() -> None:
    plan = planned(listed(500), THREE, table=COPY)
    assert plan.steps[-1] == Rename(table=ORDERS, to=COPY.name)
    assert plan.away == ()


# --- said -------------------------------------------------------------------------------------------------------------


def test_one_snapshot_needs_no_choice() -> None:
    assert planned(manifest(part("p1", 10))).why == "one snapshot holds all of it"


def test_why_partitions_that_grew_are_copied() -> None:
    one, other = (
        evolve(
            part(name, number, values=f"[types: [INT]; keys: [{number}]; ..types: [INT]; keys: [{number + 1}]; )"),
            identity=identity(number) | identity(-number),
        )
        for name, number in (("p1", 1), ("p2", 2))
    )
    first = manifest(one)
    assert planned(extend(first, next_entry(first, 1, other))).why == (
        "partitions that grew several parts (automatic buckets) are in 2 snapshots, and RESTORE takes such a partition "
        "only while it makes a table"
    )


def test_what_hangs_on_a_table_that_is_replaced_is_looked_after() -> None:
    what = evolve(manifest(part("p1", 10)), ddl=DDL)
    live = evolve(FACTS, taken_by=A_TABLE, target_id=7, home_taken=True)
    assert planned(what, live, replace=True).notes[0] == (
        "views and materialized views are not restored; those on the table are looked after or named"
    )
    assert planned(what).notes[0] == "views, materialized views and grants on the table do not come back"


def test_a_part_that_cannot_have_the_name_of_the_whole_says_where_it_can_go() -> None:
    with pytest.raises(TargetExists) as refusal:
        planned(manifest(part("p1", 10)), partitions=frozenset({"p1"}))
    assert refusal.value.why == "a part of a table must not be taken for the whole"
    assert refusal.value.hint == "give them a name of their own with --as, or a database with --to-database"


def test_unknown_partitions_are_all_named_and_of_the_known_ones_twenty() -> None:
    what = manifest(*(part(f"p{number:02}", number) for number in range(30)))
    with pytest.raises(Unrestorable) as refusal:
        planned(what, table=COPY, partitions=frozenset({"x", "y"}))
    assert refusal.value.why == "it had no partition x, y at that point"
    assert refusal.value.hint == "it had " + ", ".join(f"p{number:02}" for number in range(20))
