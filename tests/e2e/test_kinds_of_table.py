"""Every kind of table over the wire: five nights, and back to each of them; rows are compared with another client's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import starrocks_br
from starrocks_br.domain.names import Label
from tests.e2e.clusters import Cluster, some_cluster
from tests.support.kinds import KINDS, NEVER_LOADED

Rows = list[tuple[Any, ...]]
TABLES = {
    kind: kind.replace(", ", "_").replace(" ", "_")
    for kind in KINDS
    if kind != "replication of its own"  # a simulator in a process of its own has one backend
}


@frozen(kw_only=True)
class Zoo:
    """A table of every kind, after all their nights.

    Attributes:
        cluster: Where they live.
        config: What the product is told.
        known: The rows of each in each night.
    """

    cluster: Cluster
    config: Path
    known: Mapping[Label, Mapping[str, Rows]]

    def restore(self, night: Label) -> Mapping[str, Rows]:
        """Lose all of them, and bring them back in one command; their rows."""
        database = database_of(self.cluster)
        for (name,) in self.cluster.sql(f"SHOW TABLES FROM {database}"):
            self.cluster.sql(f"DROP TABLE {database}.{name} FORCE")
        with starrocks_br.connect(self.config) as client:
            report = client.restore_all(client.plan_restores([f"{database}.*"], label=night))
        assert report.failures == {}
        return rows_of(self.cluster)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    """Four nights that leave the schemas alone, and one after they changed: one backup takes all tables."""
    with some_cluster(tmp_path_factory.mktemp("repository")) as cluster:
        database = database_of(cluster)
        config = cluster.config(tmp_path_factory.mktemp("config"), f"{database}.*")
        made = (f"CREATE TABLE {database}.{name} {KINDS[kind].create}" for kind, name in TABLES.items())
        cluster.sql(f"CREATE DATABASE {database}", *made)
        known = {}
        with starrocks_br.connect(config) as client:
            client.init()
            for night in range(5):
                for kind, name in TABLES.items():
                    act(cluster, name, (*KINDS[kind].nights, KINDS[kind].change)[night])
                settle(cluster, database)
                report = client.backup()
                assert report.complete
                known[report.databases[0].label or pytest.fail("no label")] = rows_of(cluster)
        yield Zoo(cluster=cluster, config=config, known=known)


def database_of(cluster: Cluster) -> str:
    """Where the tables are."""
    return f"{cluster.prefix}zoo"


def act(cluster: Cluster, name: str, statements: tuple[str, ...]) -> None:
    """What a user does to a table, in one session; a load waits for a rollup to be made."""
    database = database_of(cluster)
    written = [statement.format(t=f"{database}.{name}", d=database) for statement in statements]
    if not any("ROLLUP" in statement or "VIEW" in statement for statement in written):
        cluster.sql("SELECT 1", *written)
        return
    for statement in written:
        cluster.sql(statement)
        settle(cluster, database)


def settle(cluster: Cluster, database: str) -> None:
    """Wait for schema changes to end: for as long as the server takes, a thousand looks at the most."""
    for _ in range(1000):
        jobs = cluster.sql(f"SHOW ALTER TABLE COLUMN FROM {database}")
        jobs += cluster.sql("SELECT SLEEP(0.02)", f"SHOW ALTER TABLE ROLLUP FROM {database}")
        if all("FINISHED" in row or "CANCELLED" in row for row in jobs):
            return
    raise AssertionError("the schema change did not end")


def rows_of(cluster: Cluster) -> dict[str, Rows]:
    """All rows of each, in one order."""
    database = database_of(cluster)
    return {kind: sorted(cluster.sql(f"SELECT * FROM {database}.{name}"), key=repr) for kind, name in TABLES.items()}


@pytest.mark.parametrize("night", range(5))
def test_tables_come_back_as_they_were_at_every_point(zoo: Zoo, night: int) -> None:
    label = list(zoo.known)[night]
    assert zoo.restore(label) == zoo.known[label]


def test_tables_that_came_back_take_loads(zoo: Zoo) -> None:
    """New automatic partitions and dynamic overwrite included."""
    restored = zoo.restore(list(zoo.known)[3])
    for kind, name in TABLES.items():
        act(zoo.cluster, name, KINDS[kind].after)
    loaded = rows_of(zoo.cluster)
    assert {kind for kind in TABLES if loaded[kind] == restored[kind]} == NEVER_LOADED
