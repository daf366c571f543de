"""Which RESTORE jobs give a table's partitions back, in which order, and how they come together in one table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Final, Self

from attrs import frozen

from starrocks_br.domain.errors import Unrestorable
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, PartitionName, TableName, TableRef
from starrocks_br.domain.partition_values import new_partition
from starrocks_br.domain.partitions import Partition, Partitioning
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateTable,
    DropTable,
    NewPartition,
    RestorePartitions,
    Step,
)


class Way(StrEnum):
    """How the partitions of a table come together."""

    HIDDEN = "hidden"
    """One job makes the table, out of sight."""
    OVERLAY = "overlay"
    """One job makes it, each later one adds its partitions under the table's own name: RESTORE takes no other."""
    REFILL = "refill"
    """The table is made from its recorded DDL, each job fills its partitions: RESTORE over a table brings no ghosts."""
    COPY = "copy"
    """Each job makes a table out of sight; partitions of the later ones are read into the first with INSERT."""


@frozen(kw_only=True)
class Jobs:
    """The jobs of one table.

    Attributes:
        manifest: What they give.
        way: How.
        why: Why so.
        alias: Where the table is made.
        home: The name that RESTORE adds partitions under: the one that the table was backed up with.
        creating: What makes the table: a job, or its DDL.
        overlays: The other ones, in order.
    """

    manifest: Manifest
    way: Way
    why: str
    alias: TableRef
    home: TableRef
    creating: RestorePartitions | CreateTable
    overlays: tuple[RestorePartitions, ...]

    @classmethod
    def of(  # noqa: PLR0913 -- each says something else of the target
        cls,
        manifest: Manifest,
        *,
        backup_timestamps: Mapping[Label, str],
        replication_num: int,
        alias: TableRef,
        home: TableRef,
        home_free: bool,
        at_home: bool,
        replaces: bool,
        unsure: bool,
        copied: bool,
    ) -> Self:
        """Choose.

        Args:
            manifest: What is wanted.
            backup_timestamps: Of each holder.
            replication_num: Of all of them.
            alias: Where the table is made.
            home: The name it was backed up with, in the target's database.
            home_free: Whether the table can bear that name meanwhile.
            at_home: Whether it bears that name in the end.
            replaces: Whether a live table serves until the name is taken from it.
            copied: Whether RESTORE has refused to add to the table.
            unsure: Whether nobody looked right after the cut: the snapshot may hold ghosts.

        Raises:
            Unrestorable: No order of jobs gives exactly this table.
        """
        by_holder = _by_holder(manifest)
        grown = _grown(manifest)
        known = bool(manifest.ddl and manifest.held and not grown)
        safer = unsure and known and home_free and not replaces and not copied
        way, why = (Way.REFILL, _WHY_REFILL) if safer else _way(by_holder, grown, home, home_free=home_free)
        if copied and way is Way.OVERLAY:
            way, why = Way.COPY, _WHY_COPIED
        first = _first(manifest, by_holder, grown, way, largest=replaces and at_home, newest=copied)
        others = [label for label in by_holder if label != first or way is Way.REFILL]

        def job(label: Label, into: TableRef, *, creating: bool) -> RestorePartitions:
            names = by_holder[label]
            return RestorePartitions(
                label=label,
                backup_timestamp=backup_timestamps[label],
                source=manifest.table.name,
                into=into,
                creating=creating,
                partitions=_wanted(manifest, label, names, creating=creating),
                automatic=manifest.automatic,
                replication_num=replication_num,
                size=_size(manifest.held[name].captured.partition for name in names),
            )

        return cls(
            manifest=manifest,
            way=way,
            why=why,
            alias=alias,
            home=home,
            creating=_remade(manifest, alias, replication_num)
            if way is Way.REFILL
            else job(first, alias, creating=True),
            overlays=tuple(
                job(label, _scratch(alias, number), creating=True)
                if way is Way.COPY
                else job(label, home, creating=False)
                for number, label in enumerate(others, start=1)
            ),
        )

    @property
    def making(self) -> tuple[Step, ...]:
        """The steps that make the table, out of sight."""
        if isinstance(self.creating, CreateTable):
            return (self.creating,)
        return self.creating, CheckRestored(table=self.alias, created=True)

    @property
    def properties_of(self) -> Label:
        """The snapshot whose table properties the table gets."""
        return next(iter(self.manifest.contents)) if isinstance(self.creating, CreateTable) else self.creating.label

    @property
    def last(self) -> Label:
        """The snapshot whose job ends last: the AUTO_INCREMENT counter is its (R§7.6)."""
        if isinstance(self.creating, CreateTable) or (self.overlays and self.way is not Way.COPY):
            return self.overlays[-1].label
        return self.creating.label

    @property
    def resets_counter(self) -> bool:
        """Whether the snapshot that sets the counter is older than the newest one, whose partitions may be gone."""
        captured = [label for label, partitions in self.manifest.contents.items() if partitions]
        return _numbers(self.manifest) and bool(captured) and self.last != captured[-1]

    @property
    def adding(self) -> tuple[Step, ...]:
        """The steps from the table as its first job left it to the whole table."""
        steps = self._copied if self.way is Way.COPY else self._overlaid
        return tuple(step for job in self.overlays for step in steps(job))

    def _overlaid(self, job: RestorePartitions) -> Iterable[Step]:
        if self.manifest.partitioning is Partitioning.LIST and self.way is Way.OVERLAY:
            yield self._made(self.home, job)
        yield job
        yield CheckRestored(table=self.home, created=False)

    def _copied(self, job: RestorePartitions) -> Iterable[Step]:
        yield job
        yield CheckRestored(table=job.into, created=True)
        # A RANGE table that makes its own partitions makes them as they must be while it is loaded; those without a row
        # are added by hand, which it takes as other RANGE tables do (documentation of expression partitioning, 3.5).
        automatic = self.manifest.automatic and self.manifest.partitioning is Partitioning.RANGE
        names = tuple(sorted(_by_holder(self.manifest)[job.label]))
        if not automatic:
            yield self._made(self.alias, job)
        yield CopyPartitions(
            scratch=job.into,
            table=self.alias,
            partitions=names,
            automatic=automatic,
            addable=tuple(_writable(self.manifest, names)) if automatic else (),
            replication_num=job.replication_num,
        )
        yield DropTable(table=job.into)

    def _made(self, table: TableRef, job: RestorePartitions) -> AddPartitions:
        names = sorted(_by_holder(self.manifest)[job.label])
        return AddPartitions(
            table=table,
            partitions=tuple(_new_partition(self.manifest, name) for name in names),
            replication_num=job.replication_num,
        )


_WHY_COPIED: Final = (
    "RESTORE did not add to the table that was made first: it has other rollups, perhaps, of which neither its DDL nor "
    "a drop tells"
)
_WHY_REFILL: Final = (
    "a snapshot of it holds ghost partitions, or may: nobody looked right after its cut. RESTORE over a table that was "
    "made from its recorded DDL brings none of them"
)


def _remade(manifest: Manifest, alias: TableRef, replication_num: int) -> CreateTable:
    listed = manifest.held if manifest.partitioning is Partitioning.LIST else ()
    return CreateTable(
        table=alias,
        ddl=manifest.ddl,
        replication_num=replication_num,
        wanted=tuple(sorted(manifest.held)),
        addable=tuple(_new_partition(manifest, name) for name in sorted(listed)),
    )


def _by_holder(manifest: Manifest) -> dict[Label, list[PartitionName]]:
    """What each snapshot holds of the manifest, in chain order; for a table without partitions, its first one."""
    by_holder: dict[Label, list[PartitionName]] = {label: [] for label in manifest.contents}
    for name, held in manifest.held.items():
        by_holder[held.holder].append(name)
    holding = {label: names for label, names in by_holder.items() if names}
    return holding or {_schema_only(manifest): []}


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


def _grown(manifest: Manifest) -> frozenset[Label]:
    """The holders of partitions that RESTORE takes only while it makes a table (O§h)."""
    return frozenset(held.holder for held in manifest.held.values() if held.captured.partition.grown)


def _way(by_holder: Collection[Label], grown: Collection[Label], home: TableRef, *, home_free: bool) -> tuple[Way, str]:
    if len(by_holder) == 1:
        return Way.HIDDEN, "one snapshot holds all of it"
    if len(grown) > 1:
        return Way.COPY, (
            f"partitions that grew several parts (automatic buckets) are in {len(grown)} snapshots, and RESTORE takes "
            "such a partition only while it makes a table"
        )
    if not home_free:
        return Way.COPY, (
            f"{len(by_holder)} snapshots hold parts of it, RESTORE adds to a table only under the name that it had "
            f"when it was backed up, and {home} is taken"
        )
    return Way.OVERLAY, f"{len(by_holder)} snapshots hold parts of it"


def _first(
    manifest: Manifest,
    by_holder: Mapping[Label, Collection[PartitionName]],
    grown: Collection[Label],
    way: Way,
    *,
    largest: bool,
    newest: bool,
) -> Label:
    """The holder whose job makes the table.

    A table with an AUTO_INCREMENT column gets the counter of the newest one: that job ends last, or is the only one
    that sets it. So does one whose schema changed without a trace: it gets the newest. Else the order is free: the
    largest is not read over, and takes its time while a live table serves.
    """
    labels = list(by_holder)
    if len(grown) == 1:
        return next(iter(grown))
    if way is Way.COPY:
        candidates = labels[-1:] if newest or _numbers(manifest) else labels
    elif largest:
        candidates = labels[:-1] if _numbers(manifest) and len(labels) > 1 else labels
    else:
        candidates = labels[:1]
    return max(candidates, key=lambda label: _weight(manifest, by_holder[label]))


def _numbers(manifest: Manifest) -> bool:
    """Whether the table may have an AUTO_INCREMENT column: if its DDL was not recorded, nobody knows."""
    return not manifest.ddl or "AUTO_INCREMENT" in manifest.ddl.upper()


def _weight(manifest: Manifest, names: Collection[PartitionName]) -> tuple[int, int]:
    return _size(manifest.held[name].captured.partition for name in names) or 0, len(names)


def _scratch(alias: TableRef, number: int) -> TableRef:
    return TableRef(alias.database, TableName(f"{alias.name}_{number}"))


def _wanted(
    manifest: Manifest, label: Label, names: Collection[PartitionName], *, creating: bool
) -> tuple[PartitionName, ...] | None:
    """No list if a creating step wants all there is; overlays always name theirs, so that no shadow comes along."""
    if creating and len(names) == manifest.contents[label]:
        return None
    return tuple(sorted(names))


def _size(partitions: Iterable[Partition]) -> int | None:
    known = [partition.size for partition in partitions if partition.size is not None]
    return sum(known) if known else None


def _writable(manifest: Manifest, names: Iterable[PartitionName]) -> Iterator[NewPartition]:
    """Partitions as they can be made by hand; one whose values cannot be written is left to the load."""
    for name in names:
        with suppress(ValueError):
            yield new_partition(manifest.held[name].captured.partition, manifest.partitioning)


def _new_partition(manifest: Manifest, name: PartitionName) -> NewPartition:
    partition = manifest.held[name].captured.partition
    try:
        return new_partition(partition, manifest.partitioning)
    except ValueError as error:
        raise Unrestorable(
            f"{manifest.table} cannot be restored to this point",
            why=f"partition {name} has to be added by hand and its values {partition.values!r} cannot be written "
            f"back with certainty: {error}",
            hint="choose a point at which the table was backed up whole",
        ) from error
