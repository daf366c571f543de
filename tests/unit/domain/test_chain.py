"""Lineage, and what is told where it cannot be followed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from starrocks_br.domain.chain import Chain, chain_to, lineage, point_at, points, resolve_chain, unsure_at
from starrocks_br.domain.errors import BrokenChain, NoPoint
from starrocks_br.domain.names import ClusterId, Label, RepositoryName
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from starrocks_br.domain.status import Status
from tests.unit.domain.examples import NOON, ORDERS, entry, manifest, next_entry, part, snapshot


def history() -> list[Entry]:
    """A full entry and two incremental ones, at 12, 13 and 14 o'clock."""
    full = manifest(part("p1", 10), part("p2", 11))
    return [
        entry(0, part("p1", 10), part("p2", 11)),
        next_entry(full, 1, part("p1", 10, version=3)),
        next_entry(full, 2, part("p1", 10, version=4)),
    ]


def test_an_instant_gives_the_chain_of_the_newest_point_before_it() -> None:
    """Full first; its manifest is the table then."""
    chain = resolve_chain(history(), ORDERS, NOON + timedelta(hours=1, minutes=30))
    assert [link.label for link in chain.entries] == ["db1_0", "db1_1"]
    assert chain.manifest().holders() == {"db1_0", "db1_1"}
    assert repr(chain) == "Chain(entries=2)"


def test_the_instant_of_a_point_gives_that_point() -> None:
    """What `list` prints can be pasted back."""
    middle = history()[1]
    assert middle.snapshot.snapshot_at is not None
    assert point_at(history(), ORDERS, middle.snapshot.snapshot_at).label == "db1_1"


def test_outlines_have_a_lineage_too() -> None:
    """Without reading a single partition."""
    outlines = [link.outline() for link in history()]
    assert [link.label for link in lineage(outlines, ORDERS, Label("db1_2"))] == ["db1_0", "db1_1", "db1_2"]
    assert [link.label for link in points(outlines, ORDERS)] == ["db1_2", "db1_1", "db1_0"]


def test_a_missing_link_is_told_with_the_way_to_it() -> None:
    """Which snapshot, why, and where to look for other points."""
    full, _, last = history()
    with pytest.raises(BrokenChain) as refusal:
        chain_to([full, last], ORDERS, last.label)
    assert refusal.value.what == "db1.orders cannot be restored from snapshot db1_2"
    assert refusal.value.why == "its chain needs snapshot db1_1, of which nothing sound is recorded"
    assert refusal.value.hint == "starrocks-br list --table db1.orders shows the points that can be restored"
    assert (refusal.value.table, refusal.value.labels) == (ORDERS, ("db1_2", "db1_1"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"snapshot": snapshot(1, status=Status.EXPIRED)}, "its chain needs snapshot db1_1, which is EXPIRED"),
        ({"snapshot": snapshot(1, status=Status.UNCHANGED)}, "its chain needs snapshot db1_1, which is UNCHANGED"),
        ({"baseline": None}, "snapshot db1_1 is recorded as INCREMENTAL with baseline None"),
        ({"type": BackupType.FULL}, "snapshot db1_1 is recorded as FULL with baseline db1_0"),
        ({"baseline": Label("db1_2")}, "its chain goes in a circle at snapshot db1_2"),
        (
            {"snapshot": snapshot(1, cluster="2")},
            "its chain needs snapshot db1_1, which belongs to another cluster or repository",
        ),
    ],
)
def test_a_link_that_does_not_hold_is_told(changed: dict[str, object], why: str) -> None:
    """In words that name it."""
    full, middle, last = history()
    with pytest.raises(BrokenChain) as refusal:
        chain_to([full, evolve(middle, **changed), last], ORDERS, last.label)  # type: ignore[arg-type]
    assert refusal.value.why == why


def test_a_link_that_is_recorded_twice_is_not_trusted() -> None:
    """Which of them should it be?"""
    full, middle, last = history()
    with pytest.raises(BrokenChain, match="which is recorded twice"):
        chain_to([full, middle, middle, last], ORDERS, last.label)


def test_an_unchanged_target_is_a_point() -> None:
    """It has its baseline's contents."""
    full, *_ = history()
    leaf = evolve(entry(1, whole={}, snapshot=snapshot(1, status=Status.UNCHANGED)), digest=full.digest)
    chain = resolve_chain([full, leaf], ORDERS, NOON + timedelta(hours=2))
    assert chain.manifest().identities() == manifest(part("p1", 10), part("p2", 11)).identities()


def test_a_broken_newest_point_is_never_passed_over_for_an_older_one() -> None:
    """The user asked for that instant: a refusal, not another table."""
    full, _, last = history()
    assert point_at([full, last], ORDERS, NOON + timedelta(hours=9)).label == "db1_2"
    assert [link.label for link in points([full, last], ORDERS)] == ["db1_0"]
    with pytest.raises(BrokenChain):
        resolve_chain([full, last], ORDERS, NOON + timedelta(hours=9))


def test_before_the_first_point_there_is_none() -> None:
    """The error tells the points that there are."""
    with pytest.raises(NoPoint) as refusal:
        point_at(history(), ORDERS, NOON)
    assert refusal.value.what == "db1.orders cannot be restored to 2026-10-06 12:00:00+00:00"
    assert refusal.value.why == (
        "its oldest restorable point is 2026-10-06 12:00:20+00:00, its newest 2026-10-06 14:00:20+00:00"
    )
    assert refusal.value.hint == "starrocks-br list --table db1.orders shows its points"
    assert (refusal.value.oldest, refusal.value.newest) == (snapshot(0).snapshot_at, snapshot(2).snapshot_at)


def test_a_table_that_was_never_backed_up_has_no_point() -> None:
    """Entries that ended badly, metadata and unfinished ones are none."""
    full = history()[0]
    rows = [
        evolve(full, snapshot=snapshot(0, status=Status.FAILED)),
        evolve(full, snapshot=snapshot(1, snapshot_at=None)),
        evolve(full, type=BackupType.METADATA),
    ]
    with pytest.raises(NoPoint) as refusal:
        point_at(rows, ORDERS, NOON)
    assert refusal.value.what == "db1.orders cannot be restored to 2026-10-06 12:00:00+00:00"
    assert refusal.value.why == "no finished backup of it is recorded"
    assert refusal.value.hint == "check the name, and starrocks-br list --all"


@pytest.mark.parametrize("kind", [Consistency.FUZZY, Consistency.UNKNOWN])
def test_a_point_that_is_not_exact_has_to_be_asked_for(kind: Consistency) -> None:
    """The error says how."""
    fuzzy = evolve(history()[0], consistency=kind)
    late = NOON + timedelta(hours=1)
    with pytest.raises(NoPoint) as refusal:
        resolve_chain([fuzzy], ORDERS, late)
    assert refusal.value.what == "db1.orders cannot be restored to 2026-10-06 13:00:00+00:00"
    assert refusal.value.why == "none of its points is exact"
    assert refusal.value.hint.startswith("--allow-fuzzy takes the nearest one")
    assert resolve_chain([fuzzy], ORDERS, late, allow_fuzzy=True) == Chain((fuzzy,))
    with pytest.raises(NoPoint):
        point_at([fuzzy], ORDERS, late)
    assert points([fuzzy], ORDERS) == ()
    assert points([fuzzy], ORDERS, allow_fuzzy=True) == (fuzzy,)


def test_an_instant_within_a_cut_is_told() -> None:
    """The cut may lie on either side of it: such a point needs its label."""
    entries = history()
    cut = snapshot(1)
    assert cut.not_before is not None
    assert unsure_at(entries, ORDERS, cut.not_before) is entries[1]
    assert unsure_at(entries, ORDERS, cut.not_before - timedelta(seconds=1)) is None
    assert cut.snapshot_at is not None
    assert unsure_at(entries, ORDERS, cut.snapshot_at) is None
    fuzzy = evolve(entries[1], consistency=Consistency.FUZZY)
    assert unsure_at([fuzzy], ORDERS, cut.not_before) is fuzzy


ABROAD = ClusterId("2")


def across() -> list[Entry]:
    """Two entries of one cluster, what was restored of them on another, and an entry that was cut there."""
    full, second, third = history()
    restored = next_entry(manifest(part("p1", 10, version=3), part("p2", 11)), 2, part("p1", 20), part("p2", 21))
    abroad = evolve(restored, type=BackupType.RESTORED, snapshot=evolve(third.snapshot, cluster=ABROAD))
    after = next_entry(manifest(part("p1", 20), part("p2", 21)), 3, part("p1", 20, version=3))
    return [full, second, abroad, evolve(after, snapshot=evolve(after.snapshot, cluster=ABROAD))]


def test_a_restore_takes_a_chain_to_another_cluster() -> None:
    """What was cut there rests on what was restored there, and that on what the first cluster cut."""
    links = across()
    assert [point.label for point in points(links, ORDERS)] == ["db1_3", "db1_2", "db1_1", "db1_0"]
    folded = chain_to(links, ORDERS, Label("db1_3")).manifest()
    assert {name: held.holder for name, held in folded.held.items()} == {"p1": "db1_3", "p2": "db1_0"}
    assert folded.cluster == ABROAD


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (0, {"cluster": ABROAD}),
        (3, {"cluster": ClusterId("1")}),
        (1, {"repository": RepositoryName("other")}),
        (2, {"repository": RepositoryName("other")}),
    ],
)
def test_nothing_else_does_and_it_stays_in_its_repository(number: int, changes: dict[str, str]) -> None:
    links = across()
    links[number] = evolve(links[number], snapshot=evolve(links[number].snapshot, **changes))  # type: ignore[arg-type]
    with pytest.raises(BrokenChain, match="belongs to another cluster or repository"):
        chain_to(links, ORDERS, Label("db1_3"))
