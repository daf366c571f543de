"""What a restore wrote down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from starrocks_br.domain.journal import (
    CLOSER,
    GRACE,
    QUIET,
    QUIET_PER_PARTITION,
    QUIET_WHILE_COPYING,
    QUIET_WHILE_READING,
    DamagedJournal,
    Journal,
    Journals,
    JournalStep,
    StepStatus,
)
from starrocks_br.domain.names import Label, PartitionName, RestoreId, TableRef
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    NewPartition,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
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
    assert Journals(sound=(done, killed, failed)).unfinished == Journals(sound=(killed,))
    assert not journal(StepStatus.DONE, StepStatus.PLANNED).closed


def test_it_tells_what_may_be_running_and_what_was_made() -> None:
    """So that whoever comes after a kill touches nothing else."""
    sent = journal(StepStatus.SENT, StepStatus.PLANNED)
    assert (sent.jobs_sent, sent.table_id) == ((JOB,), None)
    made = journal(StepStatus.DONE, StepStatus.SENT, table_id=99)
    assert (made.jobs_sent, made.table_id) == ((), 99)


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


OURS, OLD = 99, 7
SCRATCH = TableRef.parse("db1.__br_r1_1")
ASIDE = TableRef.parse("db1.orders__before_r1")
OVER = evolve(JOB, into=ORDERS, creating=False)
SWAP = Swap(table=ORDERS, restored=ALIAS.name, table_id=OLD)
AWAY = SetAside(table=ALIAS, to=ASIDE.name, table_id=OLD)
DATABASE = CreateDatabase(database=ORDERS.database)
MADE = CreateTable(table=ALIAS, ddl="CREATE TABLE t", replication_num=1, wanted=())


def lines(*steps: tuple[Step, StepStatus]) -> Journal:
    """Of these steps, each with its state; what is done has made a table of a known id."""
    written = tuple(
        JournalStep(
            step=step,
            status=status,
            table_id=OURS if status is StepStatus.DONE and isinstance(step, RestorePartitions | CreateTable) else None,
        )
        for step, status in steps
    )
    return evolve(journal(StepStatus.DONE, StepStatus.DONE), steps=written)


@pytest.mark.parametrize("step", [JOB, MADE])
def test_the_table_it_makes_is_known_by_its_id_once_that_is_written_down(step: Step) -> None:
    assert lines((step, StepStatus.DONE)).made == {ALIAS: OURS}
    assert lines((step, StepStatus.SENT)).made == {}
    assert lines((OVER, StepStatus.DONE)).made == {}


def test_a_job_that_may_have_made_a_table_of_no_known_id_is_told() -> None:
    scratch = evolve(JOB, into=SCRATCH)
    assert lines((JOB, StepStatus.SENT), (scratch, StepStatus.PLANNED)).creating_sent == (ALIAS,)
    assert lines((JOB, StepStatus.DONE), (scratch, StepStatus.SENT)).creating_sent == (SCRATCH,)
    assert lines((OVER, StepStatus.SENT)).creating_sent == ()


def test_the_table_that_it_replaces_is_known_by_its_id() -> None:
    assert lines((JOB, StepStatus.PLANNED), (SWAP, StepStatus.PLANNED)).replaced == OLD
    assert lines((AWAY, StepStatus.PLANNED)).replaced == OLD
    assert lines((RENAME, StepStatus.PLANNED)).replaced is None


@pytest.mark.parametrize("step", [RENAME, SWAP])
def test_its_table_was_shown_once_a_name_that_others_use_was_given_to_it(step: Step) -> None:
    assert lines((step, StepStatus.DONE)).shown
    assert not lines((step, StepStatus.PLANNED)).shown


def test_a_swap_that_was_sent_may_have_been_swapped_back_by_hand() -> None:
    assert lines((SWAP, StepStatus.SENT)).shown
    assert not lines((RENAME, StepStatus.SENT)).shown
    assert not lines((AWAY, StepStatus.DONE)).shown


def test_it_is_verified_once_the_last_look_and_all_before_it_are_done() -> None:
    assert lines((JOB, StepStatus.DONE), (VERIFY, StepStatus.DONE), (RENAME, StepStatus.SENT)).verified
    assert not lines((JOB, StepStatus.DONE), (VERIFY, StepStatus.SENT)).verified
    assert not lines((JOB, StepStatus.FAILED), (VERIFY, StepStatus.DONE)).verified
    assert not lines((JOB, StepStatus.DONE)).verified


def test_all_the_names_that_its_tables_may_bear_are_known() -> None:
    found = lines((DATABASE, StepStatus.DONE), (evolve(JOB, into=SCRATCH), StepStatus.PLANNED))
    assert found.names == {ORDERS, ALIAS, SCRATCH}
    assert lines((AWAY, StepStatus.PLANNED)).names == {ORDERS, ALIAS, ASIDE}
    home = TableRef.parse("db1.home")
    assert lines((Rename(table=ALIAS, to=home.name), StepStatus.PLANNED)).names == {ORDERS, ALIAS, home}
    assert lines((evolve(VERIFY, table=home), StepStatus.PLANNED)).names == {ORDERS, ALIAS, home}
    assert lines((SWAP, StepStatus.PLANNED)).names == {ORDERS, ALIAS}


def test_it_made_the_database_if_that_was_begun() -> None:
    assert lines((DATABASE, StepStatus.SENT)).new_database
    assert not lines((DATABASE, StepStatus.PLANNED)).new_database
    assert not lines((JOB, StepStatus.DONE)).new_database


def test_a_restore_over_the_tables_own_name_may_arrive_for_a_while_after_it_was_sent() -> None:
    """One that makes a hidden table may come when it likes."""
    sent = lines((OVER, StepStatus.SENT))
    assert sent.overlaying
    assert sent.may_arrive(NOON + GRACE - timedelta(seconds=1))
    assert not sent.may_arrive(NOON + GRACE)
    assert not lines((JOB, StepStatus.SENT)).overlaying
    assert not lines((OVER, StepStatus.DONE)).overlaying


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (SetAside(table=ORDERS, to=ASIDE.name, table_id=OLD), "RENAME"),
        (SWAP, "SWAP"),
        (AddPartitions(table=ORDERS, partitions=(), replication_num=1), "ALTER TABLE"),
        (CheckRestored(table=ORDERS, created=False), "ALTER TABLE"),
    ],
)
def test_what_was_sent_to_the_targets_name_may_act_until_it_shows_that_it_has(step: Step, told: str) -> None:
    assert lines((step, StepStatus.SENT)).unanswered({ORDERS: OLD}) == told
    assert lines((step, StepStatus.DONE)).unanswered({ORDERS: OLD}) == ""
    acted = lines((step, StepStatus.SENT)).unanswered({ORDERS: OURS})
    assert acted == (told if told == "ALTER TABLE" else "")


@pytest.mark.parametrize(
    "step",
    [AWAY, CheckRestored(table=ALIAS, created=True), AddPartitions(table=ALIAS, partitions=(), replication_num=1)],
)
def test_what_was_sent_to_a_hidden_name_harms_nobody(step: Step) -> None:
    assert lines((step, StepStatus.SENT)).unanswered({ORDERS: OLD, ALIAS: OLD}) == ""


def test_whoever_closes_a_restore_and_is_heard_of_no_more_may_have_sent_anything() -> None:
    """What he sends is no step: it has the time that any statement has."""
    silent = lines((RENAME, StepStatus.PLANNED))
    closed_by = tuple(evolve(line, holder=f"{CLOSER}x") for line in silent.steps)
    closing = evolve(silent, steps=closed_by)
    assert not silent.may_be_alive(NOON + QUIET)
    assert closing.may_be_alive(NOON + GRACE - timedelta(seconds=1))
    assert not closing.may_be_alive(NOON + GRACE)


def test_it_is_held_by_whom_all_its_open_steps_are_to_be_done() -> None:
    begun = lines((JOB, StepStatus.DONE), (RENAME, StepStatus.PLANNED), (VERIFY, StepStatus.PLANNED))
    assert begun.held_by("")
    other = evolve(begun, steps=(*begun.steps[:2], evolve(begun.steps[2], holder="r2")))
    assert other.holders == {"", "r2"}
    assert not other.held_by("")
    assert not other.held_by("r2")


def test_a_restore_went_over_a_table_once_that_was_sent() -> None:
    assert lines((OVER, StepStatus.SENT)).overlaid
    assert lines((RENAME, StepStatus.DONE), (OVER, StepStatus.DONE)).overlaid
    assert not lines((OVER, StepStatus.PLANNED)).overlaid
    assert not lines((JOB, StepStatus.DONE), (RENAME, StepStatus.DONE)).overlaid


def test_each_partition_that_is_added_has_its_time() -> None:
    added = tuple(NewPartition(name=PartitionName(name), values=(("1",),), buckets=1) for name in ("p1", "p2"))
    for step in (AddPartitions(table=ALIAS, partitions=added, replication_num=1), evolve(MADE, addable=added)):
        adding = lines((step, StepStatus.SENT))
        assert adding.may_be_alive(NOON + QUIET + 2 * QUIET_PER_PARTITION - timedelta(seconds=1))
        assert not adding.may_be_alive(NOON + QUIET + 2 * QUIET_PER_PARTITION)


def test_while_rows_are_read_over_it_may_be_silent_for_longer() -> None:
    copying = CopyPartitions(scratch=SCRATCH, table=ALIAS, partitions=())
    assert lines((copying, StepStatus.SENT)).may_be_alive(NOON + QUIET_WHILE_READING)
    assert not lines((copying, StepStatus.SENT)).may_be_alive(NOON + QUIET_WHILE_COPYING)
    assert not lines((copying, StepStatus.DONE)).may_be_alive(NOON + QUIET)


def test_what_ends_a_damaged_journal_is_a_statement_that_can_be_pasted() -> None:
    """Whatever stands in its row."""
    damaged = DamagedJournal(
        restore="o'hara", tables=frozenset({ORDERS, ALIAS}), problem="row (o'hara, 1): gnawed", kept_in="our.journal"
    )
    assert damaged.told.endswith("DELETE FROM our.journal WHERE restore_id = 'o''hara'")
    assert f"it holds {ALIAS}, {ORDERS}; " in damaged.told
    assert Journals(damaged=(damaged,)).held == {ORDERS: damaged.told, ALIAS: damaged.told}


def test_a_sign_of_life_of_one_restore_is_one_of_all_that_its_command_began() -> None:
    silent = journal(StepStatus.DONE, StepStatus.PLANNED)
    reading = evolve(lines((VERIFY, StepStatus.SENT)), restore=RestoreId("r2"))
    later = evolve(reading, created_at=NOON + timedelta(seconds=1))
    assert not Journals(sound=(silent,)).may_be_alive(silent, NOON + QUIET)
    assert Journals(sound=(silent, reading)).may_be_alive(silent, NOON + QUIET)
    assert not Journals(sound=(silent, reading)).may_be_alive(silent, NOON + QUIET_WHILE_READING)
    assert not Journals(sound=(silent, later)).may_be_alive(silent, NOON + QUIET)
    resumed = evolve(reading, steps=tuple(evolve(line, holder="r2") for line in reading.steps))
    assert not Journals(sound=(silent, resumed)).may_be_alive(silent, NOON + QUIET), "its siblings are dead"
