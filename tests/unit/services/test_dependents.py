"""What hangs on a table is put back after it was replaced, or people are told what to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from starrocks_br.domain.dependents import Dependents
from starrocks_br.domain.errors import JobFailed, Unreachable
from starrocks_br.domain.names import TableRef
from starrocks_br.services import undo
from starrocks_br.services.dependents import after, before, hand_over
from starrocks_br.services.reconcile import reconcile
from tests.support.copies import once
from tests.support.world import RANGE_TABLE, Killed, World, cut, fail, kill, refuse

T = TableRef.parse("d1.t")
NEW = TableRef.parse("d1.new")
MATERIALIZED = "CREATE MATERIALIZED VIEW {0} DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM {1}"
STALE = "; until it is refreshed it shows the rows that it had: REFRESH MATERIALIZED VIEW"
GRANTS = "SELECT GRANTEE, OBJECT_NAME, PRIVILEGE_TYPE, IS_GRANTABLE FROM sys.grants_to_"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """`d1.t`, in colocate group `g`, with grants and materialized views; `d1.new` is to take its place."""
    return _with_dependents(tmp_path)


@once
def _with_dependents(folder: Path) -> World:
    made = World(folder).ready("d1.t", "d1.new")
    made.sql('ALTER TABLE d1.t SET ("colocate_with" = "g")')
    for who in ("USER alice", "USER bob"):
        made.sql(f"CREATE {who}")
    made.sql("CREATE ROLE analysts")
    made.sql("GRANT EXPORT ON ALL TABLES IN ALL DATABASES TO USER bob")
    made.sql("GRANT SELECT, INSERT ON TABLE d1.t TO USER alice")
    made.sql("GRANT ALTER ON TABLE d1.t TO USER alice WITH GRANT OPTION")
    made.sql("GRANT SELECT ON TABLE d1.t TO ROLE analysts")
    made.sql(MATERIALIZED.format("d1.zz", "d1.t"))
    made.sql("CREATE DATABASE d0")
    made.sql("CREATE DATABASE d2")
    made.sql(MATERIALIZED.format("d0.aa", "d1.zz"))
    return made


def replace(world: World) -> None:
    """The new table takes the name."""
    world.sql("ALTER TABLE d1.t SWAP WITH new")


def granted(world: World) -> list[tuple[object, ...]]:
    """Who may do what with the table named `t`."""
    found = world.sql(f"{GRANTS}users") + world.sql(f"{GRANTS}roles")
    return sorted(
        (grantee, ", ".join(sorted(words.split(", "))), option) for grantee, name, words, option in found if name == "t"
    )


def inactive(world: World) -> set[str]:
    """Materialized views that are inactive."""
    return {row[0] for row in world.sql("SELECT TABLE_NAME FROM information_schema.materialized_views "
                                        "WHERE IS_ACTIVE = 'false'")}  # fmt: skip


def going(world: World) -> Callable[[], None]:
    """An act for `before`: the cluster goes away and does not come back."""

    def act() -> None:
        world.door.answering = False
        cut()

    return act


def seen_and_replaced(world: World) -> Dependents:
    """Look, then replace."""
    seen = before(world.ports, [T])
    replace(world)
    return seen


def test_a_replaced_table_gets_everything_back(world: World) -> None:
    """Grants of users and roles, the option to grant included; the group; the views, one of which reads the other."""
    had = granted(world)
    notes = after(world.ports, seen_and_replaced(world), {T: T})
    assert notes == (
        "d1.t: granted again to 'alice'@'%', role analysts",
        "putting d1.t back into colocate group 'g': done",
        f"materialized view d0.aa is active again{STALE} `d0`.`aa`",
        f"materialized view d1.zz is active again{STALE} `d1`.`zz`",
    )
    assert granted(world) == had
    assert inactive(world) == set()
    assert '"colocate_with" = "g"' in world.sql("SHOW CREATE TABLE d1.t")[0][1]


def test_what_is_granted_on_all_tables_is_not_granted_by_name(world: World) -> None:
    """It holds for the new table as well: taken back later, it must be gone."""
    after(world.ports, seen_and_replaced(world), {T: T})
    world.sql("REVOKE EXPORT ON ALL TABLES IN ALL DATABASES FROM USER bob")
    assert not [row for row in granted(world) if row[0] == "'bob'@'%'"]


def test_nobody_is_locked_out_if_grants_are_handed_over_under_the_alias(world: World) -> None:
    """They follow the table when it gets its name; what is left for afterwards is not told twice."""
    had, seen = granted(world), before(world.ports, [T])
    assert len(hand_over(world.ports, seen, {T: NEW})) == 2
    replace(world)
    assert granted(world) == had
    with world.counted() as sent:
        notes = after(world.ports, seen, {T: T})
    assert [note.partition(" is ")[0] for note in notes] == ["materialized view d0.aa", "materialized view d1.zz"]
    assert not [sql for sql in sent if sql.startswith("GRANT")]


def test_a_table_without_anything_costs_no_statement_but_the_looks(world: World) -> None:
    """And there is nothing to say."""
    world.sql("REVOKE EXPORT ON ALL TABLES IN ALL DATABASES FROM USER bob")
    for name in ("d0.aa", "d1.zz"):
        world.sql(f"DROP MATERIALIZED VIEW {name}")
    seen = before(world.ports, [NEW])
    with world.counted() as sent:
        assert after(world.ports, seen, {NEW: NEW}) == ()
    assert len(sent) == 1


def test_the_number_of_looks_does_not_depend_on_the_number_of_tables(world: World) -> None:
    for number in range(20):
        world.sql(RANGE_TABLE.format(name=f"d2.t{number}"))
    before(world.ports, [])  # connected from here on
    with world.counted() as sent:
        before(world.ports, [T, NEW, *(TableRef.parse(f"d2.t{number}") for number in range(20))])
    assert len(sent) == 5


def test_a_table_that_was_missing_has_no_grants_to_get_back(world: World) -> None:
    """Grants went with its id (O2§0.8), views became inactive for its sake: nobody wanted them so."""
    world.sql("DROP TABLE d1.t FORCE")
    with world.counted() as sent:
        seen = before(world.ports, [T])
    assert not [sql for sql in sent if "grants" in sql]
    assert hand_over(world.ports, seen, {T: NEW}) == (), "which is said once, in the end"
    world.sql("ALTER TABLE d1.new RENAME t")
    newly, *activated = after(world.ports, seen, {T: T})
    assert newly == "nobody was granted anything by name on d1.t, newly made; what is granted ON ALL TABLES holds"
    assert len(activated) == 2
    assert inactive(world) == set()


def test_after_a_kill_the_old_table_is_looked_at_under_its_new_name(world: World) -> None:
    """It kept its grants; that the views were active is told by why they are not."""
    had = granted(world)
    replace(world)
    after(world.ports, before(world.ports, [NEW]), {NEW: T})
    assert granted(world) == had
    assert inactive(world) == set()


def test_a_view_that_somebody_made_inactive_stays_so_and_is_named(world: World) -> None:
    world.sql("ALTER MATERIALIZED VIEW d1.zz INACTIVE")
    aa, zz = after(world.ports, seen_and_replaced(world), {T: T})[2:]
    assert zz == (
        "materialized view d1.zz was inactive before and stays so (user use alter materialized view set status to "
        "inactive); run ALTER MATERIALIZED VIEW `d1`.`zz` ACTIVE"
    )
    assert aa.startswith("making materialized view d0.aa active again failed (")
    assert "base-mv inactive: zz" in aa
    assert aa.endswith("; run ALTER MATERIALIZED VIEW `d0`.`aa` ACTIVE")


def test_readers_through_a_view_are_known_from_the_dependencies(world: World) -> None:
    """Their queries do not name the table. Also after a kill, when the old table has another name."""
    world.sql("CREATE VIEW d2.v AS SELECT id FROM d1.t")
    world.sql(MATERIALIZED.format("d2.through", "d2.v"))
    after(world.ports, seen_and_replaced(world), {T: T})
    assert inactive(world) == set()
    replace(world)
    after(world.ports, before(world.ports, [NEW]), {NEW: T})
    assert inactive(world) == set()


def test_after_a_kill_the_queries_texts_alone_tell_as_well(world: World) -> None:
    world.always("FROM sys.object_dependencies", refuse(5203, "Access denied"))
    replace(world)
    after(world.ports, before(world.ports, [NEW]), {NEW: T})
    assert inactive(world) == set()


def test_a_view_that_the_server_made_active_itself_is_not_told_of(world: World) -> None:
    """It looks every minute."""
    seen = seen_and_replaced(world)
    world.sql("ALTER MATERIALIZED VIEW d1.zz ACTIVE")
    assert [note.partition(" is ")[0] for note in after(world.ports, seen, {T: T})[2:]] == ["materialized view d0.aa"]


def test_a_view_of_other_tables_is_left_alone(world: World) -> None:
    """Even if it became inactive meanwhile."""
    world.sql(RANGE_TABLE.format(name="d2.far"))
    world.sql(MATERIALIZED.format("d2.mine", "d2.far"))
    seen = seen_and_replaced(world)
    world.sql("DROP TABLE d2.far FORCE")
    assert "mine" not in " ".join(after(world.ports, seen, {T: T}))


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("FROM sys.grants_to_users", "who was granted what on d1.t cannot be read"),
        ("FROM sys.grants_to_roles", "who was granted what on d1.t cannot be read"),
        ("FROM information_schema.materialized_views", "which materialized views read d1.t cannot be read"),
        ("FROM information_schema.tables_config", "the colocate group that d1.t may have had cannot be read"),
    ],
)
@pytest.mark.parametrize("errno", [5203, 5502])
def test_what_cannot_be_read_is_a_note_and_the_rest_is_done(
    world: World, statement: str, note: str, errno: int
) -> None:
    """Denied, or unknown to an older server."""
    world.before(statement, refuse(errno, "Access denied; or whatever it says"))
    seen = before(world.ports, [T])
    assert [one.startswith(f"{note} (") for one in seen.notes] == [True]
    assert f"or whatever it says (error {errno})" in seen.notes[0]
    replace(world)
    notes = after(world.ports, seen, {T: T})
    assert notes[0] == seen.notes[0]
    assert ("d1.t: granted again" in " ".join(notes)) == ("grants" not in statement)
    assert ("colocate group 'g': done" in " ".join(notes)) == ("tables_config" not in statement)
    assert inactive(world) == set()


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("FROM sys.grants_to_roles", "who was granted what on d1.t cannot be read"),
        ("FROM information_schema.materialized_views", "which materialized views read d1.t cannot be read"),
    ],
)
def test_what_cannot_be_read_afterwards_is_a_note_as_well(world: World, statement: str, note: str) -> None:
    seen = seen_and_replaced(world)
    world.before(statement, refuse(1064, "not now"))
    (told,) = [one for one in after(world.ports, seen, {T: T}) if "not now" in one]
    assert told.startswith(note)


def test_a_group_of_which_nothing_is_known_afterwards_is_set_again(world: World) -> None:
    """It may be there already: that changes nothing."""
    seen = seen_and_replaced(world)
    world.before("FROM information_schema.tables_config", refuse(1064, "not now"))
    assert "putting d1.t back into colocate group 'g': done" in after(world.ports, seen, {T: T})


def test_without_the_dependencies_the_queries_texts_tell_who_reads(world: World) -> None:
    world.always("FROM sys.object_dependencies", refuse(5203, "Access denied"))
    after(world.ports, seen_and_replaced(world), {T: T})
    assert inactive(world) == set()


def test_what_cannot_be_put_back_is_a_note_with_the_statement(world: World) -> None:
    """One failure does not keep the others."""
    seen = seen_and_replaced(world)
    world.before("GRANT .*alice", refuse(5203, "Access denied;\n you need the GRANT privilege"))
    world.before("ALTER TABLE d1.t SET", refuse(1064, "Colocate tables must have " + "the same bucket num " * 99))
    world.before("ALTER MATERIALIZED VIEW d1.zz", refuse(1064, "Can not active"))
    world.before("ALTER MATERIALIZED VIEW d0.aa", refuse(1064, "base-mv inactive"))
    again, by_hand, group, *views = after(world.ports, seen, {T: T})
    assert again == "d1.t: granted again to 'alice'@'%', role analysts"
    assert by_hand.startswith("granting INSERT, SELECT on d1.t again to 'alice'@'%' failed (")
    assert "Access denied; you need the GRANT privilege" in by_hand
    assert by_hand.endswith("; run GRANT INSERT, SELECT ON TABLE `d1`.`t` TO USER 'alice'@'%'")
    assert group.endswith('…); run ALTER TABLE `d1`.`t` SET ("colocate_with" = "g")')
    assert len(group) < 700
    assert [view.endswith("ACTIVE") for view in views] == [True, True]


def test_a_cluster_that_goes_away_is_asked_once(world: World) -> None:
    """Waited for once with a repair, and once with the look at the views; the rest is told as not done."""
    seen = seen_and_replaced(world)
    world.before("^GRANT", going(world))
    start = world.clock.now()
    notes = after(world.ports, seen, {T: T})
    assert sum("failed (" in note for note in notes) == 4
    assert "which materialized views read d1.t cannot be read" in notes[-1]
    assert world.times_sent("^GRANT") == 1
    assert world.clock.now() - start < 2.5 * world.place.reconnect_timeout


def test_a_cluster_that_is_gone_before_is_no_note(world: World) -> None:
    """Nothing has been replaced yet: the restore ends here."""
    world.before("FROM information_schema.materialized_views", going(world))
    with pytest.raises(Unreachable):
        before(world.ports, [T])


def test_a_name_that_cannot_be_written_is_told_as_it_is(world: World) -> None:
    """The server would delete the backtick from any statement (R§2.7)."""
    seen = before(world.ports, [T])
    world.sql("ALTER TABLE d1.t RENAME gone")
    bad = next(view for view in seen.views.values() if view.name.name == "zz")
    assert bad.active
    world.frontend.catalog.databases["d1"].tables["zz"].name = "z`z"
    world.sql("ALTER TABLE d1.new RENAME t")
    failed = [note for note in after(world.ports, seen, {T: T}) if "z`z" in note]
    assert failed[-1] == (
        "making materialized view d1.z`z active again failed ('z`z' cannot be written as an identifier)"
    )


def test_a_dropped_table_comes_back_into_the_group_that_its_ddl_tells(world: World) -> None:
    """Its table is gone, and with it all that the server knew of it."""
    world.ready()
    world.backup("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    report = world.restore("d1.t")
    assert "putting d1.t back into colocate group 'g': done" in report.notes
    assert '"colocate_with" = "g"' in world.sql("SHOW CREATE TABLE d1.t")[0][1]
    assert not any("colocate group" in note and "do not come back" in note for note in report.notes)


def test_beside_a_live_table_the_group_is_left_alone(world: World) -> None:
    """A copy to look at has no part in it."""
    world.ready()
    world.backup("d1.t")
    report = world.restore("d1.t", into="d1.copy")
    assert not any("colocate group" in note for note in report.notes)


# --- what people change while a restore works -------------------------------------------------------------------------

REVOKED = "REVOKE SELECT, INSERT ON TABLE d1.t FROM USER alice"


@pytest.fixture
def recorded(world: World) -> World:
    """`d1.t` was backed up, and has changed since."""
    world.ready()
    world.backup("d1.t")
    world.sql("TRUNCATE TABLE d1.t")
    return world


def selecting(world: World) -> set[object]:
    """Who may read the table named `t`."""
    return {who for who, privileges, _ in granted(world) if "SELECT" in str(privileges)}


def test_what_is_granted_and_taken_back_while_the_job_runs_holds(recorded: World) -> None:
    """A RESTORE may take hours."""

    def change() -> None:
        recorded.sql(REVOKED)
        recorded.sql("GRANT SELECT ON TABLE d1.t TO USER bob")

    recorded.in_state("DOWNLOADING", change, kind="RESTORE")
    recorded.restore("d1.t", replace=True)
    assert selecting(recorded) == {"'bob'@'%'", "analysts"}


def test_what_is_taken_back_once_the_new_table_is_seen_is_not_given_again(world: World) -> None:
    """Where its partitions come one job after the other, that may be hours before it is complete."""
    world.ready()
    world.backup("d1.t")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup("d1.t")
    world.sql("TRUNCATE TABLE d1.t")
    world.before("^RESTORE SNAPSHOT", lambda: world.sql(REVOKED), nth=2)
    world.restore("d1.t", replace=True)
    assert world.times_sent("^RESTORE SNAPSHOT") == 2
    assert selecting(world) == {"analysts"}


def test_nothing_is_granted_again_if_it_cannot_be_read_right_before(recorded: World) -> None:
    """Better a note than a right that somebody has lost."""
    recorded.before("FROM sys.grants_to_users", refuse(5203, "Access denied"), nth=2)
    report = recorded.restore("d1.t", replace=True)
    assert any(note.startswith("who was granted what on d1.t cannot be read (") for note in report.notes)
    assert selecting(recorded) == set()


def test_a_view_that_somebody_makes_inactive_while_the_job_runs_stays_so(recorded: World) -> None:
    change = lambda: recorded.sql("ALTER MATERIALIZED VIEW d0.aa INACTIVE")  # noqa: E731
    recorded.in_state("DOWNLOADING", change, kind="RESTORE")
    recorded.restore("d1.t", replace=True)
    assert inactive(recorded) == {"aa"}


# --- what a restore that is taken back leaves -------------------------------------------------------------------------


@pytest.fixture
def holding_two(world: World) -> World:
    """Two snapshots hold parts of `d1.t`, which has changed since: `--replace` needs two jobs, the second in sight."""
    world.ready()
    world.backup("d1.t")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    world.backup("d1.t")
    world.sql("TRUNCATE TABLE d1.t")
    return world


def fail_the_second(world: World) -> None:
    """The server cancels the second RESTORE."""
    failing = fail("[COMMON_ERROR, msg: no]")
    world.before("^RESTORE SNAPSHOT", lambda: world.in_state("DOWNLOADING", failing, kind="RESTORE"), nth=2)


def test_views_of_a_table_that_got_its_name_again_are_active_again(holding_two: World) -> None:
    """The server does that itself in a minute, unless it was told not to."""
    fail_the_second(holding_two)
    with pytest.raises(JobFailed):
        holding_two.restore("d1.t", replace=True)
    assert inactive(holding_two) == set()
    assert [warning.partition(" is ")[0] for warning in holding_two.warnings] == [
        "materialized view d0.aa",
        "materialized view d1.zz",
    ]


def test_that_a_view_of_it_stays_inactive_is_said(holding_two: World) -> None:
    holding_two.always("^ALTER MATERIALIZED VIEW", refuse(5203, "Access denied"))
    fail_the_second(holding_two)
    with pytest.raises(JobFailed):
        holding_two.restore("d1.t", replace=True)
    assert [warning.partition(" active")[0] for warning in holding_two.warnings] == [
        "making materialized view d0.aa",
        "making materialized view d1.zz",
    ]


def test_ctrl_c_does_not_leave_views_inactive(holding_two: World) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    holding_two.before("^RESTORE SNAPSHOT", stop, nth=2)
    with pytest.raises(KeyboardInterrupt):
        holding_two.restore("d1.t", replace=True)
    assert inactive(holding_two) == set()


@pytest.mark.parametrize(("at", "nth", "point"), [("^RESTORE SNAPSHOT", 2, 0), ("SWAP WITH", 1, -1)])
def test_after_a_kill_the_next_command_makes_views_active_again(
    holding_two: World, at: str, nth: int, point: int
) -> None:
    """Whether it takes the restore back or finishes it."""
    holding_two.after(at, kill, nth=nth)
    with pytest.raises(Killed):
        holding_two.restore("d1.t", replace=True, label=holding_two.points("d1.t")[point].label)
    holding_two.ports = holding_two.reconnect()
    holding_two.later(3600)
    assert inactive(holding_two) == {"aa", "zz"}
    reconcile(holding_two.ports, holding_two.place, holding_two.ports.cluster.server())
    assert inactive(holding_two) == set()
    assert holding_two.warnings[-1].startswith("materialized view d1.zz is active again")


def test_an_undo_makes_views_active_again(recorded: World) -> None:
    report = recorded.restore("d1.t", replace=True)
    undo.undo(recorded.ports, recorded.place, report.restore)
    assert recorded.rows("d1.t") == []
    assert inactive(recorded) == set()
    assert recorded.warnings[-1].startswith("materialized view d1.zz is active again")
