"""Entries as rows of `backup_history`, and back: what cannot be trusted comes out as damage, the rest is sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby, repeat
from typing import Final, TypeAlias

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.adapters.partition_documents import dumps_partitions, loads_partitions
from starrocks_br.adapters.sqlalchemy_core.fields import Fields
from starrocks_br.adapters.sqlalchemy_core.tables import MAX_DDL, cut_to_bytes
from starrocks_br.domain.names import (
    Label,
    TableRef,
    cluster_id,
    database_name,
    label_name,
    repository_name,
    run_id,
    table_name,
)
from starrocks_br.domain.snapshot import BackupType, Consistency, Damage, Entry, Outline, Reading, Snapshot
from starrocks_br.domain.status import Status

Row: TypeAlias = Mapping[str, object]

OF_THE_SNAPSHOT: Final = (
    "run_id",
    "cluster_id",
    "repository",
    "database_name",
    "status",
    "created_at",
    "submitted_at",
    "not_before",
    "snapshot_at",
    "finished_at",
    "backup_timestamp",
    "error_code",
    "error_message",
)
"""Columns that every row of a label repeats."""

OF_THE_ENTRY: Final = (
    "table_name",
    "table_id",
    "backup_type",
    "baseline_label",
    "schema_fingerprint",
    "schema_job_id",
    "consistency",
    "captured_partitions",
    "dropped_partitions",
    "captured_bytes",
)
"""Columns that every row of a label's table repeats."""

COLUMN_OF: Final[Mapping[str, str]] = {
    "submitted_at": "submitted_at",
    "not_before": "not_before",
    "snapshot_at": "snapshot_at",
    "finished_at": "finished_at",
    "backup_timestamp": "backup_timestamp",
    "error_code": "error_code",
    "error": "error_message",
}
"""Attributes of a snapshot that may be learned after the intent, each with its column."""


def rows_of(entries: Sequence[Entry], tool_version: str) -> list[dict[str, object]]:
    """All rows of one label, numbered through; a table's rows lie side by side."""
    rows = [
        {**_shared(entry), "partitions_json": text, "schema_ddl": ddl, "tool_version": tool_version}
        for entry in entries
        for text, ddl in zip(dumps_partitions(entry), chain([_ddl(entry)], repeat(None)), strict=False)
    ]
    return [{**row, "seq": seq, "row_count": len(rows)} for seq, row in enumerate(rows)]


def _ddl(entry: Entry) -> str | None:
    """Only in the first row of a table: it may be as long as a row's partitions."""
    return entry.schema_ddl if 0 < len(entry.schema_ddl.encode()) <= MAX_DDL else None


def column_value(column: str, value: object) -> object:
    """A value as it is stored: messages are cut to what their column holds."""
    return cut_to_bytes(str(value)) if column == "error_message" else value


def _shared(entry: Entry) -> dict[str, object]:
    snapshot, outline = entry.snapshot, entry.outline()
    return {
        "label": snapshot.label,
        "run_id": snapshot.run,
        "cluster_id": snapshot.cluster,
        "repository": snapshot.repository,
        "database_name": entry.table.database,
        "status": snapshot.status.value,
        "created_at": snapshot.created_at,
        **{column: column_value(column, getattr(snapshot, name)) for name, column in COLUMN_OF.items()},
        "table_name": entry.table.name,
        "table_id": entry.table_id,
        "backup_type": entry.type.value,
        "baseline_label": entry.baseline,
        "schema_fingerprint": entry.fingerprint,
        "schema_job_id": entry.schema_job,
        "consistency": entry.consistency.value,
        "captured_partitions": outline.captured,
        "dropped_partitions": outline.dropped,
        "captured_bytes": outline.size,
    }


def read_entries(rows: Iterable[Row], table: TableRef | None = None) -> Reading:
    """Make entries of whole labels.

    Args:
        rows: All rows of some labels, by label and seq.
        table: Only this table's are wanted; None: all.
    """
    entries: list[Entry] = []
    damages: list[Damage] = []
    for label, own in groupby(rows, key=lambda row: str(row["label"])):
        try:
            parts = _complete(list(own))
            snapshot = read_snapshot(parts[0])
        except DamagedDocument as error:
            damages.append(Damage(label=label, table="", problem=error.what))
            continue
        tables: dict[str, list[Row]] = {}
        for row in parts:
            tables.setdefault(str(row["table_name"]), []).append(row)
        for name, mine in tables.items():
            if table is not None and (snapshot.database, name) != (table.database, table.name):
                continue
            try:
                entries.append(_entry(snapshot, mine))
            except DamagedDocument as error:
                damages.append(Damage(label=label, table=f"{snapshot.database}.{name}", problem=error.what))
    return Reading(entries=tuple(entries), damages=tuple(damages))


def where(row: Row) -> str:
    """How a row is named to people."""
    return f"row ({row['label']}, {row['seq']})"


def _complete(rows: list[Row]) -> list[Row]:
    """The label's rows without what a shorter conclusion left behind; a torn label is damage."""
    head = rows[0]
    if head["seq"] != 0:
        raise Fields(head, where(head)).damaged("seq", "the label's first row is missing")
    wanted = Fields(head, where(head)).number("row_count")
    found = [row for row in rows if isinstance(row["seq"], int) and row["seq"] < wanted]
    if len(found) != wanted:
        raise Fields(head, where(head)).damaged("row_count", f"{len(found)} of {wanted} rows are there")
    for row in found:
        _agree(row, head, ("row_count", *OF_THE_SNAPSHOT))
    return found


def _agree(row: Row, head: Row, columns: Sequence[str]) -> None:
    for column in columns:
        if row[column] != head[column]:
            raise Fields(row, where(row)).damaged(column, f"it is not the same as in {where(head)}")


def read_snapshot(row: Row) -> Snapshot:
    """The snapshot that a row belongs to. Raises DamagedDocument."""
    fields = Fields(row, where(row))
    return Snapshot(
        label=fields.name("label", label_name),
        run=fields.name("run_id", run_id),
        cluster=fields.name("cluster_id", cluster_id),
        repository=fields.name("repository", repository_name),
        database=fields.name("database_name", database_name),
        status=fields.word("status", Status),
        created_at=fields.moment("created_at"),
        submitted_at=_moment(fields, "submitted_at"),
        not_before=_moment(fields, "not_before"),
        snapshot_at=_moment(fields, "snapshot_at"),
        finished_at=_moment(fields, "finished_at"),
        backup_timestamp=fields.optional("backup_timestamp", fields.text),
        error_code=fields.optional("error_code", fields.text) or "",
        error=fields.optional("error_message", fields.text) or "",
    )


def _moment(fields: Fields, column: str) -> datetime | None:
    return fields.optional(column, fields.moment)


def read_outline(row: Row, snapshot: Snapshot) -> Outline:
    """One table's part, without its partitions. Raises DamagedDocument."""
    fields = Fields(row, where(row))
    return Outline(
        snapshot=snapshot,
        table=TableRef(snapshot.database, fields.name("table_name", table_name)),
        type=fields.word("backup_type", BackupType),
        baseline=_baseline(fields),
        table_id=fields.number("table_id"),
        consistency=fields.word("consistency", Consistency),
        captured=fields.number("captured_partitions"),
        dropped=fields.number("dropped_partitions"),
        size=fields.optional("captured_bytes", fields.number),
    )


def _baseline(fields: Fields) -> Label | None:
    return fields.optional("baseline_label", lambda column: fields.name(column, label_name))


def _entry(snapshot: Snapshot, rows: Sequence[Row]) -> Entry:
    head = rows[0]
    fields = Fields(head, where(head))
    for row in rows:
        _agree(row, head, OF_THE_ENTRY)
    outline = read_outline(head, snapshot)
    texts = [Fields(row, where(row)).text("partitions_json") for row in rows]
    document = loads_partitions(texts, [f"{where(row)}, field partitions_json" for row in rows])
    if (len(document.captured), len(document.dropped)) != (outline.captured, outline.dropped):
        raise fields.damaged("partitions_json", "it holds another number of partitions than was recorded")
    return Entry(
        snapshot=snapshot,
        table=outline.table,
        type=outline.type,
        baseline=outline.baseline,
        table_id=outline.table_id,
        fingerprint=fields.text("schema_fingerprint"),
        schema_job=fields.optional("schema_job_id", fields.number),
        digest=document.digest,
        captured=document.captured,
        dropped=document.dropped,
        automatic=document.automatic,
        partitioning=document.partitioning,
        consistency=outline.consistency,
        schema_ddl=fields.optional("schema_ddl", fields.text) or "",
    )
