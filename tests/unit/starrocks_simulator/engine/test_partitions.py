"""Partitions of every kind: how they are written, named, filled and shown (R§8.1, O§f, O§w)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from starrocks_simulator.frontend import Frontend

if TYPE_CHECKING:
    from .conftest import Refused, Run

TAIL = "DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')"
NAMES = "SELECT partition_name FROM information_schema.partitions_meta WHERE db_name = 'd' ORDER BY partition_name"


def test_less_than_begins_where_the_one_before_ends(run: Run) -> None:
    """The first begins at the least value; MAXVALUE has no end."""
    run(
        "CREATE TABLE t (id INT, dt DATE) PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ('2024-01-02'), "
        f"PARTITION p2 VALUES LESS THAN ('2024-01-05'), PARTITION p3 VALUES LESS THAN MAXVALUE) {TAIL}"
    )
    ranges = {row[1]: row[7] for row in run("SHOW PARTITIONS FROM t")}
    assert ranges["p1"] == "[types: [DATE]; keys: [0000-01-01]; ..types: [DATE]; keys: [2024-01-02]; )"
    assert ranges["p2"] == "[types: [DATE]; keys: [2024-01-02]; ..types: [DATE]; keys: [2024-01-05]; )"
    run("INSERT INTO t VALUES (1, '1999-01-01'), (2, '2024-01-02'), (3, '2030-01-01'), (4, NULL)")
    counted = {name: run(f"SELECT count(*) FROM t PARTITION ({name})")[0][0] for name in ranges}
    assert counted == {"p1": 2, "p2": 1, "p3": 1}


def test_a_batch_makes_one_partition_per_step(run: Run) -> None:
    """START END EVERY, by days and by numbers."""
    run(
        "CREATE TABLE t (id INT, dt DATE) PARTITION BY RANGE(dt) (START ('2024-01-30') END ('2024-04-01') EVERY "
        f"(INTERVAL 1 MONTH)) {TAIL}"
    )
    run(f"CREATE TABLE u (id INT) PARTITION BY RANGE(id) (START ('0') END ('30') EVERY (10)) {TAIL}")
    assert [row[1] for row in run("SHOW PARTITIONS FROM u")] == ["p0", "p10", "p20"]
    assert len(run("SHOW PARTITIONS FROM t")) == 3


def test_ranges_of_several_columns(run: Run) -> None:
    """Compared column by column."""
    run(
        "CREATE TABLE t (id INT, a INT, b INT) PARTITION BY RANGE(a, b) (PARTITION p1 VALUES LESS THAN ('1', '5'), "
        f"PARTITION p2 VALUES LESS THAN ('2', '0')) {TAIL}"
    )
    run("INSERT INTO t VALUES (1, 1, 4), (2, 1, 5), (3, 0, 99)")
    assert run("SELECT id FROM t PARTITION (p1) ORDER BY id") == [(1,), (3,)]
    assert run("SELECT id FROM t PARTITION (p2)") == [(2,)]


def test_list_partitions_of_one_and_several_columns(run: Run, refused: Refused) -> None:
    """Several values per partition; a value belongs to one partition only."""
    run(
        "CREATE TABLE t (id INT, c VARCHAR(9) NOT NULL) PARTITION BY LIST(c) (PARTITION pa VALUES IN ('a', 'b'), "
        f"PARTITION pc VALUES IN ('c')) {TAIL}"
    )
    run(
        "CREATE TABLE u (id INT, c VARCHAR(9) NOT NULL, n INT NOT NULL) PARTITION BY LIST(c, n) "
        f"(PARTITION p1 VALUES IN (('a', '1'), ('b', '2'))) {TAIL}"
    )
    run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    run("INSERT INTO u VALUES (1, 'b', 2)")
    assert run("SELECT id FROM t PARTITION (pa) ORDER BY id") == [(1,), (2,)]
    assert [row[7] for row in run("SHOW PARTITIONS FROM t")] == ['[["a"],["b"]]', '[["c"]]']
    assert [row[7] for row in run("SHOW PARTITIONS FROM u")] == ['[["a","1"],["b","2"]]']
    assert "Duplicate" in refused("ALTER TABLE t ADD PARTITION pz VALUES IN ('b')")
    assert "filtered" in refused("INSERT INTO t VALUES (4, 'zz')")


def test_an_expression_makes_partitions_on_load(run: Run) -> None:
    """Named after the day; the shadow partition stays and shows only in partitions_meta (O§f)."""
    run(f"CREATE TABLE t (id INT, dt DATETIME) PARTITION BY date_trunc('day', dt) {TAIL}")
    assert run(NAMES) == [("$shadow_automatic_partition",)]
    assert run("SHOW PARTITIONS FROM t") == []
    run("INSERT INTO t VALUES (1, '2024-01-01 10:00:00'), (2, '2024-02-03')")
    assert run(NAMES) == [("$shadow_automatic_partition",), ("p20240101",), ("p20240203",)]
    assert "PARTITION BY date_trunc('day', dt)\n" in run("SHOW CREATE TABLE t")[0][1]


@pytest.mark.parametrize(("unit", "name"), [("hour", "p2024020310"), ("month", "p202402"), ("year", "p2024")], ids=str)
def test_names_follow_the_unit(run: Run, unit: str, name: str) -> None:
    """A `p` and the beginning of the span."""
    run(f"CREATE TABLE t (id INT, dt DATETIME) PARTITION BY date_trunc('{unit}', dt) {TAIL}")
    run("INSERT INTO t VALUES (1, '2024-02-03 10:20:30')")
    assert (name,) in run(NAMES)


def test_columns_make_list_partitions_on_load(run: Run) -> None:
    """Names are squeezed; two values that squeeze to one name get two partitions (O§f)."""
    run(f"CREATE TABLE t (id INT, c VARCHAR(20)) PARTITION BY (c) {TAIL}")
    run("INSERT INTO t VALUES (1, 'new york'), (2, 'a-b'), (3, 'ab'), (4, NULL), (5, 'rome')")
    names = [name for (name,) in run(NAMES)]
    assert {"$shadow_automatic_partition", "pnewyork", "prome", "pNULL"} < set(names)
    assert len(names) == 6
    run("INSERT INTO t VALUES (6, 'ab')")
    assert len(run(NAMES)) == 6


def test_a_column_beside_an_expression_has_a_hidden_column(run: Run) -> None:
    """It is stored, and shown by SHOW CREATE TABLE only."""
    run(f"CREATE TABLE t (id INT, c VARCHAR(20), dt DATETIME) PARTITION BY c, date_trunc('day', dt) {TAIL}")
    run("INSERT INTO t VALUES (1, 'new york', '2024-01-01 10:00:00')")
    assert ("pnewyork_20240101",) in run(NAMES)
    assert [row[0] for row in run("DESC t")] == ["id", "c", "dt"]
    assert (
        "`__generated_partition_column_0` datetime NULL AS date_trunc('day', `dt`)" in run("SHOW CREATE TABLE t")[0][1]
    )
    assert len(run("SELECT * FROM t")[0]) == 3


def test_dynamic_partitions_are_made_with_the_table(run: Run) -> None:
    """From today to `end` units ahead (w:27 of the transcripts)."""
    run(
        "CREATE TABLE t (id INT, dt DATE) PARTITION BY RANGE(dt) () DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ("
        "'replication_num' = '1', 'dynamic_partition.enable' = 'true', 'dynamic_partition.time_unit' = 'DAY', "
        "'dynamic_partition.start' = '-2', 'dynamic_partition.end' = '1', 'dynamic_partition.prefix' = 'p')"
    )
    assert [row[1] for row in run("SHOW PARTITIONS FROM t")] == ["p20270115", "p20270116"]
    assert run("SHOW DYNAMIC PARTITION TABLES FROM d")[0][:2] == ("t", "true")


@pytest.mark.parametrize(
    ("unit", "first"),
    [("DAY", ""), ("week", '"dynamic_partition.start_day_of_week" = "1",'), ("MONTH", "start_day_of_month")],
)
def test_what_is_left_out_of_dynamic_partitioning_is_shown_as_it_is_taken(run: Run, unit: str, first: str) -> None:
    """w:27; the range is open below, and the table's own buckets are used."""
    run(
        "CREATE TABLE t (id INT, day DATE) PARTITION BY RANGE(day) () DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ("
        f"'replication_num' = '1', 'dynamic_partition.time_unit' = '{unit}', 'dynamic_partition.end' = '1', "
        "'dynamic_partition.prefix' = 'p')"
    )
    ((_, text),) = run("SHOW CREATE TABLE t")
    for name, value in {"start": "-2147483648", "buckets": "0", "enable": "true", "history_partition_num": "0"}.items():
        assert f'"dynamic_partition.{name}" = "{value}"' in text
    assert first in text
    assert len(run("SHOW PARTITIONS FROM t")) == 2


def test_a_table_made_again_from_its_text_has_the_dynamic_partitions_that_the_text_names(run: Run) -> None:
    run(
        "CREATE TABLE t (id INT, dt DATE) PARTITION BY RANGE(dt) () DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ("
        "'replication_num' = '1', 'dynamic_partition.enable' = 'true', 'dynamic_partition.time_unit' = 'DAY', "
        "'dynamic_partition.start' = '-2', 'dynamic_partition.end' = '1', 'dynamic_partition.prefix' = 'p')"
    )
    text = run("SHOW CREATE TABLE t")[0][1]
    run("DROP TABLE t FORCE")
    run(text)
    assert [row[1] for row in run("SHOW PARTITIONS FROM t")] == ["p20270115", "p20270116"]


def test_dynamic_overwrite_replaces_only_what_it_fills(run: Run) -> None:
    """And fails as the server does when the shadow is gone (O§f)."""
    run(f"CREATE TABLE t (id INT, c VARCHAR(20)) PARTITION BY (c) {TAIL}")
    run("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    run("SET dynamic_overwrite = true")
    run("INSERT OVERWRITE t VALUES (3, 'b'), (4, 'c')")
    assert run("SELECT id FROM t ORDER BY id") == [(1,), (3,), (4,)]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("ALTER TABLE t DROP PARTITION {}", "1064 Getting analyzing error. Detail message: Deletion of shadow"),
        ("ALTER TABLE t RENAME PARTITION {} x", "1064 Rename of shadow partitions is not allowed"),
        ("TRUNCATE TABLE t PARTITION ({})", "1064 Truncate of shadow partitions is not allowed"),
        ("ALTER TABLE t ADD PARTITION {} VALUES IN ('z')", "1567 Getting analyzing error."),
    ],
)
def test_the_shadow_cannot_be_touched(run: Run, refused: Refused, sql: str, answer: str) -> None:
    """By no DDL that names it (O§f)."""
    run(f"CREATE TABLE t (id INT, c VARCHAR(20)) PARTITION BY (c) {TAIL}")
    assert refused(sql.format("`$shadow_automatic_partition`")).startswith(answer)


def test_a_load_into_an_unknown_partition_is_refused(run: Run, refused: Refused) -> None:
    """Without a word on where it stands (y1_list_noprec:61 of the transcripts)."""
    run(f"CREATE TABLE t (id INT, c VARCHAR(20)) PARTITION BY (c) {TAIL}")
    assert refused("INSERT INTO t PARTITION (nope) VALUES (1, 'a')") == (
        "1064 Getting analyzing error. Detail message: Unknown partition 'nope' in table 't'."
    )


def test_an_overwrite_under_way_has_temporary_partitions(run: Run, frontend: Frontend) -> None:
    """They stand until it ends; then ids and versions are theirs."""
    run(f"CREATE TABLE t (id INT) {TAIL}")
    run("INSERT INTO t VALUES (1)")
    before = run("SELECT partition_id FROM information_schema.partitions_meta")
    overwriting = frontend.begin_overwrite("d", "t")
    assert [row[0] for row in run("SELECT is_temp FROM information_schema.partitions_meta ORDER BY 1")] == [0, 1]
    overwriting.finish()
    after = run("SELECT partition_id, visible_version, is_temp FROM information_schema.partitions_meta")
    assert [row[1:] for row in after] == [(1, 0)]
    assert after[0][0] != before[0][0]
    frontend.begin_overwrite("d", "t").abort()
    assert run("SELECT partition_id, visible_version, is_temp FROM information_schema.partitions_meta") == after


def test_a_dropped_column_leaves_nothing_to_its_namesake(run: Run) -> None:
    """DROP c + ADD c: the old values are gone for good (O2§0.4)."""
    run(f"CREATE TABLE t (id INT, c INT) DUPLICATE KEY(id) {TAIL}")
    run("INSERT INTO t VALUES (1, 7)")
    run("ALTER TABLE t DROP COLUMN c")
    run("ALTER TABLE t ADD COLUMN c INT DEFAULT '5'")
    assert run("SELECT * FROM t") == [(1, 5)]
    jobs = run("SHOW ALTER TABLE COLUMN FROM d")
    assert [row[9] for row in jobs] == ["FINISHED", "FINISHED"]
    assert int(jobs[0][0]) < int(jobs[1][0])
