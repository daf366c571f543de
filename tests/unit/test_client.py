"""The client: each method is one use case with the settings of the client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

import starrocks_br
from starrocks_br.adapters.settings_file import load
from starrocks_br.client import Client
from starrocks_br.domain.errors import InvalidName, InvalidSettings
from tests.support.world import World

CONFIG = """
host: localhost
port: 9030
user: root
password: secret
database: ops
tables: [d1.t]
repository: repo
poll_interval: 3
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster with a table, and nothing of ours in it."""
    world = World(tmp_path / "repository")
    world.range_table("d1.t")
    return world


@pytest.fixture
def client(world: World, tmp_path: Path) -> Client:
    """A client of it, on virtual time."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return evolve(starrocks_br.connect(load(path, {})), ports=world.ports)


def test_a_table_goes_all_the_way_through(world: World, client: Client) -> None:
    assert client.init().created
    assert [work.database for work in client.plan_backup().databases] == ["d1"]
    first = client.backup()
    assert first.complete
    world.later()
    assert client.backup(full=True, tables=["d1.*"]).complete
    newest, oldest = client.points("d1.t")
    assert oldest.label == first.databases[0].label
    assert len(client.history(limit=1).outlines) == 1
    assert len(client.history(table="d1.t", everything=True).outlines) == 2
    assert len(client.history(table="d1.*").outlines) == 2
    assert client.restores(table="d1.*").restores == ()
    assert client.history(table="d2.*").outlines == ()
    assert set(client.show(newest.label, "d1.t").chains) == {newest.table}
    assert client.show(newest.label).snapshot.label == newest.label
    at = oldest.snapshot.snapshot_at
    assert at is not None
    report = client.restore(client.plan_restore("d1.t", at=at + timedelta(seconds=1), into="d1.u"), wait=0)
    assert (str(report.table), report.label, report.rows) == ("d1.u", oldest.label, 2)
    label = client.plan_restore("d1.t", label=newest.label, into="d1.w", allow_fuzzy=True)
    assert label.manifest.at == newest.snapshot.snapshot_at
    with pytest.raises(InvalidName):
        client.plan_restore("d1.t", label=newest.label, into="")


@pytest.mark.parametrize("wait", [float("nan"), float("inf"), -1])
def test_nobody_waits_for_ever(client: Client, wait: float) -> None:
    with pytest.raises(InvalidSettings, match="wait: "):
        client.backup(wait=wait)


def test_a_cold_start_goes_through_the_client(world: World, client: Client) -> None:
    client.init()
    client.backup(wait=0)
    lost = World(world.folder, cluster_id=2002)
    lost.clock.advance(world.clock.now() - lost.clock.now() + 60)
    anew = evolve(client, ports=lost.ports)
    assert anew.plan_bootstrap().cluster == "1001"
    assert {str(table) for table in anew.bootstrap().points} == {"d1.t"}
    assert anew.plan_bootstrap(anew.plan_bootstrap().label).others == 0


def test_either_an_instant_or_a_label(client: Client) -> None:
    with pytest.raises(ValueError, match="either"):
        client.plan_restore("d1.t")
    with pytest.raises(ValueError, match="either"):
        client.plan_restore("d1.t", at=datetime(2026, 1, 1, tzinfo=UTC), label="x")


def test_an_instant_without_offset_is_none(client: Client) -> None:
    with pytest.raises(ValueError, match="offset"):
        client.plan_restore("d1.t", at=datetime(2026, 1, 1))  # noqa: DTZ001 -- that is the point


def test_it_hangs_up_when_it_is_left(client: Client) -> None:
    with client as same:
        assert same is client
        assert same.timezone is UTC or str(same.timezone) == "UTC"


def test_another_clusters_history_is_taken_over_and_its_points_are_asked_for(
    world: World, client: Client, tmp_path: Path
) -> None:
    client.init()
    assert client.backup().complete
    wanted = world.rows("d1.t")
    (theirs,) = client.points("d1.t")
    other = World(world.folder, cluster_id=2002)
    other.later(7200)
    other.sql("CREATE REPOSITORY own WITH BROKER ON LOCATION 's3a://bucket/own'")
    other.range_table("d1.t")
    path = tmp_path / "other.yaml"
    path.write_text(CONFIG.replace("repository: repo", "repository: own"))
    test = evolve(starrocks_br.connect(load(path, {})), ports=other.ports)
    test.init()
    assert test.backup().complete
    (ours,) = test.points("d1.t")

    assert test.plan_bootstrap(from_cluster="1001", repository="repo").cluster == "1001"
    assert test.bootstrap(from_cluster="1001", repository="repo").points == {theirs.table: 1}

    assert [one.label for one in test.points("d1.t")] == [ours.label, theirs.label]
    assert [one.label for one in test.points("d1.t", from_cluster="1001")] == [theirs.label]
    at = ours.snapshot.snapshot_at
    assert test.plan_restore("d1.t", at=at, into="d2.t").manifest.cluster == "2002"
    plan = test.plan_restore("d1.t", at=at, into="d2.t", from_cluster="1001")
    assert (plan.manifest.cluster, plan.repository) == ("1001", "repo")
    assert test.restore(plan).rows == 2
    assert other.rows("d2.t") == wanted
