"""Sessions, variables, queries, listings and the words of errors (O§q, O§t, O§w)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.session import Session

if TYPE_CHECKING:
    from .conftest import Refused, Run

TAIL = "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES ('replication_num' = '1')"


def test_what_drivers_send_on_connect_is_answered(session: Session) -> None:
    """SQLAlchemy with mysqlclient or PyMySQL (O§t)."""
    for sql in (
        "SET NAMES utf8mb4",
        "SELECT VERSION()",
        "SELECT DATABASE()",
        "SELECT @@transaction_isolation",
        "SELECT @@sql_mode",
        "SELECT @@lower_case_table_names",
        "ROLLBACK",
        "COMMIT",
        "SET autocommit=1",
        "SET AUTOCOMMIT = 0",
        "SHOW WARNINGS",
        "SHOW VARIABLES LIKE 'sql_mode'",
        "SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1",
    ):
        session.execute(sql)
    assert session.execute("SELECT @@transaction_isolation, @@autocommit")[0].rows == [("REPEATABLE-READ", 0)]


def test_now_is_the_frontends_clock_in_the_sessions_zone(run: Run, clock: VirtualClock) -> None:
    """Whole seconds; NOW(6) has six digits."""
    clock.advance(0.75)
    shown = run("SELECT NOW(), UTC_TIMESTAMP(), NOW(6)")[0]
    assert list(map(str, shown)) == ["2027-01-15 08:00:00", "2027-01-15 08:00:00", "2027-01-15 08:00:00.750000"]
    run("SET time_zone = '+02:00'")
    shown = run("SELECT NOW(), UTC_TIMESTAMP(), @@time_zone")[0]
    assert list(map(str, shown)) == ["2027-01-15 10:00:00", "2027-01-15 08:00:00", "+02:00"]


def test_arithmetic_on_moments(run: Run) -> None:
    """What ages in SQL need."""
    run(f"CREATE TABLE t (id INT, at DATETIME) {TAIL}")
    run("INSERT INTO t VALUES (1, NOW()), (2, '2027-01-15 07:00:30')")
    assert run("SELECT id FROM t WHERE timestampdiff(SECOND, at, NOW()) > 60") == [(2,)]
    assert run("SELECT id FROM t WHERE at < date_sub(NOW(), INTERVAL 10 MINUTE) ORDER BY id LIMIT 1") == [(2,)]
    assert run("SELECT seconds_diff(NOW(), at), timestampdiff(HOUR, at, NOW()) FROM t ORDER BY id") == [
        (0, 0),
        (3570, 0),
    ]


def test_times_are_shown_in_the_sessions_zone(run: Run) -> None:
    """SHOW and information_schema alike (R§10)."""
    run(f"CREATE TABLE t (id INT) {TAIL}")
    run("SET time_zone = 'Asia/Tokyo'")
    assert run("SHOW PARTITIONS FROM t")[0][3] == "2027-01-15 17:00:00"
    assert run("SHOW PARTITIONS FROM t")[0][12] == "10000-01-01 00:59:59"
    shown = run("SELECT visible_version_time FROM information_schema.partitions_meta")
    assert str(shown[0][0]) == "2027-01-15 17:00:00"


def test_headings_are_as_written(session: Session) -> None:
    """Names as the client spelled them, calls as the server prints them (t:12-18 of the transcripts)."""
    session.execute(f"CREATE TABLE t (id INT) {TAIL}")
    sql = "SELECT Id, d.t.id, count(*), COUNT(*) n, 1, 'a', now(), DATABASE() FROM t GROUP BY id"
    names = [column.name for column in session.execute(sql)[0].columns or ()]
    assert names == ["Id", "id", "count(*)", "n", "1", "'a'", "now()", "DATABASE()"]


def test_two_tables_of_one_name(run: Run) -> None:
    """Told apart by their database, also in conditions."""
    run(f"CREATE TABLE t (id INT, v INT) {TAIL}")
    run("CREATE DATABASE e")
    run(f"CREATE TABLE e.t (id INT, v INT) {TAIL}")
    run("INSERT INTO d.t VALUES (1, 10)")
    run("INSERT INTO e.t VALUES (1, 20)")
    assert run("SELECT d.t.v, e.t.v FROM d.t JOIN e.t ON d.t.id = e.t.id") == [(10, 20)]
    assert run("SELECT a.v FROM d.t a WHERE a.id NOT IN (SELECT id FROM e.t WHERE v < 20)") == [(10,)]


def test_views_see_their_tables(run: Run, refused: Refused) -> None:
    """Text is kept with names qualified (p:204 of the transcripts)."""
    run(f"CREATE TABLE u (id INT, v INT) {TAIL}")
    run("CREATE VIEW v AS SELECT id, v FROM u")
    run("INSERT INTO u VALUES (1, 2)")
    assert run("SELECT v FROM v WHERE id = 1") == [(2,)]
    assert run("SHOW CREATE VIEW v")[0][1] == (
        "CREATE VIEW `v` (`id`, `v`) SECURITY NONE AS SELECT `d`.`u`.`id`, `d`.`u`.`v`\nFROM `d`.`u`;"
    )
    assert refused("CREATE TABLE v (id INT)").startswith("1050 ")
    assert "is not 'TABLE'" in refused("DROP TABLE v")
    run("DROP VIEW v")
    assert refused("SELECT * FROM v").startswith("5502 ")


def test_materialized_views_are_listed_as_the_server_lists_them(run: Run) -> None:
    """A VIEW of engine StarRocks in tables, a row in partitions_meta and materialized_views (O§p)."""
    run(f"CREATE TABLE u (id INT, v INT) {TAIL}")
    run(
        "CREATE MATERIALIZED VIEW mv DISTRIBUTED BY HASH(id) BUCKETS 1 REFRESH MANUAL "
        "PROPERTIES('replication_num'='1') AS SELECT id, sum(v) s FROM u GROUP BY id"
    )
    run("CREATE VIEW v AS SELECT id FROM u")
    listed = run(
        "SELECT table_name, table_type, engine FROM information_schema.tables WHERE table_schema = 'd' ORDER BY 1"
    )
    assert listed == [("mv", "VIEW", "StarRocks"), ("u", "BASE TABLE", "StarRocks"), ("v", "VIEW", "")]
    assert run("SELECT table_name FROM information_schema.materialized_views") == [("mv",)]
    assert ("mv",) in run("SELECT table_name FROM information_schema.partitions_meta")
    assert [row[2] for row in run("SHOW MATERIALIZED VIEWS FROM d")] == ["mv"]


def test_a_materialized_view_is_filled_by_its_refresh(run: Run) -> None:
    """Not before."""
    run(f"CREATE TABLE u (id INT, v INT) {TAIL}")
    run("INSERT INTO u VALUES (1, 2), (1, 3)")
    run(
        "CREATE MATERIALIZED VIEW mv DISTRIBUTED BY HASH(id) BUCKETS 1 REFRESH MANUAL "
        "PROPERTIES('replication_num'='1') AS SELECT id, sum(v) s FROM u GROUP BY id"
    )
    assert run("SELECT * FROM mv") == []
    run("REFRESH MATERIALIZED VIEW mv WITH SYNC MODE")
    assert run("SELECT * FROM mv") == [(1, 5)]
    run("DROP MATERIALIZED VIEW mv")


def test_a_load_label_is_used_once(run: Run, refused: Refused) -> None:
    """R§12.3."""
    run(f"CREATE TABLE t (id INT) {TAIL}")
    run("INSERT INTO t WITH LABEL `a-1` VALUES (1)")
    assert refused("INSERT INTO t WITH LABEL `a-1` VALUES (2)") == "1064 Label [a-1] has already been used."
    assert run("SELECT id FROM t") == [(1,)]


def test_information_schema_is_joined_filtered_and_counted(run: Run) -> None:
    """Any query over it works."""
    run(f"CREATE TABLE t (id INT, v DECIMAL(10, 2) COMMENT 'x') {TAIL}")
    assert run(
        "SELECT c.column_name, c.column_type, c.column_key, c.column_comment FROM information_schema.tables t "
        "JOIN information_schema.columns c ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
        "WHERE t.table_schema = 'd' ORDER BY c.ordinal_position"
    ) == [("id", "int", "DUP", ""), ("v", "decimal(10,2)", "DUP", "x")]
    assert run("SELECT count(*) FROM information_schema.partitions") == [(0,)]
    assert run("SELECT TABLE_MODEL, DISTRIBUTE_KEY FROM information_schema.tables_config") == [("DUP_KEYS", "`id`")]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("CREATE DATABASE d", "1007 Can't create database 'd'; database exists"),
        ("DROP DATABASE nope", "1008 Can't drop database 'nope'; database doesn't exist"),
        ("USE nope", "5501 Unknown database 'nope'"),
        ("SELECT * FROM nope", "5502 Getting analyzing error. Detail message: Unknown table 'd.nope'."),
        ("DROP TABLE nope", "5502 Getting analyzing error. Detail message: Unknown table 'nope'."),
        ("SHOW PARTITIONS FROM nope", "1064 Getting analyzing error. Detail message: Table nope is not found."),
        ("SHOW WAREHOUSES", "5907 unsupported statement in shared_nothing mode"),
        ("KILL 99", "1094 Unknown thread id: 99"),
        (
            "SHOW MASTER STATUS",
            (
                "1064 Getting syntax error at line 1, column 5. Detail message: "
                "No viable statement for input 'SHOW MASTER'."
            ),
        ),
        (
            "SET time_zone = 'nonsense'",
            "1298 Getting analyzing error. Detail message: Unknown or incorrect time zone: 'nonsense'.",
        ),
        (
            "CREATE TABLE t (id INT) DISTRIBUTED BY HASH(id) BUCKETS 1",
            (
                "1064 Table replication num should be less than or equal to the number of available backends. You can "
                "change this default by setting the replication_num table properties. Current available backends: "
                "[10001], table=t, replication_num=3, default_replication_num=3"
            ),
        ),
    ],
)
def test_refusals_have_the_servers_words(refused: Refused, sql: str, answer: str) -> None:
    """Number and text."""
    assert refused(sql) == answer


def test_an_unknown_statement_is_never_ok(refused: Refused) -> None:
    """Neither an unknown verb nor an unknown object of a known one."""
    for sql in ("FROBNICATE t", "SHOW FROBS", "CREATE FROB x", "ALTER TABLE t FROB", "SELECT FROM WHERE"):
        assert refused(sql).startswith(("1064", "5502"))


def test_backticks_vanish_and_strings_keep_their_marks(run: Run) -> None:
    """R§2.7."""
    run(f"CREATE TABLE `a``b` (id INT, `we ird` VARCHAR(20)) {TAIL}")
    run("""INSERT INTO ab VALUES (1, 'it''s; \\"x\\"\\n')""")
    assert run("SELECT `we ird` FROM ab") == [('it\'s; "x"\n',)]


def test_several_statements_in_one_text(session: Session) -> None:
    """All of them run; a semicolon in a string ends nothing (R§11.4)."""
    results = session.execute("SELECT 1; SELECT ';' ;; SELECT 3;")
    assert [result.rows for result in results] == [[(1,)], [(";",)], [(3,)]]


def test_an_explicit_transaction_takes_inserts_only(run: Run, refused: Refused) -> None:
    """R§11.3."""
    run(f"CREATE TABLE t (id INT) {TAIL}")
    run("BEGIN")
    run("INSERT INTO t VALUES (1)")
    assert refused("SELECT 1").startswith("5305 ")
    run("ROLLBACK")
    assert run("SELECT 1") == [(1,)]


def test_show_statements_can_be_filtered(run: Run) -> None:
    """LIKE, WHERE, ORDER BY, LIMIT."""
    for name in ("t1", "t2", "u1"):
        run(f"CREATE TABLE {name} (id INT) {TAIL}")
    assert run("SHOW TABLES LIKE 't%'") == [("t1",), ("t2",)]
    assert run("SHOW VARIABLES WHERE Variable_name = 'query_timeout'") == [("query_timeout", "300")]
    assert [
        row[1] for row in run("SHOW PARTITIONS FROM t1 WHERE PartitionName LIKE 't%' ORDER BY PartitionId LIMIT 1")
    ] == ["t1"]


def test_the_cluster_says_what_it_is(run: Run, frontend: Frontend) -> None:
    """Leader, cluster id, alive backends, run mode."""
    row = run("SHOW FRONTENDS")[0]
    assert (row[7], row[8]) == ("LEADER", str(frontend.cluster_id))
    assert run("SHOW PROC '/frontends'") == [row]
    assert [backend[8] for backend in run("SHOW BACKENDS")] == ["true"]
    assert run("ADMIN SHOW FRONTEND CONFIG LIKE 'run_mode'")[0][2] == "shared_nothing"
    run("ADMIN SET FRONTEND CONFIG ('default_replication_num' = '1')")
    run("CREATE TABLE t (id INT) DISTRIBUTED BY HASH(id) BUCKETS 1")


def test_global_variables_are_for_new_sessions(frontend: Frontend, session: Session) -> None:
    """O§r."""
    session.execute("SET GLOBAL query_timeout = 5")
    assert session.execute("SELECT @@query_timeout")[0].rows == [(300,)]
    assert frontend.connect().execute("SELECT @@query_timeout")[0].rows == [(5,)]


def test_dropped_databases_come_back_whole(run: Run, refused: Refused) -> None:
    """RECOVER DATABASE; FORCE leaves nothing (O§n)."""
    run(f"CREATE TABLE t (id INT) {TAIL}")
    run("INSERT INTO t VALUES (1)")
    run("DROP DATABASE d")
    run("RECOVER DATABASE d")
    assert run("SELECT id FROM d.t") == [(1,)]
    run("DROP DATABASE d FORCE")
    assert refused("RECOVER DATABASE d").startswith("5501 ")


def test_a_column_list_takes_rows_from_a_query(run: Run) -> None:
    """INSERT … SELECT with fewer columns; the others get their defaults."""
    run(f"CREATE TABLE t (id INT, v INT DEFAULT '4', w VARCHAR(9)) {TAIL}")
    run("INSERT INTO t (w, id) SELECT 'x', 1 WHERE NOT EXISTS (SELECT 1 FROM t)")
    run("INSERT INTO t (w, id) SELECT 'y', 2 WHERE NOT EXISTS (SELECT 1 FROM t)")
    assert run("SELECT id, v, w FROM t") == [(1, 4, "x")]


def test_every_create_text_makes_the_same_table_again(run: Run) -> None:
    """SHOW CREATE TABLE is read back by CREATE TABLE, by hand and through LIKE."""
    tail = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')"
    tables = [
        f"(id INT NOT NULL, c VARCHAR(9) DEFAULT 'x' COMMENT 'y') PRIMARY KEY(id) COMMENT 'z' {tail}",
        f"(id INT, dt DATE) PARTITION BY RANGE(dt) (PARTITION p VALUES LESS THAN ('2024-01-01')) {tail}",
        f"(id INT, c VARCHAR(9)) PARTITION BY LIST(c) (PARTITION p VALUES IN ('a', 'b')) {tail}",
        f"(id INT, dt DATETIME) PARTITION BY date_trunc('month', dt) {tail}",
        f"(id INT, s DECIMAL(10, 2) SUM) AGGREGATE KEY(id) {tail}",
        "(id INT, v INT, INDEX ix (v) USING BITMAP) DISTRIBUTED BY RANDOM PROPERTIES ('replication_num' = '1')",
    ]
    for number, body in enumerate(tables):
        run(f"CREATE TABLE t{number} {body}")
        text = run(f"SHOW CREATE TABLE t{number}")[0][1]
        run(f"CREATE TABLE l{number} LIKE t{number}")
        assert run(f"SHOW CREATE TABLE l{number}")[0][1].replace(f"`l{number}`", f"`t{number}`") == text
        run(f"DROP TABLE t{number} FORCE")
        run(text)
        assert run(f"SHOW CREATE TABLE t{number}")[0][1] == text
