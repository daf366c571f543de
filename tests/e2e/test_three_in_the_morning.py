"""The documents on restore are executed after the first steps of the README; what they say is printed is compared."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.e2e.test_readme import ROOT, blocks, play

EXAMPLES, PAGE, LIBRARY = (
    (ROOT / "docs" / f"{name}.md").read_text() for name in ("restore-semantics", "three-in-the-morning", "library")
)
OUTPUTS = [*blocks("text", EXAMPLES), *blocks("text", PAGE)]

BEFORE = 3
"""Blocks of the README: a cluster, two tables, two backups."""


def without_chance(text: str) -> str:
    """A text without what differs from run to run: instants, labels, ids of restores and clusters, durations."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00", "INSTANT", text)
    text = re.sub(r"\b(db\d|br_meta)_\w*\d{8}T\d{6}_\w{8}", r"\1_LABEL", text)
    text = re.sub(r"(__before_|__br_|--undo |^restore )\w{8}\b", r"\1ID", text, flags=re.MULTILINE)
    text = re.sub(r"\b(cluster |this one \()\d+", r"\1CLUSTER", text)
    return re.sub(r"\b\d+ s\b", "SECONDS", text)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The examples, the page for bad nights and those of the library, played in an empty folder."""
    python = "".join(blocks("python", LIBRARY)).replace("datetime(2025, ", "datetime(2099, ")
    library = f"echo 'DROP TABLE db1.tableA FORCE' | python sql.py\npython - <<'EOT'\n{python}EOT\n"
    steps = [*blocks("bash")[:BEFORE], *blocks("bash", PAGE), *blocks("bash", EXAMPLES), library, "kill $!; wait $!"]
    return play("\n".join(["exec 2>&1", *steps]), tmp_path_factory.mktemp("night"))


def test_every_command_of_the_documents_works(played: subprocess.CompletedProcess[str]) -> None:
    assert played.returncode == 0, played.stdout
    assert played.stdout.endswith("the end\n")


@pytest.mark.parametrize("number", range(len(OUTPUTS)))
def test_what_the_documents_say_is_printed(number: int, played: subprocess.CompletedProcess[str]) -> None:
    printed = without_chance(played.stdout).splitlines()
    for line in without_chance(OUTPUTS[number]).splitlines():
        assert line in printed


def test_the_library_does_what_its_page_says(played: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"^the old one is db1\.tableA__before_\w{8}$", played.stdout, flags=re.MULTILINE)
    assert re.search(r"^\d RESTORE statements, \{\}$", played.stdout, flags=re.MULTILINE)
