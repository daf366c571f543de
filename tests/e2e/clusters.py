"""The cluster that end-to-end tests talk to: a simulator of their own, or the one that STARROCKS_BR_TEST_URL names."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pymysql
from attrs import define, field, frozen

REAL: Final = os.environ.get("STARROCKS_BR_TEST_URL", "")
TICK: Final = 0.03
PASSWORD: Final = "secret"


@frozen(kw_only=True)
class Cluster:
    """A cluster with a repository.

    Attributes:
        host: Of a frontend.
        port: Its query port.
        user: Who may do everything.
        password: Theirs.
        repository: StarRocks' name for it.
        prefix: What the names of the databases that a test makes begin with.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    repository: str
    prefix: str = ""

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements with a client that is not the product's; the rows of the last one."""
        connection = pymysql.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, autocommit=True
        )
        with contextlib.closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def config(self, directory: Path, *tables: str, **changes: str) -> Path:
        """Write a configuration file; `changes` replace or add lines."""
        settings = {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "database": f"{self.prefix}ops",
            "repository": self.repository,
            "poll_interval": "0.05",
        }
        lines = [f'{name}: "{value}"' for name, value in (settings | changes).items()]
        path = directory / "config.yaml"
        path.write_text("\n".join([*lines, "tables:", *(f"  - {table}" for table in tables)]) + "\n")
        return path


def at_port(port: int) -> Cluster:
    """A simulator of this machine."""
    return Cluster(host="127.0.0.1", port=port, user="root", password=PASSWORD, repository="my_backup_repo")


@contextlib.contextmanager
def simulator(repository_dir: Path, *, tick: float = TICK, create_repository: bool = True) -> Iterator[Cluster]:
    """An empty cluster on a free port; what it backs up stays in the folder."""
    command = [sys.executable, "-m", "starrocks_simulator", "--port", "0", "--tick", str(tick)]
    process = subprocess.Popen(
        [*command, "--repository-dir", str(repository_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"STARROCKS_SIMULATOR_PASSWORD": PASSWORD},
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready.startswith("ready on "), ready
        cluster = at_port(int(ready.rpartition(":")[2]))
        if create_repository:
            make_repository(cluster)
        yield cluster
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def make_repository(cluster: Cluster) -> None:
    """Create the repository; what is in its folder already belongs to it."""
    cluster.sql(
        f'CREATE REPOSITORY {cluster.repository} WITH BROKER ON LOCATION "s3a://bucket/backups" '
        'PROPERTIES ("aws.s3.access_key" = "key", "aws.s3.secret_key" = "none", "aws.s3.endpoint" = "http://storage")'
    )


@contextlib.contextmanager
def some_cluster(repository_dir: Path) -> Iterator[Cluster]:
    """The real cluster if one is named, else a simulator; what a test made on the real one is dropped at the end."""
    if not REAL:
        with simulator(repository_dir) as cluster:
            yield cluster
        return
    url = urlsplit(REAL)
    cluster = Cluster(
        host=url.hostname or "127.0.0.1",
        port=url.port or 9030,
        user=unquote(url.username or "root"),
        password=unquote(url.password or ""),
        repository=url.path.strip("/"),
        prefix=f"br_e2e_{secrets.token_hex(4)}_",
    )
    try:
        yield cluster
    finally:
        for (name,) in cluster.sql("SHOW DATABASES"):
            if name.startswith(cluster.prefix):
                cluster.sql(f"DROP DATABASE `{name}` FORCE")


@define
class Shop:
    """Two databases with a table each, as the seed's configuration names them.

    Attributes:
        cluster: Where.
    """

    cluster: Cluster

    @property
    def table_a(self) -> str:
        """A range-partitioned table."""
        return f"{self.cluster.prefix}db1.tableA"

    @property
    def table_b(self) -> str:
        """An unpartitioned primary-key table."""
        return f"{self.cluster.prefix}db2.tableB"

    def open(self) -> None:
        """Create both and put rows in."""
        self.cluster.sql(
            f"CREATE DATABASE {self.table_a.split('.')[0]}",
            f"CREATE DATABASE {self.table_b.split('.')[0]}",
            f"CREATE TABLE {self.table_a} (id INT, day DATE, note VARCHAR(20)) DUPLICATE KEY(id, day) "
            'PARTITION BY RANGE(day) (PARTITION p1 VALUES LESS THAN ("2025-02-01"), '
            'PARTITION p2 VALUES LESS THAN ("2025-03-01"), PARTITION p3 VALUES LESS THAN ("2025-04-01")) '
            'DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ("replication_num" = "1")',
            f"CREATE TABLE {self.table_b} (id INT NOT NULL, amount INT) PRIMARY KEY(id) "
            'DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES ("replication_num" = "1")',
            f"INSERT INTO {self.table_a} VALUES (1, '2025-01-05', 'one'), (2, '2025-02-05', 'two'), "
            "(3, '2025-03-05', 'three')",
            f"INSERT INTO {self.table_b} VALUES (1, 100), (2, 200)",
        )

    def trade(self) -> None:
        """Load into one partition, drop another one."""
        self.cluster.sql(
            f"INSERT INTO {self.table_a} VALUES (4, '2025-02-06', 'four')",
            f"ALTER TABLE {self.table_a} DROP PARTITION p1 FORCE",
        )

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows in a fixed order."""
        return self.cluster.sql(f"SELECT * FROM {table} ORDER BY 1, 2")
