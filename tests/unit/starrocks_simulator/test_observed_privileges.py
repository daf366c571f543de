"""Who may do what beside backups (R§9; the rest is documented, not observed)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with a table `t` and a view `v` of it, and a user `x` with nothing."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("CREATE VIEW d.v AS SELECT id FROM d.t")
    made.run("CREATE USER x IDENTIFIED BY ''")
    return made


def as_user(cluster: Cluster, sql: str) -> list[tuple[Any, ...]] | str:
    """What user `x` gets: rows, or the privilege that is missing, or a refusal's text."""
    try:
        return cluster.frontend.connect("x").execute(sql)[-1].rows
    except ServerError as error:
        text = error.message.partition(" for this operation")[0]
        return text.removeprefix("Access denied; you need (at least one of) the ").replace(" privilege(s) on ", "|")


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("CREATE USER y", "GRANT|SYSTEM"),
        ("DROP USER x", "GRANT|SYSTEM"),
        ("CREATE ROLE r", "GRANT|SYSTEM"),
        ("SHOW GRANTS FOR root", "GRANT|SYSTEM"),
        ("SET GLOBAL time_zone = 'UTC'", "OPERATE|SYSTEM"),
        ("ALTER DATABASE d RENAME e", "ALTER|DATABASE d"),
        ("CREATE VIEW d.w AS SELECT 1 AS a", "CREATE VIEW|DATABASE d"),
        ("CREATE OR REPLACE VIEW d.v AS SELECT 1 AS a", "CREATE VIEW|DATABASE d"),
        ("ALTER VIEW d.v AS SELECT 1 AS a", "ALTER|VIEW v"),
        ("DROP VIEW d.v", "DROP|VIEW v"),
        ("SHOW CREATE VIEW d.v", "ANY|TABLE v"),
        ("SELECT * FROM d.v", "SELECT|VIEW v"),
        ("CREATE MATERIALIZED VIEW d.m REFRESH MANUAL AS SELECT id FROM d.t", "CREATE MATERIALIZED VIEW|DATABASE d"),
        ("RECOVER DATABASE d", "CREATE DATABASE|CATALOG default_catalog"),
        ("RECOVER TABLE d.t", "CREATE TABLE|DATABASE d"),
        ("RECOVER PARTITION p1 FROM d.t", "INSERT|TABLE t"),
        ("ADMIN SET REPLICA STATUS PROPERTIES('tablet_id'='1')", "OPERATE|SYSTEM"),
    ],
)
def test_each_statement_asks_for_its_privilege(cluster: Cluster, sql: str, wanted: str) -> None:
    assert as_user(cluster, sql) == wanted


def test_views_are_things_of_their_own_kind(cluster: Cluster) -> None:
    """A grant on all tables says nothing about views; what asks about tables lets views pass (R§9)."""
    cluster.run("GRANT SELECT ON ALL TABLES IN DATABASE d TO USER x")
    assert as_user(cluster, "SHOW TABLES FROM d") == [("t",)]
    assert as_user(cluster, "DESC d.v") != "ANY|TABLE v"
    cluster.run("GRANT SELECT ON VIEW d.v TO USER x")
    assert as_user(cluster, "SHOW TABLES FROM d") == [("t",), ("v",)]
    assert as_user(cluster, "SELECT * FROM d.v") == []
    cluster.run("GRANT DROP ON ALL VIEWS IN DATABASE d TO USER x")
    assert [str(row[2]).partition(" TO USER")[0] for row in cluster.run("SHOW GRANTS FOR x")][1:] == [
        "GRANT DROP ON ALL VIEWS IN DATABASE d",
        "GRANT SELECT ON VIEW d.v",
    ]
    with pytest.raises(ServerError, match="Table v is not found"):
        cluster.run("GRANT SELECT ON TABLE d.v TO USER x")


def test_one_s_own_grants_are_told(cluster: Cluster) -> None:
    """Those of one's roles, too; of others only to who may grant."""
    cluster.run("CREATE ROLE r")
    assert as_user(cluster, "SHOW GRANTS FOR ROLE r") == "GRANT|SYSTEM"
    cluster.run("GRANT r TO USER x")
    assert as_user(cluster, "SHOW GRANTS FOR ROLE r") == []
    assert as_user(cluster, "SHOW GRANTS FOR x") == [("'x'@'%'", None, "GRANT 'r' TO 'x'@'%'")]
    assert cluster.run("SHOW GRANTS") == [("'root'@'%'", None, "GRANT 'root' TO 'root'@'%'")]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("GRANT REPOSITORY ON TABLE d.t TO USER x", "Cant grant REPOSITORY to object TABLE."),
        ("GRANT CREATE TABLE ON ALL TABLES IN DATABASE d TO USER x", "Cant grant CREATE TABLE to object TABLE."),
        ("GRANT NODE ON SYSTEM TO USER x", "Operation not permitted, 'NODE' cannot be granted to user or role"),
    ],
)
def test_a_privilege_is_of_its_kinds(cluster: Cluster, sql: str, text: str) -> None:
    """What a thing has not got cannot be granted on it (y10:53; the others are documented)."""
    with pytest.raises(ServerError) as refused:
        cluster.run(sql)
    assert text in refused.value.message


def test_privileges_are_told_in_the_order_of_their_kind(cluster: Cluster) -> None:
    """Not in the order in which they were granted (documented)."""
    cluster.run("GRANT DROP, ALTER, CREATE VIEW, CREATE TABLE ON DATABASE d TO USER x")
    cluster.run("GRANT DROP, CREATE DATABASE, USAGE ON CATALOG default_catalog TO USER x")
    assert [str(row[2]).partition(" TO USER")[0] for row in cluster.run("SHOW GRANTS FOR x")] == [
        "GRANT CREATE TABLE, DROP, ALTER, CREATE VIEW ON DATABASE d",
        "GRANT USAGE, CREATE DATABASE, DROP ON CATALOG default_catalog",
    ]
