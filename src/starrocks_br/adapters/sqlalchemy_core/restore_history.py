"""The journal of restores on `ops.restore_history`: one statement per write, no transaction, nothing repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from sqlalchemy import Select, case, func, insert, select, update

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.adapters.sqlalchemy_core.backup_rows import Row
from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.adapters.sqlalchemy_core.fields import Fields
from starrocks_br.adapters.sqlalchemy_core.store import OpsStore, bare
from starrocks_br.adapters.sqlalchemy_core.tables import chunks, chunks_of_groups, cut_to_bytes, ops_tables
from starrocks_br.adapters.sqlalchemy_core.timings import restore_jobs
from starrocks_br.adapters.step_documents import dumps_step, loads_step, loads_total
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.journal import (
    OPEN_STEPS,
    Claim,
    DamagedJournal,
    Journal,
    Journals,
    JournalStep,
    Mark,
    StepStatus,
)
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    RestoreId,
    TableRef,
    cluster_id,
    database_name,
    repository_name,
    restore_id,
    table_name,
)
from starrocks_br.domain.ports import RestoreHistory


class SqlAlchemyRestoreHistory(RestoreHistory):
    """`ops.restore_history`: one row per step, the journal's head repeated in each.

    Args:
        connection: Shared with the executor.
        ops: The database of the table.
    """

    def __init__(self, connection: SingleConnection, ops: DatabaseName) -> None:
        self._store = OpsStore(connection)
        self._history = ops_tables(ops).restore_history
        self._version = version("starrocks-br")

    def begin(self, journals: Sequence[Journal]) -> None:  # noqa: D102 -- the port says it
        # A restore that lies in one statement is written down whole or not at all.
        for part in chunks_of_groups(map(self._rows, journals)):
            self._store.write(insert(self._history).values(part), "writing restores down")

    def _rows(self, journal: Journal) -> list[Row]:
        return [
            {
                "restore_id": journal.restore,
                "step": number,
                "cluster_id": journal.cluster,
                "repository": journal.repository,
                "database_name": journal.target.database,
                "table_name": journal.target.name,
                "alias": journal.alias.name,
                "action": type(line.step).__name__,
                "detail_json": dumps_step(line.step, len(journal.steps)),
                "status": line.status.value,
                "table_id": line.table_id,
                "message": "",
                "created_at": journal.created_at,
                "tool_version": self._version,
                "updated_at": func.now(),
            }
            for number, line in enumerate(journal.steps)
        ]

    def mark(self, marks: Sequence[Mark]) -> None:  # noqa: D102
        alike: dict[tuple[int, StepStatus, str, bool], list[Mark]] = {}
        for mark in marks:
            alike.setdefault((mark.number, mark.status, mark.detail, mark.table_id is None), []).append(mark)
        for group in alike.values():
            for part in chunks(group):
                self._write(part)

    def _write(self, marks: Sequence[Mark]) -> None:
        history, first = self._history, marks[0]
        restore_id = bare(history, "restore_id")
        ids = {mark.restore: mark.table_id for mark in marks if mark.table_id is not None}
        learned = {"table_id": case(ids, value=restore_id)} if len(ids) > 1 else {"table_id": first.table_id}
        said = {"message": cut_to_bytes(first.detail)} if first.detail else {}
        self._store.write(
            update(history)
            .where(restore_id.in_([mark.restore for mark in marks]), bare(history, "step") == first.number)
            .values(status=first.status.value, **(learned if ids else {}), **said, updated_at=func.now()),
            f"writing down step {first.number} of restore {first.restore}",
        )

    def claim(self, claims: Sequence[Claim]) -> frozenset[RestoreId]:  # noqa: D102
        alike: dict[tuple[int, str], list[RestoreId]] = {}
        for claim in claims:
            alike.setdefault((claim.number, claim.holder), []).append(claim.restore)
        granted: set[RestoreId] = set()
        for (number, holder), restores in alike.items():
            for part in chunks(restores):
                granted.update(self._claim(part, number, holder))
        return frozenset(granted)

    def _claim(self, restores: Sequence[RestoreId], number: int, holder: str) -> Collection[RestoreId]:
        history = self._history
        written = self._store.write(
            update(history)
            .where(
                bare(history, "restore_id").in_(restores),
                bare(history, "step") == number,
                bare(history, "status").in_(sorted(OPEN_STEPS)),
                bare(history, "message") == holder,
            )
            .values(status=StepStatus.SENT.value, updated_at=func.now()),
            f"writing down step {number} of restore {restores[0]}",
        )
        if written == len(restores):
            return restores
        one = self._history.alias("h")
        query = select(one.c.restore_id).where(
            one.c.restore_id.in_(restores),
            one.c.step == number,
            one.c.status == StepStatus.SENT.value,
            one.c.message == holder,
        )
        found = {row["restore_id"] for row in self._store.read(query, "reading the journal of restores")}
        return [restore for restore in restores if restore in found]

    def take_over(self, journal: Journal, holder: str) -> None:  # noqa: D102
        history = self._history
        self._store.write(
            update(history)
            .where(
                bare(history, "restore_id") == journal.restore,
                bare(history, "status").in_(sorted(OPEN_STEPS)),
                bare(history, "message").in_(sorted(journal.holders)),
                bare(history, "updated_at") <= journal.marked_at,
            )
            .values(message=holder, updated_at=func.now()),
            f"taking restore {journal.restore} over",
        )

    def reopen(self, journal: Journal, holder: str) -> None:  # noqa: D102
        history, last = self._history, len(journal.steps) - 1
        self._store.write(
            update(history)
            .where(
                bare(history, "restore_id") == journal.restore,
                bare(history, "step") == last,
                bare(history, "status") == journal.steps[last].status.value,
                bare(history, "updated_at") <= journal.marked_at,
            )
            .values(status=StepStatus.SENT.value, message=holder, updated_at=func.now()),
            f"opening restore {journal.restore} again",
        )

    def release(self, journal: Journal, holder: str) -> None:  # noqa: D102
        history = self._history
        was = {"status": journal.steps[-1].status.value} if journal.closed else {"message": min(journal.holders)}
        self._store.write(
            update(history)
            .where(
                bare(history, "restore_id") == journal.restore,
                bare(history, "status").in_(sorted(OPEN_STEPS)),
                bare(history, "message") == holder,
            )
            .values(**was, updated_at=journal.marked_at),
            f"leaving restore {journal.restore} to others",
        )

    def abandon(self, restore: RestoreId, detail: str) -> None:  # noqa: D102
        history = self._history
        self._store.write(
            update(history)
            .where(bare(history, "restore_id") == restore, bare(history, "status").in_(sorted(OPEN_STEPS)))
            .values(status=StepStatus.ABANDONED.value, message=cut_to_bytes(detail), updated_at=func.now()),
            f"closing restore {restore}",
        )

    def unfinished(self) -> Journals:  # noqa: D102
        history = self._history.alias("h")
        one = self._history.alias("one")
        still_open = (
            select(one.c.restore_id).where(one.c.status.in_(sorted(OPEN_STEPS))).distinct().subquery("still_open")
        )
        query = (
            select(history)
            .join(still_open, still_open.c.restore_id == history.c.restore_id)
            .order_by(history.c.created_at, history.c.restore_id, history.c.step)
        )
        return self._journals(query).unfinished

    def newest(self, limit: int | None = None) -> Journals:  # noqa: D102
        history = self._history.alias("h")
        one = self._history.alias("one")
        chosen = (
            select(one.c.restore_id)
            .group_by(one.c.restore_id)
            .order_by(func.max(one.c.created_at).desc(), one.c.restore_id.desc())
            .limit(limit)
            .subquery("chosen")
        )
        query = (
            select(history)
            .join(chosen, chosen.c.restore_id == history.c.restore_id)
            .order_by(history.c.created_at, history.c.restore_id, history.c.step)
        )
        return self._journals(query)

    def journals(self, restores: Collection[RestoreId]) -> Journals:  # noqa: D102
        history = self._history.alias("h")
        query = (
            select(history)
            .where(history.c.restore_id.in_(sorted(restores)))
            .order_by(history.c.created_at, history.c.restore_id, history.c.step)
        )
        return self._journals(query)

    def _journals(self, query: Select[Any]) -> Journals:
        of_restore: dict[object, list[Row]] = {}
        for row in self._store.read(query, "reading the journal of restores"):
            of_restore.setdefault(row["restore_id"], []).append(row)
        sound, damaged = [], []
        for restore, rows in of_restore.items():
            try:
                sound.append(_journal(rows))
            except DamagedDocument as damage:
                damaged.append(self._damaged(str(restore), rows, damage))
        return Journals(sound=tuple(sound), damaged=tuple(damaged))

    def _damaged(self, restore: str, rows: Iterable[Row], damage: DamagedDocument) -> DamagedJournal:
        kept_in = f"{self._history.schema}.{self._history.name}"
        return DamagedJournal(restore=restore, tables=_tables(rows), problem=damage.what, kept_in=kept_in)

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:  # noqa: D102
        return restore_jobs(self._store, self._history, cluster)


def _journal(rows: Sequence[Row]) -> Journal:
    head = Fields(rows[0], f"row ({rows[0]['restore_id']}, {rows[0]['step']})")
    database = head.name("database_name", database_name)
    steps = tuple(_step(number, row) for number, row in enumerate(rows))
    total = loads_total(head.text("detail_json"), head.where)
    if total not in {None, len(rows)}:
        raise head.damaged("detail_json", f"the restore has {total} steps, and {len(rows)} are written down")
    return Journal(
        restore=head.name("restore_id", restore_id),
        cluster=head.name("cluster_id", cluster_id),
        repository=head.name("repository", repository_name),
        target=TableRef(database, head.name("table_name", table_name)),
        alias=TableRef(database, head.name("alias", table_name)),
        created_at=head.moment("created_at"),
        steps=steps,
        marked_at=max(Fields(row, head.where).moment("updated_at") for row in rows),
    )


def _tables(rows: Iterable[Row]) -> frozenset[TableRef]:
    """The names that a restore works under, as far as its rows can be read: each repeats them."""
    found = set()
    for row in rows:
        fields = Fields(row, "")
        for column in ("table_name", "alias"):
            with suppress(DamagedDocument):
                found.add(TableRef(fields.name("database_name", database_name), fields.name(column, table_name)))
    return frozenset(found)


def _step(number: int, row: Row) -> JournalStep:
    fields = Fields(row, f"row ({row['restore_id']}, {row['step']})")
    if fields.number("step") != number:
        raise fields.damaged("step", f"step {number} is missing")
    status = fields.word("status", StepStatus)
    return JournalStep(
        step=loads_step(fields.text("detail_json"), f"{fields.where}, field detail_json"),
        status=status,
        table_id=fields.optional("table_id", fields.number),
        holder=(fields.optional("message", fields.text) or "") if status in OPEN_STEPS else "",
    )
