"""Several tables brought back together, as a person would count their jobs."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.estimate import Pace
from starrocks_br.domain.names import RestoreId, TableName, TableRef
from starrocks_br.domain.restore_batch import RestoreBatch, next_statement, statements_of
from starrocks_br.domain.restore_plan import RestorePlan, Target, plan_restore
from starrocks_br.domain.restore_steps import RestorePartitions
from tests.unit.domain.examples import part
from tests.unit.domain.test_restore_plan import FACTS, planned, two_holders


def job(table: str, label: str) -> RestorePartitions:
    """A table's job out of a snapshot."""
    first = planned(two_holders()).jobs[0]
    return evolve(first, label=type(first.label)(label), source=TableName(table))


def labels_of(*tables: str) -> list[str]:
    """The statements for tables, each written as the letters of its snapshots, in order."""
    jobs = [[job(f"t{number}", label) for label in own] for number, own in enumerate(tables)]
    return ["".join(sorted({one.label for one in found})) + str(len(found)) for found in statements_of(jobs)]


def test_each_snapshot_is_asked_once_where_all_tables_need_theirs_in_one_order() -> None:
    assert labels_of("abc", "abc", "ac") == ["a3", "b2", "c3"]


def test_a_snapshot_that_another_table_needs_later_on_waits_for_it() -> None:
    assert labels_of("b", "ab") == ["a1", "b2"]
    assert labels_of("b", "b", "ab") == ["a1", "b3"]


def test_tables_that_want_each_others_snapshots_first_cost_one_more_statement() -> None:
    assert labels_of("ab", "ba") == ["a1", "b2", "a1"]


def test_among_equals_the_one_that_most_tables_wait_for_goes_first() -> None:
    assert labels_of("b", "b", "a") == ["b2", "a1"]
    assert labels_of() == []


def test_what_differs_in_replicas_or_timestamp_is_not_one_job() -> None:
    first = job("t", "a")
    assert next_statement({1: [first], 2: [evolve(first, replication_num=4)]}) == (1,)
    assert next_statement({1: [evolve(first, backup_timestamp="later")], 2: [first]}) == (1,)


def plan_into(table: str, restore: str) -> RestorePlan:
    """Two holders, of which one said nothing of its size."""
    sized = two_holders(part("p3", 12, size=30))
    return plan_restore(sized, FACTS, Target(table=TableRef.parse(table)), RestoreId(restore))


def test_databases_have_jobs_of_their_own() -> None:
    batch = RestoreBatch(plans=(plan_into("z.orders", "r1"), plan_into("a.orders", "r2"), plan_into("a.more", "r3")))
    assert [(str(one[0].into.database), len(one)) for one in batch.statements] == [
        ("a", 2),
        ("a", 2),
        ("z", 1),
        ("z", 1),
    ]


def test_how_long_it_takes_is_told_by_statement_where_all_sizes_and_a_pace_are_known() -> None:
    plans = (plan_into("a.orders", "r1"), plan_into("a.more", "r2"))
    pace = Pace(base=10.0, per_byte=1.0)
    batch = RestoreBatch(plans=plans, pace=pace)
    whole = sum(one.size or 0 for plan in plans for one in plan.jobs)
    assert batch.seconds == 2 * pace.base + whole
    assert evolve(batch, pace=None).seconds is None
    unknown = planned(two_holders(part("p3", 12)))
    assert evolve(batch, plans=(*plans, unknown)).seconds is None
    assert RestoreBatch(plans=(), pace=pace).seconds == 0
