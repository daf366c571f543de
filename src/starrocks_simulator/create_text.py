"""SHOW CREATE TABLE and VIEW: the text that makes the object again (O§w)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.catalog import Column, Index, Partition, Table, View
from starrocks_simulator.partitioning import Range

_UNSHOWN: Final = frozenset({"default.replication_num", "bucket_size"})


def create_table_text(table: Table) -> str:
    """The statement that would make the table."""
    # the hidden columns of an automatic table show here and nowhere else (O§f)
    lines = [_column(column) for column in table.columns] + [_index(index) for index in table.indexes]
    parts = [
        f"CREATE TABLE `{table.name}` (",
        ",\n".join(lines),
        f") ENGINE={table.external_engine or 'OLAP'} ",
        f"{table.model.clause}({names([column.name for column in table.keys])})",
    ]
    if table.comment:
        parts.append(f'COMMENT "{table.comment}"')
    if table.partitioning is not None:
        parts.append(_partition_by(table))
    parts.append(_distribution(table))
    if table.sort_key != [column.name for column in table.keys]:
        parts.append(f"ORDER BY({names(table.sort_key)})")
    parts += ["PROPERTIES (", ",\n".join(f'"{key}" = "{value}"' for key, value in shown_properties(table)), ");"]
    return "\n".join(parts)


def create_view_text(view: View) -> str:
    """The statement that would make the view."""
    shown = names([column.name for column in view.columns])
    comment = f'\nCOMMENT "{view.comment}"\n' if view.comment else " "
    return f"CREATE VIEW `{view.name}` ({shown}){comment}SECURITY NONE AS {view.query};"


def create_materialized_view_text(table: Table) -> str:
    """The statement that would make the asynchronous materialized view."""
    columns = names([column.name for column in table.columns])
    properties = ",\n".join(f'"{key}" = "{value}"' for key, value in shown_properties(table))
    return (
        f"CREATE MATERIALIZED VIEW `{table.name}` ({columns})\n{_distribution(table)}\nREFRESH MANUAL\n"
        f"PROPERTIES (\n{properties}\n)\nAS {table.definition};"
    )


def names(columns: list[str]) -> str:
    """`a`, `b`."""
    return ", ".join(f"`{name}`" for name in columns)


def shown_properties(table: Table) -> list[tuple[str, str]]:
    """The properties in alphabetical order, as SHOW CREATE TABLE and tables_config print them."""
    is_random = not table.distribution.columns
    return sorted(
        (key, value)
        for key, value in table.properties.items()
        if key not in _UNSHOWN or (key == "bucket_size" and is_random)
    )


def _column(column: Column) -> str:
    parts = [f"  `{column.name}` {column.type.full}"]
    if column.aggregation:
        parts.append(column.aggregation)
    parts.append("NULL" if column.nullable else "NOT NULL")
    if column.auto_increment:
        parts.append("AUTO_INCREMENT")
    if column.generated:
        parts.append(f"AS {column.generated}")
    elif column.default == "CURRENT_TIMESTAMP":
        parts.append("DEFAULT CURRENT_TIMESTAMP")
    elif column.default is not None:
        parts.append(f'DEFAULT "{column.default}"')
    return " ".join([*parts, f'COMMENT "{column.comment}"'])


def _index(index: Index) -> str:
    return f"  INDEX {index.name} ({names(index.columns)}) USING {index_type(index)} COMMENT '{index.comment}'"


def index_type(index: Index) -> str:
    """An index's type with its properties: `NGRAMBF("gram_num" = "4", …)`."""
    properties = ", ".join(f'"{key}" = "{value}"' for key, value in sorted(index.properties.items()))
    return f"{index.type}({properties})" if properties else index.type


def _partition_by(table: Table) -> str:
    partitioning = table.partitioning
    if partitioning is None:
        return ""
    if partitioning.automatic:
        shown = ",".join(partitioning.expressions)
        single = len(partitioning.expressions) == 1 and bool(partitioning.unit)
        return f"PARTITION BY {shown if single else f'({shown})'}"
    shown = names(partitioning.columns)
    if partitioning.kind == "LIST":
        items = ",\n".join(f"  PARTITION {one.name} VALUES {one.values.clause()}" for one in ordered_partitions(table))
        return f"PARTITION BY LIST({shown})({chr(10)}{items}\n)"
    types = [column.type for column in table.partition_columns]
    items = ",\n".join(f"PARTITION {one.name} VALUES {one.range.clause(types)}" for one in ordered_partitions(table))
    return f"PARTITION BY RANGE({shown})\n({items})"


def ordered_partitions(table: Table, *, temp: bool = False) -> list[Partition]:
    """Partitions as SHOW PARTITIONS and SHOW CREATE TABLE list them: ranges by their lower end, others by id."""
    found = list(table.temp_partitions.values()) if temp else table.shown_partitions()
    if any(isinstance(one.keys, Range) for one in found):
        types = tuple(column.type for column in table.partition_columns)
        return sorted(found, key=lambda one: one.range.lower.key(types))
    return sorted(found, key=lambda one: one.id)


def _distribution(table: Table) -> str:
    distribution = table.distribution
    if not distribution.columns:
        return f"DISTRIBUTED BY RANDOM{f' BUCKETS {distribution.buckets}' if distribution.buckets else ''}"
    shown = f"DISTRIBUTED BY HASH({names(distribution.columns)})"
    return f"{shown} BUCKETS {distribution.buckets} " if distribution.buckets else shown


def partition_key_text(table: Table) -> str:
    """PARTITION_KEY of partitions_meta: "" if the table is not partitioned (R§8.1)."""
    return ", ".join(
        f'`{column.name}` {column.type.short} {"NULL" if column.nullable else "NOT NULL"} COMMENT "{column.comment}"'
        for column in table.partition_columns
    )
