"""What a use case is asked to do."""

from __future__ import annotations

from attrs import frozen

from starrocks_br.domain.names import ClusterId, DatabaseName, RepositoryName, Selection, TableRef


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
class RestoreRequest:
    """One `restore`: one table to one point.

    Attributes:
        place: Where.
        table: As it was named then.
        into: The name that it gets.
        from_cluster: Whose points are meant; None: as `domain.timeline` chooses.
    """

    place: Place
    table: TableRef
    into: TableRef
    from_cluster: ClusterId | None = None
