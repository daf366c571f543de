"""What a use case is asked to do."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from starrocks_br.domain.names import ClusterId, DatabaseName, Label, RepositoryName, Selection, TableRef
from starrocks_br.domain.restore_plan import Target


@frozen(kw_only=True)
class Place:
    """What every command shares.

    Attributes:
        ops: The database of our own tables.
        repository: Where snapshots go and come from.
        job_timeout: Seconds until the server gives a job up; at least 600 (R§2.2).
        poll_interval: Seconds between two looks at running jobs.
        wait: Seconds to wait for a slot that someone else holds, and for a temporary partition to go.
        reconnect_timeout: Seconds for which what may be repeated is tried again while no frontend answers.
        replication_num: The user's wish for restored and own tables; None: as recorded, or as many as there can be.
    """

    ops: DatabaseName
    repository: RepositoryName
    job_timeout: int = 86400
    poll_interval: float = 1.0
    wait: float = 60.0
    reconnect_timeout: float = 300.0
    replication_num: int | None = None


@frozen(kw_only=True)
class BackupRequest:
    """One run of `backup`.

    Attributes:
        place: Where.
        selection: Which tables.
        full: Take all of them whole.
        max_chain: The greatest number of entries in a chain.
        max_parallel: How many databases have a job at the same time.
    """

    place: Place
    selection: Selection
    full: bool = False
    max_chain: int = 30
    max_parallel: int = 4


@frozen(kw_only=True)
class Wanted:
    """One table that is to come back.

    Attributes:
        table: As it was named then.
        target: Where it goes, and how.
    """

    table: TableRef
    target: Target


@frozen(kw_only=True)
class RestoreRequest:
    """One `restore`: tables to a point each.

    Attributes:
        place: Where.
        wanted: At least one table.
        at: The newest point at or before this instant is taken; None: `label` says which.
        label: The snapshot whose point is taken.
        allow_fuzzy: Whether a point is taken, too, at which some partitions may be older than others.
        from_cluster: Whose points are meant; None: as `domain.timeline` chooses.
        max_parallel: How many databases have a job at the same time.
    """

    place: Place
    wanted: tuple[Wanted, ...]
    at: datetime | None = None
    label: Label | None = None
    allow_fuzzy: bool = False
    from_cluster: ClusterId | None = None
    max_parallel: int = 4
