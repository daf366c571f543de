"""Schema jobs as SHOW ALTER TABLE tells them, and which table each was done to. Pure but for what it is told to ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from attrs import define, field, frozen

from starrocks_br.adapters.starrocks.rows import Row, number, records, text
from starrocks_br.domain.names import DatabaseName, TableRef
from starrocks_br.domain.ports import Rows

SCHEMA_JOB_ENDS: Final = frozenset({"FINISHED", "CANCELLED"})
"""States of SHOW ALTER TABLE COLUMN after which the table can be altered again (O2§y4)."""

Ask = Callable[[int], Collection[int] | None]
"""Tells the ids of a table's indices by the table's id; None if they cannot be had."""


@frozen(kw_only=True)
class SchemaJob:
    """A schema change that was not cancelled.

    Attributes:
        id: They only grow (O2§y4).
        table: The name that the table had when it began.
        finished: Whether it has ended.
        indices: Ids of the indices that it made or changed, the base index among them; empty where the server tells
            none: ALTER TABLE … DISTRIBUTED BY.
    """

    id: int
    table: str
    finished: bool
    indices: frozenset[int]


@frozen(kw_only=True)
class SchemaChanges:
    """What a look learns of schema changes.

    Attributes:
        of_table: Each existing table's greatest finished JobId below its least unfinished one; None without any.
        newest: The greatest JobId that each database told of, of any table in any state; those without are left out.
    """

    of_table: Mapping[TableRef, int | None] = field(factory=dict)
    newest: Mapping[DatabaseName, int] = field(factory=dict)


def schema_jobs(answers: Iterable[Rows]) -> tuple[SchemaJob, ...]:
    """The jobs of one database, newest first; one that changes several indices has several rows."""
    by_id: dict[int, list[Row]] = defaultdict(list)
    for row in (row for rows in answers for row in records(rows)):
        job = number(row, "jobid")
        if job is not None and text(row, "state") != "CANCELLED":
            by_id[job].append(row)
    return tuple(
        SchemaJob(
            id=job,
            table=text(rows[0], "tablename"),
            finished=all(text(row, "state") in SCHEMA_JOB_ENDS for row in rows),
            indices=frozenset(_indices(rows)),
        )
        for job, rows in sorted(by_id.items(), reverse=True)
    )


def newest_id(answers: Iterable[Rows]) -> int | None:
    """The greatest id of a job of any table in any state, so that each later one is greater (O2§y4); None without."""
    ids = (number(row, "jobid") for rows in answers for row in records(rows))
    return max((job for job in ids if job is not None), default=None)


def _indices(rows: Iterable[Row]) -> Iterable[int]:
    told = (number(row, column) for row in rows for column in ("indexid", "originindexid", "rollupid"))
    return (index for index in told if index is not None)


def index_ids(rows: Rows) -> frozenset[int]:
    """Of SHOW PROC …/index_schema: the base index and the rollups that a table has now (O2§y4)."""
    return frozenset(index for row in records(rows) if (index := number(row, "indexid")) is not None)


@define
class JobOwners:
    """Which table each finished job was done to, as far as it was found out.

    A job is told under the name that its table had then, and tables are renamed and swapped. But an index never leaves
    its table: whoever has an index that a job made or changed is the one. What was found out once stays true, so that
    a table is asked about no job twice.
    """

    _owners: dict[int, int] = field(factory=dict, init=False)
    _judged: dict[int, frozenset[int]] = field(factory=dict, init=False)

    def find(self, jobs: Collection[SchemaJob], wanted: Mapping[str, int], living: Mapping[str, int], ask: Ask) -> None:
        """Find out which of the jobs were done to wanted tables while they had other names.

        Mostly nobody has changed names: those that bear the jobs' names are asked first if they are the fewer ones.

        Args:
            jobs: Of one database, newest first.
            wanted: Ids of the tables that are asked for, by their names now.
            living: The same of every table of the database.
            ask: Asked once for each table that is in doubt.
        """
        open_to = {name: self._open(jobs, name, table) for name, table in wanted.items()}
        named = {job.table for doubts in open_to.values() for job in doubts} & living.keys()
        if len(named) < sum(bool(doubts) for doubts in open_to.values()):
            for name in sorted(named):
                self._judge(jobs, living[name], ask, about=[job for job in jobs if job.table == name])
        for name, table in sorted(wanted.items()):
            self._judge(jobs, table, ask, about=self._open(jobs, name, table))

    def _open(self, jobs: Collection[SchemaJob], name: str, table: int) -> list[SchemaJob]:
        return [job for job in jobs if job.table != name and self._is_open(job, table)]

    def _is_open(self, job: SchemaJob, table: int) -> bool:
        return (
            job.finished
            and bool(job.indices)
            and job.id not in self._owners
            and job.id not in self._judged.get(table, frozenset())
        )

    def _judge(self, jobs: Collection[SchemaJob], table: int, ask: Ask, *, about: Collection[SchemaJob]) -> None:
        """Ask a table, and learn all that its answer tells."""
        if not any(self._is_open(job, table) for job in about):
            return
        told = ask(table)
        if told is None:
            return
        own = set(told)
        for job in jobs:  # newest first: each index that was rewritten leads to the one before it
            if job.indices & own:
                own |= job.indices
                self._owners[job.id] = table
        self._judged[table] = frozenset(job.id for job in jobs if job.finished and job.indices)

    def newest(self, jobs: Collection[SchemaJob], name: str, table: int, living: Collection[str]) -> int | None:
        """A table's greatest finished job below its least unfinished one: that one ends after the cut.

        A job of which nobody knows whose it was counts for every table if no table bears its name now.

        Args:
            jobs: Of its database.
            name: The table's name now.
            table: Its id.
            living: The names of every table of the database.
        """
        unfinished = [job.id for job in jobs if job.table == name and not job.finished]
        found = [job.id for job in jobs if job.finished and self._counts(job, name, table, living)]
        return max((job for job in found if job < min(unfinished, default=job + 1)), default=None)

    def _counts(self, job: SchemaJob, name: str, table: int, living: Collection[str]) -> bool:
        if job.id in self._owners:
            return self._owners[job.id] == table
        return job.table == name or (job.id not in self._judged.get(table, frozenset()) and job.table not in living)
