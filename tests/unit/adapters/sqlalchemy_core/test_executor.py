"""The executor and the one connection, against a frontend on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from starrocks_br.adapters.sqlalchemy_core.connection import SET_SESSION
from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine, from_settings
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor, summary
from starrocks_br.domain.errors import AccessDenied, OutcomeUnknown, Refused, Unreachable
from starrocks_simulator.errors import refused
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.wire import serve
from tests.served import Served, served, settings


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Served]:
    """An empty cluster."""
    with served(tmp_path) as one:
        yield one


def _cut(statement: str) -> object:
    def fault(sql: str) -> None:
        if sql == statement:
            raise ConnectionCut

    return fault


def test_rows_come_back_with_the_names_of_their_columns(cluster: Served) -> None:
    """And DATETIMEs as naive datetimes."""
    answer = cluster.executor.execute("SELECT 1 AS one, 'x' AS two, NOW() AS now")

    assert answer.columns == ("one", "two", "now")
    ((one, two, now),) = answer.rows
    assert (one, two) == (1, "x")
    assert isinstance(now, datetime)
    assert now.tzinfo is None


def test_a_statement_without_rows_tells_how_many_it_wrote(cluster: Served) -> None:
    """Columns are none then."""
    cluster.make_ops()
    cluster.executor.execute("CREATE DATABASE d")
    cluster.executor.execute(
        "CREATE TABLE d.t (a INT NOT NULL) DUPLICATE KEY(a) DISTRIBUTED BY HASH(a) BUCKETS 1 "
        'PROPERTIES ("replication_num" = "1")'
    )

    answer = cluster.executor.execute("INSERT INTO d.t VALUES (1), (2)")

    assert (answer.columns, answer.rows, answer.affected) == ((), (), 2)


def test_text_without_values_is_sent_as_it_is(cluster: Served) -> None:
    """Names may hold percent signs and colons."""
    answer = cluster.executor.execute("SELECT '100%' AS `a%s`, ':x %(y)s' AS `:b`")

    assert answer.columns == ("a%s", ":b")
    assert answer.rows == (("100%", ":x %(y)s"),)


def test_values_are_bound_never_spliced(cluster: Served) -> None:
    """Quotes, backslashes, percent signs; a list fills an IN; an escaped colon is a colon."""
    hostile = "'; DROP TABLE x; -- \\ %s :name"
    answer = cluster.executor.execute(
        r"SELECT :text AS a, '5%' AS b, 'x' IN :some AS c, 'z' IN :some AS d, '\:text' AS e",
        {"text": hostile, "some": ["x", "y"]},
    )

    assert answer.rows == ((hostile, "5%", 1, 0, ":text"),)


def test_the_session_is_utc_in_autocommit_and_never_in_a_transaction(cluster: Served) -> None:
    """From 3.5 on BEGIN is real, and all but INSERT fails inside it."""
    cluster.executor.execute("SELECT 1")
    cluster.connection.close()

    heard = [sql.upper() for sql in cluster.heard]
    assert "SET AUTOCOMMIT=1" in heard
    assert heard.index(SET_SESSION.upper()) < heard.index("SELECT 1")
    assert not [sql for sql in heard if re.match(r"BEGIN|START|SET AUTOCOMMIT *= *0", sql)]


def test_no_answer_is_cut_by_what_somebody_set_for_everybody(cluster: Served) -> None:
    """A global `sql_select_limit` would let tables and partitions go unseen."""
    cluster.frontend.variables["sql_select_limit"] = "3"

    answer = cluster.executor.execute("SHOW VARIABLES LIKE 'sql_select_limit'")

    assert answer.rows[0][1] == "9223372036854775807"


def test_one_connection_serves_all_statements(cluster: Served) -> None:
    """One connection per command."""
    ids = {cluster.executor.execute("SELECT CONNECTION_ID()").rows for _ in range(3)}

    assert len(ids) == 1


def test_a_refusal_keeps_the_connection(cluster: Served) -> None:
    """The server is there; it said no."""
    before = cluster.executor.execute("SELECT CONNECTION_ID()").rows

    with pytest.raises(Refused) as caught:
        cluster.executor.execute("SHOW BACKUP FROM nowhere")

    assert caught.value.errno == 5501
    assert caught.value.what == "SHOW BACKUP FROM was refused"
    assert cluster.executor.execute("SELECT CONNECTION_ID()").rows == before


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_line_that_breaks_leaves_the_outcome_unknown_and_nothing_is_sent_twice(cluster: Served, moment: str) -> None:
    """Whether the server carried it out cannot be told from here; the next statement goes over a new line, in UTC."""
    cluster.executor.execute("SELECT 1")
    getattr(cluster.frontend.faults, moment).append(_cut("SELECT 2"))

    with pytest.raises(OutcomeUnknown):
        cluster.executor.execute("SELECT 2")

    assert cluster.heard.count("SELECT 2") == 1
    del cluster.heard[:]
    assert cluster.executor.execute("SELECT 3").rows == ((3,),)
    assert SET_SESSION in cluster.heard


def test_a_line_that_breaks_while_it_is_made_means_unreachable(cluster: Served) -> None:
    """Nothing was sent, and the next attempt starts afresh."""
    fault = _cut(SET_SESSION)
    cluster.frontend.faults.before.append(fault)  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        cluster.executor.execute("SELECT 1")
    cluster.frontend.faults.before.remove(fault)  # type: ignore[arg-type]

    assert cluster.executor.execute("SELECT 1").rows == ((1,),)


def test_a_line_that_was_torn_inside_the_driver_is_made_anew_with_our_settings(cluster: Served) -> None:
    """Ctrl-C in a statement leaves SQLAlchemy with a connection that it would replace by one in another time zone."""

    def torn(sql: str) -> object:
        return cluster.connection.run(lambda connection: connection.exec_driver_sql(sql).scalar(), action="x")

    first = torn("SELECT CONNECTION_ID()")
    cluster.connection.run(lambda connection: connection.invalidate(), action="x")
    del cluster.heard[:]

    assert torn("SELECT CONNECTION_ID()") != first
    assert SET_SESSION in cluster.heard


@pytest.mark.parametrize("statement", ["SELECT 1", None])
def test_hanging_up_on_a_frontend_that_is_gone_is_no_error(tmp_path: Path, statement: str | None) -> None:
    """There is nobody left to say goodbye to; nor is there if nobody was ever called."""
    frontend = Frontend(tmp_path)
    with serve(frontend) as port:
        connection = from_settings(settings(port))
        if statement:
            SqlAlchemyExecutor(connection).execute(statement)

    connection.close()
    connection.close()


def test_a_missing_privilege_names_the_grant_for_our_account(cluster: Served) -> None:
    """Whoever reads it knows what to ask for."""

    def deny(sql: str) -> None:
        if sql.startswith("SHOW SNAPSHOT"):
            raise refused(
                "Access denied; you need (at least one of) the REPOSITORY privilege(s) on SYSTEM for this operation.",
                5203,
                "42000",
            )

    cluster.frontend.faults.before.append(deny)
    with pytest.raises(AccessDenied) as caught:
        cluster.executor.execute("SHOW SNAPSHOT ON r")

    assert "GRANT REPOSITORY ON SYSTEM TO USER root" in caught.value.hint


def test_an_engine_of_somebody_else_keeps_its_pool_and_its_settings(cluster: Served) -> None:
    """We take a line out of it for good; those that stay never meet our time zone."""
    engine = create_engine(f"mysql+mysqldb://root@127.0.0.1:{cluster.port}/", pool_size=1, max_overflow=0)
    zone = "SELECT @@time_zone"
    with engine.connect() as theirs:
        before = theirs.exec_driver_sql(zone).scalar()
    with from_engine(engine) as ours:
        assert SqlAlchemyExecutor(ours).execute(zone).rows == (("+00:00",),)
        with engine.connect() as theirs:
            assert theirs.exec_driver_sql(zone).scalar() == before != "+00:00"
    engine.dispose()


def test_an_engine_that_leads_nowhere_is_unreachable_and_keeps_its_secret() -> None:
    """The URL holds a password; no message shows it."""
    engine = create_engine("mysql+mysqldb://br:hush@127.0.0.1:1/")
    with pytest.raises(Unreachable) as caught:
        SqlAlchemyExecutor(from_engine(engine)).execute("SELECT 1")

    assert "hush" not in f"{caught.value!r} {caught.value} {caught.value.hint}"


def test_a_driver_that_gives_no_number_is_taken_at_its_words(cluster: Served) -> None:
    """Then nothing is known of the outcome."""
    engine = create_engine(f"mysql+mysqldb://root@127.0.0.1:{cluster.port}/")

    @event.listens_for(engine, "do_execute_no_params")
    def odd(*_: object) -> None:
        raise engine.dialect.loaded_dbapi.InterfaceError("closed")

    with from_engine(engine) as ours, pytest.raises(OutcomeUnknown) as caught:
        SqlAlchemyExecutor(ours).execute("SELECT 1")
    assert "closed" in caught.value.why
    engine.dispose()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SHOW BACKUP FROM `db`", "SHOW BACKUP FROM"),
        ("SELECT 1", "SELECT"),
        ("INSERT INTO ops.t VALUES ('secret')", "INSERT INTO"),
        ("  BACKUP\n SNAPSHOT `d`.`l` TO `r`", "BACKUP SNAPSHOT"),
        ("(SELECT 1)", "a statement"),
    ],
)
def test_a_statement_is_summed_up_without_names_or_values(sql: str, words: str) -> None:
    """Only its leading key words."""
    assert summary(sql) == words
