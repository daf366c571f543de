"""RESTORE at submission: the checks of analyzer and handler in the server's order (R§3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starrocks_simulator.accounts import kind_of
from starrocks_simulator.catalog import Database
from starrocks_simulator.errors import analyzing, common, common_analyzing
from starrocks_simulator.job_properties import check_unknown, integer, timeout
from starrocks_simulator.jobs_restore import RestoreJob, items_of
from starrocks_simulator.parse_backup import ObjectRef, Objects, Restore
from starrocks_simulator.repository import RemoteError, Repository

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_Wanted = list[tuple[str, tuple[str, ...] | None, str | None]]


def submit_restore(session: Session, statement: Restore) -> None:
    """Accept a RESTORE.

    Raises:
        ServerError: It is refused; the target database may have been made all the same (R§3.3).
    """
    if statement.objects is not None:
        _check_names(statement.objects.listed)
    left = dict(statement.properties)
    seconds = timeout(session.frontend, left)
    allow_load = _boolean(left, "allow_load")
    replication = integer(left, "replication_num", session.frontend.default_replication_num)
    integer(left, "meta_version", -1)
    integer(left, "starrocks_meta_version", -1)
    backup_timestamp = left.pop("backup_timestamp", None)
    if backup_timestamp is None:
        raise common_analyzing("Missing backup_timestamp property")
    check_unknown(left, "restore")
    _authorize(session, statement)
    handler = session.frontend.handler
    repository = handler.repositories.get(statement.repository)
    if repository is None:
        raise common(f"Repository {statement.repository} does not exist")
    info = _info(repository, statement.label, backup_timestamp)
    if statement.catalogs is not None:
        raise common(f"This is not a snapshot for external catalog restore, snapshot: {statement.label}")
    database = _target(session, statement.database or str(info["database"]))
    handler.check_slot(database.id)
    if statement.source_database is not None and statement.source_database != info["database"]:
        raise common(f"target database: {statement.source_database} is not existed in snapshot")
    wanted = _wanted(statement, info)
    handler.submit(
        RestoreJob(
            session.frontend,
            label=statement.label,
            database=database,
            repository=repository,
            backup_timestamp=backup_timestamp,
            items=items_of(info, wanted),
            replication_num=replication,
            allow_load=allow_load,
            timeout=seconds,
        )
    )


def _authorize(session: Session, statement: Restore) -> None:
    """REPOSITORY; with ON also CREATE TABLE on the target and INSERT on tables that exist under the original names.

    Nobody asks whether the user may make a database that does not exist (O§0.10).
    """
    accounts, user = session.frontend.accounts, session.user
    accounts.check(user, ("REPOSITORY",), "SYSTEM")
    if statement.catalogs is not None:
        accounts.check(user, ("CREATE EXTERNAL CATALOG",), "SYSTEM")
        return
    if statement.objects is None:
        accounts.check(user, ("CREATE DATABASE",), "CATALOG")
        return
    database = session.frontend.catalog.databases.get(statement.database or "")
    if database is None:
        return
    accounts.check(user, ("CREATE TABLE",), "DATABASE", database)
    for item in _in_order(statement.objects.listed):
        found = database.tables.get(item.name)
        if found is not None and kind_of(found) == "TABLE":  # a view is not asked about, as with BACKUP
            accounts.check(user, ("INSERT",), "TABLE", database, found)


def _check_names(listed: tuple[ObjectRef, ...]) -> None:
    """No table twice; no alias that is another's, or any listed table's name (O2§y2)."""
    names: set[str] = set()
    for item in listed:
        if item.name in names:
            raise analyzing(f"Duplicated table: {item.name}", where=item.place)
        names.add(item.name)
    for item in listed:
        if item.alias is None:
            continue
        if item.alias in names:
            raise analyzing(f"Duplicated alias name: {item.alias}", where=item.place)
        names.add(item.alias)


def _in_order(listed: tuple[ObjectRef, ...]) -> tuple[ObjectRef, ...]:
    """The server's analyzer sorts them by name: what is wrong with the first is told (documented, not observed)."""
    return tuple(sorted(listed, key=lambda item: item.name))


def _boolean(left: dict[str, str], name: str) -> bool:
    written = left.pop(name, "false")
    if written.lower() not in {"true", "false"}:
        raise common_analyzing(f"Invalid allow load value: {written}")
    return written.lower() == "true"


def _info(repository: Repository, label: str, timestamp: str) -> dict[str, Any]:
    try:
        return repository.read_info(label, timestamp)
    except RemoteError as error:
        raise common(
            f"Failed to get info of snapshot '{label}' because: {error}. Maybe specified wrong backup timestamp"
        ) from None


def _target(session: Session, name: str) -> Database:
    """The target database, made if it is missing; nobody asks for the privilege to (O§0.10)."""
    catalog = session.frontend.catalog
    if name not in catalog.databases:
        catalog.databases[name] = Database(catalog.new_id(), name)
    return catalog.databases[name]


def _wanted(statement: Restore, info: dict[str, Any]) -> _Wanted:
    objects = info["backup_objects"]
    if statement.objects is None:
        return [(name, None, None) for name in objects]
    listed = _in_order(statement.objects.listed)
    _check_objects(listed, objects, statement.label)
    wanted: _Wanted = [(item.name, item.partitions, item.alias) for item in listed]
    if statement.objects.functions:
        raise common(f"Can not find restore function: {statement.objects.functions[0]}")
    return wanted + _every(statement.objects, objects, {item.name for item in listed})


def _check_objects(listed: tuple[ObjectRef, ...], objects: dict[str, Any], label: str) -> None:
    for item in listed:
        if item.name not in objects:
            raise common(f"Table {item.name} does not exist in snapshot {label}")
        if item.temporary:
            raise common("Do not support restoring temporary partitions")
        for name in item.partitions or ():
            if name not in objects[item.name]["partitions"]:
                raise common(f"Partition {name} of table {item.name} does not exist in snapshot {label}")


def _every(asked: Objects, objects: dict[str, Any], listed: set[str]) -> _Wanted:
    """What ALL TABLES and ALL VIEWS add; an object without partitions is a view (R§6.3)."""
    kinds = {name: "TABLE" if item["partitions"] else "VIEW" for name, item in objects.items()}
    return [(name, None, None) for name, kind in kinds.items() if kind in asked.every and name not in listed]
