"""What every `RestoreHistory` does, worded for a store that replaces what comes again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.adapters.memory import MemoryRestoreHistory
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.domain.journal import Claim, Journal, Mark, StepStatus
from starrocks_br.domain.names import RestoreId
from starrocks_br.domain.ports import RestoreHistory
from tests.contract.recorded import journal
from tests.served import OPS, served


@pytest.fixture(params=["memory", "sqlalchemy"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RestoreHistory]:
    """Every implementation that we ship."""
    if request.param == "memory":
        yield MemoryRestoreHistory()
        return
    with served(tmp_path) as cluster:
        cluster.make_ops()
        yield SqlAlchemyRestoreHistory(cluster.connection, OPS)


def _mark(
    restore: RestoreId, number: int, status: StepStatus, *, table_id: int | None = None, detail: str = ""
) -> Mark:
    return Mark(restore=restore, number=number, status=status, table_id=table_id, detail=detail)


def _statuses(found: Journal) -> list[StepStatus]:
    return [line.status for line in found.steps]


def test_a_journal_that_is_open_is_read_back_whole(history: RestoreHistory) -> None:
    """Every step with everything in it."""
    begun = journal("a1")

    history.begin([begun])

    assert history.unfinished().sound == (begun,)


def test_open_journals_come_oldest_first(history: RestoreHistory) -> None:
    """By when they began, then by id."""
    journals = [journal("c", hour=0), journal("a", hour=1), journal("b", hour=1)]
    for begun in reversed(journals):
        history.begin([begun])

    assert history.unfinished().sound == tuple(journals)


def test_marks_are_kept_step_by_step(history: RestoreHistory) -> None:
    """A mark says how far one step got; a table id stays known until another one is told."""
    begun = journal("a1")
    history.begin([begun])
    history.begin([journal("a2", hour=1)])

    history.mark([_mark(RestoreId("a1"), 1, StepStatus.SENT)])
    history.mark([_mark(RestoreId("a1"), 1, StepStatus.DONE, table_id=10_077)])
    history.mark([_mark(RestoreId("a1"), 1, StepStatus.FAILED, detail="it has a ghost")])

    steps = list(begun.steps)
    steps[1] = evolve(steps[1], status=StepStatus.FAILED, table_id=10_077)
    assert history.unfinished().sound == (evolve(begun, steps=tuple(steps)), journal("a2", hour=1))


def test_a_journal_whose_steps_are_all_done_is_closed(history: RestoreHistory) -> None:
    """And its last step decides."""
    begun = journal("a1", status=StepStatus.DONE)
    history.begin([evolve(begun, steps=(*begun.steps[:-1], evolve(begun.steps[-1], status=StepStatus.SENT)))])
    assert [_statuses(one)[-1] for one in history.unfinished().sound] == [StepStatus.SENT]

    history.mark([_mark(begun.restore, len(begun.steps) - 1, StepStatus.DONE)])

    assert history.unfinished().sound == ()


def test_abandoning_closes_what_is_open_of_one_restore(history: RestoreHistory) -> None:
    """What was done stays done; other restores are left alone."""
    history.begin([journal("a1")])
    history.begin([journal("a2")])
    history.mark([_mark(RestoreId("a1"), 0, StepStatus.DONE)])

    history.abandon(RestoreId("a1"), "killed")

    assert history.unfinished().sound == (journal("a2"),)
    history.mark([_mark(RestoreId("a1"), 1, StepStatus.SENT)])
    assert _statuses(history.unfinished().sound[0]) == [
        StepStatus.DONE,
        StepStatus.SENT,
        StepStatus.ABANDONED,
        StepStatus.ABANDONED,
    ]


def test_a_journal_that_comes_again_replaces_what_was_there(history: RestoreHistory) -> None:
    """As the server's primary key does."""
    history.begin([journal("a1", status=StepStatus.DONE)])

    history.begin([journal("a1", hour=2)])

    assert history.unfinished().sound == (journal("a1", hour=2),)


def test_marks_of_many_restores_are_written_together(history: RestoreHistory) -> None:
    """Each keeps its own table id, and other steps stay as they are."""
    history.begin([journal("a1"), journal("a2"), journal("a3")])

    history.mark(
        [
            _mark(RestoreId("a1"), 0, StepStatus.DONE),
            _mark(RestoreId("a1"), 1, StepStatus.DONE, table_id=71),
            _mark(RestoreId("a2"), 1, StepStatus.DONE, table_id=72),
            _mark(RestoreId("a3"), 1, StepStatus.SENT),
        ]
    )

    found = {
        one.restore: [(line.status, line.table_id) for line in one.steps[:2]] for one in history.unfinished().sound
    }
    was = journal("a1").steps
    assert found == {
        "a1": [(StepStatus.DONE, was[0].table_id), (StepStatus.DONE, 71)],
        "a2": [(was[0].status, was[0].table_id), (StepStatus.DONE, 72)],
        "a3": [(was[0].status, was[0].table_id), (StepStatus.SENT, was[1].table_id)],
    }


def test_one_restore_is_found_whatever_became_of_it(history: RestoreHistory) -> None:
    """And one that nobody wrote down is not."""
    done = journal("a1", status=StepStatus.DONE)
    history.begin([done, journal("a2")])

    assert history.journals([RestoreId("a1"), RestoreId("a3")]).sound == (done,)
    assert history.journals([RestoreId("a2")]).sound == (journal("a2"),)
    assert history.journals([RestoreId("a3")]).sound == ()


def test_the_newest_restores_are_told_whatever_became_of_them(history: RestoreHistory) -> None:
    """Whole, and in the order in which they began."""
    journals = [journal("c", hour=0), journal("a", hour=1, status=StepStatus.DONE), journal("b", hour=1)]
    for begun in reversed(journals):
        history.begin([begun])

    assert history.newest().sound == tuple(journals)
    assert history.newest(2).sound == tuple(journals[1:])


def test_what_is_not_done_has_not_taken_any_time(history: RestoreHistory) -> None:
    """Nor has anything of another cluster."""
    assert history.timings(journal("a").cluster) == ()

    history.begin([journal("a1", status=StepStatus.SENT)])

    assert history.timings(journal("a").cluster) == ()


# --- whose it is ------------------------------------------------------------------------------------------------------


def _claim(restore: str, number: int = 0, holder: str = "") -> Claim:
    return Claim(restore=RestoreId(restore), number=number, holder=holder)


def _read(history: RestoreHistory, restore: str) -> Journal:
    (found,) = history.journals([RestoreId(restore)]).sound
    return found


def test_a_claim_is_granted_as_often_as_it_is_made(history: RestoreHistory) -> None:
    """A step that has to wait is claimed again each time: that is a sign of life, too."""
    history.begin([journal("a")])
    for _ in range(2):
        assert history.claim([_claim("a")]) == {"a"}
        assert _statuses(history.unfinished().sound[0])[0] is StepStatus.SENT


def test_several_restores_claim_their_steps_at_once(history: RestoreHistory) -> None:
    history.begin([journal("a"), journal("b")])
    assert history.claim([_claim("a", 0), _claim("b", 1)]) == {"a", "b"}
    assert [_statuses(one).index(StepStatus.SENT) for one in history.unfinished().sound] == [0, 1]


def test_what_somebody_took_over_is_theirs(history: RestoreHistory) -> None:
    history.begin([journal("a"), journal("b")])
    history.take_over(_read(history, "a"), "r1")
    assert history.claim([_claim("a"), _claim("b")]) == {"b"}
    assert [_statuses(one)[0] for one in history.unfinished().sound] == [StepStatus.PLANNED, StepStatus.SENT]
    assert history.claim([_claim("a", holder="r1")]) == {"a"}


def test_what_was_sent_before_it_was_taken_over_is_not_granted_again(history: RestoreHistory) -> None:
    history.begin([journal("a")])
    assert history.claim([_claim("a")]) == {"a"}
    history.take_over(_read(history, "a"), "r1")
    assert history.claim([_claim("a")]) == set()


def test_what_is_closed_is_nobodys(history: RestoreHistory) -> None:
    history.begin([journal("a"), journal("b")])
    history.abandon(RestoreId("a"), "given up")
    assert history.claim([_claim("a")]) == set()
    assert history.claim([_claim("a"), _claim("b")]) == {"b"}


def test_of_two_that_take_a_restore_over_one_gets_it(history: RestoreHistory) -> None:
    """Both read it before either wrote."""
    history.begin([journal("a")])
    one, two = _read(history, "a"), _read(history, "a")
    history.take_over(one, "r1")
    history.take_over(two, "r2")
    assert _read(history, "a").holders == {"r1"}
    history.release(one, "r2")
    assert _read(history, "a").held_by("r1")
    history.release(one, "r1")
    assert _read(history, "a") == one
    assert _read(history, "a").marked_at == one.marked_at


def test_a_closed_one_is_opened_again_by_one_only(history: RestoreHistory) -> None:
    """Its last step is his to do, and it is closed by what he writes there."""
    history.begin([journal("a")])
    history.abandon(RestoreId("a"), "given up")
    one, two = _read(history, "a"), _read(history, "a")
    assert one.closed
    history.reopen(one, "r1")
    history.reopen(two, "r2")
    again = _read(history, "a")
    assert (again.held_by("r1"), again.steps[-1].status) == (True, StepStatus.SENT)
    assert [line.open for line in again.steps[:-1]] == [False] * (len(again.steps) - 1)
    history.mark([Mark(restore=one.restore, number=len(one.steps) - 1, status=StepStatus.UNDONE, detail="undone")])
    assert _read(history, "a").closed


def test_a_closed_one_that_was_opened_again_in_vain_is_closed_as_it_was(history: RestoreHistory) -> None:
    history.begin([journal("a")])
    history.abandon(RestoreId("a"), "given up")
    before = _read(history, "a")
    history.reopen(before, "r1")
    history.release(before, "r1")
    assert _read(history, "a") == before
