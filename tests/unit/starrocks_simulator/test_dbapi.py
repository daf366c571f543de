"""The in-process door: PEP 249 as mysqlclient speaks it, good enough for SQLAlchemy and for the product."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.dbapi import Module
from starrocks_simulator.dbapi_values import filled_in, literal
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.frontend import Frontend

TABLE = (
    "CREATE TABLE d.t (id INT NOT NULL, at DATETIME, day DATE, price DECIMAL(10, 2), ratio DOUBLE, name VARCHAR(20), "
    "yes BOOLEAN) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"
)


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(Frontend(tmp_path, clock=VirtualClock(), password="pw"))


@pytest.fixture
def engine(module: Module) -> Engine:
    return create_engine("mysql+mysqldb://root:pw@simulated", module=module, poolclass=NullPool)


def numbers(error: BaseException) -> tuple[object, ...]:
    assert isinstance(error, DBAPIError)
    return getattr(error.orig, "args", ())


def test_values_come_back_as_they_went_in_and_in_the_types_of_mysqlclient(engine: Engine) -> None:
    row = (1, dt.datetime(2024, 1, 2, 3, 4, 5), dt.date(2024, 1, 2), Decimal("1.50"), 0.25, "it's \\ % ü", True)  # noqa: DTZ001
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE d")
        connection.exec_driver_sql(TABLE)
        columns = ("id", "at", "day", "price", "ratio", "name", "yes")
        values = dict(zip(columns, row, strict=True))
        connection.execute(text(f"INSERT INTO d.t VALUES ({', '.join(':' + name for name in columns)})"), values)
        found = connection.exec_driver_sql("SELECT * FROM d.t").one()
    assert tuple(found) == (*row[:-1], 1)
    assert [type(value) for value in found] == [int, dt.datetime, dt.date, Decimal, float, str, int]


def test_what_show_statements_give_are_texts(engine: Engine) -> None:
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SHOW FRONTENDS").one()
    assert {type(value) for value in row if value is not None} == {str}


@pytest.mark.parametrize(
    ("sql", "kind", "errno"),
    [
        ("SELEC", Module.ProgrammingError, 1064),
        ("BACKUP SNAPSHOT d.l TO nowhere ON (t)", Module.OperationalError, 5501),
        ("SHOW BACKUP FROM nowhere", Module.OperationalError, 5501),
    ],
)
def test_errors_carry_the_servers_number_in_the_class_that_mysqlclient_takes(
    engine: Engine, sql: str, kind: type[Exception], errno: int
) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.exec_driver_sql(sql)
    assert numbers(caught.value)[0] == errno
    assert type(caught.value.orig) is kind


def test_without_parameters_a_statement_goes_as_it_is() -> None:
    assert filled_in("SELECT '%s'", None) == "SELECT '%s'"
    assert filled_in("SELECT %s, %%", ("a'b",)) == r"SELECT 'a\'b', %"
    assert filled_in("SELECT %(x)s", {"x": None}) == "SELECT NULL"
    with pytest.raises(TypeError):
        literal(object())


def test_a_wrong_password_and_a_frontend_that_is_away(module: Module) -> None:
    wrong = create_engine("mysql+mysqldb://root:no@simulated", module=module)
    with pytest.raises(OperationalError) as caught:
        wrong.connect()
    assert numbers(caught.value)[0] == 1045
    module.answering = False
    with pytest.raises(OperationalError) as caught:
        wrong.connect()
    assert numbers(caught.value)[0] == 2003


def test_a_cut_before_does_nothing_and_a_cut_after_has_done_it(module: Module, engine: Engine) -> None:
    def cut(sql: str) -> None:
        if sql.startswith("CREATE DATABASE"):
            raise ConnectionCut

    for faults, expected in ((module.frontend.faults.before, False), (module.frontend.faults.after, True)):
        faults.append(cut)
        with engine.connect() as connection, pytest.raises(OperationalError) as caught:
            connection.exec_driver_sql("CREATE DATABASE d")
        assert (numbers(caught.value)[0], caught.value.connection_invalidated) == (2013, True)
        assert ("d" in module.frontend.catalog.databases) is expected
        faults.clear()


def test_hooks_see_this_doors_statements_only_and_may_raise_anything(module: Module, engine: Engine) -> None:
    seen: list[str] = []
    module.before.append(lambda sql: seen.append(f"before {sql}"))
    module.after.append(lambda sql: seen.append(f"after {sql}"))
    module.frontend.connect().execute("CREATE DATABASE x")
    with engine.connect() as connection:
        seen.clear()
        connection.exec_driver_sql("SHOW DATABASES")
        assert seen == ["before SHOW DATABASES", "after SHOW DATABASES"]

    def die(_sql: str) -> None:
        raise KeyboardInterrupt

    with engine.connect() as connection:
        module.before.append(die)
        with pytest.raises(KeyboardInterrupt):
            connection.exec_driver_sql("CREATE DATABASE y")
        module.before.clear()
    assert "y" not in module.frontend.catalog.databases


def test_hanging_up_breaks_every_open_connection_and_new_ones_work(module: Module, engine: Engine) -> None:
    with engine.connect() as connection:
        module.hang_up()
        with pytest.raises(OperationalError) as caught:
            connection.exec_driver_sql("SHOW DATABASES")
        assert numbers(caught.value)[0] == 2006
    with engine.connect() as connection:
        connection.exec_driver_sql("SHOW DATABASES")


def test_rowcount_and_info_of_a_load(module: Module) -> None:
    connection = module.connect(user="root", passwd="pw")
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE d")
    cursor.execute(TABLE)
    assert cursor.execute("INSERT INTO d.t (id) VALUES (1), (2)") == 2
    info = connection.info()
    assert info is not None
    assert "'status':'VISIBLE'" in info
    cursor.execute("SELECT id FROM d.t ORDER BY id")
    assert (cursor.rowcount, cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (2, (1,), [(2,)], [])


def test_a_text_of_several_statements_gives_a_result_each(module: Module) -> None:
    cursor = module.connect(passwd="pw").cursor()
    cursor.execute("CREATE DATABASE d; SHOW DATABASES LIKE 'd'")
    assert cursor.description is None
    assert cursor.nextset() == 1
    assert list(cursor) == [("d",)]
    assert cursor.nextset() is None


def test_a_user_comes_in_with_the_password_that_was_given_and_no_other(module: Module) -> None:
    module.connect(passwd="pw").query("CREATE USER alice IDENTIFIED BY 'hers'")
    assert module.connect(user="alice", passwd="hers").query("SELECT 1")[0].rows == [(1,)]
    for user, password in (("alice", ""), ("alice", "pw"), ("bob", "")):
        with pytest.raises(module.OperationalError, match=f"'{user}'"):
            module.connect(user=user, passwd=password)


def test_a_new_connection_is_in_the_database_it_asked_for(module: Module) -> None:
    module.connect(passwd="pw").query("CREATE DATABASE d")
    (result,) = module.connect(passwd="pw", db="d").query("SELECT DATABASE()")
    assert result.rows == [("d",)]


def test_a_connection_is_closed_once_also_after_a_break(module: Module) -> None:
    connection = module.connect(passwd="pw")
    module.hang_up()
    connection.close()
    with pytest.raises(Module.ProgrammingError):
        connection.close()
