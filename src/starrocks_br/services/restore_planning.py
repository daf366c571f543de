"""From what is recorded to a plan: which point, which chain, and what stands in the way. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from starrocks_br.domain.chain import chain_to, lineage, point_at, points, unsure_at
from starrocks_br.domain.errors import BrokenChain, StarRocksBrError, TargetExists, UnknownTable
from starrocks_br.domain.events import Warned
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, RepositoryName, Selection, TableRef, parse_pattern, restore_id
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import RestorePlan, TargetFacts, plan_restore
from starrocks_br.domain.server import RemoteSnapshot, Server
from starrocks_br.domain.snapshot import Consistency, Entry, Outline
from starrocks_br.domain.status import RESTORABLE
from starrocks_br.domain.timeline import timeline
from starrocks_br.services.estimates import pace
from starrocks_br.services.metadata import OWN
from starrocks_br.services.preflight import reading_from, ready
from starrocks_br.services.requests import Place, RestoreRequest, Wanted
from starrocks_br.services.standing import Standing, standing

NO_COMMON_CUT = "tables of one database lie in the same snapshots; those of different databases have no common cut"


@frozen(kw_only=True)
class Folded:
    """One table at the point that was chosen.

    Attributes:
        wanted: What was asked for.
        manifest: The table.
        recorded: The backup timestamp of each snapshot of its chain.
        repository: Where these are, as the cluster calls it.
        unsure: Whether a snapshot that is needed may hold ghosts.
        after: Its first point after that.
    """

    wanted: Wanted
    manifest: Manifest
    recorded: Mapping[Label, str | None]
    repository: RepositoryName
    unsure: bool
    after: Outline | None


def plan(ports: Ports, request: RestoreRequest) -> RestoreBatch:
    """Plan to bring tables back. A table that cannot be is a problem of the batch; the others are planned.

    Raises:
        ClusterError: The cluster failed, which concerns all of them.
        NotInitialised: The own tables are missing.
        TargetExists: Two of them would get one name, or one the name of a table of our own.
    """
    _check_targets(request)
    server = ready(ports, request.place)
    folded, problems = _fold_all(ports, request, server)
    facts = gather(ports, request, server, folded)
    speed = pace(ports, server.cluster)
    plans = []
    for one in folded:
        try:
            planned = plan_restore(one.manifest, facts[one.wanted.table], one.wanted.target, restore_id(ports.tokens()))
        except StarRocksBrError as problem:
            problems[one.wanted.table] = problem
        else:
            after = one.after.snapshot.snapshot_at if one.after is not None else None
            told = evolve(
                planned,
                repository=one.repository,
                asked=request.at,
                next_point=after,
                pace=speed,
                notes=(*_elsewhere(one.manifest, server), *planned.notes),
            )
            plans.append(told)
    databases = {planned.manifest.table.database for planned in plans}
    notes = (NO_COMMON_CUT,) if len(databases) > 1 else ()
    return RestoreBatch(plans=tuple(plans), pace=speed, problems=problems, notes=notes)


def _check_targets(request: RestoreRequest) -> None:
    sources: dict[TableRef, list[TableRef]] = {}
    for wanted in request.wanted:
        sources.setdefault(wanted.target.table, []).append(wanted.table)
    for target, tables in sources.items():
        if target.database == request.place.ops and target.name in OWN:
            raise TargetExists(
                f"{target} is a table of starrocks-br itself",
                why="every command reads and writes it while it works, this one, too",
                hint="starrocks-br bootstrap brings a lost history back, beside what is recorded",
            )
        if len(tables) > 1:
            raise TargetExists(
                f"{' and '.join(map(str, sorted(tables)))} cannot all be restored to {target}",
                why="the later one would take the name from the one before",
                hint="restore each in a command of its own, to a database (--to-database) or a name (--as) of its own",
            )


def plan_one(ports: Ports, request: RestoreRequest) -> RestorePlan:
    """Plan to bring one table back.

    Raises:
        UnknownTable: Nothing was ever recorded of the table.
        NoPoint: No point lies there.
        BrokenChain: The point's lineage is damaged, or the repository lacks a holder.
        TargetExists: The target's name is taken.
        Unrestorable: No sequence of legal statements gives exactly this table.
    """
    batch = plan(ports, request)
    for problem in batch.problems.values():
        raise problem
    return batch.plans[0]


def _elsewhere(manifest: Manifest, server: Server) -> tuple[str, ...]:
    if manifest.cluster == server.cluster:
        return ()
    return (f"the point was recorded by cluster {manifest.cluster}, not by this one ({server.cluster})",)


# --- the point --------------------------------------------------------------------------------------------------------


def _fold_all(
    ports: Ports, request: RestoreRequest, server: Server
) -> tuple[list[Folded], dict[TableRef, StarRocksBrError]]:
    outlines = _outlines(ports, request)
    problems: dict[TableRef, StarRocksBrError] = {}
    chosen: dict[TableRef, Outline] = {}
    labels: dict[TableRef, list[Label]] = {}
    for wanted in request.wanted:
        own = outlines.get(wanted.table, ())
        try:
            choice = _choice(own, wanted.table, request, server)
            chosen[wanted.table] = _choose(choice, wanted.table, request)
            links = lineage(own, wanted.table, chosen[wanted.table].label)
        except StarRocksBrError as problem:
            problems[wanted.table] = problem
        else:
            labels[wanted.table] = [link.label for link in links]
            _warn_unsure(ports, choice, wanted.table, request)
    only = request.wanted[0].table if len(request.wanted) == 1 else None
    entries = _entries(ports, {label for chain in labels.values() for label in chain}, only)
    folded = []
    for wanted in (one for one in request.wanted if one.table in labels):
        try:
            of_table = entries.get(wanted.table, [])
            manifest = chain_to(of_table, wanted.table, chosen[wanted.table].label).manifest()
        except StarRocksBrError as problem:
            problems[wanted.table] = problem
        else:
            folded.append(
                Folded(
                    wanted=wanted,
                    manifest=manifest,
                    recorded={entry.label: entry.snapshot.backup_timestamp for entry in of_table},
                    repository=reading_from(ports, request.place, manifest.repository).repository,
                    unsure=_may_be_haunted(of_table, chosen[wanted.table].label, manifest),
                    after=_after(outlines[wanted.table], chosen[wanted.table]),
                )
            )
    return folded, problems


def _may_be_haunted(entries: Iterable[Entry], point: Label, manifest: Manifest) -> bool:
    """Whether nobody looked right after the cut of a snapshot that is needed, or ghosts of the table came out of it."""
    needed = {point, *manifest.holders()}
    return any(entry.label in needed and entry.consistency is Consistency.UNKNOWN for entry in entries)


def _outlines(ports: Ports, request: RestoreRequest) -> Mapping[TableRef, tuple[Outline, ...]]:
    """What is recorded of each table: one statement, for one table with what failed, too, so that errors can tell."""
    if len(request.wanted) == 1:
        (wanted,) = request.wanted
        return {wanted.table: ports.backups.outlines(table=wanted.table)}
    tables: dict[TableRef, list[Outline]] = {wanted.table: [] for wanted in request.wanted}
    for outline in ports.backups.outlines(statuses=RESTORABLE):
        if outline.table in tables:
            tables[outline.table].append(outline)
    return {table: tuple(own) for table, own in tables.items()}


def _entries(ports: Ports, labels: set[Label], only: TableRef | None) -> Mapping[TableRef, list[Entry]]:
    reading = ports.backups.entries(labels, only)
    for damage in reading.damages:
        ports.listener(Warned(message=f"history of {damage.label} {damage.table} is damaged: {damage.problem}"))
    by_table: dict[TableRef, list[Entry]] = {}
    for entry in reading.entries:
        by_table.setdefault(entry.table, []).append(entry)
    return by_table


def _choice(outlines: Sequence[Outline], table: TableRef, request: RestoreRequest, server: Server) -> Sequence[Outline]:
    """Among what to choose: a label says all by itself, an instant is one of some cluster's."""
    if not outlines:
        raise UnknownTable(
            f"nothing is recorded of {table}", hint="starrocks-br list shows what is; names are case-sensitive"
        )
    if request.label is not None and request.from_cluster is None:
        return outlines
    return timeline(outlines, table, server.cluster, request.from_cluster)


def _choose(outlines: Sequence[Outline], table: TableRef, request: RestoreRequest) -> Outline:
    if request.label is not None:
        return _of_label(outlines, table, request.label, allow_fuzzy=request.allow_fuzzy)
    if request.at is None:
        raise ValueError("either an instant or a label says where to restore to")
    return point_at(outlines, table, request.at, allow_fuzzy=request.allow_fuzzy)


def _of_label(outlines: Iterable[Outline], table: TableRef, label: Label, *, allow_fuzzy: bool) -> Outline:
    chosen = next((outline for outline in outlines if outline.label == label), None)
    if chosen is None:
        raise BrokenChain(f"snapshot {label} holds nothing of {table}", table=table, labels=(label,))
    if chosen.snapshot.status not in RESTORABLE:
        raise BrokenChain(
            f"{table} cannot be restored from snapshot {label}",
            table=table,
            labels=(label,),
            why=f"the snapshot is {chosen.snapshot.status}",
        )
    if chosen.consistency is not Consistency.EXACT and not allow_fuzzy:
        raise BrokenChain(
            f"{table} cannot be restored exactly from snapshot {label}",
            table=table,
            labels=(label,),
            why=f"its consistency is {chosen.consistency}: some partitions may be older than others",
            hint="--allow-fuzzy takes it all the same",
        )
    return chosen


def _warn_unsure(ports: Ports, outlines: Sequence[Outline], table: TableRef, request: RestoreRequest) -> None:
    if request.at is None:
        return
    unsure = unsure_at(outlines, table, request.at)
    if unsure is not None and unsure.snapshot.snapshot_at is not None:
        ports.listener(
            Warned(
                message=f"snapshot {unsure.label} was cut at some moment before "
                f"{show_instant(unsure.snapshot.snapshot_at)}, perhaps before {show_instant(request.at)}: "
                f"--label {unsure.label} takes it",
                table=table,
            )
        )


def _after(outlines: Sequence[Outline], chosen: Outline) -> Outline | None:
    """The first point after the chosen one."""
    known = points(outlines, chosen.table)
    later = [one for one in known if _point(one) > _point(chosen)]
    return later[-1] if later else None


def _point(outline: Outline) -> tuple[object, Label]:
    return outline.snapshot.snapshot_at, outline.label


# --- the target -------------------------------------------------------------------------------------------------------


def gather(
    ports: Ports, request: RestoreRequest, server: Server, folded: Sequence[Folded]
) -> Mapping[TableRef, TargetFacts]:
    """What stands at the targets, and what the repository holds: statements per database, not per table."""
    targets = [one.wanted.target.table for one in folded]
    homes = [TableRef(table.database, one.manifest.table.name) for table, one in zip(targets, folded, strict=True)]
    there = standing(ports, server, {*targets, *homes})
    found = {
        repository: ports.cluster.find_snapshots(
            repository, {label for one in folded if one.repository == repository for label in one.manifest.holders()}
        )
        for repository in sorted({one.repository for one in folded})
    }
    return {one.wanted.table: _facts(request, server, one, there, found[one.repository]) for one in folded}


def _facts(
    request: RestoreRequest, server: Server, one: Folded, there: Standing, found: Mapping[Label, RemoteSnapshot]
) -> TargetFacts:
    target = one.wanted.target
    objects = there.objects[target.table.database]
    kinds = objects or {}
    return TargetFacts(
        taken_by=kinds.get(target.table.name, ""),
        unsure=one.unsure,
        target_id=there.ids.get(target.table) if target.replace else None,
        home_taken=one.manifest.table.name in kinds,
        database_exists=objects is not None,
        alive_backends=server.alive_backends,
        backup_timestamps={
            label: remote.backup_timestamp
            for label, remote in found.items()
            if remote.usable
            and remote.backup_timestamp is not None
            and remote.backup_timestamp == one.recorded.get(label)
        },
        replication_num=request.place.replication_num,
    )


def refolded(planned: Sequence[RestorePlan]) -> list[Folded]:
    """Plans as what they were made of, so that facts can be gathered anew."""
    return [
        Folded(
            wanted=Wanted(table=one.manifest.table, target=one.target),
            manifest=one.manifest,
            recorded={job.label: job.backup_timestamp for job in one.jobs},
            repository=one.repository,
            unsure=one.way is Way.REFILL,
            after=None,
        )
        for one in planned
    ]


# --- which tables -----------------------------------------------------------------------------------------------------


def recorded(ports: Ports, place: Place, selection: Selection) -> tuple[TableRef, ...]:
    """The tables that a selection means: those it names, and of `db.*` all of which a backup is recorded.

    Raises:
        NotInitialised: The own tables are missing.
        UnknownTable: A `db.*` of which nothing is recorded.
    """
    parsed = {pattern: parse_pattern(pattern) for pattern in selection.patterns}
    named = {table for table in parsed.values() if isinstance(table, TableRef)}
    wild = tuple(pattern for pattern, table in parsed.items() if not isinstance(table, TableRef))
    if not wild:
        return tuple(sorted(named))
    ready(ports, place)
    known = {outline.table for outline in ports.backups.outlines(statuses=RESTORABLE)}
    found, nothing = Selection(wild).expand(known, place.ops)
    if nothing:
        raise UnknownTable(
            f"nothing is recorded of {', '.join(nothing)}",
            hint="starrocks-br list shows what is; names are case-sensitive",
        )
    return tuple(sorted(named | found))
