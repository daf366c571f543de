"""A table's definition checked and made into a table with its first partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator import table_properties
from starrocks_simulator.catalog import SHADOW, Distribution, Model, Rollup, Table
from starrocks_simulator.column_types import Type
from starrocks_simulator.dynamic_partitions import dynamic_defaults, dynamic_items
from starrocks_simulator.errors import ServerError, analyzing, refused
from starrocks_simulator.parse_partitions import PartitionItem, least_bound
from starrocks_simulator.parse_table import TableDefinition
from starrocks_simulator.partitioning import Bound, ListKeys, PartitionKeys, Range
from starrocks_simulator.rollups import hash_of, rollup_columns

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend

_KEPT_ELSEWHERE: Final = frozenset({"storage_medium", "storage_cooldown_time"})
_AUTO_BUCKETS: Final = {"HASH": 2, "RANDOM": 1}
"""What the server chooses on a small cluster (O§h)."""
_MAX_SHORT_KEYS: Final = 3


def build_table(frontend: Frontend, name: str, definition: TableDefinition) -> Table:
    """Make a table of a checked definition; it is in no database yet.

    Raises:
        ServerError: More replicas than backends, or partitions that overlap.
    """
    is_olap = definition.engine == "olap"
    replication_num = replication_of(frontend, name, definition.properties) if is_olap else 0
    if is_olap and (unknown := table_properties.unknown(definition.properties)):
        raise refused(unknown)
    if definition.distribution is None:
        definition.distribution = Distribution([], 0)
    for number, column in enumerate(definition.columns):
        column.unique_id = number
    catalog = frontend.catalog
    table = Table(
        id=catalog.new_id(),
        name=name,
        model=definition.model or Model.DUPLICATE,
        columns=definition.columns,
        partitioning=definition.partitioning,
        distribution=definition.distribution,
        properties=_properties(frontend, definition, replication_num),
        sort_key=list(definition.order_by) or [column.name for column in definition.columns if column.is_key],
        create_time=int(frontend.now()),
        index_id=catalog.new_id(),
        comment=definition.comment,
        indexes=definition.indexes,
        schema_hash=hash_of(definition.columns),
        next_unique_id=len(definition.columns),
        external_engine="" if is_olap else definition.engine.upper(),
    )
    for rollup, names in definition.rollups.items():
        columns = rollup_columns(table, names)
        table.rollups.append(Rollup(catalog.new_id(), rollup, columns, table.model, hash_of(columns)))
    if not table.external_engine:
        _first_partitions(frontend, table, definition.items)
    return table


def check_definition(definition: TableDefinition) -> None:
    """Complete the key and check what needs no look at the cluster.

    Raises:
        ServerError: What the analyzer of the server refuses.
    """
    _complete_keys(definition)
    _check_keys(definition)
    _check_distribution(definition)
    _check_rollups(definition)


def _complete_keys(definition: TableDefinition) -> None:
    """Without a key clause a table is DUPLICATE, keyed by its first columns; AGGREGATE if a column aggregates."""
    if definition.model is None:
        aggregates = any(column.aggregation for column in definition.columns)
        definition.model = Model.AGGREGATE if aggregates else Model.DUPLICATE
        marked = [column.name for column in definition.columns if column.is_key]
        definition.keys = marked or _default_keys(definition)
    wanted = [name.lower() for name in definition.keys]
    for column in definition.columns:
        column.is_key = column.name.lower() in wanted
        if column.is_key and definition.model is Model.PRIMARY:
            column.nullable = False


def _default_keys(definition: TableDefinition) -> list[str]:
    if definition.model is Model.AGGREGATE:
        return [column.name for column in definition.columns if not column.aggregation]
    found: list[str] = []
    for column in definition.columns[:_MAX_SHORT_KEYS]:
        if column.type.name in {"float", "double", "json"}:
            break
        found.append(column.name)
        if column.type.name == "varchar":
            break
    return found


def _check_keys(definition: TableDefinition) -> None:
    names = [column.name.lower() for column in definition.columns]
    for name in definition.keys:
        if name.lower() not in names:
            raise analyzing(f"Key column[{name}] does not exist")
    if [name.lower() for name in definition.keys] != names[: len(definition.keys)]:
        raise analyzing(
            "Key columns must be the first few columns of the schema and the order  of the key columns must be "
            "consistent "
            "with the order of the schema"
        )
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise analyzing(f"Duplicate column name '{duplicate}'", 1060, "42S21")
    _check_partition_columns(definition)


def _check_distribution(definition: TableDefinition) -> None:
    names = {column.name.lower() for column in definition.columns}
    for name in definition.distribution.columns if definition.distribution is not None else ():
        if name.lower() not in names:
            raise analyzing(f"Distribution column({name}) doesn't exist")


def _check_rollups(definition: TableDefinition) -> None:
    names = {column.name.lower() for column in definition.columns}
    for rollup, columns in definition.rollups.items():
        for name in columns:
            if name.lower() not in names:
                raise analyzing(f"Column[{name}] does not exist in base index. Rollup: {rollup}")


def _check_partition_columns(definition: TableDefinition) -> None:
    if definition.partitioning is None:
        return
    keyed = {name.lower() for name in definition.keys}
    for name in definition.partitioning.columns:
        column = next((one for one in definition.columns if one.name.lower() == name.lower()), None)
        if column is None:
            raise analyzing(f"Partition column[{name}] does not exist in column list")
        if definition.model is Model.DUPLICATE or column.hidden or column.name.lower() in keyed:
            continue
        raise analyzing(
            "The partition column could not be aggregated column and unique table's partition column must be key column"
        )


def replication_of(frontend: Frontend, name: str, properties: dict[str, str]) -> int:
    """The replication number asked for, or the cluster's default.

    Raises:
        ServerError: More replicas than backends (O§g).
    """
    wanted = table_properties.replication(properties.get("replication_num", str(frontend.default_replication_num)))
    if wanted > frontend.backends:
        ids = ", ".join(map(str, frontend.backend_ids))
        raise refused(
            "Table replication num should be less than or equal to the number of available backends. You can change "
            "this default by setting the replication_num table properties. "
            f"Current available backends: [{ids}], "
            f"table={name}, replication_num={wanted}, default_replication_num={frontend.default_replication_num}"
        )
    return wanted


def _properties(frontend: Frontend, definition: TableDefinition, replication_num: int) -> dict[str, str]:
    found = {
        "compression": "LZ4",
        "fast_schema_evolution": "true",
        "replicated_storage": "true",
    }
    if definition.model is Model.PRIMARY:
        found["enable_persistent_index"] = "true"
    if definition.distribution is not None and not definition.distribution.columns:
        found["bucket_size"] = "4294967296"
    found |= dynamic_defaults(frontend, definition.properties)
    found |= {key: value for key, value in definition.properties.items() if key not in _KEPT_ELSEWHERE}
    found["replication_num"] = str(replication_num)
    return found


def _first_partitions(frontend: Frontend, table: Table, items: list[PartitionItem]) -> None:
    if table.partitioning is None:
        new_partition(frontend, table, table.name, None)
        return
    for item in items:
        add_item(frontend, table, item)
    types = [column.type for column in table.partition_columns]
    dynamic = dynamic_items(frontend, table)
    taken = [one.range for one in table.partitions.values()] if dynamic else []
    for item in dynamic:
        if not (isinstance(item.keys, Range) and any(item.keys.overlaps(one, types) for one in taken)):
            add_item(frontend, table, item)
    if table.partitioning.automatic:
        new_partition(frontend, table, SHADOW, None)


def new_partition(
    frontend: Frontend, table: Table, name: str, keys: PartitionKeys | None, item: PartitionItem | None = None
) -> None:
    """Give a table one more partition, with the table's buckets and replicas unless the item says otherwise."""
    properties = {} if item is None else item.properties
    table.partitions[name] = frontend.catalog.new_partition(
        name,
        keys,
        now=frontend.now(),
        buckets=(item.buckets if item else 0)
        or table.distribution.buckets
        or _AUTO_BUCKETS[table.distribution.type_name],
        replication_num=int(properties.get("replication_num", table.properties.get("replication_num", "1"))),
    )


def add_item(frontend: Frontend, table: Table, item: PartitionItem, *, temp: bool = False) -> None:
    """Add a partition as written, in the DDL or in ALTER TABLE ADD PARTITION.

    Raises:
        ServerError: The name is taken, or the range or values are.
    """
    if table.find_partition(item.name) or table.find_partition(item.name, temp=True):
        if item.if_not_exists:
            return
        raise refused(f"Duplicate partition name {item.name}", 1517)
    keys = resolve_keys(table, item, temp=temp)
    _check_free(table, item.name, keys, temp=temp)
    new_partition(frontend, table, item.name, keys, item)
    if temp:
        partition = table.partitions.pop(item.name)
        partition.is_temp = True
        table.temp_partitions[item.name] = partition


def resolve_keys(table: Table, item: PartitionItem, *, temp: bool = False) -> PartitionKeys:
    """Range or values of an item; LESS THAN begins where the partition before it ends."""
    if isinstance(item.keys, ListKeys) != (table.partitioning is not None and table.partitioning.kind == "LIST"):
        raise analyzing(f"Partition {item.name} is not of the kind of table {table.name}'s partitions")
    types = [column.type for column in table.partition_columns]
    if isinstance(item.keys, Range):
        if not _bound_key(item.keys.lower, types) < _bound_key(item.keys.upper, types):
            raise refused("The lower values must smaller than upper values")
        return item.keys
    if isinstance(item.keys, ListKeys):
        return item.keys
    upper = item.keys.upper
    _bound_key(upper, types)
    among = table.temp_partitions if temp else table.partitions
    ends = [one.range.upper for one in among.values() if isinstance(one.keys, Range)]
    below = [end for end in ends if end.key(types) < upper.key(types)]
    return Range(max(below, key=lambda end: end.key(types), default=least_bound()), upper)


def _bound_key(bound: Bound, types: list[Type]) -> tuple[object, ...]:
    """What orders ends of ranges; an end that is no value of its column is refused."""
    if len(bound.values) > len(types):
        raise refused(f"Partition column size {len(types)} and value size {len(bound.values)} are not the same")
    try:
        return bound.key(types)
    except (ValueError, ArithmeticError):
        written = ", ".join(str(value) for value in bound.values)
        raise refused(f"Invalid {types[0].name} literal: {written}") from None


def _check_free(table: Table, name: str, keys: PartitionKeys, *, temp: bool) -> None:
    types = [column.type for column in table.partition_columns]
    among = table.temp_partitions if temp else table.partitions
    for other in among.values():
        if isinstance(keys, Range) and isinstance(other.keys, Range) and keys.overlaps(other.keys, types):
            raise _intersects(name, keys.text(types), other.name, other.keys.text(types))
        if isinstance(keys, ListKeys) and isinstance(other.keys, ListKeys) and set(keys.items) & set(other.keys.items):
            raise refused("Duplicate values not allowed")


def _intersects(name: str, text: str, other: str, other_text: str) -> ServerError:
    return refused(f"Range {text} of partition {name} intersects with other partition {other} {other_text}")
