"""What StarRocks answers, read by column name into the domain's values. Pure; unknown columns are ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from starrocks_br.domain.errors import UnsupportedServer
from starrocks_br.domain.names import (
    SHADOW_PARTITION,
    ClusterId,
    DatabaseName,
    Label,
    PartitionName,
    TableName,
    TableRef,
    cluster_id,
    repository_name,
)
from starrocks_br.domain.ports import Rows
from starrocks_br.domain.server import Job, JobKind, RemoteSnapshot, Repository

Row = Mapping[str, object]

OLDEST_VERSION: Final = (3, 1, 0)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_TIMESTAMP = re.compile(r"\d{4}(-\d{2}){5}-\d{3}")


def records(rows: Rows) -> list[Row]:
    """The rows as mappings by lower-case column name."""
    names = [name.lower() for name in rows.columns]
    return [dict(zip(names, row, strict=True)) for row in rows.rows]


def text(row: Row, column: str) -> str:
    """A value as text; NULL and a missing column are empty."""
    value = row.get(column)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def number(row: Row, column: str) -> int | None:
    """A value as a whole number; None where it is NULL, missing or no number."""
    try:
        return int(text(row, column))
    except ValueError:
        return None


def flag(row: Row, column: str) -> bool:
    """A yes or no, in any of the server's spellings."""
    return text(row, column).lower() in {"1", "true", "yes"}


def moment(row: Row, column: str) -> datetime | None:
    """A time of a session whose zone is +00:00, as text or as the driver's naive datetime; None where unset."""
    value = row.get(column)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    try:
        return datetime.strptime(text(row, column)[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


# --- the server -------------------------------------------------------------------------------------------------------


def leader_cluster(frontends: Rows) -> ClusterId:
    """The cluster id, from the leader's row of SHOW FRONTENDS (O2§y10). Raises UnsupportedServer without one."""
    for row in records(frontends):
        if text(row, "role").upper() == "LEADER":
            return cluster_id(text(row, "clusterid"))
    raise UnsupportedServer("the cluster shows no leader", why="SHOW FRONTENDS has no row with Role LEADER")


def version(comment: str) -> tuple[int, int, int]:
    """The version out of @@version_comment (R§8.4). Raises UnsupportedServer if it is no StarRocks, or too old."""
    found = _VERSION.match(comment)
    if not found:
        raise UnsupportedServer("this is no StarRocks frontend", why=f"@@version_comment is {comment!r}")
    major, minor, patch = (int(part) for part in found.groups())
    if (major, minor, patch) < OLDEST_VERSION:
        raise UnsupportedServer(f"StarRocks {found[0]} is too old", hint="3.1 is the oldest version that works")
    return major, minor, patch


def alive_backends(backends: Rows) -> int:
    """How many backends can hold a replica."""
    return sum(flag(row, "alive") and not flag(row, "systemdecommissioned") for row in records(backends))


def repositories(rows: Rows) -> tuple[Repository, ...]:
    """SHOW REPOSITORIES (R§6.4)."""
    return tuple(
        Repository(
            name=repository_name(text(row, "reponame")),
            read_only=flag(row, "isreadonly"),
            error=text(row, "errmsg"),
        )
        for row in records(rows)
    )


def table_refs(rows: Rows, schema: str, name: str, *, without: Collection[int] = ()) -> frozenset[TableRef]:
    """Tables by two columns, those with names that we could not quote included: who asked for all has to be told.

    Args:
        rows: The server's answer.
        schema: The column with the database's name.
        name: The column with the table's name.
        without: Values of TABLE_ID whose rows are left out.
    """
    return frozenset(
        TableRef(DatabaseName(text(row, schema)), TableName(text(row, name)))
        for row in records(rows)
        if number(row, "table_id") not in without
    )


def objects(rows: Rows) -> dict[TableName, str]:
    """SHOW FULL TABLES: the kind of every object by its name."""
    return {TableName(str(row[0])): str(row[1]) for row in rows.rows}


# --- jobs and snapshots -----------------------------------------------------------------------------------------------


def jobs(rows: Rows, kind: JobKind, database: DatabaseName) -> tuple[Job, ...]:
    """SHOW BACKUP or SHOW RESTORE (R§6.1, R§6.2); a catalog job that comes along is left out."""
    own = (row for row in records(rows) if text(row, "dbname") == database)
    return tuple(_job(row, kind, database, at) for row in own if (at := moment(row, "createtime")))


def _job(row: Row, kind: JobKind, database: DatabaseName, created_at: datetime) -> Job:
    return Job(
        kind=kind,
        database=database,
        label=text(row, "snapshotname" if kind is JobKind.BACKUP else "label"),
        timestamp=text(row, "timestamp"),
        state=text(row, "state"),
        status=text(row, "status"),
        task_error=text(row, "taskerrmsg"),
        objects=text(row, "backupobjs" if kind is JobKind.BACKUP else "restoreobjs"),
        unfinished=text(row, "unfinishedtasks"),
        progress=text(row, "progress"),
        created_at=created_at,
        snapshot_at=moment(row, "snapshotfinishedtime"),
        finished_at=moment(row, "finishedtime"),
    )


def listed_snapshots(rows: Rows) -> tuple[RemoteSnapshot, ...]:
    """SHOW SNAPSHOT without TIMESTAMP (R§6.3): a timestamp counts only if there is exactly one valid one."""
    return tuple(_listed(row) for row in records(rows))


def _listed(row: Row) -> RemoteSnapshot:
    stamps = text(row, "timestamp").split("\n")
    status = text(row, "status")
    valid = len(stamps) == 1 and _TIMESTAMP.fullmatch(stamps[0]) is not None
    problem = "" if valid and status == "OK" else _listing_problem(stamps, status)
    return RemoteSnapshot(label=text(row, "snapshot"), backup_timestamp=stamps[0] if valid else None, problem=problem)


def _listing_problem(stamps: list[str], status: str) -> str:
    if status != "OK":
        return status or "the repository says nothing of its state"
    if len(stamps) > 1:
        return f"the repository holds {len(stamps)} snapshots under this label; neither can be restored (O§k)"
    return f"the repository shows no valid timestamp for it but {stamps[0]!r}"


def read_snapshot(rows: Rows, label: Label, backup_timestamp: str) -> RemoteSnapshot:
    """SHOW SNAPSHOT with TIMESTAMP (R§6.3): Details by table and partition, without the hidden partition."""
    found = records(rows)
    status = text(found[0], "status") if found else "the repository gave no answer"
    if status != "OK":
        return RemoteSnapshot(label=label, backup_timestamp=backup_timestamp, problem=status)
    try:
        details = json.loads(text(found[0], "details"))
        contents = {
            TableName(name): frozenset(PartitionName(part) for part in what["partitions"] if part != SHADOW_PARTITION)
            for name, what in details["backup_objects"].items()
        }
        database = str(details["database"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"the repository's details of it cannot be read: {error!r}"
        return RemoteSnapshot(label=label, backup_timestamp=backup_timestamp, problem=problem)
    return RemoteSnapshot(label=label, backup_timestamp=backup_timestamp, database=database, contents=contents)
