"""The tables of the ops database, for SQLAlchemy Core to write and read.

Vendor text stays with `adapters/starrocks`: these are for INSERT, UPDATE and SELECT only, never for CREATE TABLE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import frozen
from sqlalchemy import BigInteger, Column, DateTime, Dialect, Integer, MetaData, String, Table, quoted_name
from sqlalchemy.types import TypeDecorator, TypeEngine

from starrocks_br.domain.names import DatabaseName

MAX_ROWS: Final = 10_000
"""Rows of one INSERT … VALUES, and values of one IN, that the server takes (`expr_children_limit`, O2§y9)."""

MAX_DDL: Final = 1_048_576
"""Bytes of `schema_ddl`, the widest VARCHAR there is (O2§y9). Half a statement is of no use: longer ones stay out."""

MAX_MESSAGE: Final = 4096
"""Bytes of `error_message` and `message`; StarRocks counts VARCHAR in bytes (R§12.2)."""

T = TypeVar("T")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime outside, a naive one in UTC on the wire, where the session's zone is +00:00."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the wire. Raises ValueError for a naive one: nobody could say what it means."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the wire. What is no datetime is handed on as it is: whoever reads the row says which field it was."""
        del dialect
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


@frozen(kw_only=True)
class OpsTables:
    """Both tables, by their full names."""

    backup_history: Table
    restore_history: Table


def ops_tables(ops: DatabaseName) -> OpsTables:
    """Describe the tables of one ops database.

    The database is a part of their names, so nothing depends on `USE`, which a reconnect would forget, and which
    fails before `init`. Core would then qualify columns as `ops.t.c`, which not every server version was seen to take
    in UPDATE: statements name columns bare, or through an alias.
    """
    metadata, schema = MetaData(), quoted_name(ops, quote=True)
    return OpsTables(
        backup_history=Table(quoted_name("backup_history", quote=True), metadata, *_backup_columns(), schema=schema),
        restore_history=Table(quoted_name("restore_history", quote=True), metadata, *_restore_columns(), schema=schema),
    )


def _backup_columns() -> list[Column[Any]]:
    return [
        _column("label", String, primary_key=True),
        _column("seq", Integer, primary_key=True),
        _column("row_count", Integer),
        *_texts("run_id", "cluster_id", "repository", "database_name", "table_name"),
        _column("table_id", BigInteger),
        *_texts("backup_type", "status", "baseline_label"),
        *_times("created_at", "submitted_at", "not_before", "snapshot_at", "finished_at"),
        *_texts("backup_timestamp", "schema_fingerprint"),
        _column("schema_job_id", BigInteger),
        *_texts("partitions_json", "consistency"),
        _column("captured_partitions", Integer),
        _column("dropped_partitions", Integer),
        _column("captured_bytes", BigInteger),
        *_texts("error_code", "error_message", "tool_version", "schema_ddl"),
        *_times("updated_at"),
    ]


def _restore_columns() -> list[Column[Any]]:
    return [
        _column("restore_id", String, primary_key=True),
        _column("step", Integer, primary_key=True),
        *_texts("cluster_id", "repository", "database_name", "table_name", "alias", "action", "detail_json", "status"),
        _column("table_id", BigInteger),
        *_texts("message"),
        *_times("created_at", "updated_at"),
        *_texts("tool_version"),
    ]


def _column(name: str, kind: type[TypeEngine[Any]], *, primary_key: bool = False) -> Column[Any]:
    """Always in backticks: which words are reserved differs from MySQL to StarRocks and from version to version."""
    return Column(quoted_name(name, quote=True), kind, primary_key=primary_key, autoincrement=False)


def _texts(*names: str) -> list[Column[Any]]:
    return [_column(name, String) for name in names]


def _times(*names: str) -> list[Column[Any]]:
    return [_column(name, UtcDateTime) for name in names]


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one statement takes."""
    for start in range(0, len(items), MAX_ROWS):
        yield items[start : start + MAX_ROWS]


def chunks_of_groups(groups: Iterable[Sequence[T]]) -> Iterator[Sequence[T]]:
    """As many at a time as one statement takes, and no group divided but one that does not fit into a statement."""
    part: list[T] = []
    for group in groups:
        if len(part) + len(group) > MAX_ROWS:
            yield from chunks(part)
            part = []
        part += group
    yield from chunks(part)


def cut_to_bytes(text: str, limit: int = MAX_MESSAGE) -> str:
    """As much of the text as fits into so many bytes of UTF-8, never half a character."""
    return text.encode()[:limit].decode(errors="ignore")
