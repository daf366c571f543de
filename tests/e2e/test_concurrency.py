"""Several commands at once on one cluster: they wait for each other or say who is in the way; no point is wrong then.

STARROCKS_BR_ROUNDS says how often each meeting is played (once unless told). What is random in it comes from the seed
that is printed.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.e2e.clusters import Cluster, Shop, simulator
from tests.e2e.processes import run, start

ROUNDS = int(os.environ.get("STARROCKS_BR_ROUNDS", "1"))
OK, USAGE, PARTIAL, BUSY = 0, 2, 3, 11
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
        processes = []
        for command in commands:
            processes.append(start(*command, "--config", str(self.config), cwd=self.config.parent))
            time.sleep(chance.random() / 2)  # nothing is waited for: it is the meeting that is played
        for process in processes:
            _, err = process.communicate(timeout=300)
            self.said.append((process.returncode, err))
        return [process.returncode for process in processes]

    def one(self, *command: str) -> Any:
        """One command, alone; its result. It has to succeed."""
        done = run(*command, "--json", "--config", str(self.config), cwd=self.config.parent)
        assert done.returncode == OK, done.stdout + done.stderr
        return json.loads(done.stdout)["result"]

    def load(self, number: int) -> None:
        """A row more in each table."""
        self.cluster.sql(
            f"INSERT INTO {self.shop.table_a} VALUES ({100 + number}, '2025-02-07', 'more')",
            f"INSERT INTO {self.shop.table_b} VALUES ({100 + number}, 1)",
        )

    def check_settled(self) -> None:
        """Nobody was refused without a word on who is in the way; a command that comes later finds nothing open."""
        for code, err in self.said:
            assert code in {OK, BUSY}, err
            assert code == OK or "taken" in err or "still runs" in err, err
        self.one("backup")
        statuses = {row[0] for row in self.cluster.sql("SELECT status FROM ops.backup_history")}
        assert not statuses & {"PENDING", "RUNNING"}
        for table in (self.shop.table_a, self.shop.table_b):
            names = {row[0] for row in self.cluster.sql(f"SHOW TABLES FROM {table.partition('.')[0]}")}
            assert names == {table.partition(".")[2]}

    def check_points(self, known: set[str]) -> None:
        """Every point that was made since gives back what there is now: nothing was loaded meanwhile."""
        for table in (self.shop.table_a, self.shop.table_b):
            rows = self.shop.rows(table)
            for entry in self.one("list", "--table", table)["entries"]:
                if entry["label"] in known or not entry["restorable"]:
                    continue
                self.cluster.sql(f"DROP TABLE {table} FORCE")
                self.one("restore", "--table", table, "--label", entry["label"])
                assert self.shop.rows(table) == rows

    def labels(self) -> set[str]:
        """All that is recorded."""
        return {str(row[0]) for row in self.cluster.sql("SELECT label FROM ops.backup_history")}


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Meeting]:
    """After a full and an incremental backup."""
    with simulator(tmp_path / "repository") as cluster:
        shop = Shop(cluster)
        shop.open()
        found = Meeting(cluster, shop, cluster.config(tmp_path, shop.table_a, shop.table_b, wait="30"))
        found.one("init")
        found.one("backup")
        shop.trade()
        found.one("backup")
        yield found


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
