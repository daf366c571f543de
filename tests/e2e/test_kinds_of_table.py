"""Every kind of table: full, then incrementals, and back to each point; rows are compared with another client's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import starrocks_br
from tests.e2e.clusters import Cluster, some_cluster

ONE = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')"


@frozen(kw_only=True)
class Kind:
    """One kind of table and its life.

    Attributes:
        create: Its columns and clauses.
        rounds: What happens before each backup; `{t}` is the table.
    """

    create: str
    rounds: tuple[tuple[str, ...], ...]


KINDS = {
    "range": Kind(
        create="(id INT, day DATE, v INT) DUPLICATE KEY(id) PARTITION BY RANGE(day) (PARTITION p1 VALUES LESS THAN "
        f"('2026-01-02'), PARTITION p2 VALUES LESS THAN ('2026-01-03')) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, '2026-01-01', 1), (2, '2026-01-02', 2)",),
            (
                "ALTER TABLE {t} ADD PARTITION p3 VALUES LESS THAN ('2026-01-04')",
                "INSERT INTO {t} VALUES (3, '2026-01-03', 3)",
                "TRUNCATE TABLE {t} PARTITION (p1)",
            ),
            ("ALTER TABLE {t} DROP PARTITION p2 FORCE", "INSERT INTO {t} VALUES (4, '2026-01-01', 4)"),
        ),
    ),
    "range of two columns": Kind(
        create="(id INT, a INT, b INT) DUPLICATE KEY(id) PARTITION BY RANGE(a, b) (PARTITION p1 VALUES LESS THAN "
        f"('10', '10'), PARTITION p2 VALUES [('10', '10'), ('20', '20'))) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, 1, 1), (2, 15, 1)",),
            ("INSERT INTO {t} VALUES (3, 2, 2)", "DELETE FROM {t} WHERE a = 15"),
        ),
    ),
    "list": Kind(
        create="(id INT, c VARCHAR(8) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(c) (PARTITION pa VALUES IN ('a'), "
        f"PARTITION pb VALUES IN ('b', 'bb')) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, 'a'), (2, 'b'), (3, 'bb')",),
            (
                "ALTER TABLE {t} ADD PARTITION pc VALUES IN ('c', 'it''s')",
                "INSERT INTO {t} VALUES (4, 'c'), (5, 'it''s')",
            ),
            ("ALTER TABLE {t} DROP PARTITION pa FORCE", "INSERT INTO {t} VALUES (6, 'bb')"),
        ),
    ),
    "expression": Kind(
        create=f"(id INT, at DATETIME) DUPLICATE KEY(id) PARTITION BY date_trunc('day', at) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, '2026-01-01 10:00:00')",),
            ("INSERT INTO {t} VALUES (2, '2026-01-02 10:00:00')", "INSERT INTO {t} VALUES (3, '2026-01-01 11:00:00')"),
        ),
    ),
    "automatic list": Kind(
        create=f"(id INT, c VARCHAR(8) NOT NULL) DUPLICATE KEY(id) PARTITION BY (c) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, 'rome')",),
            ("INSERT INTO {t} VALUES (2, 'oslo'), (3, 'rome')",),
        ),
    ),
    "unpartitioned": Kind(
        create=f"(id INT, v INT) DUPLICATE KEY(id) {ONE}",
        rounds=(("INSERT INTO {t} VALUES (1, 1), (1, 1)",), ("INSERT INTO {t} VALUES (2, 2)",)),
    ),
    "primary key": Kind(
        create=f"(id INT NOT NULL, v INT) PRIMARY KEY(id) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, 1), (2, 2)",),
            ("UPDATE {t} SET v = 20 WHERE id = 2", "INSERT INTO {t} VALUES (1, 10), (3, 30)"),
            ("DELETE FROM {t} WHERE id = 1",),
        ),
    ),
    "aggregate": Kind(
        create=f"(id INT, total BIGINT SUM) AGGREGATE KEY(id) {ONE}",
        rounds=(("INSERT INTO {t} VALUES (1, 1), (1, 2)",), ("INSERT INTO {t} VALUES (1, 10), (2, 5)",)),
    ),
    "schema change": Kind(
        create=f"(id INT, v INT) DUPLICATE KEY(id) {ONE}",
        rounds=(
            ("INSERT INTO {t} VALUES (1, 1)",),
            ("ALTER TABLE {t} ADD COLUMN w INT DEFAULT '7'", "INSERT INTO {t} VALUES (2, 2, 2)"),
        ),
    ),
    "empty": Kind(create=f"(id INT, v INT) DUPLICATE KEY(id) {ONE}", rounds=((), ("INSERT INTO {t} VALUES (1, 1)",))),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all kinds: each has a database of its own, so that one backup serves all."""
    with some_cluster(tmp_path_factory.mktemp("repository")) as found:
        yield found


@pytest.mark.parametrize("name", KINDS)
def test_a_table_comes_back_as_it_was_at_every_point(cluster: Cluster, tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    database = f"{cluster.prefix}{name.replace(' ', '_')}"
    table = f"{database}.t"
    cluster.sql(f"CREATE DATABASE {database}", f"CREATE TABLE {table} {kind.create}")
    with starrocks_br.connect(cluster.config(tmp_path, f"{database}.*")) as client:
        client.init()
        known = {}
        for events in kind.rounds:
            for event in events:
                cluster.sql(event.format(t=table))
            settle(cluster, database)
            rows = rows_of(cluster, table)
            assert client.backup().complete
            known[client.points(table)[0].label] = rows
        assert len(known) == len(kind.rounds)

        for label, rows in known.items():
            cluster.sql(f"DROP TABLE {table} FORCE")
            client.restore(client.plan_restore(table, label=label))
            assert rows_of(cluster, table) == rows, f"at {label}"


def settle(cluster: Cluster, database: str) -> None:
    """Wait for schema changes to end: for as long as the server takes, a thousand looks at the most."""
    for _ in range(1000):
        jobs = cluster.sql("SELECT SLEEP(0.02)", f"SHOW ALTER TABLE COLUMN FROM {database}")
        if all("FINISHED" in row or "CANCELLED" in row for row in jobs):
            return
    raise AssertionError("the schema change did not end")


def rows_of(cluster: Cluster, table: str) -> list[tuple[Any, ...]]:
    """All rows, sorted."""
    return sorted(cluster.sql(f"SELECT * FROM {table}"))
