"""The end of a command: its result on stdout, its error on stderr, its exit code to the caller."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable

import click

from starrocks_br.entrypoints.console import Outcome
from starrocks_br.entrypoints.documents_out import Document, envelope
from starrocks_br.entrypoints.exit_codes import ExitCode
from starrocks_br.entrypoints.failures import Failure, failure_of
from starrocks_br.entrypoints.options import Wishes
from starrocks_br.entrypoints.render.failures import failure as failure_lines
from starrocks_br.entrypoints.streams import tell


def show_outcome(outcome: Outcome, wishes: Wishes) -> int:
    """Show what a command found or did. Returns its exit code."""
    heard = _heard(wishes)
    told = [warning for warning in outcome.warnings if warning not in heard]
    _say(f"warning: {warning}" for warning in told)
    if not wishes.json:
        _write("\n".join(outcome.lines))
    return _end(wishes, wishes.command, outcome.failure, [*heard, *told], outcome.result)


def show_failure(error: BaseException, wishes: Wishes) -> int:
    """Show what ended a command. Returns the exit code; a defect's traceback is shown only if the user asked for it."""
    command = wishes.command or _asked_for(error)
    found = failure_of(error, command)
    warnings = _heard(wishes)
    if found.defect and wishes.verbose:
        tell(sys.stderr, "".join(traceback.format_exception(error)))
    return _end(wishes, command, found, warnings, None)


def _end(
    wishes: Wishes, command: str | None, failure: Failure | None, warnings: list[str], result: Document | None
) -> int:
    code = failure.exit_code if failure else ExitCode.OK
    if failure:
        _say(failure_lines(failure))
    if wishes.json:
        _write(envelope(command, code, failure=failure, warnings=warnings, result=result))
    return code


def _heard(wishes: Wishes) -> list[str]:
    """What was warned of on the way; takes the live progress line off the terminal, since nothing more comes."""
    if wishes.call is None:
        return []
    wishes.call.heard.display.close()
    return wishes.call.heard.warnings


def _asked_for(error: BaseException) -> str | None:
    """The command that a bad command line was meant for."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.info_name if context is not None and context.parent is not None else None


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        tell(sys.stderr, line + "\n")


def _write(text: str) -> None:
    """Write to stdout. That it cannot be written changes nothing about what was done, nor about the exit code."""
    error = tell(sys.stdout, text + "\n")
    if error and not isinstance(error, BrokenPipeError):  # who pipes into `head` has read enough
        _say([f"warning: the result could not be written: {error}"])
