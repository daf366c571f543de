"""Roles, the grant option, and what `sys` tells of grants. Documented, not observed, but for O2§0.8 and O2§y11."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

USERS = "SELECT * FROM sys.grants_to_users"
ROLES = "SELECT * FROM sys.grants_to_roles"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Two tables, a user `u`, a role `r`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run(RANGE_TABLE.format(name="d.t2"))
    made.run("CREATE USER u IDENTIFIED BY ''")
    made.run("CREATE ROLE r")
    return made


def run(cluster: Cluster, sql: str) -> list[tuple[Any, ...]]:
    """Execute as `u`."""
    return cluster.frontend.connect("u").execute(sql)[-1].rows


def test_what_is_granted_to_a_role_is_granted_to_its_members(cluster: Cluster) -> None:
    """Every role is active; taken away, it is gone at once."""
    cluster.run("GRANT SELECT ON d.t TO ROLE r")
    cluster.run("GRANT r TO USER u")
    cluster.run("GRANT r TO u")
    assert run(cluster, "SELECT * FROM d.t") == []
    assert cluster.run("SHOW GRANTS FOR ROLE r") == [("r", "default_catalog", "GRANT SELECT ON TABLE d.t TO ROLE 'r'")]
    cluster.run("ALTER USER u DEFAULT ROLE r, r")
    cluster.run("ALTER USER u DEFAULT ROLE NONE")
    with pytest.raises(ServerError, match="Role user_admin is not granted to 'u'"):
        cluster.run("ALTER USER u DEFAULT ROLE user_admin")
    assert run(cluster, "SELECT * FROM d.t") == []
    cluster.run("REVOKE r FROM USER u")
    with pytest.raises(ServerError, match="SELECT privilege"):
        run(cluster, "SELECT * FROM d.t")


def test_roles_are_made_and_dropped_once(cluster: Cluster) -> None:
    """IF says otherwise; the built-in ones stay."""
    cluster.run("CREATE ROLE IF NOT EXISTS r")
    cluster.run("GRANT r TO USER u")
    for sql, words in (
        ("CREATE ROLE r", "already exists"),
        ("DROP ROLE nobody", "not exists"),
        ("DROP ROLE user_admin", "not exists"),
        ("GRANT nobody TO USER u", "role 'nobody' not exist"),
        ("GRANT SELECT ON d.t TO ROLE nobody", "role 'nobody' not exist"),
        ("GRANT r TO USER nobody", "user 'nobody'@'%' not exist"),
    ):
        with pytest.raises(ServerError, match=words):
            cluster.run(sql)
    cluster.run("DROP ROLE IF EXISTS nobody")
    cluster.run("DROP ROLE r")
    assert run(cluster, "SHOW GRANTS") == []


def test_only_some_may_grant(cluster: Cluster) -> None:
    """Those with the role user_admin, and those who hold what they give WITH GRANT OPTION."""
    cluster.run("GRANT SELECT, INSERT ON d.t TO u")
    for sql in ("GRANT SELECT ON d.t TO ROLE r", "REVOKE SELECT ON d.t FROM u", "GRANT r TO USER u"):
        with pytest.raises(ServerError, match=r"GRANT privilege.s. on SYSTEM"):
            run(cluster, sql)
    cluster.run("GRANT SELECT ON d.t TO u WITH GRANT OPTION")
    assert [row[2] for row in run(cluster, "SHOW GRANTS")] == [
        "GRANT INSERT ON TABLE d.t TO USER 'u'@'%'",
        "GRANT SELECT ON TABLE d.t TO USER 'u'@'%' WITH GRANT OPTION",
    ]
    run(cluster, "GRANT SELECT ON d.t TO ROLE r")
    with pytest.raises(ServerError, match="GRANT privilege"):
        run(cluster, "GRANT INSERT ON d.t TO ROLE r")
    cluster.run("GRANT user_admin TO USER u")
    run(cluster, "GRANT INSERT ON d.t TO ROLE r")
    run(cluster, "GRANT r TO USER u")


def test_grants_are_told_to_those_who_may_ask(cluster: Cluster) -> None:
    """Nobody else reads them: by name, or by being allowed to grant."""
    for query in (USERS, ROLES):
        with pytest.raises(ServerError, match=r"SELECT privilege.s. on TABLE grants_to_"):
            run(cluster, query)
    cluster.run("GRANT SELECT ON TABLE sys.grants_to_users TO USER u")
    assert [row[2] for row in run(cluster, "SHOW GRANTS")] == [
        "GRANT SELECT ON TABLE sys.grants_to_users TO USER 'u'@'%'"
    ]
    assert run(cluster, USERS) == []
    cluster.run("GRANT user_admin TO USER u")
    assert run(cluster, ROLES) == []
    with pytest.raises(ServerError, match=r"Unknown table 'sys\.nothing'"):
        cluster.run("SELECT * FROM sys.nothing")


def test_a_grant_is_told_by_table_and_one_on_all_tables_for_each(cluster: Cluster) -> None:
    """Privileges given alike stand in one row; those with the grant option apart."""
    cluster.run("CREATE VIEW d.v AS SELECT id FROM d.t")
    cluster.run("GRANT SELECT, INSERT ON d.t TO ROLE r")
    cluster.run("GRANT ALTER ON d.t TO ROLE r WITH GRANT OPTION")
    cluster.run("GRANT SELECT ON VIEW d.v TO u")
    cluster.run("GRANT EXPORT ON ALL TABLES IN DATABASE d TO u")
    cluster.run("GRANT DROP ON DATABASE d TO u")
    cluster.run("GRANT OPERATE ON SYSTEM TO u")
    cluster.run("GRANT CREATE DATABASE ON CATALOG default_catalog TO u")
    assert cluster.run(ROLES) == [
        ("r", "default_catalog", "d", "t", "TABLE", "SELECT, INSERT", "NO"),
        ("r", "default_catalog", "d", "t", "TABLE", "ALTER", "YES"),
    ]
    assert [row[1:6] for row in cluster.run(USERS)] == [
        ("default_catalog", "d", "v", "VIEW", "SELECT"),
        ("default_catalog", "d", "t", "TABLE", "EXPORT"),
        ("default_catalog", "d", "t2", "TABLE", "EXPORT"),
        ("default_catalog", "d", None, "DATABASE", "DROP"),
        (None, None, None, "SYSTEM", "OPERATE"),
        ("default_catalog", None, None, "CATALOG", "CREATE DATABASE"),
    ]
    assert {row[0] for row in cluster.run(USERS)} == {"'u'@'%'"}


def test_told_grants_follow_the_table_and_end_with_it(cluster: Cluster) -> None:
    """As SHOW GRANTS tells them (O2§0.8; y12:59,60,73)."""
    cluster.run("GRANT SELECT ON d.t TO ROLE r")
    cluster.run("ALTER TABLE d.t SWAP WITH t2")
    assert [row[3] for row in cluster.run(ROLES)] == ["t2"]
    cluster.run("ALTER TABLE d.t2 RENAME t3")
    assert [row[3] for row in cluster.run(ROLES)] == ["t3"]
    cluster.run("DROP TABLE d.t3 FORCE")
    assert cluster.run(ROLES) == []


def test_grants_on_materialized_views_are_not_those_on_tables(cluster: Cluster) -> None:
    """They are things of their own kind."""
    cluster.run("CREATE MATERIALIZED VIEW d.mv DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM d.t")
    cluster.run("GRANT ALTER ON ALL TABLES IN DATABASE d TO u")
    with pytest.raises(ServerError, match=r"ALTER privilege.s. on MATERIALIZED VIEW mv"):
        run(cluster, "ALTER MATERIALIZED VIEW d.mv INACTIVE")
    assert run(cluster, "SELECT TABLE_NAME FROM information_schema.materialized_views") == []
    cluster.run("GRANT ALTER ON MATERIALIZED VIEW d.mv TO u")
    run(cluster, "ALTER MATERIALIZED VIEW d.mv INACTIVE")
    assert run(cluster, "SELECT TABLE_NAME FROM information_schema.materialized_views") == [("mv",)]
    cluster.run("GRANT REFRESH ON ALL MATERIALIZED VIEWS IN ALL DATABASES TO u")
    assert [row[2] for row in run(cluster, "SHOW GRANTS")][1:] == [
        "GRANT REFRESH ON ALL MATERIALIZED VIEWS IN ALL DATABASES TO USER 'u'@'%'",
        "GRANT ALTER ON MATERIALIZED VIEW d.mv TO USER 'u'@'%'",
    ]
    assert ("d", "mv", "MATERIALIZED VIEW", "ALTER") in [row[2:6] for row in cluster.run(USERS)]
    for wrong in ("GRANT ALTER ON TABLE d.mv TO u", "GRANT ALTER ON MATERIALIZED VIEW d.t TO u"):
        with pytest.raises(ServerError, match="is not found"):
            cluster.run(wrong)
