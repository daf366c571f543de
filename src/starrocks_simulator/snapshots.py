"""What a snapshot holds: tables and views as they were at the cut, and the two documents that say so."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from attrs import define, field
from cattrs import Converter

from starrocks_simulator.catalog import Database, Partition, Table, TableState, View

_CONVERTER = Converter(forbid_extra_keys=True)


@define
class Content:
    """Tables and views at one cut.

    Attributes:
        database_id: Of the source; part of the files' paths.
        tables: By name; each holds the partitions that were asked for, and as `ghosts` the temporary partitions that
            existed at the cut, asked for or not (O2§0.1).
        views: By name.
    """

    database_id: int
    tables: dict[str, Table] = field(factory=dict)
    views: dict[str, View] = field(factory=dict)


def cut_table(table: Table, partitions: Iterable[str] | None) -> Table:
    """A table as a snapshot keeps it: these partitions only, or all, the shadow one included."""
    kept = table.partitions if partitions is None else {name: table.partitions[name] for name in partitions}
    everything, temporary = table.partitions, table.temp_partitions
    table.partitions, table.temp_partitions = dict(kept), {}
    try:
        cut = copy.deepcopy(table)
    finally:
        table.partitions, table.temp_partitions = everything, temporary
    cut.state = TableState.NORMAL
    cut.ghosts = [*cut.ghosts, *copy.deepcopy(list(temporary.values()))]
    return cut


def meta_document(content: Content) -> dict[str, Any]:
    """The `__meta` file."""
    document: dict[str, Any] = _CONVERTER.unstructure(content)
    return document


def read_meta_document(document: dict[str, Any]) -> Content:
    """What a `__meta` file says."""
    return _CONVERTER.structure(document, Content)


def info_document(content: Content, *, label: str, database: str, created: float) -> dict[str, Any]:
    """The `__info` file: names, logical and physical ids, and versions (O§a)."""
    objects: dict[str, Any] = {
        name: {"id": table.id, "partitions": {one.name: _partition(one) for one in table.partitions.values()}}
        for name, table in content.tables.items()
    }
    for name, table in content.tables.items():
        if any(column.auto_increment for column in table.columns):
            objects[name]["autoIncrementId"] = table.next_auto_increment
    objects.update({name: {"id": view.id, "partitions": {}} for name, view in content.views.items()})
    return {
        "database": database,
        "meta_version": 92,
        "backup_time": int(created * 1000),
        "name": label,
        "starrocks_meta_version": 4,
        "backup_result": "succeed",
        "id": content.database_id,
        "backup_objects": objects,
    }


def details(info: dict[str, Any]) -> str:
    """SHOW SNAPSHOT's Details: the info without ids and versions (R§6.3)."""
    shown = {key: value for key, value in info.items() if key != "id"}
    shown["backup_objects"] = {
        name: {
            **({"autoIncrementId": item["autoIncrementId"]} if "autoIncrementId" in item else {}),
            "partitions": {partition: {} for partition in item["partitions"]},
        }
        for name, item in info["backup_objects"].items()
    }
    return _indented(shown, 0)


def database_of(catalog_databases: dict[str, Database], database_id: int) -> Database | None:
    """The database of that id, if it still exists."""
    return next((one for one in catalog_databases.values() if one.id == database_id), None)


def _partition(partition: Partition) -> dict[str, Any]:
    version = partition.physical[0].visible_version
    parts = {str(one.id): {"id": one.id, "version": one.visible_version, "indexes": {}} for one in partition.physical}
    return {"id": partition.id, "version": version, "version_hash": 0, "indexes": {}, "subPartitions": parts}


def _indented(value: Any, depth: int) -> str:
    """JSON as the server's library prints it: objects of one key on one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    items = [f"{json.dumps(key, ensure_ascii=False)}: {_indented(item, depth + 1)}" for key, item in value.items()]
    if len(items) == 1:
        return (
            f"{{{json.dumps(next(iter(value)), ensure_ascii=False)}: {_indented(next(iter(value.values())), depth)}}}"
        )
    blank = "\n" + " " * (depth + 1)
    return "{" + blank + ("," + blank).join(items) + "\n" + " " * depth + "}"
