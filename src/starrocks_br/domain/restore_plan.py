"""How to give one table back: steps as data, each partition exactly once, from its holder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from starrocks_br.domain.errors import BrokenChain, TargetExists, Unrestorable
from starrocks_br.domain.estimate import Pace, total
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, PartitionName, RepositoryName, RestoreId, TableRef, alias_for, before_name
from starrocks_br.domain.restore_jobs import Jobs, Way
from starrocks_br.domain.restore_steps import (
    CreateDatabase,
    DropTable,
    Reading,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)

A_TABLE: Final = "BASE TABLE"
"""The server's word for what can be replaced: SHOW FULL TABLES calls views and materialized views VIEW (R§8.4)."""


@frozen(kw_only=True)
class Target:
    """Where the table goes.

    Attributes:
        table: The name it gets.
        replace: Whether a table that bears the name gives way; it stays under another name.
        drop_old: Whether that one is dropped in the end.
        partitions: Only these; None: all. A part of a table never gets the name of the whole.
        reading: How the result is read.
        copied: Whether partitions of several snapshots are read over with INSERT although RESTORE might add them.
    """

    table: TableRef
    replace: bool = False
    drop_old: bool = False
    partitions: frozenset[PartitionName] | None = None
    reading: Reading = Reading.TABLE
    copied: bool = False


@frozen(kw_only=True)
class TargetFacts:
    """What was found out before planning.

    Attributes:
        taken_by: What bears the target's name already: the server's word for the kind of object; empty if nothing.
        target_id: The server's id of the table that bears the target's name; None if there is none.
        unsure: Whether nobody looked right after the cut of the point's snapshot (`Consistency.UNKNOWN`).
        home_taken: Whether the name that the table had then is taken in the target's database.
        database_exists: Whether the target's database does.
        alive_backends: The greatest possible number of replicas.
        backup_timestamps: Of each holder that the repository still has, as SHOW SNAPSHOT tells it.
        replication_num: The user's wish; None: as recorded.
    """

    taken_by: str
    target_id: int | None = None
    unsure: bool = False
    home_taken: bool = False
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
        manifest: The table at the point: what will be there in the end.
        way: How its partitions come together.
        why: Why that way.
        steps: In order.
        aside: The name that the replaced table has in the end; None: nothing is replaced, or it is dropped.
        asked: The instant that was asked for; None: the point of a snapshot was.
        next_point: The first point after the one that is taken; None if there is none.
        pace: What jobs take on this cluster; None: nothing is known of that.
        risks: What may hurt while it is done, and the remedy.
        notes: What the user should know of the result.
    """

    restore: RestoreId
    repository: RepositoryName
    target: Target
    alias: TableRef
    manifest: Manifest
    way: Way
    why: str
    steps: tuple[Step, ...]
    aside: TableRef | None = None
    asked: datetime | None = None
    next_point: datetime | None = None
    pace: Pace | None = None
    risks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def jobs(self) -> tuple[RestorePartitions, ...]:
        """The steps that are RESTORE jobs."""
        return tuple(step for step in self.steps if isinstance(step, RestorePartitions))

    @property
    def point(self) -> Label:
        """The snapshot whose point is restored."""
        return self.manifest.point

    @property
    def replaces(self) -> int | None:
        """The id of the table that gives way; None if none does."""
        return next((step.table_id for step in self.steps if isinstance(step, SetAside | Swap)), None)

    @property
    def away(self) -> tuple[RestorePartitions, ...]:
        """The jobs during which the target's name is absent, or bears a table that is not whole."""
        shown = [number for number, step in enumerate(self.steps) if self._shows(step)]
        return tuple(step for step in self.steps[shown[-1] :] if isinstance(step, RestorePartitions)) if shown else ()

    @property
    def seconds(self) -> float | None:
        """How long the jobs may take, one after the other; None if that cannot be told."""
        return _lasting(self.pace, self.jobs)

    @property
    def seconds_away(self) -> float | None:
        """How long the target's name may be absent, or bear a table that is not whole; None if that is unknown."""
        return _lasting(self.pace, self.away)

    def _shows(self, step: Step) -> bool:
        """Whether it gives ours the target's name, other than in exchange: the table that had it was just set aside."""
        return isinstance(step, Rename) and TableRef(step.table.database, step.to) == self.target.table


def _lasting(pace: Pace | None, jobs: Sequence[RestorePartitions]) -> float | None:
    return total(None if pace is None else pace.seconds(job.size) for job in jobs)


def plan_restore(manifest: Manifest, facts: TargetFacts, target: Target, restore: RestoreId) -> RestorePlan:
    """Plan the way back to the manifest.

    Raises:
        TargetExists: The name is taken, by whatever kind of object, and it is not to be replaced.
        BrokenChain: The repository lacks a holder.
        Unrestorable: No sequence of legal statements gives exactly this table.
    """
    wanted = _narrowed(manifest, target)
    _check_target(facts, target)
    _check_holders(wanted, facts)
    alias = TableRef(target.table.database, alias_for(restore))
    home = TableRef(target.table.database, manifest.table.name)
    jobs = Jobs.of(
        wanted,
        backup_timestamps=facts.backup_timestamps,
        replication_num=_replication(wanted, facts),
        alias=alias,
        home=home,
        home_free=not facts.home_taken or home == target.table,
        at_home=home == target.table,
        replaces=facts.target_id is not None,
        unsure=facts.unsure,
        copied=target.copied,
    )
    aside = TableRef(target.table.database, before_name(target.table.name, restore))
    before = () if facts.database_exists else (CreateDatabase(database=target.table.database),)
    replaced = facts.target_id is not None
    return RestorePlan(
        restore=restore,
        repository=manifest.repository,
        target=target,
        alias=alias,
        manifest=wanted,
        way=jobs.way,
        why=jobs.why,
        steps=(
            *before,
            *jobs.making,
            *_exposing(jobs, facts, target, aside, alias),
            *((DropTable(table=aside),) if replaced and target.drop_old else ()),
        ),
        aside=aside if replaced and not target.drop_old else None,
        risks=tuple(_risks(target, jobs, replaced=replaced)),
        notes=_notes(jobs, replaced=replaced),
    )


# --- checks -----------------------------------------------------------------------------------------------------------


def _narrowed(manifest: Manifest, target: Target) -> Manifest:
    """The manifest with the chosen partitions only."""
    if target.partitions is None:
        return manifest
    unknown = sorted(target.partitions - manifest.held.keys())
    if unknown or not target.partitions:
        raise Unrestorable(
            f"{manifest.table} cannot be restored in part",
            why=f"it had no partition {', '.join(unknown)} at that point" if unknown else "no partition is chosen",
            hint=f"it had {', '.join(sorted(manifest.held)[:20])}",
        )
    if target.table == manifest.table:
        raise TargetExists(
            f"chosen partitions of {manifest.table} do not get its name",
            why="a part of a table must not be taken for the whole",
            hint="give them a name of their own with --as, or a database with --to-database",
        )
    return evolve(manifest, held={name: manifest.held[name] for name in sorted(target.partitions)})


def _check_target(facts: TargetFacts, target: Target) -> None:
    if not facts.taken_by or (target.replace and facts.target_id is not None and facts.taken_by == A_TABLE):
        return
    kind = facts.taken_by.lower()
    if target.replace:
        raise TargetExists(
            f"{target.table} exists",
            why=f"it is a {kind}; only tables are replaced",
            hint="rename or drop it first",
        )
    raise TargetExists(
        f"{target.table} exists",
        why=f"it is a {kind}; nothing is restored over a live object",
        hint="--replace lets it give way and keeps it under another name; --as NAME or --to-database DB restores "
        f"beside it; or rename it first: ALTER TABLE {target.table} RENAME ...",
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


def _replication(manifest: Manifest, facts: TargetFacts) -> int:
    recorded = (held.captured.partition.replication_num for held in manifest.held.values())
    return min(facts.replication_num or max(recorded, default=1), facts.alive_backends)


# --- steps ------------------------------------------------------------------------------------------------------------


def _exposing(jobs: Jobs, facts: TargetFacts, target: Target, aside: TableRef, alias: TableRef) -> tuple[Step, ...]:
    """From the alias to the target's name: at the very end if that can be, before the overlays if it must."""

    def verify(table: TableRef) -> Verify:
        return Verify(
            table=table,
            source=jobs.manifest.table,
            point=jobs.manifest.point,
            reading=target.reading,
        )

    if jobs.way not in {Way.OVERLAY, Way.REFILL}:
        return (*jobs.adding, verify(alias), *_given_the_name(alias, target.table, facts.target_id, aside))
    if jobs.home == target.table:
        making_way = (
            (SetAside(table=target.table, to=aside.name, table_id=facts.target_id),)
            if facts.target_id is not None
            else ()
        )
        return (*making_way, Rename(table=alias, to=jobs.home.name), *jobs.adding, verify(jobs.home))
    return (
        Rename(table=alias, to=jobs.home.name),
        *jobs.adding,
        verify(jobs.home),
        *_given_the_name(jobs.home, target.table, facts.target_id, aside),
    )


def _given_the_name(made: TableRef, target: TableRef, live: int | None, aside: TableRef) -> tuple[Step, ...]:
    """A live table changes places with ours in one statement, so that its name is never absent."""
    if live is None:
        return (Rename(table=made, to=target.name),)
    return (
        Swap(table=target, restored=made.name, table_id=live),
        SetAside(table=made, to=aside.name, table_id=live),
    )


# --- notes ------------------------------------------------------------------------------------------------------------


def _risks(target: Target, jobs: Jobs, *, replaced: bool) -> Iterator[str]:
    if jobs.way in {Way.OVERLAY, Way.REFILL}:
        several = f"{len(jobs.overlays) + 1} snapshots hold parts of it"
        why = several if jobs.way is Way.OVERLAY else "it is filled in place"
        yield (
            f"{why}: {jobs.home} can be seen, incomplete, from the first job to the last; keep users away until the "
            "restore says that it is done"
        )
    if replaced and target.drop_old:
        yield (
            f"the table that is {target.table} now is dropped in the end, past recovery; without --drop-old it would "
            "stay under another name"
        )


def _notes(jobs: Jobs, *, replaced: bool) -> tuple[str, ...]:
    nothing_known = "a colocate group, views, materialized views and grants on the table do not come back"
    notes = [
        "views and materialized views are not restored; those on the table are looked after or named"
        if replaced
        else nothing_known.removeprefix("a colocate group, " if jobs.manifest.ddl else ""),
        f"table properties are those of snapshot {jobs.properties_of}",
    ]
    if jobs.resets_counter:
        notes.append(
            "if it has an AUTO_INCREMENT column, its counter is that of snapshot "
            f"{jobs.last}: numbers that were given out after it are given out again"
        )
    return tuple(notes)
