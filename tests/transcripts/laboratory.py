"""What the laboratory did to its cluster besides sending statements, told by what partitions_meta shows afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starrocks_simulator.catalog import Model, Partition, Table
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.versions import publish
from tests.transcripts.recording import Line, Recording

_LOAD = re.compile(r"^\s*insert\s+into\s+`?(?P<database>\w+)`?\.", re.IGNORECASE)
_CHANGE = re.compile(r"^\s*(?:update|delete\s+from)\s+`?(?P<database>\w+)`?\.`?(?P<table>\w+)`?\s", re.IGNORECASE)
_Key = tuple[str, str]


def held_loads(recording: Recording) -> frozenset[int]:
    """Numbers of the lines whose load was committed and did not become visible.

    A note that shows a partition with NEXT_VERSION k further ahead of VISIBLE_VERSION than the note before means that
    the last k loads of that table in between were held.
    """
    held: set[int] = set()
    before: dict[_Key, int] = {}
    loads: list[Line] = []
    for line in recording.lines:
        if line.sql is not None:
            if _LOAD.match(line.sql) and line.error is None:
                loads.append(line)
            continue
        rows = line.fields.get("partitions_meta")
        if rows is None:
            continue
        now = _gaps(rows)
        for (table, name), gap in now.items():
            grown = gap - before.get((table, name), 1)
            of_table = [load.number for load in loads if re.search(rf"\b{re.escape(table)}\b", load.sql or "")]
            held.update(of_table[-grown:] if grown > 0 else ())
        before, loads = now, []
    return frozenset(held)


def catch_up(frontend: Frontend, recorded: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]]) -> bool:
    """Do what a note shows was done: held loads, automatic buckets, overwrites in flight; whether anything was."""
    mine = _gaps(ours)
    published = any(gap == 1 and mine.get(key, 1) > 1 for key, gap in _gaps(recorded).items())
    if published:
        frontend.held_loads.publish()
    by_partition = _by_partition(recorded)
    grown = [_grow(frontend, key, rows) for key, rows in by_partition.items() if len(rows) > 1]
    begun = [_begin_overwrite(frontend, row) for row in recorded if row.get("is_temp")]
    ended = [_end_overwrite(frontend, row, by_partition) for row in ours if row.get("is_temp")]
    return published or any(grown + begun + ended)


def touch_unmatched(frontend: Frontend, sql: str) -> None:
    """An UPDATE or DELETE that matched no row of a PRIMARY KEY table: the fake backends commit it (O§n)."""
    found = _CHANGE.match(sql)
    database = frontend.catalog.databases.get(found["database"]) if found else None
    table = database.tables.get(found["table"]) if database and found else None
    if isinstance(table, Table) and table.model is Model.PRIMARY and table.partitioning is None:
        publish(frontend, [physical for partition in table.partitions.values() for physical in partition.physical])


def act_out_clients(frontend: Frontend, line: Line) -> None:
    """Repeat the loads that other clients sent while the recorder looked on (`statements_seen_by_fe`)."""
    session = frontend.connect("root")
    for seen in line.fields.get("statements_seen_by_fe") or ():
        outcome, sql = seen[0], str(seen[-1])
        found = _LOAD.match(sql)
        if outcome == "OK" and found and found["database"] in frontend.catalog.databases:
            session.execute(sql)


def _grow(frontend: Frontend, key: _Key, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Give a random-distributed partition as many physical partitions as were recorded (O§h)."""
    partition = _find(frontend, str(rows[0]["db_name"]), key)
    if partition is None or len(partition.physical) >= len(rows):
        return False
    for row in sorted(rows, key=lambda row: int(row["partition_id"]))[len(partition.physical) :]:
        physical = frontend.catalog.new_physical(frontend.now())
        physical.visible_version = physical.data_version = int(row["visible_version"])
        physical.next_version = int(row["next_version"])
        partition.physical.append(physical)
    return True


def _begin_overwrite(frontend: Frontend, row: Mapping[str, Any]) -> bool:
    """Give a table the temporary partition `<partition>_<transaction>` that an INSERT OVERWRITE has made (O2§y5)."""
    table = _table(frontend, str(row["db_name"]), str(row["table_name"]))
    base = table.find_partition(str(row["partition_name"]).rpartition("_")[0]) if table else None
    if table is None or base is None or row["partition_name"] in table.temp_partitions:
        return False
    now, name = frontend.now(), str(row["partition_name"])
    table.temp_partitions[name] = frontend.catalog.new_partition(
        name, base.keys, now=now, buckets=base.buckets, replication_num=base.replication_num, is_temp=True
    )
    return True


def _end_overwrite(
    frontend: Frontend, row: Mapping[str, Any], recorded: Mapping[_Key, Sequence[Mapping[str, Any]]]
) -> bool:
    """Take a temporary partition away that is no longer there, unless nothing of its table is."""
    key = (str(row["table_name"]), str(row["partition_name"]))
    table = _table(frontend, str(row["db_name"]), key[0])
    made_here = table is not None and re.fullmatch(r".+_\d+", key[1]) and key[0] in {name for name, _ in recorded}
    if table is None or not made_here or key in recorded:
        return False
    return table.temp_partitions.pop(key[1], None) is not None


def _table(frontend: Frontend, database: str, name: str) -> Table | None:
    found = frontend.catalog.databases.get(database)
    table = found.tables.get(name) if found else None
    return table if isinstance(table, Table) else None


def _find(frontend: Frontend, database: str, key: _Key) -> Partition | None:
    table = _table(frontend, database, key[0])
    return table.find_partition(key[1]) if table else None


def _by_partition(rows: Iterable[Mapping[str, Any]]) -> dict[_Key, list[Mapping[str, Any]]]:
    found: dict[_Key, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row)
    return found


def _key(row: Mapping[str, Any]) -> _Key:
    return str(row.get("table_name")), str(row.get("partition_name"))


def _gaps(rows: Iterable[Mapping[str, Any]]) -> dict[_Key, int]:
    """NEXT_VERSION minus VISIBLE_VERSION by table and partition; 1 is what it should be."""
    return {_key(row): int(row.get("next_version") or 2) - int(row.get("visible_version") or 1) for row in rows}
