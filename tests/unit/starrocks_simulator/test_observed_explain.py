"""EXPLAIN: refusals are those of the statement, and nothing happens (y9:32-44, y11:84)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A PRIMARY KEY table `d.t` with one row, and a user `x` who has nothing."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(
        "CREATE TABLE d.t (id INT NOT NULL, v INT) PRIMARY KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
        "PROPERTIES('replication_num'='1')"
    )
    made.run("INSERT INTO d.t VALUES (1, 1)")
    made.run("CREATE USER x")
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM d.t WHERE v = 1",
        "VERBOSE SELECT 1",
        "INSERT INTO d.t SELECT 2, 2 WHERE NOT EXISTS (SELECT 1 FROM d.t WHERE id = 2)",
        "INSERT OVERWRITE d.t VALUES (3, 3)",
        "UPDATE d.t SET v = 2 WHERE id = 1",
        "DELETE FROM d.t WHERE id = 1",
    ],
)
def test_a_good_statement_has_a_plan_and_no_effect(cluster: Cluster, sql: str) -> None:
    before = cluster.run("SELECT VISIBLE_VERSION, NEXT_VERSION FROM information_schema.partitions_meta")
    (row,) = cluster.records(f"EXPLAIN {sql}")
    assert list(row) == ["Explain String"]
    assert cluster.run("SELECT * FROM d.t") == [(1, 1)]
    assert cluster.run("SELECT VISIBLE_VERSION, NEXT_VERSION FROM information_schema.partitions_meta") == before
    cluster.run("INSERT INTO d.t VALUES (4, 4)")
    assert len(cluster.run("SELECT * FROM d.t")) == 2


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("UPDATE d.t SET id = 2 WHERE id = 1", "primary key column cannot be updated: id."),
        (
            "SELECT * FROM d.t FOR UPDATE",
            "line 1, column 30. Detail message: No viable statement for input 'FOR UPDATE'",
        ),
        (
            "INSERT INTO d.t VALUES (1, 1) ON DUPLICATE KEY UPDATE v = 1",
            "line 1, column 38. Detail message: Unexpected",
        ),
        (
            "REPLACE INTO d.t VALUES (1, 1)",
            "line 1, column 8. Detail message: No viable statement for input 'EXPLAIN R",
        ),
        ("SELECT *, 1 AS n FROM d.t QUALIFY n = 1", "Detail message: Can't support result other than column.."),
        ("SELECT * FROM d.nothing", "Unknown table 'd.nothing'"),
    ],
)
def test_a_bad_statement_is_refused_where_it_is_bad(cluster: Cluster, sql: str, text: str) -> None:
    with pytest.raises(ServerError) as refused:
        cluster.run(f"EXPLAIN {sql}")
    assert text in refused.value.message


def test_a_plan_is_for_those_who_may_read(cluster: Cluster) -> None:
    with pytest.raises(ServerError, match=r"SELECT privilege\(s\) on TABLE t"):
        cluster.frontend.connect("x").execute("EXPLAIN SELECT * FROM d.t")
