"""Names of things: checked when they are made, so that nothing downstream meets a hostile one.

StarRocks deletes backticks from quoted identifiers instead of escaping them (R§2.7), so a name that holds one cannot
be addressed; it is refused here, as are control characters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final, NewType, Self

from attrs import frozen

from starrocks_br.domain.errors import InvalidName

DatabaseName = NewType("DatabaseName", str)
TableName = NewType("TableName", str)
PartitionName = NewType("PartitionName", str)
RepositoryName = NewType("RepositoryName", str)
Label = NewType("Label", str)
ClusterId = NewType("ClusterId", str)
RunId = NewType("RunId", str)
RestoreId = NewType("RestoreId", str)

SHADOW_PARTITION: Final = PartitionName("$shadow_automatic_partition")
"""The hidden partition of an automatically partitioned table (R§7.6)."""

SYSTEM_DATABASES: Final = frozenset({"information_schema", "sys", "_statistics_"})
"""Databases that belong to the server (O§w); never backed up."""

ALIAS_PREFIX: Final = "__br_"
"""Tables whose name begins so are restores in the making; never backed up."""

MAX_LABEL: Final = 64
MAX_TABLE: Final = 1024

_DATABASE = re.compile(r"[A-Za-z_][\w $@#%&+=~!^<>-]{0,255}", re.ASCII)
_TABLE = re.compile(r"[^\x00-\x1f\x7f`]{1,1024}")
_REPOSITORY = re.compile(r"[A-Za-z]\w{0,63}|_[A-Za-z0-9]\w{0,62}", re.ASCII)
_LABEL = re.compile(r"[-A-Za-z0-9_]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")
_BEFORE = re.compile(r".__before_(?P<restore>[A-Za-z0-9]{1,32})$")
_HIDDEN = re.compile(rf"{ALIAS_PREFIX}(?P<restore>[A-Za-z0-9]{{1,32}})(_[0-9]+)?")
_METADATA_LABEL = re.compile(r"br_meta_(?P<cluster>.+)_(?P<at>\d{8}T\d{6})_[A-Za-z0-9]+")
_STAMP: Final = "%Y%m%dT%H%M%S"


def _checked(pattern: re.Pattern[str], kind: str, text: str) -> str:
    if not pattern.fullmatch(text) or text != text.strip():
        raise InvalidName(
            f"{text!r} is not a {kind} name that can be used",
            hint="names hold no backtick, no control character and no blank at either end",
        )
    return text


def database_name(text: str) -> DatabaseName:
    """Check a database name (R§2.7). Raises InvalidName."""
    return DatabaseName(_checked(_DATABASE, "database", text))


def table_name(text: str) -> TableName:
    """Check a table name (R§2.7). Raises InvalidName."""
    return TableName(_checked(_TABLE, "table", text))


def partition_name(text: str) -> PartitionName:
    """Check a partition name; an unpartitioned table's only partition is named like the table. Raises InvalidName."""
    return PartitionName(_checked(_TABLE, "partition", text))


def repository_name(text: str) -> RepositoryName:
    """Check a repository name (R§2.1). Raises InvalidName."""
    return RepositoryName(_checked(_REPOSITORY, "repository", text))


def label_name(text: str) -> Label:
    """Check a snapshot label. The server would take anything, globs included (O§k); we do not. Raises InvalidName."""
    return Label(_checked(_LABEL, "snapshot", text))


def cluster_id(text: str) -> ClusterId:
    """Check a cluster id. Raises InvalidName."""
    return ClusterId(_checked(_LABEL, "cluster", text))


def run_id(text: str) -> RunId:
    """Check a run id. Raises InvalidName."""
    return RunId(_checked(_LABEL, "run", text))


def restore_id(text: str) -> RestoreId:
    """Check a restore id. Raises InvalidName."""
    return RestoreId(_checked(_TOKEN, "restore", text))


def label_for(database: DatabaseName, at: datetime, token: str) -> Label:
    """Name a new snapshot: `<database>_<UTC>_<token>`; a long database name is cut, the token never.

    Labels are unique in a whole repository, over all its clusters (O§k): the token carries that.
    """
    suffix = _suffix(at, token)
    return label_name(re.sub(r"[^A-Za-z0-9]", "_", database)[: MAX_LABEL - len(suffix)] + suffix)


def restored_label_for(database: DatabaseName, at: datetime, token: str) -> Label:
    """Name what is recorded of a restore: `br_restored_<database>_<UTC>_<token>`, cut as `label_for` cuts."""
    return label_for(DatabaseName(f"br_restored_{database}"), at, token)


def metadata_label_for(cluster: ClusterId, at: datetime, token: str) -> Label:
    """Name a new metadata snapshot: `br_meta_<cluster>_<UTC>_<token>`.

    The cluster id is never cut: the label would tell of another cluster. With the server's ids (at most 19 digits)
    there is room for a token of 20 characters.

    Raises:
        InvalidName: They do not fit into a label.
    """
    return label_name(f"br_meta_{cluster}{_suffix(at, token)}")


def parse_metadata_label(label: str) -> tuple[ClusterId, datetime] | None:
    """Read the cluster and the instant (UTC) out of a metadata label; None for any other label.

    A database may be named so that its labels look the same: what the snapshot holds has the last word.
    """
    found = _METADATA_LABEL.fullmatch(label)
    if not found or not _LABEL.fullmatch(label):
        return None
    try:
        at = datetime.strptime(found["at"], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return ClusterId(found["cluster"]), at


def _suffix(at: datetime, token: str) -> str:
    return f"_{at.astimezone(UTC).strftime(_STAMP)}_{_checked(_TOKEN, 'token', token)}"


def alias_for(restore: RestoreId) -> TableName:
    """Name the table that a restore works under until it is whole: a name that nobody else can take."""
    return table_name(ALIAS_PREFIX + restore)


def before_name(replaced: TableName, restore: RestoreId) -> TableName:
    """Name the table that a restore replaced: it stays under this name. A very long name is cut."""
    suffix = f"__before_{restore}"
    return table_name(replaced[: MAX_TABLE - len(suffix)] + suffix)


def restore_before(table: TableName) -> RestoreId | None:
    """The restore that may have given a replaced table this name; None for any other name."""
    found = _BEFORE.search(table)
    return RestoreId(found["restore"]) if found else None


def restore_of(table: TableName) -> RestoreId | None:
    """The restore whose hidden table this is, the main one or one that it reads over; None for any other table."""
    found = _HIDDEN.fullmatch(table)
    return RestoreId(found["restore"]) if found else None


@frozen(order=True)
class TableRef:
    """A table by database and name; `str()` is `db.t`, and `parse` reads that back."""

    database: DatabaseName
    name: TableName

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `db.t`. The first dot divides: a table name may hold dots, a database name does not.

        Raises:
            InvalidName: No dot, or a part that is no name.
        """
        database, dot, name = text.partition(".")
        if not dot:
            raise InvalidName(f"{text!r} does not name a table", hint="write DATABASE.TABLE, as in db1.orders")
        return cls(database_name(database), table_name(name))

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


@frozen
class Selection:
    """Which tables a run is about: a set of `db.t` and `db.*` patterns.

    Attributes:
        patterns: As the user wrote them.
    """

    patterns: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        for pattern in self.patterns:
            parse_pattern(pattern)

    def expand(
        self, existing: Collection[TableRef], ops: DatabaseName, aside: Collection[TableRef] = ()
    ) -> tuple[frozenset[TableRef], tuple[str, ...]]:
        """Match the patterns against the tables that exist.

        Args:
            existing: All OLAP tables of the cluster.
            ops: The ops database: never a part of a data backup.
            aside: Those of them that are meant only where they are named.

        Returns:
            The union of what matched, and the patterns that matched nothing, as written.
        """
        eligible = {table for table in existing if _eligible(table, ops)}
        found = {pattern: _matches(pattern, eligible, frozenset(aside)) for pattern in self.patterns}
        chosen = frozenset(table for tables in found.values() for table in tables)
        return chosen, tuple(pattern for pattern in self.patterns if not found[pattern])


def parse_pattern(pattern: str) -> DatabaseName | TableRef:
    """Read one pattern: `db.*` is a database, anything else a table. Raises InvalidName."""
    if pattern.endswith(".*"):
        return database_name(pattern.removesuffix(".*"))
    return TableRef.parse(pattern)


def _matches(pattern: str, tables: Iterable[TableRef], aside: frozenset[TableRef]) -> frozenset[TableRef]:
    wanted = parse_pattern(pattern)
    if isinstance(wanted, TableRef):
        return frozenset({wanted}).intersection(tables)
    return frozenset(table for table in tables if table.database == wanted) - aside


def _eligible(table: TableRef, ops: DatabaseName) -> bool:
    return table.database not in SYSTEM_DATABASES and table.database != ops and not table.name.startswith(ALIAS_PREFIX)
