"""An INSERT OVERWRITE that has begun and not ended: what a test needs to put a BACKUP's cut in its middle (O2§0.1).

A statement runs at one moment here, so no client can see this state; a test calls it up by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from starrocks_simulator.catalog import Partition, Table
from starrocks_simulator.versions import publish

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


@define(eq=False)
class RunningOverwrite:
    """The temporary partitions `<name>_<transaction id>` of one overwrite.

    Attributes:
        table: Which is overwritten.
        replacements: Each overwritten partition with the temporary one that will take its place.
    """

    _frontend: Frontend
    table: Table
    replacements: list[tuple[Partition, Partition]]

    def finish(self) -> None:
        """The temporary partitions take the places: new ids, version 2 with rows, 1 without (O§n)."""
        for partition, temporary in self.replacements:
            if self._frontend.rows.count(temporary.physical[0].id):
                publish(self._frontend, temporary.physical)
            self._frontend.rows.drop(one.id for one in partition.physical)
            partition.id, partition.physical = temporary.id, temporary.physical
            del self.table.temp_partitions[temporary.name]
        self.replacements = []

    def abort(self) -> None:
        """The temporary partitions vanish without a trace."""
        for _, temporary in self.replacements:
            self._frontend.rows.drop(one.id for one in temporary.physical)
            del self.table.temp_partitions[temporary.name]
        self.replacements = []


def begin(frontend: Frontend, table: Table, names: list[str] | None = None) -> RunningOverwrite:
    """Begin to overwrite a table or some of its partitions.

    Args:
        frontend: Where the table lives.
        table: The table.
        names: Of partitions; None for all.

    Raises:
        KeyError: No such partition.
    """
    transaction = frontend.catalog.new_transaction()
    chosen = table.shown_partitions() if names is None else [table.partitions[name] for name in names]
    replacements = []
    for partition in chosen:
        temporary = frontend.catalog.new_partition(
            f"{partition.name}_{transaction}",
            partition.keys,
            now=frontend.now(),
            buckets=partition.buckets,
            replication_num=partition.replication_num,
            is_temp=True,
        )
        table.temp_partitions[temporary.name] = temporary
        replacements.append((partition, temporary))
    return RunningOverwrite(frontend, table, replacements)
