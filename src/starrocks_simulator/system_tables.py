"""The tables of information_schema: names, and columns of those that are modelled (w:60-63 of the transcripts)."""

from __future__ import annotations

from typing import Final

from attrs import frozen

_DUCKDB: Final = {"varchar": "VARCHAR", "boolean": "TINYINT", "datetime": "TIMESTAMP", "int": "INTEGER",
"bigint": "BIGINT", "double": "DOUBLE"}  # fmt: skip


@frozen
class SystemColumn:
    """One column of a system table.

    Attributes:
        name: In capitals.
        shown_type: As DESC writes it.
    """

    name: str
    shown_type: str

    @property
    def duckdb(self) -> str:
        """The type under which DuckDB holds it."""
        return _DUCKDB[self.shown_type.partition("(")[0]]


def _columns(text: str) -> tuple[SystemColumn, ...]:
    """`NAME type, …`; no type is varchar(2048)."""
    found = []
    for item in text.split(","):
        name, _, kind = item.strip().partition(" ")
        found.append(SystemColumn(name, kind or "varchar(2048)"))
    return tuple(found)


SYS_TABLES: Final = {
    **dict.fromkeys(
        ("grants_to_users", "grants_to_roles"),
        _columns("GRANTEE, OBJECT_CATALOG, OBJECT_DATABASE, OBJECT_NAME, OBJECT_TYPE, PRIVILEGE_TYPE, IS_GRANTABLE"),
    ),
    "object_dependencies": _columns(
        "OBJECT_ID bigint, OBJECT_NAME, OBJECT_DATABASE, OBJECT_CATALOG, OBJECT_TYPE, REF_OBJECT_ID bigint, "
        "REF_OBJECT_NAME, REF_OBJECT_DATABASE, REF_OBJECT_CATALOG, REF_OBJECT_TYPE"
    ),
}
"""Of the database `sys`, as documented."""

SYSTEM_TABLES: Final = {
    "partitions_meta": _columns(
        "DB_NAME, TABLE_NAME, PARTITION_NAME, PARTITION_ID bigint, COMPACT_VERSION bigint, VISIBLE_VERSION bigint, "
        "VISIBLE_VERSION_TIME datetime, NEXT_VERSION bigint, DATA_VERSION bigint, VERSION_EPOCH bigint, "
        "VERSION_TXN_TYPE, "
        "PARTITION_KEY, PARTITION_VALUE, DISTRIBUTION_KEY, BUCKETS int, REPLICATION_NUM int, STORAGE_MEDIUM, "
        "COOLDOWN_TIME datetime, LAST_CONSISTENCY_CHECK_TIME datetime, IS_IN_MEMORY boolean, IS_TEMP boolean, "
        "DATA_SIZE, "
        "ROW_COUNT bigint, ENABLE_DATACACHE boolean, AVG_CS double, P50_CS double, MAX_CS double, STORAGE_PATH, "
        "STORAGE_SIZE bigint, TABLET_BALANCED boolean"
    ),
    "tables_config": _columns(
        "TABLE_SCHEMA, TABLE_NAME, TABLE_ENGINE, TABLE_MODEL, PRIMARY_KEY, PARTITION_KEY, DISTRIBUTE_KEY, "
        "DISTRIBUTE_TYPE, "
        "DISTRIBUTE_BUCKET int, SORT_KEY, PROPERTIES varchar(65535), TABLE_ID bigint"
    ),
    "tables": _columns(
        "TABLE_CATALOG varchar(512), TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, VERSION bigint, ROW_FORMAT "
        "varchar(10), "
        "TABLE_ROWS bigint, AVG_ROW_LENGTH bigint, DATA_LENGTH bigint, MAX_DATA_LENGTH bigint, INDEX_LENGTH bigint, "
        "DATA_FREE bigint, AUTO_INCREMENT bigint, CREATE_TIME datetime, UPDATE_TIME datetime, CHECK_TIME datetime, "
        "TABLE_COLLATION varchar(32), CHECKSUM bigint, CREATE_OPTIONS varchar(255), TABLE_COMMENT"
    ),
    "temp_tables": _columns(
        "TABLE_CATALOG varchar(512), TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, VERSION bigint, ROW_FORMAT "
        "varchar(10), TABLE_ROWS bigint, AVG_ROW_LENGTH bigint, DATA_LENGTH bigint, MAX_DATA_LENGTH bigint, "
        "INDEX_LENGTH bigint, DATA_FREE bigint, AUTO_INCREMENT bigint, CREATE_TIME datetime, UPDATE_TIME datetime, "
        "CHECK_TIME datetime, TABLE_COLLATION varchar(32), CHECKSUM bigint, CREATE_OPTIONS varchar(255), "
        "TABLE_COMMENT, SESSION varchar(128), TABLE_ID bigint"
    ),
    "columns": _columns(
        "TABLE_CATALOG varchar(512), TABLE_SCHEMA varchar(64), TABLE_NAME varchar(64), COLUMN_NAME varchar(64), "
        "ORDINAL_POSITION bigint, COLUMN_DEFAULT varchar(1024), IS_NULLABLE varchar(3), DATA_TYPE varchar(64), "
        "CHARACTER_MAXIMUM_LENGTH bigint, CHARACTER_OCTET_LENGTH bigint, NUMERIC_PRECISION bigint, "
        "NUMERIC_SCALE bigint, "
        "DATETIME_PRECISION bigint, CHARACTER_SET_NAME varchar(32), COLLATION_NAME varchar(32), COLUMN_TYPE "
        "varchar(32), "
        "COLUMN_KEY varchar(3), EXTRA varchar(27), PRIVILEGES varchar(80), COLUMN_COMMENT varchar(255), "
        "COLUMN_SIZE bigint, "
        "DECIMAL_DIGITS bigint, GENERATION_EXPRESSION, SRS_ID bigint"
    ),
    "schemata": _columns(
        "CATALOG_NAME varchar(512), SCHEMA_NAME varchar(64), DEFAULT_CHARACTER_SET_NAME varchar(32), "
        "DEFAULT_COLLATION_NAME varchar(32), SQL_PATH varchar(512)"
    ),
    "views": _columns(
        "TABLE_CATALOG varchar(512), TABLE_SCHEMA varchar(64), TABLE_NAME varchar(64), VIEW_DEFINITION varchar(8096), "
        "CHECK_OPTION varchar(8), IS_UPDATABLE varchar(3), DEFINER varchar(77), SECURITY_TYPE varchar(7), "
        "CHARACTER_SET_CLIENT varchar(32), COLLATION_CONNECTION varchar(32)"
    ),
    "materialized_views": _columns(
        "MATERIALIZED_VIEW_ID bigint, TABLE_SCHEMA, TABLE_NAME, REFRESH_TYPE, IS_ACTIVE, INACTIVE_REASON, "
        "PARTITION_TYPE, "
        "TASK_ID bigint, TASK_NAME, LAST_REFRESH_START_TIME datetime, LAST_REFRESH_FINISHED_TIME datetime, "
        "LAST_REFRESH_DURATION double, LAST_REFRESH_STATE, LAST_REFRESH_FORCE_REFRESH, LAST_REFRESH_START_PARTITION, "
        "LAST_REFRESH_END_PARTITION, LAST_REFRESH_BASE_REFRESH_PARTITIONS, LAST_REFRESH_MV_REFRESH_PARTITIONS, "
        "LAST_REFRESH_ERROR_CODE, LAST_REFRESH_ERROR_MESSAGE, TABLE_ROWS bigint, MATERIALIZED_VIEW_DEFINITION, "
        "EXTRA_MESSAGE, "
        "QUERY_REWRITE_STATUS, CREATOR"
    ),
    "partitions": _columns(
        "TABLE_CATALOG varchar(512), TABLE_SCHEMA varchar(64), TABLE_NAME varchar(64), PARTITION_NAME varchar(64), "
        "SUBPARTITION_NAME varchar(64), PARTITION_ORDINAL_POSITION bigint, PARTITION_METHOD varchar(18), "
        "PARTITION_EXPRESSION varchar(2048), PARTITION_DESCRIPTION varchar(2048), TABLE_ROWS bigint, "
        "CREATE_TIME datetime, "
        "UPDATE_TIME datetime"
    ),
}

TABLE_NAMES: Final = [
    "analyze_status",
    "applicable_roles",
    "be_bvars",
    "be_cloud_native_compactions",
    "be_compactions",
    "be_configs",
    "be_datacache_metrics",
    "be_logs",
    "be_metrics",
    "be_tablets",
    "be_threads",
    "be_txns",
    "character_sets",
    "cluster_snapshot_jobs",
    "cluster_snapshots",
    "collations",
    "column_privileges",
    "column_stats_usage",
    "columns",
    "engines",
    "events",
    "fe_metrics",
    "fe_tablet_schedules",
    "global_variables",
    "key_column_usage",
    "keywords",
    "load_tracking_logs",
    "loads",
    "materialized_views",
    "partitions",
    "partitions_meta",
    "pipe_files",
    "pipes",
    "referential_constraints",
    "routine_load_jobs",
    "routines",
    "schema_privileges",
    "schemata",
    "session_variables",
    "statistics",
    "stream_loads",
    "table_constraints",
    "table_privileges",
    "tables",
    "tables_config",
    "task_runs",
    "tasks",
    "temp_tables",
    "triggers",
    "user_privileges",
    "verbose_session_variables",
    "views",
    "warehouse_metrics",
    "warehouse_queries",
]
