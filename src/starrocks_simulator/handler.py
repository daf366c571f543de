"""The backup handler: one slot per database for its newest job, every job moved one step per tick (R§4.1, R§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.errors import common
from starrocks_simulator.java_order import by_long
from starrocks_simulator.jobs import Job, Wedged
from starrocks_simulator.repository import Repository

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend

__all__ = ["EXTERNAL_CATALOGS", "BackupHandler", "Job"]

EXTERNAL_CATALOGS: Final = -1
"""The database id of the one slot that jobs of external catalogs share (R§5); this simulator never fills it."""


class BackupHandler:
    """Holds the repositories and the jobs of one frontend.

    Attributes:
        repositories: By name.
    """

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend
        self._slots: dict[int, Job] = {}
        self.repositories: dict[str, Repository] = {}

    @property
    def idle(self) -> bool:
        """Whether a tick would change nothing."""
        return all(job.done for job in self.jobs())

    def run_tick(self) -> None:
        """Move every job one step; `frontend.now()` is the tick's moment.

        A job that wedges ends the round for all behind it (O§x).
        """
        for job in self.jobs():
            try:
                job.run()
            except Wedged:
                return

    def step(self, job: Job) -> None:
        """Move one job one step, whatever the clock says: for those who decide the ticks themselves."""
        try:
            job.run()
        except Wedged:
            return

    def jobs(self) -> list[Job]:
        """The newest job of every database that still exists, but those that ended 7 days ago (R§5).

        In the order of the server's hash map, in which a tick runs them, too.
        """
        known = {database.id for database in self._frontend.catalog.databases.values()}
        keep = float(self._frontend.config["history_job_keep_max_second"])
        now = self._frontend.now()
        for database_id, job in tuple(self._slots.items()):
            if job.finished is not None and now - job.finished > keep:
                del self._slots[database_id]
        return by_long((job for job in self._slots.values() if job.database_id in known), lambda job: job.database_id)

    def job_of(self, database_id: int) -> Job | None:
        """What a database's slot holds."""
        return next((job for job in self.jobs() if job.database_id == database_id), None)

    def check_slot(self, database_id: int) -> None:
        """Make sure that no job of the database is active.

        Raises:
            ServerError: H4.
        """
        job = self.job_of(database_id)
        if job is not None and not job.done:
            raise common("Can only run one backup or restore job of a database at same time")

    def submit(self, job: Job) -> None:
        """Give a job its database's slot; what was there is forgotten."""
        self._slots[job.database_id] = job

    def cancel(self, kind: str, database_id: int) -> None:
        """CANCEL BACKUP or RESTORE.

        Raises:
            ServerError: The slot holds nothing of that kind, or a job that is done (O§l).
        """
        job = self.job_of(database_id)
        if job is None or job.kind != kind:
            raise common(
                "No backup job is currently running" if kind == "BACKUP" else "No restore is currently running"
            )
        if job.done:
            raise common(f"Failed to cancel job: Job with label {job.label} can not be cancelled. state: {job.state}")
        job.fail(f"[COMMON_ERROR, msg: {job.cancel_message()}]")

    def uses(self, repository: Repository) -> bool:
        """Whether an active job reads or writes it."""
        return any(not job.done and job.repository is repository for job in self.jobs())

    def restart(self) -> None:
        """The frontend process was killed and started again (O§v)."""
        for job in self.jobs():
            if not job.done:
                job.restart()
