"""What jobs took, out of the rows that were written about them: one statement for each kind of job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Table, and_, func, select

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.adapters.sqlalchemy_core.backup_rows import Row
from starrocks_br.adapters.sqlalchemy_core.fields import Fields
from starrocks_br.adapters.sqlalchemy_core.store import OpsStore
from starrocks_br.adapters.step_documents import loads_step
from starrocks_br.domain.estimate import MOST_TIMINGS, Timing
from starrocks_br.domain.journal import StepStatus
from starrocks_br.domain.names import ClusterId, Label
from starrocks_br.domain.restore_steps import RestorePartitions
from starrocks_br.domain.snapshot import BackupType, Consistency
from starrocks_br.domain.status import Status


def backup_jobs(store: OpsStore, history: Table, cluster: ClusterId) -> tuple[Timing, ...]:
    """The newest BACKUP jobs whose end was seen. What was only found in the repository later has no time of its own."""
    one = history.alias("one")
    tables = (
        select(
            one.c.label,
            func.max(one.c.captured_bytes).label("size"),
            func.max(one.c.submitted_at).label("began"),
            func.max(one.c.finished_at).label("ended"),
        )
        .where(
            one.c.cluster_id == cluster,
            one.c.status == Status.FINISHED.value,
            one.c.backup_type.in_([BackupType.FULL.value, BackupType.INCREMENTAL.value]),
            one.c.consistency != Consistency.UNKNOWN.value,
            one.c.captured_partitions > 0,
            one.c.submitted_at.is_not(None),
            one.c.finished_at.is_not(None),
        )
        .group_by(one.c.label, one.c.table_name)
        .subquery("tables")
    )
    query = (
        select(
            func.sum(tables.c.size).label("size"),
            func.max(tables.c.began).label("began"),
            func.max(tables.c.ended).label("ended"),
        )
        .group_by(tables.c.label)
        .having(func.count(tables.c.size) == func.count())
        .order_by(func.max(tables.c.ended).desc(), tables.c.label)
        .limit(MOST_TIMINGS)
    )
    rows = store.read(query, "reading what backups took")
    return tuple(Timing(size=int(str(row["size"])), seconds=_seconds(row)) for row in rows)


def restore_jobs(store: OpsStore, history: Table, cluster: ClusterId) -> tuple[Timing, ...]:
    """The newest RESTORE jobs: from the end of the step before, or from the journal's beginning, to their own end."""
    one, before = history.alias("one"), history.alias("before")
    query = (
        select(
            one.c.restore_id,
            one.c.step,
            one.c.detail_json,
            func.coalesce(before.c.updated_at, one.c.created_at).label("began"),
            one.c.updated_at.label("ended"),
        )
        .outerjoin(before, and_(before.c.restore_id == one.c.restore_id, before.c.step == one.c.step - 1))
        .where(
            one.c.cluster_id == cluster,
            one.c.action == RestorePartitions.__name__,
            one.c.status == StepStatus.DONE.value,
        )
        .order_by(one.c.updated_at.desc(), one.c.restore_id, one.c.step)
        .limit(MOST_TIMINGS)
    )
    rows = store.read(query, "reading what restores took")
    return tuple(_jobs(rows, cut=len(rows) == MOST_TIMINGS))


def _jobs(rows: Sequence[Row], *, cut: bool) -> Iterator[Timing]:
    """Steps of several restores that one job did were written down at one instant: their sizes belong together.

    Args:
        rows: One per step, newest first.
        cut: Whether more may follow: then the last job may lack some of its steps.
    """
    jobs: dict[tuple[Label, object], list[tuple[int | None, float]]] = defaultdict(list)
    oldest = rows[-1]["ended"] if cut else None
    for row in rows:
        step = _step(row)
        if step is not None and row["ended"] != oldest:
            jobs[step.label, row["ended"]].append((step.size, _seconds(row)))
    for parts in jobs.values():
        sizes = [size for size, _ in parts if size is not None]
        if len(sizes) == len(parts):
            yield Timing(size=sum(sizes), seconds=min(seconds for _, seconds in parts))


def _step(row: Row) -> RestorePartitions | None:
    """None for a row that cannot be read: a guess can do without it."""
    try:
        step = loads_step(Fields(row, where="").text("detail_json"), "")
    except DamagedDocument:
        return None
    return step if isinstance(step, RestorePartitions) else None


def _seconds(row: Row) -> float:
    fields = Fields(row, where="a job")
    return (fields.moment("ended") - fields.moment("began")).total_seconds()
