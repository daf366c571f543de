"""The way back, as a person would read it."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import BrokenChain, TargetExists, Unrestorable
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import Label, RestoreId, TableRef
from starrocks_br.domain.partition_values import parse_list_values
from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CreateDatabase,
    NewPartition,
    Rename,
    RestorePartitions,
    Verify,
)
from tests.unit.domain.examples import ORDERS, identity, manifest, next_entry, part

ALIAS = TableRef.parse("db1.__br_k3f9qa")
FACTS = TargetFacts(
    taken_by="",
    database_exists=True,
    alive_backends=3,
    backup_timestamps={Label("db1_0"): "ts0", Label("db1_1"): "ts1"},
)


def planned(what: Manifest, facts: TargetFacts = FACTS, to: TableRef = ORDERS) -> RestorePlan:
    """The plan."""
    return plan_restore(what, facts, Target(table=to), RestoreId("k3f9qa"))


def two_holders(*later: Partition, **more: object) -> Manifest:
    """p1 and p2 in the full snapshot, these in the next one."""
    first = manifest(
        part("p1", 10, values='[["a"]]', replication_num=3, size=70),
        part("p2", 11, values='[["b"]]', size=7),
    )
    return evolve(extend(first, next_entry(first, 1, *later)), **more)  # type: ignore[arg-type]


def test_one_holder_is_restored_out_of_sight_and_renamed_when_it_is_verified() -> None:
    """Nobody sees it half done."""
    plan = planned(manifest(part("p1", 10, replication_num=2, size=70), part("p2", 11, size=None)))
    job = RestorePartitions(
        label=Label("db1_0"),
        backup_timestamp="ts0",
        source=ORDERS.name,
        into=ALIAS,
        creating=True,
        partitions=None,
        replication_num=2,
        size=70,
    )
    assert plan.steps == (
        job,
        CheckRestored(table=ALIAS, created=True),
        Verify(table=ALIAS, source=ORDERS, point=Label("db1_0")),
        Rename(table=ALIAS, to=ORDERS.name),
    )
    assert plan.jobs == (job,)
    assert (plan.restore, plan.repository) == ("k3f9qa", "repo")
    assert (plan.target, plan.alias) == (Target(table=ORDERS), ALIAS)
    assert plan.manifest.holders() == {"db1_0"}
    assert plan.risks == ()
    assert plan.notes == (
        "a colocate group, views, materialized views and grants on the table do not come back",
        "table properties are those of snapshot db1_0",
    )
    assert "partitions=all" in repr(job)


def test_several_holders_overlay_under_the_tables_own_name() -> None:
    """And the plan says that the table can be seen meanwhile."""
    plan = planned(two_holders(part("p2", 11, version=3), part("p3", 12), automatic=True))
    first, second = plan.jobs
    assert (first.into, first.partitions, first.automatic) == (ALIAS, ("p1",), True)
    assert (second.into, second.partitions, second.size) == (ORDERS, ("p2", "p3"), None)
    assert {first.replication_num, second.replication_num} == {3}
    assert plan.steps == (
        first,
        CheckRestored(table=ALIAS, created=True),
        Rename(table=ALIAS, to=ORDERS.name),
        second,
        CheckRestored(table=ORDERS, created=False),
        Verify(table=ORDERS, source=ORDERS, point=Label("db1_1")),
    )
    (risk,) = plan.risks
    assert risk == (
        "2 snapshots hold parts of it: db1.orders can be seen, incomplete, from the first job to the last; keep users "
        "away until the restore says that it is done"
    )
    assert "partitions=2" in repr(second)


def test_partitions_of_a_list_table_are_made_before_they_are_filled() -> None:
    """RESTORE refuses to add them."""
    plan = planned(two_holders(part("p3", 12, values='[["c","d"],["e","f"]]'), partitioning=Partitioning.LIST))
    assert plan.steps[3] == AddPartitions(
        table=ORDERS,
        partitions=(NewPartition(name=plan.jobs[1].partitions[0], values=(("c", "d"), ("e", "f")), buckets=4),)
        if plan.jobs[1].partitions
        else (),
        replication_num=3,
    )
    assert plan.steps[4] == plan.jobs[1]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("[[1]]", "1 is no text"),
        ('{"a":1}', "not a list of value tuples"),
        ("[]", "not a list of value tuples"),
        ("[[]]", "not a list of value tuples"),
        ('["a"]', "not a list of value tuples"),
        ("nonsense", "Expecting value"),
    ],
)
def test_values_that_were_not_shown_to_come_back_are_refused(values: str, reason: str) -> None:
    """By name, with a way out."""
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_list_values(values)
    with pytest.raises(Unrestorable) as refusal:
        planned(two_holders(part("p3", 12, values=values), partitioning=Partitioning.LIST))
    assert refusal.value.what == "db1.orders cannot be restored to this point"
    assert refusal.value.why.startswith(
        f"partition p3 has to be added by hand and its values {values!r} cannot be written back with certainty: "
    )
    assert refusal.value.hint == "choose a point at which the table was backed up whole"


def test_a_name_that_is_taken_is_refused() -> None:
    """Whatever takes it."""
    with pytest.raises(TargetExists) as refusal:
        planned(manifest(part("p1", 10)), evolve(FACTS, taken_by="VIEW"))
    assert refusal.value.what == "db1.orders exists"
    assert refusal.value.why == "it is a view; nothing is restored over a live object"
    assert refusal.value.hint == (
        "--replace lets it give way and keeps it under another name; --as NAME or --to-database DB restores beside "
        "it; or rename it first: ALTER TABLE db1.orders RENAME ..."
    )


def test_a_holder_that_is_gone_is_refused() -> None:
    """With its label."""
    with pytest.raises(BrokenChain) as refusal:
        planned(two_holders(part("p3", 12)), evolve(FACTS, backup_timestamps={Label("db1_0"): "ts0"}))
    assert refusal.value.what == "db1.orders cannot be restored to this point"
    assert (refusal.value.table, refusal.value.labels) == (ORDERS, ("db1_1",))
    assert refusal.value.why == "repository repo does not hold db1_1 as recorded"
    assert refusal.value.hint == "starrocks-br list --table db1.orders shows its other points"
    with pytest.raises(BrokenChain, match="does not hold db1_0, db1_1 as recorded"):
        planned(two_holders(part("p3", 12)), evolve(FACTS, backup_timestamps={}))


def test_a_missing_database_is_made_first() -> None:
    """And the alias lives where the table will."""
    plan = planned(manifest(part("p1", 10)), evolve(FACTS, database_exists=False), TableRef.parse("drill.copy"))
    assert plan.steps[0] == CreateDatabase(database=TableRef.parse("drill.copy").database)
    assert plan.steps[-1] == Rename(table=TableRef.parse("drill.__br_k3f9qa"), to=TableRef.parse("drill.copy").name)


def test_under_another_name_it_is_put_together_under_its_own_if_that_is_free() -> None:
    """RESTORE adds to a table under no other; the name it is to have comes last, when it is verified."""
    home, copy = TableRef.parse("drill.orders"), TableRef.parse("drill.copy")
    plan = planned(two_holders(part("p3", 12)), to=copy)
    first, second = plan.jobs
    assert plan.way is Way.OVERLAY
    assert (first.into, second.into) == (TableRef.parse("drill.__br_k3f9qa"), home)
    assert plan.steps[-2:] == (
        Verify(table=home, source=ORDERS, point=Label("db1_1")),
        Rename(table=home, to=copy.name),
    )
    assert plan.away == ()


def test_replicas_are_as_wished_or_recorded_and_never_more_than_backends() -> None:
    """One number for all steps."""
    known = manifest(part("p1", 10, replication_num=3))
    assert planned(known).jobs[0].replication_num == 3
    assert planned(known, evolve(FACTS, alive_backends=1)).jobs[0].replication_num == 1
    assert planned(known, evolve(FACTS, replication_num=2)).jobs[0].replication_num == 2
    assert planned(known, evolve(FACTS, replication_num=9)).jobs[0].replication_num == 3


def test_grown_partitions_come_back_with_the_job_that_makes_the_table() -> None:
    """RESTORE takes them then only; in two snapshots, those of one are read over from a scratch table."""
    grown = evolve(part("p3", 12), identity=identity(12) | identity(13))
    assert planned(manifest(grown)).jobs[0].partitions is None
    plan = planned(two_holders(grown))
    assert (plan.way, [job.label for job in plan.jobs]) == (Way.OVERLAY, ["db1_1", "db1_0"])
    assert any("AUTO_INCREMENT" in note for note in plan.notes)


def test_numbers_given_out_to_partitions_that_were_dropped_may_be_given_out_again() -> None:
    """Their snapshot holds nothing of the point, so nothing sets the counter to where it was."""
    second = two_holders(part("p3", 12))
    assert not any("AUTO_INCREMENT" in note for note in planned(second).notes)
    third = extend(second, next_entry(second, 2, dropped=frozenset({"p3"})))
    assert [job.label for job in planned(third).jobs] == ["db1_0"]
    assert any("counter is that of snapshot db1_0" in note for note in planned(third).notes)
    plain = evolve(third, ddl="CREATE TABLE orders (id INT)")
    assert not any("AUTO_INCREMENT" in note for note in planned(plain).notes)


def test_an_empty_table_comes_from_an_empty_snapshot() -> None:
    """Another one would bring back partitions that were dropped."""
    assert planned(manifest()).jobs[0].partitions is None
    assert planned(manifest()).jobs[0].size is None
    assert planned(manifest()).jobs[0].replication_num == 1
    first = manifest(part("p1", 10))
    with pytest.raises(Unrestorable, match="it had no partition then") as refusal:
        planned(extend(first, next_entry(first, 1, dropped=frozenset({"p1"}))))
    assert refusal.value.hint == "choose a point at which the table was backed up whole"
    assert refusal.value.what == "db1.orders cannot be restored to this point"


def test_what_is_dropped_in_the_end_is_a_risk_and_what_stays_has_a_name() -> None:
    """And the notes are about the result only."""
    facts = evolve(FACTS, taken_by="BASE TABLE", target_id=7)
    kept = plan_restore(manifest(part("p1", 10)), facts, Target(table=ORDERS, replace=True), RestoreId("k3f9qa"))
    assert (str(kept.aside), kept.risks) == ("db1.orders__before_k3f9qa", ())
    target = Target(table=ORDERS, replace=True, drop_old=True)
    dropped = plan_restore(manifest(part("p1", 10)), facts, target, RestoreId("k3f9qa"))
    assert dropped.aside is None
    (risk,) = dropped.risks
    assert risk == (
        "the table that is db1.orders now is dropped in the end, past recovery; without --drop-old it would stay "
        "under another name"
    )
    assert kept.notes == dropped.notes
