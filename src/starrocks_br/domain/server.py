"""What StarRocks reports of itself, its repositories and its jobs, in its own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from starrocks_br.domain.names import ClusterId, DatabaseName, PartitionName, RepositoryName, TableName

DONE: Final = "FINISHED"
CANCELLED: Final = "CANCELLED"
BEFORE_THE_CUT: Final = frozenset({"PENDING", "SNAPSHOTING"})
"""States of a BACKUP in which its cut may still be made, or made again after an FE restart (O§v)."""

SLOT_TAKEN: Final = "Can only run one backup or restore job"
"""How BACKUP and RESTORE are refused while a job holds the database's slot (R§3.2, H4)."""


ANOTHER_SCHEMA: Final = "already exist but with different schema"
"""How a RESTORE over a table is cancelled whose schema or rollups are not those of the snapshot (R§7.3)."""

LABEL_USED: Final = "has already been used"
"""How a load is refused whose label another one bears that runs or has acted (R§12.3)."""


UNREAD: Final = "Failed to get info"
"""How SHOW SNAPSHOT tells of a label that the object store was asked about in vain (R§6.3)."""

_ABOUT_TABLE: Final = r"(?:\btable:? ?|\balias name: ?)[\[`'\"]?(?:{names})(?![\w-])"
"""How a refusal of RESTORE names the table that it is about: `Table t does not exist in snapshot l` (R§3.3)."""


def names_one_of(words: str, tables: Collection[str]) -> bool:
    """Whether a refusal of RESTORE is about one of its tables; else it is about all of the statement."""
    names = "|".join(map(re.escape, tables))
    return re.search(_ABOUT_TABLE.format(names=names), words, re.IGNORECASE) is not None


ABSENT: Final = "no snapshot"
"""How SHOW SNAPSHOT tells of a label without a complete snapshot, used or not (R§6.3)."""


_PARTITIONS: Final = re.compile(r" PARTITIONS \[[^\]]*\]")


class JobKind(StrEnum):
    """BACKUP and RESTORE share one slot per database (R§5)."""

    BACKUP = "BACKUP"
    RESTORE = "RESTORE"


@frozen(kw_only=True)
class Job:
    """One row of SHOW BACKUP or SHOW RESTORE (R§6). Times are UTC, whole seconds.

    Attributes:
        kind: Which of the two.
        database: Whose slot it holds.
        label: SnapshotName or Label; for a RESTORE that of the *snapshot*.
        timestamp: A RESTORE's backup_timestamp; empty for a BACKUP.
        state: PENDING … FINISHED or CANCELLED; a failure is CANCELLED (R§4.2).
        status: `[OK]` or `[CODE, msg: …]`; not OK alone does not mean failed (O§u).
        task_error: TaskErrMsg: what backends complained of; no sign of failure by itself (O§u).
        objects: BackupObjs or RestoreObjs.
        unfinished: UnfinishedTasks.
        progress: Progress.
        created_at: CreateTime.
        snapshot_at: SnapshotFinishedTime, once reached.
        finished_at: FinishedTime, once ended.
    """

    kind: JobKind
    database: DatabaseName
    label: str
    timestamp: str = ""
    state: str
    status: str = "[OK]"
    task_error: str = ""
    objects: str = ""
    unfinished: str = ""
    progress: str = ""
    created_at: datetime
    snapshot_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in {DONE, CANCELLED}

    def restores(self, source: str) -> bool:
        """Whether a RESTORE restores a table, as the snapshot names it: `orders PARTITIONS [p1, p2], dim` (R§6.2).

        A name may hold what divides the list, so that the list is searched, not divided.
        """
        return f", {_PARTITIONS.sub('', source)}, " in f", {_PARTITIONS.sub('', self.objects)}, "

    @property
    def cut(self) -> bool:
        """Whether a BACKUP's rows are fixed: past SNAPSHOTING and its time set, so that no restart cuts again."""
        return self.state not in BEFORE_THE_CUT and self.snapshot_at is not None

    @property
    def tablets(self) -> tuple[int, int]:
        """Tablets done and in all, over the tasks that reported (`[task: done/total], …`); (0, 0) if none did."""
        pairs = [part.rpartition(":")[2].strip(" ]").partition("/") for part in self.progress.split(",") if "/" in part]
        counts = [(int(done), int(total)) for done, _, total in pairs if done.isdigit() and total.isdigit()]
        return sum(done for done, _ in counts), sum(total for _, total in counts)


@frozen(kw_only=True)
class Server:
    """The cluster behind the connection.

    Attributes:
        cluster: Its id (SHOW FRONTENDS).
        version: Major, minor, patch.
        now: The leader's clock (UTC, whole seconds).
        alive_backends: How many replicas a table can have.
    """

    cluster: ClusterId
    version: tuple[int, int, int]
    now: datetime
    alive_backends: int


@frozen(kw_only=True)
class Repository:
    """One row of SHOW REPOSITORIES.

    Attributes:
        name: Its name.
        read_only: Whether BACKUP into it is refused.
        error: What its last ping found; empty if nothing.
    """

    name: RepositoryName
    read_only: bool
    error: str = ""


@frozen(kw_only=True)
class RemoteSnapshot:
    """What the repository says of one label (R§6.3).

    Attributes:
        label: As listed.
        backup_timestamp: The one valid timestamp; None if there is none, or more than one.
        problem: Why it cannot be restored from; empty if it can.
        database: The database it holds; known once its details were read.
        contents: Tables and their partitions, hidden ones left out; known once its details were read.
    """

    label: str
    backup_timestamp: str | None = None
    problem: str = ""
    database: str = ""
    contents: Mapping[TableName, frozenset[PartitionName]] | None = field(default=None, repr=False)

    @property
    def usable(self) -> bool:
        """Whether it can be restored from, as far as was looked."""
        return self.backup_timestamp is not None and not self.problem

    @property
    def unread(self) -> bool:
        """Whether the repository could not look: nothing is known of it, and the next look may tell."""
        return UNREAD in self.problem

    @property
    def absent(self) -> bool:
        """Whether no snapshot under the label is complete."""
        return ABSENT in self.problem
