"""One look at tables, put together from what a running frontend answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from starrocks_br.adapters.starrocks import looks
from starrocks_br.adapters.starrocks.schema_jobs import SchemaChanges
from starrocks_br.domain.names import ClusterId, DatabaseName, PartitionName, TableRef
from starrocks_br.domain.partitions import Observation, Partitioning, TableState
from starrocks_br.domain.ports import Rows
from starrocks_br.domain.restore_steps import TTL_OFF

T = TableRef.parse("sl.t")
AT = datetime(2026, 11, 22, 10, 36, tzinfo=UTC)
RANGE_VALUE = "[types: [DATE]; keys: [2024-01-01]; ..types: [DATE]; keys: [2024-01-02]; )"
PARTITION: dict[str, Any] = {
    "DB_NAME": "sl",
    "TABLE_NAME": "t",
    "PARTITION_NAME": "p1",
    "PARTITION_ID": 10386,
    "VISIBLE_VERSION": 3,
    "VISIBLE_VERSION_TIME": datetime(2026, 11, 22, 10, 35, 40),  # noqa: DTZ001 -- as drivers give it
    "NEXT_VERSION": 4,
    "PARTITION_VALUE": RANGE_VALUE,
    "BUCKETS": 2,
    "REPLICATION_NUM": 1,
    "IS_TEMP": 0,
    "ROW_COUNT": 7,
    "STORAGE_SIZE": 100,
}
PROPERTIES = {"compression": "LZ4", "replication_num": "1"}
CONFIG: dict[str, Any] = {
    "TABLE_SCHEMA": "sl",
    "TABLE_NAME": "t",
    "TABLE_ENGINE": "OLAP",
    "TABLE_MODEL": "DUP_KEYS",
    "PRIMARY_KEY": "",
    "PARTITION_KEY": "`dt`",
    "DISTRIBUTE_KEY": "`id`",
    "DISTRIBUTE_TYPE": "HASH",
    "SORT_KEY": "`id`",
    "PROPERTIES": json.dumps(PROPERTIES),
    "TABLE_ID": 13519,
}
COLUMN: dict[str, Any] = {
    "TABLE_SCHEMA": "sl",
    "TABLE_NAME": "t",
    "COLUMN_NAME": "id",
    "ORDINAL_POSITION": 1,
    "COLUMN_TYPE": "int(11)",
    "COLUMN_KEY": "DUP",
    "IS_NULLABLE": "NO",
    "COLUMN_DEFAULT": None,
    "EXTRA": "",
    "GENERATION_EXPRESSION": None,
    "COLUMN_COMMENT": "",
}


def answer(template: dict[str, Any], *changes: dict[str, Any]) -> Rows:
    """Rows that differ from the template."""
    return Rows(columns=tuple(template), rows=tuple(tuple({**template, **change}.values()) for change in changes))


def look(
    partitions: Rows | None = None,
    columns: Rows | None = None,
    configs: Rows | None = None,
    changes: SchemaChanges | None = None,
) -> Observation:
    """A look at one table."""
    return looks.observation(
        [T],
        ClusterId("1"),
        AT,
        partitions=answer(PARTITION, {}) if partitions is None else partitions,
        columns=answer(COLUMN, {}) if columns is None else columns,
        configs=answer(CONFIG, {}) if configs is None else configs,
        changes=changes or SchemaChanges(),
    )


def seen(**answers: Any) -> TableState:
    """The one table of a look."""
    return look(**answers).tables[T]


def test_a_partition_is_known_by_id_version_and_time() -> None:
    partition = seen().partitions[PartitionName("p1")]
    assert partition.identity == {(10386, 3, int(datetime(2026, 11, 22, 10, 35, 40, tzinfo=UTC).timestamp()))}
    assert (partition.values, partition.buckets, partition.rows, partition.size) == (RANGE_VALUE, 2, 7, 100)
    assert not partition.hole


def test_the_look_tells_cluster_time_and_table() -> None:
    found = look()
    assert (found.cluster, found.at, found.unreadable) == ("1", AT, {})
    assert (seen().table_id, seen().partitioning, seen().automatic) == (13519, Partitioning.RANGE, False)


def test_a_partition_without_a_time_is_still_told_apart() -> None:
    partition = seen(partitions=answer(PARTITION, {"VISIBLE_VERSION_TIME": None})).partitions[PartitionName("p1")]
    assert partition.identity == {(10386, 3, 0)}


def test_the_parts_of_a_grown_partition_belong_together() -> None:
    grown = answer(PARTITION, {}, {"PARTITION_ID": 10999, "VISIBLE_VERSION": 2, "NEXT_VERSION": 3})
    partition = seen(partitions=grown).partitions[PartitionName("p1")]
    assert partition.grown
    assert (len(partition.identity), partition.rows, partition.size) == (2, 14, 200)


def test_sizes_that_are_not_told_are_unknown() -> None:
    unknown = answer({name: value for name, value in PARTITION.items() if name != "STORAGE_SIZE"}, {"ROW_COUNT": None})
    partition = seen(partitions=unknown).partitions[PartitionName("p1")]
    assert (partition.rows, partition.size) == (None, None)


def test_a_next_version_that_does_not_follow_is_a_hole() -> None:
    assert seen(partitions=answer(PARTITION, {"NEXT_VERSION": 6})).partitions[PartitionName("p1")].hole


def test_temporary_partitions_are_kept_apart() -> None:
    state = seen(partitions=answer(PARTITION, {}, {"PARTITION_NAME": "tp", "IS_TEMP": 1}))
    assert set(state.partitions) == {"p1"}
    assert state.temporary == {"tp"}


def test_the_hidden_partition_tells_that_partitions_make_themselves() -> None:
    state = seen(partitions=answer(PARTITION, {}, {"PARTITION_NAME": "$shadow_automatic_partition"}))
    assert (set(state.partitions), state.automatic) == ({"p1"}, True)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("`dt`", RANGE_VALUE, Partitioning.RANGE),
        ("`c`", '[["a"],["b"]]', Partitioning.LIST),
        ("", "", Partitioning.NONE),
        ("", '[["a"],["b"]]', Partitioning.LIST),
    ],
)
def test_how_a_table_is_divided_shows_in_the_form_of_its_values(key: str, value: str, wanted: Partitioning) -> None:
    configs, partitions = answer(CONFIG, {"PARTITION_KEY": key}), answer(PARTITION, {"PARTITION_VALUE": value})
    assert seen(configs=configs, partitions=partitions).partitioning is wanted


def test_a_table_without_partitions_exists_all_the_same() -> None:
    assert seen(partitions=answer(PARTITION)).partitions == {}


def test_what_was_not_asked_for_is_left_out() -> None:
    found = look(configs=answer(CONFIG, {}, {"TABLE_NAME": "u"}))
    assert set(found.tables) == {T}


def test_a_table_that_is_gone_is_neither_seen_nor_unreadable() -> None:
    found = look(configs=answer(CONFIG))
    assert (found.tables, found.unreadable) == ({}, {})


@pytest.mark.parametrize(
    "answers",
    [
        {"configs": answer(CONFIG, {"TABLE_ID": None})},
        {"configs": answer(CONFIG, {"PROPERTIES": "{"})},
        {"configs": answer(CONFIG, {"PROPERTIES": "[]"})},
        {"partitions": answer(PARTITION, {"VISIBLE_VERSION": None})},
        {"partitions": answer(PARTITION, {"NEXT_VERSION": None})},
        {"partitions": answer(PARTITION, {"PARTITION_ID": "x"})},
        {"columns": answer(COLUMN)},
    ],
)
def test_a_description_that_cannot_be_read_makes_the_table_unreadable_not_absent(answers: dict[str, Any]) -> None:
    found = look(**answers)
    assert found.tables == {}
    assert "cannot be read" in found.unreadable[T]


CHANGES: dict[str, dict[str, Rows]] = {
    "model": {"configs": answer(CONFIG, {"TABLE_MODEL": "AGG_KEYS"})},
    "sort key": {"configs": answer(CONFIG, {"SORT_KEY": "`dt`"})},
    "distribution": {"configs": answer(CONFIG, {"DISTRIBUTE_KEY": "`dt`"})},
    "bloom filter": {
        "configs": answer(CONFIG, {"PROPERTIES": json.dumps({**PROPERTIES, "bloom_filter_columns": "id"})})
    },
    "column type": {"columns": answer(COLUMN, {"COLUMN_TYPE": "bigint(20)"})},
    "nullability": {"columns": answer(COLUMN, {"IS_NULLABLE": "YES"})},
    "default": {"columns": answer(COLUMN, {"COLUMN_DEFAULT": "5"})},
    "comment": {"columns": answer(COLUMN, {"COLUMN_COMMENT": "x"})},
    "another column": {"columns": answer(COLUMN, {}, {"COLUMN_NAME": "v", "ORDINAL_POSITION": 2})},
}


@pytest.mark.parametrize("answers", CHANGES.values(), ids=CHANGES.keys())
def test_what_makes_restore_refuse_or_lie_changes_the_fingerprint(answers: dict[str, Rows]) -> None:
    assert seen(**answers).fingerprint != seen().fingerprint


def test_other_properties_and_the_order_of_rows_do_not_change_the_fingerprint() -> None:
    several = [{"COLUMN_NAME": f"c{number}", "ORDINAL_POSITION": number} for number in range(1, 12)]
    forth, back = answer(COLUMN, *several), answer(COLUMN, *reversed(several))
    other = answer(CONFIG, {"PROPERTIES": json.dumps({**PROPERTIES, "compression": "ZSTD"})})
    assert seen(columns=forth).fingerprint == seen(columns=back, configs=other).fingerprint


def test_properties_by_which_the_server_drops_partitions_are_told() -> None:
    """R§7.6; all of them but those that are switched off."""
    lifetimes = {
        "dynamic_partition.enable": "true",
        "partition_live_number": "3",
        "partition_retention_condition": "dt >= current_date() - INTERVAL 3 MONTH",
        "partition_ttl": "3 month",
    }
    on = answer(CONFIG, {"PROPERTIES": json.dumps({**PROPERTIES, **lifetimes})})
    assert seen(configs=on).ttl == lifetimes
    off = {**TTL_OFF, "dynamic_partition.enable": "FALSE"}
    assert seen(configs=answer(CONFIG, {"PROPERTIES": json.dumps({**PROPERTIES, **off})})).ttl == {}


def test_an_inspection_leaves_the_schema_out() -> None:
    config = {name.lower(): value for name, value in CONFIG.items()}
    state = looks.inspected({T: config}, answer(PARTITION, {}))[T]
    assert (state.partitions, state.fingerprint) == (seen().partitions, "")


def test_a_look_tells_the_schema_changes_of_tables_and_databases() -> None:
    found = look(changes=SchemaChanges(of_table={T: 12306}, newest={DatabaseName("sl"): 12310}))
    assert (found.tables[T].schema_job, found.newest_job) == (12306, {"sl": 12310})
    assert (seen().schema_job, look().newest_job) == (None, {})
