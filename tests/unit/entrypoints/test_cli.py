"""The door: finding commands, showing how they ended, exit codes, signals. The commands here are made for the test."""

from __future__ import annotations

import io
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TextIO

import click
import pytest

from starrocks_br.domain.errors import Busy
from starrocks_br.domain.events import Warned
from starrocks_br.entrypoints import cli
from starrocks_br.entrypoints.cli import COMMANDS, main
from starrocks_br.entrypoints.console import Call, Outcome
from starrocks_br.entrypoints.exit_codes import ExitCode
from starrocks_br.entrypoints.failures import known_failure
from starrocks_br.entrypoints.options import shared_options

Body = Callable[[Call], Outcome]
Probe = Callable[[Body], None]

DONE = Outcome(lines=["one", "two"], result={"done": True})


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    """Adds a command `probe` with the given body."""

    def add(body: Body) -> None:
        @click.command("probe")
        @shared_options
        def probe_command(call: Call) -> Outcome:
            return body(call)

        module = ModuleType("starrocks_br.entrypoints.commands.probe")
        vars(module)["probe_command"] = probe_command
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(COMMANDS, "probe", ("probe", "A probe."))

    return add


def raising(error: BaseException) -> Body:
    def body(call: Call) -> Outcome:
        call.heard(Warned(message="slow"))
        raise error

    return body


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([name, "--help"] for name in COMMANDS)])
def test_help_goes_to_stdout(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Usage: starrocks-br")
    assert shown.err == ""


def test_the_overview_names_every_command_in_the_order_of_a_clusters_life(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    overview = capsys.readouterr().out.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in overview if line.startswith("  ")][:6] == list(COMMANDS)
    assert cli.group.list_commands(click.Context(cli.group)) == list(COMMANDS)


def test_help_is_fast_because_it_loads_neither_drivers_nor_services() -> None:
    code = (
        "import sys; from starrocks_br.entrypoints.cli import main; main(['--help']); "
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.strip("' []\n") for name in done.stderr.split(",")}
    heavy = {"sqlalchemy", "cattrs", "yaml", "MySQLdb", "starrocks_br.services", "starrocks_br.client"}
    assert "click" in loaded
    assert loaded.isdisjoint(heavy)


def test_without_a_command_the_help_is_shown_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Usage: starrocks-br" in shown.err


def test_the_arguments_are_the_processs_own_unless_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["whatever", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("starrocks-br ")


@pytest.mark.parametrize("module", ["starrocks_br", "starrocks_br.cli"])
def test_the_doors_open(module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "starrocks_br.cli", raising=False)
    monkeypatch.setattr(sys, "argv", [module, "nonsense"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(module, run_name="__main__")
    assert end.value.code == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["starrocks_br.__main__", "starrocks_br.cli"])
def test_importing_a_door_runs_nothing(module: str) -> None:
    assert runpy.run_module(module)["main"] is main


def test_a_bad_command_line_says_what_and_where_help_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--limit", "0"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: Invalid value for '--limit'")
    assert "  next: starrocks-br list --help" in shown.err


@pytest.mark.parametrize(
    ("arguments", "command"), [(["list", "--json", "--nonsense"], "list"), (["nonsense", "--json"], None)]
)
def test_a_bad_command_line_is_a_document_too(
    arguments: list[str], command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["exit_code"], document["error"]["kind"]) == (command, 2, "Usage")


@pytest.mark.parametrize("points", [[], ["--timestamp", "2025-10-06 12:00:00", "--label", "x"]])
def test_restore_wants_exactly_one_way_to_name_the_point(points: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "--table", "db1.t", *points]) == 2
    assert "either --timestamp or --label" in capsys.readouterr().err


def test_a_timestamp_that_is_none_is_refused_before_the_configuration_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["restore", "--table", "db1.t", "--timestamp", "yesterday", "--config", "not-there.yaml"]) == 2
    assert "'yesterday' is not a point in time" in capsys.readouterr().err


def test_a_good_end_is_the_result_on_stdout_and_nothing_else(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    probe(lambda _call: DONE)
    assert main(["probe"]) == 0
    assert capsys.readouterr() == ("one\ntwo\n", "")


def test_a_good_end_as_a_document(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    probe(lambda _call: DONE)
    assert main(["probe", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "format": 1,
        "command": "probe",
        "exit_code": 0,
        "error": None,
        "warnings": [],
        "result": {"done": True},
    }
    assert shown.err == ""


def test_a_partly_good_end_shows_result_warnings_and_error(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    failure = known_failure(Busy("db2 is busy"), ExitCode.PARTIAL)

    def body(call: Call) -> Outcome:
        call.heard(Warned(message="slow"))
        return Outcome(lines=["one"], result={"n": 1}, failure=failure, warnings=["slow", "late"])

    probe(body)
    assert main(["probe", "-q"]) == 3
    assert capsys.readouterr() == ("one\n", "warning: slow\nwarning: late\nerror: db2 is busy\n")
    assert main(["probe", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["warnings"] == ["slow", "late"]
    assert document["result"] == {"n": 1}
    assert document["error"]["what"] == "db2 is busy"


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (Busy("db1 is busy", hint="wait"), 11, "Busy"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ZeroDivisionError("by zero"), 1, "Defect"),
    ],
)
def test_a_bad_end_is_shown_without_a_traceback_and_with_its_exit_code(
    error: BaseException, code: int, kind: str, probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    probe(raising(error))
    assert main(["probe"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error: " in shown.err
    assert "Traceback" not in shown.err
    assert main(["probe", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert (document["error"]["kind"], document["warnings"], document["command"]) == (kind, ["slow"], "probe")


def test_a_defect_shows_its_traceback_if_asked_to(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    probe(raising(ZeroDivisionError("by zero")))
    assert main(["probe", "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err
    probe(raising(Busy("db1 is busy")))
    assert main(["probe", "-v"]) == 11
    assert "Traceback" not in capsys.readouterr().err


def test_sigterm_ends_the_command_with_143_and_the_old_handler_comes_back(
    probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def body(_call: Call) -> Outcome:
        os.kill(os.getpid(), signal.SIGTERM)
        return DONE

    probe(body)
    assert main(["probe"]) == 143
    assert "SIGTERM" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_log_records_are_shown_with_v_only(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("starrocks_br.test")

    def body(_call: Call) -> Outcome:
        logger.debug("a record")
        return DONE

    probe(body)
    main(["probe"])
    assert capsys.readouterr().err == ""
    main(["probe", "-v"])
    assert capsys.readouterr().err == "DEBUG starrocks_br.test: a record\n"
    main(["probe"])
    assert capsys.readouterr().err == ""


def test_a_reader_that_went_away_changes_nothing_about_the_end(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    probe(lambda _call: DONE)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["probe"]) == 0


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A disk without room."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        yield stream


@pytest.mark.parametrize("arguments", [["probe"], ["probe", "--json"]])
def test_a_result_that_cannot_be_written_is_told_of_and_changes_nothing_about_the_end(
    arguments: list[str],
    probe: Probe,
    full: TextIO,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    probe(lambda _call: DONE)
    monkeypatch.setattr(sys, "stdout", full)
    assert main(arguments) == 0
    assert capsys.readouterr().err == "warning: the result could not be written: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("arguments", [["probe"], ["probe", "-q"], ["probe", "-v"]])
def test_a_command_goes_on_if_what_it_says_on_the_way_cannot_be_written(
    arguments: list[str], probe: Probe, full: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []

    def body(call: Call) -> Outcome:
        call.heard(Warned(message="slow"))
        call.remark(["a remark"])
        ends.append("the end")
        raise Busy("the end", why="")

    probe(body)
    monkeypatch.setattr(sys, "stderr", full)
    assert main(arguments) == 11
    assert ends == ["the end"]


def test_a_question_that_cannot_be_asked_is_answered_with_no(
    probe: Probe, full: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    monkeypatch.setattr(sys, "stdin", Keyboard("y\n"))
    monkeypatch.setattr(sys, "stderr", full)

    def body(call: Call) -> Outcome:
        answers.append(call.agreed([], "go on?", yes=False))
        return DONE

    probe(body)
    main(["probe", "-q"])
    assert answers == [False]


def test_a_process_that_was_started_without_streams_does_its_work() -> None:
    """As by a daemon that closes them."""
    code = (
        "import os, sys; from starrocks_br.entrypoints.cli import main; "
        "sys.stdin = sys.stdout = sys.stderr = None; os._exit(main(['list', '--config', 'none.yaml']))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == ExitCode.USAGE


def test_a_configuration_that_was_not_named_is_for_the_client_to_find(probe: Probe) -> None:
    found = []

    def body(call: Call) -> Outcome:
        found.append(call.config)
        return DONE

    probe(body)
    main(["probe"])
    main(["probe", "-c", "mine.yaml"])
    assert found == [None, Path("mine.yaml")]


class Keyboard(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), (" YES \n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_person_is_shown_the_plan_and_asked_even_if_quiet(
    typed: str, agreed: bool, probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    answers = []

    def body(call: Call) -> Outcome:
        answers.append(call.agreed(["the plan"], "go on?", yes=False))
        return DONE

    probe(body)
    main(["probe", "-q"])
    assert answers == [agreed]
    assert capsys.readouterr().err == "the plan\ngo on? [y/N] "


@pytest.mark.parametrize(("stdin", "yes"), [(io.StringIO("n\n"), False), (Keyboard("n\n"), True)])
def test_scripts_and_those_who_said_yes_are_not_asked(
    stdin: io.StringIO, yes: bool, probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    def body(call: Call) -> Outcome:
        assert call.agreed(["the plan"], "go on?", yes=yes)
        return DONE

    probe(body)
    assert main(["probe"]) == 0
    assert capsys.readouterr().err == "the plan\n"
    assert main(["probe", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_an_unknown_command_is_not_looked_for_on_disk() -> None:
    context = click.Context(cli.group)
    assert cli.group.get_command(context, "os") is None
