"""Whose a schema job was, by what a running frontend told of jobs and indices (y4 of the transcripts)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from starrocks_br.adapters.starrocks.schema_jobs import JobOwners, index_ids, newest_id, schema_jobs
from starrocks_br.domain.ports import Rows

FAST: dict[str, Any] = {
    "JobId": "13012",
    "TableName": "t",
    "IndexName": "t",
    "IndexId": "12162",
    "OriginIndexId": "12162",
    "State": "FINISHED",
}
HEAVY = {"JobId": "13034", "IndexId": "13035"}
"""Rewrites the index: it gets another id."""
ROLLUP: dict[str, Any] = {"JobId": "20386", "TableName": "t", "RollupId": "20387", "State": "FINISHED"}
OPTIMIZE: dict[str, Any] = {"JobId": "21394", "TableName": "t", "Operation": "", "State": "FINISHED"}
LIVING = {"t": 1, "u": 2, "v": 3}


def answer(template: dict[str, Any], *changes: dict[str, Any]) -> Rows:
    """Rows that differ from the template."""
    return Rows(columns=tuple(template), rows=tuple(tuple({**template, **change}.values()) for change in changes))


class Server:
    """Tells which indices tables have, by the tables' ids, and remembers who asked."""

    def __init__(self, indices: Mapping[int, Collection[int] | None]) -> None:
        self.indices = indices
        self.asked: list[int] = []

    def __call__(self, table: int) -> Collection[int] | None:
        """The ids of a table's indices."""
        self.asked.append(table)
        return self.indices.get(table, [])


def newest(
    *answers: Rows, server: Server | None = None, wanted: Collection[str] = LIVING, owners: JobOwners | None = None
) -> dict[str, int | None]:
    """What counts for each of the wanted tables."""
    jobs, owners = schema_jobs(answers), owners or JobOwners()
    asked = {name: LIVING[name] for name in wanted}
    owners.find(jobs, asked, LIVING, server or Server({}))
    return {name: owners.newest(jobs, name, table, LIVING) for name, table in asked.items()}


@pytest.mark.parametrize(
    ("jobs", "wanted"),
    [
        ((), None),
        (({},), 13012),
        (({}, {"JobId": "13400"}), 13400),
        (({"State": "CANCELLED"},), None),
        (({"State": "RUNNING"},), None),
        (({}, {"JobId": "13400"}, {"JobId": "13350", "State": "WAITING_TXN"}), 13012),
        (({}, {"JobId": "12200", "State": "RUNNING"}), None),
        (({"JobId": "x"},), None),
    ],
)
def test_the_newest_finished_job_below_the_least_unfinished_one_counts(
    jobs: tuple[dict[str, Any], ...], wanted: int | None
) -> None:
    assert newest(answer(FAST, *jobs), answer(ROLLUP), wanted=["t"]) == {"t": wanted}


def test_a_job_counts_for_the_table_that_has_its_index_whatever_its_name() -> None:
    gone = {"TableName": "gone"}
    server = Server({1: [12161], 2: [12162], 3: [5, 20387]})
    assert newest(answer(FAST, gone), server=server) == {"t": None, "u": 13012, "v": None}
    assert newest(answer(FAST, {}), server=server) == {"t": None, "u": 13012, "v": None}
    assert newest(answer(ROLLUP, gone), server=server) == {"t": None, "u": None, "v": 20386}


def test_an_index_that_was_rewritten_leads_to_what_it_was_before() -> None:
    jobs = answer(FAST, {"TableName": "u"}, {"TableName": "u", **HEAVY})
    server = Server({1: [13035]})
    owners = JobOwners()
    assert newest(jobs, server=server, owners=owners)["t"] == 13034
    jobs = answer(FAST, {"TableName": "u"})
    assert newest(jobs, server=server, owners=owners) == {"t": 13012, "u": None, "v": None}


def test_several_indices_of_one_job_have_a_row_each() -> None:
    (job,) = schema_jobs([answer(FAST, {}, {"IndexId": "7", "OriginIndexId": "6", "State": "RUNNING"})])
    assert job.indices == {12162, 7, 6}
    assert not job.finished


def test_where_nobody_changed_names_only_the_altered_table_is_asked() -> None:
    server = Server({1: [12162]})
    assert newest(answer(FAST, {}), server=server) == {"t": 13012, "u": None, "v": None}
    assert server.asked == [1]


def test_a_table_that_is_looked_at_alone_is_asked_itself_and_not_about_its_own_jobs() -> None:
    server = Server({1: [12162]})
    assert newest(answer(FAST, {}), server=server, wanted=["t"]) == {"t": 13012}
    assert server.asked == []
    assert newest(answer(FAST, {}), server=server, wanted=["u"]) == {"u": None}
    assert server.asked == [2]


def test_what_was_found_out_is_not_asked_again() -> None:
    server, owners = Server({2: [12162]}), JobOwners()
    jobs = answer(FAST, {"TableName": "gone"}, {"JobId": "13014", "TableName": "v", "IndexId": 9, "OriginIndexId": 9})
    for _ in range(2):
        assert newest(jobs, server=server, owners=owners) == {"t": None, "u": 13012, "v": 13014}
        assert sorted(server.asked) == [1, 2, 3]
    later = answer(FAST, {"TableName": "gone"}, {"JobId": "14000", "TableName": "gone", "State": "RUNNING"})
    assert newest(later, server=server, owners=owners)["u"] == 13012
    assert len(server.asked) == 3
    newest(answer(FAST, {"JobId": "14000", "TableName": "gone", "IndexId": "8"}), server=server, owners=owners)
    assert len(server.asked) == 5


def test_a_job_of_which_nobody_knows_whose_it_was_counts_for_all_if_no_table_bears_its_name_now() -> None:
    """Redistribution tells no index; and not every table can be asked."""
    assert newest(answer(OPTIMIZE, {"TableName": "gone"}), answer(FAST, {})) == {"t": 21394, "u": 21394, "v": 21394}
    assert newest(answer(OPTIMIZE, {"TableName": "u"})) == {"t": None, "u": 21394, "v": None}
    silent = Server({1: None, 2: None})
    assert newest(answer(FAST, {"TableName": "gone"}), server=silent) == {"t": 13012, "u": 13012, "v": None}


def test_what_may_be_anybodys_does_not_stand_for_what_has_not_ended() -> None:
    running = answer(ROLLUP, {"State": "RUNNING"})
    assert newest(running, answer(OPTIMIZE, {"TableName": "gone"})) == {"t": None, "u": 21394, "v": 21394}


def test_the_newest_job_of_a_database_is_of_any_table_in_any_state() -> None:
    """A table that gets this name later has newer ones only."""
    jobs = ({"JobId": "7"}, {"JobId": "13310", "TableName": "gone", "State": "CANCELLED"})
    assert newest_id([answer(FAST, *jobs), answer(FAST), answer(FAST, {"JobId": None, "State": "PENDING"})]) == 13310
    assert newest_id([answer(FAST)]) is newest_id([]) is None


def test_the_indices_of_a_table_are_its_base_and_its_rollups() -> None:
    shown = {"IndexId": "12370", "IndexName": "t_addrollup", "SchemaVersion": "0"}
    assert index_ids(answer(shown, {}, {"IndexId": "20387", "IndexName": "ru_addrollup"})) == {12370, 20387}
