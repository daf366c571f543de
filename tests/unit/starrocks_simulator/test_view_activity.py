"""What makes materialized views inactive, and active again. Documented, not observed, but for R§7.6."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

MATERIALIZED = "CREATE MATERIALIZED VIEW {0} DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM {1}"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """`d.t` and `d.t2`; `e.mv` reads `d.t`, `e.over` reads `e.mv`, `d.through` reads `d.t` through a view."""
    made = Cluster(tmp_path)
    for database in ("d", "e"):
        made.run(f"CREATE DATABASE {database}")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run(RANGE_TABLE.format(name="d.t2"))
    made.run("CREATE VIEW d.v AS SELECT id FROM d.t")
    made.run(MATERIALIZED.format("e.mv", "d.t"))
    made.run(MATERIALIZED.format("e.over", "e.mv"))
    made.run(MATERIALIZED.format("d.through", "d.v"))
    return made


def reasons(cluster: Cluster) -> dict[str, str]:
    """Why each is inactive; the active ones are left out."""
    rows = cluster.run("SELECT TABLE_NAME, IS_ACTIVE, INACTIVE_REASON FROM information_schema.materialized_views")
    assert all((active == "true") == (not reason) for _, active, reason in rows)
    databases = [name for name in "de" if (name,) in cluster.run("SHOW DATABASES")]
    shown = [row for name in databases for row in cluster.records(f"SHOW MATERIALIZED VIEWS FROM {name}")]
    assert {row["name"]: row["is_active"] for row in shown} == {name: active for name, active, _ in rows}
    return {name: reason for name, _, reason in rows if reason}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DROP TABLE d.t FORCE", "base-table dropped: t"),
        ("ALTER TABLE d.t RENAME other", "base-table renamed: t"),
        ("ALTER TABLE d.t SWAP WITH t2", "base-table swapped: t"),
        ("ALTER TABLE d.t2 SWAP WITH t", "base-table swapped: t"),
    ],
)
def test_a_table_that_goes_makes_its_readers_inactive(cluster: Cluster, sql: str, reason: str) -> None:
    """In whatever database, and those who read them; what else happens to the table does not."""
    cluster.run("INSERT INTO d.t VALUES (1, '2024-01-01', 1)")
    cluster.run("ALTER TABLE d.t2 RENAME t3")
    cluster.run("ALTER TABLE d.t3 RENAME t2")
    assert reasons(cluster) == {}
    cluster.run(sql)
    assert reasons(cluster) == {"mv": reason, "through": reason, "over": "base-mv inactive: mv"}


def test_a_dropped_database_goes_with_its_tables(cluster: Cluster) -> None:
    cluster.run("DROP DATABASE d")
    assert reasons(cluster) == {"mv": "base-table dropped: t", "over": "base-mv inactive: mv"}


def test_a_view_that_changes_or_goes_makes_its_readers_inactive(cluster: Cluster) -> None:
    cluster.run("CREATE OR REPLACE VIEW d.v AS SELECT id FROM d.t2")
    assert reasons(cluster) == {"through": "base-view changed: v"}
    cluster.run("ALTER MATERIALIZED VIEW d.through ACTIVE")
    cluster.run("DROP VIEW d.v")
    assert reasons(cluster) == {"through": "base-table dropped: v"}


def test_active_again_once_all_that_is_read_is_there_and_active(cluster: Cluster) -> None:
    """By name: the table under the name may be another one. Not before."""
    cluster.run("DROP TABLE d.t FORCE")
    with pytest.raises(ServerError, match=r"(?s)Can not active materialized view \[mv\].*Unknown table 'd.t'"):
        cluster.run("ALTER MATERIALIZED VIEW e.mv ACTIVE")
    cluster.run(RANGE_TABLE.format(name="d.t"))
    with pytest.raises(ServerError, match=r"(?s)\[over\].*base-mv inactive: mv"):
        cluster.run("ALTER MATERIALIZED VIEW e.over ACTIVE")
    cluster.run("ALTER MATERIALIZED VIEW e.mv ACTIVE")
    cluster.run("ALTER MATERIALIZED VIEW e.over ACTIVE")
    cluster.run("ALTER MATERIALIZED VIEW d.through ACTIVE")
    assert reasons(cluster) == {}
    cluster.run("ALTER TABLE d.t RENAME other")
    assert set(reasons(cluster)) == {"mv", "over", "through"}


def test_a_refresh_makes_active_first(cluster: Cluster) -> None:
    """And fails where that fails."""
    cluster.run("ALTER TABLE d.t SWAP WITH t2")
    cluster.run("INSERT INTO d.t VALUES (7, '2024-01-01', 1)")
    cluster.run("REFRESH MATERIALIZED VIEW e.mv")
    assert set(reasons(cluster)) == {"over", "through"}
    assert cluster.run("SELECT * FROM e.mv") == [(7,)]
    cluster.run("DROP TABLE d.t")
    with pytest.raises(ServerError, match="Can not active"):
        cluster.run("REFRESH MATERIALIZED VIEW e.mv")


def test_inactive_by_hand(cluster: Cluster) -> None:
    """Those who read it follow; a reason once given stays; other words are refused."""
    cluster.run("ALTER MATERIALIZED VIEW e.mv INACTIVE")
    by_hand = {"mv": "user use alter materialized view set status to inactive", "over": "base-mv inactive: mv"}
    assert reasons(cluster) == by_hand
    cluster.run("ALTER TABLE d.t RENAME other")
    assert reasons(cluster) == by_hand | {"through": "base-table renamed: t"}
    with pytest.raises(ServerError, match="'ACTIVE', 'INACTIVE'"):
        cluster.run("ALTER MATERIALIZED VIEW e.mv SIDEWAYS")
    with pytest.raises(ServerError, match="Materialized view t2 is not found"):
        cluster.run("ALTER MATERIALIZED VIEW d.t2 ACTIVE")


def test_what_materialized_views_read(cluster: Cluster) -> None:
    """sys.object_dependencies: each thing that a query reads, through views, too."""
    rows = cluster.records("SELECT * FROM sys.object_dependencies")
    assert {(row["OBJECT_NAME"], row["REF_OBJECT_NAME"], row["REF_OBJECT_TYPE"]) for row in rows} == {
        ("mv", "t", "OLAP"),
        ("over", "mv", "MATERIALIZED_VIEW"),
        ("through", "v", "VIEW"),
        ("through", "t", "OLAP"),
    }
    cluster.run("DROP TABLE d.t FORCE")
    assert len(cluster.run("SELECT OBJECT_ID FROM sys.object_dependencies")) == 2
    cluster.run("CREATE USER u IDENTIFIED BY ''")
    assert cluster.frontend.connect("u").execute("SELECT * FROM sys.object_dependencies")[-1].rows == []


def test_a_restored_one_is_active_if_what_it_reads_is_there(cluster: Cluster) -> None:
    """R§7.6."""
    assert cluster.backup("e", "l", "mv") == "FINISHED"
    cluster.run("DROP MATERIALIZED VIEW e.over")
    cluster.run("DROP MATERIALIZED VIEW e.mv")
    assert cluster.restore("e", "l", "mv") == "FINISHED"
    assert reasons(cluster) == {}
    cluster.run("DROP MATERIALIZED VIEW e.mv")
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.restore("e", "l", "mv") == "FINISHED"
    assert reasons(cluster)["mv"].startswith("Getting analyzing error. Detail message: Can not active")
