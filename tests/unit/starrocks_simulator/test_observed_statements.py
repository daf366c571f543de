"""Statements at their edges: what the server's grammar, analyzer and SHOW statements make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator.errors import ServerError
from starrocks_simulator.globs import glob_pattern
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

FLAT = "CREATE TABLE {name} (id INT, v INT) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
WHERE = "Where clause should looks like: SNAPSHOT = 'your_snapshot_name' [AND TIMESTAMP = '2018-04-18-19-19-10']"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database `d` with a RANGE table `t` and a flat one `u`."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run(FLAT.format(name="d.u"))
    return made


def refusal(cluster: Cluster, sql: str, user: str = "root") -> str:
    """The text of a refusal, with its number unless it is 1064."""
    with pytest.raises(ServerError) as caught:
        cluster.frontend.connect(user).execute(sql)
    text = caught.value.message
    return text if caught.value.errno == 1064 else f"{caught.value.errno} {text}"


@pytest.mark.parametrize(
    "condition",
    [
        "SNAPSHOT = y8_a",
        "SNAPSHOT = 1",
        "SNAPSHOT = ''",
        "TIMESTAMP = 'x'",
        "TIMESTAMP IN ('x')",
        "foo = 'x'",
        "SNAPSHOT = 'a' OR SNAPSHOT = 'b'",
        "SNAPSHOT IN ('a') AND TIMESTAMP = 'x'",
        "'a' = SNAPSHOT",
        "1 = 1",
        "NOT SNAPSHOT = 'a'",
    ],
)
def test_show_snapshot_takes_string_literals_only(cluster: Cluster, condition: str) -> None:
    """Anything else in WHERE is the analyzer's error (R§2.4, O§a, O2§y8)."""
    expected = f"Getting analyzing error. Detail message: {WHERE}."
    assert refusal(cluster, f"SHOW SNAPSHOT ON r WHERE {condition}") == expected


def test_show_snapshot_takes_its_conditions_in_any_order_and_in_parentheses(cluster: Cluster) -> None:
    """A label that is unknown has its row; with a timestamp the row has five columns (O§a)."""
    assert cluster.run("SHOW SNAPSHOT ON r WHERE (SNAPSHOT = 'a')") == [("a", "", "ERROR: no snapshot")]
    (row,) = cluster.run("SHOW SNAPSHOT ON r WHERE (`TIMESTAMP` = 'x') AND (`snapshot` = \"a\")")
    assert row[:4] == ("a", "x", None, None)
    assert str(row[4]).endswith("get: 0")


@pytest.mark.parametrize(
    "sql",
    [
        "BACKUP SNAPSHOT d.l TO r ON (t) PROPERTIES ()",
        "BACKUP SNAPSHOT d.l TO r ON (t) PROPERTIES ('timeout' = 3600)",
        "BACKUP SNAPSHOT d.l TO r ON (t) PROPERTIES (timeout = '3600')",
        "BACKUP SNAPSHOT d.l TO r ON (t) PROPERTIES ('timeout' = '3600',)",
        "BACKUP SNAPSHOT d.l TO r ON (ALL)",
        "BACKUP SNAPSHOT d.l TO r ON (t,)",
        "BACKUP SNAPSHOT d.l TO 'r' ON (t)",
        "SHOW INDEX FROM d.t and more",
        "COMMIT and more",
        "SET ROLE admin",
        "SHOW BACKUPS",
    ],
)
def test_what_the_grammar_does_not_have_is_a_syntax_error(cluster: Cluster, sql: str) -> None:
    """Never an OK with nothing behind it (R§2)."""
    assert refusal(cluster, sql).startswith("Getting syntax error")


def test_jobs_of_external_catalogs_are_never_running(cluster: Cluster) -> None:
    """CANCEL … FOR EXTERNAL CATALOG finds the shared slot empty (R§2.4, R§5)."""
    assert refusal(cluster, "CANCEL BACKUP FOR EXTERNAL CATALOG") == "5064 No backup job is currently running"
    assert refusal(cluster, "CANCEL RESTORE FOR EXTERNAL CATALOG") == "5064 No restore is currently running"


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("a*b", "a-b", True),
        ("a?b", "ab", False),
        ("a{b}", "ab", True),
        ("a{b}", "a{b}", False),
        ("a{b,c}d", "acd", True),
        ("a[b]", "a[b]", False),
        ("a[!b]", "ac", True),
        ("a\\b", "ab", True),
        ("a\\b", "a\\b", False),
        ("a{b", "a{b", True),
    ],
)
def test_labels_are_globs(glob: str, name: str, matches: bool) -> None:
    """`*`, `?`, `{}`, `[]` and a backslash find other labels or nothing (O§k)."""
    assert bool(glob_pattern(glob).fullmatch(name)) is matches


@pytest.mark.parametrize("label", ["a{b}", "a[b]", "a\\b"])
def test_a_label_that_does_not_match_itself_cannot_be_restored(cluster: Cluster, label: str) -> None:
    """BACKUP FINISHES, the listing finds nothing, RESTORE is refused (O§k, k2)."""
    cluster.run(f"BACKUP SNAPSHOT d.`{label}` TO r ON (t)")
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    assert cluster.run("SHOW SNAPSHOT ON r") == [(label, "", "ERROR: no snapshot")]
    text = refusal(cluster, f"RESTORE SNAPSHOT d.`{label}` FROM r ON (t) PROPERTIES('backup_timestamp'='x')")
    assert text.startswith(f"5064 Failed to get info of snapshot '{label}' because: Expected one file")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        (FLAT.format(name="d.x").replace("'1'", "'0'"), "Replication num should larger than 0"),
        (FLAT.format(name="d.x").replace("'1'", "'x'"), 'For input string: "x"'),
        (FLAT.format(name="d.x").replace(")'", "").replace("'1'", "'1','nope'='x'"), "Unknown properties: {nope=x}"),
        (
            FLAT.format(name="d.x").replace("HASH(id)", "HASH(nope)"),
            "Getting analyzing error. Detail message: Distribution column(nope) doesn't exist.",
        ),
        (
            "ALTER TABLE d.t SET ('nope' = '1')",
            "5064 Getting analyzing error. Detail message: Unknown properties: {nope=1}.",
        ),
        (
            "ALTER TABLE d.t ADD PARTITION p9 VALUES [('2024-03-02'), ('2024-03-01'))",
            "The lower values must smaller than upper values",
        ),
        ("ALTER TABLE d.t ADD PARTITION p9 VALUES LESS THAN ('abc')", "Invalid date literal: abc"),
        (
            "ALTER TABLE d.t ADD PARTITION p9 VALUES IN ('a')",
            "Getting analyzing error. Detail message: Partition p9 is not of the kind of table t's partitions.",
        ),
    ],
)
def test_wrong_definitions_are_refused(cluster: Cluster, sql: str, text: str) -> None:
    """Numbers, names, columns and ranges that cannot be (R§12.2)."""
    assert refusal(cluster, sql) == text


def test_a_synchronous_view_lives_in_its_tables_database(cluster: Cluster) -> None:
    """No database needs to be selected: the query's table names it (O2§y4)."""
    cluster.run("CREATE MATERIALIZED VIEW s AS SELECT id, SUM(v) FROM d.t GROUP BY id")
    assert [row[5] for row in cluster.run("SHOW ALTER TABLE ROLLUP FROM d")] == ["s"]


def test_a_load_that_comes_to_nothing_gives_its_label_back(cluster: Cluster) -> None:
    """No rows, or rows that no partition takes: the label can be used again; after a success it cannot (R§12.3)."""
    cluster.run("INSERT INTO d.u WITH LABEL l SELECT * FROM d.u")
    with pytest.raises(ServerError):
        cluster.run("INSERT INTO d.t WITH LABEL l VALUES (1, '2050-01-01', 1)")
    cluster.run("INSERT INTO d.u WITH LABEL l VALUES (1, 1)")
    assert refusal(cluster, "INSERT INTO d.u WITH LABEL l VALUES (1, 1)") == "Label [l] has already been used."


def test_show_takes_a_limit_with_an_offset(cluster: Cluster) -> None:
    """Both spellings (O§w)."""
    for limit in ("LIMIT 1, 5", "LIMIT 5 OFFSET 1"):
        assert [row[1] for row in cluster.run(f"SHOW PARTITIONS FROM d.t ORDER BY PartitionName {limit}")] == ["p2"]


def test_tables_are_locked_in_name_only(cluster: Cluster) -> None:
    """LOCK TABLES and UNLOCK TABLES do nothing (R§11.9)."""
    cluster.run("LOCK TABLES d.t READ")
    cluster.run("UNLOCK TABLES")


def test_clauses_of_create_table_have_one_order(cluster: Cluster) -> None:
    """COMMENT before PARTITION BY and DISTRIBUTED BY, PROPERTIES last, none twice (R§2)."""
    start = "CREATE TABLE d.x (id INT, v INT) DUPLICATE KEY(id)"
    end = "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
    for sql in (f"{start} {end} COMMENT 'x'", f"{start} COMMENT 'x' COMMENT 'y' {end}", f"{start} {end} ORDER BY (v)"):
        assert refusal(cluster, sql).startswith("Getting syntax error at line 1, column")
    cluster.run(f"{start} COMMENT 'x' {end}")


def test_a_rollup_of_create_table_is_a_rollup(cluster: Cluster) -> None:
    """RESTORE over a table that has one more is refused, with an empty reason (q2:180)."""
    assert cluster.backup("d", "l", "u") == "FINISHED"
    cluster.run("DROP TABLE d.u FORCE")
    cluster.run(FLAT.format(name="d.u").replace("PROPERTIES", "ROLLUP (r1 (id, v)) PROPERTIES"))
    text = "[COMMON_ERROR, msg: Table u already exist but with different schema, errMsg: ]"
    assert cluster.restore("d", "l", "u") == text


def test_only_information_schema_tells_of_a_sessions_temporary_table(cluster: Cluster) -> None:
    """BACKUP does not know it; partitions_meta lists it as any other (O§p, p:230-232)."""
    cluster.run(FLAT.format(name="d.s").replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))
    assert refusal(cluster, "BACKUP SNAPSHOT d.l TO r ON (s)").endswith("Incorrect table name 's'.")
    where = "FROM information_schema.{} WHERE TABLE_NAME = 's'"
    for name in ("partitions_meta", "tables_config", "temp_tables"):
        assert len(cluster.run(f"SELECT TABLE_NAME {where.format(name)}")) == 1
    assert cluster.run(f"SELECT TABLE_NAME {where.format('tables')}") == []
    assert ("s",) not in cluster.run("SHOW TABLES FROM d")
    again = FLAT.format(name="d.s").replace("CREATE TABLE", "CREATE TEMPORARY TABLE")
    assert refusal(cluster, again) == "1050 Getting analyzing error. Detail message: Table 's' already exists."
    cluster.run(again.replace("TABLE d.s", "TABLE IF NOT EXISTS d.s"))
    cluster.run("DROP TEMPORARY TABLE d.s")
    cluster.run("DROP TEMPORARY TABLE IF EXISTS d.s")
    assert "Unknown table 's'" in refusal(cluster, "DROP TEMPORARY TABLE d.s")
    assert cluster.run(f"SELECT TABLE_NAME {where.format('temp_tables')}") == []


def test_an_external_table_is_no_table_to_back_up(cluster: Cluster) -> None:
    """O§p, p:227: it needs no replicas, and has no partitions."""
    cluster.run("CREATE EXTERNAL TABLE d.ext (id INT) ENGINE=MYSQL PROPERTIES ('host' = 'h', 'table' = 't')")
    text = refusal(cluster, "BACKUP SNAPSHOT d.l TO r ON (ext)")
    assert text == "5064 Table: ext can not support backup restore, type: MYSQL"


@pytest.mark.parametrize(
    "clauses",
    [
        "RENAME PARTITION p1 TO p9",
        "DROP PARTITION p1, p2",
        "DROP PARTITION p1 FORCE NOW",
        "DROP PARTITION p1, DROP PARTITION p2 NOW, FORCE",
        "ADD PARTITION p3 VALUES [('2024-01-03'), ('2024-01-04')) EVEN IF",
        "ADD COLUMN a INT, b INT",
        "MODIFY PARTITION p1 SET ('replication_num' = '1') NOW",
    ],
)
def test_nothing_happens_if_a_part_of_the_statement_is_none(cluster: Cluster, clauses: str) -> None:
    """The parser reads all of it before anything else does (R§3.1)."""
    before = cluster.run("SHOW CREATE TABLE d.t")
    assert refusal(cluster, f"ALTER TABLE d.t {clauses}").startswith("Getting syntax error at line 1, column")
    assert cluster.run("SHOW CREATE TABLE d.t") == before


def test_a_tablet_for_each_bucket_of_each_partition(cluster: Cluster) -> None:
    """y4:108, y11:43,115: with the partition's version; a user without any privilege is not told which table."""
    cluster.run("INSERT INTO d.t VALUES (1, '2024-01-01', 1)")
    tablets = cluster.records("SHOW TABLET FROM d.t")
    assert [row["Version"] for row in tablets] == ["2", "2", "1", "1"]
    assert len({row["TabletId"] for row in tablets} | {row["ReplicaId"] for row in tablets}) == 8
    assert len(cluster.run("SHOW TABLET FROM d.t PARTITION (p1) LIMIT 1")) == 1
    assert refusal(cluster, "SHOW TABLET FROM d.t PARTITION (p9)").endswith("Unknown partition: p9.")
    assert refusal(cluster, "SHOW TABLET FROM d.x") == "Getting analyzing error. Detail message: Table x is not found."
    cluster.run("CREATE USER nobody")
    assert "the ANY privilege(s) on TABLE for this operation" in refusal(cluster, "SHOW TABLET FROM d.t", "nobody")


def test_show_data_takes_a_table(cluster: Cluster) -> None:
    """What stands behind FROM is no database (w:70, y11:44); sizes are not modelled."""
    words = "1046 Getting analyzing error. Detail message: No database selected."
    assert refusal(cluster, "SHOW DATA FROM d") == refusal(cluster, "SHOW DATA") == words
    assert "does not model" in refusal(cluster, "USE d; SHOW DATA FROM t")


def test_show_clusters_takes_a_warehouse(cluster: Cluster) -> None:
    """y10:27."""
    text = "Getting syntax error at line 1, column 13. Detail message: Unexpected input '<EOF>', the most similar input"
    assert refusal(cluster, "SHOW CLUSTERS").startswith(text)
    assert refusal(cluster, "SHOW CLUSTERS FROM WAREHOUSE w") == "5907 unsupported statement in shared_nothing mode"


@pytest.mark.parametrize("condition", ["IS NOT NULL", "BETWEEN 'a' AND 'b'", "NOT LIKE 'x'", "LIKE x", "REGEXP '.*'"])
def test_show_snapshot_does_not_look_at_other_predicates(cluster: Cluster, condition: str) -> None:
    """Everything is listed (R§2.4, O2§0.7)."""
    assert cluster.backup("d", "one", "t") == "FINISHED"
    assert [row[0] for row in cluster.run(f"SHOW SNAPSHOT ON r WHERE SNAPSHOT {condition}")] == ["one"]


def test_a_table_cannot_be_given_the_name_that_it_has(cluster: Cluster) -> None:
    """The analyzer notices, and says where."""
    text = "Getting analyzing error from line 1, column 16 to line 1, column 23. Detail message: Same table name t."
    assert refusal(cluster, "ALTER TABLE d.t RENAME t") == text


def test_there_are_no_locking_reads(cluster: Cluster) -> None:
    """O2§y9, y9:41."""
    text = "Getting syntax error at line 1, column 22. Detail message: No viable statement for input 'FOR UPDATE'."
    assert refusal(cluster, "SELECT * FROM d.t FOR UPDATE") == text


def test_one_partition_needs_no_parentheses(cluster: Cluster) -> None:
    """R§2.2."""
    cluster.run("INSERT INTO d.t PARTITION p1 VALUES (1, '2024-01-01', 1)")
    assert cluster.records("SELECT v, v IS NOT NULL FROM d.t") == [{"v": 1, "v IS NOT NULL": 1}]


def test_a_view_is_given_another_query(cluster: Cluster) -> None:
    """ALTER VIEW keeps the name and is for views only (documented, not observed)."""
    cluster.run("CREATE VIEW d.v (a COMMENT 'the key', b) COMMENT 'both' AS SELECT id, v FROM d.u")
    cluster.run("INSERT INTO d.u VALUES (1, 2)")
    cluster.run("ALTER VIEW d.v (b) AS SELECT v FROM d.u")
    assert cluster.records("SELECT * FROM d.v") == [{"b": 2}]
    assert refusal(cluster, "ALTER VIEW d.u AS SELECT 1").endswith("The specified table [d.u] is not a view.")
    assert refusal(cluster, "ALTER VIEW d.x AS SELECT 1").endswith("Table x is not found.")
