"""What the laws are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from attrs import evolve
from hypothesis import strategies as st

from starrocks_br.domain.manifest import digest_of
from starrocks_br.domain.names import ClusterId, Label, PartitionName, RepositoryName, RunId, TableRef
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status
from tests.property.model import NAMES, Event, Kind
from tests.property.operation import Burn, ColdStart, GoBack, Operation, Outcome, Run

TABLE = TableRef.parse("db.t")
START = datetime(2026, 1, 1, tzinfo=UTC)

numbers = st.integers(0, 9)

names = st.sampled_from([PartitionName(name) for name in NAMES])

_physical = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2))

identities: st.SearchStrategy[Identity] = st.frozensets(_physical, max_size=2)

looks = st.dictionaries(names, identities)


known_identities: st.SearchStrategy[Identity] = st.frozensets(_physical, min_size=1, max_size=2)


@dataclass(frozen=True)
class Step:
    """One entry, and the table's complete identities at it."""

    entry: Entry
    identities: dict[PartitionName, Identity]


def snapshot(number: int) -> Snapshot:
    """A finished snapshot, an hour after the one before it."""
    at = START + timedelta(hours=number)
    return Snapshot(
        label=Label(f"s{number}"),
        run=RunId(f"r{number}"),
        cluster=ClusterId("1"),
        repository=RepositoryName("repo"),
        database=TABLE.database,
        status=Status.FINISHED,
        created_at=at,
        not_before=at,
        snapshot_at=at + timedelta(seconds=20),
        backup_timestamp=f"2026-01-01-{number:02}",
    )


def entry(number: int, captured: dict[PartitionName, Identity], whole: dict[PartitionName, Identity]) -> Entry:
    """The entry that captured this, of a table that is all of that."""
    return Entry(
        snapshot=snapshot(number),
        table=TABLE,
        type=BackupType.INCREMENTAL if number else BackupType.FULL,
        baseline=Label(f"s{number - 1}") if number else None,
        table_id=7,
        fingerprint="f",
        digest=digest_of(whole),
        captured={
            name: Captured(
                partition=Partition(name=name, identity=identity, values=f'[["{name}"]]', buckets=4, size=10)
            )
            for name, identity in captured.items()
        },
        partitioning=Partitioning.RANGE,
        consistency=Consistency.EXACT,
    )


@st.composite
def lineages(draw: st.DrawFn, min_size: int = 1, max_size: int = 6) -> list[Step]:
    """A full entry and incremental ones after it, each cut against the one before; replayed on a dict."""
    now = draw(st.dictionaries(names, known_identities))
    steps = [Step(entry(0, now, now), dict(now))]
    for number in range(1, draw(st.integers(min_size, max_size))):
        captured = draw(st.dictionaries(names, known_identities))
        dropped = draw(st.sets(st.sampled_from(sorted(now)))) - captured.keys() if now else set()
        now = {name: identity for name, identity in now.items() if name not in dropped} | captured
        steps.append(Step(evolve(entry(number, captured, now), dropped=frozenset(dropped)), dict(now)))
    return steps


def events(*without: Kind) -> st.SearchStrategy[Event]:
    """Anything that can happen to tables; loads twice as often as anything else."""
    kinds = [kind for kind in Kind if kind not in without]
    return st.builds(Event, st.sampled_from([*kinds, *[Kind.LOAD] * len(kinds)]), numbers, numbers)


_UNDOING = (Kind.SWAP, Kind.RENAME, Kind.RENAME_PART, Kind.RECOVER)
"""What can put things back under their old names.

A name that belongs to something else at the cut and to the same again at the second look leaves no trace that SQL could
show: a known limit. Events before the cut may move names; those after it do not move them back.
"""

runs = st.builds(
    Run,
    full=st.sampled_from([False, False, False, True]),
    between=st.lists(events(Kind.PAUSE), max_size=3).map(tuple),
    after=st.lists(events(Kind.PAUSE, *_UNDOING), max_size=3).map(tuple),
    outcome=st.sampled_from([Outcome.ENDS] * 6 + [Outcome.FAILS, Outcome.ADOPTED]),
)

quiet_runs = st.builds(Run)

_few = st.lists(events(Kind.PAUSE), max_size=3).map(tuple)
restores = st.builds(GoBack, numbers, numbers, _few, _few, _few)
"""Whatever happens to the table once others see it, and to others meanwhile."""

_touches = st.lists(
    st.builds(
        Event,
        st.sampled_from([kind for kind in Kind if kind not in {Kind.PAUSE, Kind.RENAME, Kind.SWAP, Kind.RECREATE}]),
        st.just(0),
        st.integers(0, 3),
    ),
    max_size=4,
).map(tuple)

_GROWN = tuple(Event(kind, 0, part) for part in (2, 3) for kind in (Kind.ADD, Kind.LOAD))

comebacks = st.tuples(
    st.just(_GROWN),
    st.just((Run(full=True),)),
    _touches,
    st.just((Run(),)),
    st.builds(GoBack, st.just(0), st.integers(0, 1), _touches, _touches, _touches).map(lambda one: (one,)),
    st.just((Run(),)),
).map(lambda parts: tuple(step for part in parts for step in part))
"""The first table, of several partitions that one load may have made, is backed up twice, restored, and backed up."""

histories = st.lists(
    st.one_of(events(), events(), events(), runs, quiet_runs, quiet_runs, restores), min_size=2, max_size=40
).map(tuple)

rough_histories = st.lists(
    st.one_of(events(), events(), runs, quiet_runs, restores, st.builds(Burn, numbers), st.just(ColdStart())),
    min_size=2,
    max_size=40,
).map(tuple)

kinds = st.fixed_dictionaries(
    {name: st.sampled_from(["range", "list", "none"]) for name in ("db.t", "db.u", "other.v")}
)

operations = st.builds(Operation, kinds, st.integers(1, 4))
"""Clusters before anything happened, with a limit to the length of chains."""
