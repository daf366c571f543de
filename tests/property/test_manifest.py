"""Laws of the fold: which snapshot holds each partition."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from starrocks_br.domain.chain import Chain
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.manifest import digest_of, extend
from starrocks_br.domain.names import Label, PartitionName
from starrocks_br.domain.partitions import Identity
from tests.property.strategies import Step, lineages, looks, names

Look = dict[PartitionName, Identity]


@given(lineages())
def test_the_fold_is_the_table_as_it_was_replayed(steps: list[Step]) -> None:
    """At every link the manifest has the partitions and identities of a dict that went through the same changes."""
    for number, step in enumerate(steps, start=1):
        manifest = Chain(tuple(one.entry for one in steps[:number])).manifest()
        assert manifest.identities() == step.identities
        assert manifest.at == step.entry.snapshot.snapshot_at


@given(lineages())
def test_a_holder_is_the_last_snapshot_that_captured_the_partition(steps: list[Step]) -> None:
    """Not the first that had it, and none from before it was dropped."""
    holders: dict[PartitionName, Label] = {}
    for step in steps:
        holders.update(dict.fromkeys(step.entry.captured, step.entry.label))
        for name in step.entry.dropped:
            del holders[name]
    manifest = extend(None, *(step.entry for step in steps))
    assert {name: held.holder for name, held in manifest.held.items()} == holders
    assert manifest.holders() == (set(holders.values()) or {steps[0].entry.label})


@given(lineages(min_size=2), st.data())
def test_folding_in_two_goes_is_folding_in_one(steps: list[Step], data: st.DataObject) -> None:
    """A manifest can be kept and extended; the one that was kept stays as it was."""
    cut = data.draw(st.integers(1, len(steps)))
    first, rest = [step.entry for step in steps[:cut]], [step.entry for step in steps[cut:]]
    kept = extend(None, *first)
    before = kept.identities()
    if rest:
        assert extend(kept, *rest) == extend(None, *first, *rest)
    assert kept.identities() == before


@given(lineages(min_size=3, max_size=6), st.data())
def test_a_fold_that_lost_a_link_is_an_error(steps: list[Step], data: st.DataObject) -> None:
    """Unless the link changed nothing: the digest tells, and the error names the entry where it shows."""
    lost = data.draw(st.integers(1, len(steps) - 2)) if len(steps) > 2 else 0
    assume(lost and steps[lost].identities != steps[lost - 1].identities)
    rest = [step.entry for number, step in enumerate(steps) if number != lost]
    folded = dict(steps[lost - 1].identities)
    for entry in rest[lost:]:
        for name in entry.dropped:
            folded.pop(name, None)
        folded |= {name: captured.partition.identity for name, captured in entry.captured.items()}
        if folded != next(step.identities for step in steps if step.entry is entry):
            with pytest.raises(BrokenChain) as refusal:
                extend(None, *rest)
            assert refusal.value.labels
            return


@given(lineages(), st.data(), names)
def test_a_changed_record_does_not_fold(steps: list[Step], data: st.DataObject, name: PartitionName) -> None:
    """One partition more, or with another identity, than what the digest was made over."""
    number = data.draw(st.integers(0, len(steps) - 1))
    entry = steps[number].entry
    other = next(iter(steps[number].entry.captured.values()), None)
    assume(other is not None)
    assert other is not None
    damaged = evolve(other, partition=evolve(other.partition, identity=frozenset({(99, 9, 9)})))
    changed = evolve(entry, captured={**entry.captured, name: damaged})
    entries = [changed if step.entry is entry else step.entry for step in steps]
    with pytest.raises(BrokenChain) as refusal:
        extend(None, *entries)
    assert refusal.value.labels == (entry.label,)
    assert refusal.value.table == entry.table


@given(looks, looks)
def test_digests_are_equal_for_equal_identities_and_for_no_others(one: Look, other: Look) -> None:
    """Whatever their order."""
    assert digest_of(dict(reversed(one.items()))) == digest_of(one)
    assert (digest_of(one) == digest_of(other)) is (one == other)
