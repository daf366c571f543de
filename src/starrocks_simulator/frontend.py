"""One running frontend with its cluster."""

from __future__ import annotations

import copy
import datetime as dt
import math
import shutil
from pathlib import Path

from attrs import evolve

from starrocks_simulator.accounts import Accounts
from starrocks_simulator.catalog import Catalog, Table
from starrocks_simulator.clock import Clock, SystemClock
from starrocks_simulator.faults import Faults
from starrocks_simulator.handler import BackupHandler
from starrocks_simulator.held_loads import HeldLoads
from starrocks_simulator.rows import Rows
from starrocks_simulator.running_overwrite import RunningOverwrite, begin
from starrocks_simulator.schema_change import SchemaChanges
from starrocks_simulator.session import Session
from starrocks_simulator.times import zone_of
from starrocks_simulator.variables import default_config, default_variables


class Frontend:
    """A frontend process, the leader of its cluster, and the cluster.

    It has no thread: whatever the server's daemons do, they do at ticks `started + n * tick`, and every statement
    first lets
    the ticks run that are due (`catch_up`). Only statements can look or change, so this is exact, and it makes a
    virtual
    clock trivial.

    Attributes:
        repository_dir: Where repositories lie, whatever their LOCATION; outlives the frontend.
        clock: Tells the time.
        tick: Seconds between two steps of a job; the server's own is 3 (R§4.1).
        password: Of root.
        zone: The JVM's time zone: of snapshot timestamps, and of sessions that set none (R§10).
        backends: Number of backends, all alive.
        catalog: Metadata.
        rows: Data.
        handler: Backup and restore jobs.
        faults: What a test makes go wrong.
        accounts: Users but root, and their grants.
        held_loads: Loads that are committed and not visible.
        schema_changes: ALTER jobs.
        variables: Global variables; a session begins with a copy.
        config: What ADMIN SHOW FRONTEND CONFIG shows.
        cluster_id: ClusterId of SHOW FRONTENDS.
        query_port: QueryPort of SHOW FRONTENDS; whoever serves the wire sets it.
        skew: Seconds by which the leader's clock is ahead of `clock`; a test moves it to have that clock jump.
        restarts: How often the process was killed and started again: connections from before are dead.
    """

    def __init__(  # noqa: PLR0913 - the command line's options
        self,
        repository_dir: Path,
        *,
        clock: Clock | None = None,
        tick: float = 3.0,
        password: str = "",
        jvm_zone: str = "UTC",
        backends: int = 1,
        default_replication_num: int = 3,
        cluster_id: int = 1_840_365_487,
    ) -> None:
        self.repository_dir = repository_dir
        self.clock: Clock = SystemClock() if clock is None else clock
        self.tick = tick
        self.password = password
        self.zone_name = jvm_zone
        self.zone: dt.tzinfo = zone_of(jvm_zone)
        self.backends = backends
        self.cluster_id = cluster_id
        self.query_port = 9030
        self.catalog = Catalog()
        self.rows = Rows()
        self.variables = default_variables(jvm_zone)
        self.config = default_config(default_replication_num)
        self.started = self.clock.now()
        self.handler = BackupHandler(self)
        self.faults = Faults()
        self.accounts = Accounts()
        self.held_loads = HeldLoads(self)
        self.schema_changes = SchemaChanges(self.catalog)
        self.skew = 0.0
        self.restarts = 0
        self._ticks_run = 0
        self._tick_time: float | None = None
        self._last_connection = 16_777_216

    @property
    def backend_ids(self) -> list[int]:
        """Ids of the backends."""
        return [10_001 - self.backends + 1 + index for index in range(self.backends)]

    @property
    def default_replication_num(self) -> int:
        """FE config `default_replication_num`."""
        return int(self.config["default_replication_num"])

    def now(self) -> float:
        """Epoch seconds on the leader's clock: at the tick's own moment while a tick runs, else at this one."""
        return self.skew + (self.clock.now() if self._tick_time is None else self._tick_time)

    def connect(self, user: str = "root") -> Session:
        """Open a session; authentication is the wire's matter."""
        self._last_connection += 1
        return Session(self, user, self._last_connection)

    def copy(self, repository_dir: Path, clock: Clock) -> Frontend:
        """The same cluster once more, with a copy of its repositories: what is done to one the other does not see.

        A test that needs what another one has prepared need not prepare it again. Sessions and faults are not copied,
        and no overwrite may be in flight.
        """
        shutil.copytree(self.repository_dir, repository_dir, dirs_exist_ok=True)
        known: dict[int, object] = {id(self.clock): clock, id(self.faults): Faults()}
        for one in self.handler.repositories.values():
            known[id(one)] = evolve(one, folder=repository_dir / one.folder.relative_to(self.repository_dir))
        made = copy.deepcopy(self, known)
        made.repository_dir = repository_dir
        return made

    def restart(self) -> None:
        """The process is killed and started again: the cluster stays, jobs go back to what was persisted (O§v).

        Whoever holds a session has to throw it away and connect again.
        """
        self.catch_up()
        self.restarts += 1
        self.handler.restart()

    def begin_overwrite(self, database: str, table: str, partitions: list[str] | None = None) -> RunningOverwrite:
        """Begin an INSERT OVERWRITE: its temporary partitions stand until it is finished or aborted (O2§0.1).

        Args:
            database: Name of the database.
            table: Name of the table.
            partitions: Names of those overwritten; None for all.
        """
        found = self.catalog.databases[database].tables[table]
        if not isinstance(found, Table):
            raise TypeError(f"{table} is a view")
        return begin(self, found, partitions)

    def catch_up(self) -> None:
        """Run every tick that has come due since the last call, each at its own moment.

        A statement that a fault runs in the middle of a tick belongs to that tick: no other one begins in it.
        """
        if self._tick_time is not None:
            return
        due = math.floor((self.clock.now() - self.started) / self.tick)
        while self._ticks_run < due:
            if self.handler.idle and self.schema_changes.idle:
                self._ticks_run = due
                return
            self._ticks_run += 1
            self._tick_time = self.started + self._ticks_run * self.tick
            try:
                self.handler.run_tick()
                self.schema_changes.run_tick(self.now())
            finally:
                self._tick_time = None
