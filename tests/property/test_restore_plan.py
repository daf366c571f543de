"""Laws of the way back, for any manifest: also for those that no healthy history gives."""

from __future__ import annotations

from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.errors import BrokenChain, TargetExists, Unrestorable
from starrocks_br.domain.manifest import Manifest, extend
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.partition_values import parse_list_values
from starrocks_br.domain.partitions import Partitioning
from starrocks_br.domain.restore_plan import RestorePlan, Target, TargetFacts, plan_restore
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CreateDatabase,
    Rename,
    RestorePartitions,
    Verify,
)
from tests.property.strategies import TABLE, lineages

ID: Final = RestoreId("r1")
ALIAS: Final = TableRef.parse("db.__br_r1")


def _single(manifest: Manifest) -> Manifest:
    """The same with one physical part per partition: grown ones are refused, and tested apart."""
    held = {
        name: evolve(
            one,
            captured=evolve(
                one.captured,
                partition=evolve(
                    one.captured.partition, identity=frozenset(sorted(one.captured.partition.identity)[:1])
                ),
            ),
        )
        for name, one in manifest.held.items()
    }
    return evolve(manifest, held=held)


manifests = lineages().map(lambda steps: _single(extend(None, *(step.entry for step in steps))))
full_of_something = manifests.filter(lambda manifest: bool(manifest.held))


def facts(manifest: Manifest, *, database_exists: bool = True, alive: int = 3, wish: int | None = None) -> TargetFacts:
    """All is there."""
    return TargetFacts(
        taken_by="",
        database_exists=database_exists,
        alive_backends=alive,
        backup_timestamps={label: f"ts-{label}" for label in manifest.contents},
        replication_num=wish,
    )


def planned(manifest: Manifest) -> RestorePlan:
    """The plan where nothing stands in the way."""
    return plan_restore(manifest, facts(manifest), Target(table=manifest.table), ID)


@given(full_of_something)
def test_each_wanted_partition_is_in_exactly_one_job_and_it_is_its_holders(manifest: Manifest) -> None:
    """A job without a list takes all that its snapshot holds: then all of that is wanted."""
    jobs = planned(manifest).jobs
    assert len({job.label for job in jobs}) == len(jobs)
    for job in jobs:
        wanted = {name for name, held in manifest.held.items() if held.holder == job.label}
        if job.partitions is None:
            assert manifest.contents[job.label] == len(wanted)
        else:
            assert len(job.partitions) == len(wanted) > 0
            assert set(job.partitions) == wanted
    assert {job.label for job in jobs} == {held.holder for held in manifest.held.values()}


@given(full_of_something)
def test_the_first_job_creates_under_the_alias_and_the_others_overlay_in_chain_order(manifest: Manifest) -> None:
    """Nobody can see or take the alias; only the table's own name can be overlaid."""
    jobs = planned(manifest).jobs
    assert [job.creating for job in jobs] == [True] + [False] * (len(jobs) - 1)
    assert [job.into for job in jobs] == [ALIAS] + [TABLE] * (len(jobs) - 1)
    order = list(manifest.contents)
    assert [order.index(job.label) for job in jobs] == sorted(order.index(job.label) for job in jobs)
    assert all(job.backup_timestamp == f"ts-{job.label}" for job in jobs)
    assert all(job.source == manifest.table.name for job in jobs)


@given(full_of_something)
def test_every_job_is_checked_before_anything_else_and_the_table_is_verified(manifest: Manifest) -> None:
    """And with one holder it is verified before anyone can see it."""
    plan = planned(manifest)
    for number, step in enumerate(plan.steps):
        if isinstance(step, RestorePartitions):
            assert plan.steps[number + 1] == CheckRestored(table=step.into, created=step.creating)
    renames = [number for number, step in enumerate(plan.steps) if isinstance(step, Rename)]
    verifies = [number for number, step in enumerate(plan.steps) if isinstance(step, Verify)]
    assert len(renames) == len(verifies) == 1
    assert (verifies < renames) is (len(plan.jobs) == 1)
    assert plan.steps[renames[0]] == Rename(table=ALIAS, to=TABLE.name)
    assert any("incomplete" in note for note in plan.risks) is (len(plan.jobs) > 1)


@given(full_of_something)
def test_a_list_tables_partitions_are_made_right_before_the_job_that_fills_them(manifest: Manifest) -> None:
    """With exactly the recorded values; a table of another kind needs none of that."""
    plan = planned(evolve(manifest, partitioning=Partitioning.LIST))
    for number, step in enumerate(plan.steps):
        if isinstance(step, RestorePartitions) and not step.creating:
            made = plan.steps[number - 1]
            assert isinstance(made, AddPartitions)
            assert tuple(new.name for new in made.partitions) == step.partitions
            assert all(new.values == ((new.name,),) and new.buckets == 4 for new in made.partitions)
    assert not any(isinstance(step, AddPartitions) for step in planned(manifest).steps)


@given(full_of_something, st.data())
def test_a_lost_holder_is_refused_by_name_and_a_lost_bystander_is_not_missed(
    manifest: Manifest, data: st.DataObject
) -> None:
    """Only what holds something that is wanted has to be there."""
    lost = data.draw(st.sampled_from(sorted(manifest.contents)))
    known = facts(manifest)
    rest = {label: at for label, at in known.backup_timestamps.items() if label != lost}
    less = evolve(known, backup_timestamps=rest)
    if lost in manifest.holders():
        with pytest.raises(BrokenChain, match=lost) as refusal:
            plan_restore(manifest, less, Target(table=TABLE), ID)
        assert refusal.value.labels == (lost,)
    else:
        assert plan_restore(manifest, less, Target(table=TABLE), ID) == planned(manifest)


@given(full_of_something, st.integers(1, 5), st.one_of(st.none(), st.integers(1, 5)))
def test_all_jobs_have_one_replication_number_that_the_cluster_can_bear(
    manifest: Manifest, alive: int, wish: int | None
) -> None:
    """Overlays must equal what the creating job made; without a wish it is the greatest that was recorded: here 1."""
    plan = plan_restore(manifest, facts(manifest, alive=alive, wish=wish), Target(table=TABLE), ID)
    assert {job.replication_num for job in plan.jobs} == {min(wish or 1, alive)}


@given(manifests, st.sampled_from(["TABLE", "VIEW", "MATERIALIZED VIEW"]), st.booleans())
def test_nothing_is_planned_over_a_name_that_is_taken(manifest: Manifest, kind: str, exists: bool) -> None:
    """By whatever kind of object; and the database is made only where it is missing."""
    known = facts(manifest, database_exists=exists)
    with pytest.raises(TargetExists, match=f"db.t exists: it is a {kind.lower()}"):
        plan_restore(manifest, evolve(known, taken_by=kind), Target(table=TABLE), ID)
    if manifest.held:
        steps = plan_restore(manifest, known, Target(table=TABLE), ID).steps
        assert [step for step in steps if isinstance(step, CreateDatabase)] == (
            [] if exists else [CreateDatabase(database=TABLE.database)]
        )
        assert exists or isinstance(steps[0], CreateDatabase)


@given(manifests.filter(lambda manifest: not manifest.held))
def test_a_table_without_partitions_comes_from_a_snapshot_that_holds_none(manifest: Manifest) -> None:
    """RESTORE takes no empty list, and none at all would bring dropped partitions back."""
    first = next(iter(manifest.contents))
    if manifest.contents[first]:
        with pytest.raises(Unrestorable, match="it had no partition then"):
            planned(manifest)
    else:
        (job,) = planned(manifest).jobs
        assert (job.label, job.partitions) == (first, None)


@given(st.lists(st.lists(st.text(), min_size=1).map(tuple), min_size=1).map(tuple))
def test_list_values_are_read_as_the_server_writes_them(rows: tuple[tuple[str, ...], ...]) -> None:
    """Quotes, brackets and commas in a value included."""
    quoted = ["[" + ",".join(_as_json(value) for value in row) + "]" for row in rows]
    assert parse_list_values("[" + ",".join(quoted) + "]") == rows


def _as_json(value: str) -> str:
    return '"' + "".join(f"\\u{unit:04x}" for unit in _units(value)) + '"'


def _units(value: str) -> list[int]:
    data = value.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
