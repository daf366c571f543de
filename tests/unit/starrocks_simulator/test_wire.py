"""The simulator behind the MySQL protocol, seen by the drivers that people use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import MySQLdb
import pymysql
import pytest
import sqlalchemy

from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.wire import serve


@pytest.fixture
def frontend(tmp_path: Path) -> Frontend:
    """A frontend whose root has a password."""
    return Frontend(tmp_path, password="secret")


@pytest.fixture
def port(frontend: Frontend) -> Iterator[int]:
    """Where it listens."""
    with serve(frontend) as number:
        yield number


def test_pymysql_gets_rows_affected_rows_and_several_results(port: int) -> None:
    """R§11.4, R§11.10."""
    with pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE d")
        cursor.execute(
            "CREATE TABLE d.t (id INT, b BOOLEAN, at DATETIME) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
            "PROPERTIES('replication_num'='1')"
        )
        assert cursor.execute("INSERT INTO d.t VALUES (1, true, '2024-01-01 00:00:00'), (2, NULL, NULL)") == 2
        assert "'status':'VISIBLE'" in (connection._result.message or b"").decode()  # type: ignore[attr-defined]
        cursor.execute("SELECT id, b, CAST(at AS VARCHAR) FROM d.t ORDER BY id; SELECT 7")
        assert cursor.fetchall() == ((1, 1, "2024-01-01 00:00:00"), (2, None, None))
        assert cursor.nextset()
        assert cursor.fetchall() == ((7,),)


def test_mysqlclient_sees_errno_and_text(port: int) -> None:
    """And 1064 is its ProgrammingError, 5501 its OperationalError (O§t)."""
    connection = MySQLdb.connect(host="127.0.0.1", port=port, user="root", password="secret")
    cursor = connection.cursor()
    with pytest.raises(MySQLdb.ProgrammingError, match="Getting syntax error") as syntax:
        cursor.execute("BOGUS")
    assert syntax.value.args[0] == 1064
    with pytest.raises(MySQLdb.OperationalError, match="Unknown database 'nope'") as unknown:
        cursor.execute("SHOW BACKUP FROM nope")
    assert unknown.value.args[0] == 5501
    connection.close()  # type: ignore[no-untyped-call]


def test_pymysql_sees_the_sqlstate(port: int) -> None:
    """3F000 for an unknown database."""
    with (
        pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as connection,
        pytest.raises(pymysql.err.OperationalError) as unknown,
    ):
        connection.cursor().execute("SHOW BACKUP FROM nope")
    assert getattr(unknown.value, "sqlstate", "3F000") == "3F000"


def test_sqlalchemy_connects_as_to_mysql_8(port: int) -> None:
    """The statements that the dialect sends on connect all work, and a pooled connection comes back (O§t)."""
    url = sqlalchemy.URL.create("mysql+mysqldb", "root", "secret", "127.0.0.1", port)
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    assert engine.dialect.server_version_info == (8, 0, 33)
    engine.dispose()


def test_a_wrong_password_and_an_unknown_user_are_refused(port: int) -> None:
    """1045."""
    for user, password in (("root", "wrong"), ("root", ""), ("nobody", "")):
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            pymysql.connect(host="127.0.0.1", port=port, user=user, password=password)


def test_a_database_of_the_handshake_is_used_or_refused(port: int) -> None:
    """Like USE."""
    with pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as connection:
        connection.cursor().execute("CREATE DATABASE d")
        connection.select_db("d")
        with pytest.raises(pymysql.err.OperationalError, match="Unknown database 'nope'"):
            connection.select_db("nope")
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret", database="nope")


def test_a_cut_connection_is_lost_to_the_client_and_its_effect_is_not(frontend: Frontend, port: int) -> None:
    """The fault after a statement: it happened, and the client does not know."""

    def cut(sql: str) -> None:
        if sql.startswith("CREATE DATABASE"):
            raise ConnectionCut

    frontend.faults.after.append(cut)
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret")
    with pytest.raises(pymysql.err.OperationalError, match="Lost connection"):
        connection.cursor().execute("CREATE DATABASE d")
    frontend.faults.after.clear()
    with pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as again:
        again.cursor().execute("USE d")


def raw(connection: Any, command: int, payload: bytes) -> bytes:
    """Send one command byte by byte; the first packet of the answer."""
    connection._execute_command(command, payload)
    data: bytes = connection._read_packet().get_all_data()
    return data


def test_only_selects_are_prepared_on_the_server(port: int) -> None:
    """1295 for the rest (R§11.8); a prepared SELECT gives its rows."""
    connection: Any
    with pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as connection:
        for refused in (b"SHOW BACKUP", b"SELECT ?"):
            with pytest.raises(pymysql.err.Error, match="prepared statement") as error:
                raw(connection, 0x16, refused)
            assert error.value.args[0] == 1295
        prepared = raw(connection, 0x16, b"SELECT 7 AS seven")
        assert prepared[:1] == b"\x00"
        assert raw(connection, 0x17, prepared[1:5] + b"\x00" + b"\x01\x00\x00\x00") == b"\x01"
        packets = [connection._read_packet().get_all_data() for _ in range(4)]
        assert b"seven" in packets[0]
        assert packets[2] == b"\x00\x00\x017"


def test_the_command_line_client_completes_names_and_resets(port: int) -> None:
    """COM_FIELD_LIST, COM_RESET_CONNECTION; an unknown table is told as such."""
    connection: Any
    with pymysql.connect(host="127.0.0.1", port=port, user="root", password="secret") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE d")
        cursor.execute("USE d")
        cursor.execute("CREATE TABLE t (id INT) DISTRIBUTED BY HASH(id) PROPERTIES('replication_num'='1')")
        assert b"id" in raw(connection, 0x04, b"t\x00")
        connection._read_packet()
        with pytest.raises(pymysql.err.Error, match="Unknown table"):
            raw(connection, 0x04, b"nope\x00")
        raw(connection, 0x1F, b"")
        cursor.execute("SELECT DATABASE()")
        assert cursor.fetchall() in (((None,),), (("",),))
