"""Tables back to a point in time: what was planned, done side by side in each database, and taken back if it fails."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Final

from starrocks_br.domain.errors import Busy, StalePlan, StarRocksBrError
from starrocks_br.domain.events import RestorePlanned
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.ports import Clock, Ports
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import RestorePlan, plan_restore
from starrocks_br.domain.server import Server
from starrocks_br.services.preflight import ready
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.reports import BatchReport, RestoreReport
from starrocks_br.services.requests import Place, RestoreRequest
from starrocks_br.services.restore_database import DatabaseRestore
from starrocks_br.services.restore_planning import gather, refolded
from starrocks_br.services.restore_table import TableRestore

_ENDED: Final = object()


def run_one(ports: Ports, request: RestoreRequest, planned: RestorePlan) -> RestoreReport:
    """Do what was planned for one table.

    Raises:
        TargetExists: The target appeared, or is another table, since the plan was made.
        BrokenChain: A holder vanished since.
        Busy: Another restore works on the target, or the database's job slot is taken.
        JobFailed: The server cancelled a RESTORE; what was made is taken back.
        VerificationMismatch: The result is not what the manifest says; it does not bear the target's name.
        Unreachable: Nobody answers any more; the next command takes the restore back.
    """
    report = run(ports, request, RestoreBatch(plans=(planned,)))
    for failure in report.failures.values():
        raise failure
    return report.restored[0]


def run(ports: Ports, request: RestoreRequest, batch: RestoreBatch) -> BatchReport:
    """Do what was planned: databases side by side, tables of one database in the same jobs.

    Raises:
        Unreachable: Nobody answers any more; the next command takes back what was not done.
    """
    server = ready(ports, request.place)
    busy = reconcile(ports, request.place, server).busy
    failures = dict(batch.problems)
    plans = []
    for planned in _fresh(ports, request, server, batch.plans, failures):
        if planned.target.table in busy:
            failures[planned.manifest.table] = _busy(planned.target.table)
        else:
            ports.listener(RestorePlanned(plan=planned))
            plans.append(planned)
    began = ports.clock.monotonic()
    tables = [TableRestore.begin(planned, server.cluster, server.now) for planned in plans]
    drive(ports, request.place, tables, request.max_parallel)
    return _report(ports, tables, failures, began)


def _busy(table: TableRef) -> Busy:
    return Busy(
        f"a restore of {table} still runs",
        why="its job has not ended, or its command was heard of a moment ago",
        hint="wait for it to end; if it was killed, run the command again once its job has ended, a minute later",
    )


def _fresh(
    ports: Ports,
    request: RestoreRequest,
    server: Server,
    plans: Sequence[RestorePlan],
    failures: dict[TableRef, StarRocksBrError],
) -> Iterable[RestorePlan]:
    """Plan again with what is true now: a plan that would come out otherwise is stale, and not done."""
    facts = gather(ports, request, server, refolded(plans))
    for planned in plans:
        table = planned.manifest.table
        try:
            again = plan_restore(planned.manifest, facts[table], planned.target, planned.restore)
        except StarRocksBrError as error:
            failures[table] = error
            continue
        if again.steps != planned.steps:
            failures[table] = StalePlan(
                f"the plan to restore {table} is stale",
                why="what stands at its target, or the cluster, changed since it was made",
                hint="plan again",
            )
        else:
            yield planned


def drive_on(ports: Ports, request: RestoreRequest, one: TableRestore) -> RestoreReport:
    """Do what is left of one table that was begun before. Raises as `run_one` does."""
    began = ports.clock.monotonic()
    group = DatabaseRestore(ports=ports, place=request.place, tables=[one])
    _drive(ports, request.place, [group], [group.go_on()], at_once=1)
    report = _report(ports, [one], {}, began)
    for failure in report.failures.values():
        raise failure
    return report.restored[0]


def drive(ports: Ports, place: Place, tables: Sequence[TableRestore], max_parallel: int) -> None:
    """Do all steps of all tables, at most so many databases at a time."""
    databases = sorted({one.plan.target.table.database for one in tables})
    groups = [
        DatabaseRestore(
            ports=ports, place=place, tables=[one for one in tables if one.plan.target.table.database == database]
        )
        for database in databases
    ]
    _drive(ports, place, groups, [group.run() for group in groups], at_once=max_parallel)


def _drive(
    ports: Ports, place: Place, groups: Sequence[DatabaseRestore], works: Sequence[Generator[None]], *, at_once: int
) -> None:
    try:
        side_by_side(ports.clock, place.poll_interval, works, at_once)
    except KeyboardInterrupt:
        for group in groups:
            group.let_go()
        raise


def side_by_side(clock: Clock, interval: float, works: Sequence[Generator[None]], at_once: int) -> None:
    """Let generators that yield while they wait take turns, in one thread."""
    waiting, active = list(works), list[Generator[None]]()
    while waiting or active:
        while waiting and len(active) < at_once:
            active.append(waiting.pop(0))
        active = [work for work in active if next(work, _ENDED) is not _ENDED]
        if active and (len(active) == at_once or not waiting):
            clock.sleep(interval)


def _report(
    ports: Ports, tables: Sequence[TableRestore], failures: dict[TableRef, StarRocksBrError], began: float
) -> BatchReport:
    seconds = ports.clock.monotonic() - began
    restored = []
    for one in tables:
        if one.failure is None:
            restored.append(_of_table(one, seconds))
        else:
            failures[one.plan.manifest.table] = one.failure
    return BatchReport(restored=tuple(restored), failures=failures, seconds=seconds)


def _of_table(one: TableRestore, seconds: float) -> RestoreReport:
    planned = one.plan
    return RestoreReport(
        restore=planned.restore,
        source=planned.manifest.table,
        table=planned.target.table,
        label=planned.point,
        point=planned.manifest.at,
        jobs=len(planned.jobs),
        partitions=len(planned.manifest.held),
        rows=one.rows,
        size=_total(planned),
        aside=planned.aside,
        seconds=seconds,
        notes=(*planned.notes, *one.notes),
    )


def _total(planned: RestorePlan) -> int | None:
    sizes = [job.size for job in planned.jobs]
    return sum(size for size in sizes if size is not None) if None not in sizes else None
