"""Faults that a test plants: what can go wrong between a client and a frontend, and inside a job.

A fault is a plain callable in one of the lists below; it looks at what is about to happen and lets it be or acts. The
texts of the server's own refusals are in R§3 and R§4.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from starrocks_simulator.jobs import Job


class ConnectionCut(Exception):
    """The client's connection dies here; raised by a fault, seen by the client as a lost connection."""


class Silence(ConnectionCut):
    """The client never gets an answer, and the line stays up: half-open TCP, a frontend that hangs.

    On the wire the client waits as long as it likes. In process nobody can wait for ever: there it is a lost
    connection, which is what a read timeout makes of it.
    """


@frozen(kw_only=True)
class Hold:
    """The job does not move at this tick.

    Attributes:
        task_errors: What TaskErrMsg shows from now on: the backends' words, e.g. `[10496: upload failed]`; a hanging
            UPLOADING keeps Status `[OK]` (O§l, O§u). None leaves it as it is.
        status: Status while it is held, e.g. `[COMMON_ERROR, msg: …]` in UPLOAD_INFO (O§u). None leaves it as it is.
    """

    task_errors: str | None = None
    status: str | None = None


@frozen
class Fail:
    """The job is CANCELLED at this tick.

    Attributes:
        status: Its Status, in the server's form: `[CODE, msg: text]` (R§4.4).
    """

    status: str


@define
class Faults:
    """Where a test reaches in.

    Attributes:
        before: Called with each statement before it runs. May raise `ServerError` (the statement is refused),
            `ConnectionCut` or `Silence` (nothing happened and the client does not know).
        after: Called with each statement after its effect. May raise `ConnectionCut` or `Silence` (it happened and the
            client does not know).
        steps: Called with each job before its tick. The first that returns something decides the tick.
        registrations: Called with a RESTORE between its checks and the moment its tables get their names, while
            backends create replicas: the window in which a stranger can take one (O2§0.2). True = not done yet.
        hold_publish: While true, loads commit and stay unpublished: NEXT_VERSION moves, VISIBLE_VERSION does not
            (O2§y6). `frontend.held_loads.publish()` makes them visible.
        unread: Labels that the object store does not answer about: SHOW SNAPSHOT lists them with an error (R§6.3).
        held_table: Only loads into tables of this name are held; empty: all.
    """

    before: list[Callable[[str], None]] = field(factory=list)
    after: list[Callable[[str], None]] = field(factory=list)
    delays: list[Callable[[str], float]] = field(factory=list)
    steps: list[Callable[[Job], Hold | Fail | None]] = field(factory=list)
    unread: set[str] = field(factory=set)
    registrations: list[Callable[[Job], bool]] = field(factory=list)
    hold_publish: bool = False
    held_table: str = ""

    def before_statement(self, sql: str) -> None:
        """Let the planted faults see a statement before it runs."""
        for fault in tuple(self.before):
            fault(sql)

    def after_statement(self, sql: str) -> None:
        """Let the planted faults see a statement that has had its effect."""
        for fault in tuple(self.after):
            fault(sql)

    def holds(self, table: str) -> bool:
        """Whether a load into a table of this name stays unpublished."""
        return self.hold_publish and self.held_table in {"", table}

    def delay(self, sql: str) -> float:
        """How many seconds the answer to a statement takes."""
        return sum(fault(sql) for fault in tuple(self.delays))

    def delays_registration(self, job: Job) -> bool:
        """Let the planted faults act while a RESTORE creates replicas; whether one says that they take longer."""
        answers = [fault(job) for fault in tuple(self.registrations)]
        return any(answers)

    def step(self, job: Job) -> Hold | Fail | None:
        """What a planted fault makes of this tick of `job`."""
        for fault in tuple(self.steps):
            verdict = fault(job)
            if verdict is not None:
                return verdict
        return None
