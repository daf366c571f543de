"""Every line of docs/failures.md, executed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, frozen

from starrocks_simulator.named_faults import FAULTS, plant
from tests.support.virtual_cli import Ended, VirtualCli, virtual_cli
from tests.support.world import World

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "failures.md"
AT_ONCE: Final = 9
"""Lines that share a world: making one costs more than a line does."""

LONG_AFTER: Final = 1000.0

SITUATIONS: Final[dict[str, dict[str, object]]] = {
    "nobody listens": {"port": 1},
    "the password is wrong": {"password": "wrong"},
    "no such repository": {"repository": "nothing"},
    "a read-only repository": {"repository": "for_reading"},
    "no ops tables": {"database": "other_ops"},
}
"""What is wrong with the configuration, by the words of the document."""


@frozen
class Line:
    """One line of a table.

    Attributes:
        what: For people.
        fault: By name, or a situation.
        command: The command line, without what every one has.
        we: goes on, tries again, stops.
        code: The exit code.
        words: What it says.
    """

    what: str
    fault: str
    command: str
    we: str
    code: int
    words: str


def lines() -> list[Line]:
    """All lines that are to be executed."""
    found = []
    for text in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split(" | ")]
        if len(cells) == 6 and cells[4].isdigit():
            what, fault, command, we, code, words = cells
            found.append(Line(what, fault.strip("`"), command.strip("`"), we, int(code), words.strip("`")))
    return found


GROUPS: Final = [
    pytest.param(command, start, id=f"{command}-{start}")
    for command in ("backup", "restore")
    for start in range(0, sum(line.command.startswith(command) for line in lines()), AT_ONCE)
]


@define
class Bench:
    """Where lines are executed, one after the other.

    Attributes:
        cli: Commands.
        number: Of loads so far.
    """

    cli: VirtualCli
    number: int = 100

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

    def struck(self, line: Line, *arguments: str) -> Ended:
        """The line's command, with its fault."""
        changes = SITUATIONS.get(line.fault, {})
        if not changes:
            plant(self.world.frontend, line.fault)
        if line.fault.startswith("hang"):
            changes = {"read_timeout": 3}
        ended = self.cli.run(*line.command.split(), *arguments, **changes)
        plant(self.world.frontend, "clear")
        assert ended.code == line.code, ended.said
        assert line.words in ended.said, ended.said
        self.world.later(LONG_AFTER)
        return ended


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    """A table of two partitions, and a backup of it."""
    world = World(tmp_path / "cluster").ready("d1.t")
    world.sql("CREATE READ ONLY REPOSITORY for_reading WITH BROKER ON LOCATION 's3a://bucket/other'")
    with virtual_cli(world, tmp_path) as cli:
        assert cli.run("backup").code == 0
        yield Bench(cli)


@pytest.mark.parametrize(("command", "start"), GROUPS)
def test_a_line_says_what_happens(command: str, start: int, bench: Bench, subtests: pytest.Subtests) -> None:
    own = [line for line in lines() if line.command.startswith(command)]
    execute: Callable[[Bench, Line], None] = _back_up if command == "backup" else _restore
    for line in own[start : start + AT_ONCE]:
        with subtests.test(fault=line.fault):
            execute(bench, line)


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
    done = bench.cli.run("backup")
    assert done.code == 0, done.said
    assert not {"PENDING", "RUNNING"} & set(bench.world.statuses().values())


def _restore(bench: Bench, line: Line) -> None:
    rows = bench.load()
    assert bench.cli.run("backup").code == 0
    bench.world.sql("DROP TABLE d1.t FORCE")
    arguments = ("--table", "d1.t", "--timestamp", "2099-01-01 00:00:00")
    bench.struck(line, *arguments)
    if line.we == "goes on":
        assert bench.world.rows("d1.t") == rows
        return
    assert line.we == "stops"
    if "t" in bench.world.tables("d1"):
        assert not bench.world.rows("d1.t"), "only a stranger's table may stand there"
        bench.world.sql("DROP TABLE d1.t FORCE")
    done = bench.cli.run("restore", *arguments)
    assert done.code == 0, done.said
    assert bench.world.rows("d1.t") == rows


def test_the_document_lists_every_fault_with_what_it_does() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert listed == [(name, fault.value or "-", fault.effect) for name, fault in FAULTS.items()]
