"""One run of `backup`: look, plan, one job per database, then the snapshot of our own history."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime
from typing import Final

from attrs import define, evolve, field, frozen

from starrocks_br.domain.backup_plan import BackupPlan, BackupPolicy, DatabaseBackup, Recorded, intent, plan_backup
from starrocks_br.domain.errors import AccessDenied, InvalidName, Refused, UnknownTable
from starrocks_br.domain.events import BackupPlanned, Warned
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    RestoreId,
    RunId,
    TableRef,
    database_name,
    label_for,
    run_id,
    table_name,
)
from starrocks_br.domain.partitions import Observation
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.server import Server
from starrocks_br.domain.snapshot import BackupType, Consistency, Entry, Snapshot
from starrocks_br.domain.status import Status
from starrocks_br.services.absent import tell_of_gone, why_unmatched
from starrocks_br.services.attempt import Draft, Intent
from starrocks_br.services.baselines import recorded
from starrocks_br.services.campaign import Campaign
from starrocks_br.services.conclude import SECOND
from starrocks_br.services.inexact import inexact
from starrocks_br.services.metadata import save_history
from starrocks_br.services.preflight import ready
from starrocks_br.services.reconcile import baseline_point, identities_before, reconcile
from starrocks_br.services.reports import BackupReport, DatabaseOutcome
from starrocks_br.services.requests import BackupRequest
from starrocks_br.services.set_aside import set_aside

LOOK_KEEPS_FOR: Final = 60.0
"""Seconds for which databases may be planned from one look; an older look is taken anew (design §9.4)."""


def plan(ports: Ports, request: BackupRequest) -> BackupPlan:
    """What a run would do now. Writes nothing.

    Raises:
        NotInitialised: As in `preflight.ready`; every ClusterError likewise.
    """
    server = ready(ports, request.place, writing=True)
    planning = _Planning(ports=ports, request=request, cluster=server.cluster)
    made = planning.everything().plan
    for name, why in sorted(planning.problems.items()):
        if name not in {str(table) for table in made.problems}:
            ports.listener(Warned(message=f"{name} is left out: {why}"))
    return made


def run(ports: Ports, request: BackupRequest) -> BackupReport:
    """Back up the selected tables; what fails for one database does not stop the others.

    Raises:
        NotInitialised: As in `preflight.ready`.
        Unreachable: Nobody answers any more; what was sent goes on and is picked up by the next command.
    """
    server = ready(ports, request.place, writing=True)
    found = reconcile(ports, request.place, server)
    planning = _Planning(ports=ports, request=request, cluster=server.cluster, busy=found.busy)
    planned = planning.everything()
    ports.listener(BackupPlanned(plan=planned.plan))
    this_run = run_id(f"{planned.look.at:%Y%m%dT%H%M%S}_{ports.tokens()}")
    drafting = _Drafting(ports=ports, request=request, server=server, run=this_run, planning=planning)
    campaign = Campaign(ports=ports, place=request.place, max_parallel=request.max_parallel, draft=drafting.draft)
    wanted = [work.database for work in planned.plan.databases]
    # A job of a database that is not wanted may run for hours: whoever wants that database next looks after it.
    beside = [found.alive[database] for database in (*wanted, request.place.ops) if database in found.alive]
    outcomes = campaign.run(wanted, _adopted(ports, beside))
    return BackupReport(
        run=this_run,
        databases=tuple(outcome for _, outcome in sorted(outcomes.items())),
        problems=planning.problems,
        metadata=save_history(ports, request.place, server, this_run),
        inexact=inexact(ports, this_run, outcomes.values()),
        settled=tuple(found.settled),
    )


@frozen(kw_only=True)
class _Planned:
    """A plan and what it was made from.

    Attributes:
        look: The look.
        began_at: When it began, on this machine's clock.
        seen_by: The look was over by then (the leader's clock, UTC).
        known: What was recorded of the tables.
        plan: What to do.
    """

    look: Observation
    began_at: float
    seen_by: datetime
    known: Mapping[TableRef, Recorded]
    plan: BackupPlan

    def work_on(self, database: DatabaseName) -> DatabaseBackup | None:
        """What to do for one database; None if nothing can be done."""
        return next((work for work in self.plan.databases if work.database == database), None)


@frozen(kw_only=True)
class _Seen:
    """A look, without the tables that a restore is at work on.

    Attributes:
        look: The look.
        began_at: When it began, on this machine's clock.
        over_by: It was over by then (the leader's clock, UTC).
        under_restore: What was left out of it, each with the reason.
    """

    look: Observation
    began_at: float
    over_by: datetime
    under_restore: Mapping[TableRef, str]


@define(kw_only=True)
class _Planning:
    """Looks and plans, for all databases at once or for one anew.

    Attributes:
        ports: The outside.
        request: What was asked for.
        cluster: This one.
        busy: Tables that were under a restore when the run began, each with the reason: they get no entry.
        problems: What is left out, and why.
    """

    ports: Ports
    request: BackupRequest
    cluster: ClusterId
    busy: Mapping[TableRef, str] = field(factory=dict)
    problems: dict[str, str] = field(factory=dict)
    _chosen: frozenset[TableRef] = field(default=frozenset(), init=False)
    _planned: _Planned | None = field(default=None, init=False)
    _waiting_since: dict[DatabaseName, float] = field(factory=dict, init=False)

    def everything(self) -> _Planned:
        """Select the tables and plan them all from one look."""
        listed = self.ports.cluster.tables()
        existing = frozenset(table for table in listed if _can_be_written(table))
        selection, ops = self.request.selection, self.request.place.ops
        chosen, unmatched = selection.expand(existing, ops)
        if aside := set_aside(self.ports, self.cluster, chosen):
            chosen, unmatched = selection.expand(existing, ops, aside)
            self._tell_of({table: restore for table, restore in aside.items() if table not in chosen})
        self.problems |= why_unmatched(self.ports, unmatched, existing, ops)
        self.problems |= {str(table): why for table, why in self.busy.items() if table in chosen}
        self._tell_of_names(selection.expand(listed - existing, ops)[0])
        tell_of_gone(self.ports, selection, listed, ops, self.cluster)
        self._chosen = chosen - self.busy.keys()
        since = self.ports.clock.monotonic()
        while (planned := self._plan(self._chosen, since)) is None:
            self.ports.clock.sleep(self.request.place.poll_interval)
        self._planned = planned
        return planned

    def _tell_of(self, aside: Mapping[TableRef, RestoreId]) -> None:
        for table, restore in sorted(aside.items()):
            said = f"{table} is left out: restore {restore} replaced it; DROP TABLE it, or name it to have it backed up"
            self.ports.listener(Warned(message=said, table=table))

    def _tell_of_names(self, unwritten: Iterable[TableRef]) -> None:
        why = "its name has blanks around it or characters that no statement can hold; rename it"
        self.problems |= {f"{table.database}.{table.name!r}": why for table in unwritten}

    def leave_out(self, database: DatabaseName, tables: Mapping[TableRef, str]) -> None:
        """Go on without some tables of a database, unless nothing would be left of it."""
        if any(table.database == database and table not in tables for table in self._chosen):
            self._chosen = self._chosen.difference(tables)
            self.problems |= {str(table): f"left out of the last attempt: {why}" for table, why in tables.items()}

    def planned_for(self, database: DatabaseName, *, anew: bool) -> _Planned | None:
        """A plan for one database from a look that is fresh enough; None if it has to wait: ask again at the next poll.

        It waits where it does not keep anybody from looking after the jobs of other databases.
        """
        planned, now = self._planned, self.ports.clock.monotonic()
        if planned is not None and not anew and now - planned.began_at <= LOOK_KEEPS_FOR:
            return planned
        since = self._waiting_since.setdefault(database, now)
        found = self._plan({table for table in self._chosen if table.database == database}, since)
        if found is not None:
            del self._waiting_since[database]
        return found

    def _plan(self, tables: Collection[TableRef], since: float) -> _Planned | None:
        """Look and plan; None while temporary partitions stand, until `since` is too long ago."""
        seen = self._look(tables)
        if self._has_to_wait(seen, since):
            return None
        known = recorded(self.ports, self.request.place, seen.look)
        if self.ports.clock.monotonic() - seen.began_at > LOOK_KEEPS_FOR:
            # the object store was waited for; what is recorded of a table that is another one by now does not fit it
            seen = self._look(tables)
            if self._has_to_wait(seen, since):
                return None
        look, under_restore = seen.look, seen.under_restore
        policy = BackupPolicy(full=self.request.full, max_chain=self.request.max_chain)
        made = plan_backup(look, known, policy)
        for table in tables:
            self.problems.pop(str(table), None)
        self.problems |= {str(table): why for table, why in made.problems.items()}
        gone = set(tables) - look.tables.keys() - look.unreadable.keys() - under_restore.keys()
        self.problems |= {str(table): "it was dropped a moment ago" for table in gone}
        self.problems |= {str(table): why for table, why in under_restore.items() if table in tables}
        return _Planned(look=look, began_at=seen.began_at, seen_by=seen.over_by, known=known, plan=made)

    def _under_restore(self) -> dict[TableRef, str]:
        """Tables that may be half restored, each with the reason.

        Asked after each look: what was looked at between two jobs of a restore was open then. A restore that begins
        later gives the name to a table with another id, which the look after the cut sees.
        """
        left = self.ports.restores.unfinished()
        own = [journal for journal in left.sound if journal.cluster == self.cluster]
        return left.held | {name: "its restore is not finished" for journal in own for name in journal.names}

    def _look(self, tables: Collection[TableRef]) -> _Seen:
        began_at = self.ports.clock.monotonic()
        look = self.ports.cluster.observe(tables)
        over_by, under_restore = self.ports.cluster.now(), self._under_restore()
        look = _without(look, under_restore)
        return _Seen(look=look, began_at=began_at, over_by=over_by, under_restore=under_restore)

    def _has_to_wait(self, seen: _Seen, since: float) -> bool:
        """Whether to wait for loads that made temporary partitions to end: for a little while."""
        waiting = [table for table, state in seen.look.tables.items() if state.temporary]
        if not waiting or seen.began_at - since >= self.request.place.wait:
            return False
        names = ", ".join(str(table) for table in waiting)
        self.ports.listener(Warned(message=f"waiting for temporary partitions of {names} to go"))
        return True


@define(kw_only=True)
class _Drafting:
    """Makes the next job of a database.

    Attributes:
        ports: The outside.
        request: What was asked for.
        server: The cluster.
        run: This run.
        planning: Where the plan comes from.
    """

    ports: Ports
    request: BackupRequest
    server: Server
    run: RunId
    planning: _Planning
    _drafted: set[DatabaseName] = field(factory=set, init=False)

    def draft(self, database: DatabaseName, without: Mapping[TableRef, str]) -> Draft | DatabaseOutcome | None:
        """The database's next job; or its outcome, if nothing of it has to be captured; None: not yet."""
        self.planning.leave_out(database, without)
        planned = self.planning.planned_for(database, anew=database in self._drafted)
        self._drafted.add(database)
        if planned is None:
            return None
        work = planned.work_on(database)
        if work is None:
            nothing = UnknownTable(f"nothing is left to back up in {database}", why="every chosen table was left out")
            return DatabaseOutcome(database=database, label=None, status=Status.FAILED, error=nothing)
        if work.unchanged:
            return self._unchanged(planned, work)
        snapshot = self._snapshot(planned, database)
        return Draft(
            entries=self._with_ddl(intent(work, planned.look, snapshot)),
            looked_at=planned.began_at,
            before={part.table: planned.look.tables[part.table].identities() for part in work.tables},
            after=_newest_point(planned, work),
            submit=lambda: self.ports.cluster.submit_backup(
                snapshot.label, self.request.place.repository, work, self.request.place.job_timeout
            ),
        )

    def _with_ddl(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """A statement for each table that is taken whole, and none for others: a chain has one schema."""
        return tuple(
            evolve(entry, schema_ddl=self._ddl(entry.table)) if entry.type is BackupType.FULL else entry
            for entry in entries
        )

    def _ddl(self, table: TableRef) -> str:
        """How to make the table; without it some restores are slower, none is less exact: never a reason to fail."""
        try:
            return self.ports.cluster.ddl(table)
        except (Refused, AccessDenied) as refusal:
            self.ports.listener(Warned(message=f"its CREATE TABLE cannot be recorded: {refusal}", table=table))
            return ""

    def _unchanged(self, planned: _Planned, work: DatabaseBackup) -> DatabaseOutcome:
        """No job: the look itself is the point."""
        at = max(planned.seen_by, _newest_point(planned, work) or planned.seen_by) + SECOND
        snapshot = evolve(
            self._snapshot(planned, work.database),
            status=Status.UNCHANGED,
            not_before=planned.look.at,
            snapshot_at=at,
            finished_at=at,
        )
        entries = [evolve(entry, consistency=Consistency.EXACT) for entry in intent(work, planned.look, snapshot)]
        self.ports.backups.record(entries)
        return DatabaseOutcome(
            database=work.database,
            label=snapshot.label,
            status=Status.UNCHANGED,
            tables=tuple(entry.outline() for entry in entries),
        )

    def _snapshot(self, planned: _Planned, database: DatabaseName) -> Snapshot:
        return Snapshot(
            label=label_for(database, planned.look.at, self.ports.tokens()),
            run=self.run,
            cluster=self.server.cluster,
            repository=self.request.place.repository,
            database=database,
            status=Status.PENDING,
            created_at=planned.look.at,
        )


def _without(look: Observation, tables: Container[TableRef]) -> Observation:
    return evolve(
        look,
        tables={table: state for table, state in look.tables.items() if table not in tables},
        unreadable={table: why for table, why in look.unreadable.items() if table not in tables},
    )


def _can_be_written(table: TableRef) -> bool:
    """Whether it has a name that we can put into a statement: the server takes more (R§2.7)."""
    try:
        database_name(table.database)
        table_name(table.name)
    except InvalidName:
        return False
    return True


def _newest_point(planned: _Planned, work: DatabaseBackup) -> datetime | None:
    """The newest point among the tables of a job: a new one is later, so that an instant never names two."""
    known = (planned.known.get(part.table) for part in work.tables)
    return max((one.newest_point for one in known if one is not None and one.newest_point), default=None)


def _adopted(ports: Ports, snapshots: Iterable[Snapshot]) -> list[Intent]:
    """Jobs of earlier commands that still run, as if they were ours; they are watched to their end."""
    intents = []
    for snapshot in snapshots:
        reading = ports.backups.entries([snapshot.label])
        if reading.damages or not reading.entries:
            ports.listener(Warned(message=f"{snapshot.label} runs, but its rows cannot be trusted: it is left alone"))
            continue
        metadata = reading.entries[0].type is BackupType.METADATA
        intents.append(
            Intent(
                entries=reading.entries,
                before=None if metadata else identities_before(ports, reading.entries),
                after=baseline_point(ports, reading.entries),
            )
        )
    return intents
