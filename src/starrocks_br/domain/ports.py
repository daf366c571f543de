"""The ports: what the services need of the outside, as promises. Adapters keep them; the domain never calls them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from starrocks_br.domain.backup_plan import DatabaseBackup
from starrocks_br.domain.dependents import Grant, MaterializedView, Repair
from starrocks_br.domain.estimate import Timing
from starrocks_br.domain.events import Progress
from starrocks_br.domain.journal import Claim, Journal, Journals, Mark
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    Label,
    PartitionName,
    RepositoryName,
    RestoreId,
    TableName,
    TableRef,
)
from starrocks_br.domain.partitions import Observation, TableState
from starrocks_br.domain.reprs import count
from starrocks_br.domain.restore_steps import RestorePartitions, Step
from starrocks_br.domain.server import Job, JobKind, RemoteSnapshot, Repository, Server
from starrocks_br.domain.snapshot import Entry, Outline, Reading
from starrocks_br.domain.status import Event, Status


@frozen
class Rows:
    """What a statement gave back.

    Attributes:
        columns: Their names as the server spells them.
        rows: One tuple per row, in the order of `columns`; DATETIMEs are naive and in UTC.
        affected: Rows written, for a statement that writes.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = field(default=(), repr=count)
    affected: int = 0


class SqlExecutor(Protocol):
    """The SQL-executor port: one statement in, rows out. Called by `adapters/starrocks`.

    An implementation speaks to the leader, one statement at a time, in a session whose time zone is +00:00, outside of
    any transaction. When the connection breaks it may wait for the cluster to come back, as long as the user wants that
    (`reconnect_timeout`), and repeat what only reads; it never repeats a statement that changes anything.
    """

    __slots__ = ()

    @abstractmethod
    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:
        """Run one statement.

        Args:
            sql: One StarRocks statement, without a trailing semicolon.
            values: For the `:name` placeholders in it. Without values the text is sent as it is.

        Raises:
            Refused: The server answered with an error; the statement had no effect.
            AccessDenied: A `Refused` about privileges.
            OutcomeUnknown: The connection broke after the statement may have left.
            Unreachable: There is no connection, and none could be made for as long as one waits; nothing was sent.
        """


class Cluster(Protocol):
    """StarRocks in the domain's words. Called by the services.

    Every method may raise the `ClusterError` kinds of `SqlExecutor.execute`. Only what submits, `apply`,
    `cancel_backup` and `repair` change anything. Everything that is read may be read again.
    """

    __slots__ = ()

    @abstractmethod
    def server(self) -> Server:
        """Who is there: id, version, kind, clock.

        Raises:
            AccessDenied: Without OPERATE the leader and the cluster id cannot be known.
            UnsupportedServer: Of a version that cannot be worked with.
        """

    @abstractmethod
    def now(self) -> datetime:
        """The leader's clock (UTC, whole seconds)."""

    @abstractmethod
    def repositories(self) -> tuple[Repository, ...]:
        """All repositories that the cluster knows."""

    @abstractmethod
    def tables(self) -> frozenset[TableRef]:
        """All OLAP tables that the user can see; materialized views, views and external tables are none.

        Names are as the server tells them: some may be such that no statement can be written about the table.
        """

    @abstractmethod
    def objects(self, database: DatabaseName) -> Mapping[TableName, str] | None:
        """Every name taken in the database, with the kind of object; None if the database does not exist."""

    @abstractmethod
    def is_empty(self, database: DatabaseName) -> bool:
        """Whether a database exists and holds nothing at all, nothing either that this user is not shown."""

    @abstractmethod
    def observe(self, tables: Collection[TableRef]) -> Observation:
        """Look at tables: four statements, and three per database, however many tables there are.

        Where a schema change may have been made to a table while it bore another name, who is in doubt is asked about
        it once, in a statement per table.
        """

    @abstractmethod
    def inspect(self, tables: Collection[TableRef]) -> Mapping[TableRef, TableState]:
        """Look at the partitions of tables of one database, in two statements: their schemas are left out.

        Returns:
            What was seen of each that exists.

        Raises:
            Refused: Among others when a ghost partition of any table makes partitions_meta fail (O2§0.1).
        """

    @abstractmethod
    def table_ids(self, tables: Collection[TableRef]) -> Mapping[TableRef, int]:
        """The server's ids of tables, in one statement; names that no OLAP table bears are left out."""

    @abstractmethod
    def ddl(self, table: TableRef) -> str:
        """The statement that would make the table again, with its present partitions, as SHOW CREATE TABLE tells it."""

    @abstractmethod
    def count_rows(self, table: TableRef, partitions: Sequence[PartitionName] | None = None) -> int | None:
        """Read a table, or some of its partitions, and count the rows; None if the server answers without a number."""

    @abstractmethod
    def submit_backup(self, label: Label, to: RepositoryName, backup: DatabaseBackup, timeout: int) -> None:
        """Send BACKUP: the tables of `backup.submitted`. Returns once the server accepted it.

        Args:
            label: Never used before.
            to: The repository.
            backup: One database.
            timeout: Seconds until the server gives the job up.

        Raises:
            Refused: Nothing was submitted; `transient` tells whether a new attempt may work.
            OutcomeUnknown: Ask `jobs` and `find_snapshots`; never send it again.
        """

    @abstractmethod
    def submit_whole(self, label: Label, to: RepositoryName, table: TableRef, timeout: int) -> None:
        """Send BACKUP of one whole table: the metadata snapshot. Raises as `submit_backup` does."""

    @abstractmethod
    def submit_restore(self, together: Sequence[RestorePartitions], repository: RepositoryName, timeout: int) -> None:
        """Send one RESTORE. Returns once the server accepted it.

        Args:
            together: At least one table; one snapshot, database and number of replicas for all.
            repository: Where the snapshot is.
            timeout: Seconds until the server gives the job up.

        Raises:
            Refused: Nothing was submitted.
            OutcomeUnknown: Ask `jobs`; never send it again before.
        """

    @abstractmethod
    def apply(self, step: Step) -> None:
        """Do one step of a restore that is no job and no check.

        Raises:
            Refused: The step had no effect.
            OutcomeUnknown: Ask before doing anything else.
        """

    @abstractmethod
    def jobs(self, kind: JobKind, databases: Collection[DatabaseName]) -> tuple[Job, ...]:
        """The newest job of that kind in each database's slot; one statement per database. Gone databases have none."""

    @abstractmethod
    def cancel_backup(self, database: DatabaseName) -> None:
        """Send CANCEL BACKUP: it hits whatever holds the slot, so look first."""

    @abstractmethod
    def find_snapshots(self, repository: RepositoryName, labels: Collection[Label]) -> Mapping[Label, RemoteSnapshot]:
        """What the repository lists of these labels, one statement; labels it does not know are left out."""

    @abstractmethod
    def read_snapshot(self, repository: RepositoryName, label: Label, backup_timestamp: str) -> RemoteSnapshot:
        """What one snapshot holds, by table and partition."""

    @abstractmethod
    def list_snapshots(self, repository: RepositoryName) -> tuple[RemoteSnapshot, ...]:
        """Every label in the repository; slow: one object-store call per snapshot (O2§y8)."""

    @abstractmethod
    def grants_on(self, tables: Collection[TableRef]) -> Mapping[TableRef, tuple[Grant, ...]]:
        """Who may do what with each of the tables, by name or ON ALL TABLES: two statements, however many tables.

        Raises:
            AccessDenied: Only those who may grant, or were given SELECT on `sys.grants_to_*`, read it (documented, not
                observed).
            Refused: The server has no such tables.
        """

    @abstractmethod
    def materialized_views(self) -> tuple[MaterializedView, ...]:
        """Every asynchronous materialized view that the user sees: two statements."""

    @abstractmethod
    def colocate_groups(self, tables: Collection[TableRef]) -> Mapping[TableRef, str]:
        """The colocate group of each of the tables that exists, empty for none: one statement."""

    @abstractmethod
    def repair(self, repair: Repair) -> None:
        """Put something back. What is there already stays: it may be sent again.

        Raises:
            InvalidName: A name in it cannot be written as a statement.
        """

    @abstractmethod
    def spell(self, repair: Repair) -> str:
        """The statement that `repair` sends, for people to run. Raises InvalidName as it does."""

    @abstractmethod
    def initialise(self, replication_num: int) -> bool:
        """Create the ops database and its tables if they are missing, and add the columns that older ones lack.

        Args:
            replication_num: Of the tables.

        Returns:
            Whether columns are being added: the server may do that a little later; `layout_problem` tells when.
        """

    @abstractmethod
    def layout_problem(self) -> str:
        """Why the ops tables cannot be used; empty if they can."""


class BackupHistory(Protocol):
    """The repository port of `ops.backup_history`: every recorded entry. Called by the services.

    The store replaces on duplicate keys and has no transactions over statements: an implementation makes each call
    below one atomic statement, unless it says otherwise.
    """

    __slots__ = ()

    @abstractmethod
    def record(self, entries: Sequence[Entry]) -> None:
        """Write the entries of one snapshot before anything is sent to the cluster.

        What was written of the label before is replaced.

        Raises:
            OutcomeUnknown: The write may or may not have happened. Abandon the label; never write it again.
        """

    @abstractmethod
    def keep(self, entries: Sequence[Entry]) -> None:
        """Write down what was seen after the cut of a RUNNING snapshot. It may be repeated.

        What another command has settled meanwhile stays as it is: its verdict may rest on what is gone by now. Where
        the store cannot ask and write in one, it asks right before it writes.
        """

    @abstractmethod
    def advance(self, label: Label, event: Event, changes: Mapping[str, object]) -> bool:
        """Move a snapshot along the status table.

        Args:
            label: Which.
            event: What happened.
            changes: Times and error fields of `Snapshot`, by attribute name.

        Returns:
            Whether the label now stands where the event leads; False if it is elsewhere, or unknown.
        """

    @abstractmethod
    def conclude(self, entries: Sequence[Entry]) -> bool:
        """Replace all rows of one snapshot by what was learned at its end. It may be repeated.

        As with `keep`, a verdict that PROVEN cannot change stays.

        Returns:
            Whether it was written; False if the label stands elsewhere, as FAILED.
        """

    @abstractmethod
    def doubt(self, label: Label, table: TableRef) -> None:
        """Make the consistency of one entry UNKNOWN: its snapshot was seen to hold ghosts of the table (O2§0.1)."""

    @abstractmethod
    def outlines(
        self, *, statuses: Collection[Status] = (), table: TableRef | None = None, limit: int | None = None
    ) -> tuple[Outline, ...]:
        """Entries without their partitions, newest first; damaged rows are left out (`entries` reports them).

        Of those that began in one second the one with the later point comes first, one without a point last.

        Args:
            statuses: Only these; empty: all.
            table: Only this table's.
            limit: At most so many.
        """

    @abstractmethod
    def entries(self, labels: Collection[Label], table: TableRef | None = None) -> Reading:
        """Whole entries of these labels, and what is damaged of them.

        Args:
            labels: Which.
            table: Only this table's: what others captured is not even read. None: those of all tables.
        """

    @abstractmethod
    def adopt(self, alias: TableRef, *, saved_by: Label, repository: RepositoryName) -> int:
        """Copy the rows of labels that are absent here from another history table, in one statement that writes.

        Args:
            alias: The table; it may be of an older layout: what it lacks stays empty.
            saved_by: The metadata snapshot that the table comes from. It knows its own label, so its row tells what
                the repository was called where it was made.
            repository: What that repository is called here: rows that name it by the other name get this one.

        Returns:
            How many rows came over.
        """

    @abstractmethod
    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:
        """What the newest 200 BACKUP jobs of a cluster took, of which both times and all sizes are known."""


class RestoreHistory(Protocol):
    """The repository port of `ops.restore_history`: the journal of restores. Called by the services."""

    __slots__ = ()

    @abstractmethod
    def begin(self, journals: Sequence[Journal]) -> None:
        """Write all steps of each restore down before the first one is sent."""

    @abstractmethod
    def mark(self, marks: Sequence[Mark]) -> None:
        """Write how far steps got: one statement for all that say the same of a step of the same number."""

    @abstractmethod
    def claim(self, claims: Sequence[Claim]) -> frozenset[RestoreId]:
        """Write SENT of steps that are about to be sent, if nobody closed or took over their restore.

        A command that was silent for long may have been taken for dead: what it is told here keeps it from going on
        with what another one has taken back meanwhile. It is a sign of life, too.

        Returns:
            The restores that still belong to those who ask.
        """

    @abstractmethod
    def take_over(self, journal: Journal, holder: str) -> None:
        """From here on the open steps of a restore are `holder`'s: nobody else's claim is granted any more.

        Unless anybody wrote to it since the journal was read: then nothing happens, as reading it again shows. It is a
        sign of life.
        """

    @abstractmethod
    def reopen(self, journal: Journal, holder: str) -> None:
        """Open the last step of a restore that is closed again: `holder` undoes it. Else as `take_over`."""

    @abstractmethod
    def release(self, journal: Journal, holder: str) -> None:
        """As if `holder` had never taken a restore over, or opened it again: the journal is as it was read before."""

    @abstractmethod
    def abandon(self, restore: RestoreId, detail: str) -> None:
        """Close every step that is open."""

    @abstractmethod
    def unfinished(self) -> Journals:
        """Restores that a kill left open, and those of them that cannot be read."""

    @abstractmethod
    def timings(self, cluster: ClusterId) -> tuple[Timing, ...]:
        """What the newest RESTORE jobs of a cluster took, of which the size is known; at most 200 steps are read.

        Steps of several restores that were done by one job count as one. A store that keeps no times knows none.
        """

    @abstractmethod
    def newest(self, limit: int | None = None) -> Journals:
        """The restores that began last, whatever became of them; `limit`: at most so many."""

    @abstractmethod
    def journals(self, restores: Collection[RestoreId]) -> Journals:
        """These restores, whatever became of them; unknown ones are left out."""


class Clock(Protocol):
    """Time on this machine: for waiting and for telling how long things took, never for a row."""

    __slots__ = ()

    @abstractmethod
    def monotonic(self) -> float:
        """Seconds that only grow."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait."""


class Tokens(Protocol):
    """Randomness for labels and ids."""

    __slots__ = ()

    @abstractmethod
    def __call__(self) -> str:
        """A few letters and digits that nobody else will draw."""


class Listener(Protocol):
    """Who is told about progress. What it raises is logged once and dropped."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, progress: Progress, /) -> None:
        """Take note."""


@frozen(kw_only=True)
class Ports:
    """All that a service talks to.

    Attributes:
        cluster: StarRocks.
        backups: What was backed up.
        restores: The journal of restores.
        clock: Waiting.
        tokens: Randomness.
        listener: Progress.
    """

    cluster: Cluster
    backups: BackupHistory
    restores: RestoreHistory
    clock: Clock
    tokens: Tokens
    listener: Listener
