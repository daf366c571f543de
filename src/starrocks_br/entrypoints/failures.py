"""Whatever ends a command badly, in one shape: for the terminal, for `--json`, for the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
from attrs import field, frozen

from starrocks_br.domain.errors import IllegalTransition, StarRocksBrError
from starrocks_br.entrypoints.exit_codes import ExitCode, exit_code_of
from starrocks_br.entrypoints.interrupts import AFTERMATH, NOTHING_LEFT, Terminated

_DEFECT_HINT: Final = "this is a defect of starrocks-br; run it again with -v and report what it prints"


@frozen(kw_only=True)
class Failure:
    """Why a command did not end well.

    Attributes:
        kind: A word that programs can rely on: the name of the error's class.
        what: What failed, in one line.
        why: The reason, one or more lines; may be empty.
        hint: What to do next; may be empty.
        exit_code: Of the process.
        details: The error's other fields, for programs.
        defect: Whether this program is at fault, so that a traceback helps.
    """

    kind: str
    what: str
    why: str = ""
    hint: str = ""
    exit_code: ExitCode
    details: Mapping[str, object] = field(factory=dict)
    defect: bool = False


def failure_of(error: BaseException, command: str | None) -> Failure:
    """Describe what was caught.

    Args:
        error: Anything.
        command: Which command was running, if it got that far.
    """
    match error:
        case StarRocksBrError():
            return known_failure(error, exit_code_of(error))
        case click.ClickException():
            return _usage(error)
        case KeyboardInterrupt():
            return _interrupted(error, command)
        case _:
            return Failure(
                kind="Defect",
                what="something unexpected happened",
                why=f"{type(error).__name__}: {error}",
                hint=_DEFECT_HINT,
                exit_code=ExitCode.FAILED,
                defect=True,
            )


def known_failure(error: StarRocksBrError, exit_code: ExitCode) -> Failure:
    """Describe an error of ours."""
    own = {"what", "why", "hint"}
    defect = isinstance(error, IllegalTransition)
    return Failure(
        kind=type(error).__name__,
        what=error.what,
        why=error.why,
        hint=error.hint or (_DEFECT_HINT if defect else ""),
        exit_code=exit_code,
        details={name: value for name, value in vars(error).items() if name not in own},
        defect=defect,
    )


def _usage(error: click.ClickException) -> Failure:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return Failure(
        kind="Usage",
        what=error.format_message(),
        hint=f"{context.command_path if context else 'starrocks-br'} --help",
        exit_code=ExitCode.USAGE,
    )


def _interrupted(error: KeyboardInterrupt, command: str | None) -> Failure:
    terminated = isinstance(error, Terminated)
    return Failure(
        kind="Terminated" if terminated else "Interrupted",
        what=f"{command or 'the command'} was stopped before its end",
        why="SIGTERM" if terminated else "Ctrl-C",
        hint=AFTERMATH.get(command or "", NOTHING_LEFT),
        exit_code=ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED,
    )
