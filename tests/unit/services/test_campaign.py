"""Jobs from intent to proof, and everything that goes wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
from attrs import evolve

from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.errors import AccessDenied, Busy, JobFailed, OutcomeUnknown, Refused, Unreachable, Unrestorable
from starrocks_br.domain.events import JobEnded, JobSent
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.ports import Rows, SqlExecutor
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Status
from starrocks_br.services import backup
from starrocks_br.services.reports import BackupReport, DatabaseOutcome, Inexact
from starrocks_simulator.catalog import Table
from starrocks_simulator.faults import Fail, Hold
from starrocks_simulator.jobs import Job
from starrocks_simulator.running_overwrite import RunningOverwrite, begin
from tests.support.world import OPS, RANGE_TABLE, World, cut, fail, refuse

BACKUP = "BACKUP SNAPSHOT d1"
MERGED = "[OLAP_VERSION_ALREADY_MERGED, msg: make snapshot failed, version already merged]"
H12 = "failed to list remote path: s3a://b/x. msg: connection refused"
DENIED = (
    "Access denied; you need (at least one of) the EXPORT privilege(s) on TABLE t for this operation. Please ask the "
    "admin to grant permission(s)"
)


@pytest.fixture
def ready(world: World) -> World:
    """After init, with one table."""
    return world.ready("d1.t")


def only(report: BackupReport) -> DatabaseOutcome:
    """The one outcome."""
    (outcome,) = report.databases
    return outcome


def comes_back(world: World, table: str = "d1.t") -> bool:
    """Whether the newest point gives back what is there now."""
    wanted = world.rows(table)
    world.sql(f"DROP TABLE {table} FORCE")
    world.restore(table)
    return world.rows(table) == wanted


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errno", "message"),
    [
        (5064, "Another backup or restore job is being submitted. Please wait and try again"),
        (5064, "Do not support backing up table with temp partitions"),
        (5064, H12),
        (5502, "Unknown table 't'"),
        (5064, "Unknown partition p1 in tablet"),
        (1064, "Getting analyzing error. Detail message: partition[p1] does not exist  in tablet."),
    ],
)
def test_a_refusal_that_may_pass_is_tried_again_with_a_new_label(ready: World, errno: int, message: str) -> None:
    ready.before(BACKUP, refuse(errno, message))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]
    assert ready.statuses()[str(outcome.label)] == "FINISHED"
    assert len(ready.retries) == 1


def test_a_refusal_that_stays_ends_after_three_attempts(ready: World) -> None:
    ready.always(BACKUP, refuse(5064, H12))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FAILED, 3)
    assert isinstance(outcome.error, Refused)
    assert "connection refused" in outcome.error.why
    assert list(ready.statuses().values()) == ["FAILED"] * 3
    (message,) = {row[0] for row in ready.sql("SELECT error_message FROM ops.backup_history WHERE status = 'FAILED'")}
    assert H12 in message


def test_a_refusal_for_good_is_not_tried_again(ready: World) -> None:
    ready.before(BACKUP, refuse(5064, "Repository repo is read only"))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FAILED, 1)


def test_a_missing_privilege_fails_its_database_and_leaves_nothing_running(world: World) -> None:
    world.ready("d1.t", "d2.t")
    world.before(BACKUP, refuse(5203, DENIED))
    report = world.backup("d1.*", "d2.*")
    assert [outcome.status for outcome in report.databases] == [Status.FAILED, Status.FINISHED]
    error = report.databases[0].error
    assert isinstance(error, AccessDenied)
    assert "GRANT EXPORT" in error.hint
    assert sorted(world.statuses().values()) == ["FAILED", "FINISHED"]


def test_an_intent_that_cannot_be_written_sends_no_backup(ready: World) -> None:
    ready.before("INSERT INTO ops.backup_history", refuse(1064, "no space left"))
    outcome = only(ready.backup())
    assert outcome.status is Status.FAILED
    assert ready.times_sent(BACKUP) == 0


def test_a_doubtful_intent_is_abandoned_and_never_sent(ready: World) -> None:
    ready.after("INSERT INTO ops.backup_history", cut)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert sorted(ready.statuses().values()) == ["FINISHED", "PENDING"]
    assert ready.times_sent(BACKUP) == 1


def test_an_intent_that_vanished_is_not_sent(ready: World) -> None:
    ready.after("INSERT INTO ops.backup_history", lambda: ready.sql("DELETE FROM ops.backup_history WHERE seq = 0"))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert "was not sent" in ready.retries[0]


def test_a_failure_that_cannot_be_written_down_is_said(ready: World) -> None:
    ready.before(BACKUP, refuse(5064, "Repository repo is read only"))
    ready.before("UPDATE ops.backup_history SET status='FAILED'", refuse(1064, "no space left"))
    outcome = only(ready.backup())
    assert outcome.status is Status.FAILED
    assert any("could not be written down" in warning for warning in ready.warnings)


def test_an_unreadable_cluster_fails_the_database(ready: World) -> None:
    ready.before(BACKUP, refuse(5064, H12))
    ready.before("partitions_meta WHERE", refuse(1064, "Getting analyzing error. Detail message: no."), nth=2)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.label) == (Status.FAILED, None)
    assert isinstance(outcome.error, Refused)


# --- the slot ---------------------------------------------------------------------------------------------------------


def foreign_backup(world: World, label: str = "foreign") -> None:
    """Somebody else's BACKUP takes the slot."""
    world.sql(f"BACKUP SNAPSHOT d1.{label} TO repo ON (t)")


def test_a_slot_that_someone_else_holds_is_waited_for(ready: World) -> None:
    ready.before(BACKUP, lambda: foreign_backup(ready))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 1)
    assert any("waiting for it to end" in warning for warning in ready.warnings)
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]


def test_a_slot_that_stays_taken_makes_the_database_busy_and_the_others_go_on(world: World) -> None:
    world.ready("d1.t", "d2.t")
    world.before(BACKUP, lambda: foreign_backup(world))
    world.frontend.faults.steps.append(lambda job: Hold() if job.label == "foreign" else None)
    report = world.backup("d1.*", "d2.*")
    assert [outcome.status for outcome in report.databases] == [Status.FAILED, Status.FINISHED]
    assert isinstance(report.databases[0].error, Busy)
    assert "foreign is PENDING" in report.databases[0].error.why
    assert "RUNNING" not in world.statuses().values()


def test_a_restore_holds_the_slot_as_well(ready: World) -> None:
    label = ready.backup().databases[0].label
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    stamp = ready.records(f"SHOW SNAPSHOT ON repo WHERE SNAPSHOT = '{label}'")[0]["Timestamp"]
    ready.before(
        BACKUP,
        lambda: ready.sql(
            f"RESTORE SNAPSHOT d1.{label} FROM repo ON (t AS other) "
            f"PROPERTIES('backup_timestamp'='{stamp}', 'replication_num'='1')"
        ),
    )
    outcome = only(ready.backup("d1.t"))
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 1)


def test_with_no_patience_at_all_a_taken_slot_is_busy_at_once(ready: World) -> None:
    ready.wait_at_most(0)
    ready.before(BACKUP, lambda: foreign_backup(ready))
    assert isinstance(only(ready.backup()).error, Busy)
    assert ready.times_sent("SHOW BACKUP FROM d1") == 0


def test_a_holder_that_is_never_shown_is_asked_about_less_and_less_often(ready: World) -> None:
    """SHOW BACKUP lists nothing if the user lacks EXPORT on one of its tables (R§9), and each attempt costs a label."""
    ready.wait_at_most(3600)
    ready.always(BACKUP, refuse(5064, "Can only run one backup or restore job of a database at same time"))
    outcome = only(ready.backup())
    assert isinstance(outcome.error, Busy)
    assert "a job that this user is not shown holds it" in outcome.error.why
    assert 5 < len(ready.statuses()) < 15


def test_a_holder_that_is_never_shown_and_ends_while_it_is_waited_for_is_noticed(ready: World) -> None:
    """Once the whole wait is over, it is tried a last time."""
    ready.wait_at_most(150)
    ended = ready.always(BACKUP, refuse(5064, "Can only run one backup or restore job of a database at same time"))
    ready.clock_alarm(60 + 100, ended)  # the last one but this was made after 93 s
    assert only(ready.backup()).status is Status.FINISHED


def test_a_table_that_cannot_be_written_down_ends_its_database_only(world: World) -> None:
    """A megabyte of values in one partition does not fit into a row of ours."""
    world.ready("d1.t", "d2.t")
    values = ", ".join(f"'{number:0100}'" for number in range(10_500))
    world.sql(
        "CREATE TABLE d1.wide (k VARCHAR(100) NOT NULL) DUPLICATE KEY(k) PARTITION BY LIST(k) "
        f"(PARTITION p VALUES IN ({values})) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES('replication_num'='1')"
    )
    report = world.backup("d1.*", "d2.*")
    assert [outcome.status for outcome in report.databases] == [Status.FAILED, Status.FINISHED]
    assert isinstance(report.databases[0].error, Unrestorable)


def test_waiting_is_counted_from_when_the_slot_was_found_taken(ready: World) -> None:
    """A first attempt that took an hour does not use up the patience for the slot."""

    def an_hour_for_nothing() -> Fail:
        ready.later(3600)
        return Fail(MERGED)

    ready.in_state("UPLOADING", an_hour_for_nothing)
    ready.before(BACKUP, lambda: foreign_backup(ready), nth=2)
    assert only(ready.backup()).status is Status.FINISHED


# --- what moves around the cut ----------------------------------------------------------------------------------------


def test_a_load_between_look_and_cut_is_in_the_snapshot_and_taken_again(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 4)"))
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency) == (1, Consistency.EXACT)
    assert comes_back(ready)


def test_what_was_captured_early_is_captured_again(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 4)"))
    ready.backup()
    (table,) = only(ready.backup()).tables
    assert table.captured == 1


def test_a_load_after_the_cut_is_in_the_next_backup(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    wanted = ready.rows("d1.t")
    ready.in_state("SNAPSHOTING", lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-01', 4)"))
    ready.backup()
    (table,) = only(ready.backup()).tables
    assert table.captured == 1
    points = ready.points("d1.t")
    newest = ready.rows("d1.t")
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", points[1].snapshot.snapshot_at)
    assert ready.rows("d1.t") == wanted
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", points[0].snapshot.snapshot_at)
    assert ready.rows("d1.t") == newest


@pytest.mark.parametrize("moment", ["before the cut", "after the cut"])
def test_a_load_elsewhere_makes_the_point_fuzzy_and_a_second_attempt_takes_it(ready: World, moment: str) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    load = "INSERT INTO d1.t VALUES (4, '2024-01-02', 4)"
    if moment == "before the cut":
        ready.after(BACKUP, lambda: ready.sql(load))
    else:
        ready.in_state("SNAPSHOTING", lambda: ready.sql(load))
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency, outcome.tables[0].captured) == (2, Consistency.EXACT, 1)
    assert len(ready.points("d1.t")) == 2, "the fuzzy one is no point by default"
    assert comes_back(ready)


def always_elsewhere(world: World, attempts: int = 3) -> None:
    """At each attempt a load into a partition that it does not capture."""
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    for number in range(1, attempts + 1):
        load = f"INSERT INTO d1.t VALUES ({number}, '2024-01-0{1 + number % 2}', 4)"
        world.after(BACKUP, partial(world.sql, load), nth=number)


def test_a_third_attempt_that_is_fuzzy_too_is_the_last(ready: World) -> None:
    ready.backup()
    always_elsewhere(ready)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 3)
    assert outcome.tables[0].consistency is Consistency.FUZZY


def test_a_run_that_gave_a_table_no_exact_point_is_not_complete_and_names_the_one_before(ready: World) -> None:
    ready.backup()
    before = ready.newest("d1.t")
    always_elsewhere(ready)
    report = ready.backup()
    assert report.inexact == (
        Inexact(table=TableRef.parse("d1.t"), consistency=Consistency.FUZZY, newest_exact=before),
    )
    assert (report.succeeded, report.complete) == (True, False)


def test_a_table_that_a_later_attempt_makes_fuzzy_keeps_the_exact_point_of_an_earlier_one(world: World) -> None:
    """All that was asked for is there: a point of this run that restore takes by itself."""
    world.ready("d1.t", "d1.u").backup()
    always_elsewhere(world, attempts=1)
    world.sql("INSERT INTO d1.u VALUES (3, '2024-01-01', 3)")
    for number in (2, 3):
        load = f"INSERT INTO d1.u VALUES ({number}, '2024-01-0{1 + number % 2}', 4)"
        world.after(BACKUP, partial(world.sql, load), nth=number)
    report = world.backup()
    assert {one.table.name: one.consistency for one in only(report).tables} == {"t": "EXACT", "u": "FUZZY"}
    assert report.inexact == ()


def test_a_fuzzy_point_stays_a_success_when_the_attempt_at_a_better_one_fails(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)"))
    ready.before(BACKUP, refuse(5064, "Repository repo is read only"), nth=2)
    report = ready.backup()
    assert (only(report).status, only(report).error) == (Status.FINISHED, None)
    assert any("its point stays inexact" in warning for warning in ready.warnings)


def test_a_fuzzy_point_stays_a_success_when_the_slot_is_taken_for_the_better_one(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)"))
    ready.before(BACKUP, lambda: foreign_backup(ready), nth=2)
    ready.frontend.faults.steps.append(lambda job: Hold() if job.label == "foreign" else None)
    assert only(ready.backup()).status is Status.FINISHED


def test_a_fuzzy_point_can_be_restored_on_demand(ready: World) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)"))
    ready.before(BACKUP, refuse(5064, "Repository repo is read only"), nth=2)
    label = str(only(ready.backup()).label)
    ready.sql("DROP TABLE d1.t FORCE")
    ready.restore("d1.t", label=label, allow_fuzzy=True)
    assert len(ready.rows("d1.t")) == 3, "without the load that came between"


P3_IS_BORN = "ALTER TABLE d1.t ADD PARTITION p3 VALUES [('2024-01-03'), ('2024-01-04'))"


@pytest.mark.parametrize("moment", ["loaded before the cut", "born after the cut"])
def test_a_whole_table_is_exact_whatever_is_loaded_meanwhile(ready: World, moment: str) -> None:
    """The repository's own list decides what a whole table has."""
    if moment == "loaded before the cut":
        ready.after(BACKUP, lambda: ready.sql("INSERT INTO d1.t VALUES (8, '2024-01-02', 8)"))
    else:
        ready.in_state("SNAPSHOTING", lambda: ready.sql(P3_IS_BORN))
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency) == (1, Consistency.EXACT)
    assert comes_back(ready)


@pytest.mark.parametrize("chained", [False, True], ids=["full", "incremental"])
def test_a_partition_that_is_born_and_overwritten_around_the_cut_leaves_no_ghost(
    ready: World, *, chained: bool
) -> None:
    """The look after the cut sees it for the first time, with the ids that the overwrite gave it."""
    if chained:
        ready.backup()
        ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")

    def begin_it() -> None:
        ready.in_state("SNAPSHOTING", overwrite(ready).finish)

    ready.before(BACKUP, lambda: ready.sql(P3_IS_BORN))
    ready.after(BACKUP, begin_it)
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency) == (2, Consistency.EXACT)
    assert ready.points("d1.t")[0].label == outcome.label
    assert comes_back(ready)


def overwrite(world: World, partition: str = "p3") -> RunningOverwrite:
    """An INSERT OVERWRITE of a partition of d1.t begins."""
    (database,) = (one for one in world.frontend.catalog.databases.values() if one.name == "d1")
    table = database.tables["t"]
    assert isinstance(table, Table)
    return begin(world.frontend, table, [partition])


DANGERS = {
    "an overwrite in flight": (
        "ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))",
        "temporary partitions stand",
    ),
    "an overwrite that ended": ("INSERT OVERWRITE d1.t PARTITION (p1) VALUES (5, '2024-01-01', 5)", "was replaced"),
    "a truncate": ("TRUNCATE TABLE d1.t PARTITION (p2)", "was replaced"),
    "a dropped partition": ("ALTER TABLE d1.t DROP PARTITION p2 FORCE", "was dropped"),
    "a table made anew": (
        f"DROP TABLE d1.t FORCE; {RANGE_TABLE.format(name='d1.t')}",
        "dropped or replaced",
    ),
    "a schema change": ("ALTER TABLE d1.t ADD COLUMN w INT DEFAULT '1'", "schema changed"),
}


@pytest.mark.parametrize(("statements", "why"), DANGERS.values(), ids=DANGERS.keys())
def test_what_may_have_left_ghosts_in_the_snapshot_makes_it_fail(ready: World, statements: str, why: str) -> None:
    """Restored, such a snapshot could keep every frontend from starting; so it never becomes a point."""
    ready.in_state("SNAPSHOTING", lambda: ready.sql(statements))
    ready.after("SHOW ALTER TABLE OPTIMIZE", lambda: clear(ready), nth=2)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert why in ready.retries[0]
    statuses = ready.statuses()
    assert sorted(statuses.values()) == ["FAILED", "FINISHED"]
    assert statuses[str(outcome.label)] == "FINISHED"
    assert comes_back(ready)


def clear(world: World) -> None:
    """End an overwrite that was under way."""
    world.sql("ALTER TABLE d1.t DROP TEMPORARY PARTITION IF EXISTS tp")


def test_a_danger_is_written_down_before_anybody_else_can_conclude_the_job(ready: World) -> None:
    """A second command that adopts the job looks later, when the overwrite has been given up."""
    running: list[RunningOverwrite] = []

    def second_command() -> None:
        running[0].abort()
        ready.later(3)
        backup.run(ready.reconnect(), ready.request())

    ready.after(BACKUP, lambda: running.append(overwrite(ready, "p2")))
    ready.after("SHOW ALTER TABLE OPTIMIZE FROM d1", lambda: ready.clock_alarm(2, second_command), nth=2)
    ready.backup()
    first = min(ready.statuses())
    assert ready.statuses()[first] == "FAILED"
    assert first not in {point.label for point in ready.points("d1.t")}
    assert comes_back(ready)


def busy(world: World, *names: str) -> None:
    """Tables that are truncated and loaded again at every cut."""

    def fault(job: Job) -> None:
        if job.kind == "BACKUP" and job.state == "SNAPSHOTING" and job.label.startswith("d1_"):
            for name in names:
                world.sql(f"TRUNCATE TABLE {name}; INSERT INTO {name} VALUES (1, '2024-01-01', 1)")

    world.frontend.faults.steps.append(fault)


def test_a_table_that_is_truncated_at_each_cut_does_not_cost_the_others_their_backup(world: World) -> None:
    world.ready("d1.t", "d1.hot", "d1.hotter")
    busy(world, "d1.hot", "d1.hotter")
    report = world.backup()
    why = "left out of the last attempt: partition p1 was replaced while the table was being backed up"
    assert report.problems == {"d1.hot": why, "d1.hotter": why}
    assert (only(report).status, only(report).attempts, report.complete) == (Status.FINISHED, 3, False)
    assert [str(table.table) for table in only(report).tables] == ["d1.t"]
    assert comes_back(world)


def test_a_table_that_is_truncated_at_each_cut_and_alone_fails_with_the_reason(world: World) -> None:
    """And what another database has beside it does not count."""
    world.ready("d1.hot", "d2.t")
    busy(world, "d1.hot")
    report = world.backup("d1.*", "d2.*")
    assert [one.status for one in report.databases] == [Status.FAILED, Status.FINISHED]
    error = report.databases[0].error
    assert isinstance(error, JobFailed)
    assert "d1.hot: partition p1 was replaced" in error.why
    assert report.problems == {}


def conclude_elsewhere(world: World) -> None:
    """Another command is quicker than the next FAILED that is to be written down."""
    finished = "UPDATE ops.backup_history SET status = 'FINISHED' WHERE status = 'RUNNING'"
    world.before("UPDATE ops.backup_history SET status='FAILED'", lambda: world.sql(finished))


def test_a_danger_that_cannot_be_written_down_is_not_told_as_a_failure(ready: World) -> None:
    ready.in_state("SNAPSHOTING", lambda: ready.sql(DANGERS["an overwrite in flight"][0]))
    ready.clock_alarm(40, lambda: clear(ready))
    conclude_elsewhere(ready)
    ready.backup()
    assert any("another command has settled it" in warning for warning in ready.warnings)
    assert "could not be written down as failed" in ready.retries[0]


def test_a_table_dropped_while_it_is_backed_up_fails_and_the_rest_is_done_anew(world: World) -> None:
    world.ready("d1.t", "d1.u")
    world.in_state("SNAPSHOTING", lambda: world.sql("DROP TABLE d1.u FORCE"))
    report = world.backup()
    assert [str(table.table) for table in only(report).tables] == ["d1.t"]
    assert report.problems == {"d1.u": "it was dropped a moment ago"}


def test_a_look_after_the_cut_that_fails_is_worth_a_second_attempt(ready: World) -> None:
    """A point of unknown consistency is restored by nobody who does not ask for it."""
    ready.before("partitions_meta WHERE", refuse(1064, "Getting analyzing error. Detail message: no."), nth=2)
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency) == (2, Consistency.EXACT)
    assert "does not show that the snapshot is sound" in ready.retries[0]
    assert comes_back(ready)


def test_a_look_that_comes_too_late_is_worth_a_second_attempt(ready: World) -> None:
    """A minute after the cut it proves nothing any more."""
    ready.in_state("SNAPSHOTING", lambda: ready.before("SELECT NOW", lambda: ready.later(90)))
    outcome = only(ready.backup())
    assert (outcome.attempts, outcome.tables[0].consistency) == (2, Consistency.EXACT)


def test_looks_after_all_cuts_that_fail_make_the_consistency_unknown(ready: World) -> None:
    for nth in (2, 3, 4):
        no = refuse(1064, "Getting analyzing error. Detail message: no.")
        ready.before("partitions_meta WHERE", no, nth=nth)
    report = ready.backup()
    outcome = only(report)
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 3)
    assert [(one.consistency, one.newest_exact) for one in report.inexact] == [(Consistency.UNKNOWN, None)]
    assert outcome.tables[0].consistency is Consistency.UNKNOWN
    assert any("cannot be looked at after the cut" in warning for warning in ready.warnings)
    assert ready.points("d1.t") == ()
    assert only(ready.backup()).tables[0].type is BackupType.FULL


# --- how jobs end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        MERGED,
        "[COMMON_ERROR, msg: failed to choose replica to make snapshot for tablet 1. visible version: 2]",
        "[NOT_FOUND, msg: partition p1 does not exist  in tablet]",
    ],
)
def test_a_cancelled_job_is_tried_again_where_that_can_help(ready: World, status: str) -> None:
    ready.in_state("SNAPSHOTING", fail(status))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert status in ready.retries[0]
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]


@pytest.mark.parametrize(
    "status",
    ["[COMMON_ERROR, msg: user cancelled]", "[TIMEOUT, msg: ]", "[COMMON_ERROR, msg: Failed to create tmp dir]"],
)
def test_a_cancelled_job_is_the_end_where_trying_again_cannot_help(ready: World, status: str) -> None:
    ready.in_state("UPLOADING", fail(status))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FAILED, 1)
    assert isinstance(outcome.error, JobFailed)
    assert (outcome.error.label, outcome.error.why) == (outcome.label, status)
    assert list(ready.statuses().values()) == ["FAILED"]


def test_trouble_of_the_backends_is_said_once_and_is_no_failure(ready: World) -> None:
    steps = ready.frontend.faults.steps
    held = iter(range(4))
    steps.append(
        lambda job: Hold(task_errors="[1: upload failed]") if job.state == "UPLOADING" and next(held, 9) < 3 else None
    )
    assert only(ready.backup()).status is Status.FINISHED
    assert sum("upload failed" in warning for warning in ready.warnings) == 1


def test_a_job_that_a_stranger_pushed_out_of_the_slot_is_proven_by_the_repository(ready: World) -> None:
    """It ended between two polls and somebody else's job followed at once; nobody looked right after its cut."""

    def push_out() -> None:
        ready.wait_for("BACKUP", "d1")
        foreign_backup(ready)

    ready.before("SHOW BACKUP FROM", push_out)
    outcome = only(ready.backup())
    finished = ready.ports.backups.outlines(statuses={Status.FINISHED})
    known = [one.consistency for one in finished if str(one.table) == "d1.t"]
    assert sorted(known) == [Consistency.EXACT, Consistency.UNKNOWN]
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert next(event.job for event in ready.events if isinstance(event, JobEnded)) is None


def unread_for(world: World, seconds: float) -> None:
    """The object store does not answer about the first snapshot of d1 for a while from its end on."""

    def hiccup() -> None:
        unread = world.frontend.faults.unread
        unread.update(world.statuses())
        world.clock_alarm(seconds, unread.clear)

    world.in_state("UPLOAD_INFO", hiccup)


def test_a_snapshot_that_the_object_store_does_not_answer_about_is_waited_for(ready: World) -> None:
    """The list says so in the state of the label; that is no sign of failure."""
    unread_for(ready, 40)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 1)


def test_a_snapshot_that_the_object_store_never_answers_about_stays_open(ready: World) -> None:
    unread_for(ready, 10_000)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert "is not known" in ready.retries[0]
    assert ready.statuses()[min(ready.statuses())] == "RUNNING"


def test_a_holder_that_the_object_store_does_not_answer_about_is_not_missing(ready: World) -> None:
    ready.backup()
    ready.frontend.faults.unread.update(ready.statuses())
    ready.clock_alarm(60 + 40, ready.frontend.faults.unread.clear)
    assert only(ready.backup()).status is Status.UNCHANGED


def test_a_job_that_was_cancelled_and_pushed_out_is_tried_again(ready: World) -> None:
    def push_out() -> None:
        ready.sql("CANCEL BACKUP FROM d1")
        foreign_backup(ready)

    ready.before("SHOW BACKUP FROM", push_out)
    outcome = only(ready.backup())
    assert outcome.status is Status.FINISHED
    assert "does not list snapshot" in ready.retries[0]
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED", "RUNNING"], "the first one: nobody knows"


def test_a_job_cancelled_after_its_upload_and_pushed_out_is_tried_again_and_lost(ready: World) -> None:
    """Nobody saw it CANCELLED: that the repository has no snapshot yet proves nothing."""

    def push_out() -> None:
        while ready.records("SHOW BACKUP FROM d1")[0]["State"] != "SAVE_META":
            ready.later(3)
        ready.sql("CANCEL BACKUP FROM d1")
        foreign_backup(ready)

    ready.before("SHOW BACKUP FROM", push_out)
    assert only(ready.backup()).status is Status.FINISHED
    assert "is not known" in ready.retries[0]
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED", "RUNNING"]
    ready.later(400)
    ready.backup()
    assert ready.statuses()[min(ready.statuses())] == "LOST"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [('"p1"', '"p2"', "other partitions of d1.t"), ('"t":', '"u":', "holds u, which nobody asked for")],
)
def test_a_snapshot_that_holds_something_else_than_was_asked_for_has_failed(
    ready: World, old: str, new: str, why: str
) -> None:
    ready.backup()
    ready.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")

    ready.before("AND TIMESTAMP = ", lambda: ready.rewrite_contents("d1", old, new))
    assert only(ready.backup()).status is Status.FINISHED
    assert why in ready.retries[0]
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED", "FINISHED"]


def test_a_frozen_job_is_cancelled_after_ten_minutes_and_tried_again(ready: World) -> None:
    ready.after(BACKUP, ready.restart_frontend)
    began = ready.clock.now()
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert 600 < ready.clock.now() - began < 800
    assert "CANCEL BACKUP FROM `d1`" in ready.sent
    (code,) = [row[0] for row in ready.sql("SELECT error_code FROM ops.backup_history WHERE status = 'FAILED'")]
    assert code == "stuck"


def test_a_frozen_job_that_cannot_be_cancelled_is_watched_on(ready: World) -> None:
    ready.after(BACKUP, ready.restart_frontend)
    ready.before("CANCEL BACKUP", refuse(5203, DENIED))
    began = ready.clock.now()
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert any("could not be cancelled" in warning for warning in ready.warnings)
    assert ready.sent.count("CANCEL BACKUP FROM `d1`") == 2
    assert ready.clock.now() - began > 1200, "it is given as much time again"


def test_a_job_that_uploads_for_long_is_never_cancelled(ready: World) -> None:
    until = ready.clock.now() + 7200
    ready.frontend.faults.steps.append(
        lambda job: Hold() if job.state == "UPLOADING" and ready.clock.now() < until else None
    )
    assert only(ready.backup()).status is Status.FINISHED
    assert "CANCEL BACKUP FROM `d1`" not in ready.sent


# --- lost connections -------------------------------------------------------------------------------------------------


def test_a_backup_whose_answer_was_lost_is_found_in_the_slot(ready: World) -> None:
    ready.after(BACKUP, cut)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts, outcome.tables[0].consistency) == (Status.FINISHED, 1, Consistency.EXACT)
    assert sum(isinstance(event, JobSent) for event in ready.events) == 2, "and the metadata's"


def test_a_backup_that_may_have_been_lost_is_made_anew_and_never_called_failed(ready: World) -> None:
    ready.before(BACKUP, cut)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert sorted(ready.statuses().values()) == ["FINISHED", "RUNNING"]


class Unplugged(SqlExecutor):
    """An executor that finds no connection for the first BACKUP."""

    def __init__(self, inner: SqlExecutor) -> None:
        self._inner = inner
        self._tried = False

    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:
        """Send it, or not."""
        if sql.startswith("BACKUP") and not self._tried:
            self._tried = True
            raise Unreachable("the connection to fe:9030 failed", why="connection refused")
        return self._inner.execute(sql, values)


def test_a_backup_for_which_there_was_no_connection_was_never_sent(ready: World) -> None:
    ready.ports = evolve(ready.ports, cluster=StarRocksCluster(Unplugged(ready.executor), OPS))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 2)
    assert sorted(ready.statuses().values()) == ["FAILED", "FINISHED"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("pattern", ["SHOW BACKUP FROM", "SHOW SNAPSHOT", "partitions_meta WHERE", "INSERT INTO ops"])
def test_a_connection_lost_while_a_job_runs_is_made_anew(ready: World, pattern: str, nth: int) -> None:
    ready.after(BACKUP, lambda: ready.after(pattern, cut, nth=nth))
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts, outcome.tables[0].consistency) == (Status.FINISHED, 1, Consistency.EXACT)


def test_an_object_store_that_is_away_for_a_moment_costs_no_new_attempt(ready: World) -> None:
    for nth in (1, 2, 3):
        ready.before("SHOW SNAPSHOT", refuse(1064, f"Failed to list snapshot in repo: repo, err: {H12}"), nth=nth)
    outcome = only(ready.backup())
    assert (outcome.status, outcome.attempts) == (Status.FINISHED, 1)


def test_a_cluster_that_is_gone_for_good_ends_the_command_and_the_next_one_goes_on(ready: World) -> None:
    def gone() -> None:
        ready.door.answering = False
        cut()

    ready.before("SHOW BACKUP FROM", gone)
    with pytest.raises(Unreachable, match="does not answer any more"):
        ready.backup()
    ready.door.answering = True
    report = backup.run(ready.ports, ready.request())
    assert [one.outcome for one in report.settled] == [Status.FINISHED]
    assert "RUNNING" not in ready.statuses().values()


def test_once_nobody_answers_any_more_no_other_database_is_tried(world: World) -> None:
    """The wait for an answer is long enough once."""
    world.ready("d1.t", "d2.t")

    def gone() -> None:
        world.door.answering = False
        cut()

    world.before("^INSERT INTO ops.backup_history", gone)
    began = world.clock.now()
    with pytest.raises(Unreachable, match="does not answer any more"):
        world.backup("d1.*", "d2.*", max_parallel=1)
    assert world.clock.now() - began < 2 * world.place.reconnect_timeout


def test_details_that_cannot_be_read_leave_the_snapshot_open(ready: World) -> None:
    def damage() -> None:
        for file in ready.folder.rglob("__info_*"):
            if "d1_" in str(file):
                file.write_text("{")

    ready.before("AND TIMESTAMP = ", damage)
    outcome = only(ready.backup())
    assert outcome.status is Status.FINISHED
    assert "cannot be read" in ready.retries[0]
    assert sorted(ready.statuses().values()) == ["FINISHED", "RUNNING"]


def test_many_databases_run_a_few_at_a_time(world: World) -> None:
    names = [f"d{number}" for number in range(5)]
    world.ready(*(f"{name}.t" for name in names))
    most = []
    world.always("SHOW BACKUP FROM", lambda: most.append(sum(not job.done for job in world.frontend.handler.jobs())))
    report = world.backup(*(f"{name}.*" for name in names), max_parallel=2)
    assert report.complete
    assert max(most) == 2


def test_the_errors_of_all_parts_are_reported(ready: World) -> None:
    ready.before(BACKUP, refuse(5064, "Repository repo is read only"))
    report = ready.backup()
    (error,) = report.failures
    assert isinstance(error, Refused)
    assert not isinstance(error, OutcomeUnknown)
