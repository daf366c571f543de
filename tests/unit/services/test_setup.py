"""init: our own tables, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.errors import NotInitialised, RequestError, UnsupportedServer
from starrocks_br.domain.server import Repository
from starrocks_br.services import setup
from tests.support.world import World, refuse


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
