"""Waiting for jobs: patient with a lost connection, alert to a job that does not move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, TypeVar

from attrs import define, field

from starrocks_br.domain.errors import OutcomeUnknown, Refused, gone
from starrocks_br.domain.events import JobEnded, JobSeen, Warned
from starrocks_br.domain.names import DatabaseName, Label, RepositoryName
from starrocks_br.domain.ports import Clock, Ports
from starrocks_br.domain.server import BEFORE_THE_CUT, Job, RemoteSnapshot
from starrocks_br.services.requests import Place

STUCK_AFTER: Final = 600.0
"""Seconds without any movement in PENDING or SNAPSHOTING after which a BACKUP never moves again (O§v)."""

LONGEST_PAUSE: Final = 15.0
"""Seconds between two attempts, at most: the pause doubles from the poll interval up to this."""

Answer = TypeVar("Answer")


def patiently(clock: Clock, act: Callable[[], Answer], place: Place) -> Answer:
    """Do something that may be repeated, and do it again if the connection broke or while the server says "try again".

    The connection itself waits for a cluster that is away, and repeats what only reads. Left for here are writes that
    do no harm when they come twice, and refusals that pass. The time runs from the first failure: an attempt on a dead
    line may itself have lasted longer than all of it.

    Raises:
        Unreachable: Nobody answered for `place.reconnect_timeout` seconds.
        Refused: It is refused for good, or has been for that long.
    """
    failing_since: float | None = None
    pause = place.poll_interval
    while True:
        try:
            return act()
        except (OutcomeUnknown, Refused) as error:
            now = clock.monotonic()
            failing_since = now if failing_since is None else failing_since
            _check_patience(error, now - failing_since, place)
        clock.sleep(pause)
        pause = _longer(pause, place)


def _longer(pause: float, place: Place) -> float:
    return min(2 * pause, max(LONGEST_PAUSE, place.poll_interval))


def _check_patience(error: OutcomeUnknown | Refused, failing_for: float, place: Place) -> None:
    """Raise if it is of no use, or no longer, to try again."""
    worn_out = failing_for > place.reconnect_timeout
    if isinstance(error, Refused):
        if worn_out or not error.transient:
            raise error
    elif worn_out:
        raise gone(error) from error


def listed(
    ports: Ports, place: Place, repository: RepositoryName, labels: Collection[Label]
) -> Mapping[Label, RemoteSnapshot]:
    """What the repository says of labels; what the object store does not answer about is asked for again.

    Such an answer comes in the list, as the state of a label (R§6.3), where others are refused as a whole.

    Returns:
        As `Cluster.find_snapshots`. What could not be read for `place.reconnect_timeout` seconds is `unread`.
    """
    began, pause = ports.clock.monotonic(), place.poll_interval
    while True:
        found = ports.cluster.find_snapshots(repository, labels)
        worn_out = ports.clock.monotonic() - began > place.reconnect_timeout
        if worn_out or not any(one.unread for one in found.values()):
            return found
        ports.clock.sleep(pause)
        pause = _longer(pause, place)


@define(kw_only=True)
class Watched:
    """One job under watch.

    Attributes:
        database: Whose slot it holds.
        label: The snapshot.
        began: When the watch began, on this machine's clock.
    """

    database: DatabaseName
    label: Label
    began: float
    _moved: float = field(default=0.0, init=False)
    _last: Job | None = field(default=None, init=False)
    _alarmed: str = field(default="", init=False)

    def saw(self, ports: Ports, job: Job) -> None:
        """Take note of a poll that found the job alive, and tell the listener."""
        now = ports.clock.monotonic()
        if self._last is None or _moves(self._last, job):
            self._moved = now
        self._last = job
        ports.listener(JobSeen(job=job, elapsed=now - self.began))
        if job.task_error and job.task_error != self._alarmed:
            self._alarmed = job.task_error
            ports.listener(
                Warned(message=f"{self.label}: backends report trouble and are tried again: {job.task_error}")
            )

    @property
    def cut_by(self) -> datetime | None:
        """The cut is not later than this (the leader's clock); None if no poll has shown that yet."""
        return self._last.snapshot_at if self._last is not None and self._last.cut else None

    def stuck(self, clock: Clock) -> bool:
        """Whether the job is in a state that an FE restart freezes for good, and has not moved for long (O§v)."""
        return (
            self._last is not None
            and self._last.state in BEFORE_THE_CUT
            and clock.monotonic() - self._moved >= STUCK_AFTER
        )

    def wait_again(self, clock: Clock) -> None:
        """Give the job as much time to move as it had."""
        self._moved = clock.monotonic()

    def ended(self, ports: Ports, job: Job | None) -> None:
        """Tell the listener how it ended."""
        elapsed = ports.clock.monotonic() - self.began
        ports.listener(JobEnded(database=self.database, label=self.label, job=job, elapsed=elapsed))


def _moves(before: Job, now: Job) -> bool:
    """JobId is no sign of life: a frozen job gets a new one at each tick (O§v)."""
    return (before.state, before.unfinished, before.progress, before.created_at, before.snapshot_at) != (
        now.state,
        now.unfinished,
        now.progress,
        now.created_at,
        now.snapshot_at,
    )
