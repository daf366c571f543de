"""Laws of tables that come back together: which of their jobs share a statement."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.restore_batch import next_statement, statements_of
from starrocks_br.domain.restore_steps import RestorePartitions

Jobs = list[RestorePartitions]


def job(table: int, label: int, replicas: int) -> RestorePartitions:
    """Of one table, out of one snapshot."""
    into = TableRef.parse(f"d.t{table}")
    return RestorePartitions(
        label=Label(f"s{label:02}"),
        backup_timestamp=f"at{label}",
        source=into.name,
        into=into,
        creating=False,
        partitions=None,
        replication_num=replicas,
    )


@st.composite
def batches(draw: st.DrawFn, *, in_order: bool = False) -> list[Jobs]:
    """The jobs of some tables: each has one number of replicas, and each of its snapshots once."""
    found = []
    for table in range(draw(st.integers(0, 6))):
        labels = draw(st.lists(st.integers(0, 7), unique=True, max_size=5))
        replicas = draw(st.integers(1, 2))
        found.append([job(table, label, replicas) for label in (sorted(labels) if in_order else labels)])
    return found


def shared(one: RestorePartitions) -> tuple[str, int]:
    """What the jobs of one statement have in common."""
    return one.label, one.replication_num


@given(batches())
def test_every_job_is_in_one_statement_and_those_of_a_table_in_their_order(tables: list[Jobs]) -> None:
    statements = list(statements_of(tables))
    assert Counter(chain(*statements)) == Counter(chain(*tables))
    for own in tables:
        assert [one for statement in statements for one in statement if one in own] == own


@given(batches())
def test_a_statement_is_of_one_snapshot_and_names_no_table_twice(tables: list[Jobs]) -> None:
    for statement in statements_of(tables):
        assert len({shared(one) for one in statement}) == 1
        assert len({one.into for one in statement}) == len(statement) > 0


@given(batches(in_order=True))
def test_where_all_tables_have_one_order_each_snapshot_is_asked_once_per_number_of_replicas(
    tables: list[Jobs],
) -> None:
    assert len(list(statements_of(tables))) == len({shared(one) for one in chain(*tables)})


@given(batches())
def test_there_are_never_more_statements_than_jobs_nor_fewer_than_the_longest_table_has(tables: list[Jobs]) -> None:
    count = len(list(statements_of(tables)))
    assert max(map(len, tables), default=0) <= count <= sum(map(len, tables))
    assert count >= len({shared(one) for one in chain(*tables)})


@given(batches().filter(any), st.randoms())
def test_which_statement_is_next_does_not_hang_on_the_order_of_the_tables(tables: list[Jobs], random: Random) -> None:
    left = {number: own for number, own in enumerate(tables) if own}
    shuffled = list(left.items())
    random.shuffle(shuffled)
    assert set(next_statement(dict(shuffled))) == set(next_statement(left))
