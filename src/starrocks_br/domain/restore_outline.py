"""A restore in one line: for people who look for its id."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from starrocks_br.domain.journal import Journal, StepStatus
from starrocks_br.domain.names import RestoreId, TableRef


class RestoreState(StrEnum):
    """What became of a restore."""

    OPEN = "OPEN"
    """It is at work, or was killed."""
    DONE = "DONE"
    """The table is there."""
    GIVEN_UP = "GIVEN UP"
    """It was taken back."""
    UNDONE = "UNDONE"
    """It was complete; the table that it had replaced has its name again."""


@frozen(kw_only=True)
class RestoreOutline:
    """One restore of one table.

    Attributes:
        restore: Its id.
        table: What it makes.
        began_at: When it began (UTC).
        state: What became of it.
        replaced: Whether it was to replace a table.
    """

    restore: RestoreId
    table: TableRef
    began_at: datetime
    state: RestoreState
    replaced: bool


def outline_of(journal: Journal) -> RestoreOutline:
    """The line of a restore."""
    return RestoreOutline(
        restore=journal.restore,
        table=journal.target,
        began_at=journal.created_at,
        state=_state(journal),
        replaced=journal.replaced is not None,
    )


def _state(journal: Journal) -> RestoreState:
    statuses = {line.status for line in journal.steps}
    if not journal.closed:
        return RestoreState.OPEN
    if StepStatus.UNDONE in statuses:
        return RestoreState.UNDONE
    return RestoreState.DONE if statuses == {StepStatus.DONE} else RestoreState.GIVEN_UP
