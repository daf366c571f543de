"""A simulator in a process of its own, and a client whose statements are counted."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field
from sqlalchemy import NullPool, create_engine, event

import starrocks_br
from starrocks_br.adapters.settings import Secret
from starrocks_br.domain.names import database_name, repository_name

POLLS = ("SHOW BACKUP", "SHOW RESTORE")


@define
class Bench:
    """One cluster under measurement.

    Attributes:
        port: Of the simulator.
        sent: Every statement that the product sent since the last `reset`.
    """

    port: int
    sent: list[str] = field(factory=list)

    def sql(self, *statements: str) -> None:
        """Set the scene."""
        engine = create_engine(f"mysql+pymysql://root@127.0.0.1:{self.port}", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def client(
        self, *tables: str, poll_interval: float = 0.05, listener: starrocks_br.domain.ports.Listener | None = None
    ) -> starrocks_br.Client:
        """A client that backs up these tables."""
        engine = create_engine(f"mysql+mysqldb://root@127.0.0.1:{self.port}", poolclass=NullPool)
        event.listen(engine, "before_cursor_execute", lambda *call: self.sent.append(call[2]))
        settings = starrocks_br.Settings(
            host="127.0.0.1",
            port=self.port,
            user="root",
            password=Secret(""),
            database=database_name("ops"),
            tables=tables,
            repository=repository_name("r"),
            poll_interval=poll_interval,
        )
        return starrocks_br.connect(settings, engine=engine, listener=listener)

    def statements(self) -> int:
        """How many statements were sent since the last call, without polls and the connection's own."""
        counted = [sql for sql in self.sent if not sql.startswith((*POLLS, "SET time_zone"))]
        self.sent.clear()
        return len(counted)


@contextmanager
def cluster(*, tick: float = 0.05) -> Iterator[Bench]:
    """A fresh cluster with a repository and our own tables."""
    with tempfile.TemporaryDirectory() as directory:
        line = [sys.executable, "-m", "starrocks_simulator", "--port", "0", "--tick", str(tick)]
        line += ["--repository-dir", str(Path(directory))]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                bench = Bench(int(process.stdout.readline().rpartition(":")[2]))
                bench.sql("CREATE REPOSITORY r WITH BROKER ON LOCATION 's3://b/r' PROPERTIES ('k' = 'v')")
                with bench.client("d0.*") as client:
                    client.init()
                yield bench
            finally:
                process.terminate()
