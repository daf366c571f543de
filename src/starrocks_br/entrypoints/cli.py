"""`starrocks-br`: finds the command, runs it, shows how it ended, and gives the exit code.

Commands are imported when they are asked for: `starrocks-br --help` loads nothing but click.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from starrocks_br.entrypoints.interrupts import second_signal_leaves, sigterm_raises
from starrocks_br.entrypoints.options import Wishes
from starrocks_br.entrypoints.streams import missing_streams_replaced

if TYPE_CHECKING:
    from starrocks_br.entrypoints.console import Outcome

PROGRAM: Final = "starrocks-br"

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": ("setup", "Create the tables that hold the history."),
    "backup": ("backup", "Back up what changed, in full or incrementally."),
    "list": ("history", "List what was backed up and the points that can be restored."),
    "show": ("history", "Show one snapshot: tables, partitions, chain."),
    "restore": ("restore", "Give tables back as they were at a point in time."),
    "bootstrap": ("bootstrap", "On a new cluster: get the history back."),
}
"""Command → (module under `commands`, what the overview says of it), in the order of a cluster's life."""


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"starrocks_br.entrypoints.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing what it speaks of."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Results go to stdout, everything else to stderr. Every command takes --config, --json, -q and -v.",
)
@click.version_option(package_name="starrocks-br", message="%(prog)s %(version)s")
def group() -> None:
    """Incremental backup and point-in-time restore for StarRocks."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        args: The arguments after the program's name; None: the process's own.

    Returns:
        The exit code (`entrypoints/exit_codes.py`).
    """
    with missing_streams_replaced(), second_signal_leaves():
        return _main(sys.argv[1:] if args is None else list(args))


def _main(arguments: list[str]) -> int:
    wishes = Wishes(json="--json" in arguments)
    try:
        with sigterm_raises():
            outcome = _run(arguments, wishes)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the door: whatever it is, it is shown and ends here
        from starrocks_br.entrypoints.ending import show_failure

        return show_failure(error, wishes)
    from starrocks_br.entrypoints.ending import show_outcome

    return show_outcome(outcome, wishes)


def _run(arguments: list[str], wishes: Wishes) -> Outcome:
    with group.make_context(PROGRAM, arguments, obj=wishes) as context:
        outcome: Outcome = group.invoke(context)
    return outcome
