"""Tables back to a point in time: what was planned, done side by side in each database, and taken back if it fails."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from attrs import evolve

from starrocks_br.domain.errors import Busy, Haunted, JobFailed, StalePlan, StarRocksBrError
from starrocks_br.domain.estimate import total
from starrocks_br.domain.events import RestorePlanned, Warned
from starrocks_br.domain.names import RestoreId, TableRef, restore_id
from starrocks_br.domain.ports import Clock, Ports
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import RestorePlan, plan_restore
from starrocks_br.domain.server import ANOTHER_SCHEMA, Server
from starrocks_br.services.exposing import Surroundings
from starrocks_br.services.lifetimes import lifetime_notes
from starrocks_br.services.preflight import ready
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.reports import BatchReport, RestoreReport
from starrocks_br.services.requests import RestoreRequest
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
    return _only(run(ports, request, RestoreBatch(plans=(planned,))))


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
            failures[planned.manifest.table] = _busy(planned.target.table, busy[planned.target.table])
        else:
            ports.listener(RestorePlanned(plan=planned))
            plans.append(planned)
    began = ports.clock.monotonic()
    tables = [TableRestore.begin(planned, server.cluster, server.now) for planned in plans]
    notes: list[str] = []
    with _told_if_cut_short(ports, tables, notes):
        drive(ports, request, server, tables, notes)
        while again := _another_way(ports, request, server, tables):
            tables[:] = [again.get(one.plan.restore, one) for one in tables]
            drive(ports, request, server, list(again.values()), notes)
    return _report(ports, tables, failures, notes, began)


@contextmanager
def _told_if_cut_short(ports: Ports, tables: Sequence[TableRestore], notes: Sequence[str]) -> Iterator[None]:
    """Without a report, warnings say what became of the tables that were over: which restore it was, how to undo it."""
    try:
        yield
    except (StarRocksBrError, KeyboardInterrupt):
        for one in tables:
            for message in _fate(one):
                ports.listener(Warned(message=message, table=one.plan.target.table))
        for note in dict.fromkeys(notes):
            ports.listener(Warned(message=note))
        raise


def _fate(one: TableRestore) -> Iterator[str]:
    """What became of a table, for people; nothing of one that is not over."""
    if one.failure is not None:
        yield "; ".join(part for part in (str(one.failure), one.failure.hint) if part)
    if one.done:
        back = f"; starrocks-br restore --undo {one.plan.restore} goes back to what it was: {one.plan.aside}"
        yield f"its restore {one.plan.restore} was complete before that{back if one.plan.aside else ''}"
        yield from one.notes


def _another_way(
    ports: Ports, request: RestoreRequest, server: Server, tables: Sequence[TableRestore]
) -> dict[RestoreId, TableRestore]:
    """Another attempt: by reading partitions over, at what RESTORE did not add because the schema differs.

    And at what brought ghosts along, by filling a table that is made from its DDL: that brings none (O2§y5). What
    failed only because it was looked at together with that is done again as it was planned.

    Some changes leave no trace that a backup could see: after DROP ROLLUP (O2§y4) a chain holds two schemas, and only
    the server tells, when it is asked to put one over the other. A table that is made from its DDL lacks its rollups:
    SHOW CREATE TABLE does not tell them (O2§y4).
    """
    refused = {
        one.plan.restore: (one, failure)
        for one in tables
        if (failure := one.failure) is not None and (_of_another_schema(one) or _with_ghosts(one))
    }
    facts = gather(ports, request, server, refolded([one.plan for one, _ in refused.values()])) if refused else {}
    begun = {}
    for restore, (one, failure) in refused.items():
        known, target = facts[one.plan.manifest.table], one.plan.target
        haunted = isinstance(failure, Haunted) and failure.restore == restore
        try:
            anew = plan_restore(
                one.plan.manifest,
                evolve(known, unsure=known.unsure or haunted),
                evolve(target, copied=target.copied or _of_another_schema(one)),
                restore_id(ports.tokens()),
            )
        except StarRocksBrError:
            continue  # the first refusal says more
        if haunted and (anew.way is not Way.REFILL or one.plan.way is Way.REFILL):
            continue
        ports.listener(Warned(message=f"{failure}; trying again: {anew.why}", table=one.plan.manifest.table))
        planned = evolve(anew, repository=one.plan.repository, asked=one.plan.asked, pace=one.plan.pace)
        ports.listener(RestorePlanned(plan=planned))
        begun[restore] = TableRestore.begin(planned, server.cluster, ports.cluster.now())
        begun[restore].notes.append(f"of the first attempt: {failure if haunted else failure.hint}")
    return begun


def _of_another_schema(one: TableRestore) -> bool:
    ways = {Way.OVERLAY, Way.REFILL}
    return isinstance(one.failure, JobFailed) and ANOTHER_SCHEMA in one.failure.why and one.plan.way in ways


def _with_ghosts(one: TableRestore) -> bool:
    """Whether ghosts stopped it; once RESTORE has refused to fill its table, there is no other way left."""
    return isinstance(one.failure, Haunted) and not one.plan.target.copied


def _busy(table: TableRef, why: str) -> Busy:
    return Busy(
        f"a restore of {table} is not over",
        why=why,
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
    written = ports.restores.journals({planned.restore for planned in plans})
    done = {one.restore for one in written.sound} | {one.restore for one in written.damaged}
    for planned in plans:
        table = planned.manifest.table
        if planned.restore in done:
            failures[table] = StalePlan(
                f"the plan to restore {table} was carried out before",
                why=f"what became of it is written down as restore {planned.restore}",
                hint="plan again: a plan is good for one restore",
            )
            continue
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


def drive_on(ports: Ports, request: RestoreRequest, server: Server, one: TableRestore) -> RestoreReport:
    """Do what is left of one table that was begun before. Raises as `run_one` does."""
    began = ports.clock.monotonic()
    notes: list[str] = []
    with _told_if_cut_short(ports, [one], notes):
        drive(ports, request, server, [one], notes, begun=True)
        if one.failure is None:
            known = "".join(one.notes)
            told = lifetime_notes(ports, one.plan.target.table, one.plan.manifest.ddl)
            one.notes += [note for note in told if note not in known]
    return _only(_report(ports, [one], {}, notes, began))


def drive(
    ports: Ports,
    request: RestoreRequest,
    server: Server,
    tables: Sequence[TableRestore],
    notes: list[str],
    *,
    begun: bool = False,
) -> None:
    """Do all steps of all tables, a few databases at a time.

    Args:
        ports: The outside.
        request: What it works with.
        server: Where.
        tables: The tables.
        notes: Those for people are added, so that they are known however this ends.
        begun: Whether the tables' restores were begun before.
    """
    if not tables:
        return
    around = Surroundings.begin(ports, server, tables, notes)
    groups = [
        DatabaseRestore(ports=ports, place=request.place, tables=own, around=around) for own in _by_database(tables)
    ]
    works = [group.go_on() if begun else group.run() for group in groups]
    try:
        side_by_side(ports.clock, request.place.poll_interval, works, request.max_parallel)
    except KeyboardInterrupt:
        for group in groups:
            group.let_go()
        around.settle()
        around.given_back([one for one in tables if one.step is not None])
        raise


def _by_database(tables: Sequence[TableRestore]) -> Iterable[list[TableRestore]]:
    databases = sorted({one.plan.target.table.database for one in tables})
    return ([one for one in tables if one.plan.target.table.database == database] for database in databases)


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
    ports: Ports,
    tables: Sequence[TableRestore],
    failures: dict[TableRef, StarRocksBrError],
    notes: Iterable[str],
    began: float,
) -> BatchReport:
    seconds = ports.clock.monotonic() - began
    failures |= {one.plan.manifest.table: one.failure for one in tables if one.failure is not None}
    restored = tuple(_of_table(one, seconds) for one in tables if one.failure is None)
    return BatchReport(restored=restored, failures=failures, notes=tuple(dict.fromkeys(notes)), seconds=seconds)


def _only(report: BatchReport) -> RestoreReport:
    """The report of the one table that was to be restored. Raises why it was not."""
    for failure in report.failures.values():
        raise failure
    (restored,) = report.restored
    return evolve(restored, notes=(*restored.notes, *report.notes))


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
        size=total(job.size for job in planned.jobs),
        aside=planned.aside,
        seconds=seconds,
        notes=(*planned.notes, *one.notes),
    )
