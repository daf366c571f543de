"""Users at their edges (O§s, O2§0.8, O2§y11, O2§y12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with tables `t` and `t2`, and a user `x` with nothing."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run(RANGE_TABLE.format(name="d.t2"))
    made.run("CREATE USER x IDENTIFIED BY ''")
    return made


def as_user(cluster: Cluster, sql: str) -> list[tuple[Any, ...]] | str:
    """What user `x` gets: rows, or a refusal's text up to its advice."""
    try:
        return cluster.frontend.connect("x").execute(sql)[-1].rows
    except ServerError as error:
        return error.message.partition(" for this operation")[0]


def grants(cluster: Cluster) -> list[str]:
    """What SHOW GRANTS says that `x` may do."""
    return [str(row[2]).partition(" TO USER")[0] for row in cluster.run("SHOW GRANTS FOR x")]


def test_a_database_is_entered_by_those_who_see_it(cluster: Cluster) -> None:
    """USE and SHOW CREATE DATABASE want any privilege on the database or on something in it (R§9)."""
    denied = "Access denied; you need (at least one of) the ANY privilege(s) on DATABASE d"
    assert as_user(cluster, "USE d") == as_user(cluster, "SHOW CREATE DATABASE d") == denied
    cluster.run("GRANT EXPORT ON d.t TO x")
    assert as_user(cluster, "USE d") == []


def test_users_are_made_and_dropped_once(cluster: Cluster) -> None:
    """The second time it is the analyzer's error, unless IF says otherwise (R§3)."""
    for sql, end in (("CREATE USER x", "user already exists"), ("DROP USER nobody", "user not exists")):
        with pytest.raises(ServerError, match=f"Getting analyzing error. Detail message: Operation {sql[:4]}.*{end}"):
            cluster.run(sql)
    cluster.run("CREATE USER IF NOT EXISTS x")
    cluster.run("DROP USER IF EXISTS nobody")


def test_only_privileges_that_exist_are_granted(cluster: Cluster) -> None:
    """Another word is a syntax error, and nothing is granted."""
    with pytest.raises(ServerError, match="Getting syntax error at line 1, column 6"):
        cluster.run("GRANT nonsense ON d.t TO x")
    assert grants(cluster) == []


def test_grants_follow_the_table_and_end_with_it(cluster: Cluster) -> None:
    """RENAME and SWAP take them along; a table restored after DROP is another one (y12:59,60,73)."""
    cluster.run("GRANT SELECT, EXPORT ON TABLE d.t TO USER x")
    cluster.run("ALTER TABLE d.t SWAP WITH t2")
    assert grants(cluster) == ["GRANT SELECT, EXPORT ON TABLE d.t2"]
    cluster.run("ALTER TABLE d.t2 SWAP WITH t")
    assert cluster.backup("d", "l", "t") == "FINISHED"
    cluster.run("DROP TABLE d.t FORCE")
    assert grants(cluster) == []
    assert cluster.restore("d", "l", "t") == "FINISHED"
    assert grants(cluster) == []


def test_grants_on_a_database_end_with_it(cluster: Cluster) -> None:
    """One made again under its name has none; those ON ALL DATABASES stay (O2§y11)."""
    cluster.run("GRANT EXPORT ON ALL TABLES IN DATABASE d TO x")
    cluster.run("GRANT EXPORT ON ALL TABLES IN ALL DATABASES TO x")
    cluster.run("DROP DATABASE d FORCE")
    cluster.run("CREATE DATABASE d")
    assert grants(cluster) == ["GRANT EXPORT ON ALL TABLES IN ALL DATABASES"]


@pytest.mark.parametrize(
    ("on", "shown"),
    [
        ("TABLE d.t", "TABLE d.t"),
        ("d.t, d.t2", "TABLE d.t2"),
        ("d.*", "ALL TABLES IN DATABASE d"),
        ("ALL TABLES IN ALL DATABASES", "ALL TABLES IN ALL DATABASES"),
    ],
)
def test_all_stands_for_every_privilege_on_a_thing(cluster: Cluster, on: str, shown: str) -> None:
    """The grammar's ALL [PRIVILEGES], and `db.*` (R§9)."""
    cluster.run(f"GRANT ALL PRIVILEGES ON {on} TO x")
    assert f"GRANT DELETE, DROP, INSERT, SELECT, ALTER, EXPORT, UPDATE ON {shown}" in grants(cluster)
    cluster.run(f"REVOKE ALL ON {on} FROM USER x")
    assert grants(cluster) == []


@pytest.mark.parametrize("how", ["BY 'pw'", "WITH mysql_native_password BY 'pw'", "WITH authentication_ldap_simple"])
def test_users_are_identified_by_a_password_or_a_plugin(cluster: Cluster, how: str) -> None:
    cluster.run(f"CREATE USER y IDENTIFIED {how}")
    assert cluster.frontend.accounts.users["y"].password == ("pw" if "BY" in how else "")
