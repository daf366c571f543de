"""The public library, as other tools use it, against a simulated cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, field
from sqlalchemy import create_engine

import starrocks_br
from starrocks_br.adapters.memory import MemoryBackupHistory, MemoryRestoreHistory
from starrocks_br.domain.errors import UnknownRestore
from starrocks_br.domain.events import BackupPlanned, JobEnded, Progress
from starrocks_br.domain.ports import Rows, SqlExecutor
from tests.e2e.clusters import Cluster, Shop, simulator


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A simulator with two tables."""
    with simulator(tmp_path_factory.mktemp("library") / "repository") as found:
        Shop(found).open()
        yield found


@pytest.fixture(scope="module")
def config(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its configuration, after a first backup."""
    path = cluster.config(tmp_path_factory.mktemp("config"), "db1.tableA", "db2.*")
    with starrocks_br.connect(path) as client:
        client.init()
        assert client.backup().complete
    return path


@define
class Audited:
    """Writes down every statement on its way."""

    inner: SqlExecutor
    seen: list[str] = field(factory=list)

    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:
        """Run it."""
        self.seen.append(sql)
        return self.inner.execute(sql, values)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in starrocks_br.__all__:
        assert getattr(starrocks_br, name).__name__ == name
    assert set(starrocks_br.__all__) <= set(dir(starrocks_br))
    with pytest.raises(AttributeError, match="no attribute 'backup'"):
        starrocks_br.__getattr__("backup")


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = (
        "import sys, starrocks_br; print([name for name in ('sqlalchemy', 'MySQLdb', 'cattrs') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_table_comes_back_through_the_library(cluster: Cluster, config: Path) -> None:
    shop = Shop(cluster)
    rows = shop.rows("db2.tableB")
    with starrocks_br.connect(str(config)) as client:
        (point, *_) = client.points("db2.tableB")
        cluster.sql("DROP TABLE db2.tableB FORCE")
        report = client.restore(client.plan_restore("db2.tableB", at=point.snapshot.snapshot_at))
    assert (str(report.table), report.rows) == ("db2.tableB", 2)
    assert shop.rows("db2.tableB") == rows


def test_a_table_can_come_back_under_another_name(cluster: Cluster, config: Path) -> None:
    with starrocks_br.connect(config) as client:
        (point, *_) = client.points("db2.tableB")
        client.restore(client.plan_restore("db2.tableB", label=point.label, into="drill.tableC"))
    assert Shop(cluster).rows("drill.tableC") == Shop(cluster).rows("db2.tableB")


def test_a_time_without_an_offset_is_no_point_in_time(config: Path) -> None:
    naive = datetime(2025, 10, 6, 12)  # noqa: DTZ001 -- that is the point
    with starrocks_br.connect(config) as client:
        with pytest.raises(ValueError, match="offset"):
            client.plan_restore("db1.tableA", at=naive)
        with pytest.raises(ValueError, match="either"):
            client.plan_restore("db1.tableA")
        with pytest.raises(ValueError, match="either"):
            client.plan_restore("db1.tableA", at=naive.replace(tzinfo=UTC), label="x")


def test_an_executor_of_the_users_sees_what_is_sent(config: Path) -> None:
    wrapped: list[Audited] = []

    def audited(inner: SqlExecutor) -> SqlExecutor:
        wrapped.append(Audited(inner))
        return wrapped[0]

    with starrocks_br.connect(config, executor=audited) as client:
        client.backup(full=True)
    assert any("BACKUP SNAPSHOT" in sql for sql in wrapped[0].seen)


def test_an_engine_of_the_users_is_used(cluster: Cluster, config: Path) -> None:
    url = f"mysql+mysqldb://{cluster.user}:{cluster.password}@{cluster.host}:{cluster.port}"
    engine = create_engine(url)
    with starrocks_br.connect(config, engine=engine) as client:
        assert client.history(table="db1.tableA").outlines
    engine.dispose()


def test_stores_of_the_users_take_the_place_of_the_tables(config: Path) -> None:
    with starrocks_br.connect(config, backups=MemoryBackupHistory(), restores=MemoryRestoreHistory()) as client:
        assert client.history().outlines == ()
        report = client.backup(tables=["db1.*"])
        assert [str(point.table) for point in client.points("db1.tableA")] == ["db1.tableA"]
    assert report.complete


def test_a_listener_hears_of_plans_and_jobs_and_may_fail(config: Path) -> None:
    heard: list[type[Progress]] = []

    def listener(progress: Progress, /) -> None:
        heard.append(type(progress))
        raise ValueError("of no consequence")

    with starrocks_br.connect(config, listener=listener) as client:
        assert client.backup(full=True, tables=["db1.tableA"]).complete
    assert {BackupPlanned, JobEnded} <= set(heard)


def test_tables_come_back_together_and_a_replaced_one_can_have_its_name_again(cluster: Cluster, config: Path) -> None:
    shop = Shop(cluster)
    at = datetime.now(UTC) + timedelta(days=1)
    with starrocks_br.connect(config) as client:
        drilled = client.plan_restores(["db2.*", "db1.tableA"], at=at, database="drill")
        assert {str(plan.target.table.database) for plan in drilled.plans} == {"drill"}
        batch = client.plan_restores(["db2.*", "db1.tableA"], at=at, replace=True)
        rows = {str(plan.manifest.table): shop.rows(str(plan.manifest.table)) for plan in batch.plans}
        report = client.restore_all(batch, wait=30)
        assert {str(one.table) for one in report.restored} == rows.keys()
        assert not report.failures
        assert {name: shop.rows(name) for name in rows} == rows
        one = next(one for one in report.restored if str(one.table) == "db1.tableA")
        assert "db1.tableA is the table that it was before" in client.undo_restore(one.restore).detail
        with pytest.raises(UnknownRestore, match="nothing left"):
            client.resume_restore(one.restore, wait=1)
