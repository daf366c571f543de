"""BACKUP at submission: the checks of analyzer and handler in the server's order (R§3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starrocks_simulator.accounts import kind_of
from starrocks_simulator.catalog import Database, Table, View
from starrocks_simulator.errors import analyzing, common, common_analyzing, refused, unknown_database
from starrocks_simulator.job_properties import check_unknown, timeout
from starrocks_simulator.jobs_backup import BackupJob, Target
from starrocks_simulator.parse_backup import Backup, ObjectRef, Objects
from starrocks_simulator.repository import Repository

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def submit_backup(session: Session, statement: Backup) -> None:
    """Accept a BACKUP.

    Raises:
        ServerError: It is refused.
    """
    if statement.catalogs is not None:
        _properties(session, statement)
        raise common_analyzing(_no_catalog(statement.catalogs))
    database = _database(session, statement)
    if not statement.label:
        raise analyzing("Incorrect label name ''", 5082, "42000")
    handler = session.frontend.handler
    repository = handler.repositories.get(statement.repository)
    if repository is None:
        raise common_analyzing(f"Repository [{statement.repository}] does not exist")
    targets = _targets(session, database, statement.objects)
    seconds, incremental = _properties(session, statement)
    session.frontend.accounts.check(session.user, ("REPOSITORY",), "SYSTEM")
    if not targets:
        raise analyzing(f"Database: {database.name} is empty")
    _check_export(session, database, targets)
    handler.check_slot(database.id)
    if repository.read_only:
        raise common(f"Repository {repository.name} is read only")
    _check_tables(database, targets, statement.objects)
    _check_label(repository, statement.label, incremental=incremental)
    job = BackupJob(
        session.frontend,
        label=statement.label,
        database=database,
        repository=repository,
        targets=targets,
        timeout=seconds,
    )
    handler.submit(job)


def _no_catalog(names: tuple[str, ...]) -> str:
    """There are no external catalogs here (the words about one by name are the simulator's own)."""
    return f"Catalog {names[0]} does not exist" if names else "No external catalog can be backed up"


def _check_export(session: Session, database: Database, targets: tuple[Target, ...]) -> None:
    """EXPORT on each table (R§9); views are not asked about."""
    accounts = session.frontend.accounts
    for target in targets:
        table = database.tables[target.name]
        if kind_of(table) == "TABLE":
            accounts.check(session.user, ("EXPORT",), "TABLE", database, table)


def _database(session: Session, statement: Backup) -> Database:
    if statement.database is None and session.database is None:
        raise unknown_database("")
    database = session.find_database(statement.database)
    if statement.database is None:
        raise refused('Cannot invoke "String.length()" because "dbName" is null')
    return database


def _targets(session: Session, database: Database, objects: Objects | None) -> tuple[Target, ...]:
    """By name, as the analyzer sorts them; of names that differ in case only, ALL and no ON take the first one."""
    targets = {target.name: target for target in (_listed(database, objects.listed) if objects is not None else [])}
    taken = {name.lower() for name in targets}
    for name, table in database.tables.items():
        if name.lower() not in taken and _selected(session, table, objects):
            targets[name] = Target(name, None)
            taken.add(name.lower())
    if objects is not None and objects.functions:
        raise common_analyzing(f"Invalid backup function(s), function name: {database.name}.{objects.functions[0]}")
    return tuple(targets[name] for name in sorted(targets))


def _listed(database: Database, wanted: tuple[ObjectRef, ...]) -> list[Target]:
    targets: list[Target] = []
    for item in wanted:
        table = database.tables.get(item.name)
        if table is None:
            raise analyzing(f"Incorrect table name '{item.name}'")
        if item.partitions is not None:
            _check_partitions(table, item)
        if any(target.name == item.name for target in targets):
            raise analyzing(f"Duplicated table: {item.name}", where=item.name_place)
        targets.append(Target(item.name, item.partitions))
    return targets


def _check_partitions(table: Table | View, item: ObjectRef) -> None:
    if isinstance(table, View) or table.external_engine:
        raise analyzing(f"Incorrect table name '{item.name}'", 1104, "42000")
    for name in item.partitions or ():
        if table.find_partition(name) is None:
            raise analyzing(f"partition[{name}] does not exist  in table{item.name}", where=item.partitions_place)


def _selected(session: Session, table: Table | View, objects: Objects | None) -> bool:
    """What a BACKUP without ON, or with ALL …, takes of a database (R§2.5)."""
    if isinstance(table, Table) and table.is_materialized_view:
        wanted = objects is None or "MATERIALIZED VIEW" in objects.every
        return wanted and session.frontend.config["enable_backup_materialized_view"] == "true"
    if objects is None:
        return True
    if isinstance(table, View):
        return "VIEW" in objects.every
    return bool(table.external_engine and objects.every) or "TABLE" in objects.every


def _properties(session: Session, statement: Backup) -> tuple[int, bool]:
    left = dict(statement.properties)
    seconds = timeout(session.frontend, left)
    kind = left.pop("type", "FULL")
    if kind.upper() not in {"FULL", "INCREMENTAL"}:
        raise common_analyzing(f"Invalid backup job type: {kind}")
    check_unknown(left, "backup")
    return seconds, kind.upper() == "INCREMENTAL"


def _check_tables(database: Database, targets: tuple[Target, ...], objects: Objects | None) -> None:
    temporary = {item.name for item in objects.listed if item.temporary} if objects is not None else set()
    for target in targets:
        table = database.tables[target.name]
        if isinstance(table, View):
            continue
        if table.external_engine:
            raise common(f"Table: {table.name} can not support backup restore, type: {table.external_engine}")
        if table.temp_partitions or table.ghosts:
            raise common("Do not support backing up table with temp partitions")
        if target.name in temporary:
            raise common("Do not support backing up temp partitions")


def _check_label(repository: Repository, label: str, *, incremental: bool) -> None:
    if not repository.has(label):
        return
    if incremental:
        raise common("Currently does not support incremental backup")
    raise common(f"Snapshot with name '{label}' already exist in repository")
