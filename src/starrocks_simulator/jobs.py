"""What BACKUP and RESTORE jobs have in common: a slot in a database, states, times, a Status (R§4)."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

from starrocks_simulator.faults import Fail, Hold

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.repository import Repository

OK = "[OK]"


class JobFailed(Exception):
    """The job is to be CANCELLED; its Status says why (R§4.4)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = f"[{code}, msg: {message}]"


class Wedged(Exception):
    """An exception that the server does not catch: the handler's round ends here, for all jobs behind it (O§x)."""


class Job(abc.ABC):
    """One BACKUP or RESTORE.

    Attributes:
        kind: "BACKUP" or "RESTORE".
        id: JobId; -1 until the first tick, a new one for every tick in PENDING (O§a, O§0.13).
        label: SnapshotName, Label.
        database_id: Whose slot it holds.
        db_name: As it was when it was submitted.
        repository: Where it writes or reads.
        state: One of the server's words (R§4.2).
        created: Epoch seconds, with fraction.
        finished: Epoch seconds of FINISHED or CANCELLED.
        status: `[OK]`, or why it was cancelled.
        task_errors: TaskErrMsg; stays when the task succeeds after all (O§u).
        timeout: Seconds.
    """

    kind: ClassVar[str]
    states: ClassVar[tuple[str, ...]]

    def __init__(
        self, frontend: Frontend, *, label: str, database_id: int, db_name: str, repository: Repository, timeout: int
    ) -> None:
        self.frontend = frontend
        self.id = -1
        self.label = label
        self.database_id = database_id
        self.db_name = db_name
        self.repository = repository
        self.timeout = timeout
        self.state = "PENDING"
        self.created = frontend.now()
        self.finished: float | None = None
        self.status = OK
        self.task_errors = ""

    @property
    def done(self) -> bool:
        """Whether it is FINISHED or CANCELLED."""
        return self.state in {"FINISHED", "CANCELLED"}

    @property
    def timestamp(self) -> str:
        """The submit's instant as the repository spells it: milliseconds, in the JVM's zone (O§r)."""
        from starrocks_simulator.times import naive

        when = naive(self.created, self.frontend.zone)
        return f"{when:%Y-%m-%d-%H-%M-%S}-{when.microsecond // 1000:03d}"

    def run(self) -> None:
        """One tick.

        Raises:
            Wedged: The handler's round ends.
        """
        if self.done:
            return
        verdict = self.frontend.faults.step(self)
        try:
            if isinstance(verdict, Fail):
                self.fail(verdict.status)
            elif self.frontend.now() - self.created > self.timeout:
                self.fail(f"[TIMEOUT, msg: {self.timeout_message()}]")
            elif isinstance(verdict, Hold):
                self._hold(verdict)
            else:
                self.step()
        except JobFailed as failure:
            self.fail(failure.status)

    def _hold(self, verdict: Hold) -> None:
        self.task_errors = self.task_errors if verdict.task_errors is None else verdict.task_errors
        self.status = self.status if verdict.status is None else verdict.status

    def fail(self, status: str) -> None:
        """CANCELLED, with the server's reason."""
        self.clean_up()
        self.state, self.status, self.finished = "CANCELLED", status, self.frontend.now()

    def finish(self) -> None:
        """FINISHED."""
        self.state, self.status, self.finished = "FINISHED", OK, self.frontend.now()

    @abc.abstractmethod
    def step(self) -> None:
        """Do what this state does and go on to the next one.

        Raises:
            JobFailed: It cannot.
        """

    @abc.abstractmethod
    def clean_up(self) -> None:
        """Undo what a cancelled job has to undo."""

    @abc.abstractmethod
    def cancel_message(self) -> str:
        """What Status says after CANCEL."""

    @abc.abstractmethod
    def timeout_message(self) -> str:
        """What Status says when `timeout` has passed."""

    @abc.abstractmethod
    def restart(self) -> None:
        """The frontend process was killed and started again: go back to the last persisted state (O§v)."""
