"""One RESTORE job from submit to end, as a generator that yields while there is nothing to do but wait."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from datetime import datetime

from starrocks_br.domain.errors import Busy, JobFailed, OutcomeUnknown, Refused, StarRocksBrError, Unreachable
from starrocks_br.domain.events import JobSent, Warned
from starrocks_br.domain.names import RepositoryName
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import RestorePartitions
from starrocks_br.domain.server import DONE, SLOT_TAKEN, Job, JobKind
from starrocks_br.services.liveness import is_job_of
from starrocks_br.services.requests import Place
from starrocks_br.services.watch import Watched, patiently


class NotSent(Exception):
    """A RESTORE that had to wait was not sent again: what it was about is not what it was any more."""


def run_job(ports: Ports, place: Place, step: RestorePartitions) -> None:
    """Submit a RESTORE of one table and wait for its end. Raises as `job` does."""
    for _ in job(ports, place, [step], place.repository, lambda: True):
        ports.clock.sleep(place.poll_interval)


def job(
    ports: Ports,
    place: Place,
    together: Sequence[RestorePartitions],
    repository: RepositoryName,
    still: Callable[[], bool],
) -> Generator[None, None, Job | None]:
    """Submit a RESTORE and watch it to its end.

    Args:
        ports: The outside.
        place: What the command works with.
        together: The steps that are one statement.
        repository: Where it reads.
        still: Asked each time before it is sent again: whether it may be.

    Returns:
        The job as it ended; None if another job took its slot before that was seen.

    Raises:
        NotSent: It had to wait, and may not be sent any more.
        Refused: It was not accepted.
        Busy: Somebody else's job holds the slot of the database, and did for `place.wait` seconds.
        JobFailed: The server cancelled it; what it created is gone (R§7.8).
        OutcomeUnknown: Whether it was accepted cannot be told: the line broke, and the slot does not show it.
        Unreachable: Nobody answers any more.
    """
    since = ports.cluster.now()
    accepted = yield from _submit(ports, place, together, repository, still)
    ports.listener(JobSent(database=together[0].into.database, label=together[0].label))
    return (yield from _watch(ports, place, together, since, accepted=accepted))


def _watch(
    ports: Ports, place: Place, together: Sequence[RestorePartitions], since: datetime, *, accepted: bool
) -> Generator[None, None, Job | None]:
    """Watch a job that was sent at or after `since` (the leader's clock).

    Once the server has taken it, the slot shows it or a later one, whatever the leader's clock says: that may have
    been set back.
    """
    step = together[0]
    watched = Watched(database=step.into.database, label=step.label, began=ports.clock.monotonic())
    seen = _look(ports, place, step, None if accepted else since)
    while seen is not None and not seen.ended:
        accepted = True
        watched.saw(ports, seen)
        yield
        seen = _look(ports, place, step, None)
    if seen is None and not accepted:
        raise OutcomeUnknown(
            f"the RESTORE job of {step.label} cannot be found in {step.into.database}",
            why="the slot of the database shows no job, or somebody else's",
            hint="run the command again: it first finds out what is there",
        )
    watched.ended(ports, seen)
    if seen is None:
        # A slot is given to another job only once its own has ended (R§5); how it ended shows in what it made.
        ports.listener(
            Warned(message=f"another job took the slot of {step.into.database}: what {step.label} made is looked at")
        )
    elif seen.state != DONE:
        tables = ", ".join(sorted({str(one.into) for one in together}))
        raise JobFailed(f"the restore of {tables} was cancelled by the server", label=step.label, why=seen.status)
    return seen


def _submit(
    ports: Ports,
    place: Place,
    together: Sequence[RestorePartitions],
    repository: RepositoryName,
    still: Callable[[], bool],
) -> Generator[None, None, bool]:
    """Send it; what is refused may be sent again, so a taken slot is waited for, and whatever else may pass.

    Returns:
        Whether the server said that it took it; if not, nobody knows.
    """
    step = together[0]
    deadline = ports.clock.monotonic() + place.wait
    while True:
        try:
            ports.cluster.submit_restore(together, repository, place.job_timeout)
        except (OutcomeUnknown, Unreachable):
            # Whether it arrived shows in the slot: `_look` finds the job there, or says that nobody knows.
            ports.listener(
                Warned(message=f"the connection broke while RESTORE of {step.label} was sent; looking for it")
            )
            return False
        except Refused as refusal:
            if not refusal.transient or ports.clock.monotonic() >= deadline:
                raise _given_up(step, refusal) from refusal
            ports.listener(Warned(message=f"{step.into.database}: {refusal.why}; waiting for that to pass"))
            yield
            if not still():
                raise NotSent from refusal
        else:
            return True


def _given_up(step: RestorePartitions, refusal: Refused) -> StarRocksBrError:
    if SLOT_TAKEN not in refusal.why:
        return refusal
    return Busy(
        f"the job slot of {step.into.database} is taken",
        why=f"{refusal.why}; a database has one slot for both kinds of job",
        hint="wait for it to end, then run the command again",
    )


def _look(ports: Ports, place: Place, step: RestorePartitions, since: datetime | None) -> Job | None:
    jobs = patiently(ports.clock, lambda: ports.cluster.jobs(JobKind.RESTORE, [step.into.database]), place)
    return next((found for found in jobs if is_job_of(found, step, since)), None)
