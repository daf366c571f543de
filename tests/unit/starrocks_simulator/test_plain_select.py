"""Queries answered without the engine give what the engine gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator import plain_select
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.lexer import tokenize
from starrocks_simulator.session import Session
from starrocks_simulator.system_tables import SYSTEM_TABLES

ENGINE = " ORDER BY 1 + 0"  # makes it a query that only the engine answers


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Of a cluster with two tables."""
    session = Frontend(tmp_path, clock=VirtualClock(), default_replication_num=1).connect()
    session.execute("CREATE DATABASE d1")
    for name in ("t", "u"):
        session.execute(
            f"CREATE TABLE d1.{name} (id INT NOT NULL, k DATE, v DECIMAL(9, 2) DEFAULT '1.5') DUPLICATE KEY(id) "
            "PARTITION BY RANGE(k) (PARTITION p1 VALUES LESS THAN ('2024-01-02'), PARTITION p2 VALUES LESS THAN "
            "('2024-01-03')) DISTRIBUTED BY HASH(id) BUCKETS 2"
        )
    session.execute("INSERT INTO d1.t VALUES (1, '2024-01-01', 1), (2, '2024-01-02', NULL)")
    return session


def plain(session: Session, sql: str) -> bool:
    """Whether it is answered without the engine."""
    return plain_select.answer(session, Cursor(sql, tokenize(sql))) is not None


@pytest.mark.parametrize("table", ["partitions_meta", "columns", "tables_config", "tables", "schemata"])
def test_every_column_is_what_the_engine_gives(session: Session, table: str) -> None:
    names = [column.name for column in SYSTEM_TABLES[table]]
    sql = f"SELECT {', '.join(names)} FROM information_schema.{table}"
    assert plain(session, sql)
    (quick,), (slow,) = session.execute(sql), session.execute(sql + ENGINE)
    assert quick.columns == slow.columns
    assert sorted(map(repr, quick.rows)) == sorted(map(repr, slow.rows))
    assert quick.rows
    assert quick.affected == slow.affected


@pytest.mark.parametrize(
    "condition",
    [
        "TABLE_NAME = 't'",
        "TABLE_NAME IN ('t', 'x')",
        "table_name = 'nobody'",
        "DB_NAME = 'd1' AND TABLE_NAME IN ('u') AND PARTITION_NAME = 'p2'",
        "LAST_CONSISTENCY_CHECK_TIME = 'x' AND TABLE_NAME = 't'",
    ],
)
def test_conditions_choose_the_same_rows(session: Session, condition: str) -> None:
    names = "TABLE_NAME, partition_name, VISIBLE_VERSION_TIME"
    sql = f"SELECT {names} FROM information_schema.partitions_meta WHERE {condition}"
    if "CHECK_TIME" in condition:
        assert not plain(session, sql)
        return
    assert plain(session, sql)
    (quick,), (slow,) = session.execute(sql), session.execute(sql + ENGINE)
    assert quick.columns == slow.columns
    assert sorted(map(repr, quick.rows)) == sorted(map(repr, slow.rows))


def test_now_is_the_leaders_clock_in_the_sessions_zone(session: Session) -> None:
    session.execute("SET time_zone = '+08:00'")
    assert plain(session, "select now()")
    assert session.execute("SELECT NOW()") == session.execute("SELECT NOW() FROM dual")


def test_a_moment_behind_the_year_9999_is_left_to_the_engine(session: Session) -> None:
    session.execute("SET time_zone = '+12:00'")
    assert not plain(session, "SELECT COOLDOWN_TIME FROM information_schema.partitions_meta")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT",
        "SELECT TABLE_NAME FROM d1.t",
        "SELECT NO_SUCH FROM information_schema.tables",
        "SELECT TABLE_NAME FROM information_schema.engines",
        "SELECT TABLE_NAME FROM information_schema.no_such",
        "SELECT TABLE_NAME FROM information_schema.tables WHERE TABLE_NAME LIKE 't%'",
        "SELECT TABLE_NAME FROM information_schema.tables WHERE TABLE_ROWS = '0'",
        "SELECT TABLE_NAME FROM information_schema.tables LIMIT 1",
        "SELECT TABLE_NAME AS n FROM information_schema.tables",
        "SELECT `TABLE_NAME` FROM information_schema.tables",
        "SELECT PARTITION_KEY_NAME FROM information_schema.partitions",
    ],
)
def test_other_queries_are_left_to_the_engine(session: Session, sql: str) -> None:
    assert not plain(session, sql)


@pytest.mark.parametrize(
    "item",
    ["VERSION()", "database()", "@@lower_case_table_names", "@@sql_mode", "@@autocommit", "CONNECTION_ID()", "uSER()"],
)
def test_what_a_driver_asks_for_when_it_connects(session: Session, item: str) -> None:
    assert plain(session, f"SELECT {item}")
    assert session.execute(f"SELECT {item}") == session.execute(f"SELECT {item} FROM dual")


@pytest.mark.parametrize("item", ["@@sql_select_limit", "PI()", "@x", "CURDATE()"])
def test_what_is_no_plain_text_or_number_is_left_to_the_engine(session: Session, item: str) -> None:
    assert not plain(session, f"SELECT {item}")
