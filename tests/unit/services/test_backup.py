"""One run of backup: what it selects, records, reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.adapters.starrocks.looks import HIDDEN_BY_SESSION
from starrocks_br.domain.backup_plan import Reason
from starrocks_br.domain.chain import chain_to
from starrocks_br.domain.errors import NotInitialised, RequestError, UnknownTable
from starrocks_br.domain.events import BackupPlanned, Settled
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Status
from starrocks_br.services import backup
from starrocks_simulator.faults import Hold
from tests.support.world import READS, Killed, World, cut, fail, kill, only_reads, refuse


def test_an_untouched_database_needs_no_job_and_still_gets_a_point(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    with world.counted() as sent:
        report = world.backup()
    (outcome,) = report.databases
    assert outcome.status is Status.UNCHANGED
    assert not any(sql.startswith("BACKUP SNAPSHOT `d1`") for sql in sent)
    newest = world.points("d1.t")[0]
    assert newest.label == outcome.label
    wanted = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    assert world.restore("d1.t").label == outcome.label
    assert world.rows("d1.t") == wanted


def test_an_unchanged_table_beside_a_changed_one_is_a_leaf_and_nobodys_baseline(world: World) -> None:
    world.ready("d1.a", "d1.b")
    first = world.backup().databases[0].label
    for number in range(2):
        world.sql(f"INSERT INTO d1.a VALUES ({number}, '2024-01-01', 1)")
        report = world.backup()
        (leaf,) = [table for table in report.databases[0].tables if table.table.name == "b"]
        assert (leaf.captured, leaf.baseline, leaf.consistency) == (0, first, Consistency.EXACT)


def test_the_point_of_an_unchanged_database_is_right_after_the_look_however_long_it_waited(world: World) -> None:
    """A load after the look and before the record is later than the point."""
    world.ready("d1.t", "d2.t")
    world.backup("d1.*", "d2.*")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 1)")
    world.before("BACKUP SNAPSHOT d1", lambda: world.later(30))
    world.after("BACKUP SNAPSHOT d1", lambda: world.sql("INSERT INTO d2.t VALUES (3, '2024-01-01', 1)"))
    before = world.clock.now()
    report = world.backup("d1.*", "d2.*", max_parallel=1)
    assert report.databases[1].status is Status.UNCHANGED
    assert world.newest("d2.t").timestamp() <= before + 60 + 2


def test_dry_runs_send_only_reads(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 1)")
    with world.counted() as sent:
        plan = backup.plan(world.ports, world.request())
    (work,) = plan.databases
    assert work.tables[0].partitions == {"p1": Reason.CHANGED}
    assert only_reads(sent)
    assert not READS.match("INSERT INTO x VALUES (1)")


def test_dry_runs_say_what_is_left_out(world: World) -> None:
    world.ready("d1.t")
    backup.plan(world.ports, world.request("d1.*", "d9.*"))
    assert any("d9.*" in warning for warning in world.warnings)


def test_what_the_plan_itself_leaves_out_is_not_said_twice(world: World) -> None:
    world.ready("d1.t")
    world.wait_at_most(0)
    world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))")
    plan = backup.plan(world.ports, world.request("d1.t"))
    assert [str(table) for table in plan.problems] == ["d1.t"]
    assert world.warnings == []


def test_tables_whose_names_cannot_be_written_are_problems_and_the_rest_goes_on(world: World) -> None:
    """The server takes blanks around a name and control characters in it, a pattern of ours does not."""
    world.ready("d1.t", "d2.t", "`d1`.`old `", "`d1`.`a\tb`", "`d2`.` other database`")
    report = world.backup("d1.*")
    assert [str(table.table) for table in report.databases[0].tables] == ["d1.t"]
    assert sorted(report.problems) == ["d1.'a\\tb'", "d1.'old '"]
    assert not report.complete


def test_patterns_that_match_nothing_are_problems_and_the_rest_goes_on(world: World) -> None:
    world.ready("d1.t")
    report = world.backup("d1.t", "d1.nope", "d9.*")
    assert report.problems == {"d1.nope": "no such table", "d9.*": "no such database"}
    assert (report.succeeded, report.complete) == (True, False)


def test_own_and_unfinished_tables_are_never_a_part_of_it(world: World) -> None:
    world.ready("d1.t", "d1.__br_x")
    report = world.backup("d1.*", "ops.*")
    assert report.problems == {"ops.*": "our own tables: their history is saved with every run"}
    assert [str(table.table) for table in report.databases[0].tables] == ["d1.t"]


def test_nothing_selected_records_and_saves_nothing(world: World) -> None:
    report = world.ready().backup("d1.*")
    assert (report.databases, report.metadata) == ((), None)


def test_asking_for_full_takes_every_table_whole(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    report = world.backup(full=True)
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]


def test_a_long_chain_begins_anew(world: World) -> None:
    world.ready("d1.t")
    types = []
    for number in range(4):
        world.sql(f"INSERT INTO d1.t VALUES ({number}, '2024-01-01', 1)")
        types.append(world.backup(max_chain=2).databases[0].tables[0].type)
    assert types == [BackupType.FULL, BackupType.INCREMENTAL] * 2


def test_a_table_made_anew_under_the_old_name_is_taken_whole(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.range_table("d1.t")
    report = world.backup()
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]


def test_after_a_week_nobody_can_vouch_for_the_schema(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    world.later(6 * 86400 + 60)
    report = world.backup()
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]


def test_a_holder_that_is_gone_from_the_repository_makes_the_next_backup_full(world: World) -> None:
    world.ready("d1.t")
    label = world.backup().databases[0].label
    for folder in world.folder.rglob(f"__ss_{label}"):
        for file in sorted(folder.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        folder.rmdir()
    report = world.backup()
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]


def test_damaged_rows_of_the_baseline_are_said_and_the_table_taken_whole(world: World) -> None:
    world.ready("d1.t")
    label = world.backup().databases[0].label
    world.sql(f"UPDATE ops.backup_history SET partitions_json = 'broken' WHERE label = '{label}'")
    report = world.backup()
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]
    assert any("damaged" in warning and str(label) in warning for warning in world.warnings)


def test_a_gap_in_the_lineage_makes_the_next_backup_full(world: World) -> None:
    world.ready("d1.t")
    full = world.backup().databases[0].label
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 1)")
    world.backup()
    world.sql(f"DELETE FROM ops.backup_history WHERE label = '{full}'")
    report = world.backup()
    assert [table.type for table in report.databases[0].tables] == [BackupType.FULL]


def test_temporary_partitions_are_waited_for(world: World) -> None:
    world.ready("d1.t")
    world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))")
    world.after("SHOW ALTER TABLE OPTIMIZE", lambda: world.sql("ALTER TABLE d1.t DROP TEMPORARY PARTITION tp"), nth=2)
    report = world.backup()
    assert report.complete
    assert sum("waiting for temporary partitions of d1.t" in warning for warning in world.warnings) == 2


def test_a_standing_temporary_partition_leaves_its_table_out_and_the_others_go_on(world: World) -> None:
    world.ready("d1.t", "d1.u")
    world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))")
    report = world.backup()
    assert [str(table.table) for table in report.databases[0].tables] == ["d1.u"]
    assert "temporary partitions (tp)" in report.problems["d1.t"]
    assert not report.complete


def test_a_problem_that_went_away_before_the_retry_is_no_problem_any_more(world: World) -> None:
    world.ready("d1.t", "d1.u")
    world.wait_at_most(0)
    world.sql("ALTER TABLE d1.t ADD TEMPORARY PARTITION tp VALUES [('2024-01-01'), ('2024-01-02'))")
    world.after("BACKUP SNAPSHOT d1", lambda: world.sql("ALTER TABLE d1.t DROP TEMPORARY PARTITION tp"))
    world.in_state("SNAPSHOTING", fail("[OLAP_VERSION_ALREADY_MERGED, msg: version already merged]"))
    report = world.backup()
    assert {str(table.table) for table in report.databases[0].tables} == {"d1.t", "d1.u"}
    assert report.complete


TEMPORARY = "CREATE TEMPORARY TABLE {name} (id INT) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES('replication_num'='1')"


def test_a_sessions_temporary_table_keeps_no_database_from_its_backup(world: World) -> None:
    """It is listed among the others, and BACKUP does not know it (O§p)."""
    world.ready("d1.t")
    world.sql(TEMPORARY.format(name="d1.scratch"))
    report = world.backup("d1.*")
    assert ([one.status for one in report.databases], report.problems) == ([Status.FINISHED], {})
    assert world.points("d1.scratch") == ()


def test_a_server_that_knows_no_temporary_tables_has_none(world: World) -> None:
    """There are none before 3.3: the question is refused."""
    world.ready("d1.t")
    world.always("temp_tables", refuse(5502, "Unknown table 'information_schema.temp_tables'"))
    assert world.backup("d1.*").problems == {}


def test_a_table_whose_name_a_temporary_one_has_is_left_out(world: World) -> None:
    """The server lists the partitions of both under one name: whose they are cannot be told."""
    world.ready("d1.t", "d1.u")
    world.sql(TEMPORARY.format(name="d1.t"))
    report = world.backup("d1.*")
    assert report.problems == {"d1.t": HIDDEN_BY_SESSION}
    assert [len(world.points(name)) for name in ("d1.t", "d1.u")] == [0, 1]
    world.sql("DROP TEMPORARY TABLE d1.t")
    assert world.backup("d1.*").problems == {}


def test_a_table_dropped_after_the_selection_is_a_problem(world: World) -> None:
    world.ready("d1.t", "d1.u")
    world.after("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ID FROM", lambda: world.sql("DROP TABLE d1.u FORCE"), nth=2)
    report = world.backup()
    assert report.problems == {"d1.u": "it was dropped a moment ago"}
    assert [str(table.table) for table in report.databases[0].tables] == ["d1.t"]


def test_a_database_of_which_nothing_is_left_has_failed(world: World) -> None:
    """The BACKUP is refused because the only table went; the new look finds nothing to try again with."""
    world.ready("d1.t")
    world.before("BACKUP SNAPSHOT d1", lambda: world.sql("DROP TABLE d1.t FORCE"))
    report = world.backup()
    (outcome,) = report.databases
    assert outcome.status is Status.FAILED
    assert isinstance(outcome.error, UnknownTable)
    assert (report.succeeded, report.complete) == (False, False)


def test_the_look_is_taken_anew_for_databases_that_had_to_wait_for_their_turn(world: World) -> None:
    world.ready("d1.t", "d2.t")
    world.after("BACKUP SNAPSHOT d1", lambda: world.later(90))
    world.in_state("UPLOADING", lambda: world.sql("INSERT INTO d2.t VALUES (9, '2024-01-01', 9)"))
    world.backup("d1.*", "d2.*", max_parallel=1)
    looks = [sql for sql in world.sent if "partitions_meta WHERE" in sql and "'d2'" in sql and "'d1'" not in sql]
    assert looks, "planned from a look of its own"
    wanted = world.rows("d2.t")
    world.sql("DROP TABLE d2.t FORCE")
    world.restore("d2.t")
    assert world.rows("d2.t") == wanted


def test_a_table_under_restore_gets_no_entry(world: World) -> None:
    world.ready("d1.t", "d1.u")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.before("ALTER TABLE .* RENAME", kill)
    with pytest.raises(Killed):
        world.restore("d1.t")
    world.range_table("d1.t")
    world.ports = world.reconnect()
    assert backup.plan(world.ports, world.request()).databases[0].tables[0].table == TableRef.parse("d1.u")


def test_while_a_restore_runs_its_table_is_left_out_and_said(world: World) -> None:
    world.ready("d1.t", "d2.t")
    world.backup("d1.*", "d2.*")
    world.sql("DROP TABLE d1.t FORCE")
    world.after("RESTORE SNAPSHOT", kill)
    with pytest.raises(Killed):
        world.restore("d1.t")
    world.range_table("d1.t")
    world.ports = world.reconnect()
    report = backup.run(world.ports, world.request("d1.t", "d2.t"))
    assert "a restore of d1.t still runs: its job is" in report.problems["d1.t"]
    assert [outcome.database for outcome in report.databases] == ["d2"]
    assert [(one.outcome, "still runs" in one.detail) for one in report.settled] == [(None, True)]


def test_a_job_of_a_database_that_nobody_asked_for_is_not_waited_for(world: World) -> None:
    """It may run for hours; whoever wants its database next looks after it."""
    world.ready("d1.t", "d2.t")
    world.frontend.faults.steps.append(lambda job: Hold() if job.label.startswith("d1_") else None)
    world.after("^BACKUP SNAPSHOT d1", kill)
    with pytest.raises(Killed):
        world.backup("d1.*")
    world.ports = world.reconnect()
    began = world.clock.now()
    report = world.backup("d2.*")
    assert [(outcome.database, outcome.status) for outcome in report.databases] == [("d2", Status.FINISHED)]
    assert world.clock.now() - began < 600
    assert "RUNNING" in world.statuses().values()


def test_what_will_be_done_is_told_before_it_is_done(world: World) -> None:
    world.ready("d1.t")
    report = world.backup()
    (planned,) = [event for event in world.events if isinstance(event, BackupPlanned)]
    assert [work.database for work in planned.plan.databases] == [outcome.database for outcome in report.databases]
    assert not [event for event in world.events if isinstance(event, Settled)]


def test_without_init_it_says_what_to_run(world: World) -> None:
    with pytest.raises(NotInitialised) as refusal:
        world.backup()
    assert "starrocks-br init" in refusal.value.hint


def test_a_read_only_repository_is_refused_before_anything_is_written(world: World) -> None:
    world.ready("d1.t")
    world.sql("DROP REPOSITORY repo")
    world.sql("CREATE READ ONLY REPOSITORY repo WITH BROKER ON LOCATION 's3a://bucket/backups'")
    with pytest.raises(RequestError, match="read only"):
        world.backup()
    assert world.statuses() == {}


def test_a_repository_that_is_not_there_is_named_with_those_that_are(world: World) -> None:
    world.ready("d1.t")
    world.sql("DROP REPOSITORY repo")
    with pytest.raises(RequestError) as refusal:
        world.backup()
    assert "no repository at all" in refusal.value.why


def test_the_number_of_statements_does_not_depend_on_the_number_of_tables(tmp_path: Path) -> None:
    counts = {}
    for tables in (1, 200):
        names = [f"d1.t{number}" for number in range(tables)]
        world = World(tmp_path / str(tables)).ready(*names)
        with world.counted() as first:
            assert world.backup().complete
        for name in names:
            world.sql(f"INSERT INTO {name} VALUES (5, '2024-01-01', 5)")
        with world.counted() as second:
            assert len(world.backup().databases[0].tables) == tables
        # a table that is taken whole has its CREATE TABLE read, and nothing else of its own
        counts[tables] = (len(first) - tables, len(second))
    assert counts[1] == counts[200]
    assert max(counts[1]) <= 25 + 2 * 12, "12 for the database, and 12 for ops"


def test_databases_cost_at_most_thirteen_statements_each(world: World) -> None:
    names = [f"d{number}" for number in range(5)]
    world.ready(*(f"{name}.t" for name in names))
    patterns = [f"{name}.*" for name in names]
    world.backup(*patterns)
    for name in names:
        world.sql(f"INSERT INTO {name}.t VALUES (5, '2024-01-01', 5)")
    with world.counted() as sent:
        assert world.backup(*patterns).complete
    assert len(sent) <= 25 + 6 * 13


def test_no_two_points_of_a_table_share_an_instant(world: World) -> None:
    """Not even a look that finds nothing new, taken in the second in which the next job is cut."""
    world.ready("d1.t")
    for number in range(6):
        if number % 2:
            world.sql(f"INSERT INTO d1.t VALUES ({number}, '2024-01-01', 1)")
        world.backup("d1.t")
    points = [point.snapshot.snapshot_at for point in world.points("d1.t")]
    assert len(points) == 6
    assert len(set(points)) == 6


def test_what_is_concluded_still_tells_when_it_was_sent(world: World) -> None:
    world.ready("d1.t")
    world.backup("d1.t")
    snapshot = world.points("d1.t")[0].snapshot
    assert snapshot.submitted_at is not None
    assert snapshot.finished_at is not None
    assert snapshot.created_at <= snapshot.submitted_at <= snapshot.finished_at


def test_how_a_table_is_made_is_recorded_with_each_whole_entry(world: World) -> None:
    """In the server's words; a later entry of the chain needs none, and costs no statement for it."""
    world.ready("d1.a", "d1.b")
    world.backup()
    world.sql("INSERT INTO d1.a VALUES (3, '2024-01-01', 1)")
    with world.counted() as sent:
        second = world.backup().databases[0].label
    assert not any("SHOW CREATE" in sql for sql in sent)
    assert second is not None
    entries = world.ports.backups.entries([point.label for point in world.points("d1.a")]).entries
    recorded = {(entry.table.name, entry.type): entry.schema_ddl for entry in entries}
    texts = {name: str(world.sql(f"SHOW CREATE TABLE d1.{name}")[0][1]) for name in "ab"}
    assert recorded == {
        ("a", BackupType.FULL): texts["a"],
        ("b", BackupType.FULL): texts["b"],
        ("a", BackupType.INCREMENTAL): "",
        ("b", BackupType.INCREMENTAL): "",
    }
    assert chain_to(entries, TableRef.parse("d1.a"), second).manifest().ddl == texts["a"]
    assert texts["a"] not in repr(entries)


def test_a_table_whose_statement_cannot_be_read_is_backed_up_all_the_same(world: World) -> None:
    world.ready("d1.a", "d1.b")
    world.before("SHOW CREATE TABLE d1.a", refuse(1064, "no"))
    report = world.backup()
    assert report.complete
    entries = world.ports.backups.entries([world.points("d1.a")[0].label]).entries
    assert [bool(entry.schema_ddl) for entry in entries] == [False, True]
    assert [warning for warning in world.warnings if "CREATE TABLE" in warning]


def test_a_line_that_breaks_while_a_statement_is_read_is_a_new_attempt(world: World) -> None:
    world.ready("d1.a")
    world.before("SHOW CREATE TABLE d1.a", cut)
    assert world.backup().complete
    entries = world.ports.backups.entries([world.points("d1.a")[0].label]).entries
    assert entries[0].schema_ddl
