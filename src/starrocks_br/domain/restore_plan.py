"""How to give one table back: steps as data, each partition exactly once, from its holder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from attrs import frozen

from starrocks_br.domain.errors import BrokenChain, TargetExists, Unrestorable
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import (
    Label,
    PartitionName,
    RepositoryName,
    RestoreId,
    TableRef,
    alias_for,
)
from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CreateDatabase,
    NewPartition,
    Rename,
    RestorePartitions,
    Step,
    Verify,
)


@frozen(kw_only=True)
class Target:
    """Where the table goes.

    Attributes:
        table: The name it gets.
    """

    table: TableRef


@frozen(kw_only=True)
class TargetFacts:
    """What was found out before planning.

    Attributes:
        taken_by: What bears the target's name already: the server's word for the kind of object; empty if nothing.
        database_exists: Whether the target's database does.
        alive_backends: The greatest possible number of replicas.
        backup_timestamps: Of each holder that the repository still has, as SHOW SNAPSHOT tells it.
        replication_num: The user's wish; None: as recorded.
    """

    taken_by: str
    database_exists: bool
    alive_backends: int
    backup_timestamps: Mapping[Label, str]
    replication_num: int | None = None


@frozen(kw_only=True)
class RestorePlan:
    """What a restore does, before it does it.

    Attributes:
        restore: Names the restore and its alias.
        repository: Where the holders are.
        target: Where the table goes.
        alias: The name it has until it may be seen.
        manifest: The table at the point.
        steps: In order.
        notes: What the user should know: limits, risks and their remedy.
    """

    restore: RestoreId
    repository: RepositoryName
    target: Target
    alias: TableRef
    manifest: Manifest
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def jobs(self) -> tuple[RestorePartitions, ...]:
        """The steps that are RESTORE jobs."""
        return tuple(step for step in self.steps if isinstance(step, RestorePartitions))


def plan_restore(manifest: Manifest, facts: TargetFacts, target: Target, restore: RestoreId) -> RestorePlan:
    """Plan the way back to the manifest.

    Raises:
        TargetExists: The name is taken, by whatever kind of object.
        BrokenChain: The repository lacks a holder.
        Unrestorable: No sequence of legal statements gives exactly this table.
    """
    _check_target(facts, target)
    _check_holders(manifest, facts)
    replication_num = _replication(manifest, facts)
    alias = TableRef(target.table.database, alias_for(restore))
    creating, *overlays = _jobs(manifest, facts, alias, target, replication_num)
    _check_name(manifest, target, overlays)
    before = () if facts.database_exists else (CreateDatabase(database=target.table.database),)
    return RestorePlan(
        restore=restore,
        repository=manifest.repository,
        target=target,
        alias=alias,
        manifest=manifest,
        steps=(
            *before,
            creating,
            CheckRestored(table=alias, created=True),
            *_exposing(manifest, target, alias, overlays),
        ),
        notes=_notes(manifest, target, overlays),
    )


def _check_target(facts: TargetFacts, target: Target) -> None:
    if facts.taken_by:
        raise TargetExists(
            f"{target.table} exists",
            why=f"it is a {facts.taken_by.lower()}; nothing is restored over a live object",
            hint=f"rename or drop it first: ALTER TABLE {target.table} RENAME ...",
        )


def _check_holders(manifest: Manifest, facts: TargetFacts) -> None:
    missing = sorted(manifest.holders() - facts.backup_timestamps.keys())
    if missing:
        raise BrokenChain(
            f"{manifest.table} cannot be restored to this point",
            table=manifest.table,
            labels=missing,
            why=f"repository {manifest.repository} does not hold {', '.join(missing)} as recorded",
            hint=f"starrocks-br list --table {manifest.table} shows its other points",
        )


def _check_name(manifest: Manifest, target: Target, overlays: list[RestorePartitions]) -> None:
    if overlays and target.table.name != manifest.table.name:
        raise Unrestorable(
            f"{manifest.table} cannot be restored as {target.table}",
            why=f"{len(overlays) + 1} snapshots hold parts of it, and RESTORE adds to a table only under the name that "
            "it had when it was backed up",
            hint=f"restore it as {target.table.database}.{manifest.table.name} and rename it then",
        )


def _replication(manifest: Manifest, facts: TargetFacts) -> int:
    recorded = (held.captured.partition.replication_num for held in manifest.held.values())
    return min(facts.replication_num or max(recorded, default=1), facts.alive_backends)


def _jobs(
    manifest: Manifest, facts: TargetFacts, alias: TableRef, target: Target, replication_num: int
) -> list[RestorePartitions]:
    by_holder: dict[Label, list[PartitionName]] = {label: [] for label in manifest.contents}
    for name, held in manifest.held.items():
        by_holder[held.holder].append(name)
    holders = [label for label, names in by_holder.items() if names] or [_schema_only(manifest)]
    _check_grown(manifest, holders[0])
    return [
        RestorePartitions(
            label=label,
            backup_timestamp=facts.backup_timestamps[label],
            source=manifest.table.name,
            into=target.table if number else alias,
            creating=not number,
            partitions=_wanted(manifest, label, by_holder[label], creating=not number),
            automatic=manifest.automatic,
            replication_num=replication_num,
            size=_size(manifest.held[name].captured.partition for name in by_holder[label]),
        )
        for number, label in enumerate(holders)
    ]


def _schema_only(manifest: Manifest) -> Label:
    """What gives back a table without partitions: a snapshot that holds none either, since none can be asked for."""
    label = next(iter(manifest.contents))
    if manifest.contents[label]:
        raise Unrestorable(
            f"{manifest.table} cannot be restored to this point",
            why=f"it had no partition then, and snapshot {label} would bring some back: RESTORE takes at least one",
            hint="choose a point at which the table was backed up whole",
        )
    return label


def _wanted(
    manifest: Manifest, label: Label, names: list[PartitionName], *, creating: bool
) -> tuple[PartitionName, ...] | None:
    """No list if a creating step wants all there is; overlays always name theirs, so that no shadow comes along."""
    if creating and len(names) == manifest.contents[label]:
        return None
    return tuple(sorted(names))


def _check_grown(manifest: Manifest, creating: Label) -> None:
    for name, held in sorted(manifest.held.items()):
        if held.captured.partition.grown and held.holder != creating:
            raise Unrestorable(
                f"{manifest.table} cannot be restored to this point",
                why=f"partition {name} grew several parts (automatic buckets); RESTORE takes such a partition only "
                f"while it creates the table, and its snapshot {held.holder} is not the one that does",
                hint="choose an earlier point; the next backup of the table is a full one",
            )


def _size(partitions: Iterable[Partition]) -> int | None:
    known = [partition.size for partition in partitions if partition.size is not None]
    return sum(known) if known else None


def _exposing(manifest: Manifest, target: Target, alias: TableRef, overlays: list[RestorePartitions]) -> Iterable[Step]:
    """One holder: hidden to the end. Several: RESTORE overlays only under the table's own name (R§7.4)."""
    rename = Rename(table=alias, to=target.table.name)
    if not overlays:
        yield Verify(table=alias)
        yield rename
        return
    yield rename
    for job in overlays:
        if manifest.partitioning is Partitioning.LIST and job.partitions:
            yield AddPartitions(
                table=target.table,
                partitions=tuple(_new_partition(manifest, name) for name in job.partitions),
                replication_num=job.replication_num,
            )
        yield job
        yield CheckRestored(table=target.table, created=False)
    yield Verify(table=target.table)


def _new_partition(manifest: Manifest, name: PartitionName) -> NewPartition:
    partition = manifest.held[name].captured.partition
    try:
        return NewPartition(name=name, values=parse_list_values(partition.values), buckets=partition.buckets)
    except ValueError as error:
        raise Unrestorable(
            f"{manifest.table} cannot be restored to this point",
            why=f"partition {name} has to be added by hand and its values {partition.values!r} cannot be written "
            f"back with certainty: {error}",
            hint="choose a point at which the table was backed up whole",
        ) from error


def parse_list_values(text: str) -> tuple[tuple[str, ...], ...]:
    """Read a LIST partition's PARTITION_VALUE: `[["a"],["b"]]` (O§w).

    Raises:
        ValueError: Not that, or a value that is no string: whether it round-trips was not shown.
    """
    rows = json.loads(text)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise ValueError("not a list of value tuples")
    for row in rows:
        for value in row:
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is no text")  # noqa: TRY004 -- one kind of error for one kind of fault
    return tuple(tuple(row) for row in rows)


def _notes(manifest: Manifest, target: Target, overlays: list[RestorePartitions]) -> tuple[str, ...]:
    notes = ["a colocate group, views, materialized views and grants on the table do not come back"]
    if overlays:
        notes.append(
            f"{len(overlays) + 1} snapshots hold parts of it: {target.table} can be seen, incomplete, from the first "
            "job to the last; keep users away until the restore says that it is done"
        )
    notes.append(f"table properties are those of snapshot {_first_holder(manifest)}")
    return tuple(notes)


def _first_holder(manifest: Manifest) -> Label:
    holders = manifest.holders()
    return next(label for label in manifest.contents if label in holders)
