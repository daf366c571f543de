"""Users of the simulator and what they may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster with `d.t`, in the snapshot `full`, and a user `u` without any grant."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    assert made.backup("d", "full", "t") == "FINISHED"
    made.run("CREATE USER u IDENTIFIED BY 'secret'")
    return made


def run(cluster: Cluster, sql: str) -> list[tuple[Any, ...]]:
    """Execute as `u`."""
    return cluster.frontend.connect("u").execute(sql)[-1].rows


def refusal(cluster: Cluster, sql: str) -> str:
    """What `u` is denied: privilege and thing."""
    with pytest.raises(ServerError, match="Access denied") as denied:
        run(cluster, sql)
    assert (denied.value.errno, denied.value.sqlstate) == (5203, "42000")
    return denied.value.message.split(" the ")[1].split(" for this")[0].replace(" privilege(s)", "")


def test_without_grants_nothing_is_seen_and_little_is_allowed(cluster: Cluster) -> None:
    """Listings hide, statements refuse (O2§y11)."""
    assert run(cluster, "SHOW DATABASES") == [("information_schema",)]
    assert run(cluster, "SELECT * FROM information_schema.partitions_meta") == []
    assert len(run(cluster, "SHOW REPOSITORIES")) == 1
    assert refusal(cluster, "SHOW FRONTENDS") == "OPERATE OR NODE on SYSTEM"
    assert refusal(cluster, "SHOW BACKUP FROM d") == "REPOSITORY on SYSTEM"
    assert refusal(cluster, "BACKUP SNAPSHOT d.l TO r ON (t)") == "REPOSITORY on SYSTEM"
    assert refusal(cluster, "SHOW CREATE TABLE d.t") == "ANY on TABLE t"
    assert refusal(cluster, "SELECT * FROM d.t") == "SELECT on TABLE t"
    assert refusal(cluster, "CREATE DATABASE e") == "CREATE DATABASE on CATALOG default_catalog"


def test_backup_needs_repository_and_export(cluster: Cluster) -> None:
    """And a table without EXPORT empties SHOW BACKUP (R§0.19)."""
    cluster.run("GRANT REPOSITORY ON SYSTEM TO USER u")
    assert refusal(cluster, "BACKUP SNAPSHOT d.l TO r ON (t)") == "EXPORT on TABLE t"
    assert run(cluster, "SHOW BACKUP FROM d") == []
    cluster.run("GRANT EXPORT ON ALL TABLES IN DATABASE d TO u")
    assert len(run(cluster, "SHOW BACKUP FROM d")) == 1
    run(cluster, "BACKUP SNAPSHOT d.l TO r ON (t)")
    run(cluster, "CANCEL BACKUP FROM d")
    cluster.run("REVOKE EXPORT ON ALL TABLES IN DATABASE d FROM u")
    assert refusal(cluster, "CANCEL BACKUP FROM d") == "EXPORT on TABLE t"


def test_restore_needs_create_table_and_insert_but_nothing_for_a_new_database(cluster: Cluster) -> None:
    """O§s, O§0.10."""
    cluster.run("GRANT REPOSITORY ON SYSTEM TO u")
    properties = f"PROPERTIES('backup_timestamp'='{cluster.timestamp('full')}', 'replication_num'='1')"
    assert refusal(cluster, f"RESTORE SNAPSHOT d.full FROM r ON (t) {properties}") == "CREATE TABLE on DATABASE d"
    cluster.run("GRANT CREATE TABLE ON DATABASE d TO u")
    assert refusal(cluster, f"RESTORE SNAPSHOT d.full FROM r ON (t) {properties}") == "INSERT on TABLE t"
    run(cluster, f"RESTORE SNAPSHOT fresh.full FROM r ON (t) {properties}")
    assert cluster.wait("RESTORE", "fresh") == "FINISHED"


def test_grants_follow_tables_and_die_with_databases(cluster: Cluster) -> None:
    """By id, not by name (O2§0.8, O2§y11)."""
    cluster.run("GRANT SELECT ON TABLE d.t TO u")
    cluster.run("ALTER TABLE d.t RENAME moved")
    assert run(cluster, "SELECT * FROM d.moved") == []
    cluster.run(RANGE_TABLE.format(name="d.t"))
    assert refusal(cluster, "SELECT * FROM d.t") == "SELECT on TABLE t"
    cluster.run("GRANT SELECT, INSERT ON ALL TABLES IN DATABASE d TO u")
    (shown,) = [row[2] for row in run(cluster, "SHOW GRANTS") if "ALL TABLES" in row[2]]
    assert shown == "GRANT INSERT, SELECT ON ALL TABLES IN DATABASE d TO USER 'u'@'%'"
    cluster.run("DROP DATABASE d FORCE")
    cluster.run("CREATE DATABASE d")
    cluster.run(RANGE_TABLE.format(name="d.t"))
    assert refusal(cluster, "SELECT * FROM d.t") == "SELECT on TABLE t"
