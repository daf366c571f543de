"""What is stored as JSON in a row: the partitions of an entry, the steps of a restore. All rules live in here.

Documents are compact, sorted and deterministic. Reading is strict: what a newer version, a cut value or a stray hand
has changed is an error that names row and field, never a guess.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain
from operator import is_
from typing import Any, Final, Literal, NewType, TypeVar, get_args, get_origin

import cattrs
from attrs import frozen
from cattrs.strategies import configure_tagged_union

from starrocks_br.domain.errors import InvalidName, StarRocksBrError, Unrestorable
from starrocks_br.domain.names import (
    DatabaseName,
    Label,
    PartitionName,
    TableName,
    database_name,
    label_name,
    partition_name,
    table_name,
)
from starrocks_br.domain.partitions import Identity, Partition, Partitioning
from starrocks_br.domain.restore_plan import Step
from starrocks_br.domain.snapshot import Captured, Entry

PART_BYTES: Final = 1_000_000
"""Where a document is continued in the next row: VARCHAR(1048576), the widest there is, counts bytes (O2§y9)."""

MAX_BYTES: Final = 1_048_576
_MAX_UNPACKED: Final = 64 * 1024 * 1024

T = TypeVar("T")


class DamagedDocument(StarRocksBrError):
    """A stored document is not what was written, or was written by a version that this one does not know."""


@frozen(kw_only=True)
class PartitionsDocument:
    """What `partitions_json` holds of an entry.

    Attributes:
        captured: The partitions, by name.
        dropped: What its baseline has and it has not.
        digest: Over the complete manifest.
        partitioning: How the table is divided.
        automatic: Whether partitions are made by an expression.
    """

    captured: dict[PartitionName, Captured]
    dropped: frozenset[PartitionName]
    digest: str
    partitioning: Partitioning
    automatic: bool


_Partitions = NewType("_Partitions", dict[PartitionName, Captured])


@frozen(kw_only=True)
class _Part:
    format: Literal[1]
    partitions: _Partitions
    dropped: tuple[PartitionName, ...]
    digest: str
    partitioning: Partitioning
    automatic: bool


def dumps_partitions(entry: Entry, limit: int = PART_BYTES) -> Iterator[str]:
    """Write an entry's partitions, cut into documents of about `limit` bytes; at least one.

    Raises:
        Unrestorable: A single partition does not fit into a row.
    """
    head = {
        "automatic": entry.automatic,
        "digest": entry.digest,
        "dropped": [],
        "format": 1,
        "partitioning": entry.partitioning.value,
    }
    for captured, dropped in _packed(entry, limit):
        start = json.dumps({**head, "dropped": dropped}, separators=(",", ":"))
        text = f'{start[:-1]},"partitions":{{{",".join(captured)}}}}}'
        if len(text) > MAX_BYTES:
            raise Unrestorable(
                f"{entry.table} cannot be recorded", why=f"what is to be written of one partition has {len(text)} bytes"
            )
        yield text


def _packed(entry: Entry, limit: int) -> Iterator[tuple[list[str], list[str]]]:
    captured: list[str] = []
    dropped: list[str] = []
    room = limit
    for name, text in chain(_members(entry), ((name, "") for name in sorted(entry.dropped))):
        cost = len(text or _encode(name)) + 1
        if cost > room and (captured or dropped):
            yield captured, dropped
            captured, dropped, room = [], [], limit
        room -= cost
        if text:
            captured.append(text)
        else:
            dropped.append(name)
    yield captured, dropped


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _members(entry: Entry) -> Iterator[tuple[PartitionName, str]]:
    for name, captured in sorted(entry.captured.items()):
        partition = captured.partition
        stored = {
            "after": None if captured.after is None else sorted(captured.after),
            "before": sorted(partition.identity),
            "buckets": partition.buckets,
            "bytes": partition.size,
            "replication": partition.replication_num,
            "rows": partition.rows,
            "values": partition.values,
        }
        if partition.hole:
            stored["hole"] = True
        yield name, f"{_encode(name)}:{_encode(stored)}"


def loads_partitions(texts: Sequence[str], where: Sequence[str]) -> PartitionsDocument:
    """Read an entry's partitions back from all its documents.

    Args:
        texts: The documents, in the order they were written.
        where: How to name each one's row.

    Raises:
        DamagedDocument: Not what was written.
    """
    parts = [_read(_Part, text, f"{row}, field partitions_json") for text, row in zip(texts, where, strict=True)]
    first = parts[0]
    captured: dict[PartitionName, Captured] = {}
    dropped: set[PartitionName] = set()
    for part, row in zip(parts, where, strict=True):
        if (part.digest, part.partitioning, part.automatic) != (first.digest, first.partitioning, first.automatic):
            raise DamagedDocument(f"{row}, field partitions_json: it does not belong to the row before it")
        twice = (captured.keys() & part.partitions.keys()) | (dropped & set(part.dropped))
        if twice or len(set(part.dropped)) != len(part.dropped):
            raise DamagedDocument(f"{row}, field partitions_json: a partition is recorded twice")
        captured.update(part.partitions)
        dropped.update(part.dropped)
    return PartitionsDocument(
        captured=captured,
        dropped=frozenset(dropped),
        digest=first.digest,
        partitioning=first.partitioning,
        automatic=first.automatic,
    )


def _partitions(value: object, _: object) -> dict[PartitionName, Captured]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is no mapping")
    return {partition_name(name): _captured(PartitionName(name), stored) for name, stored in value.items()}


_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "after": (list, type(None)),
    "before": (list,),
    "buckets": (int,),
    "bytes": (int, type(None)),
    "replication": (int,),
    "rows": (int, type(None)),
    "values": (str,),
}


def _captured(name: PartitionName, stored: Any) -> Captured:
    """Read one partition; by hand, for a table can have a hundred thousand of them."""
    hole = isinstance(stored, dict) and stored.pop("hole", False)
    if not isinstance(stored, dict) or stored.keys() != _FIELDS.keys() or type(hole) is not bool:
        raise ValueError(f"partition {name!r} has other fields than it should have")
    for key, kinds in _FIELDS.items():
        if type(stored[key]) not in kinds:
            raise TypeError(f"partition {name!r}, field {key}: {stored[key]!r:.60} is of a wrong type")
    after = stored["after"]
    return Captured(
        partition=Partition(
            name=name,
            identity=_identity(name, stored["before"]),
            values=stored["values"],
            buckets=stored["buckets"],
            replication_num=stored["replication"],
            rows=stored["rows"],
            size=stored["bytes"],
            hole=hole,
        ),
        after=None if after is None else _identity(name, after),
    )


def _identity(name: PartitionName, marks: list[Any]) -> Identity:
    for mark in marks:
        if type(mark) is not list or [*map(type, mark)] != _MARK:
            raise TypeError(f"partition {name!r}: {mark!r:.60} is not a physical id, a version and its time")
    return frozenset(map(tuple, marks))


_MARK: Final = [int, int, int]


def dumps_step(step: Step) -> str:
    """Write a step of a restore; a long list of partitions is packed, for it must fit into one row."""
    text = _encode(_converter().unstructure(step, Step))
    if len(text) <= PART_BYTES:
        return text
    return _encode({"kind": _PACKED, "zlib": base64.b64encode(zlib.compress(text.encode())).decode()})


def loads_step(text: str, where: str) -> Step:
    """Read a step back. Raises DamagedDocument, naming the row as `where` does."""
    step: Step = _read(Step, text, where)
    return step


def _read(kind: Any, text: str, where: str) -> Any:
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_refuse)
        return _converter().structure(_unpacked(found), kind)
    except cattrs.BaseValidationError as error:
        problems = cattrs.transform_error(error, path="", format_exception=_in_words)
        raise DamagedDocument(f"{where}: {'; '.join(problem.removesuffix(' @ ') for problem in problems)}") from None
    except (ValueError, TypeError, KeyError, RecursionError, InvalidName, zlib.error) as error:
        raise DamagedDocument(f"{where}: {_in_words(error)}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is no whole number")


def _unpacked(found: object) -> object:
    if not isinstance(found, dict) or found.get("kind") != _PACKED:
        return found
    inflate = zlib.decompressobj()
    text = inflate.decompress(base64.b64decode(found["zlib"], validate=True), _MAX_UNPACKED)
    if not inflate.eof:
        raise ValueError("what is packed in it is cut or too big")
    return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_refuse)


def _in_words(error: BaseException, expected: object = None) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown fields {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown"
    del expected
    return str(error) or type(error).__name__


@cache
def _converter() -> cattrs.Converter:
    """The rules: types are never bent to fit, unknown fields are refused, names are checked as when they were made."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    for plain in (int, str, bool):
        converter.register_structure_hook(plain, _exactly(plain))
    for name, check in _NAMES.items():
        converter.register_structure_hook_func(partial(is_, name), _checked(check))
    converter.register_structure_hook_func(partial(is_, _Partitions), _partitions)
    converter.register_structure_hook_factory(_is_list_of, _list_hook)
    configure_tagged_union(Step, converter, tag_name="kind")
    return converter


_PACKED: Final = "packed"
_NAMES: Final[dict[Any, Callable[[str], str]]] = {
    DatabaseName: database_name,
    Label: label_name,
    PartitionName: partition_name,
    TableName: table_name,
}


def _exactly(wanted: type[T]) -> Callable[[object, object], T]:
    def structure(value: object, _: object) -> T:
        if type(value) is not wanted:
            raise TypeError(f"{value!r:.60} is no {wanted.__name__}")
        return value

    return structure


def _checked(check: Callable[[str], str]) -> Callable[[object, object], str]:
    def structure(value: object, _: object) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{value!r:.60} is no name")
        return check(value)

    return structure


def _is_list_of(wanted: Any) -> bool:
    return get_origin(wanted) is tuple


def _list_hook(wanted: Any, converter: cattrs.BaseConverter) -> Callable[[object, object], tuple[object, ...]]:
    kind = get_args(wanted)[0]
    read = converter.get_structure_hook(kind)

    def structure(value: object, _: object) -> tuple[object, ...]:
        if type(value) is not list:
            raise TypeError(f"{value!r:.60} is no list")
        return tuple(read(item, kind) for item in value)

    return structure
