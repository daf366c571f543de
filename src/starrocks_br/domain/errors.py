"""Every way in which a command can end badly: what failed, why (the server's own words), what to do next.

Two families: `RequestError` is the caller's to mend, `ClusterError` is the other side's. Which exit code belongs to
which class stands in one table, `entrypoints/exit_codes.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starrocks_br.domain.names import Label, RestoreId, TableRef


class StarRocksBrError(Exception):
    """The root of all errors that this package raises on purpose.

    Attributes:
        what: What failed, in one line, naming the object.
        why: The reason; the server's own words where it gave any. May be empty.
        hint: What to do next. May be empty.
    """

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return ": ".join(part for part in (self.what, self.why) if part)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are not in `args`: without this no error could leave a worker process.
        return Exception.__new__, (type(self), *self.args), self.__dict__


class RequestError(StarRocksBrError):
    """The request cannot be met as it was made; nothing was changed."""


class InvalidName(RequestError):
    """A name that StarRocks would not take, or that cannot be quoted safely."""


class InvalidInstant(RequestError):
    """A text that is not one unambiguous point in time."""


class InvalidSettings(RequestError):
    """The configuration has problems; all of them are named at once."""

    def __init__(self, what: str, problems: Iterable[str] = (), *, hint: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(what, why="\n".join(self.problems), hint=hint)


class UnknownTable(RequestError):
    """A table that exists neither on the cluster nor in the history."""


class TargetExists(RequestError):
    """The restore target exists; nothing is restored over a live object."""


class UnknownRestore(RequestError):
    """A restore of which nothing is written down, or that cannot be undone or finished any more."""


class StalePlan(RequestError):
    """A plan that would come out otherwise by now; nothing was done."""


class Unrestorable(RequestError):
    """The point is known, but no sequence of legal statements gives the table back exactly."""


class NotInitialised(RequestError):
    """The ops tables are missing or of a layout that this version does not know."""


class Busy(RequestError):
    """Somebody else holds what the command needs: a database's job slot, or a table under restore."""


class NoPoint(RequestError):
    """No restorable point of the table lies at or before the instant.

    Attributes:
        oldest: The oldest restorable point of the table (UTC), if it has any.
        newest: The newest restorable point of the table (UTC), if it has any.
    """

    def __init__(
        self,
        what: str,
        *,
        oldest: datetime | None = None,
        newest: datetime | None = None,
        why: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.oldest = oldest
        self.newest = newest


class BrokenChain(StarRocksBrError):
    """The lineage of a table cannot be followed.

    Attributes:
        table: The table, where one is concerned.
        labels: The snapshots at fault, in the order they were met.
    """

    def __init__(
        self,
        what: str,
        *,
        table: TableRef | None = None,
        labels: Iterable[Label] = (),
        why: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.table = table
        self.labels = tuple(labels)


class VerificationMismatch(StarRocksBrError):
    """What was restored is not what the manifest says.

    Attributes:
        table: The table that was looked at.
        differences: One line per difference.
    """

    def __init__(
        self, what: str, *, table: TableRef | None = None, differences: Iterable[str] = (), hint: str = ""
    ) -> None:
        self.table = table
        self.differences = tuple(differences)
        super().__init__(what, why="\n".join(self.differences), hint=hint)


class Haunted(VerificationMismatch):
    """What RESTORE made of a snapshot brought ghost partitions along; it was dropped, and they went with it.

    Attributes:
        restore: Whose table they came with; others that were made in the same job failed with it.
    """

    def __init__(
        self, what: str, *, restore: RestoreId, table: TableRef, differences: Iterable[str] = (), hint: str = ""
    ) -> None:
        super().__init__(what, table=table, differences=differences, hint=hint)
        self.restore = restore


class IllegalTransition(StarRocksBrError):
    """An event that the state of a snapshot does not allow: a defect of this program, never of the cluster."""


class ClusterError(StarRocksBrError):
    """The other side failed or refused."""


class AccessDenied(ClusterError):
    """The user lacks a privilege."""


class Unreachable(ClusterError):
    """No frontend answers. Nothing was sent."""


class UnsupportedServer(ClusterError):
    """The server is of a kind or version that this tool cannot work with."""


class OutcomeUnknown(ClusterError):
    """The connection broke with a statement in flight: it may or may not have happened. Ask; never repeat it."""


def gone(error: ClusterError) -> Unreachable:
    """The end of all patience with a cluster that was there and does not answer any more.

    Args:
        error: What came of the last attempt.
    """
    return Unreachable(
        "the cluster does not answer any more",
        why=str(error),
        hint="jobs go on in the cluster; run the command again and it picks them up",
    )


class Refused(ClusterError):
    """The server answered with an error: the statement had no effect.

    Attributes:
        errno: The server's error number (5064 for most refusals of BACKUP and RESTORE, R§3).
        transient: Whether the same request, made anew, may succeed.
    """

    def __init__(self, what: str, *, errno: int, transient: bool = False, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.errno = errno
        self.transient = transient


class JobFailed(ClusterError):
    """A BACKUP or RESTORE job ended CANCELLED, or its snapshot is not what was asked for.

    Attributes:
        label: The snapshot's label.
        transient: Whether a new attempt may succeed.
    """

    def __init__(
        self, what: str, *, label: Label | None = None, transient: bool = False, why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.label = label
        self.transient = transient
