"""Several tables in one command: they share looks and jobs, and one that fails does not stop the others."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.errors import (
    Busy,
    JobFailed,
    OutcomeUnknown,
    Refused,
    StalePlan,
    TargetExists,
    UnknownTable,
    Unreachable,
)
from starrocks_br.domain.names import Selection, TableRef
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import Target
from starrocks_br.domain.restore_steps import Reading
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import restore, restore_planning
from starrocks_br.services.reports import BatchReport
from starrocks_br.services.requests import RestoreRequest, Wanted
from starrocks_simulator.faults import Hold
from tests.support.world import World, cut, fail, refuse

RESTORE = "^RESTORE SNAPSHOT"


def plan_all(world: World, *names: str, into: str = "", **how: object) -> tuple[RestoreRequest, RestoreBatch]:
    """Plan to bring these back to their newest points."""
    wanted = tuple(
        Wanted(
            table=TableRef.parse(name),
            target=Target(table=TableRef.parse(f"{into}.{name.partition('.')[2]}" if into else name), **how),  # type: ignore[arg-type]
        )
        for name in names
    )
    request = RestoreRequest(place=world.place, wanted=wanted, at=world.ports.cluster.now())
    return request, restore_planning.plan(world.ports, request)


def restore_all(world: World, *names: str, into: str = "", **how: object) -> BatchReport:
    """And do it, a minute later."""
    world.later()
    request, batch = plan_all(world, *names, into=into, **how)
    return restore.run(world.ports, request, batch)


def two_holders(world: World, *names: str) -> dict[str, list[tuple[object, ...]]]:
    """Tables of which two snapshots hold parts; they are gone now."""
    databases = sorted({f"{name.partition('.')[0]}.*" for name in names})
    world.ready(*names).backup(*databases)
    for number, name in enumerate(names):
        world.sql(f"INSERT INTO {name} VALUES ({number}, '2024-01-02', 30)")
    world.backup(*databases)
    rows = {name: world.rows(name) for name in names}
    for name in names:
        world.sql(f"DROP TABLE {name} FORCE")
    return rows


def test_tables_of_one_database_share_their_jobs_and_those_of_two_go_side_by_side(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b", "d1.c", "d2.a")
    request, batch = plan_all(world, *rows)
    assert [len(job) for job in batch.statements] == [3, 3, 1, 1]
    assert batch.notes == (restore_planning.NO_COMMON_CUT,)
    report = restore.run(world.ports, request, batch)
    assert world.times_sent(RESTORE) == 4
    assert {name: world.rows(name) for name in rows} == rows
    assert [str(one.table) for one in report.restored] == sorted(rows)
    sent = [sql for sql in world.sent if "RESTORE FROM" in sql or sql.startswith("RESTORE SNAPSHOT")]
    second_of_d1 = [number for number, sql in enumerate(sent) if sql.startswith("RESTORE SNAPSHOT `d1`")][1]
    first_of_d2 = next(number for number, sql in enumerate(sent) if sql.startswith("RESTORE SNAPSHOT `d2`"))
    assert first_of_d2 < second_of_d1, "neither waits for the other"


def test_what_fails_for_all_is_taken_back_once_of_what_failed_before(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    world.later()
    request, batch = plan_all(world, *rows)
    aliases = {str(plan.manifest.table): plan.alias for plan in batch.plans}

    def drop_one_and_refuse_all() -> None:
        world.sql(f"DROP TABLE {aliases['d1.a']} FORCE")
        world.before("partitions_meta WHERE", refuse(1064, "no more room"))

    world.before("table_id=", drop_one_and_refuse_all)
    report = restore.run(world.ports, request, batch)
    assert "is not the table that this restore made" in str(report.failures[TableRef.parse("d1.a")])
    assert "no more room" in str(report.failures[TableRef.parse("d1.b")])
    assert world.tables("d1") == set()
    assert world.ports.restores.unfinished().sound == ()


def test_a_line_that_breaks_at_the_rename_of_one_table_ends_no_other_restore(world: World) -> None:
    """Nobody knows what became of it, so it stays as it is until the next command."""
    rows = two_holders(world, "d1.a", "d2.a")
    world.after("^ALTER TABLE d1.* RENAME", cut)
    report = restore_all(world, *rows)
    assert {str(table): type(error) for table, error in report.failures.items()} == {"d1.a": OutcomeUnknown}
    assert world.rows("d2.a") == rows["d2.a"]
    assert len(world.ports.restores.unfinished().sound) == 1


def test_a_few_databases_at_a_time(world: World) -> None:
    rows = two_holders(world, "d1.t", "d2.t", "d3.t")
    world.later()
    request, batch = plan_all(world, *rows)
    running: list[int] = []

    def look() -> None:
        jobs = [world.records(f"SHOW RESTORE FROM {database}") for database in ("d1", "d2", "d3")]
        running.append(sum(bool(of) and of[0]["State"] not in {"FINISHED", "CANCELLED"} for of in jobs))

    world.after(RESTORE, look, nth=1)
    world.after(RESTORE, look, nth=2)
    world.after(RESTORE, look, nth=3)
    one_by_one = RestoreRequest(place=world.place, wanted=(), max_parallel=1)
    assert len(restore.run(world.ports, one_by_one, batch).restored) == 3
    assert running == [1, 1, 1]
    assert request.max_parallel > 1


@pytest.mark.parametrize("count", [2, 12])
def test_the_statements_of_a_job_do_not_grow_with_its_tables(world: World, count: int) -> None:
    """But for the RENAME that gives each its name and the COUNT that reads it."""
    rows = two_holders(world, *(f"d1.t{number:02}" for number in range(count)))
    with world.counted() as sent:
        assert len(restore_all(world, *rows).restored) == count
    each = [sql for sql in sent if "RENAME" in sql or sql.startswith("SELECT COUNT")]
    assert len(each) == 2 * count
    assert len(sent) - len(each) <= 70
    assert world.times_sent(RESTORE) == 2


def test_tables_whose_job_is_cancelled_are_tried_again_in_two_halves(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")

    world.in_state("DOWNLOADING", fail("[COMMON_ERROR, msg: first try]"), kind="RESTORE")
    report = restore_all(world, *rows)
    assert [str(one.table) for one in report.restored] == ["d1.a", "d1.b"]
    assert any("in two halves" in warning for warning in world.warnings)
    assert {name: world.rows(name) for name in rows} == rows
    assert world.times_sent(RESTORE) == 1 + 2 + 1


def test_the_bad_one_is_named_and_the_other_comes_back(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    refusal = refuse(5064, "Table a does not exist in snapshot x")
    for _ in ("together", "d1.a alone"):
        world.before(RESTORE, refusal)
    report = restore_all(world, *rows)
    assert [str(one.table) for one in report.restored] == ["d1.b"]
    ((table, why),) = report.failures.items()
    assert (str(table), isinstance(why, Refused)) == ("d1.a", True)
    assert world.tables("d1") == {"b"}
    assert world.rows("d1.b") == rows["d1.b"]
    assert not world.ports.restores.unfinished().sound


def test_what_is_refused_for_the_whole_statement_is_not_tried_table_by_table(world: World) -> None:
    """Each half would wait as long for an object store that is away."""
    rows = two_holders(world, "d1.a", "d1.b", "d1.c")
    world.always(RESTORE, refuse(5064, "failed to list remote path: s3a://bucket/backups. msg: timeout"))
    request, batch = plan_all(world, *rows)
    began = world.clock.now()
    report = restore.run(world.ports, request, batch)
    assert world.clock.now() - began < 2 * world.place.wait
    assert {str(table) for table in report.failures} == set(rows)
    assert all("failed to list remote path" in str(why) for why in report.failures.values())
    assert world.tables("d1") == set()
    assert not world.ports.restores.unfinished().sound


def test_a_job_that_is_cancelled_for_one_of_them_in_the_end_is_its_failure_alone(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    world.in_state("DOWNLOADING", fail("[COMMON_ERROR, msg: all]"), kind="RESTORE")
    world.after(RESTORE, lambda: world.in_state("DOWNLOADING", fail("[X, msg: a]"), kind="RESTORE"), nth=2)
    report = restore_all(world, *rows)
    ((table, why),) = report.failures.items()
    assert (str(table), isinstance(why, JobFailed)) == ("d1.a", True)
    assert world.rows("d1.b") == rows["d1.b"]


def test_each_table_that_fails_says_what_became_of_it(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    world.before("partitions_meta WHERE", refuse(1064, "rpc failed"))
    report = restore_all(world, *rows)
    assert report.restored == ()
    assert all("was dropped" in error.hint for error in report.failures.values())
    assert len({error.hint for error in report.failures.values()}) == 2
    assert world.tables("d1") == set()


def test_what_cannot_be_planned_is_a_problem_and_the_others_are_restored(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    world.range_table("d1.b")
    request, batch = plan_all(world, "d1.a", "d1.b", "d1.never")
    assert {str(table): type(error) for table, error in batch.problems.items()} == {
        "d1.b": TargetExists,
        "d1.never": UnknownTable,
    }
    report = restore.run(world.ports, request, batch)
    assert report.failures.keys() == batch.problems.keys()
    assert world.rows("d1.a") == rows["d1.a"]


def test_two_tables_do_not_get_one_name(world: World) -> None:
    """The later one would replace the other, and both would be said to be restored."""
    two_holders(world, "d1.t", "d2.t")
    with pytest.raises(TargetExists, match=r"d1\.t and d2\.t cannot all be restored to drill\.t"):
        plan_all(world, "d1.t", "d2.t", into="drill", replace=True)


def test_a_damaged_chain_is_the_problem_of_its_table(world: World) -> None:
    two_holders(world, "d1.a", "d1.b")
    world.sql("UPDATE ops.backup_history SET partitions_json = 'x' WHERE table_name = 'b'")
    _, batch = plan_all(world, "d1.a", "d1.b")
    assert [str(table) for table in batch.problems] == ["d1.b"]
    assert [str(one.manifest.table) for one in batch.plans] == ["d1.a"]


def test_a_cluster_that_fails_while_it_is_planned_is_nobodys_problem_alone(world: World) -> None:
    two_holders(world, "d1.a")
    world.before("SHOW FULL TABLES", refuse(1064, "rpc failed"))
    with pytest.raises(Refused, match="rpc failed"):
        plan_all(world, "d1.a")


def test_a_table_that_appeared_since_makes_its_plan_stale_and_not_that_of_the_others(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b", "d1.c")
    request, batch = plan_all(world, "d1.a", into="drill")
    world.sql("CREATE DATABASE drill")
    report = restore.run(world.ports, request, batch)
    assert [type(error) for error in report.failures.values()] == [StalePlan]
    request, batch = plan_all(world, "d1.b", "d1.c")
    world.range_table("d1.b")
    report = restore.run(world.ports, request, batch)
    assert [type(error) for error in report.failures.values()] == [TargetExists]
    assert world.rows("d1.c") == rows["d1.c"]


def test_a_table_that_somebody_restores_is_busy_and_the_others_come_back(world: World) -> None:
    rows = two_holders(world, "d1.a", "d2.b")
    world.later()
    plan = world.plan_restore("d1.a")
    world.after(RESTORE, _die)
    with pytest.raises(_Dead):
        world.run_restore(plan)
    world.frontend.faults.steps.append(lambda job: Hold() if job.kind == "RESTORE" and job.db_name == "d1" else None)
    world.ports = world.reconnect()
    report = restore_all(world, *rows)
    ((table, why),) = report.failures.items()
    assert (str(table), isinstance(why, Busy)) == ("d1.a", True)
    assert world.rows("d2.b") == rows["d2.b"]


class _Dead(BaseException):
    """The process dies."""


def _die() -> None:
    raise _Dead


def test_a_cluster_that_is_gone_ends_all_of_them_and_the_next_command_takes_them_back(world: World) -> None:
    rows = two_holders(world, "d1.a", "d2.a")

    def gone() -> None:
        world.door.answering = False
        cut()

    world.before("SHOW RESTORE FROM", gone, nth=2)
    with pytest.raises(Unreachable):
        restore_all(world, *rows)
    world.door.answering = True
    world.later(3600)
    assert len(restore_all(world, *rows).restored) == 2
    assert {name: world.rows(name) for name in rows} == rows
    assert not world.ports.restores.unfinished().sound


def test_replaced_tables_of_one_job_change_places_each_with_its_own(world: World) -> None:
    world.ready("d1.a", "d1.b").backup()
    rows = {name: world.rows(name) for name in ("d1.a", "d1.b")}
    for name in rows:
        world.sql(f"TRUNCATE TABLE {name}")
    report = restore_all(world, *rows, replace=True, reading=Reading.PARTITIONS)
    assert {name: world.rows(name) for name in rows} == rows
    assert [one.rows for one in report.restored] == [2, 2]
    assert all(world.rows(str(one.aside)) == [] for one in report.restored)


def test_all_tables_of_which_something_is_recorded_are_meant_by_a_star(world: World) -> None:
    two_holders(world, "d1.a", "d1.b", "d2.c")
    chosen = restore_planning.recorded(world.ports, world.place, Selection(("d1.*", "d2.c")))
    assert [str(table) for table in chosen] == ["d1.a", "d1.b", "d2.c"]
    assert restore_planning.recorded(world.ports, world.place, Selection(("d9.x",))) == (TableRef.parse("d9.x"),)
    with pytest.raises(UnknownTable, match=r"d9\.\*"):
        restore_planning.recorded(world.ports, world.place, Selection(("d9.*",)))


def test_a_database_that_a_restore_made_is_dropped_again_if_nothing_came_of_it(world: World) -> None:
    two_holders(world, "d1.a", "d1.b")
    refusal = refuse(5064, "Table a does not exist in snapshot x")
    for _ in ("together", "d1.a alone", "d1.b alone"):
        world.before(RESTORE, refusal)
    report = restore_all(world, "d1.a", "d1.b", into="drill")
    assert len(report.failures) == 2
    assert ("drill",) not in world.sql("SHOW DATABASES")
    told = [error.hint for error in report.failures.values()]
    assert ["was dropped" in hint and "database drill" in hint for hint in told] == [False, True]


def test_a_database_that_holds_something_by_then_stays(world: World) -> None:
    rows = two_holders(world, "d1.a", "d1.b")
    refusal = refuse(5064, "Table a does not exist in snapshot x")
    for _ in ("together", "d1.a alone"):
        world.before(RESTORE, refusal)
    report = restore_all(world, "d1.a", "d1.b", into="drill")
    assert [str(one.table) for one in report.restored] == ["drill.b"]
    assert world.rows("drill.b") == rows["d1.b"]


def test_a_database_that_may_not_be_dropped_is_told_and_blocks_nothing(world: World) -> None:
    two_holders(world, "d1.a")
    world.before(RESTORE, refuse(5064, "Table a does not exist in snapshot x"))
    world.before("^DROP DATABASE", refuse(5203, "Access denied; you need the DROP privilege on DATABASE drill."))
    report = restore_all(world, "d1.a", into="drill")
    (error,) = report.failures.values()
    assert "database drill, which it made and which is empty, stays" in error.hint
    assert not world.ports.restores.unfinished().sound


def test_a_database_that_was_there_before_stays(world: World) -> None:
    two_holders(world, "d1.a")
    world.sql("CREATE DATABASE drill")
    world.before(RESTORE, refuse(5064, "Table a does not exist in snapshot x"))
    restore_all(world, "d1.a", into="drill")
    assert ("drill",) in world.sql("SHOW DATABASES")


def test_a_database_that_somebody_makes_meanwhile_makes_the_plan_stale_and_stays(world: World) -> None:
    """Nobody could tell later that it was not ours to drop."""
    two_holders(world, "d1.a", "d1.b")
    world.before("^CREATE DATABASE", lambda: world.sql("CREATE DATABASE drill"))
    report = restore_all(world, "d1.a", "d1.b", into="drill")
    assert all(isinstance(error, StalePlan) for error in report.failures.values())
    assert all("database drill appeared meanwhile" in str(error) for error in report.failures.values())
    assert ("drill",) in world.sql("SHOW DATABASES")
    assert not world.ports.restores.unfinished().sound
    assert len(restore_all(world, "d1.a", "d1.b", into="drill").restored) == 2


def test_a_database_that_may_not_be_made_is_the_failure_of_its_tables(world: World) -> None:
    two_holders(world, "d1.a")
    world.before("^CREATE DATABASE", refuse(1064, "rpc failed"))
    (error,) = restore_all(world, "d1.a", into="drill").failures.values()
    assert "rpc failed" in str(error)


def test_ctrl_c_lets_go_of_those_that_are_still_at_it(world: World) -> None:
    """What failed before was taken back then."""
    two_holders(world, "d1.a", "d1.b")
    refusal = refuse(5064, "Table a does not exist in snapshot x")
    for _ in ("together", "d1.a alone"):
        world.before(RESTORE, refusal)

    def stop() -> None:
        raise KeyboardInterrupt

    world.after("^ALTER TABLE .* RENAME b$", stop)
    with pytest.raises(KeyboardInterrupt):
        restore_all(world, "d1.a", "d1.b")
    assert not world.ports.restores.unfinished().sound
    assert not {"a", "b"} & world.tables("d1")


# --- a command that ends early ----------------------------------------------------------------------------------------


@pytest.fixture
def living(world: World) -> World:
    """d1.a and d2.b live, and have been emptied since they were backed up."""
    world.ready("d1.a", "d2.b").backup("d1.*", "d2.*")
    world.sql("TRUNCATE TABLE d1.a; TRUNCATE TABLE d2.b")
    return world


def replace_one_by_one(world: World) -> BatchReport:
    """Both back over what lives, d2.b only once d1.a is complete."""
    world.later()
    request, batch = plan_all(world, "d1.a", "d2.b", replace=True)
    return restore.run(world.ports, evolve(request, max_parallel=1), batch)


def stop() -> None:
    """The user does."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_restore_that_cannot_be_written_down_ends_no_other(living: World, at_once: int) -> None:
    """Nothing of it was begun."""
    living.later()
    request, batch = plan_all(living, "d1.a", "d2.b", replace=True)
    living.before(r"^INSERT INTO ops\.restore_history", refuse(1064, "disk 1 exceed limit usage"), nth=2)
    report = restore.run(living.ports, evolve(request, max_parallel=at_once), batch)
    assert [str(one.table) for one in report.restored] == ["d1.a"]
    ((table, why),) = report.failures.items()
    assert (str(table), why.why) == ("d2.b", "disk 1 exceed limit usage (error 1064)")
    assert (len(living.rows("d1.a")), living.rows("d2.b")) == (2, [])
    assert not living.ports.restores.unfinished().sound


def test_a_cluster_that_goes_away_is_no_reason_not_to_tell_what_is_complete(living: World) -> None:
    """With the id to undo it with; what the next backup is cut against is written down already."""

    def gone() -> None:
        living.door.answering = False
        cut()

    living.before("^RESTORE SNAPSHOT d2", gone)
    with pytest.raises(Unreachable):
        replace_one_by_one(living)
    living.door.answering = True
    (old,) = living.tables("d1") - {"a"}
    restored = old.removeprefix("a__before_")
    assert living.warnings[-1] == (
        f"its restore {restored} was complete before that; starrocks-br restore --undo {restored} goes back to what it "
        f"was: d1.{old}"
    )
    assert living.points("d1.a")[0].type is BackupType.RESTORED


def test_ctrl_c_leaves_what_is_complete_and_tells_of_it(living: World) -> None:
    """Its grants and views are back; of what was not begun there is nothing to say."""
    living.sql("CREATE MATERIALIZED VIEW d1.mv DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM d1.a")
    living.before("^RESTORE SNAPSHOT d2", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_one_by_one(living)
    assert (len(living.rows("d1.a")), living.rows("d2.b")) == (2, [])
    assert [warning.partition(" ")[0] for warning in living.warnings] == ["d2.b:", "its", "materialized"]
    assert living.sql("SELECT IS_ACTIVE FROM information_schema.materialized_views") == [("true",)]


def test_ctrl_c_before_a_restore_is_written_down_has_nothing_to_say_of_it(living: World) -> None:
    living.before(r"^INSERT INTO ops\.restore_history", stop, nth=2)
    with pytest.raises(KeyboardInterrupt):
        replace_one_by_one(living)
    assert [warning.partition(" ")[0] for warning in living.warnings] == ["its"]


def test_ctrl_c_while_things_are_put_back_does_not_leave_them(living: World) -> None:
    living.before(r"^INSERT INTO ops\.backup_history", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_one_by_one(living)
    assert living.points("d1.a")[0].type is BackupType.RESTORED


def test_what_failed_before_the_end_is_told_as_well(living: World) -> None:
    living.in_state("DOWNLOADING", fail("[COMMON_ERROR, msg: no]"), kind="RESTORE")
    living.before("^RESTORE SNAPSHOT d2", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_one_by_one(living)
    assert living.warnings[-1].endswith(
        " was cancelled by the server: [COMMON_ERROR, msg: no]; the restore of d1.a was given up; "
        "d1.a is the table that it was before; it left nothing behind"
    )


def test_a_view_of_two_databases_is_made_active_once_both_are_back(world: World) -> None:
    """That it could not be before is nothing to tell."""
    world.ready("d1.a", "d2.b")
    world.sql(
        "CREATE MATERIALIZED VIEW d1.mv DISTRIBUTED BY RANDOM REFRESH MANUAL AS "
        "SELECT a.id FROM d1.a a JOIN d2.b b ON a.id = b.id"
    )
    world.backup("d1.a", "d2.b")
    world.sql("DROP TABLE d1.a FORCE; DROP TABLE d2.b FORCE")
    world.later()
    request, batch = plan_all(world, "d1.a", "d2.b")
    report = restore.run(world.ports, evolve(request, max_parallel=1), batch)
    assert [note.partition(" is ")[2][:12] for note in report.notes if "d1.mv" in note] == ["active again"]
    assert world.sql("SELECT IS_ACTIVE FROM information_schema.materialized_views") == [("true",)]
