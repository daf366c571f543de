"""Properties of tables: which there are, and what a replication number may be (R§12.2)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.errors import refused

_KNOWN: Final = frozenset(
    {
        "base_compaction_forbidden_time_ranges", "binlog_enable", "binlog_max_size", "binlog_ttl_second",
        "bloom_filter_columns", "bloom_filter_fpp", "bucket_size", "colocate_with", "compression",
        "enable_async_write_back", "enable_load_profile", "enable_persistent_index",
        "enable_statistic_collect_on_first_load", "fast_schema_evolution", "foreign_key_constraints", "in_memory",
        "labels.location", "light_schema_change", "mutable_bucket_num", "partition_live_number",
        "partition_retention_condition", "partition_ttl", "partition_ttl_number", "persistent_index_type",
        "primary_index_cache_expire_sec", "replicated_storage", "replication_num", "storage_cooldown_time",
        "storage_cooldown_ttl", "storage_format", "storage_medium", "storage_type", "storage_volume", "tablet_type",
        "time_drift_constraint", "unique_constraints", "use_light_schema_change", "write_quorum",
    }
)  # fmt: skip
_FAMILIES: Final = ("datacache.", "default.", "dynamic_partition.", "flat_json.")


def unknown(properties: dict[str, str]) -> str:
    """Those that no table has, as the server lists them; "" if there are none."""
    left = [f"{key}={value}" for key, value in properties.items() if key not in _KNOWN and not _of_a_family(key)]
    return f"Unknown properties: {{{', '.join(left)}}}" if left else ""


def replication(written: str) -> int:
    """A replication number.

    Raises:
        ServerError: It is no number, or not above 0.
    """
    try:
        wanted = int(written)
    except ValueError:
        raise refused(f'For input string: "{written}"') from None
    if wanted <= 0:
        raise refused("Replication num should larger than 0")
    return wanted


def _of_a_family(key: str) -> bool:
    return key.startswith(_FAMILIES)
