"""The commands against the client and a simulated cluster: one story, told once, looked at from several sides."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen
from sqlalchemy import Engine, event

from starrocks_br.entrypoints.cli import main
from tests.e2e.clusters import Cluster, Shop, make_repository, simulator


@frozen
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code.
        out: What it wrote on stdout.
        err: What it wrote on stderr.
        statements: The first word of everything that it sent to the server.
    """

    code: int
    out: str
    err: str
    statements: frozenset[str] = field(eq=False)

    @property
    def document(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)


def run(*arguments: str, config: Path, stdin: io.StringIO | None = None) -> Ended:
    """One command in this process."""
    out, err = io.StringIO(), io.StringIO()
    sent: set[str] = set()

    def note(*execution: Any) -> None:
        sent.add(execution[2].upper().removeprefix("ADMIN ").split()[0])

    before = sys.stdin
    sys.stdin = stdin or io.StringIO()
    event.listen(Engine, "before_cursor_execute", note)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*arguments, "--config", str(config)])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        sys.stdin = before
    return Ended(code, out.getvalue(), err.getvalue(), frozenset(sent))


READING = {"SELECT", "SHOW", "SET", "USE"}


class Keyboard(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@define
class Story:
    """What happened to a shop, from its first backup to its loss.

    Attributes:
        ended: The commands by name.
        rows: The rows of tableA at some moments.
        history: Rows of the ops tables before and after each dry run.
    """

    ended: dict[str, Ended]
    rows: dict[str, list[tuple[Any, ...]]]
    history: dict[str, list[tuple[Any, ...]]]


def _first_day(cluster: Cluster, shop: Shop, config: Path, story: Story) -> None:
    ended = story.ended
    ended["too early"] = run("list", config=config)
    ended["init"] = run("init", config=config)
    ended["init again"] = run("init", "--json", config=config)
    ended["empty list"] = run("list", config=config)
    story.history["before plan"] = _history(cluster)
    ended["plan"] = run("backup", "--dry-run", config=config)
    ended["plan as document"] = run("backup", "--dry-run", "--json", "--table", shop.table_a, config=config)
    story.history["after plan"] = _history(cluster)
    ended["full"] = run("backup", config=config)
    story.rows["full"] = shop.rows(shop.table_a)


def _second_day(cluster: Cluster, shop: Shop, config: Path, story: Story) -> None:
    ended = story.ended
    shop.trade()
    ended["incremental"] = run("backup", "--json", config=config)
    story.rows["incremental"] = shop.rows(shop.table_a)
    ended["partial"] = run("backup", "--table", "db1.nothing", "--table", shop.table_b, config=config)
    ended["list"] = run("list", config=config)
    ended["list as document"] = run("list", "--json", "--table", shop.table_a, config=config)
    ended["list of one"] = run("list", "--limit", "1", config=config)
    label = ended["list as document"].document["result"]["entries"][-1]["label"]
    ended["show"] = run("show", label, config=config)
    ended["show as document"] = run("show", label, "--json", "--table", shop.table_a, config=config)
    ended["show nothing"] = run("show", "no_such_label", "--json", config=config)
    ended["target exists"] = run("restore", "--table", shop.table_a, "--label", label, "--json", config=config)
    cluster.sql(f"DROP TABLE {shop.table_a} FORCE")


def _restores(cluster: Cluster, shop: Shop, config: Path, story: Story) -> None:
    ended = story.ended
    newest, oldest = (entry["point"] for entry in _points(ended["list as document"]))
    table = ("--table", shop.table_a)
    story.history["before restore plan"] = _history(cluster)
    ended["restore plan"] = run("restore", *table, "--timestamp", oldest, "--dry-run", config=config)
    ended["too old"] = run("restore", *table, "--timestamp", "2001-01-01 00:00:00", "--json", config=config)
    ended["declined"] = run("restore", *table, "--timestamp", oldest, config=config, stdin=Keyboard("n\n"))
    story.history["after restore plan"] = _history(cluster)
    story.history["tables after restore plan"] = cluster.sql("SHOW TABLES FROM db1")
    ended["restore"] = run("restore", *table, "--timestamp", oldest, config=config)
    story.rows["restored to full"] = shop.rows(shop.table_a)
    cluster.sql(f"DROP TABLE {shop.table_a} FORCE")
    ended["restore again"] = run(
        "restore", *table, "--timestamp", newest.removesuffix("+00:00"), "--json", config=config
    )
    story.rows["restored to incremental"] = shop.rows(shop.table_a)


def _points(listed: Ended) -> list[dict[str, Any]]:
    return [entry for entry in listed.document["result"]["entries"] if entry["restorable"]][:2]


def _cold_start(directory: Path, story: Story) -> None:
    with simulator(directory / "repository", create_repository=False) as cluster:
        make_repository(cluster)
        shop = Shop(cluster)
        config = cluster.config(directory, shop.table_a)
        ended = story.ended
        ended["bootstrap plan"] = run("bootstrap", "--dry-run", config=config)
        ended["bootstrap declined"] = run("bootstrap", config=config, stdin=Keyboard("\n"))
        ended["bootstrap"] = run("bootstrap", config=config)
        point = _points(ended["list as document"])[0]["label"]
        ended["restore there"] = run("restore", "--table", shop.table_a, "--label", point, "--yes", config=config)
        story.rows["on the new cluster"] = shop.rows(shop.table_a)


def _history(cluster: Cluster) -> list[tuple[Any, ...]]:
    return [*cluster.sql("SELECT * FROM ops.backup_history"), *cluster.sql("SELECT * FROM ops.restore_history")]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The whole story."""
    directory = tmp_path_factory.mktemp("story")
    told = Story({}, {}, {})
    with simulator(directory / "repository") as cluster:
        shop = Shop(cluster)
        shop.open()
        config = cluster.config(directory, shop.table_a, shop.table_b)
        _first_day(cluster, shop, config, told)
        _second_day(cluster, shop, config, told)
        _restores(cluster, shop, config, told)
    _cold_start(directory, told)
    return told


def test_without_init_a_command_says_what_to_run(story: Story) -> None:
    assert story.ended["too early"].code == 10
    assert "starrocks-br init" in story.ended["too early"].err


def test_init_twice_is_harmless(story: Story) -> None:
    assert story.ended["init"].code == story.ended["init again"].code == 0
    assert "created" in story.ended["init"].out
    assert story.ended["init again"].document["result"]["created"] is False


def test_an_empty_history_says_what_to_do(story: Story) -> None:
    empty = story.ended["empty list"]
    assert (empty.code, empty.out, empty.err) == (0, "no backup is recorded\nnext: starrocks-br backup\n", "")


def test_a_planned_backup_writes_nothing(story: Story) -> None:
    plan = story.ended["plan"]
    assert plan.code == 0
    assert "db1.tableA  FULL         all  no earlier backup" in plan.out
    assert plan.out.endswith("nothing was written or sent\n")
    (database,) = story.ended["plan as document"].document["result"]["databases"]
    assert [table["table"] for table in database["tables"]] == ["db1.tableA"]
    assert story.history["after plan"] == story.history["before plan"] == []


def test_the_first_backup_is_full_and_names_the_label_for_a_cold_start(story: Story) -> None:
    full = story.ended["full"]
    assert full.code == 0
    assert "db1.tableA  FULL" in full.out
    assert "starrocks-br bootstrap --label br_meta_" in full.out
    assert "db1: BACKUP FINISHED after" in full.err


def test_the_second_backup_takes_what_changed(story: Story) -> None:
    document = story.ended["incremental"].document
    assert (document["command"], document["exit_code"], document["error"]) == ("backup", 0, None)
    first, second = document["result"]["databases"]
    (table,) = first["tables"]
    assert (table["type"], table["partitions"], table["dropped"]) == ("INCREMENTAL", 1, 1)
    assert table["plan"]["partitions"] == {"p2": "CHANGED"}
    assert second["status"] == "UNCHANGED"


def test_a_table_that_is_not_there_makes_the_backup_partial(story: Story) -> None:
    partial = story.ended["partial"]
    assert partial.code == 3
    assert "db2: UNCHANGED" in partial.out
    assert "error: the backup is not complete: 1 table left out" in partial.err
    assert "db1.nothing: no such table" in partial.err


def test_the_list_shows_points_and_can_be_cut(story: Story) -> None:
    lines = story.ended["list"].out.splitlines()
    assert lines[0].split() == ["POINT", "TABLE", "TYPE", "STATUS", "PARTITIONS", "SIZE", "LABEL"]
    assert len(lines) == 6
    assert "older ones are not shown" in story.ended["list of one"].out


def test_a_snapshot_can_be_looked_at(story: Story) -> None:
    shown = story.ended["show"]
    assert shown.code == 0
    assert "db1.tableA: FULL, EXACT, 3 partitions captured" in shown.out
    (table,) = story.ended["show as document"].document["result"]["tables"]
    assert set(table["partitions"]) == {"p1", "p2", "p3"}
    assert story.ended["show nothing"].code == 2


def test_a_live_table_is_never_restored_over(story: Story) -> None:
    refused = story.ended["target exists"]
    assert refused.code == 2
    assert refused.document["error"]["kind"] == "TargetExists"


def test_a_planned_restore_writes_nothing_and_so_does_a_declined_one(story: Story) -> None:
    plan = story.ended["restore plan"]
    assert plan.code == 0
    assert "restore of db1.tableA" in plan.out
    assert plan.out.endswith("nothing was written or sent\n")
    declined = story.ended["declined"]
    assert declined.code == 1
    assert "restore db1.tableA? [y/N] " in declined.err
    assert "error: not confirmed" in declined.err
    assert story.history["after restore plan"] == story.history["before restore plan"]
    assert story.history["tables after restore plan"] == []


@pytest.mark.parametrize(
    "command",
    [
        *("plan", "plan as document", "restore plan", "declined", "bootstrap plan", "bootstrap declined"),
        *("list", "show", "too old", "target exists"),
    ],
)
def test_what_only_looks_sends_nothing_that_writes(command: str, story: Story) -> None:
    sent = story.ended[command].statements
    assert sent
    assert sent <= READING
    assert not story.ended["restore"].statements <= READING, "writing is seen where it happens"


def test_a_point_before_the_first_backup_is_refused(story: Story) -> None:
    refused = story.ended["too old"]
    assert refused.code == 14
    assert refused.document["error"]["kind"] == "NoPoint"
    assert refused.document["error"]["oldest"] is not None


def test_a_table_comes_back_as_it_was_at_either_point(story: Story) -> None:
    assert story.ended["restore"].code == story.ended["restore again"].code == 0
    assert story.rows["restored to full"] == story.rows["full"]
    assert story.rows["restored to incremental"] == story.rows["incremental"]
    assert story.rows["full"] != story.rows["incremental"]
    assert "db1.tableA is as it was at" in story.ended["restore"].out


def test_a_restore_says_how_it_understood_a_time_without_offset(story: Story) -> None:
    assert "a time without an offset is meant in UTC" in story.ended["restore again"].err


def test_an_empty_cluster_starts_from_the_repository(story: Story) -> None:
    assert story.ended["bootstrap plan"].code == 0
    assert story.ended["bootstrap plan"].out.endswith("nothing was written or sent\n")
    assert story.ended["bootstrap declined"].code == 1
    assert story.ended["bootstrap"].code == 0
    assert "db1.tableA" in story.ended["bootstrap"].out
    assert story.ended["restore there"].code == 0
    assert story.rows["on the new cluster"] == story.rows["incremental"]
