"""The BACKUP job (R§4.2, O§a)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from starrocks_simulator.catalog import Database, Table, View
from starrocks_simulator.jobs import Job, JobFailed
from starrocks_simulator.repository import is_too_long, rows_file
from starrocks_simulator.snapshots import Content, cut_table, database_of, info_document, meta_document

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.repository import Repository


@frozen
class Target:
    """A table or view to back up; `partitions` as the statement spelled them, None = all."""

    name: str
    partitions: tuple[str, ...] | None


class BackupJob(Job):
    """Cuts at the tick that leaves PENDING, uploads, completes the snapshot at the last tick (O§0.14)."""

    kind = "BACKUP"
    states = ("PENDING", "SNAPSHOTING", "UPLOAD_SNAPSHOT", "UPLOADING", "SAVE_META", "UPLOAD_INFO", "FINISHED")

    def __init__(
        self,
        frontend: Frontend,
        *,
        label: str,
        database: Database,
        repository: Repository,
        targets: tuple[Target, ...],
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
        self.targets = targets
        self.content: Content | None = None
        self.snapshot_finished: float | None = None
        self.upload_finished: float | None = None
        self.stuck = False

    @property
    def objects(self) -> str:
        """BackupObjs: sorted by name, no blank before PARTITIONS (O§b)."""
        shown = [
            f"[{self.db_name}.{one.name}]"
            if one.partitions is None
            else f"[{self.db_name}.{one.name}PARTITIONS ({', '.join(one.partitions)})]"
            for one in sorted(self.targets, key=lambda one: one.name)
        ]
        return ", ".join(shown)

    @property
    def _staged(self) -> Path:
        return self.frontend.repository_dir / ".staging" / f"{self.database_id}-{int(self.created * 1000)}"

    def step(self) -> None:
        """One state per tick."""
        match self.state:
            case "PENDING":
                self.id = self.frontend.catalog.new_id()
                if not self.stuck:
                    self._cut()
                    self.state = "SNAPSHOTING"
            case "SNAPSHOTING":
                self.state, self.snapshot_finished = "UPLOAD_SNAPSHOT", self.frontend.now()
            case "UPLOAD_SNAPSHOT":
                self._upload()
                self.state = "UPLOADING"
            case "UPLOADING":
                self.state, self.upload_finished = "SAVE_META", self.frontend.now()
            case "SAVE_META":
                if is_too_long(self.label):
                    raise JobFailed("COMMON_ERROR", f"Failed to create tmp dir: backup/{self.label}")
                self.state = "UPLOAD_INFO"
            case "UPLOAD_INFO":
                self._complete()
                self.finish()

    def clean_up(self) -> None:
        """Forget what was cut; what was uploaded stays, and the label is used (O§l)."""
        shutil.rmtree(self._staged, ignore_errors=True)
        self.content = None

    def cancel_message(self) -> str:
        """Without the state, unlike RESTORE's (O§l)."""
        return "user cancelled"

    def timeout_message(self) -> str:
        """Nothing (R§4.4)."""
        return ""

    def restart(self) -> None:
        """PENDING and SNAPSHOTING never move again; later states go on (O§v)."""
        if self.state in {"PENDING", "SNAPSHOTING"}:
            self.clean_up()
            self.state, self.stuck, self.id = "PENDING", True, -1

    def _cut(self) -> None:
        database = database_of(self.frontend.catalog.databases, self.database_id)
        if database is None:
            raise JobFailed("NOT_FOUND", f"database {self.database_id} does not exist")
        content = Content(database.id)
        for target in self.targets:
            self._cut_one(database, target, content)
        self.content = content

    def _cut_one(self, database: Database, target: Target, content: Content) -> None:
        found = database.tables.get(target.name)
        if found is None:
            raise JobFailed("NOT_FOUND", f"table {target.name} does not exist")
        if isinstance(found, View):
            content.views[found.name] = found
            return
        cut = cut_table(found, self._names(found, target))
        content.tables[found.name] = cut
        for partition in cut.partitions.values():
            for physical in partition.physical:
                path = self._staged / rows_file(cut.id, physical.id)
                path.parent.mkdir(parents=True, exist_ok=True)
                self.frontend.rows.export(physical.id, path)

    def _names(self, table: Table, target: Target) -> list[str] | None:
        if target.partitions is None:
            return None
        names = []
        for wanted in target.partitions:
            partition = table.find_partition(wanted)
            if partition is None:
                raise JobFailed("NOT_FOUND", f"partition {wanted} does not exist  in table{table.name}")
            names.append(partition.name)
        return names

    def _upload(self) -> None:
        if self.content is not None and self.content.tables and not is_too_long(self.label):
            self.repository.upload(self.label, self._staged, self.database_id)

    def _complete(self) -> None:
        if self.content is None:
            raise JobFailed("COMMON_ERROR", f"failed to get repository: {self.repository.id}")
        self.repository.write_meta(self.label, meta_document(self.content))
        info = info_document(self.content, label=self.label, database=self.db_name, created=self.created)
        self.repository.write_info(self.label, self.timestamp, info)
        self.content = None
