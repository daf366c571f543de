"""What was seen of tables and partitions at one look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from starrocks_br.domain.names import ClusterId, DatabaseName, PartitionName, TableRef
from starrocks_br.domain.reprs import count

Identity: TypeAlias = frozenset[tuple[int, int, int]]
"""(physical PARTITION_ID, VISIBLE_VERSION, VISIBLE_VERSION_TIME in epoch seconds) of each physical row of a partition.

Together the three tell every data change apart (O§n). The empty set is an unknown identity: equal to nothing.
"""

UNKNOWN: Identity = frozenset()


def same_identity(one: Identity, other: Identity) -> bool:
    """Whether both are known and equal. An unknown identity equals nothing, not even another unknown one."""
    return bool(one) and one == other


class Partitioning(StrEnum):
    """How a table is divided."""

    NONE = "none"
    RANGE = "range"
    LIST = "list"


@frozen(kw_only=True)
class Partition:
    """One partition at one look.

    Attributes:
        name: As the server spells it.
        identity: The set over its physical rows.
        values: The server's PARTITION_VALUE text; empty for an unpartitioned table.
        buckets: The number of buckets.
        replication_num: The number of replicas.
        rows: Row count as last reported by the backends (late, R§8.1); None if unknown.
        size: Bytes as last reported by the backends; None if unknown.
        hole: Whether some NEXT_VERSION is not VISIBLE_VERSION + 1: a load under way, or what RESTORE left (O2§0.3).
    """

    name: PartitionName
    identity: Identity
    values: str = ""
    buckets: int = 0
    replication_num: int = 1
    rows: int | None = None
    size: int | None = None
    hole: bool = False

    @property
    def grown(self) -> bool:
        """Whether it has several physical parts (automatic buckets): RESTORE cannot overlay it (O§h)."""
        return len(self.identity) > 1


@frozen(kw_only=True)
class TableState:
    """One table at one look.

    Attributes:
        table: Which.
        table_id: The server's id; a table dropped and made again has another one.
        partitioning: How it is divided.
        automatic: Whether partitions are made by an expression: it owns the shadow partition (R§7.6).
        fingerprint: Of everything that makes RESTORE refuse or lie when it changes (O2§y4).
        schema_job: The greatest finished schema-change JobId below the least unfinished one; None without any.
        partitions: By name; neither temporary nor hidden ones.
        temporary: Names of the temporary partitions that stand.
        ttl: Names of the table properties by which the server drops partitions on its own.
    """

    table: TableRef
    table_id: int
    partitioning: Partitioning
    automatic: bool = False
    fingerprint: str = ""
    schema_job: int | None = None
    partitions: Mapping[PartitionName, Partition] = field(factory=dict, repr=count)
    temporary: frozenset[PartitionName] = frozenset()
    ttl: Mapping[str, str] = field(factory=dict)

    def identities(self) -> dict[PartitionName, Identity]:
        """Each partition's identity by name."""
        return {name: partition.identity for name, partition in self.partitions.items()}


@frozen(kw_only=True)
class Observation:
    """One look at a set of tables.

    Attributes:
        cluster: Whose tables.
        at: The leader's clock right before the look (UTC, whole seconds).
        tables: What was seen, for each table that exists.
        unreadable: Tables that exist but could not be read, each with the reason.
        newest_job: The greatest JobId of a schema change of any table, past or present, that each database told of, in
            whatever state; databases that told of none are left out.
    """

    cluster: ClusterId
    at: datetime
    tables: Mapping[TableRef, TableState] = field(repr=count)
    unreadable: Mapping[TableRef, str] = field(factory=dict)
    newest_job: Mapping[DatabaseName, int] = field(factory=dict)
