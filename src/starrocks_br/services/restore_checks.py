"""Looking at what a RESTORE left: ghosts, holes, partitions that come and go on their own, and every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starrocks_br.domain.errors import ClusterError, Haunted, Refused, VerificationMismatch
from starrocks_br.domain.events import Warned
from starrocks_br.domain.lifetimes import still_on, switched_off
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.partitions import Partition, TableState
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_steps import (
    TTL_OFF,
    AddPartitions,
    CheckRestored,
    CreateTable,
    DropPartitions,
    DropTable,
    PauseTtl,
    Reading,
    RepairHole,
    RestorePartitions,
    Verify,
)
from starrocks_br.domain.verify import at_home, differences
from starrocks_br.services.journals import dropped
from starrocks_br.services.requests import Place
from starrocks_br.services.restore_table import TableRestore, held_by

GHOST_WORDS: Final = ("Range", "dataProperty")
"""What a failing partitions_meta says when ghost temporary partitions haunt the cluster (O2§0.1)."""

LOOKS_AT_A_HOLE: Final = 5
"""How often a hole is looked at before it is taken for one that RESTORE left (O2§y6)."""


def look(ports: Ports, tables: Sequence[TableRestore]) -> Mapping[TableRef, TableState]:
    """See the table that each of them is about now, in two statements.

    Raises:
        VerificationMismatch: The tables that were just made are haunted; they were dropped at once.
    """
    try:
        return ports.cluster.inspect([_table(one) for one in tables])
    except Refused as refusal:
        if any(word in refusal.why for word in GHOST_WORDS):
            raise _haunted(ports, tables, refusal) from refusal
        raise


def _table(one: TableRestore) -> TableRef:
    step = one.step
    assert isinstance(step, CheckRestored | Verify)  # noqa: S101 -- only these look
    return step.table


def _haunted(ports: Ports, tables: Sequence[TableRestore], refusal: Refused) -> Refused | VerificationMismatch:
    """Drop what was just made, until the ghosts are gone: as long as they stand, no frontend may start again."""
    made = [one for one in tables if isinstance(one.step, CheckRestored) and one.step.created]
    found = ports.cluster.table_ids([_table(one) for one in made])
    ours = [one for one in made if _table(one) in found and one.ids.get(_table(one)) == found[_table(one)]]
    if not ours:
        return refusal
    stays: dict[TableRef, str] = {}
    for one in ours:
        table = _table(one)
        if trouble := dropped(ports, DropTable(table=table)):
            stays[table] = trouble
        elif _readable(ports, table):
            return _ghosts(ports, one, refusal)
    return VerificationMismatch(
        f"a snapshot of {', '.join(str(_table(one)) for one in ours)} holds ghost partitions",
        table=_table(ours[0]),
        differences=(
            f"information_schema.partitions_meta failed right after the restore: {refusal.why}",
            *(f"{table} could not be dropped, and no frontend may start again: {why}" for table, why in stays.items()),
            *(() if stays else ("it still fails now that what was restored is dropped: others stand elsewhere, too",)),
        ),
        hint="".join(f"run DROP TABLE {table} FORCE at once, as a user who may; " for table in stays)
        + "choose another point"
        + (", or restore the tables one by one to see which it is" if len(ours) > 1 else ""),
    )


def _readable(ports: Ports, table: TableRef) -> bool:
    """Whether partitions can be read again, now that the table is dropped."""
    try:
        ports.cluster.inspect([table])
    except Refused:
        return False
    return True


def _ghosts(ports: Ports, one: TableRestore, refusal: Refused) -> Haunted:
    """Write down what is certain now, so that the next backup is not cut against it, and say it."""
    source = one.plan.manifest.table
    job = one.plan.steps[one.position - 1]
    assert isinstance(job, RestorePartitions)  # noqa: S101 -- a check follows the job that it is about
    try:
        ports.backups.doubt(job.label, source)
    except ClusterError as error:
        ports.listener(
            Warned(message=f"that {job.label} holds ghosts could not be written down: {error}", table=source)
        )
    return Haunted(
        f"snapshot {job.label} holds ghost partitions of {source}",
        restore=one.plan.restore,
        table=_table(one),
        differences=(
            f"information_schema.partitions_meta failed right after the restore: {refusal.why}",
            "what was restored was dropped at once, before it could harm the cluster",
        ),
        hint=f"choose another point; or restore this one to a database without a table {source.name} (--to-database, "
        "--allow-fuzzy): a table that is made from its DDL is filled there, which brings no ghosts",
    )


def check(
    ports: Ports,
    place: Place,
    one: TableRestore,
    step: CheckRestored,
    state: TableState,
    alive: Callable[[], None],
) -> None:
    """Mend and compare what a job left, as it was just seen.

    Args:
        ports: The outside.
        place: What the command works with.
        one: The table.
        step: The step that it stands at.
        state: As it was seen.
        alive: Says that it is being worked on; called between statements.

    Raises:
        VerificationMismatch: It is not our table, or not what was backed up.
    """
    one.is_at(state)
    state = _rested(ports, place, one, step, state, alive)
    holes = _left_by_the_job(one, step, state)
    for partition in holes:
        alive()
        _repair(ports, step.table, partition)
    if state.ttl:
        _pause(ports, one, step.table, state)
    if one.plan.way is not Way.REFILL:  # else it had all its partitions from the start: the last look compares
        compare(one, _see(ports, one, step.table) if holes or state.ttl else state)


def make_again(ports: Ports, one: TableRestore, step: CreateTable, alive: Callable[[], None]) -> None:
    """Make the table from its DDL, with the partitions that it is to have and no others. For `alive` see `check`.

    Raises:
        Refused: The server does not take the DDL.
        VerificationMismatch: The table is gone again.
    """
    ports.cluster.apply(step)
    alive()
    one.ids |= ports.cluster.table_ids([step.table])
    state = _see(ports, one, step.table)
    if state.ttl:
        _pause(ports, one, step.table, state)
    there = at_home(one.plan.manifest, state).keys()
    if unwanted := tuple(sorted(there - set(step.wanted))):
        alive()
        ports.cluster.apply(DropPartitions(table=step.table, partitions=unwanted))
    missing = tuple(partition for partition in step.addable if partition.name not in there)
    if missing:
        alive()
        added = AddPartitions(table=step.table, partitions=missing, replication_num=step.replication_num)
        ports.cluster.apply(added)


def _rested(
    ports: Ports,
    place: Place,
    one: TableRestore,
    step: CheckRestored,
    state: TableState,
    alive: Callable[[], None],
) -> TableState:
    """At a table that others can load, a hole may be a load that is just being published: look again."""
    for _ in range(0 if step.created else LOOKS_AT_A_HOLE):
        if not any(partition.hole for partition in state.partitions.values()):
            break
        ports.clock.sleep(place.poll_interval)
        alive()
        state = _see(ports, one, step.table)
    return state


def _left_by_the_job(one: TableRestore, step: CheckRestored, state: TableState) -> list[Partition]:
    """The holes to be mended: at a table that others can load only those in what the job before this step added.

    Elsewhere a hole is a load that is not published yet, and mending it would throw the load away.
    """
    holes = [partition for _, partition in sorted(state.partitions.items()) if partition.hole]
    if step.created:
        return holes
    job = one.plan.steps[one.position - 1]
    assert isinstance(job, RestorePartitions)  # noqa: S101 -- a check follows the job that it is about
    added = held_by(one.plan, job)
    return [partition for partition in holes if partition.name in added]


def _see(ports: Ports, one: TableRestore, table: TableRef) -> TableState:
    state = ports.cluster.inspect([table]).get(table)
    if state is None:
        raise VerificationMismatch(f"{table} is gone", table=table, differences=("it was there a moment ago",))
    one.is_at(state)
    return state


def _repair(ports: Ports, table: TableRef, partition: Partition) -> None:
    version = max(version for _, version, _ in partition.identity)
    ports.cluster.apply(RepairHole(table=table, partition=partition.name, version=version))


def _pause(ports: Ports, one: TableRestore, table: TableRef, state: TableState) -> None:
    """Keep the server from dropping partitions; where it does not let us, say so: people still get their table."""
    for key, value in sorted(state.ttl.items()):
        note = switched_off(one.plan.target.table, key, value)
        try:
            ports.cluster.apply(PauseTtl(table=table, properties={key: TTL_OFF[key]}))
        except Refused as refusal:
            note = f"{still_on(key, value)}: it could not be switched off: {refusal.why}"
        if note not in one.notes:
            one.notes.append(note)


def compare(one: TableRestore, state: TableState) -> None:
    """Hold a table against the manifest. Raises VerificationMismatch."""
    one.is_at(state)
    found = differences(one.plan.manifest, state, one.expects(state.table), copied=one.copied(state.table))
    if found:
        raise VerificationMismatch(f"{state.table} is not what was backed up", table=state.table, differences=found)


def verify(ports: Ports, one: TableRestore, step: Verify, state: TableState, alive: Callable[[], None]) -> None:
    """The last look, and every row, as far as it is wanted. For `alive` see `check`.

    Raises:
        VerificationMismatch: The table is not what was backed up.
        Refused: It cannot be read.
    """
    compare(one, state)
    one.shown = state
    if step.reading is Reading.NONE:
        return
    parts = [None] if step.reading is Reading.TABLE else [[name] for name in sorted(state.partitions)]
    counts = []
    for part in parts:
        alive()
        counts.append(ports.cluster.count_rows(step.table, part))
    if None in counts:
        ports.listener(Warned(message=f"the server told no number of rows of {step.table}: its rows were not read"))
    else:
        one.rows = sum(count for count in counts if count is not None)
