"""Ghosts of temporary partitions, kind by kind (O2§0.1, O2§y5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

END = "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
KINDS = {
    "range": RANGE_TABLE.format(name="d.t"),
    "flat": f"CREATE TABLE d.t (id INT NOT NULL, v INT) DUPLICATE KEY(id) {END}",
    "list": "CREATE TABLE d.t (id INT NOT NULL, c VARCHAR(9) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(c) "
    f"(PARTITION p1 VALUES IN ('a'), PARTITION p2 VALUES IN ('b')) {END}",
}


def haunted(folder: Path, kind: str) -> Cluster:
    """A table restored from a BACKUP whose cut fell into an overwrite."""
    cluster = Cluster(folder)
    cluster.run("CREATE DATABASE d")
    cluster.run(KINDS[kind])
    cluster.run("BACKUP SNAPSHOT d.l TO r ON (t)")
    overwriting = cluster.frontend.begin_overwrite("d", "t")
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    overwriting.abort()
    assert cluster.restore("d", "l", "t") == "FINISHED"
    assert cluster.run("SELECT 1 FROM information_schema.partitions_meta LIMIT 1") == [(1,)], "over a table: no ghost"
    cluster.run("DROP TABLE d.t FORCE")
    assert cluster.restore("d", "l", "t") == "FINISHED"
    return cluster


@pytest.mark.parametrize("kind", KINDS)
def test_a_ghost_breaks_partitions_meta_for_all(tmp_path: Path, kind: str) -> None:
    """Whatever database is asked for; TRUNCATE cures it (y5, y5b)."""
    cluster = haunted(tmp_path, kind)
    word = "Range" if kind == "range" else "dataProperty"
    with pytest.raises(ServerError, match=word):
        cluster.run("SELECT 1 FROM information_schema.partitions_meta WHERE DB_NAME = 'other'")
    cluster.run("TRUNCATE TABLE d.t")
    assert cluster.run("SELECT 1 FROM information_schema.partitions_meta LIMIT 1") == [(1,)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_ghosts_names_are_unknown_to_sql(tmp_path: Path, kind: str) -> None:
    """SHOW TEMPORARY PARTITIONS shows nothing of a RANGE table's, and breaks for the others (O2§0.1)."""
    cluster = haunted(tmp_path, kind)
    if kind == "range":
        assert cluster.run("SHOW TEMPORARY PARTITIONS FROM d.t") == []
    else:
        with pytest.raises(ServerError, match="dataProperty"):
            cluster.run("SHOW TEMPORARY PARTITIONS FROM d.t")


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_with_a_ghost_is_neither_backed_up_nor_restored_nor_altered(tmp_path: Path, kind: str) -> None:
    """Loads and RENAME go on (y5b)."""
    cluster = haunted(tmp_path, kind)
    with pytest.raises(ServerError, match="Do not support backing up table with temp partitions"):
        cluster.run("BACKUP SNAPSHOT d.again TO r ON (t)")
    with pytest.raises(ServerError, match="Can not alter table when there are temp partitions in table"):
        cluster.run("ALTER TABLE d.t ADD COLUMN z INT")
    text = "[COMMON_ERROR, msg: Do not support restoring table with temp partitions]"
    assert cluster.restore("d", "l", "t") == text
    cluster.run("ALTER TABLE d.t RENAME t2")
