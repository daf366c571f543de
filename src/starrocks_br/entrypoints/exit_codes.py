"""The exit codes, and the one table that says which error ends with which of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from starrocks_br.domain import errors


class ExitCode(IntEnum):
    """How a command ended. Scripts may rely on the numbers."""

    OK = 0
    """All that was asked for is done."""
    FAILED = 1
    """The cluster or a job failed, or this program has a defect."""
    USAGE = 2
    """The command line, the configuration, or a request that cannot be met as it was made."""
    PARTIAL = 3
    """Some databases or tables ended well, others did not."""
    NOT_INITIALISED = 10
    """The ops tables are missing, or of another layout: `starrocks-br init`."""
    BUSY = 11
    """Somebody else holds a job slot or the table: try again later."""
    ACCESS_DENIED = 12
    """The user lacks a privilege."""
    UNREACHABLE = 13
    """No frontend answers; nothing was sent."""
    NO_POINT = 14
    """The table has no such point, or its chain is broken, or the point cannot be given back exactly."""
    MISMATCH = 15
    """What was restored is not what was recorded; it does not stay under the table's name."""
    UNSUPPORTED = 16
    """The server is of a kind or version that cannot be worked with."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """SIGTERM."""


BY_ERROR: Final[Mapping[type[Exception], ExitCode]] = {
    errors.StarRocksBrError: ExitCode.FAILED,
    # The request is the caller's to change: a target that exists, a table nobody knows, a name, a file.
    errors.RequestError: ExitCode.USAGE,
    errors.NotInitialised: ExitCode.NOT_INITIALISED,
    errors.Busy: ExitCode.BUSY,
    # Three answers to one question, "can this point be had?": a script that tries another point catches them all.
    errors.NoPoint: ExitCode.NO_POINT,
    errors.Unrestorable: ExitCode.NO_POINT,
    errors.BrokenChain: ExitCode.NO_POINT,
    errors.VerificationMismatch: ExitCode.MISMATCH,
    errors.AccessDenied: ExitCode.ACCESS_DENIED,
    errors.Unreachable: ExitCode.UNREACHABLE,
    errors.UnsupportedServer: ExitCode.UNSUPPORTED,
}
"""Error → exit code; a class that is not named has the code of the nearest base that is."""


def exit_code_of(error: errors.StarRocksBrError) -> ExitCode:
    """The exit code of an error."""
    return next(BY_ERROR[base] for base in type(error).__mro__ if base in BY_ERROR)


def common_exit_code(failures: Iterable[errors.StarRocksBrError]) -> ExitCode:
    """The exit code of a command that failed all over: the one that all causes share, else FAILED."""
    codes = {exit_code_of(error) for error in failures}
    return codes.pop() if len(codes) == 1 else ExitCode.FAILED
