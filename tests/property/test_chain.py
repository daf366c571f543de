"""Laws of lineage: found by recorded baselines, whatever the order of what is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.chain import chain_to, points, resolve_chain
from starrocks_br.domain.errors import BrokenChain, NoPoint
from starrocks_br.domain.names import ClusterId, Label, RepositoryName, TableRef
from starrocks_br.domain.snapshot import Consistency, Entry
from starrocks_br.domain.status import Status
from tests.property.strategies import START, TABLE, Step, lineages

times = st.integers(-60, 8 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))


def entries_of(steps: list[Step]) -> list[Entry]:
    """The entries alone."""
    return [step.entry for step in steps]


def labels(entries: tuple[Entry, ...]) -> list[str]:
    """The labels alone."""
    return [entry.label for entry in entries]


def with_status(status: Status) -> Callable[[Entry], Entry]:
    """A change of an entry's status."""
    return lambda entry: evolve(entry, snapshot=evolve(entry.snapshot, status=status))


DAMAGES: dict[str, Callable[[Entry], Entry]] = {
    "unfinished": with_status(Status.RUNNING),
    "lost": with_status(Status.LOST),
    "failed": with_status(Status.FAILED),
    "expired": with_status(Status.EXPIRED),
    "foreign": lambda entry: evolve(entry, snapshot=evolve(entry.snapshot, cluster=ClusterId("2"))),
    "elsewhere": lambda entry: evolve(entry, snapshot=evolve(entry.snapshot, repository=RepositoryName("other"))),
    "circular": lambda entry: evolve(entry, baseline=Label("s5")),
}


@given(lineages(), st.randoms(use_true_random=False), times)
def test_the_order_of_entries_never_matters(steps: list[Step], chance: random.Random, at: datetime) -> None:
    """Not for the points, not for the chain, not for the refusal."""
    entries = entries_of(steps)
    shuffled = entries.copy()
    chance.shuffle(shuffled)
    assert points(shuffled, TABLE) == points(entries, TABLE)
    assert outcome(shuffled, at) == outcome(entries, at)


def outcome(entries: list[Entry], at: datetime) -> object:
    """The chain, or the refusal's own words."""
    try:
        return resolve_chain(entries, TABLE, at)
    except NoPoint as refusal:
        return str(refusal), refusal.oldest, refusal.newest


@given(lineages(), times)
def test_an_instant_resolves_to_the_newest_point_at_or_before_it(steps: list[Step], at: datetime) -> None:
    """And to the links from the full one to it, one for each recorded baseline; before the first there is no point."""
    entries = entries_of(steps)
    reached = [entry for entry in entries if entry.snapshot.snapshot_at and entry.snapshot.snapshot_at <= at]
    if reached:
        assert resolve_chain(entries, TABLE, at).entries == tuple(reached)
    else:
        with pytest.raises(NoPoint) as refusal:
            resolve_chain(entries, TABLE, at)
        assert refusal.value.oldest == entries[0].snapshot.snapshot_at
        assert refusal.value.newest == entries[-1].snapshot.snapshot_at


@given(lineages(min_size=2), st.data())
def test_newer_snapshots_never_change_what_an_older_point_resolves_to(steps: list[Step], data: st.DataObject) -> None:
    """Nor do other tables' entries and failed attempts in between."""
    entries = entries_of(steps)
    known = data.draw(st.integers(1, len(entries)))
    at = entries[known - 1].snapshot.snapshot_at
    assert at is not None
    before = resolve_chain(entries[:known], TABLE, at)
    strangers = [evolve(entry, table=TableRef.parse("db.u")) for entry in entries]
    failed = [
        evolve(entry, snapshot=evolve(entry.snapshot, label=Label(f"f{number}"), status=Status.FAILED))
        for number, entry in enumerate(entries)
    ]
    assert resolve_chain([*failed, *entries, *strangers], TABLE, at) == before


@given(lineages(min_size=6, max_size=6), st.integers(1, 4), st.sampled_from(sorted(DAMAGES)))
def test_a_link_that_does_not_hold_breaks_every_chain_through_it(steps: list[Step], number: int, damage: str) -> None:
    """Unfinished, lost, expired, foreign, circular: the error names the labels from the target to the fault."""
    entries = entries_of(steps)
    entries[number] = DAMAGES[damage](entries[number])
    with pytest.raises(BrokenChain) as refusal:
        chain_to(entries, TABLE, Label("s5"))
    fault = "s5" if damage == "circular" else f"s{number}"
    assert refusal.value.labels == (*(Label(f"s{n}") for n in range(5, number - (damage == "circular"), -1)), fault)
    assert fault in refusal.value.why
    assert set(labels(points(entries, TABLE))) <= {f"s{n}" for n in range(number + 1)}


@given(lineages(min_size=2), st.data())
def test_a_missing_link_breaks_every_chain_through_it_and_no_other(steps: list[Step], data: st.DataObject) -> None:
    """A gap is never bridged by time; what lies before it can still be restored."""
    entries = entries_of(steps)
    lost = data.draw(st.integers(0, len(entries) - 1))
    rest = [entry for entry in entries if entry is not entries[lost]]
    assert labels(points(rest, TABLE)) == [f"s{number}" for number in reversed(range(lost))]
    for entry in entries[lost + 1 :]:
        with pytest.raises(BrokenChain, match=f"snapshot {entry.label}") as refusal:
            resolve_chain(rest, TABLE, entry.snapshot.snapshot_at or START)
        assert refusal.value.labels[-1] == f"s{lost}"


@given(lineages(), st.data())
def test_a_link_recorded_twice_is_not_trusted(steps: list[Step], data: st.DataObject) -> None:
    """Even if both records are the same."""
    entries = entries_of(steps)
    twice = data.draw(st.integers(0, len(entries) - 1))
    with pytest.raises(BrokenChain, match="recorded twice"):
        chain_to([*entries, entries[twice]], TABLE, entries[-1].label)


@given(lineages(), st.data())
def test_a_point_that_is_not_exact_is_taken_only_on_demand(steps: list[Step], data: st.DataObject) -> None:
    """It may be a link of an exact one all the same: what it captured is known."""
    entries = entries_of(steps)
    number = data.draw(st.integers(0, len(entries) - 1))
    kind = data.draw(st.sampled_from([Consistency.FUZZY, Consistency.UNKNOWN]))
    entries[number] = evolve(entries[number], consistency=kind)
    exact = points(entries, TABLE)
    assert entries[number] not in exact
    assert points(entries, TABLE, allow_fuzzy=True) == tuple(reversed(entries))
    assert exact == tuple(entry for entry in reversed(entries) if entry is not entries[number])
