"""The Cluster port over a simulated frontend: what services cannot bring about by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.errors import Refused, UnknownTable, UnsupportedServer
from starrocks_br.domain.names import DatabaseName, PartitionName, TableRef
from starrocks_br.domain.ports import Cluster, Rows, SqlExecutor
from starrocks_br.domain.restore_steps import AddPartitions, NewPartition
from starrocks_br.domain.server import JobKind
from tests.support.world import OPS, RANGE_TABLE, REPOSITORY, World, refuse


@pytest.fixture
def world(tmp_path: Path) -> World:
    """After init, with one table."""
    return World(tmp_path).ready("d1.t")


class Altered(SqlExecutor):
    """An executor that answers some statements itself, as a stranger server would."""

    def __init__(self, inner: SqlExecutor, answers: Mapping[str, Rows]) -> None:
        self._inner = inner
        self._answers = answers

    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:
        """Send it on, unless its beginning is one of ours."""
        for beginning, answer in self._answers.items():
            if sql.startswith(beginning):
                return answer
        return self._inner.execute(sql, values)


def altered(world: World, beginning: str, *rows: tuple[object, ...]) -> StarRocksCluster:
    """A cluster that answers one statement otherwise."""
    return StarRocksCluster(Altered(world.executor, {beginning: Rows(columns=("c",), rows=rows)}), OPS)


def test_a_server_that_does_not_tell_the_time_cannot_be_worked_with(world: World) -> None:
    with pytest.raises(UnsupportedServer, match="tell the time"):
        altered(world, "SELECT NOW()", ("soon",)).now()


def test_a_look_at_nothing_asks_for_nothing(world: World) -> None:
    world.ports.cluster.server()
    with world.counted() as sent:
        assert world.ports.cluster.observe([]).tables == {}
    assert sent == ["SELECT NOW()"]


def test_a_look_asks_who_is_in_doubt_and_only_once(world: World) -> None:
    """Two tables were altered, and one of them is not among those that are looked at: which of these was it once?"""
    world.range_table("d1.u")
    tables = [TableRef.parse(name) for name in ("d1.t", "d1.u")]
    world.sql("CREATE TABLE d1.gone LIKE d1.t")
    for table in ("t", "gone"):
        world.sql(f"ALTER TABLE d1.{table} ADD COLUMN z INT DEFAULT '3'")
    world.ports.cluster.server()

    def asked() -> tuple[int, int]:
        with world.counted() as sent:
            world.ports.cluster.observe(tables)
        return len(sent), sum("SHOW PROC" in sql for sql in sent)

    assert asked() == (10, 3), "the database's id, and the indices of two tables"
    assert asked() == (7, 0)
    world.sql("DROP TABLE d1.gone FORCE")
    assert asked() == (7, 0)


def test_where_indices_cannot_be_had_a_change_under_a_lost_name_may_be_anybodys(world: World) -> None:
    table = TableRef.parse("d1.t")
    world.sql("CREATE TABLE d1.gone LIKE d1.t")
    world.sql("ALTER TABLE d1.gone ADD COLUMN z INT DEFAULT '3'")
    world.sql("DROP TABLE d1.gone FORCE")
    (job,) = world.records("SHOW ALTER TABLE COLUMN FROM d1")

    def counts(cluster: Cluster) -> bool:
        return cluster.observe([table]).tables[table].schema_job == int(job["JobId"])

    assert counts(altered(world, "SHOW PROC '/dbs'"))
    world.before("SHOW PROC '/dbs/", refuse(1064, 'unknown table id or name "10013"'))
    assert counts(world.ports.cluster)
    assert not counts(world.ports.cluster)


def test_a_look_finds_out_by_itself_who_is_there(world: World) -> None:
    table = TableRef.parse("d1.t")
    assert set(StarRocksCluster(world.executor, OPS).observe([table]).tables) == {table}
    state = StarRocksCluster(world.executor, OPS).inspect([table])[table]
    assert set(state.partitions) == {"p1", "p2"}


def test_a_table_that_is_gone_is_seen_by_nobody(world: World) -> None:
    gone = TableRef.parse("d1.nope")
    cluster = world.ports.cluster
    assert (cluster.inspect([gone]), cluster.table_ids([gone]), cluster.observe([gone]).tables) == ({}, {}, {})


def test_a_sessions_temporary_table_is_not_taken_for_the_one_that_lives(world: World) -> None:
    """Both are listed under one name (O§p): only then is it asked which are temporary."""
    table = TableRef.parse("d1.t")
    world.ports.cluster.server()
    with world.counted() as sent:
        lives = world.ports.cluster.table_ids([table])
    assert len(sent) == 1
    world.sql(RANGE_TABLE.format(name="d1.t").replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))
    assert world.ports.cluster.table_ids([table]) == lives


def test_a_database_that_is_gone_has_neither_jobs_nor_objects(world: World) -> None:
    gone = DatabaseName("nope")
    assert world.ports.cluster.objects(gone) is None
    assert world.ports.cluster.jobs(JobKind.BACKUP, [gone]) == ()
    assert world.ports.cluster.observe([TableRef(gone, TableRef.parse("d1.t").name)]).tables == {}


def test_another_refusal_about_a_database_is_an_error(world: World) -> None:
    world.before("SHOW FULL TABLES", refuse(5501, "Getting analyzing error. Detail message: Unknown database 'other'."))
    with pytest.raises(Refused):
        world.ports.cluster.objects(DatabaseName("d1"))


def test_a_table_that_cannot_be_read_is_said_so(world: World) -> None:
    world.ports.cluster.server()
    beginning = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ENGINE"
    columns = ("TABLE_SCHEMA", "TABLE_NAME", "TABLE_ENGINE", "TABLE_ID")
    config = Rows(columns=columns, rows=(("d1", "t", "OLAP", None),))
    cluster = StarRocksCluster(Altered(world.executor, {beginning: config}), OPS)
    with pytest.raises(UnsupportedServer, match="cannot be read"):
        cluster.inspect([TableRef.parse("d1.t")])


def test_a_view_is_no_table(world: World) -> None:
    world.sql("CREATE VIEW d1.v AS SELECT * FROM d1.t")
    view = TableRef.parse("d1.v")
    assert view not in world.ports.cluster.tables()
    assert world.ports.cluster.table_ids([view]) == {}
    objects = world.ports.cluster.objects(DatabaseName("d1")) or {}
    assert objects[view.name] == "VIEW"


def test_rows_are_counted(world: World) -> None:
    assert world.ports.cluster.count_rows(TableRef.parse("d1.t")) == 2
    assert altered(world, "SELECT COUNT").count_rows(TableRef.parse("d1.t")) is None


def test_partitions_cannot_be_added_to_a_table_that_is_gone(world: World) -> None:
    step = AddPartitions(table=TableRef.parse("d1.nope"), partitions=(), replication_num=1)
    with pytest.raises(UnknownTable):
        world.ports.cluster.apply(step)


@pytest.mark.parametrize(("own", "sent"), [("HASH(id) BUCKETS 2", "HASH(id)"), ("RANDOM BUCKETS 2", "RANDOM")])
def test_a_partition_is_added_distributed_as_its_table_is(world: World, own: str, sent: str) -> None:
    """What older servers call HASH has no columns if it is RANDOM."""
    world.sql(
        "CREATE TABLE d1.l (id INT, c VARCHAR(9) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(c) "
        f"(PARTITION pa VALUES IN ('a')) DISTRIBUTED BY {own} PROPERTIES ('replication_num' = '1')"
    )
    added = NewPartition(name=PartitionName("pb"), values=(("b",),), buckets=3)
    world.ports.cluster.apply(AddPartitions(table=TableRef.parse("d1.l"), partitions=(added,), replication_num=1))
    assert world.sent[-1].replace("`", "").endswith(f"DISTRIBUTED BY {sent} BUCKETS 3")


def test_without_labels_nothing_is_asked(world: World) -> None:
    with world.counted() as sent:
        assert world.ports.cluster.find_snapshots(REPOSITORY, []) == {}
    assert sent == []


def test_the_layout_of_our_tables_is_looked_at_column_by_column(world: World) -> None:
    assert world.ports.cluster.layout_problem() == ""
    world.sql("DROP TABLE ops.restore_history FORCE")
    assert world.ports.cluster.layout_problem() == "table ops.restore_history does not exist"
