"""The four table models: what a second row of the same key does (R§12.1)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from starrocks_simulator.frontend import Frontend
from starrocks_simulator.session import Session

if TYPE_CHECKING:
    from starrocks_simulator.clock import VirtualClock

    from .conftest import Refused, Run

TAIL = "DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES ('replication_num' = '1')"


def test_a_duplicate_table_keeps_every_row(run: Run) -> None:
    """Rows of one key stand side by side."""
    run(f"CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) {TAIL}")
    run("INSERT INTO t VALUES (1, 1), (1, 2)")
    run("INSERT INTO t VALUES (1, 1)")
    assert run("SELECT k, v FROM t ORDER BY v") == [(1, 1), (1, 1), (1, 2)]


@pytest.mark.parametrize("model", ["UNIQUE", "PRIMARY"])
def test_a_keyed_table_keeps_the_last_row(run: Run, model: str) -> None:
    """Within one load and over loads."""
    run(f"CREATE TABLE t (k INT NOT NULL, v INT) {model} KEY(k) {TAIL}")
    run("INSERT INTO t VALUES (1, 1), (2, 2), (1, 3)")
    run("INSERT INTO t VALUES (2, 9)")
    assert run("SELECT k, v FROM t ORDER BY k") == [(1, 3), (2, 9)]


def test_an_aggregate_table_aggregates(run: Run) -> None:
    """Each value column its own way."""
    run(
        "CREATE TABLE t (k INT, s BIGINT SUM, a INT MAX, i INT MIN, r VARCHAR(9) REPLACE, "
        f"n INT REPLACE_IF_NOT_NULL) AGGREGATE KEY(k) {TAIL}"
    )
    run("INSERT INTO t VALUES (1, 1, 1, 1, 'a', 1), (1, 2, 2, 2, 'b', NULL)")
    run("INSERT INTO t VALUES (1, 4, 0, 0, 'c', NULL)")
    assert run("SELECT * FROM t") == [(1, 7, 2, 0, "c", 1)]


def test_without_a_key_clause_columns_that_aggregate_make_an_aggregate_table(run: Run) -> None:
    """The key is what does not aggregate; else the first columns are the key of a DUPLICATE table."""
    run(f"CREATE TABLE a (k INT, s INT SUM) {TAIL}")
    run(f"CREATE TABLE b (k INT, v VARCHAR(5), w INT) {TAIL}")
    assert "AGGREGATE KEY(`k`)" in run("SHOW CREATE TABLE a")[0][1]
    assert "DUPLICATE KEY(`k`, `v`)" in run("SHOW CREATE TABLE b")[0][1]


def test_update_and_delete_tell_how_many_rows(session: Session) -> None:
    """Of a PRIMARY KEY table, with names quoted and qualified in any way."""
    session.execute(f"CREATE TABLE t (k INT NOT NULL, v INT, s VARCHAR(9)) PRIMARY KEY(k) {TAIL}")
    session.execute("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')")
    updated = session.execute("UPDATE `d`.`t` SET v = v + 10, s = concat(s, '!') WHERE d.t.k IN (1, 2, 9)")[0]
    assert updated.affected == 2
    assert "'status':'VISIBLE'" in updated.info
    assert session.execute("DELETE FROM d.t WHERE `d`.`t`.`k` = 3 OR s = 'a!'")[0].affected == 2
    assert session.execute("SELECT k, v, s FROM t")[0].rows == [(2, 12, "b!")]


def test_update_is_only_for_primary_keys(run: Run, refused: Refused) -> None:
    """Never of key columns, never without a condition."""
    run(f"CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) {TAIL}")
    run(f"CREATE TABLE p (k INT NOT NULL, v INT) PRIMARY KEY(k) {TAIL}")
    assert "table t does not support update" in refused("UPDATE t SET v = 1 WHERE k = 1")
    assert "primary key column cannot be updated: k" in refused("UPDATE p SET k = 2 WHERE k = 1")
    assert "must specify where clause" in refused("UPDATE p SET v = 2")
    assert "must specify where clause" in refused("DELETE FROM p")


def test_an_auto_increment_column_numbers_rows(run: Run) -> None:
    """Omitted or NULL: the next number."""
    run(f"CREATE TABLE t (k BIGINT NOT NULL AUTO_INCREMENT, v INT) PRIMARY KEY(k) {TAIL}")
    run("INSERT INTO t (v) VALUES (7), (8)")
    run("INSERT INTO t (v) VALUES (9)")
    assert run("SELECT * FROM t ORDER BY k") == [(1, 7), (2, 8), (3, 9)]


def test_numbers_that_a_load_brings_leave_the_counter_alone(run: Run) -> None:
    """Numbers given out before are given out again after rows are copied into a younger table."""
    run(f"CREATE TABLE t (k BIGINT NOT NULL AUTO_INCREMENT, v INT) DUPLICATE KEY(k) {TAIL}")
    run("INSERT INTO t VALUES (1, 7), (2, 8)")
    run("INSERT INTO t (v) VALUES (9)")
    run("INSERT INTO t VALUES (NULL, 10), (9, 11)")
    assert run("SELECT * FROM t ORDER BY v") == [(1, 7), (2, 8), (1, 9), (2, 10), (9, 11)]


def test_a_generated_column_is_computed(run: Run, clock: VirtualClock) -> None:
    """Also for rows from before it was added, at the end of that schema change."""
    run(f"CREATE TABLE t (k INT, v INT, g BIGINT AS v + 1) DUPLICATE KEY(k) {TAIL}")
    run("INSERT INTO t VALUES (1, 1)")
    run("ALTER TABLE t ADD COLUMN h BIGINT AS v * 10")
    assert run("SELECT * FROM t") == [(1, 1, 2)]
    clock.advance(18)
    assert run("SELECT * FROM t") == [(1, 1, 2, 10)]
    assert "`g` bigint(20) NULL AS `v` + 1" in run("SHOW CREATE TABLE t")[0][1]


@pytest.mark.parametrize(
    "values", ["(NULL, 'a')", "(1, 'äbc')", "(1, 'abcd')"], ids=["null key", "bytes count", "too long"]
)
def test_rows_that_do_not_fit_fail_the_load(run: Run, refused: Refused, values: str) -> None:
    """NULL in a NOT NULL column, more bytes than the column takes: nothing is loaded."""
    run(f"CREATE TABLE t (k INT NOT NULL, v VARCHAR(3)) PRIMARY KEY(k) {TAIL}")
    assert "Insert has filtered data" in refused(f"INSERT INTO t VALUES {values}")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_a_million_bytes_go_into_a_wide_column(run: Run) -> None:
    """VARCHAR(1048576) holds what `ops` needs."""
    run(f"CREATE TABLE t (k INT NOT NULL, v VARCHAR(1048576)) PRIMARY KEY(k) {TAIL}")
    run(f"INSERT INTO t VALUES (1, '{'x' * 1_000_000}')")
    assert run("SELECT length(v) FROM t") == [(1_000_000,)]


def test_values_are_limited_in_number(run: Run, refused: Refused) -> None:
    """10,000 rows are taken, one more is refused (O2§y9)."""
    run(f"CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) {TAIL}")
    rows = ", ".join(["(1, 2)"] * 10_000)
    run(f"INSERT INTO t VALUES {rows}")
    assert "The inserted rows are 10,001 exceeded the maximum limit 10,000" in refused(
        f"INSERT INTO t VALUES {rows}, (1, 2)"
    )


def test_two_frontends_share_nothing(tmp_path: Path) -> None:
    """Same names, same ids, other rows."""
    sessions = [Frontend(tmp_path).connect() for _ in range(2)]
    for number, session in enumerate(sessions):
        session.execute(f"CREATE DATABASE d; CREATE TABLE d.t (k INT) {TAIL}; INSERT INTO d.t VALUES ({number})")
    assert [session.execute("SELECT k FROM d.t")[0].rows for session in sessions] == [[(0,)], [(1,)]]


@pytest.mark.parametrize("source", ["VALUES {}", "SELECT * FROM (VALUES {}) AS x(k, v)"])
@pytest.mark.parametrize(
    ("row", "fits"),
    [("(1, 'abc')", True), ("(1, 'aé')", True), ("(1, 'abé')", False), ("(NULL, 'a')", False), ("(1, NULL)", True)],
)
def test_what_does_not_fit_a_column_fails_the_load(
    run: Run, refused: Refused, source: str, row: str, fits: bool
) -> None:
    """Whether the rows are values or a query's: NULL where none may be, and texts of too many bytes (R§12.2)."""
    run(f"CREATE TABLE t (k INT NOT NULL, v VARCHAR(3)) DUPLICATE KEY(k) {TAIL}")
    load = f"INSERT INTO t {source.format(row)}"
    if fits:
        run(load)
    else:
        assert "filtered data in strict mode" in refused(load)
    assert run("SELECT COUNT(*) FROM t") == [(int(fits),)]


@pytest.mark.parametrize("model", ["DUPLICATE", "UNIQUE", "PRIMARY"])
def test_the_number_of_rows_that_a_listing_tells_is_kept_up_to_date(run: Run, model: str) -> None:
    """partitions_meta tells what SELECT COUNT(*) counts, after every load and DELETE."""
    run(f"CREATE TABLE t (k INT NOT NULL, v INT) {model} KEY(k) {TAIL}")
    for statement in ("VALUES (1, 1), (2, 2), (3, 3)", "VALUES (1, 4), (4, 4)", "SELECT k, v FROM t WHERE k > 9"):
        run(f"INSERT INTO t {statement}")
        counted = run("SELECT COUNT(*) FROM t")
        assert run("SELECT ROW_COUNT FROM information_schema.partitions_meta WHERE TABLE_NAME = 't'") == counted
    run("DELETE FROM t WHERE k > 1")
    counted = run("SELECT COUNT(*) FROM t")
    assert run("SELECT ROW_COUNT FROM information_schema.partitions_meta WHERE TABLE_NAME = 't'") == counted
