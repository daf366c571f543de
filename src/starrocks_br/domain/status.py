"""The states of a snapshot as one table, with a loud miss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from starrocks_br.domain.errors import IllegalTransition


class Status(StrEnum):
    """Where a recorded snapshot stands."""

    PENDING = "PENDING"
    """The intent is written, nothing was sent."""
    RUNNING = "RUNNING"
    """Written just before BACKUP is sent."""
    FINISHED = "FINISHED"
    """Proven by the server."""
    FAILED = "FAILED"
    """Refused or CANCELLED, or not what was asked for: there is positive evidence."""
    LOST = "LOST"
    """The outcome cannot be known any more; a later proof still makes it FINISHED."""
    UNCHANGED = "UNCHANGED"
    """Nothing to capture, no job: a point with its baseline's contents."""
    EXPIRING = "EXPIRING"
    """Given up by retention; its files may be gone already."""
    EXPIRED = "EXPIRED"
    """Gone from the repository."""


class Event(StrEnum):
    """What can happen to a recorded snapshot."""

    SENT = "SENT"
    PROVEN = "PROVEN"
    REFUSED = "REFUSED"
    LOST = "LOST"
    EXPIRE = "EXPIRE"
    GONE = "GONE"


TRANSITIONS: Final[Mapping[Status, Mapping[Event, Status]]] = {
    Status.PENDING: {
        Event.SENT: Status.RUNNING,
        Event.PROVEN: Status.FINISHED,
        Event.REFUSED: Status.FAILED,
        Event.LOST: Status.LOST,
    },
    Status.RUNNING: {
        Event.PROVEN: Status.FINISHED,
        Event.REFUSED: Status.FAILED,
        Event.LOST: Status.LOST,
    },
    Status.LOST: {
        Event.PROVEN: Status.FINISHED,
        Event.REFUSED: Status.FAILED,
        Event.LOST: Status.LOST,
        Event.EXPIRE: Status.EXPIRING,
    },
    Status.FINISHED: {Event.PROVEN: Status.FINISHED, Event.EXPIRE: Status.EXPIRING},
    Status.UNCHANGED: {Event.EXPIRE: Status.EXPIRING},
    Status.EXPIRING: {Event.EXPIRE: Status.EXPIRING, Event.GONE: Status.EXPIRED},
    Status.FAILED: dict.fromkeys(Event, Status.FAILED),
    Status.EXPIRED: dict.fromkeys(Event, Status.EXPIRED),
}
"""State → event → state. FAILED and EXPIRED absorb; what is missing is illegal."""

UNSETTLED: Final = frozenset({Status.PENDING, Status.RUNNING, Status.LOST})
"""States that a later look at the server may still change."""

RESTORABLE: Final = frozenset({Status.FINISHED, Status.UNCHANGED})
"""States of which an entry can be a point."""


def advance(status: Status, event: Event) -> Status:
    """The state after the event. Raises IllegalTransition on a miss."""
    try:
        return TRANSITIONS[status][event]
    except KeyError:
        raise IllegalTransition(f"a snapshot that is {status} cannot meet {event}") from None


def sources(event: Event) -> frozenset[Status]:
    """The states that the event changes: what an UPDATE of the status may match."""
    return frozenset(status for status, moves in TRANSITIONS.items() if event in moves and moves[event] is not status)


def stands_open(statuses: Iterable[str], event: Event) -> bool:
    """Whether an event may be written down where these states were found: for the first time, or once more."""
    return (sources(event) | {outcome(event)}).issuperset(statuses)


def outcome(event: Event) -> Status:
    """The one state that the event leads to, wherever it comes from; absorbing states aside."""
    (status,) = {advance(source, event) for source in sources(event)}
    return status
