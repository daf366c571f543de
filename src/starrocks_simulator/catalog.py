"""The cluster's metadata: databases, tables, partitions, ids.

Mutable: whoever changes it moves ids and versions as R§8.2 and O§n say.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from attrs import define, field

from starrocks_simulator.column_types import Type
from starrocks_simulator.partitioning import ListKeys, PartitionKeys, Range

SHADOW: Final = "$shadow_automatic_partition"
SYSTEM_DATABASES: Final = ("_statistics_", "information_schema", "sys")


class Model(Enum):
    """The four table models; the value is what tables_config.TABLE_MODEL says (R§8.4)."""

    DUPLICATE = "DUP_KEYS"
    AGGREGATE = "AGG_KEYS"
    UNIQUE = "UNIQUE_KEYS"
    PRIMARY = "PRIMARY_KEYS"

    @property
    def clause(self) -> str:
        """The key clause of CREATE TABLE."""
        return f"{self.name} KEY"


class TableState(Enum):
    """What a table is busy with; anything but NORMAL refuses most statements (R§7.7)."""

    NORMAL = "NORMAL"
    RESTORE = "RESTORE"
    SCHEMA_CHANGE = "SCHEMA_CHANGE"
    ROLLUP = "ROLLUP"
    OPTIMIZE = "OPTIMIZE"


@define
class Column:
    """One column.

    Attributes:
        name: As written in the DDL; compared without regard to case.
        type: Its type.
        is_key: Whether it belongs to the key.
        nullable: Whether it takes NULL.
        default: Text of the default: a literal's value or "CURRENT_TIMESTAMP"; None without.
        aggregation: "SUM", "MAX", "REPLACE", … of an aggregate table's value column, else "".
        comment: Its comment.
        unique_id: Under which its values are stored. DROP c + ADD c gives another one, and old files know nothing
            of it (O2§0.4).
        auto_increment: Whether omitted values are numbered.
        generated: The expression of a generated column, else "".
        hidden: Whether the server made it itself (`__generated_partition_column_0`).
    """

    name: str
    type: Type
    is_key: bool = False
    nullable: bool = True
    default: str | None = None
    aggregation: str = ""
    comment: str = ""
    unique_id: int = 0
    auto_increment: bool = False
    generated: str = ""
    hidden: bool = False


@define(eq=False)
class PhysicalPartition:
    """What holds rows: PARTITION_ID, versions and times of partitions_meta are its (O§0.1).

    Attributes:
        id: Cluster-wide unique; names the stored rows, too.
        visible_version: What readers see. 1 = never loaded.
        next_version: What the next load takes; more than visible + 1 is a hole, behind which loads never become
            visible (O2§y6).
        visible_version_time: Epoch seconds, whole.
        version_epoch: Opaque number; RESTORE over a partition keeps it, a new partition gets another (O§c).
        data_version: Follows the visible version, but RESTORE over a partition leaves it stale (O§c).
    """

    id: int
    visible_version: int = 1
    next_version: int = 2
    visible_version_time: int = 0
    version_epoch: int = 0
    data_version: int = 1


@define(eq=False)
class Partition:
    """One partition of a table.

    Attributes:
        id: The logical id, in no answer of the server but `__info` files (O§a).
        name: Unique in the table without regard to case; of an unpartitioned table, the table's name.
        keys: Its range or its list values; None if the table is not partitioned.
        physical: One, or several once a random-distributed partition has grown (O§h).
        buckets: Number of its buckets.
        replication_num: Number of its replicas.
        storage_medium: "HDD" or "SSD".
        cooldown_time: Epoch seconds; None for never.
        is_temp: Whether it is a temporary partition.
    """

    id: int
    name: str
    keys: PartitionKeys | None
    physical: list[PhysicalPartition]
    buckets: int
    replication_num: int
    storage_medium: str = "HDD"
    cooldown_time: int | None = None
    is_temp: bool = False

    @property
    def range(self) -> Range:
        """The range of a RANGE partition."""
        if not isinstance(self.keys, Range):
            raise TypeError(f"{self.name} is no range partition")
        return self.keys

    @property
    def values(self) -> ListKeys:
        """The values of a LIST partition."""
        if not isinstance(self.keys, ListKeys):
            raise TypeError(f"{self.name} is no list partition")
        return self.keys


@define
class Partitioning:
    """How a table is cut into partitions.

    Attributes:
        kind: "RANGE" or "LIST".
        columns: Names of the partition columns.
        automatic: Whether loads create partitions; such a table owns the shadow partition (O§f).
        unit: Of `date_trunc(unit, column)`: "day", "month", …; "" otherwise.
        expressions: As SHOW CREATE TABLE writes them after PARTITION BY, for automatic tables.
    """

    kind: str
    columns: list[str]
    automatic: bool = False
    unit: str = ""
    expressions: list[str] = field(factory=list)

    @property
    def type_name(self) -> str:
        """The server's own name of the kind, which RESTORE compares (R§7.3)."""
        if not self.automatic or self.kind == "LIST":
            return self.kind
        return "EXPR_RANGE"


@define
class Distribution:
    """How a partition is cut into buckets.

    Attributes:
        columns: Of HASH; empty for RANDOM.
        buckets: As written; 0 = the server decides.
    """

    columns: list[str]
    buckets: int

    @property
    def type_name(self) -> str:
        """HASH or RANDOM."""
        return "HASH" if self.columns else "RANDOM"


@define
class Index:
    """A secondary index: "BITMAP", "NGRAMBF" or "GIN" on one column."""

    name: str
    columns: list[str]
    type: str = "BITMAP"
    properties: dict[str, str] = field(factory=dict)
    comment: str = ""


@define(eq=False)
class Rollup:
    """A rollup or synchronous materialized view of a table: a name and its columns, without rows of its own.

    Attributes:
        id: Its IndexId.
        name: Unique in the table.
        columns: Copies of the table's, with their own keys and aggregations.
        model: AGGREGATE of a view that groups, else the table's.
        schema_hash: Of its columns, as SHOW PROC shows it.
    """

    id: int
    name: str
    columns: list[Column]
    model: Model
    schema_hash: int = 0


@define(eq=False)
class Table:
    """A table that stores rows.

    Attributes:
        id: TABLE_ID of tables_config; a new one for every CREATE, kept by RENAME and SWAP (O2§0.8).
        name: Unique in the database, with regard to case.
        model: One of the four.
        columns: In order; hidden ones last.
        partitioning: None for an unpartitioned table, which has one partition of its own name.
        distribution: Hash or random buckets.
        properties: As SHOW CREATE TABLE prints them.
        sort_key: Names of the columns rows are sorted by.
        partitions: By name; the shadow partition is among them, temporary ones are not.
        temp_partitions: By name.
        index_id: The base index's id, replaced by heavy schema changes (O2§y4).
        index_name: The base index's name: the table's own, or the one that a RENAME left behind.
        schema_version: Grows with every schema job.
        next_unique_id: For the next column.
        next_auto_increment: The next number for an AUTO_INCREMENT column.
        is_materialized_view: Whether it is an asynchronous materialized view; `definition` is its query.
        base_ids: Of a materialized view: ids of what its query reads, through views, too.
        inactive_reason: Why a materialized view is inactive; empty if it is active.
        ghosts: Temporary partitions that a RESTORE brought along from a snapshot cut during an overwrite. One of them
            breaks partitions_meta for the whole cluster (O2§0.1).
    """

    id: int
    name: str
    model: Model
    columns: list[Column]
    partitioning: Partitioning | None
    distribution: Distribution
    properties: dict[str, str]
    sort_key: list[str]
    create_time: int
    index_id: int
    comment: str = ""
    partitions: dict[str, Partition] = field(factory=dict)
    temp_partitions: dict[str, Partition] = field(factory=dict)
    indexes: list[Index] = field(factory=list)
    rollups: list[Rollup] = field(factory=list)
    state: TableState = TableState.NORMAL
    schema_version: int = 0
    schema_hash: int = 0
    next_unique_id: int = 0
    next_auto_increment: int = 1
    is_materialized_view: bool = False
    definition: str = ""
    base_ids: list[int] = field(factory=list)
    inactive_reason: str = ""
    ghosts: list[Partition] = field(factory=list)
    external_engine: str = ""

    @property
    def visible_columns(self) -> list[Column]:
        """Columns that a user sees."""
        return [column for column in self.columns if not column.hidden]

    @property
    def keys(self) -> list[Column]:
        """The key columns."""
        return [column for column in self.columns if column.is_key]

    def find_column(self, name: str) -> Column | None:
        """The column of that name, without regard to case."""
        wanted = name.lower()
        return next((column for column in self.columns if column.name.lower() == wanted), None)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        found = self.find_column(name)
        if found is None:
            raise KeyError(name)
        return found

    def find_partition(self, name: str, *, temp: bool = False) -> Partition | None:
        """The partition of that name, without regard to case (R§2.7)."""
        among = self.temp_partitions if temp else self.partitions
        if name in among:
            return among[name]
        wanted = name.lower()
        return next((partition for partition in among.values() if partition.name.lower() == wanted), None)

    def shown_partitions(self) -> list[Partition]:
        """Partitions but the shadow one: what loads and readers go through."""
        return [partition for name, partition in self.partitions.items() if name != SHADOW]

    def every_partition(self) -> Iterator[Partition]:
        """All partitions: shadow and temporary ones, too."""
        yield from self.partitions.values()
        yield from self.temp_partitions.values()

    @property
    def last_load(self) -> int:
        """The newest VISIBLE_VERSION_TIME: UPDATE_TIME of information_schema.tables (R§8.4)."""
        times = [one.visible_version_time for partition in self.every_partition() for one in partition.physical]
        return max(times, default=self.create_time)

    @property
    def partition_columns(self) -> list[Column]:
        """The partition columns; none if the table is not partitioned."""
        return [] if self.partitioning is None else [self.column(name) for name in self.partitioning.columns]


@define(eq=False)
class View:
    """A logical view.

    Attributes:
        query: Normalized text, names qualified with their database, as SHOW CREATE VIEW prints it.
        columns: Names and types of its columns.
        comment: Its comment.
    """

    id: int
    name: str
    query: str
    columns: list[Column]
    create_time: int
    comment: str = ""


def is_materialized(found: Table | View) -> bool:
    """Whether it is an asynchronous materialized view: what is granted on tables is not granted on it."""
    return isinstance(found, Table) and found.is_materialized_view


@define(eq=False)
class Database:
    """A database: tables and views share one name space.

    Attributes:
        labels: Of the loads that succeeded here: none can be used again (R§12.3).
        temporary: Tables of sessions; they have a name space of their own, and only information_schema tells of them.
    """

    id: int
    name: str
    tables: dict[str, Table | View] = field(factory=dict)
    labels: set[str] = field(factory=set)
    temporary: dict[str, Table] = field(factory=dict)

    def olap_tables(self) -> Iterator[Table]:
        """Its tables and materialized views, without views and external tables."""
        for table in self.tables.values():
            if isinstance(table, Table) and not table.external_engine:
                yield table


@define(eq=False)
class SchemaJob:
    """A row of SHOW ALTER TABLE COLUMN, ROLLUP or OPTIMIZE (O2§y4).

    Attributes:
        kind: "COLUMN", "ROLLUP" or "OPTIMIZE".
        id: JobId; only grows.
        name: The new rollup's name of a ROLLUP, the operation's text of an OPTIMIZE, else the index's name.
        state: "PENDING", "WAITING_TXN", "RUNNING", "FINISHED" or "CANCELLED".
        finish_time: Epoch seconds; None while it runs.
    """

    kind: str
    id: int
    table_id: int
    table_name: str
    create_time: int
    name: str
    index_id: int
    origin_index_id: int
    schema_version: str
    transaction_id: int = -1
    state: str = "FINISHED"
    finish_time: int | None = None
    progress: str | None = None
    message: str = ""
    timeout: int = 1


@define
class DroppedTable:
    """A table in the recycle bin, with the database it was in."""

    database_id: int
    table: Table
    dropped_at: float


@define
class DroppedPartition:
    """A partition in the recycle bin."""

    table_id: int
    partition: Partition


@define
class RecycleBin:
    """What DROP without FORCE left behind (O§n)."""

    databases: list[Database] = field(factory=list)
    tables: list[DroppedTable] = field(factory=list)
    partitions: list[DroppedPartition] = field(factory=list)


@define(eq=False)
class Catalog:
    """Everything that the cluster knows.

    Attributes:
        databases: By name, with regard to case.
        schema_jobs: By database id, oldest first.
    """

    databases: dict[str, Database] = field(factory=dict)
    recycle_bin: RecycleBin = field(factory=RecycleBin)
    schema_jobs: dict[int, list[SchemaJob]] = field(factory=dict)
    _last_id: int = 10_001
    _last_transaction: int = 1_000
    _last_epoch: int = 456_180_000_000_000_000

    def new_id(self) -> int:
        """The next id; one counter for databases, tables, partitions, indexes and jobs."""
        self._last_id += 1
        return self._last_id

    def new_transaction(self) -> int:
        """The next transaction id."""
        self._last_transaction += 1
        return self._last_transaction

    def new_epoch(self) -> int:
        """A version epoch that no partition has had."""
        self._last_epoch += 1
        return self._last_epoch

    def new_physical(self, now: float) -> PhysicalPartition:
        """A never loaded physical partition: version 1, with the time of its creation (O§n)."""
        return PhysicalPartition(id=self.new_id(), visible_version_time=int(now), version_epoch=self.new_epoch())

    def new_partition(
        self,
        name: str,
        keys: PartitionKeys | None,
        *,
        now: float,
        buckets: int,
        replication_num: int,
        is_temp: bool = False,
    ) -> Partition:
        """A never loaded partition with ids of its own; not yet part of a table."""
        return Partition(
            id=self.new_id(),
            name=name,
            keys=keys,
            physical=[self.new_physical(now)],
            buckets=buckets,
            replication_num=replication_num,
            is_temp=is_temp,
        )

    def tables(self) -> Iterator[tuple[Database, Table | View]]:
        """Every table and view with its database."""
        for database in self.databases.values():
            for table in database.tables.values():
                yield database, table

    def has_table(self, table_id: int) -> bool:
        """Whether a table or view of that id is in any database."""
        return any(table.id == table_id for _, table in self.tables())
