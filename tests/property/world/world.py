"""Clusters, their users, the product, and what must be true of all points that it offers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Final

from attrs import define, field, frozen

from starrocks_br.adapters.memory import MemoryBackupHistory
from starrocks_br.domain.chain import chain_to, points
from starrocks_br.domain.errors import (
    IllegalTransition,
    StarRocksBrError,
    TargetExists,
    Unrestorable,
    VerificationMismatch,
)
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, Selection, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_plan import Target
from starrocks_br.domain.snapshot import Entry, Outline
from starrocks_br.domain.status import RESTORABLE, Status
from starrocks_br.services import backup, bootstrap, restore, restore_planning
from starrocks_br.services.reports import BackupReport, RestoreReport
from starrocks_br.services.requests import BackupRequest, RestoreRequest, Wanted
from starrocks_simulator.catalog import Table as ServersTable
from starrocks_simulator.catalog import TableState
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import Fail, Hold
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.jobs import Job
from starrocks_simulator.jobs_backup import BackupJob
from starrocks_simulator.jobs_restore import RestoreJob
from tests.property.world.model import MOMENTS_APART, Contents, Model, Name, Part, Table
from tests.property.world.product import PLACE, REPOSITORY, Killed, Product
from tests.property.world.users import DATABASES, KINDS, Act, Users

PATTERNS: Final = ("d1.*", "d2.*")
DRILL: Final = 9_000
SAMPLE: Final = 3
"""How many points of a history are restored at its end beside those in doubt; the model judges all."""

SPOILT: Final = (
    Fail("[COMMON_ERROR, msg: user cancelled]"),
    Fail("[TIMEOUT, msg: ]"),
    Fail("[COMMON_ERROR, msg: version already merged]"),
    Hold(task_errors="[10496: upload failed]"),
)
"""What may become of a tick of a job (R§4.4)."""

QUESTIONS: Final = (
    "SELECT",
    "SHOW",
    "ADMIN SHOW",
    "SET NAMES",
    "SET time_zone",
    "SET autocommit",
    "ROLLBACK",
    "COMMIT",
)


@frozen
class Cut:
    """What the model held when the server cut a snapshot.

    Attributes:
        at: When, on the leader's clock.
        tables: All of the cluster's.
        began: When the command had begun that was at work, on the clock that never jumps.
        moment: When, on the clock that never jumps.
        shapes: How many shapes of each the model knew by then.
        model: Of the cluster.
    """

    at: float
    tables: dict[Name, Table]
    began: float
    moment: float
    shapes: dict[Name, int]
    model: Model = field(repr=False)


def bringing_back(point: Outline, into: TableRef) -> RestoreRequest:
    """A table is wanted at a point."""
    wanted = Wanted(table=point.table, target=Target(table=into))
    return RestoreRequest(place=PLACE, wanted=(wanted,), label=point.label)


def bring_back(ports: Ports, point: Outline, into: TableRef) -> RestoreReport:
    """Restore a table to a point."""
    request = bringing_back(point, into)
    return restore.run_one(ports, request, restore_planning.plan_one(ports, request))


@define
class Cluster:
    """One cluster with its users and the product on it.

    Attributes:
        cuts: What was cut under every label.
        histories: What a store in memory held when a metadata snapshot was cut: nothing of that is in its table.
        uncertain: Names that a restore works on, with all that may come out of it.
        doom: What becomes of the next ticks of jobs of ours.
        botches: What the next RESTORE jobs of ours do wrong, and say nothing of.
        uploaded: The snapshots of ours whose jobs came to their last tick.
        began: When the command began that is at work, on the clock that never jumps.
    """

    product: Product
    model: Model
    users: Users
    cuts: dict[str, Cut]
    histories: dict[str, MemoryBackupHistory] = field(factory=dict)
    uncertain: dict[Name, list[Table]] = field(factory=dict)
    doom: list[Fail | Hold] = field(factory=list)
    botches: list[str] = field(factory=list)
    uploaded: set[str] = field(factory=set)
    began: float = 0.0
    _read: dict[int, tuple[object, Contents]] = field(factory=dict)

    @property
    def frontend(self) -> Frontend:
        """Of this cluster."""
        return self.product.frontend

    def watch(self, job: Job) -> Fail | Hold | None:
        """Write down what the model holds at a cut, and what a stranger's RESTORE does; spoil a job of ours."""
        if self.doom and self._ours(job):
            return self.doom.pop()
        if isinstance(job, BackupJob) and not job.stuck:
            self._backed_up(job)
        if isinstance(job, RestoreJob) and job.state == "COMMITTING":
            self._restored(job)
            if self._ours(job):
                self.product.between.ticks("restored")
                if self.botches:
                    botch(self.botches.pop(), [work.table for work in job.work])
        return None

    def _ours(self, job: Job) -> bool:
        if isinstance(job, RestoreJob):
            targets = [(job.db_name, work.item.target) for work in job.work]
            return all(name[1].startswith("__br_") or name in self.uncertain for name in targets)
        return not job.label.startswith("stranger")

    def _backed_up(self, job: BackupJob) -> None:
        data = self._ours(job) and job.db_name != "ops"
        if job.state == "PENDING":
            if data:
                self.product.between.ticks("cut")
                for target in job.targets:
                    self._look_closely((job.db_name, target.name))
            if job.db_name == "ops":
                self.histories[job.label] = self.product.remembered()
            self.users.log.append(f"{self.frontend.now():.0f} -- {job.label} is cut: {job.objects}")
            self.users.note()
            moment = self.frontend.now() - self.frontend.skew
            shapes = {name: len(line) for name, line in self.model.shapes.items()}
            self.cuts[job.label] = Cut(self.frontend.now(), self.model.copy(), self.began, moment, shapes, self.model)
        elif job.state == "SNAPSHOTING" and data:
            self.product.between.ticks("after cut")
        elif job.state == "UPLOAD_INFO" and data:
            self.uploaded.add(job.label)

    def _look_closely(self, name: Name) -> None:
        """A table that a killed restore may have made: it must be whole before it is backed up."""
        if name in self.uncertain and name not in self.model.tables and not self.adopt(name):
            assert self.server_table(name) is None, f"{name} is backed up although its restore is not finished"

    def adopt(self, name: Name) -> bool:
        """Take over a table that a restore made, if it is whole; whether it is."""
        found = self.read(name)
        for table in self.uncertain[name]:
            if found == table.contents():
                self.model.tables[name] = fresh(table)
                self.users.note()
                del self.uncertain[name]
                return True
        return False

    def _restored(self, job: RestoreJob) -> None:
        self._read.clear()  # versions go back: what has one of them again need not be what had it
        tables = self.frontend.catalog.databases[job.db_name].tables
        for work in job.work:
            # another table may have swapped names with it
            names = [name for name, table in tables.items() if table is work.table]
            mine = self.model.tables.get((job.db_name, names[0])) if names else None
            if mine is not None and not work.created and job.label in self.cuts:
                source = self.cuts[job.label].tables[job.db_name, work.item.name]
                for part in work.item.partitions:
                    there = source.parts.get("all" if source.kind == "plain" else part)
                    if there is not None:
                        mine.parts["all" if mine.kind == "plain" else part] = Part(there.key, deepcopy(there.rows))
        self.users.note()

    def server_table(self, name: Name) -> ServersTable | None:
        """What the server has under a name."""
        database = self.frontend.catalog.databases.get(name[0])
        found = database.tables.get(name[1]) if database else None
        return found if isinstance(found, ServersTable) else None

    def read(self, name: Name) -> Contents | None:
        """A table as the server has it, read without asking it: no time passes, no job moves."""
        table = self.server_table(name)
        if table is None:
            return None
        columns = table.visible_columns
        parts = table.shown_partitions()
        state = [(part.name, one.id, one.visible_version) for part in parts for one in part.physical]
        mark = (state, [(column.name, column.unique_id) for column in columns])
        known = self._read.get(table.id)
        if known is None or known[0] != mark:
            physical = [one for part in parts for one in part.physical]
            rows = self.frontend.rows.query(self.frontend.rows.relation(physical, columns))
            names = frozenset(part.name for part in parts) if table.partitioning else frozenset[str]()
            known = self._read[table.id] = mark, (tuple(column.name for column in columns), names, cells(rows))
        return known[1]

    def settle(self) -> None:
        """Let running jobs end, but those that never will."""
        for _ in range(12):
            self.frontend.catch_up()
            if all(job.done or frozen_for_good(job) for job in self.frontend.handler.jobs()):
                break
            self.product.clock.advance(3)
        self.frontend.catch_up()

    def blocked(self, database: str) -> bool:
        """Whether a job that nobody can end holds a slot."""
        return any(frozen_for_good(job) for job in self.frontend.handler.jobs() if job.db_name == database)

    def check_live(self) -> None:
        """No table that a user calls his own was changed by the product, and it left nothing under other names."""
        for name, table in self.model.tables.items():
            found = self.server_table(name)
            if found is not None and found.state.name == "RESTORE":
                continue
            seen = self.read(name)
            assert seen == table.contents(), f"{name} is {seen}, and its users made {table.contents()} of it"
        for database in self.frontend.catalog.databases.values():
            for table_name in database.tables:
                name = (database.name, table_name)
                known = name in self.model.tables or name in self.uncertain or name in self.model.views
                assert known or database.name == "ops" or table_name.startswith("__br_"), f"where does {name} come from"


def frozen_for_good(job: Job) -> bool:
    """A BACKUP that a restart of the frontend froze (O§v)."""
    return isinstance(job, BackupJob) and job.stuck and not job.done


def botch(what: str, tables: Iterable[ServersTable]) -> None:
    """Something that a RESTORE leaves wrong in what it made, although it says that all is well."""
    for table in tables:
        parts = table.shown_partitions()
        if what == "lost" and table.partitioning and parts:
            del table.partitions[parts[-1].name]
        elif what == "hole":
            for one in parts[:1]:
                one.physical[0].next_version += 1


def fresh(table: Table) -> Table:
    """A table as RESTORE makes it: no temporary partitions, no recycle bin, no loads on their way."""
    copied = Table(table.kind, list(table.columns), deepcopy(table.parts), columns_made=table.columns_made)
    for part in copied.parts.values():
        part.held.clear()
    return copied


def cells(rows: Sequence[Sequence[object]]) -> tuple[tuple[int | str | None, ...], ...]:
    """Rows in one order, dates as text."""
    return tuple(
        sorted(
            (
                tuple(
                    one.isoformat() if isinstance(one, dt.date) else one if isinstance(one, int | str) else None
                    for one in row
                )
                for row in rows
            ),
            key=repr,
        )
    )


@define
class World:
    """Everything, and the product in the middle of it.

    Attributes:
        folder: Of the repository.
        sql: Whether histories are SQL tables.
        here: The cluster of today.
        models: Of every cluster there ever was, by its id.
        cuts: What was cut under every label.
        verified: Points that gave exactly what they should.
        windows: When the command was at work that made a point without a BACKUP, on the clock that never jumps.
        saved: The newest metadata snapshot of each cluster.
        jumped: Seconds by which leaders' clocks have jumped in all.
        luck: Which points are restored at the end.
    """

    folder: Path
    sql: bool
    clock: VirtualClock = field(factory=VirtualClock)
    cuts: dict[str, Cut] = field(factory=dict)
    models: dict[str, Model] = field(factory=dict)
    verified: set[tuple[Label, TableRef]] = field(factory=set)
    windows: dict[Label, tuple[float, float]] = field(factory=dict)
    saved: dict[int, Label] = field(factory=dict)
    jumped: float = 0.0
    luck: Random = field(factory=lambda: Random(1))  # noqa: S311 - nothing secret
    here: Cluster = field(init=False)
    plans: list[tuple[int | str, bool, Callable[[], None]]] = field(factory=list)
    commands: int = 0
    _drill: Product | None = field(default=None, init=False)
    _strangers: int = 0

    def __attrs_post_init__(self) -> None:
        self.here = self._cluster(1)

    def _cluster(self, number: int) -> Cluster:
        product = Product(self.folder, number, self.clock, self.sql)
        model = self.models[str(number)] = Model()
        users = Users(product.frontend, model)
        cluster = Cluster(product, model, users, self.cuts)
        product.frontend.faults.steps.append(cluster.watch)
        return cluster

    @property
    def ports(self) -> Ports:
        """Of the product here."""
        return self.here.product.ports

    # --- commands ---

    def log(self, line: str) -> None:
        """Write down what happens, for whoever reads of a failure."""
        self.here.users.log.append(f"{self.clock.now():.0f} -- {line}")

    @contextmanager
    def _command(self) -> Iterator[None]:
        """One command among all that was planned for it."""
        product = self.here.product
        for moment, after, act in self.plans:
            if isinstance(moment, str):
                product.between.at[moment].append(act)
            else:
                product.between.acts[moment, after].append(act)
        self.commands += 1
        self.here.began = self.clock.now()
        product.between.begin()
        self.log(f"command {self.commands}")
        try:
            yield
        finally:
            self.log(f"it ends after {product.between.number} statements")
            product.between.end()
            product.come_back(now=True)
            self.here.doom.clear()
            self.here.botches.clear()
            self.plans.clear()

    def attempt(self, act: Callable[[], object]) -> object:
        """Run a command; its error, if it had one, or the kill."""
        disturbed, start = bool(self.plans), self.clock.now()
        try:
            with self._command():
                return act()
        except Killed as killed:
            self.here.product.start()
            self.log("killed")
            return killed
        except IllegalTransition:
            raise
        except StarRocksBrError as error:
            if not disturbed:
                raise
            self.log(f"{type(error).__name__}: {error}")
            return error
        finally:
            for outline in self.ports.backups.outlines(statuses=RESTORABLE):
                if outline.label not in self.cuts:
                    self.windows.setdefault(outline.label, (start, self.clock.now()))

    def user(self, act: Act) -> None:
        """A user acts."""
        self.here.users.do(act)
        self.here.check_live()

    def meanwhile(self, moment: int | str, act: Callable[[], None], *, after: bool = False) -> None:
        """Plan an act for the n-th statement of the next command, or for a moment that has a name."""
        self.plans.append((moment, after, act))

    def request(self, patterns: tuple[str, ...] = PATTERNS, *, full: bool = False) -> BackupRequest:
        """What to back up."""
        return BackupRequest(place=PLACE, selection=Selection(patterns), full=full, max_chain=4)

    def backup(self, patterns: tuple[str, ...] = PATTERNS, *, full: bool = False, calm: bool = True) -> None:
        """One run; without disturbance it must be complete and new points must be there."""
        calm = calm and not self.plans
        if calm:
            self._calm_down()
        self.clock.advance(1)
        report = self.attempt(lambda: backup.run(self.ports, self.request(patterns, full=full)))
        meta = report.metadata if isinstance(report, BackupReport) else None
        if meta is not None and meta.label is not None and meta.status is Status.FINISHED:
            self.saved[self.here.product.cluster_id] = meta.label
        self.after_command()
        if isinstance(report, BackupReport) and calm:
            self._check_complete(patterns, report)

    def _calm_down(self) -> None:
        """Let jobs end, and let it be clear which restores are dead."""
        self.here.settle()
        if self.ports.restores.unfinished().sound:
            # what was written down before the clock was set back counts as just written until it is that late again
            self.clock.advance(400 + self.jumped)
            self.here.settle()

    def _check_complete(self, patterns: tuple[str, ...], report: BackupReport) -> None:
        """All that was asked for is safe, but what could not be, and that is said."""
        for name, table in self.here.model.tables.items():
            if f"{name[0]}.*" not in patterns or self.here.blocked(name[0]):
                continue
            ref = TableRef.parse(".".join(name))
            if table.temps:
                assert str(ref) in report.problems
                continue
            known = self.points(ref)
            # after a jump of the clock, points of the cluster before a disaster may be later than the new ones
            newest = (
                next((one for one in known if one.snapshot.run == report.run), known[0]) if self.jumped else known[0]
            )
            assert newest.snapshot.run == report.run, f"{ref} has no new point: {report}"
            # nothing moved since: what the point must hold is what is there now
            assert self.expected(newest)[0].contents() == table.contents(), f"{newest.label} misses a change of {ref}"

    def _check_kept(self) -> None:
        """What was uploaded is a point, unless somebody meddled while it was cut."""
        statuses = {one.label: one.snapshot.status for one in self.ports.backups.outlines()}
        for label in sorted(self.here.uploaded & statuses.keys()):
            cut = self.cuts[label]
            kept = statuses[Label(label)] in RESTORABLE
            assert kept or self.here.users.meddled(cut.began, cut.moment), f"{label} is {statuses[Label(label)]}"

    def dry_run(self) -> None:
        """Plan, and see that nothing was sent but questions."""
        sent = self.here.product.statements
        start = len(sent)
        backup.plan(self.ports, self.request())
        wrong = [
            sql for sql in sent[start:] if not sql.lstrip("( ").startswith(("SELECT", "SHOW", "ADMIN SHOW", "SET"))
        ]
        assert not [sql for sql in wrong if sql not in {"ROLLBACK", "COMMIT"}]

    def after_command(self) -> None:
        """What must be true whenever a command has ended, however it ended."""
        self.here.frontend.catch_up()
        # until its journal is closed, a restore may be taken back, whole or not
        undecided = self.here.uncertain and self.ports.restores.unfinished().sound
        for name in () if undecided else list(self.here.uncertain):
            taken = name in self.here.model.tables  # a user was quicker
            if self.here.server_table(name) is None or taken:
                self.here.uncertain.pop(name)
            else:
                self.here.adopt(name)
        self.here.check_live()

    # --- points ---

    def points(self, table: TableRef) -> tuple[Outline, ...]:
        """What is offered as exact."""
        return points(self.ports.backups.outlines(table=table), table)

    def all_points(self) -> list[Outline]:
        """Of every table, newest first."""
        outlines = self.ports.backups.outlines(statuses=RESTORABLE)
        tables = sorted({one.table for one in outlines if one.table.database in DATABASES})
        found = [point for table in tables for point in points(outlines, table)]
        return sorted(found, key=lambda one: (str(one.snapshot.snapshot_at), one.label, one.table), reverse=True)

    def expected(self, point: Outline) -> list[Table]:
        """What a point may hold: the table at the cut; without a job, at some moment in the time it gives."""
        name = (str(point.table.database), str(point.table.name))
        start, end = point.snapshot.not_before, point.snapshot.snapshot_at
        assert start is not None
        assert end is not None
        cut = self.cuts.get(point.label)
        if cut is None:
            model = self.models[point.snapshot.cluster]
            window = self.windows[point.label] if self.jumped else (start.timestamp(), end.timestamp())
            return list(model.between(name, *window))
        fits = start.timestamp() <= cut.at < end.timestamp()
        assert fits or self.jumped, f"{point.label} was cut outside of the time it gives"
        assert name in cut.tables, f"{point.label} offers {name}, which was not there"
        return [cut.tables[name]]

    def verify(self) -> None:
        """Every point rests on what the model held at the cuts; those in doubt and some others are restored, too."""
        todo = [point for point in self.all_points() if (point.label, point.table) not in self.verified]
        reading = self.ports.backups.entries({one.label for one in self.ports.backups.outlines(statuses=RESTORABLE)})
        assert not reading.damages
        manifests = [chain_to(reading.entries, point.table, point.label).manifest() for point in todo]
        doubtful = [point for point, one in zip(todo, manifests, strict=True) if not self._rests(point, one)]
        others = {
            (point.table, one.digest): point
            for point, one in zip(todo, manifests, strict=True)
            if point not in doubtful
        }
        some = sorted(others)
        self.luck.shuffle(some)
        drill = self._restorer(reading.entries)
        for point in (*doubtful[:SAMPLE], *(others[one] for one in some[:SAMPLE])):
            self._verify(drill, point)

    def _rests(self, point: Outline, manifest: Manifest) -> bool:
        """Whether the holders held, when they were cut, what the table held at the point; that costs no restore."""
        name = (str(point.table.database), str(point.table.name))
        columns: tuple[tuple[str, int], ...] | None = None
        parts: dict[str, Part] = {}
        for partition, held in manifest.held.items():
            table = self.cuts[held.holder].tables.get(name)
            at = "all" if table and table.kind == "plain" else str(partition)
            if table is None or at not in table.parts or columns not in {None, tuple(table.columns)}:
                return False
            columns, parts[at] = tuple(table.columns), table.parts[at]
        return any(
            (columns is None or tuple(table.columns) == columns)
            and Table(table.kind, table.columns, parts).contents() == table.contents()
            for table in self.expected(point)
        )

    def _restorer(self, entries: Iterable[Entry]) -> Product:
        """A cluster of its own that knows all entries."""
        drill = self._drill = self._drill or Product(self.folder, DRILL, self.clock, sql=False)
        drill.frontend.catch_up()
        by_label = defaultdict(list)
        for entry in entries:
            by_label[entry.label].append(entry)
        for group in by_label.values():
            drill.backups.record(group)
        return drill

    def _traceless(self, point: Outline) -> bool:
        """Whether something that stood at a cut it rests on came after the look before and was gone at the one after.

        The known limit: temporary partitions, new ones, or another table under the name.
        """
        reading = self.ports.backups.entries({one.label for one in self.ports.backups.outlines(statuses=RESTORABLE)})
        name = (str(point.table.database), str(point.table.name))
        labels = chain_to(reading.entries, point.table, point.label).manifest().contents
        for cut in [self.cuts[label] for label in labels if label in self.cuts]:
            haunted = name in cut.tables and cut.tables[name].temps
            gone = [at for at in self.here.users.given_up if 0 <= at - cut.at <= MOMENTS_APART]
            if (haunted and gone) or cut.model.undone(name, cut.moment, cut.shapes.get(name, 0)):
                return True
        return False

    def _verify(self, drill: Product, point: Outline) -> None:
        expected = self.expected(point)
        try:
            bring_back(drill.ports, point, point.table)
        except VerificationMismatch:
            if self._traceless(point):
                return
            raise
        session = drill.frontend.connect()
        result = session.execute(f"SELECT * FROM {point.table}")[-1]
        shown = session.execute(f"SHOW PARTITIONS FROM {point.table}")[-1]
        at = [column.name for column in shown.columns or ()].index("PartitionName")
        found = (
            tuple(column.name for column in result.columns or ()),
            frozenset(str(row[at]) for row in shown.rows),
            cells(result.rows),
        )
        wanted = [table.contents() for table in expected]
        if expected and expected[0].kind == "plain":
            found = (found[0], frozenset(), found[2])
        session.execute(f"DROP TABLE {point.table} FORCE")
        assert found in wanted or self._traceless(point), f"{point.table} at {point.label} is {found}, not {wanted}"
        self.verified.add((point.label, point.table))

    def restore(self, index: int, *, elsewhere: bool) -> None:
        """Bring a table back where it was, or beside it."""
        found = self.all_points()
        if not found:
            return
        self._calm_down()
        point = found[index % len(found)]
        if self._traceless(point):
            return
        source = (str(point.table.database), str(point.table.name))
        into = (source[0], "r") if elsewhere else source
        if self.here.blocked(into[0]) or into in self.here.uncertain:
            return
        if into in self.here.model.tables:
            self.here.users.sql(f"DROP TABLE {into[0]}.{into[1]} FORCE")
            del self.here.model.tables[into]
            self.here.model.note(self.clock.now())
        if into in self.here.model.views:
            self._refused(point, into)
            return
        wanted = self.expected(point)
        self.here.uncertain[into] = wanted
        if source not in self.here.model.tables:  # whose name it may bear until it is whole
            self.here.uncertain.setdefault(source, [])
        self.log(f"{point.table} at {point.label} is wanted as {'.'.join(into)}")
        calm = not self.plans
        try:
            outcome = self.attempt(lambda: bring_back(self.ports, point, TableRef.parse(".".join(into))))
        except Unrestorable:
            assert elsewhere
            outcome = None
        if calm and outcome is not None:
            assert self.here.adopt(into), f"{into} is {self.here.read(into)}, not {[one.contents() for one in wanted]}"
        self.after_command()

    def _refused(self, point: Outline, into: Name) -> None:
        """A name that a view holds is no target: RESTORE over it would stop all jobs of the cluster (O§0.6)."""
        try:
            restore_planning.plan_one(self.ports, bringing_back(point, TableRef.parse(".".join(into))))
        except (TargetExists, Unrestorable):
            return
        raise AssertionError(f"{into} is a view, and would be restored over")

    # --- others ---

    def break_something(self, what: str) -> None:
        """The product is killed, its connection cut, or the frontend restarted."""
        getattr(self.here.product, what)()

    def jump(self, seconds: float) -> None:
        """The leader's clock jumps."""
        self.here.frontend.catch_up()
        self.here.frontend.skew += seconds
        self.jumped += abs(seconds)

    def switch_leader(self) -> None:
        """Another frontend takes over."""
        self.jumped += 5
        self.here.product.switch_leader()

    def spoil(self, number: int) -> None:
        """The next job of ours to move is cancelled by the server, or waits a tick."""
        self.here.doom.append(SPOILT[number % len(SPOILT)])

    def botch(self, number: int) -> None:
        """The next RESTORE of ours does not do all that it says."""
        self.here.botches.append(("lost", "lost", "hole")[number % 3])

    @contextmanager
    def out_of_sight(self) -> Iterator[None]:
        """The newest snapshot is not to be seen in the repository for a while."""
        folder = self.here.frontend.handler.repositories[REPOSITORY].folder
        newest = max((label for label in self.here.uploaded), key=lambda label: self.cuts[label].moment, default="")
        files = list(folder.glob(f"__ss_{newest}/__info_*")) if newest else []
        for file in files:
            file.rename(file.with_name(f"hidden{file.name}"))
        try:
            yield
        finally:
            for file in files:
                file.with_name(f"hidden{file.name}").rename(file)

    def take_names(self, act: Act) -> None:
        """Somebody makes a table under a name that a restore was to give to its own, if it is free."""
        for name in self.here.uncertain.keys() - self.here.model.tables.keys() - self.here.model.views:
            with suppress(ServerError):
                self.here.users.create(name, KINDS[act.more % len(KINDS)])

    def take_over(self, act: Act) -> None:
        """Somebody drops an unfinished table that a restore shows under its name, and makes one of his own there.

        Only where the product has yet to look: what comes between its look and its act no client can keep out.
        """
        for name in self.here.uncertain:
            table = self.here.server_table(name)
            if table is not None and table.state is TableState.NORMAL and name not in self.here.model.tables:
                self.here.users.sql(f"DROP TABLE {name[0]}.{name[1]} FORCE")
                self.take_names(act)

    def stranger_backs_up(self, database: str) -> None:
        """Somebody else takes the slot; in time his job takes ours out of it."""
        names = [name[1] for name in sorted(self.here.model.tables) if name[0] == database]
        if names:
            self._strangers += 1
            self.here.frontend.catch_up()
            self._stranger(
                f"BACKUP SNAPSHOT {database}.stranger{self._strangers} TO {REPOSITORY} "
                f"ON (TABLE {names[0]}) PROPERTIES('timeout'='3600')"
            )

    def stranger_takes_slots(self, *, cancelled: bool) -> bool:
        """Somebody else's job is the newest of a database, one way or the other; whether no job of ours is any more."""
        for database in DATABASES:
            self.stranger_backs_up(database)
        self.clock.advance(3)
        self.here.frontend.catch_up()
        for job in self.here.frontend.handler.jobs() if cancelled else ():
            if job.label.startswith("stranger") and not job.done:
                self._stranger(f"CANCEL BACKUP FROM {job.db_name}")
        self.here.settle()
        return not self.here.uploaded & {job.label for job in self.here.frontend.handler.jobs()}

    def stranger_restores(self, index: int, choice: int) -> None:
        """Somebody restores a snapshot of ours over a live table, without us."""
        labels = [label for label, cut in sorted(self.cuts.items()) if cut.tables]
        if not labels:
            return
        label = labels[index % len(labels)]
        stamps = self.here.frontend.handler.repositories[REPOSITORY].timestamps(label)
        names = sorted(self.here.model.tables.keys() & self.cuts[label].tables.keys())
        if not names or not stamps:
            return
        name = names[choice % len(names)]
        mine = self.here.model.tables[name]
        if any(part.held for part in mine.parts.values()) or mine.temps:
            return
        self.here.frontend.catch_up()
        self._stranger(
            f"RESTORE SNAPSHOT {name[0]}.{label} FROM {REPOSITORY} ON (TABLE {name[1]}) "
            f"PROPERTIES('backup_timestamp'='{stamps[0]}', 'replication_num'='1', 'timeout'='3600')"
        )
        # Until its first tick a rename would make it a RESTORE that creates a table, of which the model knows nothing.
        self.clock.advance(3)
        self.here.frontend.catch_up()

    def _stranger(self, sql: str) -> None:
        try:
            self.here.users.sql(sql)
        except ServerError:
            return  # the slot is taken, or the table is not fit for it

    def another_process_backs_up(self) -> None:
        """A second process of the product, while the first one is at work."""
        between = self.here.product.between
        between.active, number = False, between.number
        ports = self.here.product.ports
        self.here.product.start()
        try:
            backup.run(self.here.product.ports, self.request())
        except IllegalTransition:
            raise
        except StarRocksBrError:
            pass
        finally:
            self.here.product.ports = ports
            between.active, between.number = True, number

    def neighbour(self) -> None:
        """Another cluster writes to the same repository."""
        number = 7_000 + self.commands
        if str(number) in self.models:
            return
        other = self._cluster(number)
        other.users.create(("d1", "t"), "range")
        other.users.do(Act("load"))
        backup.run(other.product.ports, self.request())
        self.models.pop(str(number))

    def disaster(self) -> None:
        """The cluster is gone; a new one begins with the repository alone."""
        self.here.settle()
        before = self._safe_points()
        lost = self.here
        old = lost.product.cluster_id
        self.here = self._cluster(old + 1)
        remote = self.ports.cluster.list_snapshots(REPOSITORY)
        usable = {one.label for one in remote if one.usable}
        if self.saved.get(old) not in usable:
            return
        if not self.sql:
            self.here.product.remember(lost.histories[self.saved[old]])
        planned = bootstrap.plan(self.ports, PLACE, self.saved[old])
        bootstrap.run(self.ports, PLACE, planned)
        missing = before - {(point.label, point.table) for point in self.all_points()}
        assert not missing, f"{missing} did not survive"

    def _safe_points(self) -> set[tuple[Label, TableRef]]:
        """What a whole run made safe."""
        if self.here.blocked("ops"):
            return set()
        self.backup()
        return {(point.label, point.table) for point in self.all_points()}

    # --- the end ---

    def end(self) -> None:
        """After everything: one plain backup makes all whole, nothing is stuck, every point gives what it should."""
        self.plans.clear()
        self.clock.advance(PLACE.job_timeout + 400 + self.jumped)
        self.here.frontend.catch_up()
        for index in range(len(self.here.model.tables)):
            self.here.users.do(Act("give up overwrite", index))
        self.backup()
        self.clock.advance(PLACE.job_timeout + 400)
        self.backup()
        self._check_kept()
        open_ones = {
            (one.label, str(one.snapshot.status))
            for one in self.ports.backups.outlines(statuses=(Status.PENDING, Status.RUNNING))
        }
        assert not open_ones, f"{open_ones} are open for ever"
        assert not self.ports.restores.unfinished().sound
        assert not self.here.uncertain, f"{list(self.here.uncertain)} are neither whole nor gone"
        self.verify()
