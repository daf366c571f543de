"""Opening the one connection of a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.domain.errors import Unreachable
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.dbapi import Module
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.frontend import Frontend


@pytest.mark.parametrize("words", ["SET autocommit", "SET time_zone"])
def test_a_line_that_breaks_while_it_is_set_up_is_no_connection(
    words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy does not translate what the driver raises at SET autocommit, and would log a ROLLBACK that failed."""
    module = Module(Frontend(tmp_path, clock=VirtualClock()))
    engine = create_engine("mysql+mysqldb://root@simulated", module=module, poolclass=NullPool)
    executor = SqlAlchemyExecutor(from_engine(engine))

    def cut(sql: str) -> None:
        if sql.startswith(words):
            module.before.clear()
            raise ConnectionCut

    with engine.connect():  # what SQLAlchemy asks once about a server is asked
        module.before.append(cut)
    with pytest.raises(Unreachable):
        executor.execute("SELECT 1")
    assert not caplog.records
    assert executor.execute("SELECT 1").rows == ((1,),)
