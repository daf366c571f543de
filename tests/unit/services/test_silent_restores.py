"""A restore that was not heard of for long: others take it for dead, and it must not go on as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.domain.errors import Busy, VerificationMismatch
from starrocks_br.services.reconcile import reconcile
from starrocks_simulator.faults import Hold
from starrocks_simulator.jobs import Job
from tests.support.modes import LIST_TABLE, MODES, Past, restore_all
from tests.support.world import RANGE_TABLE, Killed, World, kill, refuse

BY_NAME = {mode.name: mode for mode in MODES}
REPLACE = BY_NAME["replace, several holders"]
LIVE = "(90, '2024-01-01', 900), (91, '2024-01-02', 910)"


def another_command(world: World) -> list[str]:
    """What every command does first, done by another process; what it says."""
    own, world.ports = world.ports, world.reconnect()
    try:
        return [one.detail for one in reconcile(world.ports, world.place, world.ports.cluster.server()).settled]
    finally:
        world.ports = own


def occupied(world: World, *, nth: int = 2) -> list[bool]:
    """Somebody's job takes d1's slot before its nth RESTORE is sent, and holds it while the list is not empty."""
    held = [True]

    def hold(job: Job) -> Hold | None:
        return Hold() if job.label == "foreign" and held else None

    def foreign() -> None:
        world.range_table("d1.x")
        world.sql("BACKUP SNAPSHOT d1.foreign TO repo ON (x)")

    world.frontend.faults.steps.append(hold)
    world.before("^RESTORE SNAPSHOT d1", foreign, nth=nth)
    return held


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A table with two holders, which lives and was loaded."""
    made = REPLACE.prepare(tmp_path)
    made.world.sql(f"INSERT INTO d1.t VALUES {LIVE}")
    made.note_the_living()
    return made


def test_one_that_waits_for_a_slot_is_known_to_be_alive(past: Past) -> None:
    world, held, said = past.world, occupied(past.world), list[str]()
    world.wait_at_most(3600)

    def beside() -> None:
        said.extend(another_command(world))
        held.clear()

    world.clock_alarm(400, beside)
    world.restore("d1.t", label=past.label, replace=True)
    assert "may still be at work" in said[0]
    assert world.rows("d1.t") == past.wanted["d1.t"]


def test_one_that_was_taken_back_meanwhile_sends_nothing_more(past: Past) -> None:
    """Its line was away for longer than anybody waits."""
    world, lived = past.world, past.lived["d1.t"]

    def away() -> None:
        world.later(200)
        (said,) = another_command(world)
        assert "d1.t is the table that it was before" in said

    world.before("UPDATE .*step.* = 4", away)
    with pytest.raises(Busy, match="was taken over by another command"):
        world.restore("d1.t", label=past.label, replace=True)
    assert world.rows("d1.t") == lived
    assert world.times_sent("^RESTORE SNAPSHOT") == 1
    assert not world.ports.restores.unfinished().sound


def test_one_whose_step_was_sent_by_somebody_else_does_not_go_on(past: Past) -> None:
    """It was resumed: the steps are done by whoever took it over, once."""
    world = past.world
    (goal,) = past.wanted

    def taken_over() -> None:
        (journal,) = world.ports.restores.unfinished().sound
        world.ports.restores.take_over(journal, "somebody")

    world.before("UPDATE .*step.* = 1", taken_over)
    with pytest.raises(Busy, match="was taken over"):
        world.restore(goal, label=past.label, replace=True)
    assert len(world.ports.restores.unfinished().sound) == 1, "nothing of it is touched"


def test_a_table_that_users_put_there_while_a_slot_is_waited_for_is_left_alone(tmp_path: Path) -> None:
    past = BY_NAME["absent, several holders"].prepare(tmp_path)
    world, held = past.world, occupied(past.world)
    world.wait_at_most(60)

    def users() -> None:
        world.sql("DROP TABLE d1.t")
        world.sql(RANGE_TABLE.format(name="d1.t"))
        world.sql(f"INSERT INTO d1.t VALUES {LIVE}")
        held.clear()

    world.clock_alarm(100, users)
    with pytest.raises(VerificationMismatch, match="dropped, renamed or replaced meanwhile"):
        world.restore("d1.t", label=past.label)
    assert [row[0] for row in world.rows("d1.t")] == [90, 91]


def test_the_others_of_a_job_go_on_when_one_table_was_replaced_while_it_waited(tmp_path: Path) -> None:
    past = BY_NAME["three tables of two databases"].prepare(tmp_path)
    world, held = past.world, occupied(past.world)

    def users() -> None:
        world.sql("ALTER TABLE d1.s RENAME s_too")
        held.clear()

    world.before("^RESTORE SNAPSHOT d1", lambda: world.clock_alarm(9, users), nth=2)
    report = restore_all(past, replace=True)
    assert [str(table) for table in report.failures] == ["d1.s"]
    assert world.rows("d1.t") == past.wanted["d1.t"]


@pytest.fixture
def with_views(world: World) -> Past:
    """d1.s, which comes back first and has slow materialized views, and d1.t, which needs two jobs after that."""
    world.ready("d1.s", "d1.t")
    for names in ("d1.s", "d1.t"):
        world.backup(names)
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup("d1.t")
    for name in ("a", "b", "c"):
        world.sql(f"CREATE MATERIALIZED VIEW d1.{name} DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM d1.s")
    wanted = {name: world.rows(name) for name in ("d1.s", "d1.t")}
    world.sql("TRUNCATE TABLE d1.s; TRUNCATE TABLE d1.t")
    world.always("^ALTER MATERIALIZED VIEW", lambda: world.later(50))
    return Past(world, world.points("d1.t")[0].label, wanted)


def test_while_views_are_made_active_the_other_tables_are_known_to_be_at_work(with_views: Past) -> None:
    """A table that is complete has its views back while others of the command are still at work."""
    world, said = with_views.world, list[str]()
    world.before("^ALTER MATERIALIZED VIEW", lambda: said.extend(another_command(world)), nth=3)
    report = restore_all(with_views, replace=True)
    assert report.failures == {}
    assert ["may still be at work" in one for one in said] == [True]
    assert {name: world.rows(name) for name in with_views.wanted} == with_views.wanted


def test_that_it_cannot_say_so_once_ends_nothing(with_views: Past) -> None:
    world = with_views.world
    world.before("^ALTER MATERIALIZED VIEW", lambda: world.before("^UPDATE", refuse(5064, "not now")))
    assert restore_all(with_views, replace=True).failures == {}
    assert world.sql("SELECT DISTINCT IS_ACTIVE FROM information_schema.materialized_views") == [("true",)]


def test_tables_that_are_read_one_after_the_other_are_all_known_to_be_at_work(tmp_path: Path) -> None:
    past = BY_NAME["three tables of two databases"].prepare(tmp_path)
    past = evolve(past, wanted={table: rows for table, rows in past.wanted.items() if table.startswith("d1")})
    world, said = past.world, list[str]()
    world.always("^SELECT COUNT", lambda: world.later(200))
    world.before("^SELECT COUNT", lambda: said.extend(another_command(world)), nth=2)
    report = restore_all(past, replace=True)
    assert report.failures == {}
    assert len(said) == 2
    assert all("may still be at work" in one for one in said)


def test_a_long_read_in_one_database_does_not_let_the_others_look_dead(tmp_path: Path) -> None:
    """One command does them in turns."""
    past = BY_NAME["three tables of two databases"].prepare(tmp_path)
    world, said = past.world, list[str]()

    def reading() -> None:
        world.later(200)
        said.extend(another_command(world))

    world.before("^SELECT COUNT.*d1", reading)
    report = restore_all(past, replace=True)
    assert report.failures == {}
    assert len(said) == 3
    assert all("may still be at work" in one for one in said)


def test_one_that_is_taken_over_while_the_table_before_it_is_read_is_not_read(tmp_path: Path) -> None:
    past = BY_NAME["three tables of two databases"].prepare(tmp_path)
    world = past.world

    def taken_over() -> None:
        world.later(30)
        for journal in world.ports.restores.unfinished().sound:
            if str(journal.target) == "d1.t":
                world.ports.restores.take_over(journal, "somebody")

    world.before("^SELECT COUNT.*d1", taken_over)
    report = restore_all(past, replace=True)
    assert {str(table): type(error) for table, error in report.failures.items()} == {"d1.t": Busy}


def test_partitions_that_are_added_one_by_one_have_their_time(tmp_path: Path) -> None:
    world = World(tmp_path).ready()
    world.sql("CREATE DATABASE d1")
    world.sql(LIST_TABLE.format(name="d1.t"))
    world.sql("INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)")
    world.backup()
    for letter in "de":
        world.sql(f"ALTER TABLE d1.t ADD PARTITION p{letter} VALUES IN ('{letter}') DISTRIBUTED BY HASH(id) BUCKETS 2")
        world.sql(f"INSERT INTO d1.t VALUES (3, '{letter}', 3)")
    rows = world.rows("d1.t")
    world.backup()
    world.sql("TRUNCATE TABLE d1.t")
    said: list[str] = []

    def slow() -> None:
        world.later(61)
        said.extend(another_command(world))

    world.before("ADD PARTITION", slow, nth=2)
    world.restore("d1.t", replace=True)
    assert "may still be at work" in said[0]
    assert world.rows("d1.t") == rows


def test_killed_after_it_was_taken_for_dead_beside_the_name_is_not_lost(past: Past) -> None:
    world, held = past.world, occupied(past.world, nth=1)
    world.wait_at_most(3600)

    def beside() -> None:
        another_command(world)
        held.clear()

    world.before("^RESTORE SNAPSHOT", lambda: world.clock_alarm(62, beside))
    world.before("UPDATE .*SENT.*step.* = 3", kill)  # the table that lived has just been set aside
    with pytest.raises(Killed):
        world.restore("d1.t", label=past.label, replace=True)
    world.ports = world.reconnect()
    world.later(3600)
    another_command(world)
    assert world.rows("d1.t") == past.lived["d1.t"]


# --- what the clock and the slot tell ---------------------------------------------------------------------------------


def set_back(world: World) -> None:
    """Another leader's clock is some seconds behind."""
    world.frontend.skew -= 3


def test_a_job_that_seems_older_than_its_statement_is_known_all_the_same(past: Past) -> None:
    world = past.world
    world.before("^RESTORE SNAPSHOT", lambda: set_back(world), nth=2)
    report = world.restore("d1.t", label=past.label, replace=True)
    assert world.rows("d1.t") == past.wanted["d1.t"]
    assert world.rows(str(report.aside)) == past.lived["d1.t"]


def test_a_table_that_is_dropped_while_a_restore_goes_over_it_is_told_of(tmp_path: Path) -> None:
    """RESTORE makes it anew, with a part of the rows, under the name that users know."""
    past = BY_NAME["absent, several holders"].prepare(tmp_path)
    world = past.world
    world.after("^RESTORE SNAPSHOT", lambda: world.sql("DROP TABLE d1.t FORCE"), nth=2)
    with pytest.raises(VerificationMismatch) as mismatch:
        world.restore("d1.t", label=past.label)
    assert "d1.t is no table that it knows" in mismatch.value.hint
    assert "with a part of the rows" in mismatch.value.hint


def test_a_table_that_is_dropped_before_a_restore_goes_over_it_is_not_made_in_part(tmp_path: Path) -> None:
    past = BY_NAME["absent, several holders"].prepare(tmp_path)
    world = past.world
    world.before("UPDATE .*step.* = 3", lambda: world.sql("DROP TABLE d1.t FORCE"))
    with pytest.raises(VerificationMismatch, match="dropped, renamed or replaced"):
        world.restore("d1.t", label=past.label)
    assert world.tables("d1") == {"other"}


def test_a_table_that_takes_the_name_in_the_last_moment_is_told_of(tmp_path: Path) -> None:
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    world = past.world

    def users() -> None:
        world.sql("ALTER TABLE d1.t RENAME t_old")
        world.sql(RANGE_TABLE.format(name="d1.t"))

    world.before("SWAP WITH", users)
    with pytest.raises(VerificationMismatch) as mismatch:
        world.restore("d1.t", label=past.label, replace=True)
    assert "is a table that took the name d1.t in the last moment: rename it" in mismatch.value.hint


def test_rows_that_users_loaded_before_they_swapped_back_by_hand_are_kept(tmp_path: Path) -> None:
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    world = past.world
    world.after("SWAP WITH", kill)
    with pytest.raises(Killed):
        world.restore("d1.t", label=past.label, replace=True)
    world.ports = world.reconnect()
    world.later(600)
    world.sql("INSERT INTO d1.t VALUES (77, '2024-01-01', 7)")
    (hidden,) = world.tables("d1") - {"t", "other"}
    world.sql(f"ALTER TABLE d1.t SWAP WITH `{hidden}`")
    (said,) = another_command(world)
    assert f"what it made is d1.{hidden} now" in said
    assert 77 in {row[0] for row in world.rows(f"d1.{hidden}")}
