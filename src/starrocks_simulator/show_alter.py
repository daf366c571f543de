"""SHOW ALTER TABLE COLUMN, ROLLUP, OPTIMIZE (O2§y4): rows of the last seven days, JobIds only grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.catalog import SchemaJob
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import Result
from starrocks_simulator.show_filter import Row, shown
from starrocks_simulator.times import show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_COLUMN: Final = (
    "JobId", "TableName", "CreateTime", "FinishTime", "IndexName", "IndexId", "OriginIndexId", "SchemaVersion",
    "TransactionId", "State", "Msg", "Progress", "Timeout",
)  # fmt: skip
_ROLLUP: Final = (
    "JobId", "TableName", "CreateTime", "FinishedTime", "BaseIndexName", "RollupIndexName", "RollupId", "TransactionId",
    "State", "Msg", "Progress", "Timeout",
)  # fmt: skip
_OPTIMIZE: Final = (
    "JobId", "TableName", "CreateTime", "FinishTime", "Operation", "TransactionId", "State", "Msg", "Progress",
    "Timeout",
)  # fmt: skip


def _jobs(session: Session, cursor: Cursor, kind: str) -> list[SchemaJob]:
    name = cursor.qualified()[1] if cursor.accept_any("FROM", "IN") else None
    database = session.find_database(name)
    oldest = session.frontend.now() - int(session.frontend.config["history_job_keep_max_second"])
    jobs = session.frontend.catalog.schema_jobs.get(database.id, [])
    return [job for job in jobs if job.kind == kind and (job.finish_time is None or job.finish_time >= oldest)]


def _head(session: Session, job: SchemaJob) -> Row:
    finished = None if job.finish_time is None else show(job.finish_time, session.zone)
    return (str(job.id), job.table_name, show(job.create_time, session.zone), finished)


def _tail(job: SchemaJob) -> Row:
    return (str(job.transaction_id), job.state, job.message, job.progress, str(job.timeout))


def show_column_jobs(session: Session, cursor: Cursor) -> Result:
    """SHOW ALTER TABLE COLUMN [FROM db] [WHERE TableName = '…'] [ORDER BY …] [LIMIT n]."""
    rows = [
        (*_head(session, job), job.name, str(job.index_id), str(job.origin_index_id), job.schema_version, *_tail(job))
        for job in _jobs(session, cursor, "COLUMN")
    ]
    return shown(cursor, _COLUMN, rows)


def show_rollup_jobs(session: Session, cursor: Cursor) -> Result:
    """SHOW ALTER TABLE ROLLUP, SHOW ALTER MATERIALIZED VIEW [FROM db]: a WHERE is ignored (O2§0.7)."""
    rows = [
        (*_head(session, job), job.table_name, job.name, str(job.index_id), *_tail(job))
        for job in _jobs(session, cursor, "ROLLUP")
    ]
    cursor.rest()
    return shown(cursor, _ROLLUP, rows)


def show_optimize_jobs(session: Session, cursor: Cursor) -> Result:
    """SHOW ALTER TABLE OPTIMIZE [FROM db] [WHERE TableName = '…']."""
    rows: list[Row] = []
    for job in _jobs(session, cursor, "OPTIMIZE"):
        number, state, message, _, timeout = _tail(job)
        progress = "100" if job.state == "FINISHED" else "0"
        operation = "" if job.state == "PENDING" else job.name
        rows.append((*_head(session, job), operation, number, state, message, progress, timeout))
    return shown(cursor, _OPTIMIZE, rows)


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("SHOW", "ALTER", "TABLE", "COLUMN"): show_column_jobs,
    ("SHOW", "ALTER", "TABLE", "ROLLUP"): show_rollup_jobs,
    ("SHOW", "ALTER", "MATERIALIZED", "VIEW"): show_rollup_jobs,
    ("SHOW", "ALTER", "TABLE", "OPTIMIZE"): show_optimize_jobs,
}
