"""What a listener is told while work goes on. Values only; how they are shown is the listener's affair."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from starrocks_br.domain.backup_plan import BackupPlan
from starrocks_br.domain.names import DatabaseName, Label, TableRef
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import Step
from starrocks_br.domain.server import Job
from starrocks_br.domain.status import Status


@frozen(kw_only=True)
class BackupPlanned:
    """A run has decided what to do.

    Attributes:
        plan: What.
    """

    plan: BackupPlan


@frozen(kw_only=True)
class RestorePlanned:
    """A restore has decided what to do.

    Attributes:
        plan: What.
    """

    plan: RestorePlan


@frozen(kw_only=True)
class JobSent:
    """A job was accepted by the server.

    Attributes:
        database: Whose slot it holds.
        label: The snapshot.
    """

    database: DatabaseName
    label: Label


@frozen(kw_only=True)
class JobSeen:
    """A poll saw a job that has not ended.

    Attributes:
        job: As reported.
        elapsed: Seconds since it was first watched.
    """

    job: Job
    elapsed: float


@frozen(kw_only=True)
class JobEnded:
    """A job ended, or vanished from its slot.

    Attributes:
        database: Whose slot it held.
        label: The snapshot.
        job: As last reported; None if the slot holds something else.
        elapsed: Seconds since it was first watched.
    """

    database: DatabaseName
    label: Label
    job: Job | None
    elapsed: float


@frozen(kw_only=True)
class StepDone:
    """A step of a restore is done.

    Attributes:
        number: From 1.
        total: How many there are.
        step: Which.
    """

    number: int
    total: int
    step: Step


@frozen(kw_only=True)
class Settled:
    """An earlier command's open end was closed.

    Attributes:
        subject: The snapshot's label or the restore's id.
        outcome: The state it has now; None: still running elsewhere.
        detail: What was found.
    """

    subject: str
    outcome: Status | None
    detail: str


@frozen(kw_only=True)
class Retrying:
    """An attempt failed and is made anew, under a new label.

    Attributes:
        database: Which.
        attempt: The number of the next attempt, from 2.
        reason: Why the last one failed.
    """

    database: DatabaseName
    attempt: int
    reason: str


@frozen(kw_only=True)
class Warned:
    """Something the user should know; the command goes on.

    Attributes:
        message: What.
        table: Whose, if one table's.
    """

    message: str
    table: TableRef | None = None


Progress: TypeAlias = (
    BackupPlanned | RestorePlanned | JobSent | JobSeen | JobEnded | StepDone | Settled | Retrying | Warned
)
