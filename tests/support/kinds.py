"""Every kind of table, with a life of its own: four nights that leave its schema alone, and a change of it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

WIDER = ("ALTER TABLE {t} ADD COLUMN late INT DEFAULT '7'",)
DOUBLED = ("INSERT INTO {t} SELECT * FROM {t}",)


@frozen(kw_only=True)
class Kind:
    """One kind of table and its life; `{t}` is the table, `{d}` its database.

    Attributes:
        create: Its columns and clauses.
        nights: What happens before each backup: the first one is full, the others are incremental.
        captured: How many partitions each incremental takes.
        change: What changes the schema then.
        after: What must work after a restore to the last night.
        whole: Whether each backup takes the table whole.
    """

    create: str
    nights: tuple[tuple[str, ...], ...]
    captured: tuple[int, ...]
    change: tuple[str, ...] = WIDER
    after: tuple[str, ...] = DOUBLED
    whole: bool = False


ONE = "PROPERTIES ('replication_num' = '1')"
HASH = f"DISTRIBUTED BY HASH(id) BUCKETS 2 {ONE}"
DATED = "(id INT NOT NULL, day DATE NOT NULL, v INT)"
DAYS = (
    "PARTITION BY RANGE(day) (PARTITION p1 VALUES [('2026-01-01'), ('2026-01-02')), "
    "PARTITION p2 VALUES [('2026-01-02'), ('2026-01-03')))"
)
DAILY = (
    ("INSERT INTO {t} VALUES (1, '2026-01-01', 1), (2, '2026-01-02', 2)",),
    (
        "ALTER TABLE {t} ADD PARTITION p3 VALUES [('2026-01-03'), ('2026-01-04'))",
        "INSERT INTO {t} VALUES (3, '2026-01-03', 3)",
    ),
    ("TRUNCATE TABLE {t} PARTITION (p1)", "INSERT INTO {t} VALUES (4, '2026-01-02', 4)"),
    ("ALTER TABLE {t} DROP PARTITION p2 FORCE", "INSERT INTO {t} VALUES (5, '2026-01-03', 5)"),
)
AUTOMATIC = (
    "INSERT INTO {t} SELECT * FROM {t}",
    "SET dynamic_overwrite = true",
    "INSERT OVERWRITE {t} SELECT * FROM {t}",
    "SET dynamic_overwrite = false",
)


def daily(
    columns: str = DATED,
    keys: str = "DUPLICATE KEY(id)",
    *,
    buckets: str = HASH,
    first: tuple[str, ...] = (),
    change: tuple[str, ...] = WIDER,
    after: tuple[str, ...] = DOUBLED,
) -> Kind:
    """A table with a partition per day: one is added, one truncated, one dropped."""
    nights = ((*first, *DAILY[0]), *DAILY[1:])
    create = f"{columns} {keys} {DAYS} {buckets}"
    return Kind(create=create, nights=nights, captured=(1, 2, 1), change=change, after=after)


KINDS: Mapping[str, Kind] = {
    "range": daily(),
    "range, two columns": Kind(
        create="(id INT, a INT, b INT) DUPLICATE KEY(id) PARTITION BY RANGE(a, b) (PARTITION p1 VALUES "
        f"[('0', '0'), ('10', '10')), PARTITION p2 VALUES [('10', '10'), ('20', '20'))) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, 1, 1), (2, 15, 1)",),
            ("DELETE FROM {t} PARTITION (p2) WHERE a = 15",),
            ("ALTER TABLE {t} ADD PARTITION p3 VALUES [('20', '20'), ('30', '5'))",),
            ("INSERT INTO {t} VALUES (3, 25, 1), (4, 20, 21)",),
        ),
        captured=(1, 1, 1),
    ),
    "range, open below": Kind(
        create="(id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) (PARTITION p1 VALUES LESS THAN ('10'), "
        f"PARTITION p2 VALUES LESS THAN ('20')) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, -5), (2, 15)",),
            ("INSERT INTO {t} VALUES (3, 5)",),
            ("INSERT INTO {t} VALUES (4, 16)",),
            ("ALTER TABLE {t} ADD PARTITION p3 VALUES LESS THAN (MAXVALUE)", "INSERT INTO {t} VALUES (5, 99)"),
        ),
        captured=(1, 1, 1),
    ),
    "primary key": daily(
        keys="PRIMARY KEY(id, day)",
        after=("UPDATE {t} SET v = 9 WHERE id = 5", "INSERT INTO {t} SELECT * FROM {t}"),
    ),
    "unique": daily(keys="UNIQUE KEY(id, day)", after=("INSERT INTO {t} VALUES (5, '2026-01-03', 50)",)),
    "aggregate": daily(
        "(id INT NOT NULL, day DATE NOT NULL, v BIGINT SUM)",
        "AGGREGATE KEY(id, day)",
        change=("ALTER TABLE {t} ADD COLUMN late BIGINT SUM DEFAULT '7'",),
    ),
    "random buckets": daily(buckets=f"DISTRIBUTED BY RANDOM BUCKETS 3 {ONE}"),
    "rollup": daily(
        first=("ALTER TABLE {t} ADD ROLLUP by_day (day, v)",), change=("ALTER TABLE {t} ADD ROLLUP by_v (v, id)",)
    ),
    "synchronous view": daily(
        first=("CREATE MATERIALIZED VIEW {d}.per_day AS SELECT day, SUM(v) FROM {t} GROUP BY day",),
    ),
    "colocate group": daily(buckets=HASH.replace("PROPERTIES (", "PROPERTIES ('colocate_with' = 'near', ")),
    "dynamic partition": daily(
        buckets=HASH.replace(
            "PROPERTIES (",
            "PROPERTIES ('dynamic_partition.enable' = 'true', 'dynamic_partition.time_unit' = 'DAY', "
            "'dynamic_partition.end' = '1', 'dynamic_partition.prefix' = 'q', 'dynamic_partition.buckets' = '2', ",
        ),
    ),
    "lifetime": daily(buckets=HASH.replace("PROPERTIES (", "PROPERTIES ('partition_live_number' = '3', ")),
    "retention condition": daily(
        buckets=HASH.replace(
            "PROPERTIES (", "PROPERTIES ('partition_retention_condition' = 'day >= current_date() - interval 3 month', "
        ),
    ),
    "replication of its own": daily(
        first=(
            "ALTER TABLE {t} MODIFY PARTITION p1 SET ('replication_num' = '3')",
            "ALTER TABLE {t} MODIFY PARTITION p2 SET ('replication_num' = '2')",
        ),
    ),
    "list": Kind(
        create="(id INT, c VARCHAR(9) NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(c) (PARTITION pa VALUES IN ('a'), "
        f"PARTITION pb VALUES IN ('b', 'b b')) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, 'a'), (2, 'b b')",),
            ("ALTER TABLE {t} ADD PARTITION pc VALUES IN ('c', 'it''s')", "INSERT INTO {t} VALUES (3, 'it''s')"),
            ("ALTER TABLE {t} DROP PARTITION pa FORCE", "INSERT INTO {t} VALUES (4, 'b')"),
            ("ALTER TABLE {t} ADD PARTITION pa VALUES IN ('a') ", "INSERT INTO {t} VALUES (5, 'a')"),
        ),
        captured=(1, 1, 1),
    ),
    "list, pairs": Kind(
        create="(id INT, a VARCHAR(9) NOT NULL, b INT NOT NULL) DUPLICATE KEY(id) PARTITION BY LIST(a, b) "
        f"(PARTITION p1 VALUES IN (('x', '1'))) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, 'x', 1)",),
            (
                "ALTER TABLE {t} ADD PARTITION p2 VALUES IN (('u', '2'), ('u', '3'))",
                "INSERT INTO {t} VALUES (2, 'u', 3)",
            ),
            ("INSERT INTO {t} VALUES (3, 'x', 1)",),
            ("TRUNCATE TABLE {t} PARTITION (p2)",),
        ),
        captured=(1, 1, 1),
    ),
    "list, automatic": Kind(
        create=f"(id INT, c VARCHAR(9) NOT NULL) DUPLICATE KEY(id) PARTITION BY (c) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, 'rome'), (2, 'oslo')",),
            ("INSERT INTO {t} VALUES (3, 'oslo'), (4, 'bern')",),
            ("ALTER TABLE {t} DROP PARTITION prome FORCE",),
            ("INSERT INTO {t} VALUES (5, 'rome')",),
        ),
        captured=(2, 0, 1),
        after=("INSERT INTO {t} (id, c) VALUES (6, 'lima')", *AUTOMATIC),
    ),
    "expression": Kind(
        create=f"(id INT, at DATETIME) DUPLICATE KEY(id) PARTITION BY date_trunc('day', at) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-02 10:00:00')",),
            ("INSERT INTO {t} VALUES (3, '2026-01-01 11:00:00'), (4, '2026-01-03 10:00:00')",),
            ("INSERT OVERWRITE {t} PARTITION (p20260102) VALUES (5, '2026-01-02 12:00:00')",),
            ("ALTER TABLE {t} DROP PARTITION p20260101 FORCE", "INSERT INTO {t} VALUES (6, '2026-01-03 10:00:00')"),
        ),
        captured=(2, 1, 1),
        after=("INSERT INTO {t} (id, at) VALUES (7, '2026-01-09 10:00:00')", *AUTOMATIC),
    ),
    "expression, emptied": Kind(
        create=f"(id INT, at DATETIME) DUPLICATE KEY(id) PARTITION BY date_trunc('day', at) {HASH}",
        nights=(
            (
                "INSERT INTO {t} VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-01 11:00:00')",
                "INSERT INTO {t} VALUES (3, '2026-01-02 10:00:00')",
            ),
            ("TRUNCATE TABLE {t} PARTITION (p20260102)",),
            ("INSERT INTO {t} VALUES (4, '2026-01-03 10:00:00')",),
            ("DELETE FROM {t} PARTITION (p20260103) WHERE id = 4",),
        ),
        captured=(1, 1, 1),
        after=("INSERT INTO {t} (id, at) VALUES (7, '2026-01-09 10:00:00')", *AUTOMATIC),
    ),
    "unpartitioned": Kind(
        create=f"(id INT, v INT) DUPLICATE KEY(id) {HASH}",
        nights=(
            ("INSERT INTO {t} VALUES (1, 1), (1, 1)",),
            ("INSERT INTO {t} VALUES (2, 2)",),
            ("DELETE FROM {t} WHERE id = 1",),
            ("TRUNCATE TABLE {t}", "INSERT INTO {t} VALUES (3, 3)"),
        ),
        captured=(1, 1, 1),
    ),
    "generated column": Kind(
        create=f"(id INT NOT NULL, v INT, twice INT AS (v * 2)) PRIMARY KEY(id) {HASH}",
        nights=(
            ("INSERT INTO {t} (id, v) VALUES (1, 1), (2, 2)",),
            ("INSERT INTO {t} (id, v) VALUES (3, 3)",),
            ("DELETE FROM {t} WHERE id = 1",),
            ("INSERT INTO {t} (id, v) VALUES (2, 20)",),
        ),
        captured=(1, 1, 1),
        after=("INSERT INTO {t} (id, v) SELECT id, v + 1 FROM {t}",),
    ),
    "numbers of its own": Kind(
        create="(id BIGINT NOT NULL AUTO_INCREMENT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) "
        f"(PARTITION p1 VALUES [('0'), ('10')), PARTITION p2 VALUES [('10'), ('20'))) {HASH}",
        nights=(
            ("INSERT INTO {t} (k) VALUES (1), (11)",),
            ("INSERT INTO {t} (k) VALUES (12), (13)",),
            ("INSERT INTO {t} (k) VALUES (2)",),
            ("INSERT INTO {t} (k) VALUES (3), (4), (5)",),
        ),
        captured=(1, 1, 1),
    ),
    "grown buckets": Kind(
        create="(id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) (PARTITION p1 VALUES [('0'), ('10')), "
        "PARTITION p2 VALUES [('10'), ('20'))) DISTRIBUTED BY RANDOM "
        "PROPERTIES ('replication_num' = '1', 'bucket_size' = '1')",
        nights=(
            (
                "INSERT INTO {t} VALUES (1, 1)",
                "INSERT INTO {t} VALUES (2, 2), (3, 11)",
                "INSERT INTO {t} VALUES (4, 3)",
            ),
            ("INSERT INTO {t} VALUES (5, 12)", "INSERT INTO {t} VALUES (6, 13)"),
            ("INSERT INTO {t} VALUES (7, 4)",),
            ("ALTER TABLE {t} ADD PARTITION p3 VALUES [('20'), ('30'))", "INSERT INTO {t} VALUES (8, 21)"),
        ),
        captured=(1, 1, 1),
    ),
    "grown buckets, once": Kind(
        create="(id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) (PARTITION p1 VALUES [('0'), ('10'))) "
        "DISTRIBUTED BY RANDOM PROPERTIES ('replication_num' = '1', 'bucket_size' = '1')",
        nights=(
            ("INSERT INTO {t} VALUES (1, 1)",) * 3,
            *(
                (
                    f"ALTER TABLE {{t}} ADD PARTITION q{number} VALUES [('{number}0'), ('{number + 1}0'))",
                    f"INSERT INTO {{t}} VALUES ({number}, {number}5)",
                )
                for number in (1, 2, 3)
            ),
        ),
        captured=(1, 1, 1),
    ),
    "grown buckets, unpartitioned": Kind(
        create="(id INT, k INT) DUPLICATE KEY(id) DISTRIBUTED BY RANDOM "
        "PROPERTIES ('replication_num' = '1', 'bucket_size' = '1')",
        nights=tuple((f"INSERT INTO {{t}} VALUES ({night}, {night})",) * 2 for night in range(4)),
        captured=(1, 1, 1),
        whole=True,
    ),
    "grown buckets, automatic": Kind(
        create="(id INT, at DATETIME) DUPLICATE KEY(id) PARTITION BY date_trunc('day', at) DISTRIBUTED BY RANDOM "
        "PROPERTIES ('replication_num' = '1', 'bucket_size' = '1')",
        nights=(
            ("INSERT INTO {t} VALUES (1, '2026-01-01 10:00:00')",) * 2,
            ("INSERT INTO {t} VALUES (2, '2026-01-02 10:00:00')",) * 2,
            ("INSERT INTO {t} VALUES (3, '2026-01-03 10:00:00')",),
            ("INSERT INTO {t} VALUES (4, '2026-01-03 11:00:00')",),
        ),
        captured=(1, 1, 1),
        after=("INSERT INTO {t} (id, at) VALUES (7, '2026-01-09 10:00:00')", *AUTOMATIC),
    ),
    "empty": Kind(
        create=f"(id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) (PARTITION p1 VALUES [('0'), ('10'))) {HASH}",
        nights=(
            (),
            ("ALTER TABLE {t} ADD PARTITION p2 VALUES [('10'), ('20'))",),
            ("INSERT INTO {t} VALUES (1, 1)",),
            ("TRUNCATE TABLE {t}",),
        ),
        captured=(1, 1, 2),
    ),
    "never loaded": Kind(
        create=f"(id INT, v INT) DUPLICATE KEY(id) {HASH}", nights=((), (), (), ()), captured=(0, 0, 0)
    ),
}
NEVER_LOADED = frozenset({"empty", "never loaded"})
"""Kinds without a row to be doubled."""
