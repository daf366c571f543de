"""The README is executed: its bash blocks in one shell, in order, then its Python."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PORT = "9030"


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def free_port() -> str:
    """A port that nobody listens on, as far as one can know."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def tour(python: str) -> str:
    """The tour as one script, with the library's example before its end."""
    *steps, end = blocks("bash")
    example = f"python - <<'EOT'\n{python}EOT"
    return "\n".join([*steps, example, end])


def play(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder that has the README's configuration; `the end` is printed if it gets there."""
    (config,) = blocks("yaml")
    port = free_port()
    (directory / "config.yaml").write_text(config.replace(PORT, port))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STARROCKS_")}
    whole = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}\necho the end"
    return subprocess.run(
        ["bash", "-c", whole.replace(PORT, port)],
        cwd=directory,
        env=environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The tour, played in an empty folder."""
    (python,) = blocks("python")
    return play(tour(python), tmp_path_factory.mktemp("tour"))


def test_the_tour_works(played: subprocess.CompletedProcess[str]) -> None:
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.endswith("the end\n")


def test_the_tour_shows_what_the_text_says(played: subprocess.CompletedProcess[str]) -> None:
    assert "1 changed (p2), 1 dropped (p1)" in played.stdout
    assert "1 2025-10-01\n2 2025-10-02\n" in played.stdout, "the table as it was at the first backup"
    assert "2 2025-10-02\n3 2025-10-02\n" in played.stdout, "the table as it was at the last backup"
    assert "db1 UNCHANGED" in played.stdout, "the library's example: nothing came since the restore"


def test_the_table_of_exit_codes_is_the_one_of_the_program() -> None:
    from starrocks_br.entrypoints.exit_codes import ExitCode

    for text in (README, (ROOT / "docs" / "cli.md").read_text()):
        rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", text, flags=re.MULTILINE)
        assert [int(number) for row in rows for number in row.split(", ")] == list(ExitCode)


def test_links_lead_somewhere() -> None:
    for name in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")), "SECURITY.md"):
        text = (ROOT / name).read_text()
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"
