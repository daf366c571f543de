"""The `Cluster` port over a SQL executor: statements out, rows in, nothing decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from starrocks_br.adapters.starrocks import dependents, looks, rows, statements
from starrocks_br.adapters.starrocks.schema_jobs import (
    SCHEMA_JOB_ENDS,
    Ask,
    JobOwners,
    SchemaChanges,
    index_ids,
    newest_id,
    schema_jobs,
)
from starrocks_br.adapters.starrocks.statements import Statement
from starrocks_br.domain.backup_plan import DatabaseBackup
from starrocks_br.domain.dependents import Grant, MaterializedView, Repair
from starrocks_br.domain.errors import AccessDenied, Refused, UnknownTable, UnsupportedServer
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, RepositoryName, TableName, TableRef
from starrocks_br.domain.partitions import Observation, TableState
from starrocks_br.domain.ports import Cluster, Rows, SqlExecutor
from starrocks_br.domain.restore_steps import AddPartitions, CopyPartitions, RestorePartitions, Step
from starrocks_br.domain.server import Job, JobKind, RemoteSnapshot, Repository, Server

UNKNOWN_DATABASE: Final = frozenset({5501, 1049})
"""errno of an unknown database: 5501 from 3.3 on, 1049 before (R§1)."""


class StarRocksCluster(Cluster):
    """StarRocks behind a SQL executor that is connected to the leader.

    Args:
        executor: Where statements go.
        ops: The database of our own tables.
    """

    def __init__(self, executor: SqlExecutor, ops: DatabaseName) -> None:
        self._executor = executor
        self._ops = ops
        self._known: Server | None = None
        self._owners = JobOwners()

    def server(self) -> Server:  # noqa: D102 -- the port says it
        self._known = Server(
            cluster=rows.leader_cluster(self._run(statements.SHOW_FRONTENDS)),
            version=self._known.version if self._known else self._checked_version(),
            now=self.now(),
            alive_backends=rows.alive_backends(self._run(statements.SHOW_BACKENDS)),
        )
        return self._known

    def _checked_version(self) -> tuple[int, int, int]:
        version = rows.version(str(self._run(statements.SHOW_VERSION).rows[0][0]))
        modes = rows.records(self._run(statements.SHOW_RUN_MODE))
        if any(rows.text(mode, "value") != "shared_nothing" for mode in modes):
            raise UnsupportedServer(
                "this cluster keeps its data in shared storage",
                why="StarRocks has no BACKUP and RESTORE of tables there (R§14)",
                hint="use cluster snapshots: ADMIN SET AUTOMATED CLUSTER SNAPSHOT ON",
            )
        return version

    def now(self) -> datetime:  # noqa: D102
        answer = self._run(statements.NOW)
        at = rows.moment({"now": answer.rows[0][0]}, "now")
        if at is None:
            raise UnsupportedServer("the server does not tell the time", why=f"NOW() is {answer.rows[0][0]!r}")
        return at

    def repositories(self) -> tuple[Repository, ...]:  # noqa: D102
        return rows.repositories(self._run(statements.SHOW_REPOSITORIES))

    def tables(self) -> frozenset[TableRef]:  # noqa: D102
        listed = self._run(statements.OLAP_TABLES)
        return rows.table_refs(listed, "table_schema", "table_name", without=self._of_sessions())

    def _of_sessions(self) -> frozenset[int]:
        """Ids of temporary tables: they are listed among the others, and no BACKUP finds them (O§p)."""
        try:
            found = rows.records(self._run(statements.TEMPORARY_TABLES))
        except (Refused, AccessDenied):  # before 3.3 there are none
            return frozenset()
        return frozenset(number for row in found if (number := rows.number(row, "table_id")) is not None)

    def objects(self, database: DatabaseName) -> Mapping[TableName, str] | None:  # noqa: D102
        found = self._run_in(database, statements.objects_in(database))
        return None if found is None else rows.objects(found)

    def is_empty(self, database: DatabaseName) -> bool:  # noqa: D102
        found = rows.records(self._run(statements.DATABASES))
        return any((rows.text(row, "dbname"), rows.text(row, "tablenum")) == (database, "0") for row in found)

    def observe(self, tables: Collection[TableRef]) -> Observation:  # noqa: D102
        server = self._known or self.server()
        at = self.now()
        databases = {table.database for table in tables}
        if not databases:
            return Observation(cluster=server.cluster, at=at, tables={})
        partitions = self._run(statements.partitions_of(databases, server.version))
        columns = self._run(statements.columns_of(databases))
        configs = self._run(statements.configs_of(databases))
        told = {database: self._schema_jobs(database, server.version) for database in sorted(databases)}
        return looks.observation(
            tables,
            server.cluster,
            at,
            partitions=partitions,
            columns=columns,
            configs=configs,
            changes=SchemaChanges(
                of_table=self._newest_jobs(tables, looks.ids_by_name(configs), told),
                newest={database: job for database, rows in told.items() if (job := newest_id(rows)) is not None},
            ),
        )

    def _newest_jobs(
        self,
        tables: Collection[TableRef],
        living: Mapping[str, Mapping[str, int]],
        told: Mapping[DatabaseName, Sequence[Rows]],
    ) -> dict[TableRef, int | None]:
        """Of each table that exists; who is in doubt is asked."""
        found: dict[TableRef, int | None] = {}
        for database, answers in told.items():
            jobs, there = schema_jobs(answers), living.get(database, {})
            wanted = [table for table in tables if table.database == database and table.name in there]
            ids = {str(table.name): there[table.name] for table in wanted}
            self._owners.find(jobs, ids, there, self._indices_in(database))
            found |= {table: self._owners.newest(jobs, table.name, ids[table.name], there) for table in wanted}
        return found

    def _indices_in(self, database: DatabaseName) -> Ask:
        """Tells the indices of its tables by their ids; the database's own id is looked up at the first question."""

        @cache
        def own_id() -> int | None:
            databases = rows.records(self._run(statements.DATABASES))
            return next((rows.number(row, "dbid") for row in databases if rows.text(row, "dbname") == database), None)

        def indices(table: int) -> frozenset[int] | None:
            try:
                known = own_id()
                return None if known is None else index_ids(self._run(statements.indices(known, table)))
            except (Refused, AccessDenied):  # it is gone, say
                return None

        return indices

    def _schema_jobs(self, database: DatabaseName, version: tuple[int, int, int]) -> list[Rows]:
        asked = (statements.schema_jobs(kind, database) for kind in statements.kinds_of_schema_jobs(version))
        answers = (self._run_in(database, statement) for statement in asked)
        return [answer for answer in answers if answer is not None]

    def inspect(self, tables: Collection[TableRef]) -> Mapping[TableRef, TableState]:  # noqa: D102
        version = (self._known or self.server()).version
        partitions = self._run(statements.partitions_of_tables(tables, version))
        return looks.inspected(self._configs(tables), partitions)

    def table_ids(self, tables: Collection[TableRef]) -> Mapping[TableRef, int]:  # noqa: D102
        known = {table: rows.number(config, "table_id") for table, config in self._configs(tables).items()}
        return {table: number for table, number in known.items() if number is not None}

    def _configs(self, tables: Collection[TableRef]) -> dict[TableRef, rows.Row]:
        """What tables_config says of each of them that is an OLAP table."""
        if not tables:
            return {}
        known = {(str(table.database), str(table.name)): table for table in tables}
        configs = rows.records(self._run(statements.configs_of_tables(tables)))
        named = (((rows.text(row, "table_schema"), rows.text(row, "table_name")), row) for row in configs)
        found = [
            (known[name], row) for name, row in named if name in known and rows.text(row, "table_engine") == "OLAP"
        ]
        if len(dict(found)) < len(found):  # a session's temporary table may bear the name of one that lives
            passing = self._of_sessions()
            found = [(table, row) for table, row in found if rows.number(row, "table_id") not in passing]
        return dict(found)

    def ddl(self, table: TableRef) -> str:  # noqa: D102
        return rows.text(rows.records(self._run(statements.create_table_of(table)))[0], "create table")

    def count_rows(  # noqa: D102
        self, table: TableRef, partitions: Sequence[PartitionName] | None = None
    ) -> int | None:
        answer = self._run(statements.count_rows(table, partitions)).rows
        return int(str(answer[0][0])) if answer else None

    def submit_backup(  # noqa: D102
        self, label: Label, to: RepositoryName, backup: DatabaseBackup, timeout: int
    ) -> None:
        self._run(statements.backup(label, to, backup, timeout))

    def submit_whole(self, label: Label, to: RepositoryName, table: TableRef, timeout: int) -> None:  # noqa: D102
        self._run(statements.backup_whole(label, to, table, timeout))

    def submit_restore(  # noqa: D102
        self, together: Sequence[RestorePartitions], repository: RepositoryName, timeout: int
    ) -> None:
        self._run(statements.restore(together, repository, timeout))

    def apply(self, step: Step) -> None:  # noqa: D102
        if isinstance(step, AddPartitions):
            self._add_partitions(step)
        if isinstance(step, CopyPartitions):
            columns = self._run(statements.loadable_columns(step.table))
            self._run(statements.copy(step, [str(row[0]) for row in columns.rows]))
        for statement in statements.for_step(step):
            self._run(statement)

    def _add_partitions(self, step: AddPartitions) -> None:
        own = self._configs([step.table]).get(step.table)
        if own is None:
            raise UnknownTable(f"{step.table} does not exist any more")
        keys = rows.text(own, "distribute_key")
        distribution = f"HASH({keys})" if keys else "RANDOM"  # older servers say HASH of both (R§8.4)
        for partition in step.partitions:
            self._run(statements.add_partition(step.table, partition, step.replication_num, distribution))

    def jobs(self, kind: JobKind, databases: Collection[DatabaseName]) -> tuple[Job, ...]:  # noqa: D102
        found: list[Job] = []
        for database in sorted(databases):
            answer = self._run_in(database, statements.show_jobs(kind, database))
            found.extend(rows.jobs(answer, kind, database) if answer is not None else ())
        return tuple(found)

    def cancel_backup(self, database: DatabaseName) -> None:  # noqa: D102
        self._run(statements.cancel_backup(database))

    def find_snapshots(  # noqa: D102
        self, repository: RepositoryName, labels: Collection[Label]
    ) -> Mapping[Label, RemoteSnapshot]:
        if not labels:
            return {}
        listed = rows.listed_snapshots(self._run(statements.find_snapshots(repository, labels)))
        return {Label(snapshot.label): snapshot for snapshot in listed if snapshot.label in labels}

    def read_snapshot(  # noqa: D102
        self, repository: RepositoryName, label: Label, backup_timestamp: str
    ) -> RemoteSnapshot:
        answer = self._run(statements.read_snapshot(repository, label, backup_timestamp))
        return rows.read_snapshot(answer, label, backup_timestamp)

    def list_snapshots(self, repository: RepositoryName) -> tuple[RemoteSnapshot, ...]:  # noqa: D102
        return rows.listed_snapshots(self._run(statements.list_snapshots(repository)))

    def grants_on(self, tables: Collection[TableRef]) -> Mapping[TableRef, tuple[Grant, ...]]:  # noqa: D102
        if not tables:
            return {}
        users, roles = (self._run(statements.grants_on(tables, who)) for who in ("users", "roles"))
        return dependents.grants(tables, users, roles)

    def materialized_views(self) -> tuple[MaterializedView, ...]:  # noqa: D102
        views = self._run(statements.MATERIALIZED_VIEWS)
        try:
            dependencies = self._run(statements.DEPENDENCIES) if views.rows else None
        except (Refused, AccessDenied):
            dependencies = None
        return dependents.materialized_views(views, dependencies)

    def colocate_groups(self, tables: Collection[TableRef]) -> Mapping[TableRef, str]:  # noqa: D102
        if not tables:
            return {}
        return dependents.colocate_groups(tables, self._run(statements.properties_of({one.database for one in tables})))

    def repair(self, repair: Repair) -> None:  # noqa: D102
        self._run(statements.for_repair(repair))

    def spell(self, repair: Repair) -> str:  # noqa: D102
        return statements.for_repair(repair).sql

    def initialise(self, replication_num: int) -> bool:  # noqa: D102
        for statement in statements.create_ops(self._ops, replication_num):
            self._run(statement)
        older = {name: _missing(name, has) for name, has in self._own_columns().items() if _is_older(name, has)}
        for name in older.keys() - (self._tables_under_change() if older else set()):
            self._run(statements.add_ops_columns(self._ops, name, older[name]))
        return bool(older)

    def _tables_under_change(self) -> set[str]:
        """Our own tables whose schema change has not ended: another `init` may have begun it."""
        jobs = rows.records(self._run(statements.schema_jobs("COLUMN", self._ops)))
        return {rows.text(job, "tablename") for job in jobs if rows.text(job, "state") not in SCHEMA_JOB_ENDS}

    def layout_problem(self) -> str:  # noqa: D102
        for name, has in self._own_columns().items():
            if not has:
                return f"table {self._ops}.{name} does not exist"
            if missing := _missing(name, has):
                kind = "an older version" if _is_older(name, has) else "an unknown layout"
                return f"table {self._ops}.{name} is of {kind}: it lacks {', '.join(sorted(missing))}"
        return ""

    def _own_columns(self) -> dict[str, set[str]]:
        """The columns of each of our own tables; none of one that does not exist."""
        found: dict[str, set[str]] = {name: set() for name in statements.OPS_LAYOUT}
        for row in rows.records(self._run(statements.ops_columns(self._ops))):
            found[rows.text(row, "table_name")].add(rows.text(row, "column_name").lower())
        return found

    def _run(self, statement: Statement) -> Rows:
        return self._executor.execute(statement.sql, statement.values or None)

    def _run_in(self, database: DatabaseName, statement: Statement) -> Rows | None:
        """Run a statement about one database; None if the database does not exist."""
        try:
            return self._run(statement)
        except Refused as refusal:
            if refusal.errno in UNKNOWN_DATABASE and database in refusal.why:
                return None
            raise


def _missing(name: str, has: Collection[str]) -> frozenset[str]:
    return statements.OPS_LAYOUT[name].difference(has)


def _is_older(name: str, has: Collection[str]) -> bool:
    """Whether a table lacks something, and nothing but what came with a later version."""
    return bool(missing := _missing(name, has)) and missing <= statements.ADDED_LATER[name]
