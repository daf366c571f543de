"""The commands exactly as they were asked for, by subprocess, against a server that speaks the real protocol."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clusters import REAL, Cluster, Shop, simulator, some_cluster
from tests.e2e.processes import read_until, run, start

SEED = """\
host: localhost
port: 9030
user: root
password: secret
database: ops
tables:
  - db1.tableA
  - db2.tableB
repository: my_backup_repo
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of our own, or the real one."""
    with some_cluster(tmp_path / "repository") as found:
        yield found


@pytest.fixture
def shop(cluster: Cluster) -> Shop:
    """Two tables with rows."""
    made = Shop(cluster)
    made.open()
    return made


@pytest.mark.skipif(bool(REAL), reason="the seed's file names databases that are not ours to drop on a real cluster")
def test_the_commands_work_as_written(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(SEED.replace("9030", str(cluster.port)))
    config = ("--config", "config.yaml")
    assert run("--help", cwd=tmp_path).returncode == 0
    for command in ("init", "backup", "list"):
        done = run(command, *config, cwd=tmp_path)
        assert (done.returncode, done.stdout != "") == (0, True), done.stderr
    before = shop.rows(shop.table_a)
    cluster.sql(f"DROP TABLE {shop.table_a} FORCE")
    point = run("list", *config, cwd=tmp_path).stdout.splitlines()[1][: len("2025-10-06 12:00:00")]
    done = run("restore", *config, "--table", "db1.tableA", "--timestamp", point, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shop.rows(shop.table_a) == before
    early = run("restore", *config, "--table", "db1.tableA", "--timestamp", "2025-10-06 12:00:00", cwd=tmp_path)
    assert (early.returncode, early.stdout) == (14, "")
    assert early.stderr.splitlines()[-3].startswith("error: db1.tableA cannot be restored to 2025-10-06 12:00:00+00:00")


def test_full_incremental_and_back_to_both_points(cluster: Cluster, shop: Shop, tmp_path: Path) -> None:
    config = ("--config", str(cluster.config(tmp_path, shop.table_a, shop.table_b)))
    rows = {}
    assert run("init", *config, cwd=tmp_path).returncode == 0
    for moment in ("first", "second"):
        done = run("backup", "--json", *config, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (table,) = json.loads(done.stdout)["result"]["databases"][0]["tables"]
        rows[table["point"]] = shop.rows(shop.table_a)
        if moment == "first":
            shop.trade()
    assert len(rows) == 2
    for point, before in rows.items():
        cluster.sql(f"DROP TABLE {shop.table_a} FORCE")
        done = run("restore", "--table", shop.table_a, "--timestamp", point, *config, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert shop.rows(shop.table_a) == before


def test_a_configuration_with_mistakes_names_them_all(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("hots: localhost\nport: many\n")
    done = run("list", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 2
    assert document["error"]["kind"] == "InvalidSettings"
    assert len(document["error"]["problems"]) > 2
    assert "Traceback" not in done.stderr


def test_no_configuration_is_a_friendly_error(tmp_path: Path) -> None:
    done = run("list", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "--config" in done.stderr


def test_nobody_at_home_is_13(tmp_path: Path) -> None:
    nobody = Cluster(host="127.0.0.1", port=1, user="root", password="hush-hush", repository="r")
    done = run("list", "--config", str(nobody.config(tmp_path, "db1.t")), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (13, "")
    assert "hush-hush" not in done.stderr


def test_a_wrong_password_is_12_and_stays_secret(cluster: Cluster, tmp_path: Path) -> None:
    config = str(cluster.config(tmp_path, "db1.t", password="hush-hush"))
    done = run("list", "-v", "--config", config, cwd=tmp_path)
    assert done.returncode == 12
    assert "hush-hush" not in done.stdout + done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_backup_is_found_and_recorded_by_the_next_one(number: int, code: int, tmp_path: Path) -> None:
    with simulator(tmp_path / "repository", tick=0.3) as cluster:
        shop = Shop(cluster)
        shop.open()
        config = ("--config", str(cluster.config(tmp_path, shop.table_a)))
        assert run("init", *config, cwd=tmp_path).returncode == 0
        process = start("backup", *config, cwd=tmp_path)
        label = read_until(process, ": sent, snapshot ").split()[-1]
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert "goes on on the server" in err
        assert "Traceback" not in err
        assert run("backup", *config, cwd=tmp_path).returncode == 0
        shown = run("show", label, "--json", *config, cwd=tmp_path)
        assert json.loads(shown.stdout)["result"]["status"] == "FINISHED"
