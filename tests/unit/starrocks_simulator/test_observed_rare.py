"""Statements that are seldom sent (R§2, R§3, O2§0.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with a table `t`, and one backup `l`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    assert made.backup("d", "l", "t") == "FINISHED"
    return made


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("BACKUP ALL EXTERNAL CATALOGS SNAPSHOT m TO r", "No external catalog can be backed up"),
        ("BACKUP EXTERNAL CATALOG (c) SNAPSHOT d.m TO r", "Can not sepcify database name for external catalog"),
        ("BACKUP EXTERNAL CATALOG (c) SNAPSHOT m TO r ON (t)", "Can not sepcify `ON` clause for external catalog"),
        ("RESTORE SNAPSHOT d.l FROM r EXTERNAL CATALOG (c AS e) {}", "Can not sepcify database name"),
        ("RESTORE SNAPSHOT l FROM r EXTERNAL CATALOGS (c) ON (t) {}", "Can not sepcify `ON` clause"),
        ("RESTORE SNAPSHOT l FROM r ALL EXTERNAL CATALOGS {}", "This is not a snapshot for external catalog restore"),
    ],
)
def test_external_catalogs_are_known_and_refused(cluster: Cluster, sql: str, text: str) -> None:
    """There are none here; the server's own spelling (R§3.1, R§3.3)."""
    properties = f"PROPERTIES('backup_timestamp'='{cluster.timestamp('l')}')"
    with pytest.raises(ServerError, match=text):
        cluster.run(sql.format(properties))


def test_an_image_may_be_asked_for(cluster: Cluster) -> None:
    """O2§0.1 names the statement; nothing of it is modelled."""
    assert cluster.run("ALTER SYSTEM CREATE IMAGE") == []


@pytest.mark.parametrize(
    ("alter", "kind"),
    [
        ("MODIFY COLUMN v BIGINT", "COLUMN"),
        ("ADD ROLLUP u (dt)", "ROLLUP"),
        ("DISTRIBUTED BY HASH(id) BUCKETS 3", "OPTIMIZE"),
    ],
)
def test_a_change_of_a_table_may_be_cancelled_while_it_runs(cluster: Cluster, alter: str, kind: str) -> None:
    """Without its effect; the table is free again, and there is nothing to cancel any more."""
    before = cluster.run("SHOW CREATE TABLE d.t")
    cluster.run(f"ALTER TABLE d.t {alter}")
    cluster.clock.advance(12)
    cluster.run(f"CANCEL ALTER TABLE {kind} FROM d.t")
    (job,) = cluster.records(f"SHOW ALTER TABLE {kind} FROM d")
    assert (job["State"], job["Msg"]) == ("CANCELLED", "user cancelled")
    with pytest.raises(ServerError, match=r"Table\[t\] is not under"):
        cluster.run(f"CANCEL ALTER TABLE {kind} FROM d.t")
    cluster.clock.advance(60)
    assert cluster.run("SHOW CREATE TABLE d.t") == before
    assert len(cluster.run("SELECT 1 FROM information_schema.partitions_meta WHERE DB_NAME = 'd'")) == 2
    cluster.run("ALTER TABLE d.t ADD COLUMN w INT")


def test_a_synchronous_view_is_dropped_like_any_other(cluster: Cluster) -> None:
    """It is a rollup of its table, found by its name alone (documented, not observed)."""
    cluster.run("CREATE MATERIALIZED VIEW d.m AS SELECT id, SUM(v) FROM d.t GROUP BY id")
    cluster.clock.advance(40)
    cluster.run("DROP MATERIALIZED VIEW d.m")
    assert len(cluster.run("SHOW PROC '/dbs/d/t/index_schema'")) == 1
    with pytest.raises(ServerError, match="Materialized view m is not found"):
        cluster.run("DROP MATERIALIZED VIEW d.m")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("ALTER TABLE d.t DROP COLUMN dt", "Partition column[dt] cannot be dropped. index[t]"),
        ("ALTER TABLE d.t DROP COLUMN id", "Distribution column[id] cannot be dropped. index[t]"),
        ("ALTER TABLE d.t MODIFY COLUMN dt DATETIME NOT NULL", "Can not modify partition column[dt]. index[t]"),
        ("ALTER TABLE d.t MODIFY COLUMN id BIGINT NOT NULL", "Can not modify distribution column[id]. index[t]"),
        (
            "TRUNCATE TABLE d.t PARTITION (`$shadow_automatic_partition`)",
            "Partition $shadow_automatic_partition does not",
        ),
        ("ALTER TABLE d.t RENAME PARTITION `$x` y", "Rename of shadow partitions is not allowed"),
        ("ALTER TABLE d.t SET ('replication_num'='1')", "This is a range partitioned table"),
    ],
)
def test_what_holds_rows_in_their_places_stays(cluster: Cluster, sql: str, text: str) -> None:
    """Documented, not observed."""
    with pytest.raises(ServerError) as refused:
        cluster.run(sql)
    assert refused.value.message.startswith(text)


def test_a_query_may_be_prepared(cluster: Cluster) -> None:
    """And nothing else; a parameter without a value is NULL, and headed as it was written (t:63-66)."""
    with pytest.raises(ServerError, match="not supported in the prepared statement protocol yet") as refused:
        cluster.run("PREPARE s FROM 'SHOW BACKUP FROM d'")
    assert refused.value.errno == 1295
    cluster.run("PREPARE s FROM 'SELECT ? FROM dual'")
    assert cluster.records("EXECUTE s USING @a") == [{"?": None}]
    cluster.run("DEALLOCATE PREPARE s")
    with pytest.raises(ServerError, match="does not exist"):
        cluster.run("EXECUTE s")
