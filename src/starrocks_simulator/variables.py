"""Session variables and frontend configuration, with the values that a 3.5.7 shows (O§t)."""

from __future__ import annotations

from typing import Final

VERSION: Final = "3.5.7-0000000"
MYSQL_VERSION: Final = "8.0.33"

_VARIABLES: Final = {
    "autocommit": "true",
    "auto_increment_increment": "1",
    "character_set_client": "utf8",
    "character_set_connection": "utf8",
    "character_set_results": "utf8",
    "character_set_server": "utf8",
    "collation_connection": "utf8_general_ci",
    "collation_database": "utf8_general_ci",
    "collation_server": "utf8_general_ci",
    "dynamic_overwrite": "false",
    "enable_insert_strict": "true",
    "event_scheduler": "OFF",
    "init_connect": "",
    "insert_max_filter_ratio": "0.0",
    "insert_timeout": "14400",
    "interactive_timeout": "3600",
    "language": "/starrocks/share/english/",
    "license": "Elastic License 2.0",
    "lower_case_table_names": "0",
    "max_allowed_packet": "33554432",
    "metadata_collect_query_timeout": "60",
    "net_buffer_length": "16384",
    "net_read_timeout": "60",
    "net_write_timeout": "60",
    "new_planner_optimize_timeout": "3000",
    "parse_tokens_limit": "3500000",
    "performance_schema": "false",
    "query_cache_size": "1048576",
    "query_cache_type": "0",
    "query_delivery_timeout": "300",
    "query_queue_pending_timeout_second": "300",
    "query_timeout": "300",
    "sql_auto_is_null": "false",
    "sql_mode": "ONLY_FULL_GROUP_BY",
    "sql_safe_updates": "0",
    "sql_select_limit": "9223372036854775807",
    "sql_quote_show_create": "true",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": "false",
    "tx_isolation": "REPEATABLE-READ",
    "tx_visible_wait_timeout": "10",
    "version": MYSQL_VERSION,
    "version_comment": VERSION,
    "wait_timeout": "28800",
    "warning_count": "0",
}


def default_variables(zone: str) -> dict[str, str]:
    """The global variables of a fresh frontend whose JVM lives in that zone."""
    return {**_VARIABLES, "time_zone": zone, "system_time_zone": zone}


_FIXED: Final = frozenset(
    {
        "auth_token",
        "azure_adls2_sas_token",
        "azure_blob_sas_token",
        "backup_plugin_path",
        "enable_parser_context_cache",
        "enable_token_check",
        "oauth2_token_server_url",
        "run_mode",
    }
)
_COMMENTS: Final = {
    "max_scalar_operator_flat_children": "scalar operator maximum number of flat children.",
    "query_detail_explain_level": "explain level of query plan in this detail",
}
_TYPES: Final = {
    "automated_cluster_snapshot_interval_seconds": "long",
    "default_replication_num": "short",
    "history_job_keep_max_second": "long",
    "query_detail_cache_time_nanosecond": "long",
}
_CONFIG: Final = {
    "arrow_token_cache_expire_second": "259200",
    "arrow_token_cache_size": "1024",
    "auth_token": "",
    "automated_cluster_snapshot_interval_seconds": "600",
    "azure_adls2_sas_token": "",
    "azure_blob_sas_token": "",
    "backup_job_default_timeout_ms": "86400000",
    "backup_plugin_path": "/tools/trans_file_tool/trans_files.sh",
    "enable_backup_materialized_view": "false",
    "enable_collect_query_detail_info": "false",
    "enable_parser_context_cache": "true",
    "enable_sync_publish": "true",
    "enable_token_check": "true",
    "expr_children_limit": "10000",
    "history_job_keep_max_second": "604800",
    "max_allowed_in_element_num_of_delete": "10000",
    "max_download_task_per_be": "0",
    "max_historical_automated_cluster_snapshot_jobs": "100",
    "max_scalar_operator_flat_children": "10000",
    "max_upload_task_per_be": "0",
    "oauth2_token_server_url": "",
    "query_detail_cache_time_nanosecond": "30000000000",
    "query_detail_explain_level": "COSTS",
    "run_mode": "shared_nothing",
}


def default_config(default_replication_num: int) -> dict[str, str]:
    """FE configuration items of a fresh frontend; only those that somebody asked for are kept."""
    return {**_CONFIG, "default_replication_num": str(default_replication_num)}


def config_type(name: str, value: str) -> str:
    """Type of a configuration item, as ADMIN SHOW FRONTEND CONFIG names it (t:57-60 of the transcripts)."""
    if value in {"true", "false"}:
        return "boolean"
    return _TYPES.get(name, "int" if value.isdigit() else "String")


def is_mutable(name: str) -> bool:
    """Whether ADMIN SET FRONTEND CONFIG may change it."""
    return name not in _FIXED


def config_comment(name: str) -> str:
    """Comment of a configuration item."""
    return _COMMENTS.get(name, "")
