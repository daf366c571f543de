"""The statements of repositories and of backup and restore jobs, by their leading keywords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import kind_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, common, common_analyzing
from starrocks_simulator.handler import EXTERNAL_CATALOGS
from starrocks_simulator.handlers import Handler
from starrocks_simulator.jobs_backup import BackupJob
from starrocks_simulator.parse_backup import (
    parse_backup,
    parse_cancel,
    parse_create_repository,
    parse_drop_repository,
    parse_restore,
    parse_show_jobs,
    parse_show_snapshot,
)
from starrocks_simulator.repository import open_repository
from starrocks_simulator.results import OK, Result
from starrocks_simulator.show_jobs import show_jobs, show_repositories, show_snapshot
from starrocks_simulator.submit_backup import submit_backup
from starrocks_simulator.submit_restore import submit_restore

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_REPOSITORY_NAME: Final = re.compile(r"[a-zA-Z]\w{0,63}|_[a-zA-Z0-9]\w{0,62}", re.ASCII)


def _backup(session: Session, cursor: Cursor) -> Result:
    submit_backup(session, parse_backup(cursor))
    return OK


def _restore(session: Session, cursor: Cursor) -> Result:
    submit_restore(session, parse_restore(cursor))
    return OK


def _cancel(session: Session, cursor: Cursor) -> Result:
    statement = parse_cancel(cursor)
    accounts = session.frontend.accounts
    if statement.database is None:
        accounts.check(session.user, ("REPOSITORY",), "SYSTEM")
        session.frontend.handler.cancel(statement.kind, EXTERNAL_CATALOGS)
        return OK
    database = session.find_database(statement.database)
    accounts.check(session.user, ("REPOSITORY",), "SYSTEM")
    job = session.frontend.handler.job_of(database.id)
    if isinstance(job, BackupJob):  # whatever is to be cancelled (O§s)
        for target in job.targets:
            table = database.tables.get(target.name)
            if table is not None and kind_of(table) == "TABLE":
                accounts.check(session.user, ("EXPORT",), "TABLE", database, table)
    session.frontend.handler.cancel(statement.kind, database.id)
    return OK


def _show_backup(session: Session, cursor: Cursor) -> Result:
    return show_jobs(session, parse_show_jobs(cursor, "BACKUP"))


def _show_restore(session: Session, cursor: Cursor) -> Result:
    return show_jobs(session, parse_show_jobs(cursor, "RESTORE"))


def _show_snapshot(session: Session, cursor: Cursor) -> Result:
    return show_snapshot(session, parse_show_snapshot(cursor))


def _show_repositories(session: Session, cursor: Cursor) -> Result:
    cursor.end()
    return show_repositories(session)


def _create_repository(session: Session, cursor: Cursor) -> Result:
    return _create(session, cursor, read_only=False)


def _create_read_only_repository(session: Session, cursor: Cursor) -> Result:
    return _create(session, cursor, read_only=True)


def _create(session: Session, cursor: Cursor, *, read_only: bool) -> Result:
    """CREATE REPOSITORY: checks of R§3.4 in their order."""
    statement = parse_create_repository(cursor, read_only=read_only)
    frontend = session.frontend
    if not _REPOSITORY_NAME.fullmatch(statement.name):
        raise analyzing(f"Incorrect repository name '{statement.name}'", 5063, "42000")
    if not statement.location:
        raise analyzing("You must specify a location on the repository")
    if statement.broker:
        raise analyzing(f"Unknown broker name({statement.broker})")
    if statement.name in frontend.handler.repositories:
        raise common(f"Failed to create repository: repository with same name already exist: {statement.name}")
    frontend.handler.repositories[statement.name] = open_repository(
        frontend.repository_dir,
        repository_id=frontend.catalog.new_id(),
        name=statement.name,
        location=statement.location,
        read_only=read_only,
        now=frontend.now(),
    )
    return OK


def _drop_repository(session: Session, cursor: Cursor) -> Result:
    """DROP REPOSITORY: the frontend forgets it; its files stay (R§2.1)."""
    name = parse_drop_repository(cursor).name
    handler = session.frontend.handler
    if name not in handler.repositories:
        raise common_analyzing("Repository does not exist")
    session.frontend.accounts.check(session.user, ("REPOSITORY",), "SYSTEM")
    if handler.uses(handler.repositories[name]):
        raise common("Backup or restore job is running on this repository. Can not drop it")
    del handler.repositories[name]
    return OK


STATEMENTS: Mapping[tuple[str, ...], Handler] = {
    ("BACKUP",): _backup,
    ("RESTORE",): _restore,
    ("CANCEL",): _cancel,
    ("SHOW", "BACKUP"): _show_backup,
    ("SHOW", "RESTORE"): _show_restore,
    ("SHOW", "SNAPSHOT"): _show_snapshot,
    ("SHOW", "REPOSITORIES"): _show_repositories,
    ("CREATE", "REPOSITORY"): _create_repository,
    ("CREATE", "READ", "ONLY", "REPOSITORY"): _create_read_only_repository,
    ("DROP", "REPOSITORY"): _drop_repository,
}
