"""The table of exit codes, and how errors become failures."""

from __future__ import annotations

import click
import pytest

from starrocks_br.domain import errors
from starrocks_br.domain.names import RestoreId
from starrocks_br.entrypoints.console import Declined
from starrocks_br.entrypoints.exit_codes import ExitCode, common_exit_code, exit_code_of
from starrocks_br.entrypoints.failures import Failure, failure_of
from starrocks_br.entrypoints.interrupts import Terminated
from starrocks_br.entrypoints.render.failures import failure as lines_of
from tests.unit.entrypoints.values import FULL_LABEL, NOON, ORDERS

ERRORS = [
    (errors.StarRocksBrError("x"), 1),
    (errors.RequestError("x"), 2),
    (errors.InvalidName("x"), 2),
    (errors.InvalidInstant("x"), 2),
    (errors.InvalidSettings("x"), 2),
    (errors.UnknownTable("x"), 2),
    (errors.TargetExists("x"), 2),
    (errors.Unrestorable("x"), 14),
    (errors.UnknownRestore("x"), 2),
    (errors.StalePlan("x"), 2),
    (errors.NotInitialised("x"), 10),
    (errors.Busy("x"), 11),
    (errors.NoPoint("x"), 14),
    (errors.BrokenChain("x"), 14),
    (errors.VerificationMismatch("x"), 15),
    (errors.Haunted("x", restore=RestoreId("a1"), table=ORDERS), 15),
    (errors.IllegalTransition("x"), 1),
    (errors.ClusterError("x"), 1),
    (errors.AccessDenied("x"), 12),
    (errors.Unreachable("x"), 13),
    (errors.UnsupportedServer("x"), 16),
    (errors.OutcomeUnknown("x"), 1),
    (errors.Refused("x", errno=5064), 1),
    (errors.JobFailed("x"), 1),
    (Declined(), 1),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_each_error_has_its_exit_code(error: errors.StarRocksBrError, code: int) -> None:
    assert exit_code_of(error) == code
    assert failure_of(error, "list").exit_code == code


def test_no_error_class_is_left_out_of_this_test() -> None:
    def below(cls: type[Exception]) -> set[type[Exception]]:
        return {cls}.union(*(below(sub) for sub in cls.__subclasses__()))

    known = below(errors.StarRocksBrError)
    assert {cls for cls in known if cls.__module__ == errors.__name__} <= {type(error) for error, _ in ERRORS}


def test_several_failures_have_an_exit_code_together_only_if_they_share_it() -> None:
    busy, denied = errors.Busy("x"), errors.AccessDenied("x")
    assert common_exit_code([busy, busy]) is ExitCode.BUSY
    assert common_exit_code([busy, denied]) is ExitCode.FAILED
    assert common_exit_code([]) is ExitCode.FAILED


def test_an_error_is_shown_as_what_why_next() -> None:
    error = errors.NoPoint("orders cannot be restored", why="too old", hint="starrocks-br list", oldest=NOON)
    assert lines_of(failure_of(error, "restore")) == [
        "error: orders cannot be restored",
        "  why:  too old",
        "  next: starrocks-br list",
    ]


def test_a_reason_of_several_lines_stays_in_its_column() -> None:
    found = failure_of(errors.InvalidSettings("config.yaml has 2 problems", ["no host", "no port"]), "list")
    assert lines_of(found) == ["error: config.yaml has 2 problems", "  why:  no host", "        no port"]


def test_a_failure_keeps_the_fields_of_its_error_for_programs() -> None:
    found = failure_of(errors.BrokenChain("x", table=ORDERS, labels=[FULL_LABEL]), "restore")
    assert found.kind == "BrokenChain"
    assert found.details == {"table": ORDERS, "labels": (FULL_LABEL,)}
    assert not found.defect


def test_a_command_line_error_points_to_the_help_of_its_command() -> None:
    program = click.Context(click.Group("starrocks-br"), info_name="starrocks-br")
    context = click.Context(click.Command("list"), info_name="list", parent=program)
    found = failure_of(click.UsageError("No such option", context), None)
    assert (found.kind, found.what, found.exit_code) == ("Usage", "No such option", 2)
    assert found.hint == "starrocks-br list --help"
    assert failure_of(click.ClickException("no file"), None).hint == "starrocks-br --help"


@pytest.mark.parametrize(
    ("error", "kind", "code"), [(KeyboardInterrupt(), "Interrupted", 130), (Terminated(), "Terminated", 143)]
)
def test_an_interrupt_says_what_goes_on_without_us(error: KeyboardInterrupt, kind: str, code: int) -> None:
    found = failure_of(error, "backup")
    assert (found.kind, found.exit_code) == (kind, code)
    assert "goes on on the server" in found.hint
    assert "next starrocks-br backup" in found.hint
    assert "restore --resume ID" in failure_of(error, "restore").hint
    assert "--undo ID" in failure_of(error, "restore").hint
    assert "nothing is left behind" in failure_of(error, "list").hint
    assert "the command was stopped" in failure_of(error, None).what


def test_a_defect_names_itself_and_asks_for_a_report() -> None:
    found = failure_of(ZeroDivisionError("division by zero"), "list")
    assert found == Failure(
        kind="Defect",
        what="something unexpected happened",
        why="ZeroDivisionError: division by zero",
        hint=found.hint,
        exit_code=ExitCode.FAILED,
        defect=True,
    )
    assert "-v" in found.hint
    assert failure_of(errors.IllegalTransition("a miss"), "backup").defect
