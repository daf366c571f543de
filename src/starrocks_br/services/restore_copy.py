"""Reading partitions over from a scratch table, exactly once, whoever was killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from starrocks_br.domain.errors import OutcomeUnknown, Refused, VerificationMismatch
from starrocks_br.domain.names import PartitionName, RestoreId
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import AddPartitions, CopyPartitions
from starrocks_br.domain.server import LABEL_USED


def read_over(ports: Ports, restore: RestoreId, step: CopyPartitions, alive: Callable[[], None]) -> None:
    """Read the partitions over, unless that is done, and count: what was not read over entirely is never shown.

    Args:
        ports: The outside.
        restore: Whose step it is.
        step: What is read over.
        alive: Says that it is being worked on; called between statements, each of which may take long.

    Raises:
        OutcomeUnknown: A load that was sent before still runs, or the connection broke.
        Refused: The server does not take the load, or the partitions that it did not make.
        VerificationMismatch: There are more or fewer rows than there were to be read.
    """
    wanted = ports.cluster.count_rows(step.scratch)
    alive()
    there = _there(ports, step)
    if wanted is None or _rows(ports, step, there) != wanted:
        alive()
        _load(ports, restore, step)
        alive()
        there = _there(ports, step)
    rows = _rows(ports, step, there)
    if wanted is None or rows != wanted:
        raise VerificationMismatch(
            f"{step.table} is not what was backed up",
            table=step.table,
            differences=(f"{wanted} rows were to be read over; there are {rows}",),
        )
    unmade = tuple(one for one in step.addable if one.name not in there)
    if unmade:
        alive()
        ports.cluster.apply(AddPartitions(table=step.table, partitions=unmade, replication_num=step.replication_num))


def _load(ports: Ports, restore: RestoreId, step: CopyPartitions) -> None:
    try:
        ports.cluster.apply(step)
    except Refused as refusal:
        if LABEL_USED not in refusal.why:
            raise
        raise OutcomeUnknown(
            f"rows are being read over into {step.table} by a statement that was sent before",
            why=refusal.why,
            hint=f"restore --resume {restore} goes on once it has ended, restore --undo {restore} takes all of it back",
        ) from refusal


def _there(ports: Ports, step: CopyPartitions) -> tuple[PartitionName, ...]:
    """Which of the partitions the table has."""
    if not step.automatic:
        return step.partitions
    state = ports.cluster.inspect([step.table]).get(step.table)
    return () if state is None else tuple(name for name in step.partitions if name in state.partitions)


def _rows(ports: Ports, step: CopyPartitions, there: tuple[PartitionName, ...]) -> int | None:
    return ports.cluster.count_rows(step.table, there) if there else 0
