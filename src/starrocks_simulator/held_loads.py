"""Loads that are committed and not published: readers do not see them, the next load comes behind them (O2§y6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from starrocks_simulator.versions import set_version

if TYPE_CHECKING:
    from starrocks_simulator.catalog import Column, Database, PhysicalPartition, Table
    from starrocks_simulator.frontend import Frontend


@frozen
class HeldLoad:
    """One partition's part of a committed load.

    Attributes:
        columns: The table's, when the load was committed.
        physical: Where it belongs.
        version: What it becomes when it is published; it never is if this does not follow the visible version.
        committed: Epoch seconds: its VISIBLE_VERSION_TIME, whenever it is published (R§0.7).
        rows: Name of the DuckDB table with its rows.
        transaction: Its id.
        listener: Id of who waits for it.
        behind_hole: Whether versions before it belong to nobody: it waits for them for ever (O2§y6).
    """

    table: Table
    columns: tuple[Column, ...]
    physical: PhysicalPartition
    version: int
    committed: int
    rows: str
    transaction: int
    listener: int
    behind_hole: bool


class HeldLoads:
    """The committed, unpublished loads of one cluster, oldest first."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend
        self._held: list[HeldLoad] = []
        self._last = 0

    def commit(self, table: Table, physical: PhysicalPartition, rows: str) -> None:
        """Keep staged rows (a DuckDB query) as a committed load of one partition."""
        self._last += 1
        name = f"held{self._last}"
        self._frontend.rows.query(f"CREATE TABLE {name} AS {rows}")
        committed = int(self._frontend.now())
        before = sum(load.physical is physical for load in self._held)
        self._held.append(
            HeldLoad(
                table,
                tuple(table.columns),
                physical,
                physical.next_version,
                committed,
                name,
                self._frontend.catalog.new_transaction(),
                self._frontend.catalog.new_id(),
                physical.next_version > physical.visible_version + 1 + before,
            )
        )
        physical.next_version += 1

    def of(self, database: Database) -> list[HeldLoad]:
        """Those of the tables that a database has, in partitions that these have."""
        tables = {table.id: table for table in database.olap_tables()}
        return [
            load
            for load in self._held
            if load.table.id in tables and any(load.physical in one.physical for one in load.table.every_partition())
        ]

    def publish(self) -> None:
        """Make visible whatever follows the visible version of its partition; what sits behind a hole stays (O2§y6)."""
        waiting: list[HeldLoad] = []
        for load in self._held:
            if load.version == load.physical.visible_version + 1:
                self._publish(load)
            else:
                waiting.append(load)
        self._held = waiting

    def _publish(self, load: HeldLoad) -> None:
        rows, physical, following = self._frontend.rows, load.physical, load.physical.next_version
        rows.add(physical.id, load.table.model, load.columns, f"SELECT * FROM {load.rows}")
        rows.query(f"DROP TABLE {load.rows}")
        set_version(self._frontend, physical, load.version)
        physical.visible_version_time, physical.next_version = load.committed, following
        physical.data_version = load.version
