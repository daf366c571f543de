"""What was recorded."""

from __future__ import annotations

from tests.unit.domain.examples import NOON, entry, part, snapshot


def test_an_outline_counts_what_an_entry_holds() -> None:
    """Sizes that are not known are left out; if none is known, there is no sum."""
    outline = entry(0, part("p1", 10, size=100), part("p2", 11, size=5), part("p3", 12)).outline()
    assert (outline.label, outline.captured, outline.dropped, outline.size) == ("db1_0", 3, 0, 105)
    assert entry(0, part("p1", 10)).outline().size is None
    assert entry(0, part("p1", 10, size=0)).outline().size == 0


def test_a_leaf_captured_nothing() -> None:
    """A full entry of an empty table is none: it holds the schema."""
    assert entry(1).outline().leaf
    assert not entry(0).outline().leaf
    assert not entry(1, part("p1", 10)).outline().leaf


def test_a_snapshot_keeps_its_point() -> None:
    """Twenty seconds after the look, here."""
    assert entry(0).label == snapshot(0).label
    assert (snapshot(0).snapshot_at or NOON) > snapshot(0).created_at
