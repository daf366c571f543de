"""Explicit transactions (O§0.12, t:35-61)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import Cluster

VERSIONS = "SELECT VISIBLE_VERSION FROM information_schema.partitions_meta ORDER BY TABLE_NAME"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Tables `d.a` and `d.b` with one column, `d` being the current database."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run("USE d")
    for name in ("a", "b"):
        made.run(f"CREATE TABLE {name} (id INT) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')")
    return made


def test_a_rollback_undoes_what_was_inserted_since_begin(cluster: Cluster) -> None:
    """And nothing of what came before, which was committed at once (t:9, t:61)."""
    cluster.run("INSERT INTO a VALUES (1)")
    cluster.run("ROLLBACK")
    cluster.run("BEGIN")
    assert cluster.root.execute("INSERT INTO a VALUES (2), (3)")[-1].affected == 2
    cluster.run("ROLLBACK")
    assert cluster.run("SELECT * FROM a") == [(1,)]
    assert cluster.run(VERSIONS) == [(2,), (1,)]


def test_a_commit_makes_everything_visible(cluster: Cluster) -> None:
    cluster.run("START TRANSACTION")
    cluster.run("INSERT INTO a VALUES (1)")
    cluster.run("INSERT INTO d.b VALUES (2)")
    other = cluster.frontend.connect("root")
    assert other.execute("SELECT * FROM d.a")[-1].rows == []
    cluster.run("COMMIT")
    assert (cluster.run("SELECT * FROM a"), cluster.run("SELECT * FROM b")) == ([(1,)], [(2,)])


@pytest.mark.parametrize(
    ("sql", "errno"),
    [("SELECT 1", 5305), ("INSERT OVERWRITE a VALUES (1)", 5305), ("INSERT INTO d.a VALUES (9)", 5303)],
)
def test_one_insert_for_each_table_and_nothing_else(cluster: Cluster, sql: str, errno: int) -> None:
    """What is refused leaves the transaction as it was (t:37-41, R§11.3)."""
    cluster.run("BEGIN")
    cluster.run("INSERT INTO a VALUES (1)")
    with pytest.raises(ServerError) as refused:
        cluster.run(sql)
    assert refused.value.errno == errno
    cluster.run("COMMIT")
    assert cluster.run("SELECT * FROM a") == [(1,)]
