"""How the partitions of one table differ between two looks at it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import UNKNOWN, Identity, same_identity


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
    common = before.keys() & now.keys()
    same = frozenset({name for name, identity in now.items() if same_identity(identity, before.get(name, UNKNOWN))})
    return PartitionDiff(
        new=frozenset(now.keys() - before.keys()),
        changed=frozenset(common - same),
        dropped=frozenset(before.keys() - now.keys()),
        same=same,
    )
