"""The public library: where ports meet adapters, and the only place where they do.

with starrocks_br.connect("config.yaml") as client:
    report = client.backup()
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import evolve, frozen
from sqlalchemy import Engine

from starrocks_br.adapters.settings import Settings, problems_of
from starrocks_br.adapters.settings_file import discover, load
from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection
from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine, from_settings
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.adapters.sqlalchemy_core.patience import Patience
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.adapters.system import Guarded, Quiet, SecretsTokens, SystemClock
from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.errors import InvalidSettings
from starrocks_br.domain.names import (
    ClusterId,
    Selection,
    TableRef,
    cluster_id,
    database_name,
    label_name,
    parse_pattern,
    partition_name,
    repository_name,
    restore_id,
)
from starrocks_br.domain.ports import BackupHistory, Listener, Ports, RestoreHistory, SqlExecutor
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import RestorePlan, Target
from starrocks_br.domain.restore_steps import Reading
from starrocks_br.domain.snapshot import Outline
from starrocks_br.services import backup, bootstrap, history, restore, restore_planning, resume, setup, undo
from starrocks_br.services.reports import (
    BackupReport,
    BatchReport,
    BootstrapPlan,
    BootstrapReport,
    HistoryReport,
    InitReport,
    RestoreReport,
    RestoresReport,
    SnapshotReport,
    UndoReport,
)
from starrocks_br.services.requests import BackupRequest, Place, RestoreRequest, Wanted


def connect(
    settings: Settings | str | Path | None = None,
    *,
    listener: Listener | None = None,
    engine: Engine | None = None,
    executor: Callable[[SqlExecutor], SqlExecutor] | None = None,
    backups: BackupHistory | None = None,
    restores: RestoreHistory | None = None,
) -> Client:
    """Make a client. Nothing is dialled before its first command.

    Args:
        settings: Settings, or the path of a file; None: `$STARROCKS_BR_CONFIG`, else `./config.yaml`.
        listener: Is told about progress; it may raise what it likes.
        engine: Your own engine, used as it is: it must lead to the leader.
        executor: Wraps what is sent to StarRocks, as in `executor=Audited`. Histories use the connection itself.
        backups: Another store for what was backed up.
        restores: Another store for the journal of restores.

    Raises:
        InvalidSettings: Naming all that is wrong.
    """
    chosen = settings if isinstance(settings, Settings) else _from_file(settings)
    clock, told = SystemClock(), Guarded(listener or Quiet())
    patience = Patience(clock=clock, listener=told, timeout=chosen.reconnect_timeout)
    connection = from_settings(chosen, patience) if engine is None else from_engine(engine, patience)
    sender: SqlExecutor = SqlAlchemyExecutor(connection)
    ports = Ports(
        cluster=StarRocksCluster(executor(sender) if executor else sender, chosen.database),
        backups=backups or SqlAlchemyBackupHistory(connection, chosen.database),
        restores=restores or SqlAlchemyRestoreHistory(connection, chosen.database),
        clock=clock,
        tokens=SecretsTokens(),
        listener=told,
    )
    return Client(settings=chosen, ports=ports, connection=connection)


def _from_file(given: str | Path | None) -> Settings:
    path = discover(os.environ, Path.cwd(), Path(given) if given is not None else None)
    return load(path, os.environ)


@frozen(kw_only=True)
class Client:
    """The use cases, bound to one cluster. Made by `connect`; a context manager that hangs up at its end.

    Every method may raise the `StarRocksBrError` kinds. Only `init`, `backup`, `restore`, `bootstrap` change anything.

    Attributes:
        settings: What it was made with.
        ports: What it talks to.
        connection: The one connection that all of them share.
    """

    settings: Settings
    ports: Ports
    connection: SingleConnection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. A later command would dial again."""
        self.connection.close()

    @property
    def timezone(self) -> tzinfo:
        """What a point in time without an offset is meant in, where people write one."""
        return self.settings.timezone

    def init(self) -> InitReport:
        """Create our own tables."""
        return setup.init(self.ports, self._place)

    def plan_backup(self, *, full: bool = False, tables: Sequence[str] = ()) -> BackupPlan:
        """What `backup` would do now. Writes nothing."""
        return backup.plan(self.ports, self._backup_request(full=full, tables=tables))

    def backup(self, *, full: bool = False, tables: Sequence[str] = (), wait: float | None = None) -> BackupReport:
        """Back up: per table whole, the partitions that differ, or nothing.

        Args:
            full: Take every table whole.
            tables: `db.table` or `db.*`; none: those of the settings.
            wait: Seconds to wait for a job slot that someone else holds; None: as the settings say.
        """
        return backup.run(self.ports, self._backup_request(full=full, tables=tables, wait=wait))

    def history(self, *, table: str | None = None, limit: int | None = None, everything: bool = False) -> HistoryReport:
        """What is recorded, newest first, of one table or of a database (`db.*`); see `services.history.history`."""
        wanted = None if table is None else parse_pattern(table)
        return history.history(self.ports, self._place, table=wanted, limit=limit, everything=everything)

    def restores(self, *, table: str | None = None, limit: int | None = None) -> RestoresReport:
        """Restores and their ids, newest first, of one table or of a database (`db.*`)."""
        wanted = None if table is None else parse_pattern(table)
        return history.restores(self.ports, self._place, table=wanted, limit=limit)

    def points(self, table: str, *, from_cluster: str | None = None) -> tuple[Outline, ...]:
        """What a table can be restored to exactly, newest first; see `plan_restore` for `from_cluster`."""
        return history.points(self.ports, self._place, TableRef.parse(table), _cluster(from_cluster))

    def show(self, label: str, table: str | None = None) -> SnapshotReport:
        """One snapshot in full."""
        ref = None if table is None else TableRef.parse(table)
        return history.show(self.ports, self._place, label_name(label), ref)

    def plan_restore(  # noqa: PLR0913 -- one per option of the command
        self,
        table: str,
        *,
        at: datetime | None = None,
        label: str | None = None,
        into: str | None = None,
        replace: bool = False,
        drop_old: bool = False,
        partitions: Collection[str] = (),
        reading: Reading = Reading.TABLE,
        allow_fuzzy: bool = False,
        from_cluster: str | None = None,
    ) -> RestorePlan:
        """How a table would be brought back. Writes nothing.

        Args:
            table: `db.table`, as it was named then.
            at: The point wanted, with an offset; the newest point at or before it is taken. Or give `label`.
            label: The snapshot whose point is wanted.
            into: The name it gets, `db.table`; None: its own.
            replace: Let a table that bears the name give way; it stays under another name.
            drop_old: Drop that one in the end.
            partitions: Only these; none: all.
            reading: How the result is read before it is shown to others.
            allow_fuzzy: Take a point, too, at which some partitions may be older than others.
            from_cluster: The cluster whose points are meant, by its id; None: this one's, and before the first of them
                those of the clusters that it followed, as after a disaster. A label needs none.

        Raises:
            ValueError: `at` has no offset, or not exactly one of `at` and `label` is given.
        """
        target = Target(
            table=TableRef.parse(table if into is None else into),
            replace=replace,
            drop_old=drop_old,
            partitions=frozenset(map(partition_name, partitions)) or None,
            reading=reading,
        )
        wanted = (Wanted(table=TableRef.parse(table), target=target),)
        request = self._restore_request(wanted, at, label, from_cluster, allow_fuzzy=allow_fuzzy)
        return restore_planning.plan_one(self.ports, request)

    def plan_restores(  # noqa: PLR0913 -- one per option of the command
        self,
        tables: Sequence[str],
        *,
        at: datetime | None = None,
        label: str | None = None,
        database: str | None = None,
        replace: bool = False,
        drop_old: bool = False,
        reading: Reading = Reading.TABLE,
        allow_fuzzy: bool = False,
        from_cluster: str | None = None,
    ) -> RestoreBatch:
        """How several tables would be brought back together, in few jobs. Writes nothing.

        Args:
            tables: `db.table`, or `db.*` for every table of a database of which something is recorded.
            at: The point wanted of each, with an offset. Or give `label`.
            label: The snapshot whose point is wanted.
            database: Where they go; None: where they were.
            replace: Let tables that bear their names give way; they stay under other names.
            drop_old: Drop those in the end.
            reading: How the results are read before they are shown to others.
            allow_fuzzy: Take points, too, at which some partitions may be older than others.
            from_cluster: The cluster whose points are meant, as in `plan_restore`.

        Raises:
            ValueError: `at` has no offset, or not exactly one of `at` and `label` is given.
        """
        found = restore_planning.recorded(self.ports, self._place, Selection(tuple(tables)))
        place = None if database is None else database_name(database)
        wanted = tuple(
            Wanted(
                table=table,
                target=Target(
                    table=TableRef(place or table.database, table.name),
                    replace=replace,
                    drop_old=drop_old,
                    reading=reading,
                ),
            )
            for table in found
        )
        request = self._restore_request(wanted, at, label, from_cluster, allow_fuzzy=allow_fuzzy)
        return restore_planning.plan(self.ports, request)

    def restore(self, plan: RestorePlan, *, wait: float | None = None) -> RestoreReport:
        """Do what was planned; a stale plan is refused.

        Args:
            plan: What `plan_restore` gave.
            wait: Seconds to wait for a job slot that someone else holds; None: as the settings say.
        """
        return restore.run_one(self.ports, self._doing(wait), plan)

    def restore_all(self, batch: RestoreBatch, *, wait: float | None = None) -> BatchReport:
        """Do what was planned for several tables; what fails is taken back, the others go on.

        Args:
            batch: What `plan_restores` gave.
            wait: Seconds to wait for a job slot that someone else holds; None: as the settings say.
        """
        return restore.run(self.ports, self._doing(wait), batch)

    def undo_restore(self, restore: str) -> UndoReport:
        """Give the table that a restore replaced its name again, or take back one that was killed."""
        return undo.undo(self.ports, self._place, restore_id(restore))

    def resume_restore(self, restore: str, *, wait: float | None = None) -> RestoreReport:
        """Finish a restore that was killed."""
        return resume.resume(self.ports, self._doing(wait), restore_id(restore))

    def plan_bootstrap(
        self, label: str | None = None, *, from_cluster: str | None = None, repository: str | None = None
    ) -> BootstrapPlan:
        """Which metadata snapshot `bootstrap` would take. Writes nothing.

        Args:
            label: The metadata snapshot; None: the newest one.
            from_cluster: Whose, by its id; None: of the only cluster that the repository holds some of.
            repository: Where to look; None: in that of the settings. It is only read.
        """
        chosen = None if label is None else label_name(label)
        return bootstrap.plan(self.ports, self._reading(repository), chosen, _cluster(from_cluster))

    def bootstrap(
        self, label: str | None = None, *, from_cluster: str | None = None, repository: str | None = None
    ) -> BootstrapReport:
        """Bring a history back from a repository, beside what is recorded here; see `plan_bootstrap`."""
        planned = self.plan_bootstrap(label, from_cluster=from_cluster, repository=repository)
        return bootstrap.run(self.ports, self._reading(repository), planned)

    def _reading(self, repository: str | None) -> Place:
        return self._place if repository is None else evolve(self._place, repository=repository_name(repository))

    @property
    def _place(self) -> Place:
        settings = self.settings
        return Place(
            ops=settings.database,
            repository=settings.repository,
            job_timeout=settings.job_timeout,
            poll_interval=settings.poll_interval,
            wait=settings.wait,
            reconnect_timeout=settings.reconnect_timeout,
            replication_num=settings.replication_num,
        )

    def _backup_request(self, *, full: bool, tables: Sequence[str], wait: float | None = None) -> BackupRequest:
        return BackupRequest(
            place=self._waiting(wait),
            selection=Selection(tuple(tables)) if tables else self.settings.selection,
            full=full,
            max_chain=self.settings.max_chain,
            max_parallel=self.settings.max_parallel_databases,
        )

    def _restore_request(
        self,
        wanted: tuple[Wanted, ...],
        at: datetime | None,
        label: str | None,
        from_cluster: str | None,
        *,
        allow_fuzzy: bool,
    ) -> RestoreRequest:
        if (at is None) is (label is None):
            raise ValueError("give either at=... or label=...")
        if at is not None and at.utcoffset() is None:
            raise ValueError("at=... needs an offset: a naive datetime is not a point in time")
        return RestoreRequest(
            place=self._place,
            wanted=wanted,
            at=at,
            label=None if label is None else label_name(label),
            allow_fuzzy=allow_fuzzy,
            from_cluster=_cluster(from_cluster),
        )

    def _doing(self, wait: float | None) -> RestoreRequest:
        return RestoreRequest(place=self._waiting(wait), wanted=(), max_parallel=self.settings.max_parallel_databases)

    def _waiting(self, wait: float | None) -> Place:
        if wait is None:
            return self._place
        if problems := problems_of("wait", wait):
            raise InvalidSettings("there is no such time to wait", problems)
        return evolve(self._place, wait=wait)


def _cluster(text: str | None) -> ClusterId | None:
    return None if text is None else cluster_id(text)
