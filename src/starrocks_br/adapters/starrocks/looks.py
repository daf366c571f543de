"""One look at tables: the server's answers put together into the domain's `Observation`. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from starrocks_br.adapters.starrocks.rows import Row, flag, moment, number, records, text
from starrocks_br.domain.errors import UnsupportedServer
from starrocks_br.domain.lifetimes import lifetimes
from starrocks_br.domain.names import SHADOW_PARTITION, ClusterId, DatabaseName, PartitionName, TableRef
from starrocks_br.domain.partitions import Identity, Observation, Partition, Partitioning, TableState
from starrocks_br.domain.ports import Rows

SCHEMA_JOB_ENDS: Final = frozenset({"FINISHED", "CANCELLED"})
"""States of SHOW ALTER TABLE COLUMN after which the table can be altered again (O2§y4)."""

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
    alter_jobs: Mapping[DatabaseName, Sequence[Rows]],
) -> Observation:
    """Put one look together out of the server's answers."""
    by_table = _by_table(partitions, "db_name", wanted)
    column_rows = _by_table(columns, "table_schema", wanted)
    schema_jobs = {database: _schema_jobs(answers) for database, answers in alter_jobs.items()}
    nobodys = _nobodys(schema_jobs, configs)
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
                schema_job=_newest(schema_jobs[table.database].get(table.name), nobodys.get(table.database)),
            )
        except ValueError as error:
            unreadable[table] = f"the server's description of it cannot be read: {error}"
    newest_job = {database: max(ids) for database, answers in alter_jobs.items() if (ids := _job_ids(answers))}
    return Observation(cluster=cluster, at=at, tables=tables, unreadable=unreadable, newest_job=newest_job)


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


def _job_ids(answers: Iterable[Rows]) -> list[int]:
    """Of every schema change that is told of: they only grow (O2§y4), so each later one is greater than all these."""
    ids = (number(row, "jobid") for rows in answers for row in records(rows))
    return [job for job in ids if job is not None]


def _nobodys(schema_jobs: Mapping[DatabaseName, Mapping[str, int]], configs: Rows) -> dict[DatabaseName, int]:
    """Per database the greatest JobId that a name has which no table bears now: it counts for each of its tables.

    A job is told under the name that its table had then (O2§y4). A table that was altered while it bore another name,
    and has its own again, would look as if nothing had come to it. Which one it was cannot be told, so that an altered
    table that is dropped costs the others a whole backup, too. Not seen: a change under the name of a table that lives,
    as when two tables are swapped, one of them is altered, and they are swapped back.
    """
    living = {(text(row, "table_schema"), text(row, "table_name")) for row in records(configs)}
    found = {
        database: [job for name, job in jobs.items() if (str(database), name) not in living]
        for database, jobs in schema_jobs.items()
    }
    return {database: max(jobs) for database, jobs in found.items() if jobs}


def _newest(*jobs: int | None) -> int | None:
    return max((job for job in jobs if job is not None), default=None)


def _schema_jobs(answers: Iterable[Rows]) -> dict[str, int]:
    """Per table the greatest finished JobId below the least unfinished one: that one ends after the cut."""
    finished: dict[str, list[int]] = defaultdict(list)
    unfinished: dict[str, list[int]] = defaultdict(list)
    for row in (row for rows in answers for row in records(rows)):
        state, job = text(row, "state"), number(row, "jobid")
        if job is None or state == "CANCELLED":
            continue
        (finished if state in SCHEMA_JOB_ENDS else unfinished)[text(row, "tablename")].append(job)
    found = {}
    for name, ids in finished.items():
        below = [job for job in ids if job < min(unfinished.get(name, [job + 1]))]
        if below:
            found[name] = max(below)
    return found
