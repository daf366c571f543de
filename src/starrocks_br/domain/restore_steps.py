"""What a restore consists of: one value per kind of step. What each does to the server is written in one place only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

from starrocks_br.domain.names import DatabaseName, Label, PartitionName, TableName, TableRef
from starrocks_br.domain.reprs import count

TTL_OFF: Final[Mapping[str, str]] = {
    "dynamic_partition.enable": "false",
    "partition_live_number": "-1",
    "partition_retention_condition": "",
    "partition_ttl": "2000 year",
}
"""Table properties by which the server drops partitions on its own, past recovery (R§7.6), each with the value that
stops it. The empty condition is the documented way; of `partition_ttl` none is documented: nothing is as old as this.
"""


@frozen(kw_only=True)
class CreateDatabase:
    """Create the target's database; refused if it exists: then it is somebody else's, and not ours to drop.

    Attributes:
        database: Which.
    """

    database: DatabaseName


@frozen(kw_only=True)
class DropDatabase:
    """Drop a database that a restore made for its table, and that holds nothing; RECOVER DATABASE brings it back.

    Attributes:
        database: Which.
    """

    database: DatabaseName


@frozen(kw_only=True)
class CreateTable:
    """Make the table, empty, from the DDL that was recorded with its first snapshot (O2§y5).

    Attributes:
        table: Its hidden name.
        ddl: As SHOW CREATE TABLE told it.
        replication_num: For every partition of it.
        wanted: The partitions that it is to have in the end; others that the DDL makes go at once.
        addable: Those of a LIST table: RESTORE adds none (O§e), so what the DDL does not make is added.
    """

    table: TableRef
    ddl: str = field(repr=False)
    replication_num: int
    wanted: tuple[PartitionName, ...] = field(repr=count)
    addable: tuple[NewPartition, ...] = field(default=(), repr=count)


@frozen(kw_only=True)
class DropPartitions:
    """Drop partitions that a restore made and that are not wanted, past recovery.

    Attributes:
        table: Of which.
        partitions: Which.
    """

    table: TableRef
    partitions: tuple[PartitionName, ...] = field(repr=count)


@frozen(kw_only=True)
class RestorePartitions:
    """One RESTORE job.

    Attributes:
        label: The holder.
        backup_timestamp: The holder's, as SHOW SNAPSHOT tells it.
        source: The table's name in the snapshot.
        into: The table that is created, or overlaid.
        creating: Whether `into` is created by this step; else it must bear the name `source` (R§7.4).
        partitions: Which; None: all that the snapshot holds of the table. Hidden ones are the server's business.
        automatic: Whether a creating step must name the shadow partition along with a partition list (O§f).
        replication_num: For every partition of the step; must equal that of existing ones (O§g).
        size: Bytes as last reported before the backup; None if unknown.
    """

    label: Label
    backup_timestamp: str
    source: TableName
    into: TableRef
    creating: bool
    partitions: tuple[PartitionName, ...] | None = field(repr=lambda names: "all" if names is None else str(len(names)))
    automatic: bool = False
    replication_num: int = 1
    size: int | None = None


@frozen(kw_only=True)
class CheckRestored:
    """Look for ghosts and holes that the RESTORE before this step may have left (O2§0.1, O2§0.3).

    Attributes:
        table: The table that was restored.
        created: Whether it was created: then it is dropped again if it is haunted.
    """

    table: TableRef
    created: bool


@frozen(kw_only=True)
class PauseTtl:
    """Keep the server from adding or dropping partitions on its own (R§7.6).

    Attributes:
        table: Which.
        properties: What to set.
    """

    table: TableRef
    properties: Mapping[str, str]


@frozen(kw_only=True)
class Rename:
    """Give a table its name; atomic, and refused if the name is taken (O2§y1).

    Attributes:
        table: Which.
        to: Its new name.
    """

    table: TableRef
    to: TableName


@frozen(kw_only=True)
class SetAside:
    """Rename the table that lived under the target's name before this restore.

    Attributes:
        table: Where it is.
        to: Its new name.
        table_id: Its id: no other table is touched.
    """

    table: TableRef
    to: TableName
    table_id: int


@frozen(kw_only=True)
class Swap:
    """Exchange the names of the table that lives and of the restored one; atomic, no name is ever absent (O§n).

    Attributes:
        table: The live one.
        restored: Ours.
        table_id: The live one's id: no other table is touched.
    """

    table: TableRef
    restored: TableName
    table_id: int


@frozen(kw_only=True)
class NewPartition:
    """One partition to be made by hand, exactly as recorded.

    Attributes:
        name: Its name.
        values: The value tuples of a LIST partition; of a RANGE partition the inclusive lower and the exclusive upper
            bound.
        buckets: Its number of buckets; 0: the table's own affair.
        ranged: Whether `values` are bounds.
    """

    name: PartitionName
    values: tuple[tuple[str, ...], ...]
    buckets: int
    ranged: bool = False


@frozen(kw_only=True)
class AddPartitions:
    """Make partitions that RESTORE refuses to add to a LIST table (O§e), or that are filled by `CopyPartitions`.

    Attributes:
        table: Which.
        partitions: What to add.
        replication_num: For each of them.
    """

    table: TableRef
    partitions: tuple[NewPartition, ...]
    replication_num: int


@frozen(kw_only=True)
class CopyPartitions:
    """Read partitions of a scratch table into the one that is being made: legal where RESTORE cannot overlay.

    Attributes:
        scratch: Where they were restored to; its name is the label of the load, which can act only once (R§12.3).
        table: Where they go; it has them, empty, unless it is `automatic`.
        partitions: Which.
        automatic: Whether the table makes its own partitions while it is loaded.
        addable: Of an `automatic` table: a load makes no partition that has no row, so what it does not make is added.
        replication_num: For what is added.
    """

    scratch: TableRef
    table: TableRef
    partitions: tuple[PartitionName, ...] = field(repr=count)
    automatic: bool = False
    addable: tuple[NewPartition, ...] = field(default=(), repr=count)
    replication_num: int = 1


@frozen(kw_only=True)
class RepairHole:
    """Make a partition loadable whose NEXT_VERSION the RESTORE left too high (O2§y6).

    Attributes:
        table: Which.
        partition: Of it.
        version: Its VISIBLE_VERSION.
    """

    table: TableRef
    partition: PartitionName
    version: int


@frozen(kw_only=True)
class DropTable:
    """Drop a table past recovery: one that a restore made, or the one it replaced.

    Attributes:
        table: Which.
    """

    table: TableRef


class Reading(StrEnum):
    """How a restored table is read to prove that it can be."""

    TABLE = "table"
    """Count the rows of the whole table."""
    PARTITIONS = "counts"
    """Count the rows of each partition."""
    NONE = "none"
    """Compare what the server says of it only."""


@frozen(kw_only=True)
class Verify:
    """Hold the table against the manifest, and read it.

    Attributes:
        table: Which.
        source: The table as it was named at the point.
        point: The snapshot whose point it must be equal to.
        reading: How its rows are read.
    """

    table: TableRef
    source: TableRef
    point: Label
    reading: Reading = Reading.TABLE


Step: TypeAlias = (
    CreateDatabase
    | CreateTable
    | DropPartitions
    | DropDatabase
    | RestorePartitions
    | CheckRestored
    | PauseTtl
    | Rename
    | SetAside
    | Swap
    | AddPartitions
    | CopyPartitions
    | RepairHole
    | DropTable
    | Verify
)


def names_after(step: Step, names: Mapping[TableRef, int]) -> dict[TableRef, int]:
    """Which table bears which name once a step is done.

    Args:
        step: Which; one that moves no name leaves all as it is.
        names: The ids of the tables that bear names now.
    """
    now = dict(names)
    match step:
        case Rename(table=table, to=name) | SetAside(table=table, to=name):
            now[TableRef(table.database, name)] = now.pop(table)
        case Swap(table=table, restored=name):
            other = TableRef(table.database, name)
            now[table], now[other] = now[other], now[table]
        case DropTable(table=table):
            del now[table]
        case _:
            pass
    return now
