"""The repository port on `ops.backup_history`: one statement per write, no transaction, nothing repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy import table as named_table

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.adapters.sqlalchemy_core.backup_rows import (
    COLUMN_OF,
    Row,
    column_value,
    read_entries,
    read_outline,
    read_snapshot,
    rows_of,
)
from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.adapters.sqlalchemy_core.store import OpsStore, bare
from starrocks_br.adapters.sqlalchemy_core.tables import chunks, ops_tables
from starrocks_br.adapters.sqlalchemy_core.timings import backup_jobs
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, RepositoryName, TableRef
from starrocks_br.domain.ports import BackupHistory
from starrocks_br.domain.snapshot import Consistency, Entry, Outline, Reading, Snapshot
from starrocks_br.domain.status import Event, Status, outcome, sources, stands_open

HEAVY: Final = frozenset({"partitions_json", "schema_ddl", "schema_fingerprint", "tool_version", "updated_at"})
"""Columns that an outline does without."""

_LARGE: Final = frozenset({"partitions_json", "schema_ddl"})
"""Columns of up to a megabyte."""


class SqlAlchemyBackupHistory(BackupHistory):
    """`ops.backup_history`.

    A label of more rows than one INSERT takes is written in several. An intent's row_count then shows a torn one; a
    conclusion is written as RUNNING, and all its rows become what they are to be with one UPDATE.

    The server compares and sets in no one statement: `keep` and `conclude` ask for the state right before they write,
    and a verdict that comes in between is written over.

    Args:
        connection: Shared with the executor.
        ops: The database of the table.
    """

    def __init__(self, connection: SingleConnection, ops: DatabaseName) -> None:
        self._store = OpsStore(connection)
        self._history = ops_tables(ops).backup_history
        self._version = version("starrocks-br")
        self._row_counts: dict[str, int] = {}

    def record(self, entries: Sequence[Entry]) -> None:  # noqa: D102 -- the port says it
        rows = rows_of(entries, self._version)
        for part in chunks(rows):
            self._insert(part)
        self._row_counts[entries[0].label] = len(rows)

    def advance(self, label: Label, event: Event, changes: Mapping[str, object]) -> bool:  # noqa: D102
        history, target = self._history, outcome(event)
        values = {COLUMN_OF[name]: column_value(COLUMN_OF[name], value) for name, value in changes.items()}
        written = self._store.write(
            update(history)
            .where(bare(history, "label") == label, bare(history, "status").in_(sorted(sources(event))))
            .values(status=target.value, **values, updated_at=func.now()),
            f"moving {label} to {target}",
        )
        return written > 0 or self._status_of(label) == {target.value}

    def keep(self, entries: Sequence[Entry]) -> None:  # noqa: D102
        if stands_open(self._status_of(entries[0].label), Event.SENT):
            self.record(entries)

    def conclude(self, entries: Sequence[Entry]) -> bool:  # noqa: D102
        if not stands_open(self._status_of(entries[0].label), Event.PROVEN):
            return False
        rows = rows_of(entries, self._version)
        if len([*chunks(rows)]) == 1:
            self._insert(rows)
        else:
            self._conclude_in_parts(rows)
        self._clear(entries[0].label, len(rows))
        return True

    def _clear(self, label: Label, rows: int) -> None:
        """Delete what a longer intent left over; readers ignore it, people who look at the table should not see it."""
        history = self._history
        if self._row_counts.get(label, rows + 1) > rows:
            self._store.write(
                delete(history).where(bare(history, "label") == label, bare(history, "seq") >= rows),
                f"tidying up after {label}",
            )

    def _conclude_in_parts(self, rows: list[dict[str, object]]) -> None:
        """The first row last: until it is there, the label reads as it did."""
        history = self._history
        for part in reversed([*chunks([{**row, "status": Status.RUNNING.value} for row in rows])]):
            self._insert(part)
        self._store.write(
            update(history)
            .where(bare(history, "label") == rows[0]["label"])
            .values(status=rows[0]["status"], updated_at=func.now()),
            f"concluding {rows[0]['label']}",
        )

    def doubt(self, label: Label, table: TableRef) -> None:  # noqa: D102
        history = self._history
        own = {"label": label, "database_name": table.database, "table_name": table.name}
        self._store.write(
            update(history)
            .where(*(bare(history, name) == value for name, value in own.items()))
            .values(consistency=Consistency.UNKNOWN.value, updated_at=func.now()),
            f"marking {label}",
        )

    def outlines(  # noqa: D102
        self, *, statuses: Collection[Status] = (), table: TableRef | None = None, limit: int | None = None
    ) -> tuple[Outline, ...]:
        rows = self._store.read(self._outline_query(statuses, table, limit), "reading the history")
        found = tuple(_sound_outlines(rows))
        if (
            limit is not None
            and len(found) < limit
            and len(found) < len({(row["label"], row["table_name"]) for row in rows})
        ):
            return self.outlines(statuses=statuses, table=table)[:limit]
        return found[:limit]

    def entries(self, labels: Collection[Label], table: TableRef | None = None) -> Reading:  # noqa: D102
        found: list[Reading] = []
        history = self._history.alias("h")
        columns = [_only(history, one, table) if table and one.key in _LARGE else one for one in history.c]
        for chunk in chunks(sorted(labels)):
            query = select(*columns).where(history.c.label.in_(chunk)).order_by(history.c.label, history.c.seq)
            found.append(read_entries(self._store.read(query, "reading the history"), table))
        return Reading(
            entries=tuple(entry for reading in found for entry in reading.entries),
            damages=tuple(damage for reading in found for damage in reading.damages),
        )

    def adopt(self, alias: TableRef, *, saved_by: Label, repository: RepositoryName) -> int:  # noqa: D102
        history = self._history
        names = self._columns_of(alias)
        other = named_table(alias.name, *(column(name) for name in names), schema=alias.database).alias("other")
        known = select(history.alias("known").c.label)
        called = self._store.read(
            select(other.c.repository).distinct().where(other.c.label == saved_by), f"reading {alias}"
        )
        ours = {str(row["repository"]): literal(repository) for row in called if row["repository"] != repository}
        values = [
            case(ours, value=one, else_=one).label(one.key) if ours and one.key == "repository" else one
            for one in other.c
        ]
        before = self._count()
        self._store.write(
            insert(history).from_select(names, select(*values).where(other.c.label.not_in(known))),
            f"taking over the rows of {alias}",
        )
        return self._count() - before

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:  # noqa: D102
        return backup_jobs(self._store, self._history, cluster)

    def _columns_of(self, other: TableRef) -> list[str]:
        """Those of our columns that another history table has: an older one lacks some."""
        shown: list[ColumnClause[str]] = [column(name) for name in ("TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME")]
        all_columns = named_table("columns", *shown, schema="information_schema").alias("c").c
        query = select(all_columns["COLUMN_NAME"].label("name")).where(
            all_columns["TABLE_SCHEMA"] == other.database, all_columns["TABLE_NAME"] == other.name
        )
        found = {row["name"] for row in self._store.read(query, f"looking at {other}")}
        return [one.key for one in self._history.columns if one.key in found]

    def _insert(self, rows: Sequence[Mapping[str, object]]) -> None:
        statement = insert(self._history).values([{**row, "updated_at": func.now()} for row in rows])
        self._store.write(statement, f"recording {rows[0]['label']}")

    def _status_of(self, label: Label) -> set[str]:
        history = self._history.alias("h")
        query = select(history.c.status).distinct().where(history.c.label == label)
        return {str(row["status"]) for row in self._store.read(query, f"reading {label}")}

    def _count(self) -> int:
        (row,) = self._store.read(select(func.count().label("rows")).select_from(self._history.alias("h")), "counting")
        return int(str(row["rows"]))

    def _outline_query(self, statuses: Collection[Status], of: TableRef | None, limit: int | None) -> Select[Any]:
        """Rows without partitions; `present` and `wanted` tell how many rows their label has and should have."""
        history = self._history.alias("h")
        whole = _label_sizes(self._history)
        query = (
            select(
                *(one for one in history.c if one.key not in HEAVY),
                whole.c.present,
                whole.c.wanted,
            )
            .join(whole, whole.c.label == history.c.label)
            .where(*_conditions(history, statuses, of))
            .order_by(history.c.created_at.desc(), history.c.snapshot_at.desc(), history.c.label.desc(), history.c.seq)
        )
        if limit is None:
            return query
        newest = _newest_labels(self._history, statuses, of, limit)
        return query.join(newest, newest.c.label == history.c.label)


def _label_sizes(history: Table) -> FromClause:
    one = history.alias("one")
    wanted = func.max(case((one.c.seq == 0, one.c.row_count)))
    return (
        select(one.c.label, func.count().label("present"), wanted.label("wanted"))
        .group_by(one.c.label)
        .subquery("whole")
    )


def _newest_labels(history: Table, statuses: Collection[Status], of: TableRef | None, limit: int) -> FromClause:
    one = history.alias("recent")
    return (
        select(one.c.label)
        .where(*_conditions(one, statuses, of))
        .group_by(one.c.label)
        .order_by(func.max(one.c.created_at).desc(), func.max(one.c.snapshot_at).desc(), one.c.label.desc())
        .limit(limit)
        .subquery("newest")
    )


def _only(history: FromClause, large: ColumnElement[Any], table: TableRef) -> ColumnElement[Any]:
    """A column of one table's rows; the other rows come without it, to show that their label is whole."""
    own = and_(history.c.database_name == table.database, history.c.table_name == table.name)
    return case((own, large), else_=None).label(large.key)


def _conditions(
    history: FromClause, statuses: Collection[Status], of: TableRef | None
) -> Iterator[ColumnElement[bool]]:
    if statuses:
        yield history.c.status.in_(sorted(statuses))
    if of is not None:
        yield history.c.database_name == of.database
        yield history.c.table_name == of.name


def _sound_outlines(rows: Iterable[Row]) -> Iterator[Outline]:
    snapshots: dict[object, Snapshot] = {}
    seen: set[tuple[object, object]] = set()
    for row in rows:
        key = (row["label"], row["table_name"])
        if key in seen or not _belongs(row):
            continue
        seen.add(key)
        try:
            snapshot = snapshots.get(row["label"]) or read_snapshot(row)
            yield read_outline(row, snapshot)
        except DamagedDocument:
            continue  # `entries` reports it
        snapshots[row["label"]] = snapshot


def _belongs(row: Row) -> bool:
    """Whether the label is whole, and the row not what a shorter conclusion left behind."""
    present, wanted, seq = row["present"], row["wanted"], row["seq"]
    return (
        isinstance(present, int)
        and isinstance(wanted, int)
        and isinstance(seq, int)
        and present >= wanted
        and seq < wanted
    )
