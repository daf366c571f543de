"""Schema changes that take time, and what they leave in SHOW ALTER TABLE (O2§y4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from starrocks_simulator.clock import VirtualClock

if TYPE_CHECKING:
    from .conftest import Refused, Run

CREATE = (
    "CREATE TABLE t (id INT NOT NULL, dt DATE NOT NULL, v INT COMMENT 'c', w VARCHAR(20)) DUPLICATE KEY(id) "
    "PARTITION BY RANGE(dt) (PARTITION p1 VALUES [('2024-01-01'), ('2024-01-02'))) DISTRIBUTED BY HASH(id) BUCKETS 2 "
    "PROPERTIES ('replication_num' = '1')"
)


def states(run: Run, kind: str = "COLUMN") -> list[str]:
    """State of each job of that kind."""
    at = {"COLUMN": 9, "ROLLUP": 8, "OPTIMIZE": 6}[kind]
    return [row[at] for row in run(f"SHOW ALTER TABLE {kind} FROM d")]


def test_a_heavy_change_is_pending_then_running_then_finished(run: Run, refused: Refused, clock: VirtualClock) -> None:
    """Meanwhile no other change is taken; versions do not move."""
    run(CREATE)
    run("INSERT INTO t VALUES (1, '2024-01-01', 5, 'x')")
    before = run("SELECT partition_id, visible_version FROM information_schema.partitions_meta")
    run("ALTER TABLE t MODIFY COLUMN v BIGINT COMMENT 'c'")
    assert states(run) == ["PENDING"]
    assert "SCHEMA_CHANGE" in refused("ALTER TABLE t ADD COLUMN x INT")
    clock.advance(9)
    assert states(run) == ["RUNNING"]
    clock.advance(9)
    assert states(run) == ["FINISHED"]
    assert run("DESC t")[2][1] == "bigint"
    assert run("SELECT v FROM t") == [(5,)]
    assert run("SELECT partition_id, visible_version FROM information_schema.partitions_meta") == before


@pytest.mark.parametrize(
    ("clause", "why"),
    [
        ("MODIFY COLUMN w VARCHAR(10)", "Cannot shorten string length"),
        ("MODIFY COLUMN v SMALLINT COMMENT 'c'", "Can not change INT to SMALLINT"),
        ("MODIFY COLUMN v INT DEFAULT '5' COMMENT 'c'", "Can not change default value"),
        ("ADD COLUMN v INT", "already exists"),
        ("DROP COLUMN nope", "does not exist"),
        ("DROP COLUMN dt", "Partition column[dt] cannot be dropped"),
    ],
)
def test_impossible_changes_are_refused(run: Run, refused: Refused, clause: str, why: str) -> None:
    """In the server's words."""
    run(CREATE)
    assert why in refused(f"ALTER TABLE t {clause}")


@pytest.mark.parametrize("clause", ["MODIFY COLUMN v COMMENT 'other'", "RENAME COLUMN v TO vv", "COMMENT = 'x'"])
def test_comments_and_names_leave_no_row(run: Run, clause: str) -> None:
    """They show in SHOW CREATE TABLE only."""
    run(CREATE)
    before = run("SHOW CREATE TABLE t")
    run(f"ALTER TABLE t {clause}")
    assert states(run) == []
    assert run("SHOW CREATE TABLE t") != before


def test_distributing_anew_gives_new_partitions_with_the_same_rows(run: Run, clock: VirtualClock) -> None:
    """With a temporary partition while it runs."""
    run(CREATE)
    run("INSERT INTO t VALUES (1, '2024-01-01', 5, 'x')")
    before = run("SHOW PARTITIONS FROM t")[0]
    run("ALTER TABLE t DISTRIBUTED BY HASH(id) BUCKETS 4")
    clock.advance(9)
    assert run("SELECT count(*) FROM information_schema.partitions_meta WHERE is_temp = 1") == [(1,)]
    clock.advance(9)
    after = run("SHOW PARTITIONS FROM t")[0]
    assert states(run, "OPTIMIZE") == ["FINISHED"]
    assert (after[0] != before[0], after[2], after[9]) == (True, "2", "4")
    assert run("SELECT v FROM t") == [(5,)]


def test_rollups_and_indexes(run: Run, clock: VirtualClock) -> None:
    """Neither shows in the columns; an index shows in SHOW CREATE TABLE."""
    run(CREATE)
    run("ALTER TABLE t ADD ROLLUP ru (dt, v)")
    clock.advance(18)
    assert states(run, "ROLLUP") == ["FINISHED"]
    run("CREATE INDEX ix ON t (v) USING BITMAP")
    clock.advance(18)
    assert "INDEX ix (`v`) USING BITMAP COMMENT ''" in run("SHOW CREATE TABLE t")[0][1]
    run("ALTER TABLE t DROP ROLLUP ru")
    run("DROP INDEX ix ON t")
    clock.advance(18)
    assert states(run) == ["FINISHED", "FINISHED"]
    assert "INDEX" not in run("SHOW CREATE TABLE t")[0][1]


def test_rows_are_kept_for_a_week(run: Run, clock: VirtualClock) -> None:
    """history_job_keep_max_second."""
    run(CREATE)
    run("ALTER TABLE t ADD COLUMN x INT")
    clock.advance(7 * 86_400 - 1)
    assert states(run) == ["FINISHED"]
    clock.advance(2)
    assert states(run) == []
