"""The promises, over whole histories: what a point gives back, and what a backup does not miss."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.backup_plan import Reason
from starrocks_br.domain.chain import Chain, chain_to, points, resolve_chain
from starrocks_br.domain.errors import BrokenChain
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from starrocks_br.domain.status import RESTORABLE, Status
from tests.property.model import Event, Kind
from tests.property.operation import Burn, ColdStart, GoBack, Operation, Outcome, Run, Truth, truth
from tests.property.restoring import restored
from tests.property.strategies import TABLE, comebacks, histories, operations, rough_histories

History = tuple[Event | Run | Burn | ColdStart | GoBack, ...]


def check(operation: Operation, chain: Chain, wanted: Truth) -> None:
    """A restore of the chain gives exactly this, or names the holders that the repository has lost."""
    manifest = chain.manifest()
    lost = manifest.holders() - operation.repository.keys()
    if lost:
        with pytest.raises(BrokenChain) as refusal:
            restored(manifest, operation.repository, manifest.table)
        assert set(refusal.value.labels) == lost
    else:
        table = restored(manifest, operation.repository, manifest.table)
        assert (table.kind, table.columns, table.contents()) == (wanted.kind, wanted.columns, wanted.contents)


def point(entry: Entry) -> datetime:
    """The instant it can be restored to."""
    assert entry.snapshot.snapshot_at is not None
    return entry.snapshot.snapshot_at


@given(operations, histories)
def test_every_exact_point_gives_back_the_table_as_it_was(operation: Operation, history: History) -> None:
    """Whatever happened, before, during and after a backup: its point is the table at the cut, to the row."""
    operation.play(history)
    for table in {entry.table for entry in operation.entries}:
        for entry in points(operation.entries, table):
            chain = chain_to(operation.entries, table, entry.label)
            check(operation, chain, operation.cut[entry.label, table])


@given(operations, rough_histories, st.randoms(use_true_random=False))
def test_an_instant_gives_the_newest_point_before_it_or_a_reasoned_refusal(
    operation: Operation, history: History, chance: random.Random
) -> None:
    """Over lost snapshots, other clusters and failed jobs, with the history read back in any order."""
    operation.play(history)
    chance.shuffle(operation.entries)
    for table in {entry.table for entry in operation.entries}:
        for entry in points(operation.entries, table):
            chain = resolve_chain(operation.entries, table, point(entry))
            assert chain.entries[-1].label == entry.label
            check(operation, chain, operation.cut[entry.label, table])


@given(operations, comebacks)
def test_nothing_that_touches_a_restored_table_is_missed_by_the_next_backup(
    operation: Operation, history: History
) -> None:
    """Loads, truncates, overwrites, drops and schema changes, from the moment at which others can see it.

    Where they make the server refuse a later part there is no table to look at.
    """
    operation.play(history)
    for entry in (entry for entry in operation.entries if entry.table == TABLE):
        if entry.snapshot.status is Status.FINISHED and entry.consistency is Consistency.EXACT:
            chain = chain_to(operation.entries, TABLE, entry.label)
            assert chain.manifest().holders() <= operation.repository.keys()
            check(operation, chain, operation.cut[entry.label, TABLE])
    left = operation.world.tables.get(str(TABLE))
    if left is not None and left.overwriting is None:
        newest = points(operation.entries, TABLE)[0]
        check(operation, chain_to(operation.entries, TABLE, newest.label), truth(left))


@given(operations, histories)
def test_a_fuzzy_point_holds_the_captured_as_cut_and_the_rest_as_looked_at(
    operation: Operation, history: History
) -> None:
    """Fuzzy is no lottery: which of two states each partition comes in is known."""
    operation.play(history)
    for entry in operation.entries:
        if entry.snapshot.status is not Status.FINISHED or entry.consistency is not Consistency.FUZZY:
            continue
        looked = operation.looked[entry.label, entry.table]
        cut = operation.cut[entry.label, entry.table]
        mixed = {name: (cut if name in entry.captured else looked).contents[name] for name in looked.contents}
        wanted = Truth(cut.kind, cut.columns, mixed, {})
        chain = resolve_chain(operation.entries, entry.table, point(entry), allow_fuzzy=True)
        check(operation, chain, wanted)


@given(operations, histories)
def test_an_incremental_backup_captures_what_was_written_since_its_baseline_and_nothing_else(
    operation: Operation, history: History
) -> None:
    """Captured / changed = 1: the oracle is the model's own count of writes, which no server shows."""
    operation.play(history)
    entries = {(entry.label, entry.table): entry for entry in operation.entries}
    for label, backup in operation.plans:
        if backup.type is BackupType.FULL or backup.baseline is None:
            continue
        now = operation.looked[label, backup.table].written
        then = operation.looked[backup.baseline, backup.table].written
        base = entries[backup.baseline, backup.table]
        unseen = {name for name, part in base.captured.items() if not part.partition.identity}
        changed = {name for name in now if now[name] != then.get(name) or name in unseen}
        assert backup.partitions is not None
        assert backup.partitions.keys() == changed
        assert backup.dropped == (then.keys() | unseen) - now.keys()


@given(operations, histories)
def test_no_chain_grows_beyond_its_limit(operation: Operation, history: History) -> None:
    """max_chain counts snapshots, the full one and the target included; a restore made none."""
    operation.play(history)
    for entry in operation.entries:
        if entry.snapshot.status in RESTORABLE:
            links = chain_to(operation.entries, entry.table, entry.label).entries
            assert sum(link.type is not BackupType.RESTORED for link in links) <= operation.max_chain


@given(operations, histories)
def test_a_backup_of_untouched_tables_needs_no_job(operation: Operation, history: History) -> None:
    """Twice in a row, the second run is a look and nothing more."""
    operation.play(history)
    operation.back_up(Run())
    plan = operation.back_up(Run())
    limit = operation.max_chain
    for database in plan.databases:
        for table in database.tables:
            assert table.unchanged or limit == 1 or table.reason is Reason.LONG


@given(operations, rough_histories)
def test_after_a_quiet_run_every_table_can_be_restored_whatever_was_lost_before(
    operation: Operation, history: History
) -> None:
    """A backup that says FINISHED leans on no snapshot that the repository has lost."""
    operation.play(history)
    operation.back_up(Run())
    for name, table in operation.world.tables.items():
        if table.overwriting is None:
            ref = TableRef.parse(name)
            newest = points(operation.entries, ref)[0]
            chain = chain_to(operation.entries, ref, newest.label)
            assert chain.manifest().holders() <= operation.repository.keys()
            check(operation, chain, truth(table))


HARD: dict[str, tuple[Event | Run | Burn | ColdStart | GoBack, ...]] = {
    "a partition is born and loaded between the look and the cut of a full backup": (
        Run(between=(Event(Kind.ADD, 0, 2), Event(Kind.LOAD, 0, 2))),
        Run(),
        Event(Kind.LOAD, 0, 0),
        Run(),
    ),
    "all partitions are dropped, others come": (
        Event(Kind.LOAD),
        Run(),
        Event(Kind.DROP),
        Event(Kind.DROP),
        Run(),
        Event(Kind.ADD),
        Event(Kind.LOAD),
        Run(),
    ),
    "a column is dropped and made again, and the trace is seen": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.REMAKE_COLUMN),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "a column is dropped and made again, and the trace is gone": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.REMAKE_COLUMN),
        Event(Kind.PAUSE, 0, 7),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "a column is remade while the partition is being captured": (
        Event(Kind.LOAD, 0, 0),
        Run(between=(Event(Kind.REMAKE_COLUMN),)),
        Run(between=(Event(Kind.LOAD, 0, 0),), after=(Event(Kind.REMAKE_COLUMN),)),
        Run(),
    ),
    "the trace of a remade column is seen only by a run that was killed": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.REMAKE_COLUMN),
        Event(Kind.PAUSE, 0, 4),
        Run(outcome=Outcome.ADOPTED),
        Event(Kind.PAUSE, 0, 3),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "an overwrite of a partition that is not captured is under way at the cut": (
        Event(Kind.LOAD, 0, 0),
        Event(Kind.LOAD, 0, 1),
        Run(),
        Event(Kind.LOAD, 0, 0),
        Run(between=(Event(Kind.BEGIN_OVERWRITE, 0, 1),), after=(Event(Kind.END_OVERWRITE, 0),)),
        Run(),
        Run(full=True, between=(Event(Kind.BEGIN_OVERWRITE, 0, 1),), after=(Event(Kind.END_OVERWRITE, 0),)),
        Run(),
    ),
    "a version comes back with other rows": (
        Event(Kind.LOAD, 0, 0),
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.ROLL_BACK, 0, 0),
        Event(Kind.LOAD, 0, 0),
        Run(),
    ),
    "a partition is dropped, made again, dropped and recovered": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.DROP, 0, 0),
        Event(Kind.ADD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.DROP, 0, 0),
        Event(Kind.RECOVER, 0, 0),
        Run(),
    ),
    "a replacing partition was loaded before the last backup": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.REPLACE, 0, 0),
        Run(),
    ),
    "two tables change places between backups, and back": (
        Event(Kind.LOAD, 0, 0),
        Event(Kind.LOAD, 1, 0),
        Run(),
        Event(Kind.SWAP),
        Run(),
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.SWAP),
        Run(),
    ),
    "a table is made anew under its old name, before and during a backup": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.RECREATE),
        Run(between=(Event(Kind.RECREATE),)),
        Run(after=(Event(Kind.RECREATE),)),
        Run(),
    ),
    "a partition grows several parts and others change": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.GROW, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        Event(Kind.GROW, 0, 1),
        Run(between=(Event(Kind.GROW, 0, 0),)),
        Run(),
    ),
    "a table is brought back and loaded": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "a table is brought back to an older point, and once more": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(point=1),
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        GoBack(point=1),
        Run(),
    ),
    "a table that is brought back is loaded as soon as it can be seen": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(exposed=(Event(Kind.LOAD, 0, 0),)),
        Run(),
        GoBack(complete=(Event(Kind.LOAD, 0, 1),)),
        Run(),
        GoBack(seen=(Event(Kind.LOAD, 0, 0), Event(Kind.LOAD, 0, 1))),
        Run(),
    ),
    "what a point that changed nothing had lost stays lost": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.DROP, 0, 1),
        Run(),
        GoBack(),
        Event(Kind.LOAD, 0, 0),
        Run(),
    ),
    "a column is remade before the last look": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(complete=(Event(Kind.REMAKE_COLUMN),)),
        Run(),
    ),
    "two tables change places before the last look": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(complete=(Event(Kind.SWAP),)),
        Run(),
    ),
    "a partition comes before the last look": (
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(complete=(Event(Kind.ADD, 0, 2),)),
        Run(),
    ),
    "a partition that came last is truncated, replaced or rolled back before it is looked at": (
        Event(Kind.LOAD, 0, 0),
        Event(Kind.LOAD, 0, 1),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        GoBack(complete=(Event(Kind.TRUNCATE, 0, 1),)),
        Run(),
        GoBack(point=1, complete=(Event(Kind.REPLACE, 0, 1),)),
        Run(),
        GoBack(point=2, complete=(Event(Kind.LOAD, 0, 1), Event(Kind.ROLL_BACK, 0, 1))),
        Run(),
    ),
    "partitions that came last change their names before they are looked at": (
        Run(),
        Event(Kind.ADD, 0, 2),
        Event(Kind.ADD, 0, 3),
        Run(),
        GoBack(complete=(Event(Kind.DROP, 0, 0), Event(Kind.RENAME_PART, 0, 1), Event(Kind.RENAME_PART, 0, 2))),
        Run(),
    ),
    "a column is remade as soon as the table can be seen": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        GoBack(seen=(Event(Kind.REMAKE_COLUMN),)),
        Run(),
    ),
    "a table is brought back that had its columns remade": (
        Event(Kind.LOAD, 0, 0),
        Event(Kind.REMAKE_COLUMN),
        Run(),
        Event(Kind.REMAKE_COLUMN),
        GoBack(),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "what was brought back on another cluster goes on there": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
        ColdStart(),
        GoBack(),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
    "another cluster goes on with the same history": (
        Event(Kind.LOAD, 0, 0),
        Run(),
        ColdStart(),
        Run(),
        Event(Kind.LOAD, 0, 1),
        Run(),
    ),
}


@pytest.mark.parametrize("story", HARD)
@pytest.mark.parametrize("kind", ["range", "list", "none"])
def test_a_hard_history(story: str, kind: str) -> None:
    """Histories that once went wrong here or elsewhere, or would if one rule of the domain were left out."""
    operation = Operation(dict.fromkeys(("db.t", "db.u", "other.v"), kind), max_chain=9)
    operation.play(HARD[story])
    for table in {entry.table for entry in operation.entries}:
        known = points(operation.entries, table)
        for entry in known:
            check(operation, chain_to(operation.entries, table, entry.label), operation.cut[entry.label, table])
        newest = chain_to(operation.entries, table, known[0].label)
        assert newest.manifest().holders() <= operation.repository.keys()
        check(operation, newest, truth(operation.world.tables[str(table)]))
