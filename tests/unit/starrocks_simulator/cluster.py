"""A simulated cluster on a virtual clock, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define, field

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.session import Session

RANGE_TABLE = (
    "CREATE TABLE {name} (id INT NOT NULL, dt DATE NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY RANGE(dt) ("
    "PARTITION p1 VALUES [('2024-01-01'), ('2024-01-02')), PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03'))) "
    "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES('replication_num'='1')"
)


@define
class Cluster:
    """A frontend, a clock, and a session of root."""

    folder: Path
    clock: VirtualClock = field(factory=VirtualClock)
    tick: float = 3.0
    frontend: Frontend = field(init=False)
    root: Session = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.frontend = Frontend(self.folder, clock=self.clock, tick=self.tick)
        self.root = self.frontend.connect()
        self.run("CREATE REPOSITORY r WITH BROKER ON LOCATION 's3a://bucket/backups'")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Execute as root; the rows of the last result."""
        return self.root.execute(sql)[-1].rows

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Execute as root; the rows of the last result by column name."""
        result = self.root.execute(sql)[-1]
        return [dict(zip([column.name for column in result.columns or ()], row, strict=True)) for row in result.rows]

    def job(self, kind: str, database: str) -> dict[str, Any]:
        """The one row of SHOW BACKUP or SHOW RESTORE."""
        (row,) = self.records(f"SHOW {kind} FROM {database}")
        return row

    def wait(self, kind: str, database: str) -> str:
        """Let time pass until the job is done; its final state, with the status if it is not OK."""
        row: dict[str, Any] = {}
        for _ in range(20):
            row = self.job(kind, database)
            if row["State"] in {"FINISHED", "CANCELLED"}:
                return str(row["State"] if row["Status"] == "[OK]" else row["Status"])
            self.clock.advance(self.tick)
        raise AssertionError(f"still {row['State']}")

    def backup(self, database: str, label: str, objects: str) -> str:
        """BACKUP, waited for; its final state."""
        self.run(f"BACKUP SNAPSHOT {database}.{label} TO r ON ({objects})")
        return self.wait("BACKUP", database)

    def timestamp(self, label: str) -> str:
        """The `backup_timestamp` of a label."""
        (row,) = self.records(f"SHOW SNAPSHOT ON r WHERE SNAPSHOT = '{label}'")
        return str(row["Timestamp"])

    def submit_restore(self, database: str, label: str, objects: str) -> None:
        """RESTORE with one replica."""
        self.run(
            f"RESTORE SNAPSHOT {database}.{label} FROM r ON ({objects}) "
            f"PROPERTIES('backup_timestamp'='{self.timestamp(label)}', 'replication_num'='1')"
        )

    def restore(self, database: str, label: str, objects: str) -> str:
        """RESTORE, waited for; its final state."""
        self.submit_restore(database, label, objects)
        return self.wait("RESTORE", database)
