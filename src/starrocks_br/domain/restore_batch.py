"""Several tables brought back together: which of their jobs share one RESTORE statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from attrs import field, frozen

from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.estimate import Pace, total
from starrocks_br.domain.names import DatabaseName, Label, TableRef
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import RestorePartitions

Key = TypeVar("Key")


@frozen(kw_only=True)
class RestoreBatch:
    """What one command brings back.

    Attributes:
        plans: One per table, in the order of their names.
        pace: What jobs take on this cluster; None: nothing is known of that.
        problems: Tables that cannot be brought back, each with the reason.
        notes: What holds for all of them.
    """

    plans: tuple[RestorePlan, ...]
    pace: Pace | None = None
    problems: Mapping[TableRef, StarRocksBrError] = field(factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[tuple[RestorePartitions, ...], ...]:
        """The RESTORE jobs in order, database by database, each with what it restores."""
        databases = sorted({plan.target.table.database for plan in self.plans})
        return tuple(job for database in databases for job in statements_of(self._jobs_in(database)))

    @property
    def seconds(self) -> float | None:
        """How long the jobs may take, one after the other; None if that cannot be told."""
        pace = self.pace
        return total(None if pace is None else pace.seconds(total(one.size for one in job)) for job in self.statements)

    def _jobs_in(self, database: DatabaseName) -> list[tuple[RestorePartitions, ...]]:
        return [plan.jobs for plan in self.plans if plan.target.table.database == database]


def statements_of(jobs: Iterable[Sequence[RestorePartitions]]) -> Iterable[tuple[RestorePartitions, ...]]:
    """How the jobs of the tables of one database come together, if none fails.

    Args:
        jobs: Of each table, in order.
    """
    left = {number: tuple(own) for number, own in enumerate(jobs) if own}
    while left:
        chosen = next_statement(left)
        yield tuple(left[number][0] for number in chosen)
        left = {number: own[number in chosen :] for number, own in left.items() if own[number in chosen :]}


def next_statement(left: Mapping[Key, Sequence[RestorePartitions]]) -> tuple[Key, ...]:
    """The tables whose next jobs are sent together: one snapshot, one number of replicas for a statement (R§2.3).

    A snapshot that no other table needs later on goes first, so that each snapshot is asked as seldom as can be: once,
    where all tables need theirs in the same order.

    Args:
        left: The jobs that each table has before it, at least one.
    """
    heads = {key: _together(own[0]) for key, own in left.items()}
    later = {_together(job) for own in left.values() for job in own[1:]}
    counts = Counter(heads.values())
    chosen = min(counts, key=lambda head: (head in later, -counts[head], head))
    return tuple(key for key, head in heads.items() if head == chosen)


def _together(job: RestorePartitions) -> tuple[Label, str, int]:
    return job.label, job.backup_timestamp, job.replication_num
