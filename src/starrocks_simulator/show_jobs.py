"""SHOW BACKUP, SHOW RESTORE, SHOW SNAPSHOT and SHOW REPOSITORIES (R§6)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import kind_of
from starrocks_simulator.errors import analyzing, common_analyzing
from starrocks_simulator.jobs_backup import BackupJob
from starrocks_simulator.jobs_restore import RestoreJob
from starrocks_simulator.parse_backup import ShowJobs, ShowSnapshot
from starrocks_simulator.repository import RemoteError, Repository
from starrocks_simulator.results import Result, strings
from starrocks_simulator.snapshots import details
from starrocks_simulator.times import show

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_BACKUP: Final = (
    "JobId", "SnapshotName", "DbName", "State", "BackupObjs", "CreateTime", "SnapshotFinishedTime",
    "UploadFinishedTime", "FinishedTime", "UnfinishedTasks", "Progress", "TaskErrMsg", "Status", "Timeout",
)  # fmt: skip
_RESTORE: Final = (
    "JobId", "Label", "Timestamp", "DbName", "State", "AllowLoad", "ReplicationNum", "RestoreObjs", "CreateTime",
    "MetaPreparedTime", "SnapshotFinishedTime", "DownloadFinishedTime", "FinishedTime", "UnfinishedTasks", "Progress",
    "TaskErrMsg", "Status", "Timeout",
)  # fmt: skip
_REPOSITORIES: Final = ("RepoId", "RepoName", "CreateTime", "IsReadOnly", "Location", "Broker", "ErrMsg")
_WHERE: Final = (
    "Where clause should looks like: SNAPSHOT = 'your_snapshot_name' [AND TIMESTAMP = '2018-04-18-19-19-10']"
)
_NO_SNAPSHOT: Final = "ERROR: no snapshot"


def show_jobs(session: Session, statement: ShowJobs) -> Result:
    """SHOW BACKUP, SHOW RESTORE: the newest job of each database, if it is of that kind (O§m).

    Raises:
        ServerError: 5501.
    """
    jobs = session.frontend.handler.jobs()
    if statement.database is not None:
        database = session.find_database(statement.database)
        jobs = [job for job in jobs if job.database_id == database.id]
    session.frontend.accounts.check(session.user, ("REPOSITORY",), "SYSTEM")
    if statement.kind == "BACKUP":
        backups = [job for job in jobs if isinstance(job, BackupJob)]
        if not all(may_export(session, job) for job in backups):
            backups = []  # one job that the user may not see empties the answer (R§0.19, O2§0.6)
        return strings(_BACKUP, [_backup_row(job, session.zone) for job in backups])
    return strings(_RESTORE, [_restore_row(job, session.zone) for job in jobs if isinstance(job, RestoreJob)])


def may_export(session: Session, job: BackupJob) -> bool:
    """Whether the user has EXPORT on every table of a job that still exists."""
    database = session.frontend.catalog.databases.get(job.db_name)
    tables = [database.tables.get(target.name) for target in job.targets] if database else []
    return all(
        session.frontend.accounts.may(session.user, ("EXPORT",), "TABLE", database, table)
        for table in tables
        if table is not None and kind_of(table) == "TABLE"
    )


def show_repositories(session: Session) -> Result:
    """SHOW REPOSITORIES."""
    rows: list[tuple[object, ...]] = [
        (
            str(one.id),
            one.name,
            show(one.create_time, session.zone),
            str(one.read_only).lower(),
            one.location,
            "",
            None,
        )
        for one in session.frontend.handler.repositories.values()
    ]
    return strings(_REPOSITORIES, rows)


def show_snapshot(session: Session, statement: ShowSnapshot) -> Result:
    """SHOW SNAPSHOT: what the repository's folder holds (R§6.3).

    Raises:
        ServerError: Unknown repository, or a WHERE clause that the analyzer does not take.
    """
    repository = session.frontend.handler.repositories.get(statement.repository)
    if repository is None:
        raise common_analyzing(f"Repository [{statement.repository}] does not exist")
    if statement.malformed:
        raise analyzing(_WHERE)
    if statement.single and statement.labels:
        if statement.timestamp is not None:
            return _one_snapshot(repository, statement.labels[0], statement.timestamp)
        return _listing([_snapshot_row(session, repository, statement.labels[0])])
    labels = repository.labels()
    if statement.labels is not None:
        labels = [label for label in labels if label in statement.labels]
    return _listing([_snapshot_row(session, repository, label) for label in labels])


def _listing(rows: list[tuple[object, ...]]) -> Result:
    return strings(("Snapshot", "Timestamp", "Status"), rows)


def _snapshot_row(session: Session, repository: Repository, label: str) -> tuple[object, ...]:
    if label in session.frontend.faults.unread:
        return label, None, "ERROR: Failed to get info: failed to list remote path: timed out"
    found = repository.timestamps(label)
    return label, "\n".join(found), "OK" if found else _NO_SNAPSHOT


def _one_snapshot(repository: Repository, label: str, timestamp: str) -> Result:
    names = ("Snapshot", "Timestamp", "Database", "Details", "Status")
    try:
        info = repository.read_info(label, timestamp)
    except RemoteError as error:
        return strings(names, [(label, timestamp, None, None, f"Failed to get info: {error}")])
    return strings(names, [(label, timestamp, info["database"], details(info), "OK")])


def _time(epoch: float | None, zone: dt.tzinfo) -> str | None:
    return None if epoch is None else show(epoch, zone)


def _backup_row(job: BackupJob, zone: dt.tzinfo) -> tuple[object, ...]:
    times = (job.created, job.snapshot_finished, job.upload_finished, job.finished)
    return (
        str(job.id),
        job.label,
        job.db_name,
        job.state,
        job.objects,
        *(_time(time, zone) for time in times),
        "",
        "",
        job.task_errors,
        job.status,
        str(job.timeout),
    )


def _restore_row(job: RestoreJob, zone: dt.tzinfo) -> tuple[object, ...]:
    times = (job.created, job.meta_prepared, job.snapshot_finished, job.download_finished, job.finished)
    return (
        str(job.id),
        job.label,
        job.backup_timestamp,
        job.db_name,
        job.state,
        str(job.allow_load).lower(),
        str(job.replication_num),
        job.objects,
        *(_time(time, zone) for time in times),
        "",
        "",
        job.task_errors,
        job.status,
        str(job.timeout),
    )
