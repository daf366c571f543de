"""The SQL that is sent, in the words of the reference."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.adapters.starrocks import statements
from starrocks_br.domain.backup_plan import DatabaseBackup, Reason, TableBackup
from starrocks_br.domain.errors import InvalidName, UnsupportedServer
from starrocks_br.domain.names import (
    DatabaseName,
    Label,
    PartitionName,
    RepositoryName,
    TableName,
    TableRef,
    table_name,
)
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    NewPartition,
    PauseTtl,
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.domain.server import JobKind
from starrocks_br.domain.snapshot import BackupType
from starrocks_simulator.lexer import Token, split

T = TableRef.parse("db.t")
REPO = RepositoryName("repo")
P1, P2 = PartitionName("p1"), PartitionName("p 2")
names = st.text(min_size=1, max_size=40).filter(lambda text: not set(text) & {"`"} and text.isprintable())


@given(names)
def test_what_is_quoted_is_one_name_to_the_server_and_reads_back(name: str) -> None:
    ((_, lexemes),) = split(statements.quote(name))
    assert [lexeme.kind for lexeme in lexemes] == [Token.QUOTED, Token.END]
    assert lexemes[0].value == name == statements.unquote(statements.quote(name))


@pytest.mark.parametrize("name", ["", "a`b", "a\nb", "a\0b", "\x7f"])
def test_what_cannot_be_quoted_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        statements.quote(name)


@given(st.text(max_size=40))
def test_a_literal_is_one_text_to_the_server_whatever_it_holds(text: str) -> None:
    ((_, lexemes),) = split(f"SELECT {statements.literal(text)}")
    assert [lexeme.kind for lexeme in lexemes[1:]] == [Token.STRING, Token.END]
    assert lexemes[1].value == text


@given(names, names)
def test_a_checked_name_can_always_be_quoted(database: str, name: str) -> None:
    ref = TableRef(DatabaseName(database), TableName(name))
    ((_, lexemes),) = split(statements.table(ref))
    assert [lexeme.value for lexeme in lexemes[:3]] == [database, ".", name]


def part(name: str, *partitions: PartitionName, automatic: bool = False, whole: bool = False) -> TableBackup:
    """One table of a job."""
    return TableBackup(
        table=TableRef(DatabaseName("db"), table_name(name)),
        type=BackupType.FULL if whole else BackupType.INCREMENTAL,
        reason=Reason.FIRST,
        partitions=None if whole else dict.fromkeys(partitions, Reason.NEW),
        automatic=automatic,
    )


def test_backup_names_whole_tables_bare_and_partitions_with_the_shadow() -> None:
    work = DatabaseBackup(
        database=DatabaseName("db"),
        tables=(part("a", whole=True, automatic=True), part("b", P1, P2), part("c", P1, automatic=True), part("d")),
    )
    assert statements.backup(Label("l1"), REPO, work, 600).sql == (
        "BACKUP SNAPSHOT `db`.`l1` TO `repo` ON (`a`, `b` PARTITION (`p1`, `p 2`), "
        '`c` PARTITION (`p1`, `$shadow_automatic_partition`)) PROPERTIES ("timeout" = "600")'
    )


def test_a_whole_table_alone() -> None:
    assert statements.backup_whole(Label("l1"), REPO, T, 600).sql == (
        'BACKUP SNAPSHOT `db`.`l1` TO `repo` ON (`t`) PROPERTIES ("timeout" = "600")'
    )


def restoring(
    into: TableRef, *, partitions: tuple[PartitionName, ...] | None, automatic: bool = False, label: str = "l1"
) -> RestorePartitions:
    """A RESTORE job."""
    return RestorePartitions(
        label=Label(label),
        backup_timestamp="2026-11-22-10-04-32-599",
        source=TableName("t"),
        into=into,
        creating=into != T,
        partitions=partitions,
        automatic=automatic,
        replication_num=2,
    )


MADE = TableRef.parse("db.__br_x")
TAIL = ' PROPERTIES ("backup_timestamp" = "2026-11-22-10-04-32-599", "replication_num" = "2", "timeout" = "600")'


@pytest.mark.parametrize(
    ("together", "what"),
    [
        ([restoring(MADE, partitions=None, automatic=True)], "`t` AS `__br_x`"),
        (
            [restoring(MADE, partitions=(P1,), automatic=True)],
            "`t` PARTITION (`p1`, `$shadow_automatic_partition`) AS `__br_x`",
        ),
        ([restoring(T, partitions=(P1, P2), automatic=True)], "`t` PARTITION (`p1`, `p 2`)"),
        (
            [restoring(MADE, partitions=None), evolve(restoring(MADE, partitions=(P1,)), source=TableName("u"))],
            "`t` AS `__br_x`, `u` PARTITION (`p1`) AS `__br_x`",
        ),
    ],
)
def test_restore_names_each_table_with_its_partitions_and_its_new_name(
    together: list[RestorePartitions], what: str
) -> None:
    assert statements.restore(together, REPO, 600).sql == (f"RESTORE SNAPSHOT `db`.`l1` FROM `repo` ON ({what})" + TAIL)


def test_restore_takes_one_snapshot_at_a_time() -> None:
    with pytest.raises(ValueError, match="unpack"):
        statements.restore([restoring(MADE, partitions=None), restoring(MADE, partitions=None, label="l2")], REPO, 600)


def test_partitions_are_read_over_by_name_unless_the_table_makes_them_itself() -> None:
    step = CopyPartitions(scratch=TableRef.parse("db.__br_x_1"), table=MADE, partitions=(P1, P2))
    tail = "WITH LABEL `__br_x_1` (`a`, `b c`) SELECT `a`, `b c` FROM `db`.`__br_x_1` PARTITION (`p1`, `p 2`)"
    assert statements.copy(step, ["a", "b c"]).sql == f"INSERT INTO `db`.`__br_x` PARTITION (`p1`, `p 2`) {tail}"
    automatic = evolve(step, automatic=True)
    assert statements.copy(automatic, ["a", "b c"]).sql == f"INSERT INTO `db`.`__br_x` {tail}"


STEPS: list[tuple[Step, tuple[str, ...]]] = [
    (CreateDatabase(database=DatabaseName("d")), ("CREATE DATABASE `d`",)),
    (DropDatabase(database=DatabaseName("d")), ("DROP DATABASE `d`",)),
    (
        PauseTtl(table=T, properties={"partition_live_number": "-1", "dynamic_partition.enable": "false"}),
        (
            'ALTER TABLE `db`.`t` SET ("dynamic_partition.enable" = "false")',
            'ALTER TABLE `db`.`t` SET ("partition_live_number" = "-1")',
        ),
    ),
    (Rename(table=T, to=TableName("u")), ("ALTER TABLE `db`.`t` RENAME `u`",)),
    (RepairHole(table=T, partition=P2, version=5), ("ADMIN SET TABLE `db`.`t` PARTITION (`p 2`) VERSION TO 5",)),
    (SetAside(table=T, to=TableName("u"), table_id=7), ("ALTER TABLE `db`.`t` RENAME `u`",)),
    (Swap(table=T, restored=TableName("u"), table_id=7), ("ALTER TABLE `db`.`t` SWAP WITH `u`",)),
    (DropTable(table=T), ("DROP TABLE `db`.`t` FORCE",)),
    (restoring(T, partitions=None), ()),
    (CopyPartitions(scratch=T, table=MADE, partitions=(P1,)), ()),
    (CheckRestored(table=T, created=True), ()),
    (Verify(table=T, source=T, point=Label("l1")), ()),
    (AddPartitions(table=T, partitions=(), replication_num=1), ()),
]


@pytest.mark.parametrize(("step", "wanted"), STEPS, ids=lambda value: type(value).__name__)
def test_each_step_of_a_restore_has_its_statements(step: Step, wanted: tuple[str, ...]) -> None:
    assert tuple(statement.sql for statement in statements.for_step(step)) == wanted


def test_a_list_partition_is_made_exactly_as_it_was_recorded() -> None:
    one = NewPartition(name=P1, values=(("a",), ("it's",)), buckets=3)
    assert statements.add_partition(T, one, 2, "HASH(`id`)").sql == (
        "ALTER TABLE `db`.`t` ADD PARTITION `p1` VALUES IN ('a', 'it\\'s') "
        '("replication_num" = "2") DISTRIBUTED BY HASH(`id`) BUCKETS 3'
    )
    pairs = NewPartition(name=P1, values=(("a", "b"), ("c", "d")), buckets=1)
    assert "VALUES IN (('a', 'b'), ('c', 'd'))" in statements.add_partition(T, pairs, 1, "RANDOM").sql


def test_a_range_partition_is_made_between_the_bounds_that_were_recorded() -> None:
    one = NewPartition(name=P1, values=(("1", "it's"), ("9", "MAXVALUE")), buckets=0, ranged=True)
    assert statements.add_partition(T, one, 1, "RANDOM").sql == (
        "ALTER TABLE `db`.`t` ADD PARTITION `p1` VALUES [('1', 'it\\'s'), ('9', MAXVALUE)) "
        '("replication_num" = "1")'
    )


def test_jobs_are_asked_for_by_database() -> None:
    assert statements.show_jobs(JobKind.RESTORE, "db").sql == "SHOW RESTORE FROM `db`"
    assert statements.cancel_backup(DatabaseName("db")).sql == "CANCEL BACKUP FROM `db`"


def test_snapshots_are_asked_for_by_label() -> None:
    assert statements.find_snapshots(REPO, [Label("b"), Label("a")]).sql == (
        "SHOW SNAPSHOT ON `repo` WHERE SNAPSHOT IN ('a', 'b')"
    )
    assert statements.read_snapshot(REPO, "a", "2026").sql == (
        "SHOW SNAPSHOT ON `repo` WHERE SNAPSHOT = 'a' AND TIMESTAMP = '2026'"
    )
    assert statements.list_snapshots(REPO).sql == "SHOW SNAPSHOT ON `repo`"


def test_names_travel_as_values_where_they_are_compared() -> None:
    statement = statements.columns_of(["b'b", "a"])
    assert "b'b" not in statement.sql
    assert statement.values == {"d0": "a", "d1": "b'b"}


@pytest.mark.parametrize(("version", "asked"), [((3, 1, 17), False), ((3, 2, 0), True), ((3, 5, 7), True)])
def test_optimize_jobs_are_asked_for_only_where_the_server_has_them(version: tuple[int, int, int], asked: bool) -> None:
    """Before 3.2 the statement is a syntax error, which would end every backup."""
    assert ("OPTIMIZE" in statements.kinds_of_schema_jobs(version)) is asked


@pytest.mark.parametrize(("version", "told"), [((3, 3, 9), False), ((3, 4, 0), True), ((4, 0, 0), True)])
def test_sizes_are_asked_for_only_where_the_server_knows_them(version: tuple[int, int, int], told: bool) -> None:
    assert ("STORAGE_SIZE" in statements.partitions_of(["db"], version).sql) is told
    assert ("STORAGE_SIZE" in statements.partitions_of_tables([T], version).sql) is told


def test_our_tables_have_short_keys_and_are_made_only_where_missing() -> None:
    database, history, journal = (one.sql for one in statements.create_ops(DatabaseName("ops"), 3))
    assert database == "CREATE DATABASE IF NOT EXISTS `ops`"
    assert "IF NOT EXISTS `ops`.`backup_history`" in history
    assert "PRIMARY KEY (`label`, `seq`)" in history
    assert "PRIMARY KEY (`restore_id`, `step`)" in journal
    assert all('"replication_num" = "3"' in sql for sql in (history, journal))


def test_a_ddl_that_does_not_begin_as_it_should_is_not_sent() -> None:
    step = CreateTable(table=MADE, ddl="CREATE VIEW `v` AS SELECT 1", replication_num=1, wanted=())
    with pytest.raises(UnsupportedServer, match="cannot be made from what was recorded"):
        statements.for_step(step)
