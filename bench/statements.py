"""How many statements a command sends, polls aside: a constant, however many tables there are."""

from __future__ import annotations

from bench.cluster import Bench, cluster
from bench.figures import Figure

MANY = 1000
FIXED, PER_DATABASE, PER_STEP = 25, 12, 6
AROUND = 16
"""What a restore does besides its steps, once per command however many tables it brings back: it reads what earlier
jobs took (2) and what hangs on the targets (2, or 6 if a table is replaced), looks at the tables before others can (7)
and at what hangs on them afterwards (1), and records what the next backup is cut against (3)."""


def figures() -> list[Figure]:
    """Statements of one backup for few and many tables and databases, and of one restore."""
    found = [_backup(tables=1, databases=1), _backup(tables=MANY, databases=1), _backup(tables=1, databases=4)]
    return [*found, _restore()]


def _backup(*, tables: int, databases: int) -> Figure:
    """The second run: its look, its plan from a chain, its jobs, its conclusion, and the metadata snapshot."""
    with cluster() as bench:
        for number in range(databases):
            _make(bench, f"d{number}", tables)
        with bench.client(*(f"d{number}.*" for number in range(databases))) as client:
            client.backup()
            for number in range(databases):
                bench.sql(f"INSERT INTO d{number}.t0 VALUES (2, 2)")
            bench.statements()
            assert client.backup().complete
    return Figure(
        what=f"statements of a backup of {tables} tables in each of {databases} databases",
        value=bench.statements(),
        limit=FIXED + PER_DATABASE * (databases + 1),
    )


def _make(bench: Bench, database: str, tables: int) -> None:
    bench.sql(f"CREATE DATABASE {database}")
    bench.sql(
        *(
            f"CREATE TABLE {database}.t{number} (id INT, v INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
            "PROPERTIES ('replication_num' = '1')"
            for number in range(tables)
        ),
        f"INSERT INTO {database}.t0 VALUES (1, 1)",
    )


def _restore() -> Figure:
    with cluster() as bench:
        bench.sql(
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) (PARTITION p1 VALUES LESS THAN "
            "('10'), PARTITION p2 VALUES LESS THAN ('20')) DISTRIBUTED BY HASH(id) BUCKETS 1 "
            "PROPERTIES ('replication_num' = '1')",
            "INSERT INTO d.t VALUES (1, 1), (2, 11)",
        )
        with bench.client("d.t") as client:
            client.backup()
            bench.sql("INSERT INTO d.t VALUES (3, 12)")
            client.backup()
            bench.sql("DROP TABLE d.t FORCE")
            bench.statements()
            plan = client.plan_restore("d.t", label=client.points("d.t")[0].label)
            client.restore(plan)
    return Figure(
        what=f"statements of a restore of {len(plan.steps)} steps, planning included",
        value=bench.statements(),
        limit=FIXED + AROUND + PER_STEP * len(plan.steps),
    )
