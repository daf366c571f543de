"""The SQL that StarRocks is sent: pure text, one function per statement, and the only place where names are quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, assert_never

from attrs import field, frozen

from starrocks_br.domain.backup_plan import DatabaseBackup, TableBackup
from starrocks_br.domain.dependents import Activate, Colocate, Grant, GrantAgain, Refresh, Repair
from starrocks_br.domain.errors import InvalidName, UnsupportedServer
from starrocks_br.domain.names import SHADOW_PARTITION, DatabaseName, Label, PartitionName, RepositoryName, TableRef
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropPartitions,
    DropTable,
    NewPartition,
    PauseTtl,
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.domain.server import JobKind

BACKUP_HISTORY: Final = "backup_history"
RESTORE_HISTORY: Final = "restore_history"

_UNQUOTABLE = re.compile(r"[\x00-\x1f\x7f`]")
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"})


_CREATE_HEAD = re.compile(r"CREATE TABLE `[^`]+` (?=\()")
_REPLICAS = re.compile(r'"replication_num" = "\d+"')


@frozen
class Statement:
    """One statement.

    Attributes:
        sql: Its text; `:name` stands for a value.
        values: The values.
    """

    sql: str
    values: Mapping[str, object] = field(factory=dict)


def quote(name: str) -> str:
    """Write an identifier. Raises InvalidName for what backticks cannot hold: StarRocks deletes them (R§2.7)."""
    if not name or _UNQUOTABLE.search(name):
        raise InvalidName(f"{name!r} cannot be written as an identifier")
    return f"`{name}`"


def unquote(text: str) -> str:
    """Read an identifier that `quote` wrote."""
    return text[1:-1]


def literal(text: str) -> str:
    """Write a string constant (R§2.7: backslash escapes)."""
    return f"'{text.translate(_ESCAPES)}'"


def table(ref: TableRef) -> str:
    """Write a table with its database."""
    return f"{quote(ref.database)}.{quote(ref.name)}"


def _properties(properties: Mapping[str, object]) -> str:
    return ", ".join(f'"{key}" = "{str(value).translate(_ESCAPES)}"' for key, value in properties.items())


def _names(names: Iterable[str]) -> str:
    return ", ".join(quote(name) for name in names)


def _in(column: str, prefix: str, texts: Collection[str]) -> Statement:
    values = {f"{prefix}{number}": text for number, text in enumerate(sorted(texts))}
    return Statement(f"{column} IN ({', '.join(f':{name}' for name in values)})", values)


# --- the server -------------------------------------------------------------------------------------------------------

SHOW_FRONTENDS: Final = Statement("SHOW FRONTENDS")
SHOW_BACKENDS: Final = Statement("SHOW BACKENDS")
SHOW_VERSION: Final = Statement("SELECT @@version_comment")
SHOW_RUN_MODE: Final = Statement("ADMIN SHOW FRONTEND CONFIG LIKE 'run_mode'")
SHOW_REPOSITORIES: Final = Statement("SHOW REPOSITORIES")
NOW: Final = Statement("SELECT NOW()")


# --- looking at tables ------------------------------------------------------------------------------------------------

OLAP_TABLES: Final = Statement(
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ID FROM information_schema.tables_config WHERE TABLE_ENGINE = 'OLAP'"
)
DATABASES: Final = Statement("SHOW PROC '/dbs'")
"""All of them, with their ids, and the number of tables and views in each, whoever may see these (y10; OPERATE)."""

TEMPORARY_TABLES: Final = Statement("SELECT TABLE_ID FROM information_schema.temp_tables")
"""Tables of sessions (since 3.3; its columns are read in the source, not observed)."""

_PARTITION_COLUMNS: Final = (
    "DB_NAME, TABLE_NAME, PARTITION_NAME, PARTITION_ID, VISIBLE_VERSION, VISIBLE_VERSION_TIME, NEXT_VERSION, "
    "PARTITION_VALUE, BUCKETS, REPLICATION_NUM, IS_TEMP, ROW_COUNT"
)
OPTIMIZE_SINCE: Final = (3, 2, 0)
"""The version that brought ALTER TABLE … DISTRIBUTED BY, and its jobs."""

STORAGE_SIZE_SINCE: Final = (3, 4, 0)
"""The version that brought partitions_meta.STORAGE_SIZE (R§8.1); before it sizes are unknown."""


def partitions_of(databases: Collection[str], version: tuple[int, int, int]) -> Statement:
    """Every physical partition of the databases: temporary and hidden ones included (R§8.1)."""
    return _partitions(_in("DB_NAME", "d", databases), version)


def partitions_of_tables(refs: Collection[TableRef], version: tuple[int, int, int]) -> Statement:
    """The same of some tables. The frontend lists every table all the same: a ghost anywhere makes it fail (O2§0.1)."""
    return _partitions(_among("DB_NAME", refs), version)


def _among(schema: str, refs: Collection[TableRef]) -> Statement:
    """Rows of these tables; tables of the same names in another one of the databases may come along."""
    databases = _in(schema, "d", {ref.database for ref in refs})
    names = _in("TABLE_NAME", "t", {ref.name for ref in refs})
    return Statement(f"{databases.sql} AND {names.sql}", {**databases.values, **names.values})


def _partitions(condition: Statement, version: tuple[int, int, int]) -> Statement:
    size = ", STORAGE_SIZE" if version >= STORAGE_SIZE_SINCE else ""
    return Statement(
        f"SELECT {_PARTITION_COLUMNS}{size} FROM information_schema.partitions_meta WHERE {condition.sql}",
        condition.values,
    )


def columns_of(databases: Collection[str]) -> Statement:
    """What RESTORE compares of every column (R§7.3)."""
    condition = _in("TABLE_SCHEMA", "d", databases)
    return Statement(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, COLUMN_KEY, IS_NULLABLE, "
        "COLUMN_DEFAULT, EXTRA, GENERATION_EXPRESSION, COLUMN_COMMENT "
        f"FROM information_schema.columns WHERE {condition.sql}",
        condition.values,
    )


_CONFIG_COLUMNS: Final = (
    "TABLE_SCHEMA, TABLE_NAME, TABLE_ENGINE, TABLE_MODEL, PRIMARY_KEY, PARTITION_KEY, DISTRIBUTE_KEY, "
    "DISTRIBUTE_TYPE, SORT_KEY, PROPERTIES, TABLE_ID"
)


def configs_of(databases: Collection[str]) -> Statement:
    """What RESTORE compares of every table, and its id (R§8.4)."""
    condition = _in("TABLE_SCHEMA", "d", databases)
    return Statement(
        f"SELECT {_CONFIG_COLUMNS} FROM information_schema.tables_config WHERE {condition.sql}", condition.values
    )


def configs_of_tables(refs: Collection[TableRef]) -> Statement:
    """The same of some tables."""
    condition = _among("TABLE_SCHEMA", refs)
    return Statement(
        f"SELECT {_CONFIG_COLUMNS} FROM information_schema.tables_config WHERE {condition.sql}", condition.values
    )


def loadable_columns(ref: TableRef) -> Statement:
    """The columns that an INSERT can name, in order: a generated one computes itself."""
    return Statement(
        "SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_SCHEMA = :schema AND TABLE_NAME = :name "
        "AND (GENERATION_EXPRESSION IS NULL OR GENERATION_EXPRESSION = '') ORDER BY ORDINAL_POSITION",
        {"schema": ref.database, "name": ref.name},
    )


def kinds_of_schema_jobs(version: tuple[int, int, int]) -> tuple[str, ...]:
    """What SHOW ALTER TABLE can be asked for: there is no OPTIMIZE before 3.2."""
    return ("COLUMN", "ROLLUP", "OPTIMIZE") if version >= OPTIMIZE_SINCE else ("COLUMN", "ROLLUP")


def schema_jobs(kind: str, database: str) -> Statement:
    """SHOW ALTER TABLE COLUMN, ROLLUP or OPTIMIZE: the only trace of some schema changes (O2§y4)."""
    return Statement(f"SHOW ALTER TABLE {kind} FROM {quote(database)}")


def indices(database: int, table: int) -> Statement:
    """The base index and the rollups of a table, by ids (O2§y4). It needs OPERATE."""
    return Statement(f"SHOW PROC '/dbs/{database}/{table}/index_schema'")


def create_table_of(ref: TableRef) -> Statement:
    """The statement that would make a table again; EXPORT on it is enough (O§s)."""
    return Statement(f"SHOW CREATE TABLE {table(ref)}")


def objects_in(database: DatabaseName) -> Statement:
    """Every table, view and materialized view of a database."""
    return Statement(f"SHOW FULL TABLES FROM {quote(database)}")


def count_rows(ref: TableRef, partitions: Sequence[PartitionName] | None = None) -> Statement:
    """Read a whole table, or some partitions of it."""
    part = "" if partitions is None else f" PARTITION ({_names(partitions)})"
    return Statement(f"SELECT COUNT(*) FROM {table(ref)}{part}")


# --- jobs and snapshots -----------------------------------------------------------------------------------------------


def show_jobs(kind: JobKind, database: str) -> Statement:
    """The newest job of a database; with FROM, or one stranger's job empties the answer (O2§0.6)."""
    return Statement(f"SHOW {kind} FROM {quote(database)}")


def cancel_backup(database: DatabaseName) -> Statement:
    """CANCEL whatever BACKUP holds the database's slot."""
    return Statement(f"CANCEL BACKUP FROM {quote(database)}")


def list_snapshots(repository: RepositoryName) -> Statement:
    """Every label of a repository."""
    return Statement(f"SHOW SNAPSHOT ON {quote(repository)}")


def find_snapshots(repository: RepositoryName, labels: Collection[str]) -> Statement:
    """Some labels of a repository; unknown ones are left out (O§a)."""
    names = ", ".join(literal(label) for label in sorted(labels))
    return Statement(f"SHOW SNAPSHOT ON {quote(repository)} WHERE SNAPSHOT IN ({names})")


def read_snapshot(repository: RepositoryName, label: str, backup_timestamp: str) -> Statement:
    """What one snapshot holds."""
    return Statement(
        f"SHOW SNAPSHOT ON {quote(repository)} "
        f"WHERE SNAPSHOT = {literal(label)} AND TIMESTAMP = {literal(backup_timestamp)}"
    )


def backup(label: Label, to: RepositoryName, what: DatabaseBackup, timeout: int) -> Statement:
    """BACKUP in the form that every version takes (R§15.1)."""
    return _backup(label, to, what.database, [_backed_up(part) for part in what.submitted], timeout)


def backup_whole(label: Label, to: RepositoryName, ref: TableRef, timeout: int) -> Statement:
    """BACKUP of one table without a partition list."""
    return _backup(label, to, ref.database, [quote(ref.name)], timeout)


def _backup(label: Label, to: RepositoryName, database: str, parts: list[str], timeout: int) -> Statement:
    return Statement(
        f"BACKUP SNAPSHOT {quote(database)}.{quote(label)} TO {quote(to)} ON ({', '.join(parts)}) "
        f"PROPERTIES ({_properties({'timeout': timeout})})"
    )


def _backed_up(part: TableBackup) -> str:
    return _with_partitions(part.table.name, part.partitions, with_shadow=part.automatic)


def _with_partitions(name: str, partitions: Iterable[PartitionName] | None, *, with_shadow: bool) -> str:
    if partitions is None:
        return quote(name)
    listed = (*partitions, SHADOW_PARTITION) if with_shadow else tuple(partitions)
    return f"{quote(name)} PARTITION ({_names(listed)})"


# --- steps of a restore -----------------------------------------------------------------------------------------------


def for_step(step: Step) -> tuple[Statement, ...]:  # noqa: C901, PLR0911 -- one case per kind of step
    """The statements of one step, in order.

    Checking steps have none; those of jobs, of `AddPartitions` and of `CopyPartitions` need more than the step.
    """
    match step:
        case CreateDatabase(database=database):
            return (Statement(f"CREATE DATABASE {quote(database)}"),)
        case CreateTable():
            return (_create_again(step),)
        case DropPartitions(table=ref, partitions=names):
            return tuple(Statement(f"ALTER TABLE {table(ref)} DROP PARTITION {quote(name)} FORCE") for name in names)
        case DropDatabase(database=database):
            # Without FORCE: what somebody put into it a moment ago can be recovered (O§n).
            return (Statement(f"DROP DATABASE {quote(database)}"),)
        case PauseTtl(table=ref, properties=properties):
            # The server sets one property per statement.
            return tuple(
                Statement(f"ALTER TABLE {table(ref)} SET ({_properties({key: value})})")
                for key, value in sorted(properties.items())
            )
        case Rename(table=ref, to=name) | SetAside(table=ref, to=name):
            return (Statement(f"ALTER TABLE {table(ref)} RENAME {quote(name)}"),)
        case Swap(table=ref, restored=other):
            return (Statement(f"ALTER TABLE {table(ref)} SWAP WITH {quote(other)}"),)
        case RepairHole(table=ref, partition=partition, version=version):
            return (
                Statement(f"ADMIN SET TABLE {table(ref)} PARTITION ({quote(partition)}) VERSION TO {int(version)}"),
            )
        case DropTable(table=ref):
            return (Statement(f"DROP TABLE {table(ref)} FORCE"),)
        case RestorePartitions() | AddPartitions() | CopyPartitions() | CheckRestored() | Verify():
            return ()
        case _:
            assert_never(step)


def _create_again(step: CreateTable) -> Statement:
    """What SHOW CREATE TABLE told, with another name and number of replicas.

    Raises:
        UnsupportedServer: It does not begin as it should: what it would do is not known.
    """
    head = _CREATE_HEAD.match(step.ddl)
    if head is None:
        raise UnsupportedServer(
            f"{step.table} cannot be made from what was recorded", why=f"its DDL begins with {step.ddl[:60]!r}"
        )
    body, properties, tail = step.ddl[head.end() :].rpartition("PROPERTIES (")
    replicas = _REPLICAS.sub(f'"replication_num" = "{int(step.replication_num)}"', tail)
    return Statement(f"CREATE TABLE {table(step.table)} {body}{properties}{replicas.rstrip().removesuffix(';')}")


def restore(together: Sequence[RestorePartitions], repository: RepositoryName, timeout: int) -> Statement:
    """RESTORE of some tables out of one snapshot, each with its own partitions and name (O2§y2).

    Raises:
        ValueError: They do not share snapshot, database and number of replicas.
    """
    shared = {(one.label, one.backup_timestamp, one.into.database, one.replication_num) for one in together}
    ((label, backup_timestamp, database, replication_num),) = shared
    properties = {"backup_timestamp": backup_timestamp, "replication_num": replication_num, "timeout": timeout}
    return Statement(
        f"RESTORE SNAPSHOT {quote(database)}.{quote(label)} FROM {quote(repository)} "
        f"ON ({', '.join(_restored(one) for one in together)}) PROPERTIES ({_properties(properties)})"
    )


def _restored(step: RestorePartitions) -> str:
    what = _with_partitions(step.source, step.partitions, with_shadow=step.automatic and step.creating)
    return f"{what} AS {quote(step.into.name)}" if step.into.name != step.source else what


def copy(step: CopyPartitions, columns: Iterable[str]) -> Statement:
    """Read partitions of one table into another, once: the label is refused while it runs and after it (R§12.3)."""
    names = _names(columns)
    into = "" if step.automatic else f" PARTITION ({_names(step.partitions)})"
    return Statement(
        f"INSERT INTO {table(step.table)}{into} WITH LABEL {quote(step.scratch.name)} ({names}) "
        f"SELECT {names} FROM {table(step.scratch)} PARTITION ({_names(step.partitions)})"
    )


def add_partition(ref: TableRef, partition: NewPartition, replication_num: int, distribution: str) -> Statement:
    """Make one partition by hand.

    Args:
        ref: The table.
        partition: Name, values and buckets; no buckets: the table's own way.
        replication_num: Its replicas.
        distribution: The table's own, as `HASH(...)` or `RANDOM`: without it the table's present bucket count is used.
    """
    buckets = f" DISTRIBUTED BY {distribution} BUCKETS {int(partition.buckets)}" if partition.buckets else ""
    return Statement(
        f"ALTER TABLE {table(ref)} ADD PARTITION {quote(partition.name)} VALUES {_values(partition)} "
        f"({_properties({'replication_num': replication_num})}){buckets}"
    )


def _values(partition: NewPartition) -> str:
    if partition.ranged:
        lower, upper = (f"({', '.join(_bound(value) for value in values)})" for values in partition.values)
        return f"[{lower}, {upper})"
    tuples = [f"({', '.join(literal(value) for value in values)})" for values in partition.values]
    if all(len(values) == 1 for values in partition.values):
        return f"IN ({', '.join(literal(value) for (value,) in partition.values)})"
    return f"IN ({', '.join(tuples)})"


def _bound(value: str) -> str:
    """A bound of a RANGE partition; MAXVALUE is how the server tells that there is none above."""
    return "MAXVALUE" if value == "MAXVALUE" else literal(value)


# --- what hangs on a table --------------------------------------------------------------------------------------------

MOST_VALUES: Final = 10_000
"""Values that one IN may hold (O2§y9)."""

_PRIVILEGE = re.compile(r"[A-Z]+( [A-Z]+)*")
_USER = re.compile(r"'(?P<name>.*)'@(?:'(?P<host>[^']*)'|\['(?P<domain>[^']*)'\])", re.DOTALL)

MATERIALIZED_VIEWS: Final = Statement(
    "SELECT TABLE_SCHEMA, TABLE_NAME, IS_ACTIVE, INACTIVE_REASON, MATERIALIZED_VIEW_DEFINITION "
    "FROM information_schema.materialized_views"
)
DEPENDENCIES: Final = Statement(
    "SELECT OBJECT_DATABASE, OBJECT_NAME, REF_OBJECT_DATABASE, REF_OBJECT_NAME FROM sys.object_dependencies "
    "WHERE REF_OBJECT_CATALOG = 'default_catalog'"
)


def grants_on(tables: Collection[TableRef], grantees: str) -> Statement:
    """Who was granted what; one on ALL TABLES is shown for each of them.

    Args:
        tables: At least one. If they have too many names for one IN, more is answered than was asked.
        grantees: "users" or "roles".
    """
    databases = _in("OBJECT_DATABASE", "d", {ref.database for ref in tables})
    names = _in("OBJECT_NAME", "n", {ref.name for ref in tables})
    if len(names.values) + len(databases.values) > MOST_VALUES:
        names = Statement("OBJECT_NAME IS NOT NULL")
    return Statement(
        f"SELECT GRANTEE, OBJECT_DATABASE, OBJECT_NAME, PRIVILEGE_TYPE, IS_GRANTABLE FROM sys.grants_to_{grantees} "
        f"WHERE OBJECT_CATALOG = 'default_catalog' AND {databases.sql} AND {names.sql}",
        {**databases.values, **names.values},
    )


def properties_of(databases: Collection[str]) -> Statement:
    """The properties of every table in the databases."""
    condition = _in("TABLE_SCHEMA", "d", databases)
    return Statement(
        "SELECT TABLE_SCHEMA, TABLE_NAME, PROPERTIES FROM information_schema.tables_config "
        f"WHERE TABLE_ENGINE = 'OLAP' AND {condition.sql}",
        condition.values,
    )


def for_repair(repair: Repair) -> Statement:
    """The statement of one repair.

    Raises:
        InvalidName: A name that cannot be quoted, or a user or privilege of a form that is not known.
    """
    match repair:
        case GrantAgain(table=ref, grant=grant):
            option = " WITH GRANT OPTION" if grant.grantable else ""
            return Statement(f"GRANT {_privileges(grant)} ON TABLE {table(ref)} TO {_grantee(grant)}{option}")
        case Colocate(table=ref, group=group):
            return Statement(f"ALTER TABLE {table(ref)} SET ({_properties({'colocate_with': group})})")
        case Activate(view=ref):
            return Statement(f"ALTER MATERIALIZED VIEW {table(ref)} ACTIVE")
        case Refresh(view=ref):
            return Statement(f"REFRESH MATERIALIZED VIEW {table(ref)}")
        case _:
            assert_never(repair)


def _privileges(grant: Grant) -> str:
    for privilege in grant.privileges:
        if not _PRIVILEGE.fullmatch(privilege):
            raise InvalidName(f"{privilege!r} is no privilege")
    return ", ".join(sorted(grant.privileges))


def _grantee(grant: Grant) -> str:
    """A role, or a user out of `'name'@'host'` or `'name'@['domain']`, as sys.grants_to_users writes them."""
    if grant.is_role:
        return f"ROLE {literal(grant.grantee)}"
    found = _USER.fullmatch(grant.grantee)
    if found is None:
        raise InvalidName(f"{grant.grantee!r} is no user")
    host = literal(found["host"]) if found["domain"] is None else f"[{literal(found['domain'])}]"
    return f"USER {literal(found['name'])}@{host}"


# --- our own tables ---------------------------------------------------------------------------------------------------

_BACKUP_COLUMNS: Final = {
    "label": "VARCHAR(64) NOT NULL",
    "seq": "INT NOT NULL",
    "row_count": "INT NOT NULL",
    "run_id": "VARCHAR(64) NOT NULL",
    "cluster_id": "VARCHAR(64) NOT NULL",
    "repository": "VARCHAR(64) NOT NULL",
    "database_name": "VARCHAR(256) NOT NULL",
    "table_name": "VARCHAR(4096) NOT NULL",
    "table_id": "BIGINT NOT NULL",
    "backup_type": "VARCHAR(16) NOT NULL",
    "status": "VARCHAR(16) NOT NULL",
    "baseline_label": "VARCHAR(64) NULL",
    "created_at": "DATETIME NOT NULL",
    "submitted_at": "DATETIME NULL",
    "not_before": "DATETIME NULL",
    "snapshot_at": "DATETIME NULL",
    "finished_at": "DATETIME NULL",
    "backup_timestamp": "VARCHAR(64) NULL",
    "schema_fingerprint": "VARCHAR(128) NOT NULL",
    "schema_job_id": "BIGINT NULL",
    "partitions_json": "VARCHAR(1048576) NOT NULL",
    "consistency": "VARCHAR(16) NOT NULL",
    "captured_partitions": "INT NOT NULL",
    "dropped_partitions": "INT NOT NULL",
    "captured_bytes": "BIGINT NULL",
    "error_code": "VARCHAR(64) NULL",
    "error_message": "VARCHAR(4096) NULL",
    "tool_version": "VARCHAR(64) NOT NULL",
    "updated_at": "DATETIME NOT NULL",
    "schema_ddl": "VARCHAR(1048576) NULL",
}
_RESTORE_COLUMNS: Final = {
    "restore_id": "VARCHAR(64) NOT NULL",
    "step": "INT NOT NULL",
    "cluster_id": "VARCHAR(64) NOT NULL",
    "repository": "VARCHAR(64) NOT NULL",
    "database_name": "VARCHAR(256) NOT NULL",
    "table_name": "VARCHAR(4096) NOT NULL",
    "alias": "VARCHAR(256) NOT NULL",
    "action": "VARCHAR(64) NOT NULL",
    "detail_json": "VARCHAR(1048576) NOT NULL",
    "status": "VARCHAR(16) NOT NULL",
    "table_id": "BIGINT NULL",
    "message": "VARCHAR(4096) NULL",
    "created_at": "DATETIME NOT NULL",
    "updated_at": "DATETIME NOT NULL",
    "tool_version": "VARCHAR(64) NOT NULL",
}
OPS_LAYOUT: Final[Mapping[str, frozenset[str]]] = {
    BACKUP_HISTORY: frozenset(_BACKUP_COLUMNS),
    RESTORE_HISTORY: frozenset(_RESTORE_COLUMNS),
}


ADDED_LATER: Final[Mapping[str, frozenset[str]]] = {
    BACKUP_HISTORY: frozenset({"schema_ddl"}),
    RESTORE_HISTORY: frozenset(),
}
"""Columns that a table of an older version may lack; each may be NULL."""


def create_ops(database: DatabaseName, replication_num: int) -> tuple[Statement, ...]:
    """The ops database and its tables; nothing happens to what exists.

    Keys stay far below the 128 encoded bytes of a PRIMARY KEY (R§12.1).
    """
    return (
        Statement(f"CREATE DATABASE IF NOT EXISTS {quote(database)}"),
        _create(database, BACKUP_HISTORY, _BACKUP_COLUMNS, ("label", "seq"), replication_num),
        _create(database, RESTORE_HISTORY, _RESTORE_COLUMNS, ("restore_id", "step"), replication_num),
    )


def _create(
    database: DatabaseName, name: str, columns: Mapping[str, str], key: tuple[str, ...], replication_num: int
) -> Statement:
    lines = ", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())
    return Statement(
        f"CREATE TABLE IF NOT EXISTS {quote(database)}.{quote(name)} ({lines}) PRIMARY KEY ({_names(key)}) "
        f"DISTRIBUTED BY HASH ({quote(key[0])}) BUCKETS 1 "
        f"PROPERTIES ({_properties({'replication_num': replication_num})})"
    )


def add_ops_columns(database: DatabaseName, name: str, missing: Collection[str]) -> Statement:
    """Give one of our own tables the columns that came with a later version."""
    columns = _BACKUP_COLUMNS if name == BACKUP_HISTORY else _RESTORE_COLUMNS
    lines = ", ".join(f"{quote(column)} {columns[column]}" for column in sorted(missing))
    return Statement(f"ALTER TABLE {quote(database)}.{quote(name)} ADD COLUMN ({lines})")


def ops_columns(database: DatabaseName) -> Statement:
    """Which columns our own tables have."""
    names = _in("TABLE_NAME", "t", OPS_LAYOUT)
    return Statement(
        f"SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.columns WHERE TABLE_SCHEMA = :ops AND {names.sql}",
        {"ops": database, **names.values},
    )
