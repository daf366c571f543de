"""Over a live table, beside it, in part: what stands there then, what hangs on it, what the next backup takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.domain.errors import AccessDenied, Refused, VerificationMismatch
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_steps import Reading
from starrocks_br.domain.snapshot import BackupType
from tests.support.kinds import KINDS
from tests.support.modes import LIST_TABLE, MODES, Mode
from tests.support.world import RANGE_TABLE, World, refuse

BY_NAME = {mode.name: mode for mode in MODES}
AT_HOME = [mode for mode in MODES if mode.goals == {"d1.t": "d1.t"}]
REPLACING = [BY_NAME["replace, one holder"], BY_NAME["replace, several holders"]]


# --- over a live table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", REPLACING, ids=lambda mode: mode.name)
def test_the_table_that_was_replaced_stays_under_the_name_that_is_told(mode: Mode, tmp_path: Path) -> None:
    past = mode.prepare(tmp_path)
    report = past.world.restore("d1.t", label=past.label, replace=True)
    assert past.world.tables("d1") == {"t", "other", f"t__before_{report.restore}"}
    assert str(report.aside) == f"d1.t__before_{report.restore}"
    assert past.world.rows(str(report.aside)) == past.lived["d1.t"]


def test_a_sessions_temporary_table_of_its_name_is_not_taken_for_the_table_that_is_replaced(tmp_path: Path) -> None:
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    past.world.sql(RANGE_TABLE.format(name="d1.t").replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))
    report = past.world.restore("d1.t", label=past.label, replace=True)
    past.world.sql("DROP TEMPORARY TABLE d1.t")
    assert past.world.rows("d1.t") == past.wanted["d1.t"]
    assert past.world.rows(str(report.aside)) == past.lived["d1.t"]


@pytest.mark.parametrize("name", ["replace, one holder, drop old", "replace, several holders, drop old"])
def test_it_is_dropped_only_when_that_is_asked_for(name: str, tmp_path: Path) -> None:
    past = BY_NAME[name].prepare(tmp_path)
    report = past.world.restore("d1.t", label=past.label, replace=True, drop_old=True)
    assert past.world.tables("d1") == {"t", "other"}
    assert report.aside is None
    assert past.world.rows("d1.t") == past.wanted["d1.t"]


@pytest.mark.parametrize("mode", REPLACING, ids=lambda mode: mode.name)
def test_what_hangs_on_a_replaced_table_hangs_on_the_restored_one(mode: Mode, tmp_path: Path) -> None:
    past = mode.prepare(tmp_path)
    world = past.world
    for statement in (
        "CREATE USER alice",
        "GRANT SELECT, INSERT ON TABLE d1.t TO USER alice",
        'ALTER TABLE d1.t SET ("colocate_with" = "g")',
        "CREATE MATERIALIZED VIEW d1.mv DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM d1.t",
    ):
        world.sql(statement)
    report = world.restore("d1.t", label=past.label, replace=True)
    granted = world.sql("SELECT OBJECT_NAME, PRIVILEGE_TYPE FROM sys.grants_to_users WHERE GRANTEE = '''alice''@''%'''")
    assert {"SELECT", "INSERT"} <= {
        one.strip() for name, words in granted if name == "t" for one in str(words).split(",")
    }
    assert '"colocate_with" = "g"' in str(world.sql("SHOW CREATE TABLE d1.t")[0][1])
    assert world.sql("SELECT IS_ACTIVE FROM information_schema.materialized_views") == [("true",)]
    assert any("granted again" in note for note in report.notes)
    assert any("materialized view d1.mv is active again" in note for note in report.notes)


@pytest.mark.parametrize("nth", range(1, 5))
def test_who_is_denied_a_look_in_the_middle_gets_the_old_table_back_at_once(nth: int, tmp_path: Path) -> None:
    past = BY_NAME["replace, several holders"].prepare(tmp_path)
    world = past.world
    planned = world.plan_restore("d1.t", label=past.label, replace=True)
    world.before("partitions_meta WHERE", refuse(5203, "Access denied; you need the SELECT privilege(s)"), nth=nth)
    with pytest.raises(AccessDenied):
        world.run_restore(planned)
    assert world.rows("d1.t") == past.lived["d1.t"]
    assert world.ports.restores.unfinished().sound == ()


def test_a_table_that_did_not_change_places_was_seen_by_nobody_and_is_dropped(tmp_path: Path) -> None:
    past = BY_NAME["replace, one holder"].prepare(tmp_path)
    past.world.before("SWAP WITH", refuse(1064, "Table[t]'s state is not NORMAL"))
    with pytest.raises(Refused, match="state is not NORMAL") as refusal:
        past.world.restore("d1.t", label=past.label, replace=True)
    assert "was dropped" in refusal.value.hint
    assert past.world.tables("d1") == {"t", "other"}
    assert past.world.rows("d1.t") == past.lived["d1.t"]


# --- the next backup --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", AT_HOME, ids=lambda mode: mode.name)
def test_the_next_backup_takes_exactly_what_changed_since(mode: Mode, tmp_path: Path) -> None:
    past = mode.prepare(tmp_path)
    mode.act(past)
    world = past.world
    listed = "LIST" in mode.name
    world.sql("INSERT INTO d1.t VALUES " + ("(50, 'c', 5)" if listed else "(50, '2024-01-02', 5)"))
    wanted = world.rows("d1.t")
    world.later()
    report = world.backup("d1.t")
    assert [table.type for table in report.databases[0].tables] == [BackupType.INCREMENTAL]
    (entry,) = world.ports.backups.entries([report.databases[0].label or pytest.fail("no label")]).entries
    assert set(entry.captured) == ({"pc"} if listed else {"p2"})
    world.restore("d1.t", into="d1.proof")
    assert world.rows("d1.proof") == wanted


# --- copied together --------------------------------------------------------------------------------------------------


def grown(world: World) -> dict[str, list[tuple[object, ...]]]:
    """A table of which several snapshots hold partitions that grew; its rows by the label of the night."""
    kind = KINDS["grown buckets"]
    world.sql("CREATE DATABASE d1")
    world.sql(f"CREATE TABLE d1.t {kind.create}")
    known = {}
    for statements in kind.nights:
        for statement in statements:
            world.sql(statement.format(t="d1.t", d="d1"))
        world.later()
        assert world.backup("d1.t").complete
        known[str(world.points("d1.t")[0].label)] = world.rows("d1.t")
    return known


def test_partitions_that_grew_in_several_snapshots_come_back_under_the_tables_own_name(world: World) -> None:
    known = grown(world.ready())
    world.sql("TRUNCATE TABLE d1.t")
    label, rows = list(known.items())[-1]
    plan = world.plan_restore("d1.t", label=label, replace=True)
    if plan.way is Way.COPY:
        assert len(plan.jobs) > 1
    world.run_restore(plan)
    assert world.rows("d1.t") == rows
    world.sql("INSERT INTO d1.t SELECT * FROM d1.t")
    assert len(world.rows("d1.t")) == 2 * len(rows)


def test_what_was_not_read_over_entirely_is_never_shown(twice: World) -> None:
    twice.after("^INSERT INTO d1.__br_", lambda: empty(twice))
    with pytest.raises(VerificationMismatch, match="not what was backed up") as refusal:
        twice.restore("d1.t", into="d1.copy")
    assert "were to be read over; there are" in refusal.value.differences[0]
    assert twice.tables("d1") == {"t"}


def empty(world: World) -> None:
    """Somebody meddles with the hidden table."""
    for name in world.tables("d1"):
        if name.startswith("__br_") and not name.endswith("_1"):
            world.sql(f"TRUNCATE TABLE d1.{name}")


def test_rows_that_the_server_refuses_to_copy_are_its_words_and_nothing_is_left(twice: World) -> None:
    twice.before("^INSERT INTO d1.__br_", refuse(1064, "too many versions"))
    with pytest.raises(Exception, match="too many versions"):
        twice.restore("d1.t", into="d1.copy")
    assert twice.tables("d1") == {"t"}
    assert not twice.ports.restores.unfinished().sound


# --- in part ----------------------------------------------------------------------------------------------------------


def test_chosen_partitions_come_back_beside_the_table(twice: World) -> None:
    report = twice.restore("d1.t", into="d1.part", partitions=frozenset({"p1"}))
    assert (report.jobs, report.partitions, report.rows) == (1, 1, 1)
    assert [row[0] for row in twice.rows("d1.part")] == [1]
    assert [row["PartitionName"] for row in twice.records("SHOW PARTITIONS FROM d1.part")] == ["p1"]
    assert len(twice.rows("d1.t")) == 3


def test_chosen_partitions_of_several_holders_and_of_a_list(world: World) -> None:
    world.ready().sql("CREATE DATABASE d1")
    world.sql(LIST_TABLE.format(name="d1.t"))
    world.sql("INSERT INTO d1.t VALUES (1, 'a', 1), (2, 'c', 2)")
    world.backup()
    world.sql("INSERT INTO d1.t VALUES (3, 'c', 3)")
    world.backup()
    world.restore("d1.t", into="drill.t", partitions=frozenset({"pa", "pc"}))
    assert [row[0] for row in world.rows("drill.t")] == [1, 2, 3]


# --- how it is read ---------------------------------------------------------------------------------------------------


def test_without_reading_no_row_is_counted(twice: World) -> None:
    report = twice.restore("d1.t", into="drill.t", reading=Reading.NONE)
    assert report.rows is None
    assert twice.times_sent("^SELECT COUNT") == 0


def test_each_partition_is_counted_where_that_is_wanted(twice: World) -> None:
    assert twice.restore("d1.t", into="drill.t", reading=Reading.PARTITIONS).rows == 3
    assert twice.times_sent("^SELECT COUNT") == 2


# --- looks that find something else -----------------------------------------------------------------------------------


def test_ghost_words_at_a_table_that_was_there_before_drop_nothing(two: World) -> None:
    """They come from somewhere else: what was just made was looked at already."""
    two.before("partitions_meta WHERE", refuse(1064, "dataProperty is null for Range"), nth=3)
    with pytest.raises(Refused, match="Range"):
        two.restore("d1.t")
    assert two.times_sent("^DROP TABLE") == 0


def test_a_stranger_under_the_hidden_name_is_not_dropped_for_a_ghost(one: World) -> None:
    def swap() -> None:
        (alias,) = one.tables("d1")
        one.sql(f"DROP TABLE d1.{alias} FORCE")
        one.range_table(f"d1.{alias}")
        refuse(1064, "dataProperty is null for Range")()

    one.before("partitions_meta WHERE", swap)
    with pytest.raises(Refused, match="Range"):
        one.restore("d1.t")
    assert len(one.tables("d1")) == 1


def test_a_table_that_goes_right_after_its_job_is_missed(one: World) -> None:
    def drop() -> None:
        (job,) = one.records("SHOW RESTORE FROM d1") or [{"State": ""}]
        for name in one.tables("d1") if job["State"] == "FINISHED" else ():
            one.sql(f"DROP TABLE d1.{name} FORCE")

    one.always("tables_config", drop)
    with pytest.raises(VerificationMismatch, match="is not the table that this restore made"):
        one.restore("d1.t")
    assert one.tables("d1") == set()


def test_a_look_that_is_refused_before_users_are_let_in_takes_it_back(two: World) -> None:
    two.before("partitions_meta WHERE", refuse(1064, "rpc failed"), nth=2)
    with pytest.raises(Refused, match="rpc failed") as refusal:
        two.restore("d1.t")
    assert "was dropped" in refusal.value.hint
    assert (two.tables("d1"), two.ports.restores.unfinished().sound) == (set(), ())


def test_a_table_that_goes_while_it_is_mended_is_said_to_be_gone(world: World) -> None:
    world.ready("d1.t")
    world.load_unseen("d1.t", "(9, '2024-01-01', 9)")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.after("^ADMIN SET TABLE", lambda: world.sql(f"DROP TABLE d1.{min(world.tables('d1'))} FORCE"))
    with pytest.raises(VerificationMismatch, match="is gone"):
        world.restore("d1.t")
    assert world.tables("d1") == set()


def test_what_somebody_switches_on_again_meanwhile_is_switched_off_and_told_once(world: World) -> None:
    world.ready().sql("CREATE DATABASE d1")
    world.sql(
        "CREATE TABLE d1.t (id INT NOT NULL, dt DATE NOT NULL) DUPLICATE KEY(id) "
        "PARTITION BY date_trunc('day', dt) DISTRIBUTED BY HASH(id) BUCKETS 1 "
        "PROPERTIES('replication_num'='1', 'partition_live_number'='30')"
    )
    world.sql("INSERT INTO d1.t VALUES (1, '2024-01-01'), (2, '2024-01-02')")
    world.backup()
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02')")
    world.backup()
    world.sql("DROP TABLE d1.t FORCE")
    world.after("RENAME t$", lambda: world.sql('ALTER TABLE d1.t SET ("partition_live_number" = "30")'))
    report = world.restore("d1.t")
    assert len([note for note in report.notes if "partition_live_number" in note]) == 1
    assert world.times_sent("partition_live_number. = .-1") == 2
