"""What was asked for and is not there: why a pattern matches nothing, and which tables have gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from starrocks_br.domain.errors import AccessDenied, Refused
from starrocks_br.domain.events import Warned
from starrocks_br.domain.gone import gone_since
from starrocks_br.domain.names import (
    ALIAS_PREFIX,
    SYSTEM_DATABASES,
    ClusterId,
    DatabaseName,
    Selection,
    TableName,
    TableRef,
    parse_pattern,
)
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.status import RESTORABLE

NO_TABLE: Final = "no such table"
NO_DATABASE: Final = "no such database"

_VIEW: Final = "VIEW"
"""What SHOW FULL TABLES calls views, materialized or not."""


def why_unmatched(
    ports: Ports, patterns: Iterable[str], existing: Collection[TableRef], ops: DatabaseName
) -> dict[str, str]:
    """Say of each pattern why it matches nothing; a statement for each database that has to be asked about.

    Args:
        ports: The outside.
        patterns: Which match nothing.
        existing: All OLAP tables of the cluster.
        ops: The database of our own tables.
    """
    parsed = {pattern: parse_pattern(pattern) for pattern in patterns}
    known = {pattern: why for pattern, wanted in parsed.items() if (why := _never(wanted, ops))}
    unknown = {pattern: wanted for pattern, wanted in parsed.items() if pattern not in known}
    objects = {database: _objects(ports, database) for database in sorted(set(map(_database, unknown.values())))}
    return known | {
        pattern: _why(wanted, objects[_database(wanted)]) + _spelt(wanted, existing)
        for pattern, wanted in unknown.items()
    }


def _database(wanted: DatabaseName | TableRef) -> DatabaseName:
    return wanted.database if isinstance(wanted, TableRef) else wanted


def _never(wanted: DatabaseName | TableRef, ops: DatabaseName) -> str:
    """Why it is never backed up, whether or not it is there; empty if it may be."""
    database = _database(wanted)
    if database == ops:
        return "our own tables: their history is saved with every run"
    if database in SYSTEM_DATABASES:
        return f"{database} is the server's own: not backed up"
    if isinstance(wanted, TableRef) and wanted.name.startswith(ALIAS_PREFIX):
        return "a table that a restore works with: not backed up"
    return ""


def _objects(ports: Ports, database: DatabaseName) -> Mapping[TableName, str] | None:
    """What the database holds, as far as this user is told; None if there is none."""
    try:
        return ports.cluster.objects(database)
    except (Refused, AccessDenied):
        return {}


def _why(wanted: DatabaseName | TableRef, objects: Mapping[TableName, str] | None) -> str:
    if objects is None:
        return NO_DATABASE
    if not isinstance(wanted, TableRef):
        return "it holds no table that is backed up"
    if wanted.name not in objects:
        return NO_TABLE
    if objects[wanted.name] == _VIEW:
        return "it is a view or materialized view: not backed up"
    return "it is an external table, or was made a moment ago: not backed up"


def _spelt(wanted: DatabaseName | TableRef, existing: Collection[TableRef]) -> str:
    """What is there under the same letters in another case; empty if nothing is."""
    names = existing if isinstance(wanted, TableRef) else {table.database for table in existing}
    alike = sorted(str(name) for name in names if str(name).lower() == str(wanted).lower() and name != wanted)
    return f"; names are case-sensitive: there is {', '.join(alike)}" if alike else ""


def tell_of_gone(
    ports: Ports, selection: Selection, existing: Collection[TableRef], ops: DatabaseName, cluster: ClusterId
) -> None:
    """Warn of tables that a `db.*` took last time and that are not there any more: it may be an accident.

    Args:
        ports: The outside.
        selection: What is backed up.
        existing: All OLAP tables of the cluster.
        ops: The database of our own tables.
        cluster: This one.
    """
    wild = tuple(pattern for pattern in selection.patterns if not isinstance(parse_pattern(pattern), TableRef))
    if not wild:
        return
    gone, _ = Selection(wild).expand(gone_since(ports.backups.outlines(statuses=RESTORABLE), existing, cluster), ops)
    for table in sorted(gone):
        said = (
            f"{table} was backed up last time, and is not there any more, or this user is not shown it; "
            f"its points: starrocks-br list --table {table}"
        )
        ports.listener(Warned(message=said, table=table))
