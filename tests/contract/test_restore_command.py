"""`restore` and its options against a simulated cluster, as people and scripts call it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from tests.support.virtual_cli import Ended, VirtualCli, virtual_cli
from tests.support.world import Killed, World, kill

SOON = ("--timestamp", "2099-01-01 00:00:00")
LOADED = "INSERT INTO d1.t VALUES (3, '2024-01-02', 30)"


@define
class Desk:
    """Where somebody sits who has to give tables back.

    Attributes:
        cli: The commands.
        world: The cluster: d1.t lies in two snapshots, d1.u and d2.v in one each.
        backed_up: The rows of each table at its newest point.
    """

    cli: VirtualCli
    world: World
    backed_up: dict[str, list[tuple[Any, ...]]]

    def restore(self, *arguments: str, typed: str = "") -> Ended:
        """One command; typed: what somebody answers at a terminal."""
        return self.cli.run_by(typed, "restore", *arguments) if typed else self.cli.run("restore", *arguments)

    def document(self, *arguments: str) -> Any:
        """What one command finds, for programs."""
        said = self.restore(*arguments, "--json", "--quiet").said
        return json.loads(said[said.index("{") :])

    def spoil(self, *tables: str) -> None:
        """Overwrite tables with nonsense."""
        for table in tables:
            self.world.sql(f"TRUNCATE TABLE {table}")
            self.world.sql(f"INSERT INTO {table} VALUES (99, '2024-01-01', 0)")

    def holds(self, table: str, as_of: str = "") -> bool:
        """Whether a table is what was backed up."""
        return self.world.rows(table) == self.backed_up[as_of or table]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = World(tmp_path).ready("d1.t", "d1.u", "d2.v")
    assert world.backup("d1.*", "d2.*").complete
    world.sql(LOADED)
    assert world.backup("d1.*", "d2.*").complete
    world.later()
    with virtual_cli(world, tmp_path) as cli:
        yield Desk(cli, world, {table: world.rows(table) for table in ("d1.t", "d1.u", "d2.v")})


def restore_id(ended: Ended) -> str:
    """The id in the words that tell the way back."""
    (found,) = set(re.findall(r"restore --undo (\w+)", ended.said))
    return str(found)


def test_a_live_table_gives_way_only_to_somebody_who_said_so(desk: Desk) -> None:
    desk.spoil("d1.t")
    spoilt = desk.world.rows("d1.t")
    refused = desk.restore("--table", "d1.t", *SOON)
    assert (refused.code, "--replace lets it give way" in refused.said) == (2, True)
    assert desk.restore("--table", "d1.t", *SOON, "--replace").code == 2, "nobody can be asked"
    declined = desk.restore("--table", "d1.t", *SOON, "--replace", typed="no\n")
    assert (declined.code, "replace d1.t? [y/N]" in declined.said) == (1, True)
    assert desk.world.rows("d1.t") == spoilt
    done = desk.restore("--table", "d1.t", *SOON, "--replace", typed="yes\n")
    assert done.code == 0, done.said
    assert desk.holds("d1.t")
    assert desk.world.rows(f"d1.t__before_{restore_id(done)}") == spoilt


def test_what_was_replaced_comes_back_with_the_printed_command(desk: Desk) -> None:
    desk.spoil("d1.u")
    spoilt = desk.world.rows("d1.u")
    done = desk.restore("--table", "d1.u", *SOON, "--replace", "--yes")
    assert desk.holds("d1.u"), done.said
    listed = desk.cli.run("list", "--restores", "--table", "d1.*")
    assert listed.said.splitlines()[1].split()[2:] == ["d1.u", "DONE", "yes", restore_id(done)]
    undone = desk.restore("--undo", restore_id(done))
    assert (undone.code, "was undone" in undone.said) == (0, True), undone.said
    assert desk.world.rows("d1.u") == spoilt
    refused = desk.cli.run("list", "--restores", "--all")
    assert (refused.code, "does not go with --restores" in refused.said) == (2, True)
    assert desk.document("--undo", "nosuch")["error"]["kind"] == "UnknownRestore"


def test_the_old_table_is_dropped_only_when_asked(desk: Desk) -> None:
    done = desk.restore("--table", "d1.u", *SOON, "--replace", "--drop-old", "--yes")
    assert done.code == 0, done.said
    assert "there is no way back" in done.said
    assert desk.world.tables("d1") == {"t", "u"}


def test_a_planned_restore_tells_all_and_changes_nothing(desk: Desk) -> None:
    before = desk.world.sql("SELECT * FROM ops.restore_history")
    plan = desk.restore("--table", "d1.t", *SOON, "--replace", "--dry-run")
    assert plan.code == 0
    assert "incomplete for 1 job" in plan.said
    assert plan.said.endswith("this was a dry run: nothing was written or sent\n")
    document = desk.document("--table", "d1.t", *SOON, "--replace", "--dry-run")["result"]
    assert (document["jobs"], document["replaces"], document["way"]) == (2, True, "OVERLAY")
    assert desk.world.sql("SELECT * FROM ops.restore_history") == before


def test_a_table_comes_beside_the_live_one(desk: Desk) -> None:
    assert desk.restore("--table", "d1.t", *SOON, "--as", "copy").code == 0
    assert desk.restore("--table", "d1.t", *SOON, "--to-database", "drill", "--verify", "counts").code == 0
    assert desk.holds("d1.copy", "d1.t")
    assert desk.holds("drill.t", "d1.t")
    assert desk.holds("d1.t")


def test_chosen_partitions_come_into_a_side_table(desk: Desk) -> None:
    done = desk.document("--table", "d1.t", *SOON, "--as", "part", "--partition", "p2", "--verify", "none")
    assert done["exit_code"] == 0, done
    assert (done["result"]["partitions"], done["result"]["rows"]) == (1, None)
    assert desk.world.rows("d1.part") == [row for row in desk.backed_up["d1.t"] if row[0] != 1]


def test_a_killed_restore_is_finished_with_resume(desk: Desk) -> None:
    desk.spoil("d1.t")
    plan = desk.world.plan_restore("d1.t", replace=True)
    desk.world.after("RENAME t$", kill)
    with pytest.raises(Killed):
        desk.world.run_restore(plan)
    desk.world.ports = desk.world.reconnect()
    early = desk.restore("--resume", plan.restore)
    assert (early.code, "may be at work" in early.said) == (11, True)
    desk.world.later(400)
    done = desk.document("--resume", plan.restore)
    assert (done["exit_code"], done["result"]["restore"]) == (0, plan.restore)
    assert desk.holds("d1.t")
    assert desk.restore("--undo", plan.restore).code == 0
    assert desk.world.rows("d1.t") == [(99, desk.world.rows("d1.t")[0][1], 0)]


def test_tables_come_back_together_and_each_tells_its_way_back(desk: Desk) -> None:
    desk.spoil("d1.t", "d2.v")
    desk.world.sql("DROP TABLE d1.u FORCE")
    both = ("--table", "d1.*", "--table", "d2.v", *SOON, "--replace")
    assert "restore 3 tables, 2 of them over tables that live now? [y/N]" in desk.restore(*both, typed="\n").said
    done = desk.restore(*both, "--yes")
    assert done.code == 0, done.said
    assert "RESTORE statements: 3" in done.said
    assert done.said.count("    undo: starrocks-br restore --undo ") == 2
    assert all(desk.holds(table) for table in desk.backed_up)


def test_one_table_that_cannot_come_back_stops_no_other(desk: Desk) -> None:
    desk.world.sql("DROP TABLE d1.t FORCE")
    some = ("--table", "d1.t", "--table", "d1.u", "--table", "d9.x", *SOON)
    planned = desk.document(*some, "--dry-run")
    assert (planned["exit_code"], planned["error"]["kind"]) == (3, "Incomplete")
    assert [one["kind"] for one in planned["result"]["failures"]] == ["TargetExists", "UnknownTable"]
    done = desk.document(*some)
    assert done["exit_code"] == 3
    assert [one["table"] for one in done["result"]["tables"]] == ["d1.t"]
    assert [one["table"] for one in done["result"]["failures"]] == ["d1.u", "d9.x"]
    assert desk.holds("d1.t")


def test_where_no_table_can_come_back_nobody_is_asked(desk: Desk) -> None:
    ended = desk.restore("--table", "d1.*", *SOON, typed="y\n")
    assert ended.code == 2, "all for one reason"
    assert "[y/N]" not in ended.said
    assert "2 of 2 tables cannot be restored" in ended.said
    assert "nothing was written or sent" in ended.said
    assert "dry run" not in ended.said


def test_a_pattern_that_nothing_is_recorded_of_is_an_error_of_its_own(desk: Desk) -> None:
    ended = desk.restore("--table", "d9.*", *SOON)
    assert (ended.code, "nothing is recorded of d9.*" in ended.said) == (2, True)
