"""Whatever is written on the command line or into the configuration: an answer, never a traceback."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.adapters.settings import Settings
from starrocks_br.adapters.settings_file import load
from starrocks_br.domain.errors import InvalidSettings
from starrocks_br.entrypoints.cli import COMMANDS, main
from starrocks_br.entrypoints.exit_codes import ExitCode

OPTIONS = ("--table", "--timestamp", "--label", "--limit", "--wait", "--full", "--all", "--dry-run", "--yes", "--json")
KEYS = ("host", "port", "user", "password", "database", "tables", "repository", "tls", "wait", "timezone")

words = st.one_of(st.sampled_from((*OPTIONS, *COMMANDS)), st.text(max_size=30))
scalars = st.text(max_size=20)
values = st.one_of(scalars, st.lists(scalars, max_size=3).map(lambda items: f"[{', '.join(items)}]"))


def _written(pairs: dict[str, str]) -> bytes:
    """As lines of a file."""
    return "\n".join(f"{key}: {value}" for key, value in pairs.items()).encode("utf-8", "replace")


configurations = st.one_of(st.binary(max_size=200), st.dictionaries(st.sampled_from(KEYS), values).map(_written))


@given(st.lists(words, max_size=6))
def test_any_command_line_ends_with_a_known_exit_code_and_no_traceback(arguments: list[str]) -> None:
    said = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        code = main(arguments)
    assert code in set(ExitCode)
    assert "Traceback" not in said.getvalue()
    assert "something unexpected happened" not in said.getvalue()


@given(configurations)
def test_any_configuration_is_read_or_refused_with_reasons(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(content)
        reasons: tuple[str, ...] = ()
        read: Settings | None = None
        try:
            read = load(path, {})
        except InvalidSettings as error:
            reasons = error.problems
    assert (read is None) == bool(reasons)
