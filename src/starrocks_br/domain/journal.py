"""What a restore wrote down of itself, step by step, so that whoever comes after a kill can clean up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from starrocks_br.domain.names import ClusterId, RepositoryName, RestoreId, TableRef
from starrocks_br.domain.reprs import count
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)


class StepStatus(StrEnum):
    """Where a step of a restore stands."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"
    UNDONE = "UNDONE"
    """The restore was complete; the table that it had replaced has its name again."""


OPEN_STEPS = frozenset({StepStatus.PLANNED, StepStatus.SENT})
"""States that only a live restore may leave behind."""


QUIET: Final = timedelta(seconds=60)
"""For longer than this a restore that is alive is never silent between its jobs: each of its steps takes moments."""

QUIET_WHILE_READING: Final = timedelta(seconds=360)
"""But for those that read whole tables: query_timeout (300 s unless set), and a minute."""

QUIET_WHILE_COPYING: Final = timedelta(seconds=1020)
"""And those that write them, for which the server takes hours (insert_timeout): read_timeout (960 s unless set), after
which nobody waits any more, and a minute."""

QUIET_PER_PARTITION: Final = timedelta(seconds=10)
"""One statement adds one partition; the server gives the backends 10 s for each of its tablets, all at once
(tablet_create_timeout_second, documented)."""

GRACE: Final = timedelta(seconds=300 + 10 + 60)
"""query_timeout, the wait for the submit lock, and a minute: what was sent longer ago has acted, or never will."""


CLOSER: Final = "closed by "
"""How a holder is called that takes a restore back or to its end: what it sends is no step of the journal, so that
nobody can tell what of it may still act."""


@frozen(kw_only=True)
class JournalStep:
    """One step as written down.

    Attributes:
        step: What was to be done.
        status: How far it got.
        table_id: The server's id of the table that it made; None if it made none, or that is not known.
        holder: Whose it is to be done, while it is open: empty for the command that began the restore.
    """

    step: Step
    status: StepStatus
    table_id: int | None = None
    holder: str = ""

    @property
    def open(self) -> bool:
        """Whether it may still be done."""
        return self.status in OPEN_STEPS


@frozen(kw_only=True)
class Mark:
    """How far one step got.

    Attributes:
        restore: Which restore.
        number: Which step, from 0.
        status: Where it stands.
        table_id: The server's id of the table that it made; None: nothing is learned of that.
        detail: The server's words, or what was found.
    """

    restore: RestoreId
    number: int
    status: StepStatus
    table_id: int | None = None
    detail: str = ""


@frozen(kw_only=True)
class Claim:
    """What a command that works on a restore asks before each step: is it still mine?

    Attributes:
        restore: Which restore.
        number: The step that is about to be sent, from 0.
        holder: Who asks: empty for the command that began the restore, else what `take_over` was told.
    """

    restore: RestoreId
    number: int
    holder: str = ""


@frozen(kw_only=True)
class Journal:
    """One restore of one table as written down.

    Attributes:
        restore: Its id.
        cluster: Where it ran.
        repository: Where it read.
        target: The table it makes.
        alias: The name it works under.
        created_at: When it began (the leader's clock, UTC).
        steps: In order.
        marked_at: When it was last written to (the leader's clock, UTC); None where nobody keeps that.
    """

    restore: RestoreId
    cluster: ClusterId
    repository: RepositoryName
    target: TableRef
    alias: TableRef
    created_at: datetime
    steps: tuple[JournalStep, ...] = field(repr=count)
    marked_at: datetime | None = field(default=None, eq=False)

    @property
    def closed(self) -> bool:
        """Whether nothing of it is left to be done or undone."""
        return not any(line.open for line in self.steps)

    @property
    def holders(self) -> frozenset[str]:
        """Whose its open steps are to be done: of one, unless somebody is taking it over this very moment."""
        return frozenset(line.holder for line in self.steps if line.open)

    def held_by(self, holder: str) -> bool:
        """Whether nobody but one holder may go on with it."""
        return self.holders == {holder}

    @property
    def being_closed(self) -> bool:
        """Whether somebody began to take it back or to its end, and was not heard to give that up."""
        return any(holder.startswith(CLOSER) for holder in self.holders)

    @property
    def made(self) -> Mapping[TableRef, int]:
        """The ids of the tables that it made, as far as they are known, by the names they were made under."""
        found = {}
        for line in self.steps:
            match line.step:
                case RestorePartitions(creating=True, into=table) | CreateTable(table=table) if (
                    line.table_id is not None
                ):
                    found[table] = line.table_id
                case _:
                    pass
        return found

    @property
    def table_id(self) -> int | None:
        """The id of the table that it makes, as far as it is known."""
        return self.made.get(self.alias)

    @property
    def replaced(self) -> int | None:
        """The id of the table that it replaces; None if it replaces none."""
        return next((line.step.table_id for line in self.steps if isinstance(line.step, SetAside | Swap)), None)

    @property
    def creating_sent(self) -> tuple[TableRef, ...]:
        """The tables that a job may have made, or may still make, of which no id was written down."""
        return tuple(
            line.step.into
            for line in self.steps
            if isinstance(line.step, RestorePartitions)
            and line.step.creating
            and line.table_id is None
            and line.status is not StepStatus.PLANNED
        )

    @property
    def new_database(self) -> bool:
        """Whether it made the database of its target: when it was planned there was none."""
        return any(
            isinstance(line.step, CreateDatabase) and line.status is not StepStatus.PLANNED for line in self.steps
        )

    @property
    def sent(self) -> tuple[Step, ...]:
        """What was sent, and nobody wrote down how it ended."""
        return tuple(line.step for line in self.steps if line.status is StepStatus.SENT)

    @property
    def jobs_sent(self) -> tuple[RestorePartitions, ...]:
        """The RESTORE jobs that may be running."""
        return tuple(step for step in self.sent if isinstance(step, RestorePartitions))

    @property
    def overlaying(self) -> bool:
        """Whether a RESTORE over the target's own name was sent.

        One that makes a table makes it under a hidden name, and may come when it likes.
        """
        return any(not step.creating for step in self.jobs_sent)

    def unanswered(self, names: Mapping[TableRef, int]) -> str:
        """What was sent to the target's own name, no job, and does not show that it acted; empty if nothing.

        Args:
            names: The ids of the tables that bear `names` now.
        """
        for step in self.sent:
            match step:
                case SetAside(table=self.target, table_id=old) if names.get(self.target) == old:
                    return "RENAME"
                case Swap(table=self.target, table_id=old) if names.get(self.target) == old:
                    return "SWAP"
                case AddPartitions(table=self.target) | CheckRestored(table=self.target):
                    return "ALTER TABLE"
                case _:
                    pass
        return ""

    @property
    def overlaid(self) -> bool:
        """Whether a RESTORE went over a table under a name that others use; one that was dropped it makes anew."""
        return any(
            isinstance(line.step, RestorePartitions)
            and not line.step.creating
            and line.status is not StepStatus.PLANNED
            for line in self.steps
        )

    @property
    def shown(self) -> bool:
        """Whether its table may have borne a name that others use, so that there may be rows in it that are theirs.

        A SWAP that was sent counts: the tables may have been swapped back by hand since. A RENAME that was sent and
        does not show did not act.
        """
        sent = {line.status for line in self.steps if isinstance(line.step, Swap)} - {StepStatus.PLANNED}
        return bool(sent) or any(
            isinstance(line.step, Rename) and line.status is StepStatus.DONE for line in self.steps
        )

    @property
    def verified(self) -> bool:
        """Whether the table was found to be what it should be: from there on it is finished, not taken back."""
        numbers = [number for number, line in enumerate(self.steps) if isinstance(line.step, Verify)]
        return bool(numbers) and all(line.status is StepStatus.DONE for line in self.steps[: numbers[-1] + 1])

    @property
    def names(self) -> frozenset[TableRef]:
        """Every name that a table of this restore may bear now."""
        named = {self.target, self.alias}
        for line in self.steps:
            match line.step:
                case RestorePartitions(into=table) | Verify(table=table):
                    named.add(table)
                case Rename(table=table, to=name) | SetAside(table=table, to=name) | Swap(table=table, restored=name):
                    named |= {table, TableRef(table.database, name)}
                case _:
                    pass
        return frozenset(named)

    def may_be_alive(self, now: datetime) -> bool:
        """Whether the command that writes it was heard of so lately that it may be at work, whatever its jobs do."""
        quiet = GRACE if self.being_closed else max(map(_quiet, self.sent), default=QUIET)
        return now - (self.marked_at or self.created_at) < quiet

    def may_arrive(self, now: datetime) -> bool:
        """Whether what was sent last may still act, if nothing shows that it has."""
        return now - (self.marked_at or self.created_at) < GRACE


@frozen(kw_only=True)
class DamagedJournal:
    """A restore of which a row cannot be read: what to undo is not known, so nothing is.

    Attributes:
        restore: Its id, as stored.
        tables: Those of the names that it works under that can be read.
        problem: What is wrong, naming row and field.
        kept_in: The table that holds its rows.
    """

    restore: str
    tables: frozenset[TableRef]
    problem: str
    kept_in: str

    @property
    def told(self) -> str:
        """What is wrong and what ends it, for people."""
        named = ", ".join(sorted(str(table) for table in self.tables)) or "what it worked on"
        quoted = self.restore.replace("'", "''")
        return (
            f"the journal of restore {self.restore} cannot be read: {self.problem}; nothing of it is undone, and it "
            f"holds {named}; when that is as you want it, DELETE FROM {self.kept_in} WHERE restore_id = '{quoted}'"
        )


@frozen(kw_only=True)
class Journals:
    """Restores as they came back from the history.

    Attributes:
        sound: Oldest first.
        damaged: Those that cannot be read whole.
    """

    sound: tuple[Journal, ...] = ()
    damaged: tuple[DamagedJournal, ...] = ()

    @property
    def held(self) -> dict[TableRef, str]:
        """The tables of those that cannot be read, to be left alone until somebody has looked; each with the reason."""
        return {table: damaged.told for damaged in self.damaged for table in damaged.tables}

    def of(self, restore: RestoreId) -> Journal | None:
        """One of the sound ones."""
        return next((one for one in self.sound if one.restore == restore), None)

    @property
    def unfinished(self) -> Journals:
        """Those that are open, and all that are damaged: of these nobody knows."""
        return evolve(self, sound=tuple(one for one in self.sound if not one.closed))

    def may_be_alive(self, journal: Journal, now: datetime) -> bool:
        """Whether the command that writes a journal may be at work: on it, or on another one that it began with it.

        A command does the databases of its restores in turns, and all turns wait for a statement that takes long.
        """
        began = journal.created_at, journal.holders
        together = (one for one in self.sound if (one.created_at, one.holders) == began)
        return any(one.may_be_alive(now) for one in (journal, *together))


def _quiet(step: Step) -> timedelta:
    match step:
        case Verify():
            return QUIET_WHILE_READING
        case CopyPartitions():
            return QUIET_WHILE_COPYING
        case AddPartitions(partitions=added) | CreateTable(addable=added):
            return QUIET + len(added) * QUIET_PER_PARTITION
        case _:
            return QUIET
