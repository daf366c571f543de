"""Laws of stored documents: what is written is read back; what was changed since is an error that says where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.adapters.partition_documents import dumps_partitions, loads_partitions
from starrocks_br.adapters.step_documents import dumps_step, loads_step
from starrocks_br.domain.errors import InvalidName
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, TableName, TableRef, table_name
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropTable,
    NewPartition,
    PauseTtl,
    Reading,
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.domain.snapshot import Captured, Entry
from tests.contract.recorded import entry, snapshot

T = TypeVar("T")


def _is_name(text: str) -> bool:
    try:
        table_name(text)
    except InvalidName:
        return False
    return True


numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
table_names = texts.filter(_is_name).map(TableName)
names = table_names.map(PartitionName)
identities: st.SearchStrategy[Identity] = st.frozensets(st.tuples(numbers, numbers, numbers), max_size=3)
tables = st.builds(TableRef, st.sampled_from([DatabaseName("db1"), DatabaseName("_x y")]), table_names)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Entries with all kinds of partitions."""
    partition = st.builds(
        Partition,
        name=names,
        identity=identities,
        values=texts,
        buckets=numbers,
        replication_num=numbers,
        rows=st.none() | numbers,
        size=st.none() | numbers,
        hole=st.booleans(),
    )
    captured = draw(st.lists(st.builds(Captured, partition=partition, after=st.none() | identities), max_size=6))
    return evolve(
        entry(snapshot("l1")),
        captured={one.partition.name: one for one in captured},
        dropped=draw(st.frozensets(names, max_size=6)),
        digest=draw(texts),
        partitioning=draw(st.sampled_from(Partitioning)),
        automatic=draw(st.booleans()),
    )


new_partitions = st.lists(
    st.builds(
        NewPartition,
        name=names,
        values=st.lists(st.lists(texts, max_size=2).map(tuple), max_size=2).map(tuple),
        buckets=numbers,
    ),
    max_size=3,
).map(tuple)
listed = st.lists(names, max_size=4).map(tuple)

steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(CreateDatabase, database=st.just(DatabaseName("db1"))),
    st.builds(
        RestorePartitions,
        label=st.sampled_from([Label("l1"), Label("-_-")]),
        backup_timestamp=texts,
        source=table_names,
        into=tables,
        creating=st.booleans(),
        partitions=st.none() | st.lists(names, max_size=4).map(tuple),
        automatic=st.booleans(),
        replication_num=numbers,
        size=st.none() | numbers,
    ),
    st.builds(CheckRestored, table=tables, created=st.booleans()),
    st.builds(PauseTtl, table=tables, properties=st.dictionaries(texts, texts, max_size=3)),
    st.builds(Rename, table=tables, to=table_names),
    st.builds(
        AddPartitions,
        table=tables,
        partitions=new_partitions,
        replication_num=numbers,
    ),
    st.builds(RepairHole, table=tables, partition=names, version=numbers),
    st.builds(DropTable, table=tables),
    st.builds(Verify, table=tables, source=tables, point=st.just(Label("l1")), reading=st.sampled_from(Reading)),
    st.builds(SetAside, table=tables, to=table_names, table_id=numbers),
    st.builds(Swap, table=tables, restored=table_names, table_id=numbers),
    st.builds(
        CopyPartitions,
        scratch=tables,
        table=tables,
        partitions=listed,
        automatic=st.booleans(),
        addable=new_partitions,
        replication_num=numbers,
    ),
    st.builds(CreateTable, table=tables, ddl=texts, replication_num=numbers, wanted=listed, addable=new_partitions),
)


def _where(documents: list[str]) -> list[str]:
    return [f"row (l1, {number}), field partitions_json" for number in range(len(documents))]


@given(entries(), st.integers(1, 400))
def test_what_is_written_of_partitions_is_read_back_however_it_was_cut(one: Entry, limit: int) -> None:
    """`loads(dumps(x)) == x`, from one document or from many."""
    documents = list(dumps_partitions(one, limit))

    found = loads_partitions(documents, _where(documents))

    assert (found.captured, found.dropped) == (one.captured, one.dropped)
    assert (found.digest, found.partitioning, found.automatic) == (one.digest, one.partitioning, one.automatic)


@given(entries())
def test_the_same_partitions_make_the_same_document_whatever_their_order(one: Entry) -> None:
    """Compact, sorted, pure ASCII, so that characters are bytes."""
    turned = evolve(one, captured=dict(reversed([*one.captured.items()])))

    (document,) = dumps_partitions(one)

    assert list(dumps_partitions(turned)) == [document]
    assert document.isascii()
    assert len(document) == len(json.dumps(json.loads(document), separators=(",", ":")))


@given(entries(), st.integers(1, 400), st.data())
def test_a_document_that_was_cut_is_an_error_that_names_its_row_and_field(
    one: Entry, limit: int, data: st.DataObject
) -> None:
    """As a column that is too narrow would cut it."""
    documents = list(dumps_partitions(one, limit))
    number = data.draw(st.integers(0, len(documents) - 1))
    documents[number] = documents[number][: data.draw(st.integers(0, len(documents[number]) - 1))]

    with pytest.raises(DamagedDocument, match=rf"row \(l1, {number}\), field partitions_json: "):
        loads_partitions(documents, _where(documents))


@given(steps)
def test_what_is_written_of_a_step_is_read_back(step: Step) -> None:
    """Whatever kind of step it is."""
    assert loads_step(dumps_step(step), "row (a1, 0), field detail_json") == step


_JUNK = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(steps, st.data())
def test_a_step_with_another_value_in_some_field_is_that_step_or_an_error(step: Step, data: st.DataObject) -> None:
    """A value of another type is never bent to fit: either it can be written just so, or it is refused."""
    found = json.loads(dumps_step(step))
    field = data.draw(st.sampled_from(sorted(found)))
    found[field] = data.draw(_JUNK)
    document = json.dumps(found)

    read = _attempt(lambda: loads_step(document, "row (a1, 0)"))
    if isinstance(read, DamagedDocument):
        assert read.what.startswith("row (a1, 0): ")
    else:
        assert _same(json.loads(dumps_step(read)), found)


def _attempt(load: Callable[[], T]) -> T | DamagedDocument:
    try:
        return load()
    except DamagedDocument as error:
        return error


def _same(one: object, other: object) -> bool:
    """Equal as JSON, where true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(entries(), st.data())
def test_a_partition_with_another_value_in_some_field_is_that_partition_or_an_error(
    one: Entry, data: st.DataObject
) -> None:
    """As above."""
    (document,) = dumps_partitions(one)
    found = json.loads(document)
    target = data.draw(st.sampled_from([found, *found["partitions"].values()]))
    field = data.draw(st.sampled_from(sorted(target)))
    target[field] = data.draw(_JUNK)

    read = _attempt(lambda: loads_partitions([json.dumps(found)], ["row (l1, 0)"]))
    if isinstance(read, DamagedDocument):
        assert read.what.startswith("row (l1, 0): ")
        return
    again = evolve(
        one,
        captured=read.captured,
        dropped=read.dropped,
        digest=read.digest,
        partitioning=read.partitioning,
        automatic=read.automatic,
    )
    (written,) = dumps_partitions(again)
    assert _same(_canonical(json.loads(written)), _canonical(found))


def _canonical(found: dict[str, Any]) -> dict[str, Any]:
    """Sets are written as sorted lists, and a hole only where there is one."""
    for one in found["partitions"].values():
        one["before"] = sorted({tuple(mark) for mark in one["before"]})
        one["after"] = one["after"] and sorted({tuple(mark) for mark in one["after"]})
        one["hole"] = one.get("hole", False)
    return {**found, "dropped": sorted(found["dropped"])}
