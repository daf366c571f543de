"""What is told first when several things are wrong with one statement (R§3, R§9; documented where not observed)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with tables `b` and then `a`, one backup `l` of both, an empty one, and a user `x`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run("CREATE DATABASE nothing")
    for name in ("b", "a"):
        made.run(RANGE_TABLE.format(name=f"d.{name}"))
    assert made.backup("d", "l", "a, b") == "FINISHED"
    made.run("CREATE USER x")
    return made


def refusal(cluster: Cluster, sql: str, user: str = "root") -> str:
    """The text of what is answered."""
    with pytest.raises(ServerError) as refused:
        cluster.frontend.connect(user).execute(sql)
    return refused.value.message.removeprefix("Getting analyzing error. Detail message: ")


def test_privileges_on_tables_are_asked_for_by_name(cluster: Cluster) -> None:
    """Not in the order in which tables were made or named."""
    cluster.run("GRANT REPOSITORY ON SYSTEM TO x")
    assert "EXPORT privilege(s) on TABLE a" in refusal(cluster, "BACKUP SNAPSHOT d.m TO r", "x")
    assert "EXPORT privilege(s) on TABLE a" in refusal(cluster, "BACKUP SNAPSHOT d.m TO r ON (b, a)", "x")
    cluster.run("GRANT CREATE TABLE ON DATABASE d TO x")
    properties = f"PROPERTIES('backup_timestamp'='{cluster.timestamp('l')}')"
    assert "INSERT privilege(s) on TABLE a" in refusal(
        cluster, f"RESTORE SNAPSHOT d.l FROM r ON (b, a) {properties}", "x"
    )


def test_an_empty_database_is_told_of_to_those_who_may_back_up(cluster: Cluster) -> None:
    """After the properties, and after REPOSITORY (R§3.2, P1 and P2)."""
    assert "REPOSITORY privilege(s)" in refusal(cluster, "BACKUP SNAPSHOT nothing.m TO r", "x")
    assert refusal(cluster, "BACKUP SNAPSHOT nothing.m TO r") == "Database: nothing is empty."
    sql = "BACKUP SNAPSHOT nothing.m TO r PROPERTIES('foo'='bar')"
    assert refusal(cluster, sql) == "Unknown backup job properties: [foo]."


def test_a_missing_timestamp_comes_before_unknown_properties(cluster: Cluster) -> None:
    sql = "RESTORE SNAPSHOT d.l FROM r ON (a) PROPERTIES('foo'='bar')"
    assert refusal(cluster, sql) == "Missing backup_timestamp property."


def test_the_first_missing_table_by_name_is_told(cluster: Cluster) -> None:
    properties = f"PROPERTIES('backup_timestamp'='{cluster.timestamp('l')}')"
    sql = f"RESTORE SNAPSHOT d.l FROM r ON (z, y, a) {properties}"
    assert refusal(cluster, sql) == "Table y does not exist in snapshot l"


def test_a_whole_database_holds_one_of_two_names_that_differ_in_case(cluster: Cluster) -> None:
    """Without ON the other one is left out without a word; ON names both."""
    cluster.run(RANGE_TABLE.format(name="d.A"))
    cluster.run("BACKUP SNAPSHOT d.all TO r")
    assert cluster.job("BACKUP", "d")["BackupObjs"] == "[d.a], [d.b]"
    cluster.run("CANCEL BACKUP FROM d")
    cluster.run("BACKUP SNAPSHOT d.both TO r ON (a, A)")
    assert cluster.job("BACKUP", "d")["BackupObjs"] == "[d.A], [d.a]"
