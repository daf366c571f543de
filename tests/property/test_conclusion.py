"""Laws of the second look and of the repository's own list."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.backup_plan import BackupPolicy, Recorded, intent, plan_backup
from starrocks_br.domain.conclusion import look_again, settle_contents
from starrocks_br.domain.manifest import digest_of, extend
from starrocks_br.domain.names import ClusterId, PartitionName
from starrocks_br.domain.partitions import UNKNOWN, Identity, Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry
from tests.property.strategies import START, TABLE, known_identities, names, snapshot

Look = dict[PartitionName, Identity]

tables = st.dictionaries(names, known_identities)


def look(identities: Look) -> Observation:
    """A look at the one table."""
    partitions = {name: Partition(name=name, identity=identity) for name, identity in identities.items()}
    state = TableState(table=TABLE, table_id=7, partitioning=Partitioning.RANGE, fingerprint="f", partitions=partitions)
    return Observation(cluster=ClusterId("1"), at=START, tables={TABLE: state})


def intended(was: Look | None, now: Look) -> Entry:
    """What is intended for a table that looks so now and looked so at its only backup."""
    known = {}
    if was is not None:
        baseline = intended(None, was)
        known[TABLE] = Recorded(manifest=extend(None, baseline), baseline=baseline.label, length=1, seen_at=START)
    plan = plan_backup(look(now), known, BackupPolicy())
    (entry,) = intent(plan.databases[0], look(now), snapshot(0 if was is None else 1))
    return entry


def ids(identity: Identity) -> set[int]:
    """The physical ids."""
    return {number for number, _, _ in identity}


@given(st.one_of(st.none(), tables), tables, tables)
def test_a_second_look_finds_danger_wherever_a_partition_was_replaced(was: Look | None, now: Look, then: Look) -> None:
    """Of every table that is in the job, captured or not: an overwrite may have been under way at the cut."""
    entry = intended(was, now)
    looked = look_again((entry,), {TABLE: now}, look(then))
    in_job = entry.type is BackupType.FULL or bool(entry.captured)
    replaced = any(name not in then or ids(then[name]) != ids(identity) for name, identity in now.items())
    assert bool(looked.danger) is (in_job and replaced)
    if looked.danger:
        assert looked.entries == (entry,)
        assert looked.danger.startswith("db.t: partition ")


@given(tables, tables, tables)
def test_an_incremental_entry_is_exact_iff_nothing_moved_outside_of_what_it_captured(
    was: Look, now: Look, then: Look
) -> None:
    """The captured partitions are as cut; of the others the entry claims that they are as they were."""
    entry = intended(was, now)
    looked = look_again((entry,), {TABLE: now}, look(then))
    if looked.danger or entry.type is BackupType.FULL:
        return
    outside = {name: identity for name, identity in now.items() if name not in entry.captured}
    after = {name: identity for name, identity in then.items() if name not in entry.captured}
    (judged,) = looked.entries
    if entry.captured and then.keys() - now.keys():
        assert judged.consistency is Consistency.UNKNOWN, "what was born may have been overwritten at the cut"
    else:
        assert judged.consistency is (Consistency.EXACT if outside == after else Consistency.FUZZY)
    assert {name: captured.after for name, captured in judged.captured.items()} == {
        name: then[name] for name in entry.captured
    }
    assert judged.digest == entry.digest


@given(tables, st.sets(names))
def test_of_a_whole_table_the_repository_decides_what_is_held(now: Look, held: set[PartitionName]) -> None:
    """What nobody saw before the cut is held with an unknown identity, so that the next backup takes it again."""
    entry = intended(None, now)
    settled, problem = settle_contents((entry,), {TABLE.name: frozenset(held)})
    assert not problem
    (whole,) = settled
    wanted = {name: now.get(name, UNKNOWN) for name in held}
    assert {name: captured.partition.identity for name, captured in whole.captured.items()} == wanted
    assert whole.digest == digest_of(wanted)
    exact, _ = settle_contents((evolve(entry, consistency=Consistency.EXACT),), {TABLE.name: frozenset(held)})
    assert (exact[0].consistency is Consistency.EXACT) is (held <= now.keys())
    assert extend(None, whole).identities() == wanted


@given(tables, tables, st.sets(names))
def test_of_an_incremental_entry_the_repository_must_hold_exactly_what_was_asked_for(
    was: Look, now: Look, held: set[PartitionName]
) -> None:
    """A partition more or less, and the snapshot is not concluded; a leaf asks for nothing."""
    entry = intended(was, now)
    if entry.type is BackupType.FULL:
        return
    contents = {TABLE.name: frozenset(held)} if held else {}
    settled, problem = settle_contents((entry,), contents)
    assert bool(problem) is (held != entry.captured.keys())
    assert settled == (entry,)


@given(tables, tables)
def test_what_is_intended_folds_onto_its_baseline_to_what_was_seen(was: Look, now: Look) -> None:
    """The digest of the intent is over the complete table, whatever part of it is captured."""
    entry = intended(was, now)
    onto = None if entry.type is BackupType.FULL else extend(None, intended(None, was))
    assert extend(onto, entry).identities() == now


@given(tables, tables)
def test_a_leaf_is_a_point_with_nothing_in_the_job(was: Look, now: Look) -> None:
    """Dropped partitions alone need no snapshot, unless none is left: then the schema has to come from somewhere."""
    entry = intended(was, now)
    kept = all(was.get(name) == identity for name, identity in now.items())
    emptied = bool(was) and not now
    grown = any(len(identity) > 1 and was.get(name) != identity for name, identity in now.items())
    assert entry.outline().leaf is (kept and not emptied and not grown)
    assert entry.type is (BackupType.FULL if emptied or grown else BackupType.INCREMENTAL)
    assert entry.dropped == (frozenset() if entry.type is BackupType.FULL else was.keys() - now.keys())
