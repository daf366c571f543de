"""The product in a world where anything happens between two of its statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from attrs import define, evolve, field
from sqlalchemy import NullPool, create_engine

from starrocks_br.adapters.memory import MemoryBackupHistory, MemoryRestoreHistory
from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.adapters.sqlalchemy_core.patience import Patience
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.adapters.starrocks.errors import explain
from starrocks_br.domain.errors import OutcomeUnknown
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.events import Progress
from starrocks_br.domain.journal import Claim, Journal, Journals, Mark
from starrocks_br.domain.names import ClusterId, DatabaseName, Label, RepositoryName, RestoreId, TableRef
from starrocks_br.domain.ports import BackupHistory, Ports, RestoreHistory
from starrocks_br.domain.snapshot import Entry, Outline, Reading
from starrocks_br.domain.status import Event, Status
from starrocks_br.services import setup
from starrocks_br.services.requests import Place
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.dbapi import Module
from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.frontend import Frontend

OPS: Final = DatabaseName("ops")
REPOSITORY: Final = RepositoryName("repo")
TICK: Final = 3.0
PLACE: Final = Place(ops=OPS, repository=REPOSITORY, poll_interval=TICK, wait=60, job_timeout=7200)


class Killed(BaseException):
    """The product's process dies here: nothing in it may catch this."""


MOMENTS: Final = ("submit", "cut", "after cut", "restore", "restored", "rename")
"""Moments of a command that have a name: right before BACKUP is sent, right before and after the server cuts, right
before a RESTORE is sent, right after its end and before anybody knows of that, right before a RENAME is sent."""

_SENT: Final = {"BACKUP SNAPSHOT": "submit", "RESTORE SNAPSHOT": "restore", "ALTER TABLE": "rename"}


@define
class Between:
    """What happens at the product's statements, counted from the start of a command, and at moments with a name.

    Attributes:
        acts: By the statement's number and by whether it comes right before it or right after its effect.
        at: By the name of a moment.
        number: Of the statement that is sent now.
    """

    acts: dict[tuple[int, bool], list[Callable[[], None]]] = field(factory=lambda: defaultdict(list))
    at: dict[str, list[Callable[[], None]]] = field(factory=lambda: defaultdict(list))
    number: int = 0
    active: bool = False
    _due: list[Callable[[], None]] = field(factory=list)

    def begin(self) -> None:
        """A command begins."""
        self.number, self.active = 0, True

    def end(self) -> None:
        """It has ended; what was planned and did not happen never does."""
        self.active = False
        self.acts.clear()
        self.at.clear()
        self._due.clear()

    def before(self, sql: str) -> None:
        """A statement is about to be sent."""
        if self.active:
            self.number += 1
            self._run(self.acts.pop((self.number, False), []))
            for words, moment in _SENT.items():
                if sql.startswith(words) and "ops" not in sql and (moment != "rename" or " RENAME " in sql):
                    self._run(self.at.pop(moment, []))

    def after(self, _sql: str) -> None:
        """It has had its effect; nobody knows yet."""
        if self.active:
            due, self._due = self._due, []
            self._run(due)
            self._run(self.acts.pop((self.number, True), []))

    def ticks(self, moment: str) -> None:
        """The server reaches a moment of a job in one of its ticks, while it carries out a statement of ours."""
        if self.active:
            acts = self.at.pop(moment, [])
            if moment == "cut":
                self._run(acts)
            else:
                self._due += acts

    def _run(self, acts: list[Callable[[], None]]) -> None:
        for act in acts:
            act()


@define
class VirtualTime:
    """The product's clock: sleeping lets the simulator's time pass, and a frontend that is down come back."""

    product: Product

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.product.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.product.clock.advance(seconds)
        self.product.come_back()


def _nobody(_progress: Progress) -> None:
    """Is told."""


@define
class Tokens:
    """In order."""

    prefix: str
    _numbers: count[int] = field(factory=lambda: count(1))

    def __call__(self) -> str:
        """The next one."""
        return f"{self.prefix}{next(self._numbers):05}"


@define
class Product:
    """A cluster and the product on it.

    Attributes:
        folder: Where the repository lies, which other clusters share.
        cluster_id: Of this cluster.
        clock: One for all clusters.
        sql: Whether histories are SQL tables, as they are for users; in memory they are four times as quick.
    """

    folder: Path
    cluster_id: int
    clock: VirtualClock
    sql: bool
    between: Between = field(factory=Between)
    frontend: Frontend = field(init=False)
    module: Module = field(init=False)
    ports: Ports = field(init=False)
    backups: MemoryBackupHistory = field(factory=MemoryBackupHistory)
    restores: MemoryRestoreHistory = field(factory=MemoryRestoreHistory)
    marked: dict[RestoreId, datetime] = field(factory=dict)
    statements: list[str] = field(factory=list)
    down_until: float = 0.0
    _tokens: Tokens = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.frontend = Frontend(
            self.folder, clock=self.clock, tick=TICK, cluster_id=self.cluster_id, default_replication_num=1
        )
        self.frontend.connect().execute(f"CREATE REPOSITORY {REPOSITORY} WITH BROKER ON LOCATION 's3a://bucket/b'")
        self.module = Module(self.frontend, before=[self.between.before, self.statements.append])
        self.module.after.append(self.between.after)
        self._tokens = Tokens(f"c{self.cluster_id}x")
        self.start()
        setup.init(self.ports, PLACE)

    def start(self) -> None:
        """A new process that knows nothing of the last one."""
        engine = create_engine("mysql+mysqldb://root@simulated", module=self.module, poolclass=NullPool)
        clock = VirtualTime(self)
        patience = Patience(clock=clock, listener=_nobody, timeout=PLACE.reconnect_timeout)
        connection = from_engine(engine, patience)
        self.ports = Ports(
            cluster=StarRocksCluster(SqlAlchemyExecutor(connection), OPS),
            backups=SqlAlchemyBackupHistory(connection, OPS) if self.sql else Remembered(self.backups, self.between),
            restores=SqlAlchemyRestoreHistory(connection, OPS) if self.sql else self._journals(),
            clock=clock,
            tokens=self._tokens,
            listener=_nobody,
        )

    def _journals(self) -> JournalStore:
        return JournalStore(self.restores, self.between, self.frontend, self.marked)

    # --- a store in memory ---

    def remembered(self) -> MemoryBackupHistory:
        """What it holds now, for later."""
        copied = MemoryBackupHistory()
        for label in {outline.label for outline in self.backups.outlines()}:
            copied.record(self.backups.entries([label]).entries)
        return copied

    def remember(self, other: MemoryBackupHistory) -> None:
        """Begin with an empty one, and find that other one wherever it is asked for."""
        anywhere = defaultdict(lambda: other, {TableRef.parse("ops.anywhere"): other})
        self.backups = MemoryBackupHistory(anywhere)
        self.start()

    # --- what goes wrong ---

    def kill(self) -> None:
        """The process dies."""
        raise Killed

    def cut(self) -> None:
        """The connection dies."""
        raise ConnectionCut

    def restart_frontend(self) -> None:
        """The frontend dies and comes back: every connection dies."""
        self.frontend.restart()
        self.module.hang_up()

    def switch_leader(self) -> None:
        """Another frontend takes over, whose clock is some seconds behind."""
        self.frontend.skew -= 5
        self.restart_frontend()

    def go_down(self) -> None:
        """The frontend is away for two minutes."""
        self.restart_frontend()
        self.module.answering = False
        self.down_until = self.clock.now() + 120

    def come_back(self, *, now: bool = False) -> None:
        """It answers again, once its time has come."""
        if not self.module.answering and now:
            self.clock.advance(max(0.0, self.down_until - self.clock.now()))
        self.module.answering = self.clock.now() >= self.down_until

    def refuse(self, number: int) -> None:
        """The server refuses a statement."""
        errno, message = REFUSALS[number % len(REFUSALS)]
        raise ServerError(errno, "42000", message)


REFUSALS: Final = (
    (1064, "Another backup or restore job is being submitted. Please wait and try again"),
    (1064, "failed to list remote path: s3a://simulated. msg: timed out"),
    (1064, "Query timeout"),
    (5203, "Access denied; you need (at least one of) the OPERATE privilege(s) on SYSTEM for this operation."),
    (1064, "Failed to load data into tablet 10001, because of too many versions, current/limit: 1001/1000."),
    (1105, "Unknown error"),
)
"""Errors of a server that may meet any statement: that pass, that do not, and one that nobody knows."""


@contextmanager
def _written(between: Between, what: str) -> Iterator[None]:
    """A write to a store in memory, as likely to be hit as a statement is."""
    try:
        between.before(what)
        yield
        between.after(what)
    except ConnectionCut as cut:
        raise OutcomeUnknown(f"{what} was sent, and what became of it is not known") from cut
    except ServerError as error:
        raise explain(error.errno, error.message, action=what) from error


@define
class Remembered(BackupHistory):
    """A store in memory for what was backed up."""

    store: MemoryBackupHistory
    between: Between

    def record(self, entries: Sequence[Entry]) -> None:
        """Between two acts."""
        with _written(self.between, "record"):
            self.store.record(entries)

    def advance(self, label: Label, event: Event, changes: Mapping[str, object]) -> bool:
        """Between two acts."""
        with _written(self.between, "advance"):
            return self.store.advance(label, event, changes)

    def keep(self, entries: Sequence[Entry]) -> None:
        """Between two acts."""
        with _written(self.between, "keep"):
            self.store.keep(entries)

    def conclude(self, entries: Sequence[Entry]) -> bool:
        """Between two acts."""
        with _written(self.between, "conclude"):
            return self.store.conclude(entries)

    def doubt(self, label: Label, table: TableRef) -> None:
        """Between two acts."""
        with _written(self.between, "doubt"):
            self.store.doubt(label, table)

    def outlines(
        self, *, statuses: Collection[Status] = (), table: TableRef | None = None, limit: int | None = None
    ) -> tuple[Outline, ...]:
        """As the store has them."""
        return self.store.outlines(statuses=statuses, table=table, limit=limit)

    def entries(self, labels: Collection[Label], table: TableRef | None = None) -> Reading:
        """As the store has them."""
        return self.store.entries(labels, table)

    def adopt(self, alias: TableRef, *, saved_by: Label, repository: RepositoryName) -> int:
        """As the store does it."""
        return self.store.adopt(alias, saved_by=saved_by, repository=repository)

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:
        """As the store has them."""
        return self.store.timings(cluster)


@define
class JournalStore(RestoreHistory):
    """A store in memory for the journal of restores, which keeps when a journal was last written to."""

    store: MemoryRestoreHistory
    between: Between
    frontend: Frontend
    marked: dict[RestoreId, datetime]

    def begin(self, journals: Sequence[Journal]) -> None:
        """Between two acts."""
        with self._marking([journal.restore for journal in journals], "begin"):
            self.store.begin(journals)

    def mark(self, marks: Sequence[Mark]) -> None:
        """Between two acts."""
        with self._marking([mark.restore for mark in marks], "mark"):
            self.store.mark(marks)

    def claim(self, claims: Sequence[Claim]) -> frozenset[RestoreId]:
        """Between two acts."""
        with self._marking([claim.restore for claim in claims], "claim"):
            return self.store.claim(claims)

    def take_over(self, journal: Journal, holder: str) -> None:
        """Between two acts."""
        if self.marked[journal.restore] == journal.marked_at:
            with self._marking([journal.restore], "take over"):
                self.store.take_over(journal, holder)

    def reopen(self, journal: Journal, holder: str) -> None:
        """Between two acts."""
        if self.marked[journal.restore] == journal.marked_at:
            with self._marking([journal.restore], "open again"):
                self.store.reopen(journal, holder)

    def release(self, journal: Journal, holder: str) -> None:
        """Between two acts; no mark is left."""
        with _written(self.between, "release"):
            self.store.release(journal, holder)
            assert journal.marked_at is not None
            self.marked[journal.restore] = journal.marked_at

    def abandon(self, restore: RestoreId, detail: str) -> None:
        """Between two acts."""
        with self._marking([restore], "abandon"):
            self.store.abandon(restore, detail)

    @contextmanager
    def _marking(self, restores: Collection[RestoreId], what: str) -> Iterator[None]:
        with _written(self.between, what):
            yield
            self.marked |= dict.fromkeys(restores, datetime.fromtimestamp(int(self.frontend.now()), UTC))

    def unfinished(self) -> Journals:
        """As the store has them."""
        return self._with_marks(self.store.unfinished())

    def _with_marks(self, found: Journals) -> Journals:
        return evolve(found, sound=tuple(evolve(one, marked_at=self.marked[one.restore]) for one in found.sound))

    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:
        """As the store has them."""
        return self.store.timings(cluster)

    def newest(self, limit: int | None = None) -> Journals:
        """As the store has them."""
        return self._with_marks(self.store.newest(limit))

    def journals(self, restores: Collection[RestoreId]) -> Journals:
        """As the store has them."""
        return self._with_marks(self.store.journals(restores))
