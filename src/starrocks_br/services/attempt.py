"""One job of a backup, from what it is to capture to what was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import define, evolve, frozen

from starrocks_br.domain.conclusion import Looked
from starrocks_br.domain.names import DatabaseName, Label, PartitionName, TableRef
from starrocks_br.domain.partitions import Identity
from starrocks_br.domain.snapshot import Entry, Snapshot
from starrocks_br.domain.status import Status
from starrocks_br.services.watch import Watched

Identities = Mapping[TableRef, Mapping[PartitionName, Identity]]


@frozen(kw_only=True)
class Intent:
    """What one job is to capture.

    Attributes:
        entries: As recorded before it is sent.
        before: All identities of each table as the intent saw them; None if nobody is to look again.
        after: The newest point that is known of the tables: the new one is later.
    """

    entries: tuple[Entry, ...]
    before: Identities | None
    after: datetime | None

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot to be."""
        return self.entries[0].snapshot

    @property
    def label(self) -> Label:
        """Its label."""
        return self.snapshot.label

    @property
    def database(self) -> DatabaseName:
        """Whose slot it takes."""
        return self.snapshot.database


@frozen(kw_only=True)
class Draft(Intent):
    """One job that is about to be sent, under a new label.

    Attributes:
        looked_at: When the snapshot's `created_at` was read, on this machine's clock.
        submit: Sends the BACKUP.
    """

    looked_at: float
    submit: Callable[[], None]

    def sent(self, at: datetime) -> Draft:
        """The same, about to be sent at that instant of the leader's clock."""
        snapshot = evolve(self.snapshot, status=Status.RUNNING, submitted_at=at)
        return evolve(self, entries=tuple(evolve(entry, snapshot=snapshot) for entry in self.entries))


@define(kw_only=True)
class Attempt:
    """One job that was sent, by us or by an earlier command.

    Attributes:
        intent: What it is to capture.
        watched: What was seen of it.
        adopted: Whether an earlier command sent it.
        looked: What the look after the cut taught.
        look_due: Whether that look is still to be taken.
        keep_at: When what it taught is written down, on this machine's clock; None while there is nothing to write.
    """

    intent: Intent
    watched: Watched
    adopted: bool
    looked: Looked | None = None
    look_due: bool = True
    keep_at: float | None = None
