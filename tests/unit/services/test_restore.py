"""One table back to one point, or a refusal with the reason; and never a live table damaged on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from starrocks_br.domain.errors import (
    BrokenChain,
    Busy,
    JobFailed,
    NoPoint,
    OutcomeUnknown,
    Refused,
    StalePlan,
    TargetExists,
    UnknownTable,
    Unreachable,
    VerificationMismatch,
)
from starrocks_br.domain.events import RestorePlanned, StepDone
from starrocks_br.services import restore_planning, resume
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.requests import RestoreRequest
from starrocks_simulator.faults import Hold
from tests.support.modes import newest_restore
from tests.support.world import Killed, World, cut, fail, kill, only_reads, refuse

RESTORE = "RESTORE SNAPSHOT"


def hold_up(world: World, label: str) -> None:
    """A job with this label never moves."""
    world.frontend.faults.steps.append(lambda job: Hold() if job.label == label else None)


def nothing_left(world: World) -> bool:
    """Whether neither target nor alias is there, and every journal closed."""
    return world.tables("d1") == set() and world.ports.restores.unfinished().sound == ()


# --- choosing a point -------------------------------------------------------------------------------------------------


def test_a_table_nobody_knows_is_said_to_be_unknown(one: World) -> None:
    with pytest.raises(UnknownTable, match=r"d1\.x"):
        one.plan_restore("d1.x", at=one.newest("d1.t"))


def test_an_instant_before_the_first_point_tells_which_points_there_are(one: World) -> None:
    newest = one.newest("d1.t")
    with pytest.raises(NoPoint) as refusal:
        one.plan_restore("d1.t", at=newest - timedelta(seconds=1))
    assert (refusal.value.oldest, refusal.value.newest) == (newest, newest)


def test_an_instant_within_the_cut_names_the_snapshot_that_may_be_meant(two: World) -> None:
    newest = two.points("d1.t")[0]
    assert newest.snapshot.not_before is not None
    plan = two.plan_restore("d1.t", at=newest.snapshot.not_before + timedelta(seconds=1))
    assert plan.manifest.at < newest.snapshot.not_before
    assert any(f"--label {newest.label} takes it" in warning for warning in two.warnings)
    assert two.plan_restore("d1.t", label=newest.label).manifest.at == newest.snapshot.snapshot_at


def test_an_instant_on_the_point_is_not_in_doubt(two: World) -> None:
    two.plan_restore("d1.t", at=two.newest("d1.t"))
    assert two.warnings == []


def test_neither_instant_nor_label_is_a_mistake_of_the_caller(one: World) -> None:
    with pytest.raises(ValueError, match="instant or a label"):
        restore_planning.plan_one(one.ports, one.restore_request("d1.t"))


def test_a_label_that_does_not_hold_the_table_is_refused(one: World) -> None:
    with pytest.raises(BrokenChain, match="holds nothing of"):
        one.plan_restore("d1.t", label="d1_20990101T000000_x")


def test_a_label_that_failed_is_refused(world: World) -> None:
    world.ready("d1.t")
    world.in_state("UPLOADING", fail("[COMMON_ERROR, msg: user cancelled]"))
    label = str(world.backup().databases[0].label)
    with pytest.raises(BrokenChain, match="FAILED"):
        world.plan_restore("d1.t", label=label)


def test_an_inexact_label_needs_to_be_asked_for_twice(world: World) -> None:
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-01', 3)")
    world.after("BACKUP SNAPSHOT d1", lambda: world.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 4)"))
    world.before("BACKUP SNAPSHOT d1", refuse(5064, "Repository repo is read only"), nth=2)
    label = str(world.backup().databases[0].label)
    with pytest.raises(BrokenChain) as refusal:
        world.plan_restore("d1.t", label=label)
    assert "--allow-fuzzy" in refusal.value.hint
    world.sql("DROP TABLE d1.t FORCE")
    assert label in world.plan_restore("d1.t", label=label, allow_fuzzy=True).manifest.contents


def test_damaged_rows_break_the_chain_and_are_named(two: World) -> None:
    full = two.points("d1.t")[1].label
    two.sql(f"UPDATE ops.backup_history SET partitions_json = 'x' WHERE label = '{full}'")
    with pytest.raises(BrokenChain, match=full):
        two.plan_restore("d1.t", label=two.points("d1.t")[0].label)
    assert any(full in warning and "damaged" in warning for warning in two.warnings)


def test_a_holder_that_the_repository_lost_is_named(two: World) -> None:
    full = two.points("d1.t")[1].label
    for folder in two.folder.rglob(f"__ss_{full}"):
        folder.rename(folder.with_name("gone"))
    with pytest.raises(BrokenChain) as refusal:
        two.plan_restore("d1.t")
    assert refusal.value.labels == (full,)


def test_planning_sends_only_reads(two: World) -> None:
    with two.counted() as sent:
        two.plan_restore("d1.t", label=two.points("d1.t")[0].label)
    assert sent
    assert only_reads(sent)


# --- the target -------------------------------------------------------------------------------------------------------


def test_a_live_table_is_never_restored_over(one: World) -> None:
    one.range_table("d1.t")
    with pytest.raises(TargetExists):
        one.restore("d1.t")


def test_a_view_of_that_name_is_in_the_way_too(one: World) -> None:
    one.range_table("d1.x")
    one.sql("CREATE VIEW d1.t AS SELECT * FROM d1.x")
    with pytest.raises(TargetExists, match=r"d1\.t exists") as refusal:
        one.restore("d1.t")
    assert "view" in refusal.value.why


@pytest.mark.parametrize("name", ["backup_history", "restore_history"])
def test_our_own_tables_are_never_replaced(one: World, name: str) -> None:
    with one.counted() as sent, pytest.raises(TargetExists, match="of starrocks-br itself") as refusal:
        one.plan_restore("d1.t", label="d1_x", into=f"ops.{name}", replace=True)
    assert sent == []
    assert "bootstrap" in refusal.value.hint
    assert str(one.plan_restore("d1.t", into="ops.copy").target.table) == "ops.copy"


def test_a_target_that_appears_after_the_plan_makes_it_stale(one: World) -> None:
    plan = one.plan_restore("d1.t")
    one.range_table("d1.t")
    with pytest.raises(TargetExists):
        one.run_restore(plan)


def test_another_database_is_made_for_it(one: World) -> None:
    report = one.restore("d1.t", into="drill.t")
    assert str(report.table) == "drill.t"
    assert len(one.rows("drill.t")) == 2


def test_another_name_works_while_one_snapshot_holds_everything(one: World) -> None:
    one.range_table("d1.t")
    one.restore("d1.t", into="d1.copy")
    assert one.rows("d1.copy") == one.rows("d1.t")


def test_another_name_is_given_last_where_several_snapshots_hold_parts(two: World) -> None:
    assert two.restore("d1.t", into="d1.copy").rows == 3
    assert two.tables("d1") == {"copy"}


def test_beside_a_table_of_its_own_name_it_is_copied_together(two: World) -> None:
    two.range_table("d1.t")
    assert two.restore("d1.t", into="d1.copy").rows == 3
    assert two.tables("d1") == {"t", "copy"}
    assert len(two.rows("d1.t")) == 2


def test_another_database_works_from_several_snapshots(two: World) -> None:
    two.restore("d1.t", into="drill.t")
    assert len(two.rows("drill.t")) == 3


def test_an_unpartitioned_table_can_take_another_name(world: World) -> None:
    world.ready().sql("CREATE DATABASE d1")
    world.sql(
        "CREATE TABLE d1.t (id INT NOT NULL) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
        "PROPERTIES('replication_num'='1')"
    )
    world.sql("INSERT INTO d1.t VALUES (1)")
    world.backup()
    assert world.restore("d1.t", into="d1.other").rows == 1


@pytest.mark.parametrize("name", ["a, b", "a PARTITIONS [b]", "t]"])
def test_a_table_comes_back_whose_name_looks_like_a_list(world: World, name: str) -> None:
    """SHOW RESTORE tells tables as a list, unquoted."""
    world.ready().range_table("d1.t")
    world.sql(f"ALTER TABLE d1.t RENAME `{name}`")
    world.backup()
    world.sql(f"INSERT INTO d1.`{name}` VALUES (3, '2024-01-02', 30)")
    world.backup()
    world.sql(f"DROP TABLE d1.`{name}` FORCE")
    assert world.restore(f"d1.{name}").rows == 3
    assert not any("another job took the slot" in warning for warning in world.warnings)


def test_a_target_that_appears_while_the_restore_runs_is_left_alone(one: World) -> None:
    """The rename is refused, and what was made under the alias is taken back: as if it had been there before."""
    one.before("ALTER TABLE .* RENAME", lambda: one.range_table("d1.t"))
    with pytest.raises(TargetExists, match=r"d1\.t exists.*already used") as refusal:
        one.restore("d1.t")
    assert "was dropped" in refusal.value.hint
    assert one.tables("d1") == {"t"}
    assert one.ports.restores.unfinished().sound == ()


def test_a_rename_that_is_refused_for_another_reason_says_which(one: World) -> None:
    one.before("ALTER TABLE .* RENAME", refuse(1064, "rpc failed"))
    with pytest.raises(Refused, match="rpc failed"):
        one.restore("d1.t")
    assert one.tables("d1") == set()


# --- doing it ---------------------------------------------------------------------------------------------------------


def test_every_step_is_told(two: World) -> None:
    report = two.restore("d1.t")
    (planned,) = [event.plan for event in two.events if isinstance(event, RestorePlanned)]
    done = [event for event in two.events if isinstance(event, StepDone)]
    assert [event.step for event in done] == list(planned.steps)
    assert [event.number for event in done] == list(range(1, len(planned.steps) + 1))
    assert (report.jobs, report.partitions, report.rows) == (2, 2, 3)


@pytest.mark.parametrize("snapshots", [1, 2, 3])
def test_statements_are_few_and_grow_with_the_steps_only(world: World, snapshots: int) -> None:
    world.ready("d1.t").backup()
    for day in range(1, snapshots):
        world.sql(f"INSERT INTO d1.t VALUES (9, '2024-01-0{day}', 9)")
        world.backup()
    world.sql("ALTER TABLE d1.t ADD PARTITION p3 VALUES [('2024-01-03'), ('2024-01-04'))")
    world.backup()
    at = world.newest("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    with world.counted() as sent:
        world.restore("d1.t", at)
    (planned,) = [event.plan for event in world.events if isinstance(event, RestorePlanned)]
    assert len(sent) <= 45 + 6 * len(planned.steps)


def test_the_repository_may_say_less_of_replicas_than_there_were(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A table of three replicas comes back on a cluster of one backend."""
    folder = tmp_path_factory.mktemp("repository")
    world = World(folder, backends=3).ready()
    world.sql("CREATE DATABASE d1")
    world.sql("CREATE TABLE d1.t (id INT NOT NULL) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1")
    world.sql("INSERT INTO d1.t VALUES (1)")
    world.backup()
    small = World(folder, cluster_id=7, backends=1)
    small.clock.advance(9999)
    small.bootstrap()
    assert small.restore("d1.t").rows == 1


LIFETIMES = {
    "partition_live_number": "3",
    "partition_ttl": "3 days",
    "partition_retention_condition": 'dt >= date_trunc("month", current_date())',
}


def aging(world: World, key: str) -> World:
    """A table that is backed up and lost, with a property by which the server drops old partitions."""
    world.ready().sql("CREATE DATABASE d1")
    world.sql(
        "CREATE TABLE d1.t (id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id) "
        "PARTITION BY date_trunc('day', dt) DISTRIBUTED BY HASH(id) BUCKETS 1 "
        f"PROPERTIES('replication_num'='1', '{key}'='{LIFETIMES[key]}')"
    )
    world.sql("INSERT INTO d1.t VALUES (1, '2024-01-01'), (2, '2024-01-02')")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    return world


def die_around_the_rename(world: World, *, after: bool = False) -> World:
    """The command dies, and another process comes much later."""
    (world.after if after else world.before)("RENAME", kill)
    with pytest.raises(Killed):
        world.restore("d1.t")
    world.ports = world.reconnect()
    world.later(3600)
    return world


@pytest.mark.parametrize("key", LIFETIMES)
def test_partitions_that_time_would_drop_are_kept_and_the_way_back_is_told(world: World, key: str) -> None:
    """What the server's scheduler drops is past recovery (R§7.6)."""
    report = aging(world, key).restore("d1.t")
    assert world.times_sent(rf'SET \("{key}" =') == 1
    (again,) = (note.partition("again: ")[2] for note in report.notes if key in note)
    assert again.startswith(f'ALTER TABLE d1.t SET ("{key}" = ')
    (kept,) = world.sql("SHOW CREATE TABLE d1.t")
    world.sql(again)
    (shown,) = world.sql("SHOW CREATE TABLE d1.t")
    assert f'"{key}" = "{LIFETIMES[key]}"' in shown[1]
    assert f'"{key}" = "{LIFETIMES[key]}"' not in kept[1]


def test_a_table_comes_back_though_the_server_does_not_let_us_stop_it_from_dropping_partitions(world: World) -> None:
    """Which value stops `partition_ttl` is not documented: nobody is to lose a restore over it."""
    aging(world, "partition_ttl")
    world.before("partition_ttl", refuse(1064, "illegal partition_ttl"))
    report = world.restore("d1.t")
    assert report.rows == 2
    (note,) = (note for note in report.notes if "partition_ttl" in note)
    assert "illegal partition_ttl" in note
    assert note.startswith("by partition_ttl = '3 days' the server may drop partitions within minutes: ")


def test_a_plan_is_good_for_one_restore(two: World) -> None:
    """What the first one kept for its user would be dropped by the second one, which goes by the same names."""
    planned = two.plan_restore("d1.t")
    two.before("^RESTORE", lambda: two.sql("INSERT INTO d1.t VALUES (77, '2024-01-01', 7)"), nth=2)
    two.before("^RESTORE", lambda: two.in_state("DOWNLOADING", fail("[COMMON_ERROR, msg: x]"), kind="RESTORE"), nth=2)
    with pytest.raises(JobFailed) as failed:
        two.run_restore(planned)
    (kept,) = two.tables("d1")
    assert f"what it made is d1.{kept} now" in failed.value.hint
    two.later(120)
    with pytest.raises(StalePlan, match="was carried out before"):
        two.run_restore(planned)
    assert 77 in {row[0] for row in two.rows(f"d1.{kept}")}


@pytest.mark.parametrize("key", LIFETIMES)
def test_what_was_switched_off_before_a_kill_is_told_by_whoever_ends_the_restore(world: World, key: str) -> None:
    aging(world, key)
    past = die_around_the_rename(world)
    report = resume.resume(past.ports, RestoreRequest(place=past.place, wanted=()), newest_restore(past))
    assert len([note for note in report.notes if f'to allow it again: ALTER TABLE d1.t SET ("{key}" = ' in note]) == 1


def test_what_could_not_be_switched_off_before_a_kill_is_told_too(world: World) -> None:
    aging(world, "partition_ttl").before(r"SET \(", refuse(1064, "illegal partition_ttl"))
    past = die_around_the_rename(world)
    report = resume.resume(past.ports, RestoreRequest(place=past.place, wanted=()), newest_restore(past))
    told = "by partition_ttl = '3 days' the server may drop partitions within minutes"
    assert [note for note in report.notes if "partition_ttl" in note] == [told]


def test_a_restore_that_goes_on_before_it_switches_anything_off_tells_it_once(world: World) -> None:
    aging(world, "partition_ttl").before(r"SET \(", kill)
    with pytest.raises(Killed):
        world.restore("d1.t")
    world.ports = world.reconnect()
    world.later(3600)
    report = resume.resume(world.ports, RestoreRequest(place=world.place, wanted=()), newest_restore(world))
    assert len([note for note in report.notes if "partition_ttl" in note]) == 1


@pytest.mark.parametrize("emptied", [False, True])
def test_what_a_complete_restore_switched_off_is_told_by_the_command_that_closes_it(
    world: World, emptied: bool
) -> None:
    """As long as the history tells what its table was."""
    past = die_around_the_rename(aging(world, "partition_ttl"), after=True)
    if emptied:
        past.sql("TRUNCATE TABLE ops.backup_history")
    (settled,) = reconcile(past.ports, past.place, past.ports.cluster.server()).settled
    told = 'to allow it again: ALTER TABLE d1.t SET ("partition_ttl" = "3 days")' in settled.detail
    assert ("was complete" in settled.detail, told) == (True, not emptied)


def test_a_hole_left_by_the_restore_is_mended_so_that_loads_become_visible(world: World) -> None:
    world.ready("d1.t")
    world.load_unseen("d1.t", "(9, '2024-01-01', 9)")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert any(sql.startswith("ADMIN SET TABLE") for sql in world.sent)
    world.sql("INSERT INTO d1.t VALUES (7, '2024-01-01', 7)")
    assert 7 in {row[0] for row in world.rows("d1.t")}


def test_a_users_load_that_is_just_being_published_is_no_hole_to_be_mended(two: World) -> None:
    """Mending it would throw the load away; what it makes of the table is said instead."""

    def load() -> None:
        two.load_unseen("d1.t", "(9, '2024-01-01', 9)")
        two.clock_alarm(1, two.frontend.held_loads.publish)

    two.before("partitions_meta WHERE", load, nth=3)
    with pytest.raises(VerificationMismatch, match="not what was backed up"):
        two.restore("d1.t")
    assert two.times_sent("ADMIN SET TABLE") == 0


def test_a_users_load_that_is_published_late_is_not_mended_away_in_what_an_earlier_job_brought(two: World) -> None:
    """The last job was about p2 only: a hole in p1, which was checked out of sight, is somebody's load."""
    two.before("partitions_meta WHERE", lambda: two.load_unseen("d1.t", "(9, '2024-01-01', 9)"), nth=3)
    with pytest.raises(VerificationMismatch, match="partition p1 has a hole"):
        two.restore("d1.t")
    assert two.times_sent("ADMIN SET TABLE") == 0
    two.frontend.held_loads.publish()
    (kept,) = two.tables("d1")
    assert 9 in {row[0] for row in two.rows(f"d1.{kept}")}


def test_a_hole_that_a_later_job_left_is_mended_too(world: World) -> None:
    world.ready("d1.t").backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.load_unseen("d1.t", "(9, '2024-01-02', 9)")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t")
    assert world.times_sent("ADMIN SET TABLE d1.t PARTITION") == 1


def test_partitions_meta_that_fails_for_another_reason_drops_nothing_by_itself(one: World) -> None:
    one.before("partitions_meta WHERE", refuse(1064, "Getting analyzing error. Detail message: rpc failed."))
    with pytest.raises(Refused, match="rpc"):
        one.restore("d1.t")
    assert nothing_left(one), "the alias bears the id that was written down"


# --- what goes wrong --------------------------------------------------------------------------------------------------


def foreign_backup(world: World) -> None:
    """Somebody else's job takes the slot."""
    world.range_table("d1.x")
    world.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (x)")


def test_a_slot_that_someone_else_holds_is_waited_for(one: World) -> None:
    one.before(RESTORE, lambda: foreign_backup(one))
    assert one.restore("d1.t").rows == 2
    assert any("waiting" in warning for warning in one.warnings)


def test_a_slot_that_stays_taken_is_busy_and_nothing_is_left(one: World) -> None:
    hold_up(one, "foreign")
    one.before(RESTORE, lambda: foreign_backup(one))
    with pytest.raises(Busy):
        one.restore("d1.t")
    assert one.tables("d1") == {"x"}
    assert one.ports.restores.unfinished().sound == ()


def test_an_object_store_that_is_away_for_a_moment_is_waited_for(two: World) -> None:
    words = "Failed to get info of snapshot 'x' because: failed to list remote path: s3a://b. msg: refused"
    two.before(RESTORE, refuse(5064, words))
    assert two.restore("d1.t").rows == 3


def test_a_refusal_for_good_leaves_nothing(one: World) -> None:
    one.before(RESTORE, refuse(5064, "Table t does not exist in snapshot x"))
    with pytest.raises(Refused):
        one.restore("d1.t")
    assert nothing_left(one)


@pytest.mark.parametrize(
    "status",
    ["[COMMON_ERROR, msg: user cancelled, current state: DOWNLOADING]", "[TIMEOUT, msg: restore job  timeout.]"],
)
def test_a_cancelled_job_is_reported_with_the_servers_words_and_leaves_nothing(one: World, status: str) -> None:
    one.in_state("DOWNLOADING", fail(status), kind="RESTORE")
    with pytest.raises(JobFailed) as failure:
        one.restore("d1.t")
    assert failure.value.why == status
    assert nothing_left(one)


def test_a_job_that_is_cancelled_after_the_table_was_shown_hides_it_again(two: World) -> None:
    two.after("RENAME t", lambda: two.in_state("DOWNLOADING", fail("[TIMEOUT, msg: x]"), kind="RESTORE"))
    with pytest.raises(JobFailed) as failure:
        two.restore("d1.t")
    assert "what it made is d1.__br_" in failure.value.hint
    (left,) = two.tables("d1")
    assert left.startswith("__br_")
    assert two.ports.restores.unfinished().sound == ()
    assert two.backup("d1.*").databases == ()


def test_a_result_that_differs_does_not_bear_the_targets_name(one: World) -> None:
    one.before("partitions_meta WHERE", lambda: drop_a_partition(one))
    with pytest.raises(VerificationMismatch, match="not what was backed up") as refusal:
        one.restore("d1.t")
    assert refusal.value.differences == ("partition p1 is missing",)
    assert nothing_left(one)


def drop_a_partition(world: World) -> None:
    """Somebody meddles with the newest unfinished restore, or with the target."""
    name = min(world.tables("d1"))
    world.sql(f"ALTER TABLE d1.{name} DROP PARTITION p1 FORCE")


def test_a_difference_found_at_the_very_end_takes_the_name_away_again(two: World) -> None:
    """The last step fails: nothing is left open by it, and all the same the table is hidden."""
    two.before("SELECT COUNT", refuse(1064, "tablet 10012 has no good replica"))
    with pytest.raises(Refused, match="no good replica") as failure:
        two.restore("d1.t")
    assert "what it made is d1.__br_" in failure.value.hint
    (left,) = two.tables("d1")
    assert left.startswith("__br_")
    assert two.ports.restores.unfinished().sound == ()


def test_an_alias_that_somebody_drops_ends_the_restore(one: World) -> None:
    one.before("partitions_meta WHERE", lambda: one.sql(f"DROP TABLE d1.{min(one.tables('d1'))} FORCE"))
    with pytest.raises(VerificationMismatch, match="is not the table that this restore made"):
        one.restore("d1.t")
    assert nothing_left(one)


def test_a_stranger_under_the_targets_name_is_never_touched(two: World) -> None:
    """Between the rename and the next job somebody swaps our table for one of theirs."""

    def swap() -> None:
        two.sql("DROP TABLE d1.t FORCE")
        two.range_table("d1.t")

    two.after("RENAME t", swap)
    with pytest.raises(VerificationMismatch, match="is not the table that this restore made"):
        two.restore("d1.t")
    assert len(two.rows("d1.t")) == 2
    assert two.tables("d1") == {"t"}
    assert two.times_sent(RESTORE) == 1


def test_a_stranger_is_not_even_looked_at_as_if_it_were_ours(two: World) -> None:
    """Swapped while our last job ends: the check after it knows the table by its id."""
    seen = []

    def swap() -> None:
        seen.append(1)
        if len(seen) == 3:
            two.sql("DROP TABLE d1.t FORCE")
            two.range_table("d1.t")

    two.always("partitions_meta WHERE", swap)
    with pytest.raises(VerificationMismatch, match="is not the table that this restore made"):
        two.restore("d1.t")
    assert two.tables("d1") == {"t"}


# --- lost connections -------------------------------------------------------------------------------------------------


def test_a_restore_whose_answer_was_lost_is_found_in_the_slot(one: World) -> None:
    one.after(RESTORE, cut)
    assert one.restore("d1.t").rows == 2
    assert any("connection broke" in warning for warning in one.warnings)


def test_a_restore_that_never_arrived_leaves_the_journal_to_the_next_command(one: World) -> None:
    one.before(RESTORE, cut)
    with pytest.raises(OutcomeUnknown, match="cannot be found"):
        one.restore("d1.t")
    assert len(one.ports.restores.unfinished().sound) == 1
    assert one.restore("d1.t").rows == 2
    assert one.ports.restores.unfinished().sound == ()


def test_polls_outlive_a_lost_connection(one: World) -> None:
    one.before("SHOW RESTORE FROM", cut, nth=3)
    assert one.restore("d1.t").rows == 2


def test_a_cluster_that_is_gone_for_good_ends_the_command(one: World) -> None:
    def gone() -> None:
        one.door.answering = False
        cut()

    one.before("SHOW RESTORE FROM", gone, nth=2)
    at = one.newest("d1.t")
    with pytest.raises(Unreachable, match="does not answer"):
        one.restore("d1.t", at)
    one.door.answering = True
    assert one.restore("d1.t", at).rows == 2


def test_a_job_that_a_stranger_pushed_out_of_the_slot_shows_in_what_it_made(one: World) -> None:
    def push_out() -> None:
        one.wait_for("RESTORE", "d1")
        foreign_backup(one)

    one.before("SHOW RESTORE FROM", push_out)
    assert one.restore("d1.t").rows == 2


def test_a_job_that_was_cancelled_and_pushed_out_of_the_slot_made_nothing(one: World) -> None:
    def push_out() -> None:
        one.sql("CANCEL RESTORE FROM d1")
        foreign_backup(one)

    one.before("SHOW RESTORE FROM", push_out, nth=2)
    with pytest.raises(VerificationMismatch, match="is not the table that this restore made"):
        one.restore("d1.t")
    assert one.tables("d1") == {"x"}, "the stranger's"


def test_a_strangers_restore_in_the_slot_is_not_taken_for_ours(one: World) -> None:
    """Same snapshot, same timestamp, and all the same somebody else's job: it was there before."""
    plan = one.plan_restore("d1.t")
    (job,) = plan.jobs
    one.sql(
        f"RESTORE SNAPSHOT d1.{job.label} FROM repo ON (t AS theirs) "
        f"PROPERTIES('backup_timestamp'='{job.backup_timestamp}', 'replication_num'='1')"
    )
    one.wait_for("RESTORE", "d1")
    one.later()
    one.before(RESTORE, cut)
    with pytest.raises(OutcomeUnknown, match="cannot be found"):
        one.run_restore(plan)
    assert one.tables("d1") == {"theirs"}


def test_a_frontend_restart_in_the_middle_changes_nothing(two: World) -> None:
    two.after("SHOW RESTORE FROM", two.restart_frontend, nth=3)
    assert two.restore("d1.t").rows == 3


def test_while_another_restore_of_the_table_runs_it_is_busy(one: World) -> None:
    at = one.newest("d1.t")
    one.after(RESTORE, kill)
    with pytest.raises(Killed):
        one.restore("d1.t", at)
    one.frontend.faults.steps.append(lambda job: Hold() if job.kind == "RESTORE" else None)
    one.ports = one.reconnect()
    with pytest.raises(Busy, match="is not over"):
        one.restore("d1.t", at)
