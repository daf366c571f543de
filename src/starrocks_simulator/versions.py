"""How versions move when a load commits (R§8.2, O§n)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starrocks_simulator.catalog import Partition, PhysicalPartition

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


def is_blocked(physical: PhysicalPartition) -> bool:
    """Whether a load of it would stay COMMITTED: its version would not follow the visible one (O2§y6)."""
    return physical.next_version != physical.visible_version + 1


def publish(frontend: Frontend, touched: Iterable[PhysicalPartition]) -> None:
    """Make one load visible: +1, with the commit's time in whole seconds, in the partitions that got rows."""
    for physical in touched:
        set_version(frontend, physical, physical.next_version)
        physical.data_version = physical.visible_version


def set_version(frontend: Frontend, physical: PhysicalPartition, version: int) -> None:
    """Make a version the visible one, as of now, and the one behind it the next."""
    physical.visible_version = version
    physical.next_version = version + 1
    physical.visible_version_time = int(frontend.now())


def renew(frontend: Frontend, partition: Partition) -> None:
    """Give a partition new ids and no rows: version 1, as TRUNCATE and INSERT OVERWRITE do (O§n)."""
    frontend.rows.drop(one.id for one in partition.physical)
    partition.id = frontend.catalog.new_id()
    partition.physical = [frontend.catalog.new_physical(frontend.now())]
