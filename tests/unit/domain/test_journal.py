"""What a restore wrote down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from starrocks_br.domain.journal import Journal, JournalStep, StepStatus, unfinished
from starrocks_br.domain.names import Label, RestoreId, TableRef
from starrocks_br.domain.restore_steps import Rename, RestorePartitions, Verify
from tests.unit.domain.examples import CLUSTER, NOON, ORDERS, REPOSITORY

ALIAS = TableRef.parse("db1.__br_r1")
JOB = RestorePartitions(
    label=Label("a"), backup_timestamp="ts", source=ORDERS.name, into=ALIAS, creating=True, partitions=None
)
RENAME = Rename(table=ALIAS, to=ORDERS.name)


VERIFY = Verify(table=ALIAS, source=ALIAS, point=Label("l1"))


def journal(job: StepStatus, rename: StepStatus, table_id: int | None = None) -> Journal:
    """Of a restore in two steps."""
    steps = (JournalStep(step=JOB, status=job, table_id=table_id), JournalStep(step=RENAME, status=rename))
    return Journal(
        restore=RestoreId("r1"),
        cluster=CLUSTER,
        repository=REPOSITORY,
        target=ORDERS,
        alias=ALIAS,
        created_at=NOON,
        steps=steps,
    )


def test_a_journal_is_open_while_a_step_may_still_be_done() -> None:
    """Only a live restore, or a killed one, leaves that."""
    done = journal(StepStatus.DONE, StepStatus.DONE)
    failed = journal(StepStatus.FAILED, StepStatus.ABANDONED)
    killed = journal(StepStatus.SENT, StepStatus.PLANNED)
    assert done.closed
    assert failed.closed
    assert not killed.closed
    assert unfinished([done, killed, failed]) == (killed,)
    assert not journal(StepStatus.DONE, StepStatus.PLANNED).closed


def test_it_tells_what_may_be_running_and_what_was_made() -> None:
    """So that whoever comes after a kill touches nothing else."""
    sent = journal(StepStatus.SENT, StepStatus.PLANNED)
    assert (sent.jobs_sent, sent.table_id, sent.exposed) == ((JOB,), None, False)
    made = journal(StepStatus.DONE, StepStatus.SENT, table_id=99)
    assert (made.jobs_sent, made.table_id, made.exposed) == ((), 99, True)


@pytest.mark.parametrize(
    ("verify", "patience"),
    [(StepStatus.PLANNED, 60), (StepStatus.SENT, 360), (StepStatus.DONE, 60)],
)
def test_a_restore_is_alive_while_it_was_heard_of_lately(verify: StepStatus, patience: int) -> None:
    """Each step takes moments, but for the one that reads the whole table."""
    going = journal(StepStatus.SENT, StepStatus.PLANNED)
    going = evolve(going, steps=(*going.steps, JournalStep(step=VERIFY, status=verify)))
    last = NOON + timedelta(seconds=patience)
    assert going.may_be_alive(last - timedelta(seconds=1))
    assert not going.may_be_alive(last)
    marked = evolve(going, marked_at=NOON + timedelta(hours=1))
    assert marked.may_be_alive(last)
    assert not marked.may_be_alive(last + timedelta(hours=1))
