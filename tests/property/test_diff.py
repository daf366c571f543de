"""Laws of the partition diff."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given

from starrocks_br.domain.diff import diff_partitions
from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import Identity
from tests.property.strategies import looks

Look = Mapping[PartitionName, Identity]


@given(looks, looks)
def test_the_four_sets_are_disjoint_and_cover_both_looks(before: Look, now: Look) -> None:
    """Every name is in exactly one of new, changed, dropped and same."""
    diff = diff_partitions(before, now)
    sets = (diff.new, diff.changed, diff.dropped, diff.same)
    assert sum(len(names) for names in sets) == len(frozenset().union(*sets))
    assert frozenset().union(*sets) == set(before) | set(now)


@given(looks, looks)
def test_applying_the_diff_to_the_first_look_gives_the_second(before: Look, now: Look) -> None:
    """Whoever keeps what is the same and takes what is new or changed has the second look, and no dropped name."""
    diff = diff_partitions(before, now)
    applied = {name: before[name] for name in diff.same} | {name: now[name] for name in diff.new | diff.changed}
    assert applied == now
    assert diff.dropped == before.keys() - applied.keys()


@given(looks, looks)
def test_a_partition_is_the_same_only_if_its_identity_is_known_and_equal(before: Look, now: Look) -> None:
    """By inequality alone: neither a lower version nor an older time passes for unchanged, nor does the unknown."""
    same = set()
    for name, identity in now.items():
        if len(identity) > 0 and name in before and sorted(before[name]) == sorted(identity):
            same.add(name)
    assert diff_partitions(before, now).same == same


@given(looks, looks)
def test_a_diff_the_other_way_round_swaps_new_and_dropped(before: Look, now: Look) -> None:
    """Nothing depends on which look is the later one."""
    there, back = diff_partitions(before, now), diff_partitions(now, before)
    assert (there.new, there.dropped, there.changed, there.same) == (
        back.dropped,
        back.new,
        back.changed,
        back.same,
    )


@given(looks)
def test_a_table_that_nobody_touched_has_not_moved(look: Look) -> None:
    """Unless something of it is unknown: that counts as moved."""
    assert diff_partitions(look, look).moved is any(not identity for identity in look.values())
