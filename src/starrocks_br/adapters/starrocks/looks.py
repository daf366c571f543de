"""One look at tables: the server's answers put together into the domain's `Observation`. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from starrocks_br.adapters.starrocks.rows import Row, flag, moment, number, records, text
from starrocks_br.adapters.starrocks.schema_jobs import SchemaChanges
from starrocks_br.domain.errors import UnsupportedServer
from starrocks_br.domain.lifetimes import lifetimes
from starrocks_br.domain.names import SHADOW_PARTITION, ClusterId, PartitionName, TableRef
from starrocks_br.domain.partitions import Identity, Observation, Partition, Partitioning, TableState
from starrocks_br.domain.ports import Rows

HIDDEN_BY_SESSION: Final = (
    "a temporary table of some session has its name, and the server does not tell their partitions apart: "
    "back it up again when that session has ended"
)

_CONFIG_FIELDS: Final = (
    "table_model",
    "primary_key",
    "partition_key",
    "distribute_key",
    "distribute_type",
    "sort_key",
)
_COLUMN_FIELDS: Final = (
    "ordinal_position",
    "column_name",
    "column_type",
    "column_key",
    "is_nullable",
    "column_default",
    "extra",
    "generation_expression",
    "column_comment",
)


def observation(
    wanted: Collection[TableRef],
    cluster: ClusterId,
    at: datetime,
    *,
    partitions: Rows,
    columns: Rows,
    configs: Rows,
    changes: SchemaChanges,
) -> Observation:
    """Put one look together out of the server's answers."""
    by_table = _by_table(partitions, "db_name", wanted)
    column_rows = _by_table(columns, "table_schema", wanted)
    tables: dict[TableRef, TableState] = {}
    unreadable: dict[TableRef, str] = {}
    for table, config in _by_table(configs, "table_schema", wanted).items():
        if len(config) > 1:
            unreadable[table] = HIDDEN_BY_SESSION
            continue
        try:
            tables[table] = _table_state(
                table,
                config[0],
                by_table.get(table, []),
                schema=fingerprint(config[0], column_rows.get(table, [])),
                schema_job=changes.of_table.get(table),
            )
        except ValueError as error:
            unreadable[table] = f"the server's description of it cannot be read: {error}"
    return Observation(cluster=cluster, at=at, tables=tables, unreadable=unreadable, newest_job=changes.newest)


def inspected(configs: Mapping[TableRef, Row], partitions: Rows) -> dict[TableRef, TableState]:
    """Tables without their schemas.

    Raises:
        UnsupportedServer: The server's description of one cannot be read.
    """
    by_table = _by_table(partitions, "db_name", configs)
    return {table: _inspected(table, config, by_table.get(table, [])) for table, config in configs.items()}


def _inspected(table: TableRef, config: Row, partitions: list[Row]) -> TableState:
    try:
        return _table_state(table, config, partitions)
    except ValueError as error:
        raise UnsupportedServer(f"the server's description of {table} cannot be read", why=str(error)) from error


def ids_by_name(configs: Rows) -> dict[str, dict[str, int]]:
    """The id of every table, by the names of its database and its own."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in records(configs):
        found[text(row, "table_schema")][text(row, "table_name")] = number(row, "table_id") or 0
    return found


def _by_table(rows: Rows, schema: str, wanted: Collection[TableRef]) -> dict[TableRef, list[Row]]:
    known: dict[tuple[object, object], TableRef] = {(table.database, table.name): table for table in wanted}
    grouped: dict[TableRef, list[Row]] = defaultdict(list)
    for row in records(rows):
        table = known.get((row[schema], row["table_name"]))
        if table is not None:
            grouped[table].append(row)
    return grouped


def _table_state(
    table: TableRef, config: Row, partitions: list[Row], *, schema: str = "", schema_job: int | None = None
) -> TableState:
    visible = [row for row in partitions if not flag(row, "is_temp")]
    named = [row for row in visible if text(row, "partition_name") != SHADOW_PARTITION]
    temporary = frozenset(PartitionName(text(row, "partition_name")) for row in partitions if flag(row, "is_temp"))
    return TableState(
        table=table,
        table_id=_required(config, "table_id"),
        partitioning=_partitioning(config, visible),
        automatic=len(named) < len(visible),
        fingerprint=schema,
        schema_job=schema_job,
        partitions=_partitions(named),
        temporary=temporary,
        ttl=lifetimes(_properties(config)),
    )


def _required(row: Row, column: str) -> int:
    value = number(row, column)
    if value is None:
        raise ValueError(f"{column.upper()} is {row.get(column)!r}")
    return value


def _partitioning(config: Row, partitions: list[Row]) -> Partitioning:
    """`[types:` is RANGE, `[[` is LIST; a table without either and without PARTITION_KEY is not divided (O§w).

    Older servers leave PARTITION_KEY of LIST tables empty, so that it counts only where there are no values.
    """
    values = [text(row, "partition_value") for row in partitions]
    if any(value.startswith("[[") for value in values):
        return Partitioning.LIST
    if any(values) or text(config, "partition_key"):
        return Partitioning.RANGE
    return Partitioning.NONE


def _partitions(rows: list[Row]) -> dict[PartitionName, Partition]:
    grouped: dict[PartitionName, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[PartitionName(text(row, "partition_name"))].append(row)
    return {name: _partition(name, parts) for name, parts in grouped.items()}


def _partition(name: PartitionName, parts: list[Row]) -> Partition:
    first = parts[0]
    return Partition(
        name=name,
        identity=_identity(parts),
        values=text(first, "partition_value"),
        buckets=number(first, "buckets") or 0,
        replication_num=number(first, "replication_num") or 1,
        rows=_total(parts, "row_count"),
        size=_total(parts, "storage_size"),
        hole=any(_required(row, "next_version") != _required(row, "visible_version") + 1 for row in parts),
    )


def _identity(parts: list[Row]) -> Identity:
    return frozenset(
        (_required(row, "partition_id"), _required(row, "visible_version"), _seconds(row)) for row in parts
    )


def _seconds(row: Row) -> int:
    at = moment(row, "visible_version_time")
    return int(at.timestamp()) if at else 0


def _total(parts: list[Row], column: str) -> int | None:
    values = [number(row, column) for row in parts]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def fingerprint(config: Row, columns: list[Row]) -> str:
    """A digest of exactly what makes RESTORE refuse, or lie, when it changes (O2§y4).

    Raises:
        ValueError: No column is told: changes would go unnoticed.
    """
    if not columns:
        raise ValueError("information_schema.columns tells none of its columns")
    shape = [[text(config, name) for name in _CONFIG_FIELDS], _properties(config).get("bloom_filter_columns", "")]
    described = sorted(
        ([text(row, name) for name in _COLUMN_FIELDS] for row in columns), key=lambda fields: (len(fields[0]), fields)
    )
    return hashlib.sha256(json.dumps([shape, described]).encode()).hexdigest()


def _properties(config: Row) -> dict[str, str]:
    content = json.loads(text(config, "properties") or "{}")
    if not isinstance(content, dict):
        raise ValueError("PROPERTIES is no JSON object")  # noqa: TRY004 -- a damaged answer, like any other here
    return {str(key): str(value) for key, value in content.items()}
