"""Stored documents: their form, and each way in which they can be damaged."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from attrs import evolve

from starrocks_br.adapters.documents import MAX_BYTES, PART_BYTES, DamagedDocument
from starrocks_br.adapters.partition_documents import dumps_partitions, loads_partitions
from starrocks_br.adapters.step_documents import dumps_step, loads_step, loads_total
from starrocks_br.domain.names import Label, PartitionName, TableName, TableRef
from starrocks_br.domain.restore_steps import CreateDatabase, PauseTtl, RestorePartitions
from tests.contract.recorded import captured, entry, snapshot

WHERE = "row (l1, 0), field partitions_json"
ENTRY = entry(snapshot("l1"), dropped=frozenset({PartitionName("p9")}))


def _document() -> dict[str, Any]:
    (text,) = dumps_partitions(ENTRY)
    found: dict[str, Any] = json.loads(text)
    return found


def test_partitions_are_written_in_format_1() -> None:
    """The form that stands in the design: other programs may read it."""
    assert _document() == {
        "format": 1,
        "digest": "d" * 32,
        "partitioning": "list",
        "automatic": True,
        "dropped": ["p9"],
        "partitions": {
            "p1": {
                "before": [[100, 2, 1_700_000_000], [200, 3, 1_700_000_000]],
                "after": None,
                "rows": None,
                "bytes": 0,
                "buckets": 2,
                "replication": 3,
                "values": '[["p1"],["é"]]',
            },
            "p2": {
                "before": [[101, 2, 1_700_000_000], [201, 3, 1_700_000_000]],
                "after": None,
                "rows": 1,
                "bytes": 10,
                "buckets": 2,
                "replication": 3,
                "values": '[["p2"],["é"]]',
                "hole": True,
            },
        },
    }


def _set(path: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for name in way:
            document = document[name]
        document[last] = value

    return change


def _drop(path: str) -> Any:
    def change(document: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for name in way:
            document = document[name]
        del document[last]

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("format", 2), "2 is not 1"),
        (_set("format", "1"), "'1' is not 1"),
        (_set("format", value=True), "True is not 1"),
        (_set("digest", 7), "7 is no str @ .digest"),
        (_set("automatic", 1), "1 is no bool @ .automatic"),
        (_set("partitioning", "hash"), "'hash' is not a valid Partitioning @ .partitioning"),
        (_set("dropped", "p9"), "'p9' is no list @ .dropped"),
        (_set("dropped", ["`"]), "'`' is not a partition name that can be used @ .dropped"),
        (_set("dropped", [7]), "7 is no str @ .dropped"),
        (_set("dropped", ["p9", "p9"]), "a partition is recorded twice"),
        (_set("surprise", 1), "unknown fields surprise"),
        (_set("partitions", []), "[] is no dict"),
        (_set("partitions", {"": {}}), "'' is not a partition name that can be used"),
        (_set("partitions/p1", None), "None is no dict"),
        (_set("partitions/p1", {}), "partition 'p1' has not the fields after, before"),
        (_set("partitions/p1/surprise", 1), "partition 'p1' has not the fields after, before"),
        (_set("partitions/p1/buckets", "2"), "partition 'p1' has a field of a wrong type"),
        (_set("partitions/p1/buckets", value=True), "partition 'p1' has a field of a wrong type"),
        (_set("partitions/p1/values", None), "partition 'p1' has a field of a wrong type"),
        (_set("partitions/p1/hole", 1), "partition 'p1' has a field of a wrong type"),
        (_set("partitions/p1/before", None), "partition 'p1' has a field of a wrong type"),
        (_set("partitions/p1/before", [[1, 2]]), "partition 'p1': [[1, 2]] is no list of physical id, version"),
        (_set("partitions/p1/before", [7]), "partition 'p1': [7] is no list of physical id, version"),
        (_set("partitions/p1/after", [[1, 2, "3"]]), "partition 'p1': [[1, 2, '3']] is no list of physical id"),
        (_set("partitions/p1/before", [[1, 2, True]]), "partition 'p1': [[1, 2, True]] is no list of physical id"),
        (_drop("partitions"), "'partitions' is missing or unknown"),
        (_drop("digest"), "'digest' is missing or unknown"),
    ],
)
def test_a_damaged_document_is_told_with_row_and_field(change: Any, words: str) -> None:
    """Nothing is guessed, nothing is bent to fit."""
    document = _document()
    change(document)

    with pytest.raises(DamagedDocument) as caught:
        loads_partitions([json.dumps(document)], [WHERE])
    assert caught.value.what.startswith(f"{WHERE}: {words}")


def test_a_field_that_changed_its_name_is_missing_and_unknown() -> None:
    """As many fields, and yet not those."""
    document = _document()
    document["partitions"]["p1"]["colour"] = document["partitions"]["p1"].pop("rows")

    with pytest.raises(DamagedDocument, match="'rows' is missing or unknown"):
        loads_partitions([json.dumps(document)], [WHERE])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[]", "[] is no dict"),
        ('{"format": NaN}', "NaN is no whole number"),
        ('{"format": 1.0}', "1.0 is no whole number"),
        ('{"format": 1e3}', "1e3 is no whole number"),
        ('{"format": 1, "format": 1}', "a name comes twice"),
        ('{"partitions": {"p1": {}, "p1": {}}}', "a name comes twice"),
        ("[" * 100_000, "maximum recursion depth exceeded"),
        ("9" * 10_000, "Exceeds the limit"),
    ],
)
def test_what_is_no_document_at_all_is_told_with_row_and_field(text: str, words: str) -> None:
    """However strange."""
    with pytest.raises(DamagedDocument) as caught:
        loads_partitions([text], [WHERE])
    assert caught.value.what.startswith(f"{WHERE}: {words}")


def _parts() -> list[dict[str, Any]]:
    texts = dumps_partitions(entry(snapshot("l1"), captured=captured("p1", "p2"), dropped=ENTRY.dropped), 1)
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("digest", "e" * 32, "it does not belong to the row before it"),
        ("partitioning", "range", "it does not belong to the row before it"),
        ("automatic", False, "it does not belong to the row before it"),
        ("partitions", None, "a partition is recorded twice"),
        ("dropped", ["p9"], "a partition is recorded twice"),
    ],
)
def test_parts_that_do_not_fit_together_are_damage(field: str, value: object, words: str) -> None:
    """A part of another entry, or the same part twice."""
    parts = _parts()
    assert len(parts) == 3
    parts[1][field] = parts[0]["partitions"] if value is None else value
    number = 2 if field == "dropped" else 1

    with pytest.raises(DamagedDocument) as caught:
        loads_partitions([json.dumps(part) for part in parts], ["row 0", "row 1", "row 2"])
    assert caught.value.what == f"row {number}: {words}"


def test_a_table_of_many_partitions_is_cut_into_documents_that_fit() -> None:
    """About a million bytes each, never more than a VARCHAR holds; names of any script count as they are written."""
    many = entry(snapshot("l1"), captured=captured(*(f"分区{number:05}" for number in range(12_000))))

    documents = list(dumps_partitions(many))

    assert len(documents) == 3
    assert all(0.3 * PART_BYTES < len(document.encode()) < MAX_BYTES for document in documents)
    assert loads_partitions(documents, ["x"] * 3).captured == many.captured


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    """Also after an error."""
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(DamagedDocument):
            loads_partitions([""], [WHERE])
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


STEP = "row (a1, 0), field detail_json"


def test_a_step_is_written_with_its_kind() -> None:
    """Told apart by the name of its class."""
    assert json.loads(dumps_step(CreateDatabase(database=TableRef.parse("d.t").database))) == {
        "kind": "CreateDatabase",
        "database": "d",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "it is no step"),
        ('{"kind": ["x"]}', "it is no step"),
        ('{"database": "d"}', "it is no step"),
        ('{"kind": "Explode"}', "'Explode' is missing or unknown"),
        ('{"kind": "CreateDatabase"}', "'database' is missing or unknown @ .database"),
        ('{"kind": "CreateDatabase", "database": "`"}', "'`' is not a database name that can be used @ .database"),
        ('{"kind": "CreateDatabase", "database": "d", "x": 1}', "unknown fields x"),
        ('{"kind": "packed"}', "'zlib' is missing or unknown"),
        ('{"kind": "packed", "zlib": 7}', "7 is no str"),
        ('{"kind": "packed", "zlib": "AAAA"}', "Error -3 while decompressing"),
        ('{"kind": "packed", "zlib": "eJw="}', "what is packed in it is cut, or too big"),
        ('{"kind": "packed", "zlib": "?"}', ""),
    ],
)
def test_a_damaged_step_is_told_with_row_and_field(text: str, words: str) -> None:
    """What to undo is never guessed."""
    with pytest.raises(DamagedDocument) as caught:
        loads_step(text, STEP)
    assert caught.value.what.startswith(f"{STEP}: {words}")


def test_a_step_tells_how_many_there_are() -> None:
    """Packed or not; what was written before steps told it does not."""
    short = CreateDatabase(database=TableRef.parse("d.t").database)
    for step in (short, _long_step()):
        text = dumps_step(step, 7)
        assert loads_total(text, STEP) == 7
        assert loads_step(text, STEP) == step
    assert loads_total(dumps_step(short), STEP) is None
    with pytest.raises(DamagedDocument, match="'7' is no int"):
        loads_total('{"kind": "CreateDatabase", "database": "d", "steps": "7"}', STEP)


def test_properties_must_be_a_mapping() -> None:
    """A list is none."""
    text = dumps_step(PauseTtl(table=TableRef.parse("d.t"), properties={"a": "b"})).replace('{"a":"b"}', "[]")
    with pytest.raises(DamagedDocument, match=r"@ \.properties"):
        loads_step(text, STEP)


def _long_step() -> RestorePartitions:
    return RestorePartitions(
        label=Label("l1"),
        backup_timestamp="2026",
        source=TableName("t"),
        into=TableRef.parse("d.t"),
        creating=False,
        partitions=tuple(PartitionName(f"p{number:09}") for number in range(100_000)),
    )


def test_a_step_that_names_very_many_partitions_is_packed_to_fit_into_its_row() -> None:
    """A journal has one row per step."""
    step = _long_step()

    text = dumps_step(step)

    assert len(text) < PART_BYTES
    assert json.loads(text)["kind"] == "packed"
    assert loads_step(text, STEP) == step
    assert json.loads(dumps_step(evolve(step, partitions=step.partitions[:3] if step.partitions else None)))[
        "kind"
    ] == ("RestorePartitions")
