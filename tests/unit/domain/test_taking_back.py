"""Back, or to the end: decided by the ids of the tables that bear the names now."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from starrocks_br.domain.journal import Journal, JournalStep, StepStatus
from starrocks_br.domain.names import Label, RestoreId, TableName, TableRef
from starrocks_br.domain.restore_steps import (
    CheckRestored,
    DropTable,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
    names_after,
)
from starrocks_br.domain.taking_back import once_closed, to_the_end, way_back
from tests.unit.domain.examples import CLUSTER, NOON, ORDERS, REPOSITORY

ALIAS = TableRef.parse("db1.__br_r1")
SCRATCH = TableRef.parse("db1.__br_r1_1")
ASIDE = TableRef.parse("db1.orders__before_r1")
OLD, OURS, STRANGER, COPIED = 7, 99, 555, 100

VERIFY = Verify(table=ALIAS, source=ORDERS, point=Label("l1"))
SHOWN = evolve(VERIFY, table=ORDERS)
RENAME = Rename(table=ALIAS, to=ORDERS.name)
SWAP = Swap(table=ORDERS, restored=ALIAS.name, table_id=OLD)
AWAY = SetAside(table=ALIAS, to=ASIDE.name, table_id=OLD)
MAKING_WAY = SetAside(table=ORDERS, to=ASIDE.name, table_id=OLD)
DROP = DropTable(table=ASIDE)


def job(into: TableRef = ALIAS) -> RestorePartitions:
    """One that makes a table."""
    return RestorePartitions(
        label=Label("a"), backup_timestamp="ts", source=ORDERS.name, into=into, creating=True, partitions=None
    )


def journal(*steps: Step, done: int, made: Mapping[TableRef, int] | None = None) -> Journal:
    """Of a restore of which so many steps are done."""
    ids = {ALIAS: OURS} if made is None else made
    return Journal(
        restore=RestoreId("r1"),
        cluster=CLUSTER,
        repository=REPOSITORY,
        target=ORDERS,
        alias=ALIAS,
        created_at=NOON,
        steps=tuple(
            JournalStep(
                step=step,
                status=StepStatus.DONE if number < done else StepStatus.PLANNED,
                table_id=ids.get(step.into) if isinstance(step, RestorePartitions) else None,
            )
            for number, step in enumerate(steps)
        ),
    )


HIDDEN = (job(), VERIFY, RENAME)
SWAPPING = (job(), VERIFY, SWAP, AWAY)
DROPPING = (*SWAPPING, DROP)
OVERLAYING = (job(), MAKING_WAY, RENAME, CheckRestored(table=ORDERS, created=False), SHOWN)


# --- to the end -------------------------------------------------------------------------------------------------------


def test_a_table_that_is_verified_and_has_its_name_is_finished() -> None:
    assert to_the_end(journal(*HIDDEN, done=2), {ORDERS: OURS}) == ()


@pytest.mark.parametrize(
    ("steps", "done", "found"),
    [
        (HIDDEN, 1, {ORDERS: OURS}),
        (HIDDEN, 2, {ALIAS: OURS}),
        (HIDDEN, 2, {ORDERS: STRANGER}),
        (HIDDEN, 2, {}),
        (OVERLAYING, 4, {ORDERS: OURS, ASIDE: OLD}),
        ((job(),), 1, {ORDERS: OURS}),
    ],
)
def test_else_it_is_not(steps: tuple[Step, ...], done: int, found: Mapping[TableRef, int]) -> None:
    assert to_the_end(journal(*steps, done=done), found) is None


def test_nor_is_one_whose_table_was_never_told_apart() -> None:
    assert to_the_end(journal(*HIDDEN, done=2, made={}), {ORDERS: OURS}) is None


def test_the_table_that_was_swapped_away_still_gets_the_name_that_was_told() -> None:
    found = {ORDERS: OURS, ALIAS: OLD}
    assert to_the_end(journal(*SWAPPING, done=2), found) == (AWAY,)
    assert to_the_end(journal(*DROPPING, done=3), found) == (AWAY, DROP)


def test_it_is_dropped_only_where_that_was_asked_for_and_only_by_its_id() -> None:
    assert to_the_end(journal(*DROPPING, done=4), {ORDERS: OURS, ASIDE: OLD}) == (DROP,)
    assert to_the_end(journal(*DROPPING, done=4), {ORDERS: OURS, ASIDE: STRANGER}) == ()
    assert to_the_end(journal(*DROPPING, done=3), {ORDERS: OURS, ALIAS: STRANGER}) == ()
    assert to_the_end(journal(*DROPPING, done=4), {ORDERS: OURS}) == ()
    assert to_the_end(journal(*DROPPING, done=4), {ORDERS: OURS, ALIAS: OLD}) == (), "what is done is not done again"


# --- the way back -----------------------------------------------------------------------------------------------------


def test_what_nobody_could_see_is_dropped() -> None:
    back = way_back(journal(*HIDDEN, done=1), {ALIAS: OURS})
    assert back.steps == (DropTable(table=ALIAS),)
    assert back.detail == f"its unfinished table {ALIAS} was dropped"


def test_what_others_could_see_is_hidden_and_told() -> None:
    back = way_back(journal(*HIDDEN, done=3), {ORDERS: OURS})
    assert back.steps == (Rename(table=ORDERS, to=ALIAS.name),)
    assert back.detail == f"what it made is {ALIAS} now: DROP TABLE it when you need it no more"


def test_what_is_hidden_already_but_was_seen_stays() -> None:
    back = way_back(journal(*HIDDEN, done=3), {ALIAS: OURS})
    assert (back.steps, f"what it made is {ALIAS} now" in back.detail) == ((), True)


def test_what_cannot_be_hidden_because_the_hidden_name_is_taken_stays_where_it_is() -> None:
    back = way_back(journal(*HIDDEN, done=3), {ORDERS: OURS, ALIAS: STRANGER})
    assert back.steps == ()
    assert f"what it made is {ORDERS} now" in back.detail
    before_that_was_noted = way_back(journal(*HIDDEN, done=2), {ORDERS: OURS, ALIAS: STRANGER})
    assert before_that_was_noted == back


def test_a_table_that_a_restore_may_have_made_anew_is_told_and_not_touched() -> None:
    """RESTORE over a name that is gone makes the table, with what the snapshot holds of it."""
    over = evolve(job(), into=ORDERS, creating=False)
    back = way_back(journal(job(), RENAME, over, done=3), {ORDERS: STRANGER})
    assert back.steps == ()
    assert back.detail == (
        f"{ORDERS} is no table that it knows; if the table was dropped while a RESTORE went over it, that made it "
        "anew, with a part of the rows: look at it before you use it"
    )
    assert way_back(journal(job(), RENAME, over, done=3), {}).detail == "it left nothing behind"
    assert way_back(journal(job(), RENAME, over, done=2), {ORDERS: STRANGER}).detail == "it left nothing behind"


def test_what_nobody_could_see_is_dropped_also_where_a_stranger_has_the_name() -> None:
    back = way_back(journal(*OVERLAYING, done=2), {ASIDE: OLD, ORDERS: STRANGER, ALIAS: OURS})
    assert (back.taken, back.steps) == (True, (DropTable(table=ALIAS),))
    assert back.detail.endswith(f"RENAME when the name is free; its unfinished table {ALIAS} was dropped")


def test_an_old_table_under_none_of_its_names_is_missed() -> None:
    """Somebody renamed or dropped it: where it is, nobody can tell from here."""
    back = way_back(journal(*OVERLAYING, done=3), {ORDERS: OURS})
    assert back.steps == (Rename(table=ORDERS, to=ALIAS.name),)
    assert back.detail.startswith(f"the table that {ORDERS} was before (id 7) bears no name that it knows: ")


def test_an_old_table_that_a_restore_may_have_gone_over_is_to_be_looked_at() -> None:
    """The server looks names up when a job begins: somebody may have given it its name again in between."""
    over = evolve(job(), into=ORDERS, creating=False)
    begun = journal(job(), MAKING_WAY, RENAME, over, done=3)
    lines = (*begun.steps[:3], evolve(begun.steps[3], status=StepStatus.SENT))
    back = way_back(evolve(begun, steps=lines), {ORDERS: OLD})
    assert back.steps == ()
    assert f"{ORDERS} is the table that it was before, but a RESTORE may have gone over it" in back.detail
    assert back.detail.endswith("; it left nothing behind")


def test_a_stranger_under_the_hidden_name_stays() -> None:
    back = way_back(journal(*HIDDEN, done=1), {ALIAS: STRANGER})
    assert (back.steps, "cannot be shown" in back.detail) == ((), True)


def test_where_nothing_is_left_that_is_said() -> None:
    assert way_back(journal(*HIDDEN, done=0, made={}), {}).detail == "it left nothing behind"


def test_a_table_that_was_set_aside_gets_its_name_back() -> None:
    back = way_back(journal(*OVERLAYING, done=2), {ASIDE: OLD, ALIAS: OURS})
    again = SetAside(table=ASIDE, to=ORDERS.name, table_id=OLD)
    assert back.steps == (again, DropTable(table=ALIAS))
    assert back.detail == f"{ORDERS} is the table that it was before; its unfinished table {ALIAS} was dropped"


def test_where_ours_bears_the_name_the_two_change_places_in_one_statement() -> None:
    back = way_back(journal(*OVERLAYING, done=3), {ASIDE: OLD, ORDERS: OURS})
    assert back.steps == (
        Swap(table=ASIDE, restored=ORDERS.name, table_id=OLD),
        Rename(table=ASIDE, to=ALIAS.name),
    )
    assert f"what it made is {ALIAS} now" in back.detail


def test_right_after_the_swap_ours_has_the_hidden_name_again_and_stays_because_it_was_seen() -> None:
    back = way_back(journal(*SWAPPING, done=3), {ALIAS: OLD, ORDERS: OURS})
    assert back.steps == (Swap(table=ALIAS, restored=ORDERS.name, table_id=OLD),)
    assert f"what it made is {ALIAS} now" in back.detail


def test_a_table_that_never_lost_its_name_is_said_to_have_it() -> None:
    back = way_back(journal(*SWAPPING, done=1), {ORDERS: OLD, ALIAS: OURS})
    assert back.steps == (DropTable(table=ALIAS),)
    assert back.detail.startswith(f"{ORDERS} is the table that it was before; ")


def test_while_a_stranger_has_the_name_the_old_table_is_told_and_nothing_is_moved() -> None:
    back = way_back(journal(*OVERLAYING, done=3), {ASIDE: OLD, ORDERS: STRANGER})
    assert back.taken is True
    assert back.steps == ()
    assert back.detail == (
        f"{ORDERS} is another table now; the one that bore the name before is {ASIDE}: "
        f"ALTER TABLE {ASIDE} RENAME when the name is free"
    )


def test_scratch_tables_go_first_and_only_by_their_ids() -> None:
    steps = (job(), job(SCRATCH), VERIFY, RENAME)
    made = {ALIAS: OURS, SCRATCH: COPIED}
    back = way_back(journal(*steps, done=2, made=made), {ALIAS: OURS, SCRATCH: COPIED})
    assert back.steps == (DropTable(table=SCRATCH), DropTable(table=ALIAS))
    moved = way_back(journal(*steps, done=2, made=made), {ALIAS: OURS, SCRATCH: STRANGER})
    assert moved.steps == (DropTable(table=ALIAS),)


def test_another_name_of_ours_is_hidden_too() -> None:
    """Put together under its own name, to be given another one in the end."""
    home, copy = TableRef.parse("db1.orders"), TableRef.parse("db1.copy")
    steps = (job(), Rename(table=ALIAS, to=home.name), SHOWN, Rename(table=home, to=TableName("copy")))
    half = evolve(journal(*steps, done=2), target=copy)
    assert way_back(half, {home: OURS}).steps == (Rename(table=home, to=ALIAS.name),)


# --- what there is afterwards -----------------------------------------------------------------------------------------


def test_it_can_be_told_beforehand_which_table_will_bear_which_name() -> None:
    given_back = once_closed(journal(*OVERLAYING, done=3), {ASIDE: OLD, ORDERS: OURS, SCRATCH: STRANGER})
    assert given_back == {ORDERS: OLD, ALIAS: OURS, SCRATCH: STRANGER}
    finished = once_closed(journal(*DROPPING, done=3), {ORDERS: OURS, ALIAS: OLD})
    assert finished == {ORDERS: OURS}
    assert once_closed(journal(*OVERLAYING, done=2), {ASIDE: OLD, ALIAS: OURS}) == {ORDERS: OLD}
    assert once_closed(journal(*HIDDEN, done=1), {}) == {}


@pytest.mark.parametrize("step", [job(), VERIFY, CheckRestored(table=ORDERS, created=False)])
def test_a_step_that_moves_no_name_leaves_them_as_they_are(step: Step) -> None:
    assert names_after(step, {ORDERS: OLD}) == {ORDERS: OLD}
