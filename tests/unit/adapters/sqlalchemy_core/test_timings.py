"""What RESTORE jobs took, out of the journal of restores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve, frozen

from starrocks_br.adapters.sqlalchemy_core import timings
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.journal import JournalStep, StepStatus
from starrocks_br.domain.names import ClusterId, Label, TableName, TableRef
from starrocks_br.domain.restore_steps import CheckRestored, RestorePartitions
from tests.contract.recorded import NOON, journal
from tests.served import OPS, Served, served

HERE = journal("a").cluster
TABLE = TableRef.parse("db1.t")


@frozen
class Store:
    """The journal on a cluster, and a hand that can turn its clock."""

    cluster: Served
    history: SqlAlchemyRestoreHistory

    def begin(self, restore: str, *steps: RestorePartitions | CheckRestored, cluster: ClusterId = HERE) -> None:
        """A restore whose steps are all done."""
        lines = tuple(JournalStep(step=step, status=StepStatus.DONE) for step in steps)
        self.history.begin([evolve(journal(restore), cluster=cluster, steps=lines)])

    def ended(self, *seconds: float, restore: str = "") -> None:
        """When each step ended, counted from noon, when every journal begins."""
        for step, after in enumerate(seconds):
            at = f"{NOON + timedelta(seconds=after):%Y-%m-%d %H:%M:%S}"
            which = f"restore_id = '{restore}' AND step = {step}"
            self.cluster.executor.execute(f"UPDATE ops.restore_history SET updated_at = '{at}' WHERE {which}")

    def known(self) -> list[Timing]:
        """What is known of jobs."""
        return [*self.history.timings(HERE)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """On an initialised cluster."""
    with served(tmp_path) as cluster:
        cluster.make_ops()
        yield Store(cluster, SqlAlchemyRestoreHistory(cluster.connection, OPS))


def job(label: str, size: int | None) -> RestorePartitions:
    """One job, or a table's part of one."""
    return RestorePartitions(
        label=Label(label),
        backup_timestamp="2026-03-01-12-00-00-123",
        source=TableName("t"),
        into=TABLE,
        creating=True,
        partitions=None,
        size=size,
    )


CHECK = CheckRestored(table=TABLE, created=True)


def test_a_job_took_from_the_end_of_the_step_before_to_its_own(store: Store) -> None:
    """The first step of a restore began when the restore did; newest first."""
    store.begin("a1", job("l1", 100), CHECK, job("l2", 200), CHECK)
    store.ended(18, 20, 41, 60, restore="a1")

    assert store.known() == [Timing(size=200, seconds=21.0), Timing(size=100, seconds=18.0)]


def test_steps_of_several_restores_that_one_job_did_are_one_job(store: Store) -> None:
    """They end at one instant under one label; it began when the last of them was ready for it."""
    store.begin("a1", job("l1", 100), job("l2", 1))
    store.begin("a2", CHECK, job("l1", 30))
    store.begin("a3", job("l1", 5))
    store.ended(20, 44, restore="a1")
    store.ended(2, 20, restore="a2")
    store.ended(44, restore="a3")

    assert sorted(store.known(), key=lambda one: one.size) == [
        Timing(size=1, seconds=24.0),
        Timing(size=5, seconds=44.0),
        Timing(size=130, seconds=18.0),
    ]


def test_what_is_not_known_in_full_tells_nothing(store: Store) -> None:
    """Another cluster's job, one that has not ended, one with a part of unknown size, one that cannot be read."""
    store.begin("a1", job("l1", 100), cluster=ClusterId("7"))
    store.begin("a2", job("l2", 100))
    store.begin("a3", job("l3", None))
    store.begin("a4", job("l3", 5))
    store.begin("a5", job("l5", 5))
    for restore in ("a1", "a2", "a3", "a4", "a5"):
        store.ended(20, restore=restore)
    store.cluster.executor.execute("UPDATE ops.restore_history SET status = 'FAILED' WHERE restore_id = 'a2'")
    store.cluster.executor.execute("UPDATE ops.restore_history SET detail_json = '{' WHERE restore_id = 'a5'")

    assert store.known() == []


def test_a_job_of_which_steps_may_be_cut_off_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many steps are read; the oldest job among them may have more."""
    monkeypatch.setattr(timings, "MOST_TIMINGS", 5)
    for number in range(10):
        store.begin(f"a{number}", job("l1", 1))
    store.cluster.executor.execute("UPDATE ops.restore_history SET updated_at = '2026-03-01 12:00:18' WHERE step = 0")
    assert store.known() == []

    store.ended(30, restore="a7")
    store.ended(40, restore="a8")

    assert store.known() == [Timing(size=1, seconds=40.0), Timing(size=1, seconds=30.0)]


def test_a_step_that_is_not_what_its_row_says_tells_nothing(store: Store) -> None:
    """Whoever has changed it."""
    store.begin("a1", job("l1", 1), CHECK)
    store.cluster.executor.execute("UPDATE ops.restore_history SET action = 'RestorePartitions' WHERE step > 0")
    store.ended(18, 20, restore="a1")

    assert store.known() == [Timing(size=1, seconds=18.0)]
