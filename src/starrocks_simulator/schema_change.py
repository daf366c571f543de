"""Schema change jobs: rows of SHOW ALTER TABLE, and those that take time to finish (O2§y4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field, frozen

from starrocks_simulator.catalog import Catalog, SchemaJob

_STEPS: Final = {"PENDING": "RUNNING", "RUNNING": "FINISHED"}
_TICKS_PER_STEP: Final = 3
"""The server's alter scheduler runs every 10 s, its backup handler every 3 s."""


@frozen(eq=False)
class _Running:
    job: SchemaJob
    finish: Callable[[float], None]
    start: Callable[[SchemaJob], None] | None
    progress: str


@define
class SchemaChanges:
    """The jobs that are on their way.

    Attributes:
        catalog: Keeps the finished ones, too.
    """

    catalog: Catalog
    _running: list[_Running] = field(factory=list)
    _ticks: int = 0

    @property
    def idle(self) -> bool:
        """Whether a tick would change nothing."""
        return not self._running

    def record(
        self,
        database_id: int,
        job: SchemaJob,
        finish: Callable[[float], None] | None = None,
        *,
        start: Callable[[SchemaJob], None] | None = None,
        progress: str = "",
    ) -> None:
        """Keep a job; one with an effect at its end is moved by the ticks until then.

        Args:
            database_id: Whose list shows it.
            job: A FINISHED one, or a PENDING one with `finish`.
            finish: The effect, called with the moment of the end.
            start: What happens when it starts to run.
            progress: What Progress shows while it is RUNNING.
        """
        self.catalog.schema_jobs.setdefault(database_id, []).append(job)
        if finish is not None:
            self._running.append(_Running(job, finish, start, progress))

    def cancel(self, table_id: int, kind: str, now: float) -> None:
        """End the running job of that kind of a table without its effect."""
        for running in [one for one in self._running if one.job.table_id == table_id and one.job.kind == kind]:
            self._running.remove(running)
            job = running.job
            job.state, job.message, job.progress, job.finish_time = "CANCELLED", "user cancelled", None, int(now)

    def run_tick(self, now: float) -> None:
        """Move every job one step, at every third tick."""
        self._ticks += 1
        if self._ticks % _TICKS_PER_STEP:
            return
        for running in list(self._running):
            self._step(running, now)

    def _step(self, running: _Running, now: float) -> None:
        job = running.job
        job.state = _STEPS[job.state]
        if job.state == "RUNNING":
            job.transaction_id, job.progress = self.catalog.new_transaction(), running.progress
            if running.start is not None:
                running.start(job)
            return
        job.finish_time, job.progress = int(now), None
        self._running.remove(running)
        running.finish(now)
