"""How the partitions of one table differ between two looks at it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import Identity, same_identity


@frozen(kw_only=True)
class PartitionDiff:
    """How the partitions of one table differ between two looks at it.

    Attributes:
        new: Names seen now and not before; the four sets are disjoint and cover all names of both looks.
        changed: Names whose identity differs (a different set, or an unknown one), never "is newer".
        dropped: Names seen before and not now.
        same: Names whose identity is known and equal.
    """

    new: frozenset[PartitionName]
    changed: frozenset[PartitionName]
    dropped: frozenset[PartitionName]
    same: frozenset[PartitionName]

    @property
    def moved(self) -> bool:
        """Whether anything differs at all."""
        return bool(self.new or self.changed or self.dropped)


def diff_partitions(before: Mapping[PartitionName, Identity], now: Mapping[PartitionName, Identity]) -> PartitionDiff:
    """Compare two looks at one table by identity."""
    new, changed, same = set(), set(), set()
    for name, identity in now.items():
        was = before.get(name)
        if was is None:
            new.add(name)
        elif same_identity(was, identity):
            same.add(name)
        else:
            changed.add(name)
    return PartitionDiff(
        new=frozenset(new),
        changed=frozenset(changed),
        dropped=frozenset(before.keys() - now.keys()),
        same=frozenset(same),
    )
