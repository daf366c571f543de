"""One RESTORE job from submit to end."""

from __future__ import annotations

from datetime import datetime

from starrocks_br.domain.errors import Busy, JobFailed, OutcomeUnknown, Refused, StarRocksBrError, Unreachable
from starrocks_br.domain.events import JobSent, Warned
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import RestorePartitions
from starrocks_br.domain.server import DONE, SLOT_TAKEN, Job, JobKind
from starrocks_br.services.journals import is_job_of
from starrocks_br.services.requests import Place
from starrocks_br.services.watch import Watched, patiently


def run_job(ports: Ports, place: Place, step: RestorePartitions) -> None:
    """Submit a RESTORE and wait for its end.

    Raises:
        Refused: It was not accepted.
        Busy: Somebody else's job holds the slot of the database, and did for `place.wait` seconds.
        JobFailed: The server cancelled it; what it created is gone (R§7.8).
        OutcomeUnknown: The job is not in the slot, although it was accepted.
        Unreachable: Nobody answers any more.
    """
    since = ports.cluster.now()
    _submit(ports, place, step)
    ports.listener(JobSent(database=step.into.database, label=step.label))
    watched = Watched(database=step.into.database, label=step.label, began=ports.clock.monotonic())
    while True:
        job = _look(ports, place, step, since)
        if job.ended:
            break
        watched.saw(ports, job)
        ports.clock.sleep(place.poll_interval)
    watched.ended(ports, job)
    if job.state != DONE:
        raise JobFailed(f"the restore of {step.into} was cancelled by the server", label=step.label, why=job.status)


def _submit(ports: Ports, place: Place, step: RestorePartitions) -> None:
    """Send it; what is refused may be sent again, so a taken slot is waited for, and whatever else may pass."""
    deadline = ports.clock.monotonic() + place.wait
    while True:
        try:
            ports.cluster.apply(step, place.repository, place.job_timeout)
        except (OutcomeUnknown, Unreachable):
            # Whether it arrived shows in the slot: `_look` finds the job there, or says that nobody knows.
            ports.listener(
                Warned(message=f"the connection broke while RESTORE of {step.label} was sent; looking for it")
            )
        except Refused as refusal:
            if not refusal.transient or ports.clock.monotonic() >= deadline:
                raise _given_up(step, refusal) from refusal
            ports.listener(Warned(message=f"{step.into.database}: {refusal.why}; waiting for that to pass"))
            ports.clock.sleep(place.poll_interval)
            continue
        return


def _given_up(step: RestorePartitions, refusal: Refused) -> StarRocksBrError:
    if SLOT_TAKEN not in refusal.why:
        return refusal
    return Busy(
        f"the job slot of {step.into.database} is taken",
        why=f"{refusal.why}; a database has one slot for both kinds of job",
        hint="wait for it to end, then run the command again",
    )


def _look(ports: Ports, place: Place, step: RestorePartitions, since: datetime) -> Job:
    jobs = patiently(ports.clock, lambda: ports.cluster.jobs(JobKind.RESTORE, [step.into.database]), place)
    for job in jobs:
        if is_job_of(job, step, since):
            return job
    raise OutcomeUnknown(
        f"the RESTORE job of {step.label} cannot be found in {step.into.database}",
        why="the slot of the database shows no job, or somebody else's",
        hint="run the command again: it first finds out what is there",
    )
