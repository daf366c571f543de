"""What the laws are tried on."""

from __future__ import annotations

from hypothesis import strategies as st

from starrocks_br.domain.names import PartitionName
from starrocks_br.domain.partitions import Identity
from tests.property.model import NAMES, Event, Kind
from tests.property.operation import Burn, ColdStart, Operation, Outcome, Run

numbers = st.integers(0, 9)

names = st.sampled_from([PartitionName(name) for name in NAMES])

identities: st.SearchStrategy[Identity] = st.frozensets(
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)), max_size=2
)

looks = st.dictionaries(names, identities)


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

histories = st.lists(
    st.one_of(events(), events(), events(), runs, quiet_runs, quiet_runs), min_size=2, max_size=40
).map(tuple)

rough_histories = st.lists(
    st.one_of(events(), events(), runs, quiet_runs, st.builds(Burn, numbers), st.just(ColdStart())),
    min_size=2,
    max_size=40,
).map(tuple)

kinds = st.fixed_dictionaries(
    {name: st.sampled_from(["range", "list", "none"]) for name in ("db.t", "db.u", "other.v")}
)

operations = st.builds(Operation, kinds, st.integers(1, 4))
"""Clusters before anything happened, with a limit to the length of chains."""
