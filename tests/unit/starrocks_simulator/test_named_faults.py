"""Faults by name: each of them does what the table says, at the occurrence that is meant."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pymysql
import pytest

from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut, Silence
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.named_faults import FAULTS, BadFault, plant
from starrocks_simulator.wire import serve
from tests.unit.starrocks_simulator.cluster import RANGE_TABLE, Cluster

BACKUP = "BACKUP SNAPSHOT `d`.`{}` TO r ON (t)"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A database with a table."""
    made = Cluster(tmp_path)
    made.run("CREATE DATABASE d")
    made.run(RANGE_TABLE.format(name="d.t"))
    made.run("INSERT INTO d.t VALUES (1, '2024-01-01', 10)")
    return made


def value_of(name: str) -> str:
    """A value that the fault takes."""
    wanted = FAULTS[name].value
    if wanted.startswith("KIND.STATE"):
        texts = {"run-at": " SELECT 1", "complain": " 2", "stumble": " 2", "overwrite": " 2 d.t"}
        return "=BACKUP.UPLOADING" + texts.get(name, "")
    return {"": "", "SECONDS [WORDS]": "=1", "WORDS; STATEMENT": "=USE; SELECT 1"}.get(wanted, "=x")


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_planted_and_cleared(cluster: Cluster, name: str) -> None:
    plant(cluster.frontend, name + value_of(name))
    plant(cluster.frontend, "clear")
    faults = cluster.frontend.faults
    assert not any((faults.before, faults.after, faults.delays, faults.steps, faults.registrations))
    assert not faults.hold_publish


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "",
        "cut-before#0",
        "disk-full=x",
        "cancel=UPLOADING",
        "complain=BACKUP.UPLOADING",
        "overwrite=BACKUP.PENDING d.t",
        "slow=x",
        "run-registering",
    ],
)
def test_what_makes_no_sense_is_refused(cluster: Cluster, text: str) -> None:
    with pytest.raises(BadFault):
        plant(cluster.frontend, text)


@pytest.mark.parametrize(("which", "struck"), [("", [1]), ("#2", [2]), ("#*", [1, 2, 3])])
def test_the_occurrence_that_is_meant_is_struck(cluster: Cluster, which: str, struck: list[int]) -> None:
    plant(cluster.frontend, f"deny{which}=Show Databases")
    for number in (1, 2, 3):
        cluster.run("SELECT 1")
        with pytest.raises(ServerError, match="5203") if number in struck else nullcontext():
            cluster.run("SHOW DATABASES")


def test_words_may_be_meant_to_begin_a_statement(cluster: Cluster) -> None:
    plant(cluster.frontend, "deny=^alter table")
    cluster.run("SHOW ALTER TABLE COLUMN FROM d")
    with pytest.raises(ServerError, match="5203"):
        cluster.run("ALTER TABLE d.t RENAME u")


@pytest.mark.parametrize(
    ("name", "error", "acted"),
    [
        ("cut-before", ConnectionCut, False),
        ("cut-after", ConnectionCut, True),
        ("hang-before", Silence, False),
        ("hang-after", Silence, True),
    ],
)
def test_a_lost_answer_tells_nothing_about_the_effect(
    cluster: Cluster, name: str, error: type[Exception], acted: bool
) -> None:
    plant(cluster.frontend, f"{name}=CREATE DATABASE")
    with pytest.raises(error):
        cluster.run("CREATE DATABASE e")
    assert (("e",) in cluster.run("SHOW DATABASES")) is acted


@pytest.mark.parametrize("name", sorted(name for name in FAULTS if name.startswith("refuse-")))
def test_a_refused_backup_leaves_no_job(cluster: Cluster, name: str) -> None:
    plant(cluster.frontend, name)
    with pytest.raises(ServerError) as refusal:
        cluster.run(BACKUP.format("l1"))
    assert refusal.value.errno == 5064
    assert not cluster.run("SHOW BACKUP FROM d")
    cluster.run(BACKUP.format("l2"))


def test_jobs_are_cancelled_held_and_frozen(cluster: Cluster) -> None:
    plant(cluster.frontend, "cancel=BACKUP.UPLOADING [TIMEOUT, msg: ]")
    assert cluster.backup("d", "l1", "t") == "[TIMEOUT, msg: ]"
    plant(cluster.frontend, "complain=BACKUP.UPLOADING 4 [10496: upload failed]")
    started = cluster.clock.now()
    assert cluster.backup("d", "l2", "t") == "FINISHED"
    slow = cluster.clock.now() - started
    assert cluster.job("BACKUP", "d")["TaskErrMsg"] == "[10496: upload failed]"
    started = cluster.clock.now()
    assert cluster.backup("d", "l3", "t") == "FINISHED"
    assert slow == cluster.clock.now() - started + 4 * cluster.tick
    plant(cluster.frontend, "freeze=BACKUP.SNAPSHOTING")
    with pytest.raises(AssertionError, match="still SNAPSHOTING"):
        cluster.backup("d", "l4", "t")


def test_a_stumbling_job_shows_its_status_and_goes_on(cluster: Cluster) -> None:
    plant(cluster.frontend, "stumble=BACKUP.UPLOAD_INFO 3 [COMMON_ERROR, msg: no space]")
    cluster.run(BACKUP.format("l1"))
    seen = set()
    for _ in range(12):
        seen.add((cluster.job("BACKUP", "d")["State"], cluster.job("BACKUP", "d")["Status"]))
        cluster.clock.advance(cluster.tick)
    assert ("UPLOAD_INFO", "[COMMON_ERROR, msg: no space]") in seen
    assert ("FINISHED", "[OK]") in seen


def test_root_acts_in_the_middle_of_things(cluster: Cluster) -> None:
    plant(cluster.frontend, "run-at=BACKUP.PENDING INSERT INTO d.t VALUES (2, '2024-01-02', 20)")
    plant(cluster.frontend, "run-before=SHOW DATABASES; CREATE DATABASE e")
    plant(cluster.frontend, "run-after#2=SHOW DATABASES; DROP DATABASE e FORCE")
    cluster.backup("d", "l1", "t")
    assert len(cluster.run("SELECT * FROM d.t")) == 2
    assert ("e",) in cluster.run("SHOW DATABASES")
    assert ("e",) in cluster.run("SHOW DATABASES")
    assert ("e",) not in cluster.run("SHOW DATABASES")


def test_a_frontend_restart_freezes_a_job_that_was_not_cut_yet(cluster: Cluster) -> None:
    plant(cluster.frontend, "restart=SHOW BACKUP")
    cluster.run(BACKUP.format("l1"))
    with pytest.raises(ConnectionCut):
        cluster.job("BACKUP", "d")
    assert cluster.frontend.restarts == 1
    with pytest.raises(AssertionError, match="still PENDING"):
        cluster.wait("BACKUP", "d")


@pytest.mark.parametrize("name", ["lose-snapshot", "double-snapshot", "half-written-snapshot", "differ-snapshot"])
def test_a_snapshot_is_damaged_when_it_is_asked_for_by_its_label(cluster: Cluster, name: str) -> None:
    cluster.backup("d", "l1", "t")
    cluster.backup("d", "l2", "t")
    before = {label: row(cluster, label) for label in ("l1", "l2")}
    plant(cluster.frontend, f"{name}=l2")
    assert row(cluster, "l1") == before["l1"]
    assert row(cluster, "l2") != before["l2"]


def row(cluster: Cluster, label: str) -> list[dict[str, Any]]:
    """What SHOW SNAPSHOT says of a label."""
    listed = cluster.records(f"SHOW SNAPSHOT ON r WHERE SNAPSHOT = '{label}'")
    stamp = listed[0]["Timestamp"]
    return (
        listed
        if not stamp
        else listed + cluster.records(f"SHOW SNAPSHOT ON r WHERE SNAPSHOT = '{label}' AND TIMESTAMP = '{stamp}'")
    )


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("unlistable", "SHOW SNAPSHOT ON r"),
        ("too-many-versions", "INSERT INTO d.t VALUES (2, '2024-01-02', 20)"),
        ("disk-full", "INSERT INTO d.t VALUES (2, '2024-01-02', 20)"),
        ("unreadable-partitions", "SELECT * FROM information_schema.partitions_meta"),
    ],
)
def test_a_statement_fails_with_the_servers_words_and_works_when_sent_again(
    cluster: Cluster, name: str, statement: str
) -> None:
    plant(cluster.frontend, name)
    with pytest.raises(ServerError) as refusal:
        cluster.run(statement)
    assert refusal.value.message in FAULTS[name].effect
    cluster.run(statement)


def test_held_loads_are_published_when_the_fault_is_cleared(cluster: Cluster) -> None:
    cluster.run('ADMIN SET FRONTEND CONFIG ("enable_sync_publish" = "false")')
    plant(cluster.frontend, "hold-publish")
    cluster.run("INSERT INTO d.t VALUES (2, '2024-01-02', 20)")
    assert len(cluster.run("SELECT * FROM d.t")) == 1
    plant(cluster.frontend, "clear")
    assert len(cluster.run("SELECT * FROM d.t")) == 2


def test_only_the_loads_of_one_table_are_held(cluster: Cluster) -> None:
    cluster.run('ADMIN SET FRONTEND CONFIG ("enable_sync_publish" = "false")')
    cluster.run(RANGE_TABLE.format(name="d.u"))
    plant(cluster.frontend, "hold-publish=u")
    for table in ("t", "u"):
        cluster.run(f"INSERT INTO d.{table} VALUES (2, '2024-01-02', 20)")
    assert [len(cluster.run(f"SELECT * FROM d.{table}")) for table in ("t", "u")] == [2, 0]


@pytest.mark.parametrize(("ending", "left"), [("", 0), (" abort", 1)])
def test_an_overwrite_that_is_under_way_at_the_cut_leaves_ghosts_in_the_snapshot(
    cluster: Cluster, ending: str, left: int
) -> None:
    plant(cluster.frontend, f"overwrite=BACKUP.PENDING 2 d.t{ending}")
    cluster.run(BACKUP.format("l1"))
    temporary = "SELECT PARTITION_NAME FROM information_schema.partitions_meta WHERE IS_TEMP = 1"
    cluster.clock.advance(cluster.tick)
    assert cluster.run(temporary)
    assert cluster.wait("BACKUP", "d") == "FINISHED"
    assert not cluster.run(temporary)
    assert len(cluster.run("SELECT * FROM d.t")) == left
    cluster.restore("d", "l1", "t AS r")
    with pytest.raises(ServerError, match="Range"):
        cluster.run(temporary)


def test_root_acts_while_a_restore_makes_its_table(cluster: Cluster) -> None:
    cluster.backup("d", "l1", "t")
    plant(cluster.frontend, f"run-registering={RANGE_TABLE.format(name='{name}')}")
    assert "Table r already exist in db: d" in cluster.restore("d", "l1", "t AS r")
    assert cluster.run("SHOW TABLES FROM d") == [("t",)]
    plant(cluster.frontend, "run-registering=DROP TABLE {name}")
    assert cluster.restore("d", "l1", "t AS r") == "FINISHED", "what root is answered is root's affair"


def test_a_job_that_never_moves_runs_into_its_timeout(cluster: Cluster) -> None:
    plant(cluster.frontend, "freeze=BACKUP.UPLOADING")
    cluster.run(BACKUP.format("l1") + " PROPERTIES('timeout'='600')")
    cluster.clock.advance(700)
    assert cluster.job("BACKUP", "d")["Status"] == "[TIMEOUT, msg: ]"


def test_over_the_wire_faults_are_planted_and_time_is_passed_by_a_statement(tmp_path: Path) -> None:
    frontend = Frontend(tmp_path, default_replication_num=1)
    with serve(frontend) as port, pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
        cursor = connection.cursor()
        before = frontend.clock.now()
        cursor.execute('ADMIN SET FRONTEND CONFIG ("simulator_clock_ahead" = "3600")')
        assert frontend.clock.now() - before >= 3600
        cursor.execute('ADMIN SET FRONTEND CONFIG ("simulator_fault" = "deny=SHOW DATABASES")')
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            cursor.execute("SHOW DATABASES")
        for key in ("simulator_fault", "simulator_clock_ahead"):
            with pytest.raises(pymysql.ProgrammingError):
                cursor.execute(f'ADMIN SET FRONTEND CONFIG ("{key}" = "nonsense")')


def test_over_the_wire_a_hanging_frontend_keeps_the_line_and_says_nothing(tmp_path: Path) -> None:
    frontend = Frontend(tmp_path)
    plant(frontend, "hang-after=CREATE DATABASE")
    plant(frontend, "slow=0.2 SELECT 7")
    with serve(frontend) as port:
        with pymysql.connect(host="127.0.0.1", port=port, user="root", read_timeout=1) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT 7")
            with pytest.raises(pymysql.OperationalError, match="timed out"):
                cursor.execute("CREATE DATABASE e")
        with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW DATABASES")
            assert ("e",) in cursor.fetchall()


def test_over_the_wire_a_restart_ends_every_connection(tmp_path: Path) -> None:
    frontend = Frontend(tmp_path)
    with (
        serve(frontend) as port,
        pymysql.connect(host="127.0.0.1", port=port, user="root") as one,
        pymysql.connect(host="127.0.0.1", port=port, user="root") as other,
    ):
        plant(frontend, "restart=SELECT 7")
        for connection in (one, other):
            with pytest.raises(pymysql.OperationalError, match="Lost connection"):
                connection.cursor().execute("SELECT 7")
