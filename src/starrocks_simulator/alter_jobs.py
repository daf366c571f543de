"""Schema change jobs as ALTER TABLE starts them (O2§y4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import duckdb

from starrocks_simulator.alter_target import Target
from starrocks_simulator.catalog import SchemaJob, Table, TableState
from starrocks_simulator.errors import refused


def check_no_temp(table: Table) -> None:
    """Refuse a schema change of a table with temporary partitions, also with ghosts (O2§y5)."""
    if table.temp_partitions or table.ghosts:
        raise refused("Can not alter table when there are temp partitions in table")


def record_change(target: Target, *, fast: bool, apply: Callable[[float], None] | None = None) -> None:
    """Write down a schema change: at once FINISHED if it is fast, else PENDING until the ticks have moved it.

    Args:
        target: What is changed.
        fast: Whether it is done at once: fast schema evolution.
        apply: The change itself, called when the job ends.
    """
    table = target.table
    table.schema_version += 1
    job = new_job(target, "COLUMN", target.frontend.catalog.new_id())
    if fast:
        job.transaction_id = target.frontend.catalog.new_transaction()
        if apply is not None:
            apply(target.frontend.now())
        target.frontend.schema_changes.record(target.database.id, job)
        return
    table.schema_hash = zlib.crc32(f"{table.id}:{table.schema_version}".encode()) % 2**31
    job.schema_version = f"{table.schema_version}:{table.schema_hash}"
    job.index_id = target.frontend.catalog.new_id()
    job.state, job.finish_time, job.timeout = "PENDING", None, 86_400

    def finish(now: float) -> None:
        table.index_id = job.index_id
        if apply is not None:
            apply(now)

    start_job(target, job, TableState.SCHEMA_CHANGE, finish)


def start_job(
    target: Target,
    job: SchemaJob,
    state: TableState,
    finish: Callable[[float], None],
    start: Callable[[SchemaJob], None] | None = None,
) -> None:
    """Let a PENDING job hold the table until the ticks have moved it to its end."""
    table = target.table
    table.state = state

    def end(now: float) -> None:
        table.state = TableState.NORMAL
        try:
            finish(now)
        except duckdb.Error as error:
            job.state, job.message = "CANCELLED", str(error).splitlines()[0]

    tablets = sum(partition.buckets for partition in table.shown_partitions())
    target.frontend.schema_changes.record(target.database.id, job, end, start=start, progress=f"{tablets}/{tablets}")


def new_job(target: Target, kind: str, job_id: int) -> SchemaJob:
    """A FINISHED job as of now; whoever makes it changes what is different."""
    table, now = target.table, int(target.frontend.now())
    return SchemaJob(
        kind=kind,
        id=job_id,
        table_id=table.id,
        table_name=table.name,
        create_time=now,
        name=table.name,
        index_id=table.index_id,
        origin_index_id=table.index_id,
        schema_version=f"{table.schema_version}:{table.schema_hash}",
        finish_time=now,
    )


def record_properties(target: Target, apply: Callable[[float], None]) -> None:
    """A property whose change rewrites the data, as bloom_filter_columns does."""
    record_change(target, fast=False, apply=apply)


def record_optimize(
    target: Target, text: str, start: Callable[[SchemaJob], None], finish: Callable[[float], None]
) -> None:
    """ALTER TABLE DISTRIBUTED BY: an OPTIMIZE job, with what happens when it starts to run and when it ends."""
    job = new_job(target, "OPTIMIZE", target.frontend.catalog.new_id())
    job.name, job.state, job.finish_time, job.timeout = text, "PENDING", None, 86_400
    start_job(target, job, TableState.OPTIMIZE, finish, start)
