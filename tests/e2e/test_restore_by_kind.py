"""The section "Kind by kind" of docs/restore-semantics.md: nights lived through, commands run, words compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime

import pytest
from attrs import define

from tests.e2e.test_readme import ROOT, blocks
from tests.support.virtual_cli import VirtualCli, virtual_cli
from tests.support.world import World

DOCUMENT = (ROOT / "docs" / "restore-semantics.md").read_text()
SECTION = DOCUMENT[DOCUMENT.index("\n## Kind by kind\n") : DOCUMENT.index("\n## After a restore\n")]
KINDS = dict(part.partition("\n")[::2] for part in SECTION.split("\n### ")[1:])
NIGHTS = ("2027-01-16 02:00:00+00:00", "2027-01-17 02:00:00+00:00")
NOW = "2027-01-17 03:00:00+00:00"


@define
class Shop:
    """The world of the section at 3 a.m."""

    world: World
    cli: VirtualCli

    def wait_until(self, instant: str) -> None:
        """Let time pass."""
        self.world.later(datetime.fromisoformat(instant).timestamp() - self.world.frontend.now())

    def answer(self, line: str) -> list[str]:
        """What is printed when somebody types a line."""
        if sql := line.removeprefix("mysql> ").removesuffix(";") * line.startswith("mysql> "):
            return [" ".join(map(str, row)) for row in self.world.sql(sql)]
        program, *arguments = shlex.split(line.removeprefix("$ "))
        assert program == "starrocks-br"
        ended = self.cli.run_by("y\n", *arguments)
        assert ended.code == 0, ended.said
        return without_chance(ended.said).splitlines()


def without_chance(text: str) -> str:
    """A text without ids and the random ends of labels."""
    return re.sub(r"(__before_|__br_|shop_\d{8}T\d{6}_)\w{8}(?=\b|_\d)", r"\1ID", text)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """All its tables, two nights, and an hour more."""
    world = World(tmp_path_factory.mktemp("repository"), backends=3).ready()
    world.sql("CREATE DATABASE shop")
    with virtual_cli(world, tmp_path_factory.mktemp("config")) as cli:
        cli.settings["tables"] = "[shop.*]"
        made = Shop(world, cli)
        lives = [life.split("-- backup\n") for life in blocks("sql", SECTION)]
        assert len(lives) == len(KINDS)
        for night, days in zip(NIGHTS, zip(*lives, strict=True), strict=False):
            world.sql("".join(days))
            made.wait_until(night)
            assert cli.run("backup", "--quiet").code == 0
        made.wait_until(NOW)
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_document_says_of_a_kind_is_what_happens(kind: str, shop: Shop) -> None:
    for block in blocks("console", KINDS[kind]):
        printed: list[str] = []
        for line in block.splitlines():
            if line.startswith(("$ ", "mysql> ")):
                printed = shop.answer(line)
            else:
                assert without_chance(line) in printed
                del printed[: printed.index(without_chance(line)) + 1]
