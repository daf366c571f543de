"""A simulated frontend on the wire, and what it takes to work on it, for the tests of the adapters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from starrocks_br.adapters.settings import Settings
from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.adapters.sqlalchemy_core.dialling import from_settings
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.adapters.starrocks.statements import create_ops
from starrocks_br.domain.names import DatabaseName
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.wire import serve

OPS = DatabaseName("ops")


def settings(port: int, **changes: Any) -> Settings:
    """Settings for a frontend on this machine."""
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "user": "root",
        "password": "",
        "database": "ops",
        "tables": ["db1.*"],
        "repository": "repo",
    }
    return Settings(**{**usual, **changes})


@define
class Served:
    """A frontend on the wire with a connection to it.

    Attributes:
        frontend: To plant faults in.
        port: Where it listens.
        connection: Made on first use.
        heard: Every statement that reached the frontend, in order.
    """

    frontend: Frontend
    port: int
    connection: SingleConnection
    heard: list[str] = field(factory=list)

    @property
    def executor(self) -> SqlAlchemyExecutor:
        """An executor on the connection."""
        return SqlAlchemyExecutor(self.connection)

    def make_ops(self, database: DatabaseName = OPS) -> None:
        """Create our own tables."""
        for statement in create_ops(database, 1):
            self.executor.execute(statement.sql)


@contextmanager
def served(folder: Path, **changes: Any) -> Iterator[Served]:
    """Serve an empty cluster; the changes are to the settings of the connection."""
    frontend = Frontend(folder, tick=0.05, default_replication_num=1, password=str(changes.get("password", "")))
    with serve(frontend) as port, from_settings(settings(port, **changes)) as connection:
        cluster = Served(frontend, port, connection)
        frontend.faults.before.append(cluster.heard.append)
        yield cluster
