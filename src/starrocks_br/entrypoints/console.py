"""What a command has of the terminal, and what it hands back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import Factory, define, field, frozen

from starrocks_br.domain.backup_plan import DatabaseBackup
from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.events import BackupPlanned, Progress, Warned
from starrocks_br.domain.names import DatabaseName
from starrocks_br.entrypoints.documents_out import Document
from starrocks_br.entrypoints.failures import Failure
from starrocks_br.entrypoints.progress import QuietDisplay, describe, display_for
from starrocks_br.entrypoints.streams import tell

if TYPE_CHECKING:
    from starrocks_br.client import Client


class Declined(StarRocksBrError):
    """The user looked at the plan and said no."""

    def __init__(self) -> None:
        super().__init__("not confirmed: nothing was written or sent")


@frozen(kw_only=True)
class Outcome:
    """How a command ended, if no error ended it.

    Attributes:
        lines: The result for people.
        result: The result for programs.
        failure: Why the exit code is not 0, where part of the work failed.
        warnings: What the result says besides; those heard on the way are added.
    """

    lines: Sequence[str]
    result: Document
    failure: Failure | None = None
    warnings: Sequence[str] = ()


@define
class Heard:
    """A listener that shows progress and keeps what the result needs of it.

    Attributes:
        display: Where progress is shown.
        warnings: What was warned of, in order; what is said again (while waiting) is neither kept nor shown.
        planned: The last plan of each database of a backup.
    """

    display: QuietDisplay
    warnings: list[str] = Factory(list)
    planned: dict[DatabaseName, DatabaseBackup] = Factory(dict)

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        if isinstance(progress, Warned):
            message = describe(progress).removeprefix("warning: ")
            if message in self.warnings:
                return
            self.warnings.append(message)
        if isinstance(progress, BackupPlanned):
            self.planned.update({database.database: database for database in progress.plan.databases})
        self.display(progress)


@define(kw_only=True)
class Call:
    """One command under way.

    Attributes:
        config: The configuration file; None: the client looks for it.
        quiet: Whether progress and remarks are left out.
        heard: The listener of the command's client.
    """

    config: Path | None
    quiet: bool
    heard: Heard = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.heard = Heard(display_for(sys.stderr, quiet=self.quiet))

    def connect(self) -> Client:
        """A client of the configured cluster; a context manager."""
        from starrocks_br.client import connect

        return connect(self.config, listener=self.heard)

    def remark(self, lines: Iterable[str]) -> None:
        """Say something on stderr that is neither result nor error."""
        if not self.quiet:
            for line in lines:
                self.heard.display.say(line)

    @property
    def can_ask(self) -> bool:
        """Whether a person sits there."""
        return sys.stdin.isatty()

    def agreed(self, plan: Iterable[str], question: str, *, yes: bool) -> bool:
        """Whether to go on: asks if a person sits there who did not say --yes; scripts are not asked.

        Args:
            plan: What would be done; shown first.
            question: Asked on stderr, so that stdout stays the result's.
            yes: Whether the answer was given beforehand.
        """
        if yes or not self.can_ask:
            self.remark(plan)
            return True
        for line in plan:
            self.heard.display.say(line)
        if tell(sys.stderr, f"{question} [y/N] "):
            return False  # nobody was asked
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
