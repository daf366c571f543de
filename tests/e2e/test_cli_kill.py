"""Killed in the middle of it: nothing is lost, nothing stays blocked. Every moment there is: `tests/property`."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clusters import Cluster, Shop, simulator
from tests.e2e.processes import read_until, run, start

BUSY = 11
PATIENCE = 60.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A simulator that is slow enough to be in the middle of something."""
    with simulator(tmp_path / "repository", tick=0.3) as found:
        yield found


@pytest.fixture
def shop(cluster: Cluster) -> Shop:
    """Two tables with rows."""
    made = Shop(cluster)
    made.open()
    return made


@pytest.mark.parametrize("moment", ["db1: sent, snapshot ", "ops: sent, snapshot "])
def test_a_killed_backup_is_settled_by_the_next_one(cluster: Cluster, shop: Shop, moment: str, tmp_path: Path) -> None:
    config = ("--config", str(cluster.config(tmp_path, shop.table_a)))
    assert run("init", *config, cwd=tmp_path).returncode == 0
    process = start("backup", *config, cwd=tmp_path)
    read_until(process, moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = run("backup", *config, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(run("list", "--all", "--json", *config, cwd=tmp_path).stdout)["result"]["entries"]
    assert {entry["status"] for entry in listed} <= {"FINISHED", "UNCHANGED"}
    rows = shop.rows(shop.table_a)
    cluster.sql(f"DROP TABLE {shop.table_a} FORCE")
    point = next(entry["point"] for entry in listed if entry["restorable"])
    done = run("restore", "--table", shop.table_a, "--timestamp", point, *config, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shop.rows(shop.table_a) == rows


@pytest.mark.parametrize(
    ("moment", "number"),
    [("RESTORE DOWNLOAD", signal.SIGKILL), ("step 3/", signal.SIGINT)],
)
def test_a_stopped_restore_is_taken_back_by_the_next_command(
    cluster: Cluster, shop: Shop, moment: str, number: int, tmp_path: Path
) -> None:
    config = ("--config", str(cluster.config(tmp_path, shop.table_a)))
    assert run("init", *config, cwd=tmp_path).returncode == 0
    assert run("backup", *config, cwd=tmp_path).returncode == 0
    shop.trade()
    assert run("backup", *config, cwd=tmp_path).returncode == 0
    rows = shop.rows(shop.table_a)
    cluster.sql(f"DROP TABLE {shop.table_a} FORCE")
    restore = ("restore", "--table", shop.table_a, "--timestamp", "2099-01-01 00:00:00", *config)
    process = start(*restore, cwd=tmp_path)
    read_until(process, moment)
    process.send_signal(number)
    process.communicate()
    until = time.monotonic() + PATIENCE
    done = run(*restore, cwd=tmp_path)
    while done.returncode == BUSY and time.monotonic() < until:
        # a restore that was heard of a moment ago may be alive: let that moment pass
        cluster.sql('ADMIN SET FRONTEND CONFIG ("simulator_clock_ahead" = "61")')
        done = run(*restore, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shop.rows(shop.table_a) == rows
    aside = [name for (name,) in cluster.sql("SHOW TABLES FROM db1") if name != "tableA"]
    assert all(name.startswith("__br_") for name in aside), "what was seen under the target's name is only put aside"
    assert not aside or moment.startswith("step"), "what was never seen is dropped"
