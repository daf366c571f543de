"""Every line of docs/failures.md, executed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, field, frozen

from starrocks_simulator.named_faults import FAULTS, plant
from tests.support.virtual_cli import Ended, VirtualCli, virtual_cli
from tests.support.world import World

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "failures.md"
AT_ONCE: Final = 9
"""Lines that share a world: making one costs more than a line does."""

LONG_AFTER: Final = 1000.0
OPS: Final = "ops"

STRANGER: Final = (
    "CREATE TABLE {ops}.backup_history (id INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
    "PROPERTIES('replication_num'='1')"
)

JOURNAL: Final = (
    "INSERT INTO {ops}.restore_history (restore_id, step, cluster_id, repository, database_name, table_name, alias, "
    "action, detail_json, status, message, created_at, tool_version, updated_at) VALUES ('r1', 0, '1001', 'repo', "
    "'d1', 't', '__br_r1', 'Rename', 'gnawed', 'SENT', '', '2024-01-01', '0.1.0', '2024-01-01')"
)

PRIVILEGES: Final = {
    "OPERATE": "SYSTEM",
    "REPOSITORY": "SYSTEM",
    "CREATE DATABASE": "CATALOG default_catalog",
    "CREATE TABLE": "ALL DATABASES",
    **dict.fromkeys(("SELECT", "EXPORT", "INSERT", "UPDATE", "DELETE", "ALTER", "DROP"), "ALL TABLES IN ALL DATABASES"),
}
"""What an account needs (docs/real-cluster.md)."""


@frozen
class Situation:
    """What is wrong before the command begins.

    Attributes:
        changes: To the configuration.
        before: What makes it wrong.
        after: What makes it right again.
    """

    changes: dict[str, object] = field(factory=dict)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def _account(missing: str) -> Situation:
    user = "without_" + missing.lower().replace(" ", "_")
    granted = [f"GRANT {name} ON {what} TO USER {user}" for name, what in PRIVILEGES.items() if name != missing]
    return Situation({"user": user}, (f"CREATE USER {user}", *granted), (f"DROP USER {user}",))


SITUATIONS: Final[dict[str, Situation]] = {
    "nobody listens": Situation({"port": 1}),
    "the password is wrong": Situation({"password": "wrong"}),
    "no such repository": Situation({"repository": "nothing"}),
    "a read-only repository": Situation({"repository": "for_reading"}),
    "no ops tables": Situation({"database": "other_ops"}),
    "somebody else's tables of these names": Situation(
        {},
        (
            "CREATE DATABASE IF NOT EXISTS {ops}",
            STRANGER,
        ),
        ("DROP TABLE {ops}.backup_history FORCE",),
    ),
    "a row of the history is damaged": Situation(
        {},
        ("UPDATE {ops}.backup_history SET partitions_json = CONCAT('x', partitions_json) WHERE label = '{label}'",),
        ("UPDATE {ops}.backup_history SET partitions_json = SUBSTR(partitions_json, 2) WHERE label = '{label}'",),
    ),
    "the journal of a restore of d1.t is damaged": Situation(
        {},
        (JOURNAL,),
        ("DELETE FROM {ops}.restore_history WHERE restore_id = 'r1'",),
    ),
    "the history was emptied": Situation(
        {},
        (
            "CREATE TABLE {ops}.kept LIKE {ops}.backup_history",
            "INSERT INTO {ops}.kept SELECT * FROM {ops}.backup_history",
            "TRUNCATE TABLE {ops}.backup_history",
        ),
        ("INSERT INTO {ops}.backup_history SELECT * FROM {ops}.kept", "DROP TABLE {ops}.kept FORCE"),
    ),
    **{f"an account without {missing}": _account(missing) for missing in PRIVILEGES},
}
"""What is wrong from the beginning, by the words of the document."""


@frozen
class Line:
    """One line of a table.

    Attributes:
        what: For people.
        faults: By name; none for a situation.
        situation: Its words; empty if there are faults.
        command: The command line, without what every one has.
        we: goes on, tries again, stops.
        code: The exit code.
        words: What it says.
    """

    what: str
    faults: tuple[str, ...]
    situation: str
    command: str
    we: str
    code: int
    words: str

    @property
    def verb(self) -> str:
        """The command's name, with --dry-run, which makes another one of it."""
        return self.command.split(maxsplit=1)[0] + " --dry-run" * ("--dry-run" in self.command)

    @property
    def name(self) -> str:
        """Of the fault, for the coverage."""
        return re.split("[#=]", self.faults[0])[0] if self.faults else self.situation


def lines() -> list[Line]:
    """All lines that are to be executed."""
    found = []
    for text in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split(" | ")]
        if len(cells) == 6 and cells[4].isdigit():
            what, fault, command, we, code, words = cells
            faults = tuple(re.findall(r"`([^`]+)`", fault))
            situation = "" if faults else fault
            found.append(Line(what, faults, situation, command.strip("`"), we, int(code), words.strip("`")))
    return found


def coverage() -> str:
    """Which kinds of trouble are executed on which commands: a table for docs/failures.md."""
    counts = Counter((line.name, line.verb) for line in lines())
    verbs = list(dict.fromkeys(verb for _, verb in counts))
    names = [*(name for name in FAULTS if name != "clear"), *SITUATIONS]
    rows = [
        [f"`{name}`" if name in FAULTS else name, *(str(counts[name, verb] or "") for verb in verbs)] for name in names
    ]
    heads = ["Fault or situation", *(f"`{verb}`" for verb in verbs)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


VERBS: Final = tuple(dict.fromkeys(line.verb for line in lines()))
GROUPS: Final = [
    pytest.param(verb, start, id=f"{verb.replace(' ', '')}-{start}")
    for verb in VERBS
    for start in range(0, sum(line.verb == verb for line in lines()), AT_ONCE)
]


@define
class Bench:
    """Where lines are executed, one after the other.

    Attributes:
        cli: Commands.
        folder: For files.
        number: Of loads so far.
        ops: The database of the history.
    """

    cli: VirtualCli
    folder: Path
    number: int = 100
    ops: str = OPS

    @property
    def world(self) -> World:
        """Where the commands work."""
        return self.cli.world

    def load(self) -> list[tuple[Any, ...]]:
        """A row more; all rows."""
        self.number += 1
        self.world.later()
        self.world.sql(f"INSERT INTO d1.t VALUES ({self.number}, '2024-01-01', 1)")
        return self.world.rows("d1.t")

    @property
    def label(self) -> str:
        """The newest snapshot's."""
        return max(self.world.statuses(), default="")

    def names(self, line: Line) -> dict[str, str]:
        """What stands for what in commands and statements."""
        statements = SITUATIONS[line.situation].before if line.situation else ()
        known = any("{label}" in text for text in (line.command, *statements))
        return {"ops": self.ops, "label": self.label if known else ""}

    def plain(self, *arguments: str) -> Ended:
        """A command that nothing happens to. It has to succeed."""
        ended = self.cli.run(*arguments, database=self.ops)
        assert ended.code == 0, ended.said
        return ended

    def struck(self, line: Line, *arguments: str, planted: bool = False) -> Ended:
        """The line's command, with what goes wrong; all that can be said of its end at once.

        Args:
            line: Of the document.
            arguments: To add to its command.
            planted: Whether its faults are there already.
        """
        situation = SITUATIONS.get(line.situation, Situation())
        names = self.names(line)
        changes: dict[str, Any] = {"database": self.ops, **situation.changes}
        for statement in situation.before:
            self.world.sql(statement.format_map(names))
        for fault in () if planted else line.faults:
            plant(self.world.frontend, fault)
        if any(fault.startswith("hang") for fault in line.faults):
            changes["read_timeout"] = 3
        ended = self.cli.run(*line.command.format_map(names).split(), *arguments, **changes)
        plant(self.world.frontend, "clear")
        for statement in situation.after:
            self.world.sql(statement.format_map(names))
        assert "Traceback" not in ended.said
        assert ended.code == line.code, ended.said
        assert line.words in ended.said, ended.said
        self.world.later(LONG_AFTER)
        return ended


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A table of two partitions, and a backup of it."""
    world = World(tmp_path / "cluster").ready("d1.t")
    world.sql("CREATE READ ONLY REPOSITORY for_reading WITH BROKER ON LOCATION 's3a://bucket/other'")
    with virtual_cli(world, tmp_path) as cli:
        assert cli.run("backup").code == 0
        yield Bench(cli, tmp_path)


@pytest.mark.parametrize(("verb", "start"), GROUPS)
def test_a_line_says_what_happens(verb: str, start: int, bench: Bench, subtests: pytest.Subtests) -> None:
    own = [line for line in lines() if line.verb == verb]
    for line in own[start : start + AT_ONCE]:
        with subtests.test(what=line.what):
            EXECUTE[verb](bench, line)


def _back_up(bench: Bench, line: Line) -> None:
    bench.load()
    before = bench.world.statuses()
    said = bench.struck(line).said
    made = [status for label, status in sorted(bench.world.statuses().items()) if label not in before]
    if line.we == "goes on":
        assert made == ["FINISHED"]
    elif line.we == "tries again":
        assert "attempt 2 follows" in said or "waiting for it to end" in said
        assert "FINISHED" in made
    else:
        assert line.we == "stops"
        assert "FINISHED" not in made
    bench.plain("backup")
    assert not {"PENDING", "RUNNING"} & set(bench.world.statuses().values())


def _restore(bench: Bench, line: Line) -> None:
    rows = bench.load()
    earlier = any("BACKUP." in fault for fault in line.faults)
    if earlier:
        for fault in line.faults:
            plant(bench.world.frontend, fault)
    bench.plain("backup", *["--full"] * earlier)
    if earlier:
        plant(bench.world.frontend, "clear")
    bench.world.sql("DROP TABLE d1.t FORCE")
    arguments = ("--table", "d1.t", "--timestamp", "2099-01-01 00:00:00")
    bench.struck(line, *arguments, planted=earlier)
    if line.we == "goes on":
        assert bench.world.rows("d1.t") == rows
        bench.load()
        return
    assert line.we == "stops"
    _clear_away(bench, rows)
    if earlier:
        arguments = ("--table", "d1.t", "--label", sorted(bench.world.statuses())[-2])
    bench.plain("restore", *arguments)
    assert earlier or bench.world.rows("d1.t") == rows


def _clear_away(bench: Bench, rows: list[tuple[Any, ...]]) -> None:
    """Drop a stranger's table, or the whole one; a part of it is what the next restore takes back."""
    if "t" in bench.world.tables("d1"):
        standing = bench.world.rows("d1.t")
        assert {*standing} <= {*rows}
        if standing in ([], rows):
            bench.world.sql("DROP TABLE d1.t FORCE")


def _init(bench: Bench, line: Line) -> None:
    bench.number += 1
    bench.ops = f"ops{bench.number}"
    bench.struck(line)
    if line.we == "goes on":
        bench.plain("list")
    bench.plain("init")
    bench.plain("list")


def _look(bench: Bench, line: Line) -> None:
    before = bench.world.statuses()
    bench.struck(line)
    assert bench.world.statuses() == before
    bench.plain(*line.command.format(label=bench.label).split())


def _plan_restore(bench: Bench, line: Line) -> None:
    bench.world.sql("ALTER TABLE d1.t RENAME aside")
    arguments = ("--table", "d1.t", "--timestamp", "2099-01-01 00:00:00")
    bench.struck(line, *arguments)
    bench.plain(*line.command.split(), *arguments)
    assert bench.world.tables("d1") == {"aside"}
    bench.world.sql("ALTER TABLE d1.aside RENAME t")


def _bootstrap(bench: Bench, line: Line) -> None:
    """On a new cluster each."""
    rows = bench.world.rows("d1.t")
    bench.number += 1
    world = World(bench.world.folder, cluster_id=5000 + bench.number, clock=bench.world.clock)
    world.later()
    with ExitStack() as stack:
        new = Bench(stack.enter_context(virtual_cli(world, bench.folder)), bench.folder)
        new.struck(line)
        if line.we != "goes on":
            new.plain("bootstrap")
        new.plain("restore", "--table", "d1.t", "--timestamp", "2099-01-01 00:00:00")
        assert world.rows("d1.t") == rows
        assert not {name for name in world.tables(OPS) if name.startswith("__br_")}


EXECUTE: Final[dict[str, Callable[[Bench, Line], None]]] = {
    "backup": _back_up,
    "restore": _restore,
    "init": _init,
    "bootstrap": _bootstrap,
    "list": _look,
    "show": _look,
    "backup --dry-run": _look,
    "restore --dry-run": _plan_restore,
}


def test_the_document_lists_every_fault_with_what_it_does() -> None:
    text = DOCUMENT.read_text().partition("## What is covered")[0]
    listed = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert listed == [(name, fault.value or "-", fault.effect) for name, fault in FAULTS.items()]


def test_the_document_tells_what_is_covered() -> None:
    assert coverage() in DOCUMENT.read_text(), coverage()


def test_every_fault_and_situation_is_met() -> None:
    assert {line.name for line in lines()} | {"clear"} == {*FAULTS, *SITUATIONS}
