"""The RESTORE job (R§7, O§c, O§l)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from starrocks_simulator.catalog import Database, Partition, Table, TableState, View
from starrocks_simulator.errors import ServerError
from starrocks_simulator.java_order import by_string
from starrocks_simulator.jobs import Job, JobFailed, Wedged
from starrocks_simulator.repository import RemoteError, Repository
from starrocks_simulator.restore_checks import check_free, check_likeness, check_partition
from starrocks_simulator.snapshots import Content, database_of, read_meta_document
from starrocks_simulator.view_activity import activate

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


@frozen
class Item:
    """A table or view to restore.

    Attributes:
        name: In the snapshot.
        partitions: Names in the snapshot, all of them where the statement named none.
        alias: The name it gets; None = its own.
    """

    name: str
    partitions: tuple[str, ...]
    alias: str | None

    @property
    def target(self) -> str:
        """The name in the target database."""
        return self.alias or self.name

    @property
    def text(self) -> str:
        """As RestoreObjs shows it: original name, partitions unless the only one has the table's name (R§6.2)."""
        if self.partitions in {(), (self.name,)}:
            return self.name
        return f"{self.name} PARTITIONS [{', '.join(by_string(sorted(self.partitions), str))}]"


@define(eq=False)
class Work:
    """What a job has done to one table.

    Attributes:
        item: What was asked for.
        table: The local table, created by the job or found.
        created: Whether the job created it.
        pairs: Each of the snapshot's partitions with the local one that takes its rows.
        added: Partitions that the job added to a table it found.
    """

    item: Item
    table: Table
    remote: Table
    created: bool
    pairs: list[tuple[Partition, Partition]] = field(factory=list)
    added: list[Partition] = field(factory=list)


class RestoreJob(Job):
    """Checks and creates at its first tick, moves rows in at COMMIT, sets versions at the last one."""

    kind = "RESTORE"
    states = ("PENDING", "SNAPSHOTING", "DOWNLOAD", "DOWNLOADING", "COMMIT", "COMMITTING", "FINISHED")

    def __init__(  # noqa: PLR0913 - the statement's parts
        self,
        frontend: Frontend,
        *,
        label: str,
        database: Database,
        repository: Repository,
        backup_timestamp: str,
        items: tuple[Item, ...],
        replication_num: int,
        allow_load: bool,
        timeout: int,
    ) -> None:
        super().__init__(
            frontend,
            label=label,
            database_id=database.id,
            db_name=database.name,
            repository=repository,
            timeout=timeout,
        )
        self.backup_timestamp = backup_timestamp
        self.items = items
        self.replication_num = replication_num
        self.allow_load = allow_load
        self.work: list[Work] = []
        self.views: list[View] = []
        self.content: Content | None = None
        self.meta_prepared: float | None = None
        self.snapshot_finished: float | None = None
        self.download_finished: float | None = None
        self._locked: list[Table] = []
        self._meta: Content | None = None

    @property
    def objects(self) -> str:
        """RestoreObjs, in the order of the server's hash map."""
        by_name = sorted(self.items, key=lambda item: item.name)
        return ", ".join(item.text for item in by_string(by_name, lambda item: item.name))

    def step(self) -> None:
        """One state per tick."""
        if self.state != "PENDING":
            self._still_there()
        match self.state:
            case "PENDING":
                self.id = self.frontend.catalog.new_id()
                self._prepare()
            case "SNAPSHOTING":
                self.state, self.snapshot_finished = "DOWNLOAD", self.frontend.now()
            case "DOWNLOAD":
                self.state = "DOWNLOADING"
            case "DOWNLOADING":
                self.state, self.download_finished = "COMMIT", self.frontend.now()
            case "COMMIT":
                self._move_rows()
                self.state = "COMMITTING"
            case "COMMITTING":
                self._commit()
                self.finish()

    def clean_up(self) -> None:
        """Tables back to NORMAL; what the job created is dropped, tables by *name* (R§7.8, O2§0.2)."""
        database = self._database()
        for table in self._locked:
            table.state = TableState.NORMAL
        for work in self.work:
            if work.created:
                stranger = database.tables.pop(work.item.target, None) if database else None
                if isinstance(stranger, Table):
                    self._drop_rows(list(stranger.every_partition()))
            for partition in work.added:
                work.table.partitions.pop(partition.name, None)
            self._drop_rows(work.added)
        self.work, self._locked, self.content = [], [], None

    def cancel_message(self) -> str:
        """With the state, unlike BACKUP's (O§l)."""
        return f"user cancelled, current state: {self.state}"

    def timeout_message(self) -> str:
        """R§4.4; two blanks."""
        return f"restore job with label: {self.label}  timeout."

    def restart(self) -> None:
        """Every state goes on; PENDING and SNAPSHOTING start over with new ids (O§v)."""
        if self.state in {"PENDING", "SNAPSHOTING"}:
            self.clean_up()
            self.state, self.meta_prepared, self.id = "PENDING", None, -1

    def _database(self) -> Database | None:
        return database_of(self.frontend.catalog.databases, self.database_id)

    def _still_there(self) -> None:
        database = self._database()
        if database is None:
            raise JobFailed("NOT_FOUND", f"database {self.database_id} has been dropped")
        for work in self.work:
            if database.tables.get(work.table.name) is not work.table:
                raise JobFailed("NOT_FOUND", f"table {work.table.id} has been dropped")

    def _prepare(self) -> None:
        database = self._database()
        if database is None:
            raise JobFailed("NOT_FOUND", f"database {self.database_id} does not exist")
        if self.content is None:
            self._check(database)
        if self.content is None or self.frontend.faults.delays_registration(self):
            return
        for work in self.work:
            self._register(database, work)
        self._restore_views(database, self.content)
        self.state, self.meta_prepared = "SNAPSHOTING", self.frontend.now()

    def _check(self, database: Database) -> None:
        content = self._read()
        self._lock(database, content)
        self.work = [
            self._plan(database, item, content)
            for item in self.items
            if item.name in content.tables and not _is_materialized(database.tables.get(item.target))
        ]
        self.content = content

    def _read(self) -> Content:
        """The snapshot's metadata, read once."""
        if self._meta is None:
            try:
                self._meta = read_meta_document(self.repository.read_meta(self.label))
            except RemoteError:
                raise JobFailed("COMMON_ERROR", "Failed to read backup meta from file") from None
        return self._meta

    def _lock(self, database: Database, content: Content) -> None:
        """Put every table that exists into state RESTORE; one that is unfit cancels all (R§7.3)."""
        for item in self.items:
            found = database.tables.get(item.target)
            if item.name in content.views:
                if isinstance(found, Table):
                    raise JobFailed("BAD_REPLACE", f"Table: {item.name} has existed and it is not a View")
                continue
            if isinstance(found, View):
                raise Wedged(f"class View cannot be cast to class OlapTable: {item.target}")
            if found is not None and found.is_materialized_view:
                continue  # an active one is silently skipped (R§7.6)
            if found is not None and found not in self._locked:
                check_free(found)
                found.state = TableState.RESTORE
                self._locked.append(found)

    def _plan(self, database: Database, item: Item, content: Content) -> Work:
        remote = content.tables[item.name]
        found = database.tables.get(item.target)
        if isinstance(found, Table):
            return self._plan_over(found, item, remote)
        if self.replication_num > self.frontend.backends:
            raise JobFailed(
                "COMMON_ERROR", f"failed to find {self.replication_num} different hosts to create table: {item.target}"
            )
        return self._plan_new(item, remote)

    def _plan_over(self, local: Table, item: Item, remote: Table) -> Work:
        check_likeness(local, remote)
        work = Work(item, local, remote, created=False)
        for name in item.partitions:
            partition = remote.partitions[name]
            if check_partition(local, partition, remote, self.replication_num):
                if self.replication_num > self.frontend.backends:
                    raise JobFailed("COMMON_ERROR", f"Restored partition {name}of {local.name}is null")
                added = self._copied(partition)
                work.added.append(added)
                work.pairs.append((partition, added))
            else:
                work.pairs.append((partition, local.partitions[name]))
        return work

    def _plan_new(self, item: Item, remote: Table) -> Work:
        table = copy.deepcopy(remote)
        table.id, table.index_id = self.frontend.catalog.new_id(), self.frontend.catalog.new_id()
        table.name = item.target
        for rollup in table.rollups:
            rollup.id = self.frontend.catalog.new_id()
        table.state = TableState.RESTORE
        table.properties.pop("colocate_with", None)
        table.properties["replication_num"] = str(self.replication_num)
        table.partitions, table.ghosts = {}, [self._copied(ghost) for ghost in remote.ghosts]
        work = Work(item, table, remote, created=True)
        for name in item.partitions:
            copied = self._copied(remote.partitions[name])
            if table.partitioning is None:
                copied.name = item.target
            table.partitions[copied.name] = copied
            work.pairs.append((remote.partitions[name], copied))
        return work

    def _copied(self, partition: Partition) -> Partition:
        """A snapshot's partition with new ids; versions, times, epoch are the source's, holes too (O§c, O2§0.3)."""
        copied = copy.deepcopy(partition)
        copied.id = self.frontend.catalog.new_id()
        copied.replication_num = self.replication_num
        for physical in copied.physical:
            physical.id = self.frontend.catalog.new_id()
        return copied

    def _register(self, database: Database, work: Work) -> None:
        if not work.created:
            work.table.partitions.update({partition.name: partition for partition in work.added})
            return
        if work.item.target in database.tables:
            raise JobFailed("COMMON_ERROR", f"Table {work.item.target} already exist in db: {database.name}")
        database.tables[work.item.target] = work.table
        self._locked.append(work.table)

    def _restore_views(self, database: Database, content: Content) -> None:
        for item in self.items:
            if item.name in content.views:
                view = copy.deepcopy(content.views[item.name])
                view.id, view.name = self.frontend.catalog.new_id(), item.target
                database.tables[item.target] = view

    def _move_rows(self) -> None:
        if self.content is None:
            return
        for work in self.work:
            for source, target in work.pairs:
                for there, here in zip(source.physical, target.physical, strict=False):
                    path = self.repository.rows(self.label, self.content.database_id, work.remote.id, there.id)
                    self.frontend.rows.load(here.id, path)

    def _commit(self) -> None:
        now = int(self.frontend.now())
        for work in self.work:
            for source, target in work.pairs:
                if not work.created and target not in work.added:
                    self._overwrite(source, target, now)
            work.table.next_auto_increment = max(1, work.remote.next_auto_increment)
            if work.created and work.table.is_materialized_view:
                self._reactivate(work.table)
        for table in self._locked:
            table.state = TableState.NORMAL
        self._locked = []

    def _reactivate(self, view: Table) -> None:
        """A restored materialized view is active again if what it reads is there (R§7.6)."""
        view.base_ids = []
        try:
            activate(self.frontend.catalog, view)
        except ServerError as error:
            view.inactive_reason = error.message

    @staticmethod
    def _overwrite(source: Partition, target: Partition, now: int) -> None:
        """Over an existing partition: the snapshot's version, now as its time; id, epoch, data version stay (O§c)."""
        here, there = target.physical[0], source.physical[0]
        here.visible_version, here.next_version = there.visible_version, there.visible_version + 1
        here.visible_version_time = now

    def _drop_rows(self, partitions: list[Partition]) -> None:
        self.frontend.rows.drop(physical.id for partition in partitions for physical in partition.physical)


def items_of(info: dict[str, Any], wanted: list[tuple[str, tuple[str, ...] | None, str | None]]) -> tuple[Item, ...]:
    """The objects of a statement with the partitions that the snapshot holds of them."""
    objects = info["backup_objects"]
    return tuple(
        Item(name, tuple(objects[name]["partitions"]) if partitions is None else partitions, alias)
        for name, partitions, alias in wanted
    )


def _is_materialized(found: Table | View | None) -> bool:
    """Whether a materialized view stands there."""
    return isinstance(found, Table) and found.is_materialized_view
