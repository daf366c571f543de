"""init: our own tables, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.errors import NotInitialised, RequestError, UnsupportedServer
from starrocks_br.domain.server import Repository
from starrocks_br.services import setup
from starrocks_simulator.catalog import Table
from tests.support.world import Killed, World, kill, refuse


def replicas(world: World) -> set[str]:
    """Of our own tables."""
    return {
        str(row[0])
        for row in world.sql("SELECT REPLICATION_NUM FROM information_schema.partitions_meta WHERE DB_NAME = 'ops'")
    }


def test_it_creates_both_tables_once(world: World) -> None:
    report = setup.init(world.ports, world.place)
    assert (report.created, report.replication_num) == (True, 1)
    assert world.tables("ops") == {"backup_history", "restore_history"}
    assert not setup.init(world.ports, world.place).created


@pytest.mark.parametrize(("backends", "wish", "got"), [(5, None, 3), (2, None, 2), (5, 1, 1), (2, 3, 2)])
def test_the_replicas_are_as_many_as_can_be(tmp_path: Path, backends: int, wish: int | None, got: int) -> None:
    world = World(tmp_path, backends=backends)
    assert setup.init(world.ports, evolve(world.place, replication_num=wish)).replication_num == got
    assert replicas(world) == {str(got)}


def test_without_the_repository_nothing_is_created(world: World) -> None:
    world.sql("DROP REPOSITORY repo")
    world.sql("CREATE REPOSITORY other WITH BROKER ON LOCATION 's3a://bucket/other'")
    with pytest.raises(RequestError) as refusal:
        setup.init(world.ports, world.place)
    assert "other" in refusal.value.why
    assert ("ops",) not in world.sql("SHOW DATABASES")


def test_a_stranger_of_our_tables_name_is_left_alone(world: World) -> None:
    world.sql("CREATE DATABASE ops")
    world.sql(
        "CREATE TABLE ops.backup_history (id INT NOT NULL) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
        "PROPERTIES('replication_num'='1')"
    )
    with pytest.raises(NotInitialised) as refusal:
        setup.init(world.ports, world.place)
    assert "it lacks backup_timestamp" in refusal.value.why


class Troubled(StarRocksCluster):
    """A cluster whose last ping of the repository failed, which takes a simulated one years."""

    def repositories(self) -> tuple[Repository, ...]:
        """As the server tells of them, with an error."""
        return tuple(evolve(repository, error="connection refused") for repository in super().repositories())


def test_a_repository_in_trouble_is_said(world: World) -> None:
    ports = evolve(world.ports, cluster=Troubled(world.executor, world.place.ops))
    setup.init(ports, world.place)
    assert world.warnings == ["repository repo had an error lately: connection refused"]


def test_shared_storage_is_refused(world: World) -> None:
    world.frontend.config["run_mode"] = "shared_data"
    with pytest.raises(UnsupportedServer, match="shared storage"):
        setup.init(world.ports, world.place)


def test_without_operate_it_says_what_to_grant(world: World) -> None:
    words = (
        "Access denied; you need (at least one of) the OPERATE OR NODE privilege(s) on SYSTEM for this operation. "
        "Please ask the admin to grant permission(s)"
    )
    world.before("SHOW FRONTENDS", refuse(5203, words))
    with pytest.raises(Exception, match="denied") as refusal:
        setup.init(world.ports, world.place)
    assert "GRANT OPERATE ON SYSTEM" in str(getattr(refusal.value, "hint", ""))


def make_older(world: World) -> None:
    """Our own tables as an earlier version made them, with a backup in them."""
    world.ready("d1.t").backup()
    world.sql("ALTER TABLE ops.backup_history DROP COLUMN schema_ddl")
    world.later()


def test_a_table_of_an_older_version_gets_the_columns_that_it_lacks(world: World) -> None:
    """Its rows stay; until then other commands ask for init."""
    make_older(world)
    with pytest.raises(NotInitialised) as refusal:
        world.backup()
    assert "starrocks-br init" in refusal.value.hint
    assert "backup_history is of an older version: it lacks schema_ddl" in refusal.value.why
    points = world.sql("SELECT label FROM ops.backup_history ORDER BY label, seq")

    assert setup.init(world.ports, world.place).created
    assert not setup.init(world.ports, world.place).created

    assert world.sql("SELECT label FROM ops.backup_history ORDER BY label, seq") == points
    wanted = world.rows("d1.t")
    world.sql("INSERT INTO d1.t VALUES (3, '2024-01-02', 30)")
    assert world.backup().complete
    world.sql("DROP TABLE d1.t FORCE")
    world.restore("d1.t", label=world.points("d1.t")[1].label)
    assert world.rows("d1.t") == wanted


SLOW = "SHOW ALTER TABLE COLUMN FROM ops"


def slow_change(world: World) -> None:
    """Our own history becomes a table whose columns come by a job, as all do before 3.3."""
    table = world.frontend.catalog.databases["ops"].tables["backup_history"]
    assert isinstance(table, Table)
    table.properties.pop("fast_schema_evolution")


def test_columns_that_come_later_are_waited_for(world: World) -> None:
    """And a second init, while the first one's schema change runs, sends none of its own."""
    make_older(world)
    slow_change(world)
    world.after("ALTER TABLE ops.backup_history ADD COLUMN", kill)
    with pytest.raises(Killed):
        setup.init(world.ports, world.place)
    world.ports = world.reconnect()
    assert {row["State"] for row in world.records(SLOW)} - {"FINISHED"}

    assert setup.init(world.ports, world.place).created

    assert world.ports.cluster.layout_problem() == ""
    assert world.times_sent("ALTER TABLE ops.backup_history ADD COLUMN") == 1


def test_columns_that_never_come_are_told(world: World) -> None:
    """Waiting has an end, and the message names where to look."""
    make_older(world)
    answered = Forgetful(world.executor, world.place.ops)
    began = world.clock.now()
    with pytest.raises(NotInitialised) as refusal:
        setup.init(evolve(world.ports, cluster=answered), world.place)
    assert "SHOW ALTER TABLE COLUMN FROM ops" in refusal.value.hint
    assert 120 <= world.clock.now() - began < 180


class Forgetful(StarRocksCluster):
    """A cluster on which a schema change never ends."""

    def layout_problem(self) -> str:
        """As if nothing had come."""
        return "table ops.backup_history is of an older version: it lacks schema_ddl"
