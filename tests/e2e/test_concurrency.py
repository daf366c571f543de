"""Several commands at once on one cluster: they wait for each other or say who is in the way; no point is wrong then.

STARROCKS_BR_ROUNDS says how often each meeting is played (once unless told). What is random in it comes from the seed
that is printed.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from starrocks_br import connect
from starrocks_simulator.frontend import Frontend
from starrocks_simulator.wire import serve
from tests.e2e.clusters import PASSWORD, TICK, Cluster, Shop, at_port, make_repository
from tests.e2e.forked_cli import begin
from tests.e2e.forks import forked_frontend, undone

ROUNDS = int(os.environ.get("STARROCKS_BR_ROUNDS", "1"))
OK, USAGE, PARTIAL, BUSY, MISMATCH = 0, 2, 3, 11, 15
SOON = "2099-01-01 00:00:00"


@define
class Meeting:
    """A cluster with a past, on which commands meet.

    Attributes:
        cluster: Where.
        shop: Its tables.
        config: Of all commands.
        said: What each command wrote on stderr, with its exit code.
    """

    cluster: Cluster
    shop: Shop
    config: Path
    said: list[tuple[int, str]] = field(factory=list)

    def at_once(self, chance: random.Random, *commands: tuple[str, ...]) -> list[int]:
        """Start commands within half a second and wait for all of them; their exit codes."""
        running = []
        for number, command in enumerate(commands, 1):
            arguments = (*command, "--config", str(self.config))
            running.append(begin(*arguments, folder=self.config.parent, number=number))
            time.sleep(chance.random() / 2)  # nothing is waited for: it is the meeting that is played
        ended = [command.ended() for command in running]
        self.said.extend((done.returncode, done.stderr) for done in ended)
        return [done.returncode for done in ended]

    def one(self, *command: str) -> Any:
        """One command, alone; its result. It has to succeed."""
        done = begin(*command, "--json", "--config", str(self.config), folder=self.config.parent).ended()
        assert done.returncode == OK, done.stdout + done.stderr
        return json.loads(done.stdout)["result"]

    def load(self, number: int) -> None:
        """A row more in each table."""
        self.cluster.sql(
            f"INSERT INTO {self.shop.table_a} VALUES ({100 + number}, '2025-02-07', 'more')",
            f"INSERT INTO {self.shop.table_b} VALUES ({100 + number}, 1)",
        )

    def check_settled(self, *, kept: str = "") -> None:
        """Nobody was refused without a word on who is in the way; a command that comes later finds nothing open.

        Args:
            kept: The name of a table that an undo has left, and may have.
        """
        for code, err in self.said:
            assert code in {OK, BUSY}, err
            assert code == OK or "taken" in err or "is not over" in err, err
        self.one("backup")
        statuses = {row[0] for row in self.cluster.sql("SELECT status FROM ops.backup_history")}
        assert not statuses & {"PENDING", "RUNNING"}
        for table in (self.shop.table_a, self.shop.table_b):
            names = self.names(table.partition(".")[0])
            assert {name for name in names if "__before_" not in name} - {kept} == {table.partition(".")[2]}

    def check_points(self, known: set[str], *, before: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Every point that was made since gives back what there is now, or was before: nothing was loaded meanwhile."""
        for table in (self.shop.table_a, self.shop.table_b):
            right = [self.shop.rows(table), before]
            for entry in self.one("list", "--table", table)["entries"]:
                if entry["label"] in known or not entry["restorable"]:
                    continue
                self.cluster.sql(f"DROP TABLE {table} FORCE")
                self.one("restore", "--table", table, "--label", entry["label"])
                assert self.shop.rows(table) in right

    def names(self, database: str) -> set[str]:
        """The tables of a database."""
        return {str(row[0]) for row in self.cluster.sql(f"SHOW TABLES FROM {database}")}

    def held(self, database: str) -> list[list[tuple[Any, ...]]]:
        """The rows of each of its tables."""
        return [self.shop.rows(f"{database}.{name}") for name in sorted(self.names(database))]

    def labels(self) -> set[str]:
        """All that is recorded."""
        return {str(row[0]) for row in self.cluster.sql("SELECT label FROM ops.backup_history")}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Frontend:
    """A frontend with two tables and two backups of them: a full and an incremental one."""
    folder = tmp_path_factory.mktemp("past")
    frontend = Frontend(folder / "repository", tick=TICK, password=PASSWORD)
    with serve(frontend) as port:
        cluster = at_port(port)
        make_repository(cluster)
        shop = Shop(cluster)
        shop.open()
        with connect(cluster.config(folder, shop.table_a, shop.table_b)) as client:
            client.init()
            client.backup()
            shop.trade()
            client.backup()
    return frontend


@pytest.fixture
def meeting(past: Frontend, tmp_path: Path) -> Iterator[Meeting]:
    """That past, in a frontend process of its own."""
    with undone(past.repository_dir), forked_frontend(past) as port:
        cluster = at_port(port)
        shop = Shop(cluster)
        config = cluster.config(tmp_path, shop.table_a, shop.table_b, wait="30", poll_interval="0.2")
        yield Meeting(cluster, shop, config)


@pytest.fixture(params=range(ROUNDS))
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What is random in a round."""
    seed = 20_250_000 + int(request.param)
    print(f"seed {seed}")
    return random.Random(seed)  # noqa: S311 -- no secret


@pytest.mark.parametrize("number", [2, 5])
def test_backups_at_once_wait_for_each_other(meeting: Meeting, chance: random.Random, number: int) -> None:
    known = meeting.labels()
    meeting.load(1)
    codes = meeting.at_once(chance, *[("backup",)] * number)
    assert OK in codes
    meeting.check_settled()
    meeting.check_points(known)


@pytest.mark.parametrize("patience", ["0", "30"])
def test_a_backup_beside_a_restore_in_the_same_database_waits_or_is_busy(
    meeting: Meeting, chance: random.Random, patience: str
) -> None:
    rows = meeting.shop.rows(meeting.shop.table_a)
    meeting.cluster.sql(f"DROP TABLE {meeting.shop.table_a} FORCE")
    restore = ("restore", "--table", meeting.shop.table_a, "--timestamp", SOON)
    backup = ("backup", "--wait", patience, "--table", "db1.*", "--table", "db2.*")
    codes = meeting.at_once(chance, restore, backup)
    assert codes[0] in {OK, BUSY}
    meeting.said = [(code, err) for code, err in meeting.said if code in {OK, BUSY}]
    if codes[0] != OK:
        meeting.one(*restore)
    meeting.check_settled()
    assert meeting.shop.rows(meeting.shop.table_a) == rows


def test_a_backup_beside_a_restore_of_another_table_in_the_same_database_is_as_right_as_alone(
    meeting: Meeting, chance: random.Random
) -> None:
    """They share a slot: each waits for the other, and the point of the one table knows nothing of the other."""
    table, other = meeting.shop.table_a, f"{meeting.shop.table_a}_too"
    meeting.cluster.sql(f"CREATE TABLE {other} LIKE {table}", f"INSERT INTO {other} VALUES (7, '2025-02-05', 'seven')")
    meeting.one("backup", "--table", other)
    meeting.cluster.sql(f"DROP TABLE {other} FORCE")
    known = meeting.labels()
    meeting.load(1)
    restore = ("restore", "--table", other, "--timestamp", SOON)
    codes = meeting.at_once(chance, restore, ("backup", "--table", table))
    assert codes == [OK, OK], meeting.said
    assert [row[0] for row in meeting.shop.rows(other)] == [7]
    meeting.cluster.sql(f"DROP TABLE {other} FORCE")
    meeting.check_settled()
    meeting.check_points(known)


def test_a_backup_beside_a_restore_in_another_database_waits_for_nothing(
    meeting: Meeting, chance: random.Random
) -> None:
    known = meeting.labels()
    meeting.load(1)
    meeting.one("backup", "--table", meeting.shop.table_a)
    rows = meeting.shop.rows(meeting.shop.table_a)
    meeting.cluster.sql(f"DROP TABLE {meeting.shop.table_a} FORCE")
    restore = ("restore", "--table", meeting.shop.table_a, "--timestamp", SOON)
    backup = ("backup", "--wait", "0", "--table", meeting.shop.table_b)
    codes = meeting.at_once(chance, restore, backup)
    assert codes[0] == OK, meeting.said
    assert codes[1] in {OK, PARTIAL}, "only the slot of the history may be taken"
    meeting.said = [(code, err) for code, err in meeting.said if code in {OK, BUSY}]
    assert meeting.shop.rows(meeting.shop.table_a) == rows
    meeting.check_settled()
    meeting.check_points(known)


def test_of_two_restores_of_one_table_one_wins_and_the_other_touches_nothing(
    meeting: Meeting, chance: random.Random
) -> None:
    rows = meeting.shop.rows(meeting.shop.table_a)
    meeting.cluster.sql(f"DROP TABLE {meeting.shop.table_a} FORCE")
    restore = ("restore", "--table", meeting.shop.table_a, "--timestamp", SOON)
    codes = meeting.at_once(chance, restore, restore)
    assert OK in codes
    assert set(codes) <= {OK, BUSY, USAGE}, meeting.said
    meeting.said = [(code, err) for code, err in meeting.said if code in {OK, BUSY}]
    assert meeting.shop.rows(meeting.shop.table_a) == rows
    meeting.check_settled()
    assert meeting.shop.rows(meeting.shop.table_a) == rows


def test_two_restores_and_a_backup_share_one_slot(meeting: Meeting, chance: random.Random) -> None:
    table, other = meeting.shop.table_a, f"{meeting.shop.table_a}_too"
    meeting.cluster.sql(f"CREATE TABLE {other} LIKE {table}", f"INSERT INTO {other} VALUES (7, '2025-02-05', 'seven')")
    meeting.one("backup", "--table", other)
    known, rows = meeting.labels(), meeting.shop.rows(table)
    meeting.cluster.sql(f"DROP TABLE {table} FORCE", f"DROP TABLE {other} FORCE")
    restores = [("restore", "--table", name, "--timestamp", SOON) for name in (table, other)]
    commands = [*restores, ("backup", "--table", "db1.*", "--table", "db2.*")]
    chance.shuffle(commands)
    codes = dict(zip(commands, meeting.at_once(chance, *commands), strict=True))
    assert [codes[restore] for restore in restores] == [OK, OK], meeting.said
    assert set(codes.values()) <= {OK, PARTIAL, BUSY}, meeting.said
    meeting.said = [(code, err) for code, err in meeting.said if code in {OK, BUSY}]
    assert meeting.shop.rows(table) == rows
    assert [row[0] for row in meeting.shop.rows(other)] == [7]
    meeting.cluster.sql(f"DROP TABLE {other} FORCE")
    meeting.check_settled()
    meeting.check_points(known)


def test_a_backup_beside_a_replacement_takes_the_table_before_or_after_it(
    meeting: Meeting, chance: random.Random
) -> None:
    table = meeting.shop.table_a
    known, wanted = meeting.labels(), meeting.shop.rows(table)
    label = meeting.one("list", "--table", table)["entries"][0]["label"]
    meeting.load(1)
    lived = meeting.shop.rows(table)
    commands = [
        ("restore", "--table", table, "--label", label, "--replace", "--yes"),
        ("backup", "--table", "db1.*", "--table", "db2.*"),
    ]
    chance.shuffle(commands)
    codes = dict(zip([command[0] for command in commands], meeting.at_once(chance, *commands), strict=True))
    assert codes["restore"] == OK, meeting.said
    assert codes["backup"] in {OK, PARTIAL}, meeting.said
    meeting.said = [(code, err) for code, err in meeting.said if code in {OK, BUSY}]
    assert meeting.shop.rows(table) == wanted
    assert lived in meeting.held("db1")
    meeting.check_settled()
    meeting.check_points(known, before=lived)


def test_an_undo_beside_a_restore_of_the_same_table_loses_no_rows(meeting: Meeting, chance: random.Random) -> None:
    """Whoever comes first: each of the tables that lived is there, under its name or beside it.

    The undo waits for nobody, but is busy while the restore is at work. A restore whose target an undo took away under
    it says so, and takes back what it made.
    """
    table = meeting.shop.table_a
    wanted = meeting.shop.rows(table)
    meeting.load(1)
    lived = meeting.shop.rows(table)
    first = meeting.one("restore", "--table", table, "--timestamp", SOON, "--replace", "--yes")["restore"]
    commands = [
        ("restore", "--undo", first),
        ("restore", "--table", table, "--timestamp", SOON, "--replace", "--yes"),
    ]
    chance.shuffle(commands)
    codes = dict(zip([command[1] for command in commands], meeting.at_once(chance, *commands), strict=True))
    assert OK in codes.values(), meeting.said
    assert codes["--undo"] in {OK, BUSY}, meeting.said
    assert codes["--table"] in {OK, BUSY, USAGE, MISMATCH}, meeting.said
    assert all("was dropped, renamed or replaced meanwhile" in err for code, err in meeting.said if code == MISMATCH)
    meeting.said = [(code, err) for code, err in meeting.said if code == OK]
    now = meeting.shop.rows(table)
    assert now in (wanted, lived)
    assert lived in meeting.held("db1")
    meeting.check_settled(kept=f"__br_{first}")
    assert meeting.shop.rows(table) == now
    assert lived in meeting.held("db1")
