"""Two clusters: the history of one, taken over by another that has its own."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest
from attrs import evolve

from starrocks_br.domain.errors import NoPoint, RequestError, TargetExists
from starrocks_br.domain.names import ClusterId, RepositoryName, TableRef
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.snapshot import BackupType
from starrocks_br.services import bootstrap, history, restore_planning
from starrocks_br.services.reports import BootstrapReport
from tests.support.world import Killed, World, kill

PROD, TEST = ClusterId("1001"), ClusterId("2002")
THEIRS, OURS, COPY = (RepositoryName(name) for name in ("repo", "ours", "copied"))
TABLE = TableRef.parse("d1.t")


@pytest.fixture
def prod(twice: World) -> World:
    """A cluster with two points of d1.t."""
    return twice


@pytest.fixture
def test(prod: World) -> World:
    """Another one, of three backends, with a table of the same name and a repository of its own."""
    world = World(prod.folder, cluster_id=int(TEST), backends=3)
    world.clock.advance(prod.clock.now() - world.clock.now())
    world.sql(f"DROP REPOSITORY {THEIRS}")
    world.sql(f"CREATE READ ONLY REPOSITORY {THEIRS} WITH BROKER ON LOCATION 's3a://bucket/backups'")
    world.sql(f"CREATE REPOSITORY {OURS} WITH BROKER ON LOCATION 's3a://bucket/ours'")
    world.place = evolve(world.place, repository=OURS)
    world.ready("d1.t")
    world.sql("INSERT INTO d1.t VALUES (7, '2024-01-01', 70)")
    world.backup()
    return world


def take_over(world: World, cluster: ClusterId | None = PROD, source: RepositoryName = THEIRS) -> BootstrapReport:
    """What `bootstrap --from-cluster --repository` does."""
    world.later()
    place = evolve(world.place, repository=source)
    return bootstrap.run(world.ports, place, bootstrap.plan(world.ports, place, from_cluster=cluster))


def planned(world: World, into: str, cluster: ClusterId | None = None, at: datetime | None = None) -> RestorePlan:
    """A restore of d1.t under another name, to the newest point."""
    (newest, *_) = history.points(world.ports, world.place, TABLE, cluster)
    request = world.restore_request("d1.t", at or newest.snapshot.snapshot_at, into=into)
    return restore_planning.plan_one(world.ports, evolve(request, from_cluster=cluster))


def give_back(world: World, plan: RestorePlan) -> None:
    """Do it."""
    assert world.run_restore(plan).rows


def test_both_histories_lie_side_by_side(prod: World, test: World) -> None:
    """What was recorded here stays, and what is taken over again is nothing."""
    before, wanted = test.statuses(), test.rows("d1.t")
    report = take_over(test)
    assert {str(table): points for table, points in report.points.items()} == {"d1.t": 2}
    assert test.statuses() == before | prod.statuses()
    assert take_over(test).rows == 0
    assert test.rows("d1.t") == wanted


def test_the_other_clusters_table_comes_from_its_own_repository(prod: World, test: World) -> None:
    """Which is not the one that we back up into; reading it is enough."""
    take_over(test)
    points = history.points(test.ports, test.place, TABLE, PROD)
    assert [point.label for point in points] == [point.label for point in prod.points("d1.t")]
    plan = planned(test, "side.t", PROD)
    assert plan.repository == THEIRS
    assert plan.notes[0] == f"the point was recorded by cluster {PROD}, not by this one ({TEST})"
    give_back(test, plan)
    assert test.rows("side.t") == prod.rows("d1.t")
    assert test.records("SHOW RESTORE FROM side")[0]["ReplicationNum"] == "1"


def test_our_own_points_are_meant_unless_the_other_cluster_is_named(prod: World, test: World) -> None:
    """Whatever the other one did since."""
    own = test.points("d1.t")
    prod.later(600)
    prod.sql("INSERT INTO d1.t VALUES (4, '2024-01-02', 40)")
    prod.backup()
    theirs = prod.points("d1.t")
    test.later(prod.clock.now() - test.clock.now())
    take_over(test)

    assert test.points("d1.t") == (*own, *theirs[1:])
    newest = theirs[0].snapshot.snapshot_at
    ours = planned(test, "side.t", at=newest)
    assert ours.manifest.cluster == TEST
    assert not any("cluster" in note for note in ours.notes)
    assert planned(test, "side.t", PROD, at=newest).manifest.cluster == PROD
    by_label = test.plan_restore("d1.t", label=theirs[0].label, into="side.t")
    assert by_label.manifest.cluster == PROD


def test_before_our_first_point_the_only_other_cluster_is_our_past(prod: World, test: World) -> None:
    """As after a disaster: what `list` shows can be pasted back without a word about clusters."""
    take_over(test)
    for point in prod.points("d1.t"):
        assert point.snapshot.snapshot_at is not None
        plan = planned(test, "side.t", at=point.snapshot.snapshot_at)
        assert list(plan.manifest.contents)[-1] == point.label


def test_backups_go_on_as_before(prod: World, test: World) -> None:
    """Another cluster's rows are nobody's baseline here, and ours are saved for a cold start of our own."""
    take_over(test)
    test.sql("INSERT INTO d1.t VALUES (8, '2024-01-01', 80)")
    report = test.backup()
    assert report.complete
    (table,) = report.databases[0].tables
    assert (table.type, table.captured) == (BackupType.INCREMENTAL, 1)
    assert report.metadata is not None
    assert report.metadata.label is not None
    assert report.metadata.label.startswith(f"br_meta_{TEST}_")
    assert prod.backup().complete


def test_a_killed_taking_over_is_taken_back_and_can_be_done_again(prod: World, test: World) -> None:
    before = test.statuses()
    test.before("INSERT INTO ops.backup_history", kill, nth=1)
    with pytest.raises(Killed):
        take_over(test)
    test.ports = test.reconnect()
    assert test.statuses() == before
    test.later(120)
    assert take_over(test).rows > 0
    assert test.tables("ops") == {"backup_history", "restore_history"}
    assert test.statuses() == before | prod.statuses()


def test_a_cluster_that_the_repository_does_not_know_is_refused(test: World) -> None:
    with pytest.raises(RequestError, match="no history of cluster 9") as refusal:
        take_over(test, ClusterId("9"))
    assert "of cluster 1001" in refusal.value.why


def test_a_cluster_of_which_nothing_was_taken_over_is_refused(test: World) -> None:
    with pytest.raises(RequestError) as refusal:
        planned(test, "side.t", PROD)
    assert "starrocks-br bootstrap --from-cluster 1001" in refusal.value.hint


def test_a_live_table_is_safe_from_the_other_clusters_one(test: World) -> None:
    take_over(test)
    wanted = test.rows("d1.t")
    with pytest.raises(TargetExists):
        planned(test, "d1.t", PROD)
    assert test.rows("d1.t") == wanted


def test_before_the_first_point_of_all_there_is_none(test: World) -> None:
    take_over(test)
    with pytest.raises(NoPoint):
        planned(test, "side.t", at=datetime.fromisoformat("2001-01-01T00:00:00+00:00"))


def copied(world: World) -> None:
    """The same objects in the folder of a repository of another name: the server makes the name a part of the path."""
    (folder,) = world.folder.rglob(f"__starrocks_repository_{THEIRS}")
    shutil.copytree(folder, folder.with_name(f"__starrocks_repository_{COPY}"))
    note = folder.with_name(f"__starrocks_repository_{COPY}") / "__repo_info"
    note.write_text(note.read_text().replace(THEIRS, COPY))


def test_a_copy_of_the_repository_is_read_where_our_own_one_has_its_name(prod: World) -> None:
    """Rows that were taken over from the copy name the copy."""
    wanted = prod.rows("d1.t")
    copied(prod)
    test = World(prod.folder, cluster_id=int(TEST))
    test.clock.advance(prod.clock.now() - test.clock.now())
    test.sql(f"DROP REPOSITORY {THEIRS}")
    test.sql(f"CREATE REPOSITORY {THEIRS} WITH BROKER ON LOCATION 's3a://bucket/elsewhere'")
    test.sql(f"CREATE READ ONLY REPOSITORY {COPY} WITH BROKER ON LOCATION 's3a://bucket/backups'")
    test.ready("d1.t")
    assert test.backup().complete
    take_over(test, None, source=COPY)

    plan = planned(test, "side.t", PROD)

    assert plan.repository == COPY
    give_back(test, plan)
    assert test.rows("side.t") == wanted


def test_two_clusters_may_back_up_into_one_repository(prod: World) -> None:
    """Each metadata snapshot tells whose history it is."""
    test = World(prod.folder, cluster_id=int(TEST))
    test.clock.advance(prod.clock.now() - test.clock.now())
    test.ready("d1.t").backup()
    with pytest.raises(RequestError, match="2 clusters") as refusal:
        take_over(test, None)
    assert "--from-cluster" in refusal.value.hint
    take_over(test)
    give_back(test, planned(test, "side.t", PROD))
    assert test.rows("side.t") == prod.rows("d1.t")


def test_a_repository_that_is_known_no_more_is_read_as_the_settings_say(prod: World) -> None:
    """Its objects may have been copied: label and timestamp tell that it is the same snapshot."""
    wanted = prod.rows("d1.t")
    copied(prod)
    prod.sql(f"DROP REPOSITORY {THEIRS}")
    prod.sql(f"CREATE REPOSITORY {COPY} WITH BROKER ON LOCATION 's3a://bucket/backups'")
    prod.place = evolve(prod.place, repository=COPY)
    prod.sql("DROP TABLE d1.t FORCE")
    assert planned(prod, "d1.t").repository == COPY
    prod.restore("d1.t")
    assert prod.rows("d1.t") == wanted


def test_a_history_saved_by_another_cluster_is_not_ours_saved(prod: World) -> None:
    """Not even one that was saved later, by a clock that is ahead of ours."""
    test = World(prod.folder, cluster_id=int(TEST))
    test.clock.advance(prod.clock.now() - test.clock.now())
    test.ready("d1.t")
    take_over(test)
    test.sql("UPDATE ops.backup_history SET created_at = '2099-01-01 00:00:00' WHERE backup_type = 'METADATA'")

    report = test.backup()

    assert report.metadata is not None
    assert str(report.metadata.label).startswith(f"br_meta_{TEST}_")
