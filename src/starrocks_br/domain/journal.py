"""What a restore wrote down of itself, step by step, so that whoever comes after a kill can clean up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from starrocks_br.domain.names import ClusterId, RepositoryName, RestoreId, TableRef
from starrocks_br.domain.reprs import count
from starrocks_br.domain.restore_steps import Rename, RestorePartitions, Step, Verify


class StepStatus(StrEnum):
    """Where a step of a restore stands."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


OPEN_STEPS = frozenset({StepStatus.PLANNED, StepStatus.SENT})
"""States that only a live restore may leave behind."""


QUIET: Final = timedelta(seconds=60)
"""For longer than this a restore that is alive is never silent between its jobs: each of its steps takes moments."""

QUIET_WHILE_READING: Final = timedelta(seconds=360)
"""But for the one that reads the whole table: query_timeout (300 s unless set), and a minute."""


GRACE: Final = timedelta(seconds=300 + 10 + 60)
"""query_timeout, the wait for the submit lock, and a minute: what was sent longer ago has acted, or never will."""


@frozen(kw_only=True)
class JournalStep:
    """One step as written down.

    Attributes:
        step: What was to be done.
        status: How far it got.
        table_id: The server's id of the table right after the step; None if not known.
    """

    step: Step
    status: StepStatus
    table_id: int | None = None


@frozen(kw_only=True)
class Journal:
    """One restore as written down.

    Attributes:
        restore: Its id.
        cluster: Where it ran.
        repository: Where it read.
        target: The table it makes.
        alias: The name it works under.
        created_at: When it began (the leader's clock, UTC).
        steps: In order.
        marked_at: When it was last written to (the leader's clock, UTC); None where nobody keeps that.
    """

    restore: RestoreId
    cluster: ClusterId
    repository: RepositoryName
    target: TableRef
    alias: TableRef
    created_at: datetime
    steps: tuple[JournalStep, ...] = field(repr=count)
    marked_at: datetime | None = field(default=None, eq=False)

    @property
    def closed(self) -> bool:
        """Whether nothing of it is left to be done or undone."""
        return not any(step.status in OPEN_STEPS for step in self.steps)

    @property
    def table_id(self) -> int | None:
        """The id of the table that the restore made, as far as it is known."""
        known = [step.table_id for step in self.steps if step.table_id is not None]
        return known[-1] if known else None

    @property
    def jobs_sent(self) -> tuple[RestorePartitions, ...]:
        """The RESTORE jobs that may be running."""
        return tuple(
            line.step
            for line in self.steps
            if isinstance(line.step, RestorePartitions) and line.status is StepStatus.SENT
        )

    @property
    def exposed(self) -> bool:
        """Whether the table may bear the target's name."""
        return any(isinstance(line.step, Rename) and line.status is not StepStatus.PLANNED for line in self.steps)

    def may_be_alive(self, now: datetime) -> bool:
        """Whether the command that writes it was heard of so lately that it may be at work, whatever its jobs do."""
        reading = any(isinstance(line.step, Verify) and line.status is StepStatus.SENT for line in self.steps)
        return now - (self.marked_at or self.created_at) < (QUIET_WHILE_READING if reading else QUIET)

    def may_arrive(self, now: datetime) -> bool:
        """Whether a RESTORE over the target's own name that no slot shows may still be accepted.

        One that makes a table makes it under a hidden name, and may come when it likes.
        """
        overlaying = any(not step.creating for step in self.jobs_sent)
        return overlaying and now - (self.marked_at or self.created_at) < GRACE

    @property
    def complete(self) -> bool:
        """Whether every step is done."""
        return all(line.status is StepStatus.DONE for line in self.steps)


def unfinished(journals: Sequence[Journal]) -> tuple[Journal, ...]:
    """Those that a kill left open."""
    return tuple(journal for journal in journals if not journal.closed)
