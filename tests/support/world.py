"""A StarRocks, its users and the product, all in one process and on virtual time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from sqlalchemy import Engine, NullPool, create_engine

from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.adapters.sqlalchemy_core.patience import Patience
from starrocks_br.adapters.sqlalchemy_core.restore_history import SqlAlchemyRestoreHistory
from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.events import Progress, Retrying, Warned
from starrocks_br.domain.names import DatabaseName, Label, RepositoryName, Selection, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_plan import RestorePlan, Target
from starrocks_br.domain.snapshot import Outline
from starrocks_br.services import backup, bootstrap, history, restore, restore_planning, setup
from starrocks_br.services.reports import BackupReport, BootstrapReport, RestoreReport
from starrocks_br.services.requests import BackupRequest, Place, RestoreRequest, Wanted
from starrocks_simulator.clock import VirtualClock
from starrocks_simulator.dbapi import Module
from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut, Fail, Hold
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.jobs import Job
from starrocks_simulator.session import Session

OPS = DatabaseName("ops")
REPOSITORY = RepositoryName("repo")
TICK = 3.0

POLLS = re.compile(r"SHOW (BACKUP|RESTORE) FROM")
READS = re.compile(r"(SELECT|SHOW|ADMIN SHOW|USE|SET NAMES|SET time_zone|SET autocommit|ROLLBACK|COMMIT)\b")

RANGE_TABLE = (
    "CREATE TABLE {name} (id INT NOT NULL, dt DATE NOT NULL, v INT) DUPLICATE KEY(id) PARTITION BY RANGE(dt) ("
    "PARTITION p1 VALUES [('2024-01-01'), ('2024-01-02')), PARTITION p2 VALUES [('2024-01-02'), ('2024-01-03'))) "
    "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES('replication_num'='1')"
)


def engine_on(door: Module, user: str = "root") -> Engine:
    """An engine whose connections lead through the simulator's second door."""
    return create_engine(f"mysql+mysqldb://{user}@simulated", module=door, poolclass=NullPool)


class Killed(BaseException):
    """The process dies here: nothing in it may catch this."""


@define
class VirtualTime:
    """The product's clock: sleeping lets the simulator's time pass."""

    clock: VirtualClock
    passed: Callable[[], None]

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.clock.advance(seconds)
        self.passed()


@define
class Counting:
    """Tokens in order."""

    last: int = 0

    def __call__(self) -> str:
        """The next one."""
        self.last += 1
        return f"t{self.last:05}"


@define
class World:
    """A frontend, its repository folder, a user, and the product connected to it.

    Attributes:
        folder: Where the repository lies; a second world on the same folder is a new cluster after a disaster.
        cluster_id: Of this cluster.
        events: What the listener was told.
        sent: Every statement that the product sent, in order.
    """

    folder: Path
    cluster_id: int = 1001
    clock: VirtualClock = field(factory=VirtualClock)
    backends: int = 1
    events: list[Progress] = field(factory=list)
    sent: list[str] = field(factory=list)
    alarms: list[tuple[float, Callable[[], object]]] = field(factory=list)
    place: Place = field(factory=lambda: Place(ops=OPS, repository=REPOSITORY, poll_interval=TICK, wait=30))
    frontend: Frontend = field(init=False)
    user: Session = field(init=False)
    door: Module = field(init=False)
    ports: Ports = field(init=False)
    executor: SqlAlchemyExecutor = field(init=False)
    _tokens: Counting = field(factory=Counting)

    def __attrs_post_init__(self) -> None:
        self.frontend = Frontend(
            self.folder, clock=self.clock, tick=TICK, backends=self.backends, cluster_id=self.cluster_id
        )
        self._open()
        self.sql(f"CREATE REPOSITORY {REPOSITORY} WITH BROKER ON LOCATION 's3a://bucket/backups'")

    def _open(self) -> None:
        self.user = self.frontend.connect()
        self.door = Module(self.frontend, before=[self.sent.append])
        self.ports = self.reconnect()

    def copy(self, folder: Path) -> World:
        """The same with a folder and a clock of its own; alarms and what goes wrong stay behind."""
        made = copy(self)
        made.folder, made.clock = folder, copy(self.clock)
        made.frontend = self.frontend.copy(folder, made.clock)
        made.events, made.sent, made.alarms = [*self.events], [*self.sent], []
        made._tokens = copy(self._tokens)
        made._open()
        return made

    def ready(self, *tables: str) -> World:
        """After `init`, with a RANGE table of two partitions and a row in each for every `db.t`."""
        setup.init(self.ports, self.place)
        for name in tables:
            self.range_table(name)
        return self

    def range_table(self, name: str) -> None:
        """A RANGE table of two partitions with a row in each."""
        self.sql(f"CREATE DATABASE IF NOT EXISTS {name.partition('.')[0]}")
        self.sql(RANGE_TABLE.format(name=name))
        self.sql(f"INSERT INTO {name} VALUES (1, '2024-01-01', 10), (2, '2024-01-02', 20)")

    def reconnect(self, user: str = "root") -> Ports:
        """The product, started anew: another process that knows nothing of the last one."""
        time = VirtualTime(self.clock, self._ring)
        patience = Patience(clock=time, listener=self.events.append, timeout=self.place.reconnect_timeout)
        connection = from_engine(engine_on(self.door, user), patience)
        self.executor = SqlAlchemyExecutor(connection)
        return Ports(
            cluster=StarRocksCluster(self.executor, OPS),
            backups=SqlAlchemyBackupHistory(connection, OPS),
            restores=SqlAlchemyRestoreHistory(connection, OPS),
            clock=time,
            tokens=self._tokens,
            listener=self.events.append,
        )

    # --- the user ---------------------------------------------------------------------------------------------------

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Run statements as the user; the rows of the last one."""
        return self.user.execute(text)[-1].rows

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Every row of a table, in one order."""
        return sorted(self.sql(f"SELECT * FROM {table}"), key=repr)

    def records(self, text: str) -> list[dict[str, Any]]:
        """The rows of one statement by column name."""
        result = self.user.execute(text)[-1]
        return [dict(zip([column.name for column in result.columns or ()], row, strict=True)) for row in result.rows]

    def statuses(self) -> dict[str, str]:
        """What ops.backup_history says of each label, metadata left out."""
        return {
            str(label): str(status)
            for label, status in self.sql("SELECT label, status FROM ops.backup_history WHERE seq = 0")
            if not str(label).startswith("br_meta_")
        }

    def tables(self, database: str) -> set[str]:
        """Names of what a database holds."""
        return {str(row[0]) for row in self.sql(f"SHOW TABLES FROM {database}")}

    def later(self, seconds: float = 60) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    # --- the product ------------------------------------------------------------------------------------------------

    def request(self, *patterns: str, full: bool = False, max_parallel: int = 4, max_chain: int = 30) -> BackupRequest:
        """What to back up."""
        selection = Selection(patterns or ("d1.*",))
        return BackupRequest(
            place=self.place, selection=selection, full=full, max_parallel=max_parallel, max_chain=max_chain
        )

    def backup(self, *patterns: str, full: bool = False, max_parallel: int = 4, max_chain: int = 30) -> BackupReport:
        """One run, a minute later."""
        self.later()
        request = self.request(*patterns, full=full, max_parallel=max_parallel, max_chain=max_chain)
        return backup.run(self.ports, request)

    def points(self, table: str) -> tuple[Outline, ...]:
        """The table's exact points, newest first."""
        return history.points(self.ports, self.place, TableRef.parse(table))

    def newest(self, table: str) -> datetime:
        """The newest exact point."""
        at = self.points(table)[0].snapshot.snapshot_at
        assert at is not None
        return at

    def restore_request(
        self,
        table: str,
        at: datetime | None = None,
        *,
        into: str = "",
        label: str | None = None,
        allow_fuzzy: bool = False,
        **target: Any,
    ) -> RestoreRequest:
        """What to restore, and how (`Target`)."""
        wanted = Wanted(table=TableRef.parse(table), target=Target(table=TableRef.parse(into or table), **target))
        chosen = None if label is None else Label(label)
        return RestoreRequest(place=self.place, wanted=(wanted,), at=at, label=chosen, allow_fuzzy=allow_fuzzy)

    def plan_restore(
        self, table: str, at: datetime | None = None, *, label: str | None = None, **how: Any
    ) -> RestorePlan:
        """Plan a restore; without instant and label to the newest point."""
        if at is None and label is None:
            at = self.newest(table)
        return restore_planning.plan_one(self.ports, self.restore_request(table, at, label=label, **how))

    def run_restore(self, planned: RestorePlan) -> RestoreReport:
        """Do what was planned."""
        return restore.run_one(self.ports, RestoreRequest(place=self.place, wanted=()), planned)

    def restore(self, table: str, at: datetime | None = None, *, label: str | None = None, **how: Any) -> RestoreReport:
        """Plan and do a restore, a minute later."""
        self.later()
        return self.run_restore(self.plan_restore(table, at, label=label, **how))

    def bootstrap(self, label: str | None = None) -> BootstrapReport:
        """Plan and do a cold start."""
        self.later()
        planned = bootstrap.plan(self.ports, self.place, None if label is None else Label(label))
        return bootstrap.run(self.ports, self.place, planned)

    def wait_at_most(self, seconds: float) -> None:
        """How long commands wait for a slot."""
        self.place = evolve(self.place, wait=seconds)

    # --- what was said ----------------------------------------------------------------------------------------------

    @property
    def warnings(self) -> list[str]:
        """Every warning so far."""
        return [event.message for event in self.events if isinstance(event, Warned)]

    @property
    def retries(self) -> list[str]:
        """Why attempts were made anew."""
        return [event.reason for event in self.events if isinstance(event, Retrying)]

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the product sends meanwhile, polls of running jobs aside."""
        start, counted = len(self.sent), list[str]()
        yield counted
        counted.extend(sql for sql in self.sent[start:] if not POLLS.match(sql))

    def times_sent(self, pattern: str) -> int:
        """How many statements of the product matched so far, backticks aside."""
        return sum(re.search(pattern, sql.replace("`", "")) is not None for sql in self.sent)

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def before(self, pattern: str, act: Callable[[], object], *, nth: int = 1) -> None:
        """Let something happen once, right before the product's nth statement that matches, backticks aside."""
        self._plant(self.frontend.faults.before, pattern, act, nth)

    def after(self, pattern: str, act: Callable[[], object], *, nth: int = 1) -> None:
        """Let something happen once, right after the product's nth one that matches has acted, backticks aside."""
        self._plant(self.frontend.faults.after, pattern, act, nth)

    def _plant(self, faults: list[Callable[[str], None]], pattern: str, act: Callable[[], object], nth: int) -> None:
        wanted, seen = re.compile(pattern), count(1)

        def fault(sql: str) -> None:
            if wanted.search(sql.replace("`", "")) and next(seen) == nth:
                faults.remove(fault)
                act()

        faults.append(fault)

    def clock_alarm(self, seconds: float, act: Callable[[], object]) -> None:
        """Let something happen once, while the product sleeps, so many seconds from now."""
        self.alarms.append((self.clock.now() + seconds, act))

    def _ring(self) -> None:
        due = [alarm for alarm in self.alarms if alarm[0] <= self.clock.now()]
        for alarm in due:
            self.alarms.remove(alarm)
            alarm[1]()

    def always(self, pattern: str, act: Callable[[], object]) -> Callable[[], None]:
        """Let something happen before every statement that matches, backticks aside; what is given back ends it."""
        wanted = re.compile(pattern)

        def fault(sql: str) -> None:
            if wanted.search(sql.replace("`", "")):
                act()

        self.frontend.faults.before.append(fault)
        return lambda: self.frontend.faults.before.remove(fault)

    def in_state(self, state: str, act: Callable[[], object], *, kind: str = "BACKUP") -> None:
        """Let something happen once, at the tick at which a job is about to leave a state.

        If it gives back a verdict, that decides the tick.
        """
        steps = self.frontend.faults.steps

        def fault(job: Job) -> Hold | Fail | None:
            if job.state != state or job.kind != kind:
                return None
            steps.remove(fault)
            verdict = act()
            return verdict if isinstance(verdict, Hold | Fail) else None

        steps.append(fault)

    def load_unseen(self, table: str, values: str) -> None:
        """A user's load that is committed, and not visible until it is published."""
        faults = self.frontend.faults
        faults.hold_publish = True
        with pytest.raises(ServerError, match="timeout"):
            self.sql(f"INSERT INTO {table} VALUES {values}")
        faults.hold_publish = False

    def restart_frontend(self) -> None:
        """The frontend process dies and comes back; every connection is gone."""
        self.frontend.restart()
        self.door.hang_up()

    def rewrite_contents(self, database: str, old: str, new: str) -> None:
        """Let the newest snapshot of a database say that it holds something else; its checksum fits."""
        newest = max(self.folder.rglob(f"__ss_{database}_*/__info_*"))
        text = newest.read_text().replace(old, new)
        newest.unlink()
        checksum = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        newest.with_name(f"{newest.name.rpartition('.')[0]}.{checksum}").write_text(text)

    def wait_for(self, kind: str, database: str) -> str:
        """Let time pass until the database's job has ended; its state."""
        for _ in range(40):
            (row,) = self.records(f"SHOW {kind} FROM {database}")
            if row["State"] in {"FINISHED", "CANCELLED"}:
                return str(row["State"])
            self.later(TICK)
        raise AssertionError("it does not end")


def refuse(errno: int, message: str) -> Callable[[], None]:
    """An act for `before`: the server answers with an error."""

    def act() -> None:
        raise ServerError(errno, "HY000", message)

    return act


def cut() -> None:
    """An act for `before` and `after`: the client's connection breaks."""
    raise ConnectionCut


def kill() -> None:
    """An act for `before` and `after`: the product's process dies."""
    raise Killed


def fail(status: str) -> Callable[[], Fail]:
    """An act for `in_state`: the job is CANCELLED with this Status."""
    return lambda: Fail(status)


def only_reads(statements: Iterable[str]) -> bool:
    """Whether none of the statements changes anything."""
    return all(READS.match(sql) for sql in statements)
