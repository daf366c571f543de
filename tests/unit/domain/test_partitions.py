"""What was seen."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.partitions import UNKNOWN, same_identity
from starrocks_br.domain.reprs import count
from tests.unit.domain.examples import identity, look, part, table


def test_an_unknown_identity_equals_nothing() -> None:
    """Not even itself: what is not known has to be captured."""
    assert same_identity(identity(10), identity(10))
    assert not same_identity(identity(10, 3), identity(10, 2))
    assert not same_identity(UNKNOWN, UNKNOWN)


def test_a_partition_with_several_parts_has_grown() -> None:
    """Automatic buckets: RESTORE cannot overlay it."""
    one = part("p1", 10)
    assert not one.grown
    assert evolve(one, identity=one.identity | identity(11)).grown
    assert not evolve(one, identity=UNKNOWN).grown


def test_identities_are_by_name() -> None:
    """As a later diff wants them."""
    assert table(part("p1", 10), part("p2", 11)).identities() == {"p1": identity(10), "p2": identity(11)}


def test_big_values_show_themselves_by_counts() -> None:
    """A hundred thousand partitions do not belong into a log."""
    state = table(part("p1", 10), part("p2", 11))
    assert "partitions=2" in repr(state)
    assert "tables=1" in repr(look(state))
    assert count([1, 2, 3]) == "3"
