"""The options that every command has."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

import click
from attrs import define

from starrocks_br.entrypoints.logs import logging_on_stderr

if TYPE_CHECKING:
    from starrocks_br.entrypoints.console import Call, Outcome

P = ParamSpec("P")

YEAR: Final = 31_536_000
"""Seconds; what is longer is meant otherwise."""


class Seconds(click.FloatRange):
    """How long to wait: not for ever, nor for what is no number."""

    def __init__(self) -> None:
        super().__init__(min=0, max=YEAR)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; `nan` lies in every range."""
        found: float = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return found


wait_option = click.option(
    "--wait",
    type=Seconds(),
    metavar="SECONDS",
    help="How long to wait for a job slot that someone else holds. Default: that of the configuration (60).",
)


@define
class Wishes:
    """What must be known even if the command never began: how to show that.

    Attributes:
        json: Whether one JSON document on stdout is wanted.
        verbose: Whether log records and tracebacks are.
        command: The command's name, once known.
        call: The command under way, once it is.
    """

    json: bool = False
    verbose: bool = False
    command: str | None = None
    call: Call | None = None


def shared_options(command: Callable[Concatenate[Call, P], Outcome]) -> Callable[..., Outcome]:
    """Give a command the shared options, and a `Call` in their place."""

    @click.option(
        "--config",
        "-c",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The configuration file. Default: $STARROCKS_BR_CONFIG, then config.yaml here.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Write one JSON document on stdout.")
    @click.option("--quiet", "-q", is_flag=True, help="Show no progress; warnings and errors are shown.")
    @click.option("--verbose", "-v", is_flag=True, help="Show log records, and the traceback of a defect.")
    @click.pass_context
    @wraps(command)
    def run(
        context: click.Context,
        /,
        config: Path | None,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Outcome:
        from starrocks_br.entrypoints.console import Call

        wishes = context.ensure_object(Wishes)
        wishes.json, wishes.verbose, wishes.command = as_json, verbose, context.info_name
        wishes.call = Call(config=config, quiet=quiet)
        with logging_on_stderr(wanted=verbose):
            return command(wishes.call, *args, **kwargs)

    return run
