"""Schema change jobs: rows of SHOW ALTER TABLE, and those that take ticks to finish (O2§y4)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from starrocks_simulator.catalog import Catalog, SchemaJob

_STEPS = {"PENDING": "WAITING_TXN", "WAITING_TXN": "RUNNING", "RUNNING": "FINISHED"}


@define
class SchemaChanges:
    """The jobs that are on their way.

    Attributes:
        catalog: Keeps the finished ones, too.
    """

    catalog: Catalog
    _running: list[tuple[SchemaJob, Callable[[float], None]]] = field(factory=list)

    @property
    def idle(self) -> bool:
        """Whether a tick would change nothing."""
        return not self._running

    def record(self, database_id: int, job: SchemaJob, when_done: Callable[[float], None] | None = None) -> None:
        """Keep a job; one with an effect at its end is moved at every tick until then.

        Args:
            database_id: Whose list shows it.
            job: A FINISHED one, or a PENDING one with `when_done`.
            when_done: The effect, called with the moment of the end.
        """
        self.catalog.schema_jobs.setdefault(database_id, []).append(job)
        if when_done is not None:
            self._running.append((job, when_done))

    def run_tick(self, now: float) -> None:
        """Move every job one step."""
        for job, when_done in list(self._running):
            job.state = _STEPS[job.state]
            if job.state == "RUNNING":
                job.transaction_id, job.progress = self.catalog.new_transaction(), "1/1"
            if job.state == "FINISHED":
                job.finish_time, job.progress = int(now), None
                self._running.remove((job, when_done))
                when_done(now)
