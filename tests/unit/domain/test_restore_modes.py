"""The plan of each mode: over a live table, in part, under another name; as a person would read it."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import TargetExists, Unrestorable
from starrocks_br.domain.estimate import Pace
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import Label, RestoreId, TableRef
from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import A_TABLE, RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    DropTable,
    Reading,
    Rename,
    RestorePartitions,
    SetAside,
    Swap,
    Verify,
)
from tests.unit.domain.examples import ORDERS, identity, manifest, next_entry, part
from tests.unit.domain.test_restore_plan import ALIAS, FACTS, two_holders

LIVE = evolve(FACTS, taken_by=A_TABLE, target_id=7, home_taken=True)
ASIDE = TableRef.parse("db1.orders__before_k3f9qa")
COPY = TableRef.parse("db1.copy")
SCRATCH = TableRef.parse("db1.__br_k3f9qa_1")
DAY = "[types: [DATE]; keys: [2024-01-0{0}]; ..types: [DATE]; keys: [2024-01-0{1}]; )"


def planned(what: Manifest, facts: TargetFacts = LIVE, **how: object) -> RestorePlan:
    """The plan, over the live table unless it is told otherwise."""
    target = Target(**{"table": ORDERS, "replace": True, **how})  # type: ignore[arg-type]
    return plan_restore(what, facts, target, RestoreId("k3f9qa"))


def kinds(plan: RestorePlan) -> list[str]:
    """Its steps by their kind."""
    return [type(step).__name__ for step in plan.steps]


def then(first: Manifest, *later: Partition) -> Manifest:
    """What a second snapshot made of it."""
    return extend(first, next_entry(first, 1, *later))


def grown(name: str, number: int) -> Partition:
    """A partition that automatic buckets made of two parts."""
    return evolve(
        part(name, number, values=DAY.format(number, number + 1)), identity=identity(number) | identity(-number)
    )


# --- over a live table ------------------------------------------------------------------------------------------------


def test_one_holder_changes_places_with_the_live_table_in_one_statement() -> None:
    plan = planned(manifest(part("p1", 10)))
    assert plan.steps[-3:] == (
        Verify(table=ALIAS, source=ORDERS, point=Label("db1_0")),
        Swap(table=ORDERS, restored=ALIAS.name, table_id=7),
        SetAside(table=ALIAS, to=ASIDE.name, table_id=7),
    )
    assert (plan.replaces, plan.aside, plan.away) == (7, ASIDE, ())


def test_with_several_holders_the_live_table_gives_way_once_the_largest_is_restored() -> None:
    plan = planned(evolve(two_holders(part("p3", 12, size=500)), ddl="CREATE TABLE orders (id INT)"))
    large, small = plan.jobs
    assert [large.label, small.label] == ["db1_1", "db1_0"]
    assert plan.steps == (
        large,
        CheckRestored(table=ALIAS, created=True),
        SetAside(table=ORDERS, to=ASIDE.name, table_id=7),
        Rename(table=ALIAS, to=ORDERS.name),
        small,
        CheckRestored(table=ORDERS, created=False),
        Verify(table=ORDERS, source=ORDERS, point=Label("db1_1")),
    )
    assert plan.away == (small,)


@pytest.mark.parametrize("ddl", ["", "CREATE TABLE orders (id BIGINT AUTO_INCREMENT)"])
def test_what_may_have_a_counter_gets_that_of_the_newest_holder_whatever_is_largest(ddl: str) -> None:
    plan = planned(evolve(two_holders(part("p3", 12, size=500)), ddl=ddl))
    assert [job.label for job in plan.jobs] == ["db1_0", "db1_1"]
    assert not any("AUTO_INCREMENT" in note for note in plan.notes)


def test_of_holders_of_unknown_size_the_one_with_more_partitions_goes_first() -> None:
    what = two_holders(part("p2", 11, version=3), part("p3", 12), part("p4", 13), ddl="CREATE TABLE orders (id INT)")
    held = {
        name: evolve(one, captured=evolve(one.captured, partition=evolve(one.captured.partition, size=None)))
        for name, one in what.held.items()
    }
    assert [job.label for job in planned(evolve(what, held=held)).jobs] == ["db1_1", "db1_0"]


@pytest.mark.parametrize("what", [manifest(part("p1", 10)), two_holders(part("p3", 12))])
def test_the_old_table_is_dropped_last_and_only_if_that_is_asked_for(what: Manifest) -> None:
    plan = planned(what, drop_old=True)
    assert plan.steps[-1] == DropTable(table=ASIDE)
    assert plan.aside is None
    assert kinds(plan).count("DropTable") == 1
    assert "DropTable" not in kinds(planned(what))


def test_replacing_what_is_not_there_is_restoring_what_is_absent() -> None:
    plan = planned(manifest(part("p1", 10)), FACTS, drop_old=True)
    assert plan.steps == plan_restore(manifest(part("p1", 10)), FACTS, Target(table=ORDERS), RestoreId("k3f9qa")).steps
    assert (plan.replaces, plan.aside) == (None, None)


@pytest.mark.parametrize(
    "facts", [evolve(FACTS, taken_by="VIEW"), evolve(LIVE, taken_by="VIEW"), evolve(LIVE, target_id=None)]
)
def test_only_tables_are_replaced(facts: TargetFacts) -> None:
    with pytest.raises(TargetExists, match=r"db1\.orders exists") as refusal:
        planned(manifest(part("p1", 10)), facts)
    assert "only tables are replaced" in refusal.value.why
    assert refusal.value.hint == "rename or drop it first"


# --- beside a table of its own name -----------------------------------------------------------------------------------


def test_beside_a_table_of_its_own_name_later_holders_are_read_over() -> None:
    what = listed(two_holders(part("p3", 12, size=500), ddl="CREATE TABLE orders (id INT)"))
    plan = planned(what, evolve(FACTS, home_taken=True), table=COPY)
    first, second = plan.jobs
    assert (plan.way, first.label, second.label) == (Way.COPY, "db1_1", "db1_0")
    assert "db1.orders is taken" in plan.why
    assert (first.into, second.into, second.creating) == (ALIAS, SCRATCH, True)
    assert kinds(plan) == [
        "RestorePartitions", "CheckRestored",
        "RestorePartitions", "CheckRestored", "AddPartitions", "CopyPartitions", "DropTable",
        "Verify", "Rename",
    ]  # fmt: skip
    assert plan.away == ()


def test_a_counter_is_that_of_the_newest_holder_when_it_is_copied_together() -> None:
    plan = planned(listed(two_holders(part("p3", 12))), evolve(FACTS, home_taken=True), table=COPY)
    assert plan.jobs[0].label == "db1_1"
    assert not any("AUTO_INCREMENT" in note for note in plan.notes)


def listed(what: Manifest) -> Manifest:
    """The same as a LIST table."""
    held = {
        name: evolve(one, captured=evolve(one.captured, partition=evolve(one.captured.partition, values='[["x"]]')))
        for name, one in what.held.items()
    }
    return evolve(what, held=held, partitioning=Partitioning.LIST)


def test_partitions_that_grew_in_several_snapshots_are_copied_together() -> None:
    first = manifest(grown("p1", 1), part("p2", 2, values=DAY.format(2, 3)))
    what = then(first, grown("p3", 3))
    plan = planned(what, FACTS, replace=False)
    assert plan.way is Way.COPY
    assert "in 2 snapshots" in plan.why
    copy = next(step for step in plan.steps if isinstance(step, CopyPartitions))
    added = next(step for step in plan.steps if isinstance(step, AddPartitions))
    assert (copy.scratch, copy.table, copy.automatic) == (SCRATCH, ALIAS, False)
    assert [one.name for one in added.partitions] == list(copy.partitions)
    assert all(one.ranged for one in added.partitions)


def test_a_table_that_makes_its_own_ranges_makes_them_while_it_is_loaded() -> None:
    first = manifest(grown("p1", 1), automatic=True)
    plan = planned(evolve(then(first, grown("p3", 3)), automatic=True), FACTS, replace=False)
    assert "AddPartitions" not in kinds(plan)
    copy = next(step for step in plan.steps if isinstance(step, CopyPartitions))
    assert copy.automatic
    assert [one.name for one in copy.addable] == list(copy.partitions)


def test_what_such_a_table_cannot_be_told_to_make_is_left_to_the_load() -> None:
    odd = evolve(grown("p1", 1), values="nonsense")
    first = manifest(odd, part("p2", 2, values=DAY.format(2, 3)), automatic=True)
    plan = planned(evolve(then(first, grown("p3", 3)), automatic=True), FACTS, replace=False)
    copies = [step for step in plan.steps if isinstance(step, CopyPartitions)]
    assert [[one.name for one in copy.addable] for copy in copies] == [["p2"]]


def test_bounds_that_cannot_be_written_back_are_refused_by_name() -> None:
    what = then(manifest(evolve(grown("p1", 1), values="nonsense")), grown("p3", 3))
    with pytest.raises(Unrestorable, match="cannot be restored") as refusal:
        planned(what, FACTS)
    assert "partition p1 has to be added by hand and its values 'nonsense'" in refusal.value.why


# --- in part ----------------------------------------------------------------------------------------------------------


def test_chosen_partitions_come_from_their_holders_only() -> None:
    what = two_holders(part("p3", 12))
    plan = planned(what, evolve(FACTS, home_taken=True), table=COPY, replace=False, partitions=frozenset({"p2"}))
    assert [(job.label, job.partitions) for job in plan.jobs] == [("db1_0", ("p2",))]
    assert plan.way is Way.HIDDEN
    assert list(plan.manifest.held) == ["p2"]


def test_a_part_never_gets_the_name_of_the_whole() -> None:
    with pytest.raises(TargetExists, match="do not get its name"):
        planned(manifest(part("p1", 10)), FACTS, partitions=frozenset({"p1"}))


@pytest.mark.parametrize(
    ("chosen", "why"), [({"p1", "p9"}, "it had no partition p9 at that point"), (set(), "no partition is chosen")]
)
def test_partitions_that_it_did_not_have_are_named(chosen: set[str], why: str) -> None:
    with pytest.raises(Unrestorable, match="in part") as refusal:
        planned(manifest(part("p1", 10)), FACTS, table=COPY, partitions=frozenset(chosen))
    assert refusal.value.why == why
    assert refusal.value.hint == "it had p1"


# --- how long, and how it is read -------------------------------------------------------------------------------------


def test_how_long_it_takes_and_how_long_the_name_is_away_are_told_apart() -> None:
    pace = Pace(base=10.0, per_byte=1.0)
    what = evolve(two_holders(part("p3", 12, size=500)), ddl="CREATE TABLE orders (id INT)")
    plan = evolve(planned(what), pace=pace)
    assert plan.seconds == 2 * 10 + 500 + 77
    assert plan.seconds_away == 10 + 77
    assert (evolve(plan, pace=None).seconds, evolve(plan, pace=None).seconds_away) == (None, None)
    whole = evolve(planned(manifest(part("p1", 10, size=5))), pace=pace)
    assert (whole.seconds, whole.seconds_away) == (15, 0)
    unknown = evolve(planned(manifest(part("p1", 10))), pace=pace)
    assert unknown.seconds is None


def test_it_is_read_as_it_was_asked_for() -> None:
    plan = planned(manifest(part("p1", 10)), reading=Reading.PARTITIONS)
    assert [step.reading for step in plan.steps if isinstance(step, Verify)] == [Reading.PARTITIONS]
    assert plan.point == "db1_0"


def test_no_two_jobs_make_a_table_of_one_name() -> None:
    plan = planned(listed(two_holders(part("p3", 12))), evolve(FACTS, home_taken=True), table=COPY)
    made = [step.into for step in plan.steps if isinstance(step, RestorePartitions) and step.creating]
    assert made == [ALIAS, SCRATCH]
