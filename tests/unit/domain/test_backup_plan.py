"""What to back up, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from starrocks_br.domain.backup_plan import (
    BackupPolicy,
    DatabaseBackup,
    Reason,
    Recorded,
    TableBackup,
    intent,
    newer_job,
    plan_backup,
)
from starrocks_br.domain.manifest import Manifest, digest_of
from starrocks_br.domain.names import ClusterId, Label, PartitionName, TableRef
from starrocks_br.domain.partitions import Observation, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Consistency
from tests.unit.domain.examples import NOON, ORDERS, identity, look, manifest, part, snapshot, table

BEFORE = manifest(part("p1", 10), part("p2", 11))
SAME = table(part("p1", 10), part("p2", 11))


def recorded(known: Manifest | None = BEFORE, **more: object) -> dict[TableRef, Recorded]:
    """What is known of the last backup: two partitions."""
    fields = {"manifest": known, "baseline": Label("db1_0"), "length": 1, "seen_at": NOON, **more}
    return {ORDERS: Recorded(**fields)}  # type: ignore[arg-type]


def planned(
    state: TableState, known: dict[TableRef, Recorded] | None = None, policy: BackupPolicy | None = None
) -> TableBackup:
    """The plan for the one table."""
    plan = plan_backup(look(state), recorded() if known is None else known, policy or BackupPolicy())
    ((choice,),) = (database.tables for database in plan.databases)
    return choice


def test_an_incremental_backup_names_what_differs() -> None:
    """Each partition with its reason, and what was dropped."""
    backup = planned(table(part("p1", 10, version=3), part("p3", 12), automatic=True))
    assert (backup.type, backup.reason, backup.baseline) == (BackupType.INCREMENTAL, Reason.INCREMENTAL, "db1_0")
    assert backup.partitions == {"p1": Reason.CHANGED, "p3": Reason.NEW}
    assert backup.dropped == {"p2"}
    assert backup.automatic
    assert not backup.unchanged


def test_a_partition_that_went_back_to_an_older_version_has_changed() -> None:
    """RESTORE over an existing partition does that."""
    assert planned(table(part("p1", 10, version=1), part("p2", 11))).partitions == {"p1": Reason.CHANGED}


def test_a_table_that_nobody_touched_needs_nothing() -> None:
    """No job, if it is alone in its database."""
    backup = planned(SAME)
    assert (backup.reason, backup.unchanged) == (Reason.UNCHANGED, True)
    assert DatabaseBackup(database=ORDERS.database, tables=(backup,)).unchanged


def test_a_dropped_partition_needs_no_job_either() -> None:
    """It is recorded, with nothing to capture."""
    backup = planned(table(part("p1", 10)))
    assert (backup.reason, backup.unchanged) == (Reason.INCREMENTAL, True)
    assert backup.dropped == {"p2"}


def test_a_partition_that_grew_is_taken_alone_if_it_can_be_made_again() -> None:
    """A restore makes it and fills it with INSERT; without values that can be written back the table is taken whole."""
    grown = evolve(part("p2", 11), identity=identity(11) | identity(12))
    listed = evolve(grown, values='[["a"]]')
    assert planned(table(part("p1", 10), listed, partitioning=Partitioning.LIST)).partitions == {"p2": Reason.CHANGED}
    assert planned(table(part("p1", 10), listed)).reason is Reason.BUCKETS


@pytest.mark.parametrize(
    ("state", "known", "policy", "reason"),
    [
        (SAME, {}, BackupPolicy(), Reason.FIRST),
        (SAME, recorded(), BackupPolicy(full=True), Reason.ASKED),
        (SAME, recorded(None), BackupPolicy(), Reason.BROKEN),
        (SAME, recorded(missing=frozenset({Label("db1_0")})), BackupPolicy(), Reason.BROKEN),
        (evolve(SAME, table_id=8), recorded(), BackupPolicy(), Reason.REPLACED),
        (SAME, recorded(evolve(BEFORE, cluster=ClusterId("2"))), BackupPolicy(), Reason.REPLACED),
        (evolve(SAME, fingerprint="g"), recorded(), BackupPolicy(), Reason.SCHEMA),
        (evolve(SAME, schema_job=5), recorded(), BackupPolicy(), Reason.SCHEMA),
        (SAME, recorded(seen_at=NOON - timedelta(days=6, seconds=1)), BackupPolicy(), Reason.OLD),
        (SAME, recorded(seen_at=NOON + timedelta(seconds=1)), BackupPolicy(), Reason.OLD),
        (SAME, recorded(length=3), BackupPolicy(max_chain=3), Reason.LONG),
        (table(), recorded(), BackupPolicy(), Reason.EMPTIED),
        (
            table(part("p1", 10), evolve(part("p2", 11), identity=identity(11) | identity(12))),
            recorded(),
            BackupPolicy(),
            Reason.BUCKETS,
        ),
    ],
)
def test_a_table_is_taken_whole_for_a_reason(
    state: TableState, known: dict[TableRef, Recorded], policy: BackupPolicy, reason: Reason
) -> None:
    """Whenever a difference could be missed, or could not be put back."""
    backup = planned(state, known, policy)
    assert (backup.type, backup.reason) == (BackupType.FULL, reason)
    assert (backup.baseline, backup.partitions, backup.dropped) == (None, None, frozenset())
    assert not backup.unchanged
    assert not backup.automatic
    assert planned(evolve(state, automatic=True), known, policy).automatic


@pytest.mark.parametrize(
    ("state", "known", "policy"),
    [
        (SAME, recorded(missing=frozenset({Label("expired")})), BackupPolicy()),
        (SAME, recorded(seen_at=NOON - timedelta(days=6)), BackupPolicy()),
        (SAME, recorded(seen_at=NOON), BackupPolicy()),
        (SAME, recorded(length=2), BackupPolicy(max_chain=3)),
        (SAME, recorded(evolve(BEFORE, schema_job=5)), BackupPolicy()),
        (evolve(SAME, schema_job=5), recorded(evolve(BEFORE, schema_job=5)), BackupPolicy()),
    ],
)
def test_and_not_for_less(state: TableState, known: dict[TableRef, Recorded], policy: BackupPolicy) -> None:
    """A lost snapshot that holds nothing of it, a limit that is not reached, a schema change of before."""
    assert planned(state, known, policy).type is BackupType.INCREMENTAL


def test_a_purged_trace_is_no_news() -> None:
    """The server forgets schema changes after a week; their ids only grow."""
    assert newer_job(6, 5)
    assert newer_job(5, None)
    assert not newer_job(5, 5)
    assert not newer_job(None, 5)
    assert not newer_job(None, None)


def test_tables_that_cannot_be_backed_up_are_left_out_with_the_reason() -> None:
    """The others go on, in one job per database, in the order of names."""
    temporary = table(part("p1", 10), temporary=frozenset({PartitionName("p1_77"), PartitionName("p1_76")}))
    others = [table(part("p1", 10), table=TableRef.parse(name)) for name in ("db2.b", "db2.a", "db1.z")]
    unreadable = {TableRef.parse("db2.c"): "no columns were found"}
    seen: Observation = look(temporary, *others, unreadable=unreadable)
    plan = plan_backup(seen, {}, BackupPolicy())
    assert [(one.database, [str(part.table) for part in one.tables]) for one in plan.databases] == [
        ("db1", ["db1.z"]),
        ("db2", ["db2.a", "db2.b"]),
    ]
    assert plan.problems == {
        TableRef.parse("db2.c"): "no columns were found",
        ORDERS: "it has temporary partitions (p1_76, p1_77): the server backs up no such table",
    }


def test_the_intent_holds_what_is_wanted_as_it_was_seen() -> None:
    """The digest is over the whole table; a whole table's intent is all of it."""
    quiet = table(part("q", 20), table=TableRef.parse("db1.quiet"))
    seen = look(table(part("p1", 10, version=3), part("p2", 11), schema_job=4), quiet)
    (database,) = plan_backup(seen, recorded(evolve(BEFORE, schema_job=4)), BackupPolicy()).databases
    orders, whole = intent(database, seen, snapshot(1))
    assert list(orders.captured) == ["p1"]
    assert orders.captured[PartitionName("p1")].partition.identity == identity(10, 3)
    assert orders.captured[PartitionName("p1")].after is None
    assert orders.digest == digest_of(seen.tables[ORDERS].identities())
    assert (orders.type, orders.baseline, orders.schema_job) == (BackupType.INCREMENTAL, "db1_0", 4)
    assert (whole.type, whole.baseline, list(whole.captured)) == (BackupType.FULL, None, ["q"])


def test_a_job_names_only_tables_that_have_something_to_capture() -> None:
    """The others are leaves that share its fate."""
    quiet = planned(SAME)
    busy = evolve(planned(table(part("p9", 19))), table=TableRef.parse("db1.busy"))
    database = DatabaseBackup(database=ORDERS.database, tables=(quiet, busy))
    assert not database.unchanged
    assert database.submitted == (busy,)


def test_the_intent_keeps_what_the_next_plan_is_compared_with() -> None:
    """Whose table it was, of which schema, and how it was divided; a partition that was dropped stays dropped."""
    state = table(part("p1", 10), automatic=True, partitioning=Partitioning.LIST)
    seen = look(state)
    (database,) = plan_backup(seen, recorded(), BackupPolicy()).databases
    (written,) = intent(database, seen, snapshot(1))
    assert (written.snapshot, written.table, written.table_id) == (snapshot(1), ORDERS, 7)
    assert (written.fingerprint, written.schema_job) == ("f", None)
    assert written.dropped == {"p2"}
    assert (written.automatic, written.partitioning) == (True, Partitioning.LIST)
    assert written.consistency is Consistency.UNKNOWN
