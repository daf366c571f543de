"""Among whose points an instant names one."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from starrocks_br.domain.chain import point_at, points
from starrocks_br.domain.errors import RequestError
from starrocks_br.domain.names import ClusterId, Label, TableRef
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from starrocks_br.domain.status import Status
from starrocks_br.domain.timeline import timeline
from tests.unit.domain.examples import NOON, ORDERS, entry, part

HERE, THERE, FAR = (ClusterId(text) for text in ("1", "2", "3"))


def taken(cluster: ClusterId, hour: int, **changes: Any) -> Entry:
    """A whole backup of the table, of one cluster at one hour."""
    made = entry(hour, part("p1", 10))
    snapshot = evolve(made.snapshot, cluster=cluster, label=Label(f"c{cluster}_{hour}"), **changes)
    return evolve(made, snapshot=snapshot, type=BackupType.FULL, baseline=None, consistency=Consistency.EXACT)


def labels(*links: Entry, wanted: ClusterId | None = None) -> list[str]:
    """What can be chosen of all that is recorded."""
    return [link.label for link in timeline(links, ORDERS, HERE, wanted)]


def test_a_table_of_one_cluster_has_the_points_of_that_cluster() -> None:
    """Whichever it is: after a disaster all of them are another cluster's."""
    assert labels() == []
    assert labels(taken(HERE, 1), taken(HERE, 2)) == ["c1_1", "c1_2"]
    assert labels(taken(THERE, 1), taken(THERE, 2)) == ["c2_1", "c2_2"]


def test_our_own_points_hide_those_of_another_cluster_from_the_first_of_ours_on() -> None:
    """Before it, the only other cluster is where our tables come from."""
    links = [taken(THERE, 1), taken(HERE, 2), taken(THERE, 2), taken(THERE, 3), taken(HERE, 4)]

    assert labels(*links) == ["c2_1", "c1_2", "c1_4"]
    assert timeline(links, ORDERS, HERE)[0] is links[0]
    at = taken(THERE, 3).snapshot.snapshot_at
    assert at is not None
    assert point_at(timeline(links, ORDERS, HERE), ORDERS, at).label == "c1_2"
    assert {link.label for link in points(links, ORDERS)} == {link.label for link in links}


def test_clusters_that_followed_one_another_are_one_past() -> None:
    """As after two disasters."""
    links = [taken(THERE, 1), taken(FAR, 3), taken(FAR, 4), taken(THERE, 2)]

    assert sorted(labels(*links)) == ["c2_1", "c2_2", "c3_3", "c3_4"]
    assert sorted(labels(*links, taken(HERE, 4))) == ["c1_4", "c2_1", "c2_2", "c3_3"]


def test_of_several_other_clusters_at_one_time_none_is_our_past() -> None:
    """Where nobody can tell which one it is; what is hidden by ours does not count."""
    both = [taken(THERE, 1), taken(FAR, 2), taken(THERE, 3)]

    assert labels(*both, taken(HERE, 9)) == ["c1_9"]
    assert labels(*both, taken(HERE, 3)) == ["c2_1", "c3_2", "c1_3"]


def test_several_other_clusters_are_named_where_there_is_nothing_of_our_own() -> None:
    """With the way to say which."""
    with pytest.raises(RequestError) as refusal:
        labels(taken(THERE, 1), taken(THERE, 5), taken(FAR, 2))

    assert refusal.value.what == "several clusters have points of db1.orders, and this one has none"
    assert "2 (up to 2026-10-06 17:00:20+00:00), 3 (up to 2026-10-06 14:00:20+00:00)" in refusal.value.why
    assert refusal.value.hint == "say which with --from-cluster"


def test_a_cluster_that_is_named_has_only_its_own_points() -> None:
    """Those that ours would hide, too."""
    links = [taken(THERE, 1), taken(HERE, 2), taken(THERE, 3), taken(FAR, 3)]

    assert labels(*links, wanted=THERE) == ["c2_1", "c2_3"]
    assert labels(*links, wanted=HERE) == ["c1_2"]


def test_a_cluster_without_a_point_of_the_table_is_refused() -> None:
    """With what there is, and how to get its history."""
    with pytest.raises(RequestError) as refusal:
        labels(taken(THERE, 1), taken(HERE, 2), wanted=FAR)
    assert refusal.value.what == "no point of db1.orders is recorded of cluster 3"
    assert refusal.value.why == "there are some of 1, 2"
    assert "bootstrap --from-cluster 3" in refusal.value.hint

    with pytest.raises(RequestError, match="no cluster"):
        labels(wanted=FAR)


def test_what_is_no_point_hides_nothing() -> None:
    """A backup that failed, one that runs, another table's, the history's own."""
    other = evolve(taken(HERE, 0), table=TableRef.parse("db1.items"))
    own = evolve(taken(HERE, 0), type=BackupType.METADATA)
    failed, running = taken(HERE, 0, status=Status.FAILED), taken(HERE, 0, status=Status.RUNNING, snapshot_at=None)

    assert labels(other, own, failed, running, taken(THERE, 3)) == ["c2_3"]
    assert taken(THERE, 3).snapshot.created_at > NOON
    with pytest.raises(RequestError) as refusal:
        labels(wanted=FAR)
    assert refusal.value.why == "there are some of no cluster"
