"""The cold start: an empty cluster and a repository are enough to get the history back.

A cluster that has a history of its own takes over another one's in the same way: labels are unique, so both lie side by
side. The repository is only read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from attrs import evolve

from starrocks_br.domain.chain import points
from starrocks_br.domain.errors import (
    NoPoint,
    OutcomeUnknown,
    RequestError,
    StarRocksBrError,
    Unreachable,
    Unrestorable,
)
from starrocks_br.domain.events import Warned
from starrocks_br.domain.journal import Claim, Journal, JournalStep, Mark, StepStatus
from starrocks_br.domain.names import (
    ClusterId,
    Label,
    TableRef,
    alias_for,
    label_name,
    parse_metadata_label,
    restore_id,
)
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_steps import DropTable, RestorePartitions
from starrocks_br.domain.server import RemoteSnapshot, Server
from starrocks_br.domain.snapshot import BackupType, Damage, Outline
from starrocks_br.domain.status import RESTORABLE
from starrocks_br.services.journals import give_up
from starrocks_br.services.metadata import HISTORY
from starrocks_br.services.preflight import check_repository
from starrocks_br.services.reconcile import reconcile
from starrocks_br.services.reports import BootstrapPlan, BootstrapReport
from starrocks_br.services.requests import Place
from starrocks_br.services.restore_job import run_job
from starrocks_br.services.setup import MOST_REPLICAS, init

LABELS_AT_ONCE: Final = 200


def plan(
    ports: Ports, place: Place, label: Label | None = None, from_cluster: ClusterId | None = None
) -> BootstrapPlan:
    """Choose the metadata snapshot: the newest one, or the one that is named. Writes nothing.

    Args:
        ports: The outside.
        place: What the command works with; its repository is only read.
        label: Take this one.
        from_cluster: Take one of this cluster's.

    Raises:
        NoPoint: The repository holds none.
        RequestError: It holds those of several clusters, and none was named; or none of the cluster that was.
    """
    ports.cluster.server()
    check_repository(ports, place)
    listed = (
        ports.cluster.list_snapshots(place.repository)
        if label is None
        else tuple(ports.cluster.find_snapshots(place.repository, [label]).values())
    )
    by_cluster = _by_cluster(place, listed)
    if not by_cluster:
        raise NoPoint(
            f"repository {place.repository} holds no metadata snapshot" + (f" {label}" if label else ""),
            why="a backup run writes one named br_meta_... after its data snapshots",
            hint="check the name and location of the repository: SHOW REPOSITORIES",
        )
    cluster = _chosen_cluster(place, by_cluster, from_cluster)
    chosen = _newest_sound(ports, place, cluster, by_cluster[cluster])
    _tell_of_unlisted(ports, chosen, listed, from_cluster)
    return chosen


def _tell_of_unlisted(
    ports: Ports, chosen: BootstrapPlan, listed: Iterable[RemoteSnapshot], wanted: ClusterId | None
) -> None:
    """Name the newer metadata snapshots whose state the repository cannot tell, as while the object store hiccups.

    With an older one everything that was backed up since would be missing.
    """
    for remote in listed:
        parsed = parse_metadata_label(remote.label)
        if parsed is None or not remote.unread or (wanted or parsed[0]) != parsed[0]:
            continue
        if parsed[1] > chosen.taken_at:
            _tell_of_newer(ports, chosen.label, remote.label, remote.problem)


def _tell_of_newer(ports: Ports, label: Label, newer: str, problem: str) -> None:
    said = f"{newer} is newer than {label}, but cannot be read: {problem}; try again, or what came since is missing"
    ports.listener(Warned(message=said))


def _chosen_cluster(
    place: Place, by_cluster: Mapping[ClusterId, list[BootstrapPlan]], wanted: ClusterId | None
) -> ClusterId:
    newest = ", ".join(f"{found[0].label} of cluster {cluster}" for cluster, found in sorted(by_cluster.items()))
    if wanted is not None:
        if wanted not in by_cluster:
            raise RequestError(
                f"repository {place.repository} holds no history of cluster {wanted}", why=f"it holds {newest}"
            )
        return wanted
    if len(by_cluster) > 1:
        raise RequestError(
            f"repository {place.repository} holds the history of {len(by_cluster)} clusters",
            why=f"the newest ones: {newest}",
            hint="say which with --from-cluster, or with --label",
        )
    return next(iter(by_cluster))


def _by_cluster(place: Place, listed: Iterable[RemoteSnapshot]) -> Mapping[ClusterId, list[BootstrapPlan]]:
    """What could be taken, newest first: by the instant in the label, which knows no time zone."""
    grouped: dict[ClusterId, list[BootstrapPlan]] = defaultdict(list)
    for remote in listed:
        parsed, stamp = parse_metadata_label(remote.label), remote.backup_timestamp
        if parsed is not None and stamp is not None and not remote.problem:
            candidate = BootstrapPlan(
                label=label_name(remote.label),
                cluster=parsed[0],
                taken_at=parsed[1],
                repository=place.repository,
                backup_timestamp=stamp,
                others=0,
            )
            grouped[candidate.cluster].append(candidate)
    for found in grouped.values():
        found.sort(key=lambda candidate: (candidate.taken_at, candidate.label), reverse=True)
    return grouped


def _newest_sound(ports: Ports, place: Place, cluster: ClusterId, found: list[BootstrapPlan]) -> BootstrapPlan:
    unread: dict[Label, str] = {}
    for number, candidate in enumerate(found, start=1):
        details = ports.cluster.read_snapshot(place.repository, candidate.label, candidate.backup_timestamp)
        if details.contents is not None and HISTORY in details.contents:
            for skipped, problem in unread.items():
                _tell_of_newer(ports, candidate.label, skipped, problem)
            return evolve(candidate, others=len(found) - number)
        if details.contents is None:
            unread[candidate.label] = details.problem
    raise Unrestorable(
        f"no metadata snapshot of cluster {cluster} can be read",
        why=f"{len(found)} are listed in repository {place.repository}, none shows a table {HISTORY}",
    )


def run(ports: Ports, place: Place, planned: BootstrapPlan) -> BootstrapReport:
    """Restore the history under an alias, take over the labels that are absent here, and settle what was open.

    Raises:
        JobFailed: The server cancelled the RESTORE; nothing is left behind.
    """
    init(ports, place)
    server = ports.cluster.server()
    before = reconcile(ports, place, server)
    rows = _take_over(ports, place, server, planned)
    after = reconcile(ports, place, server)
    outlines = ports.backups.outlines(statuses=RESTORABLE)
    tables = {
        outline.table
        for outline in outlines
        if outline.type is not BackupType.METADATA and outline.snapshot.cluster == planned.cluster
    }
    return BootstrapReport(
        plan=planned,
        rows=rows,
        points={table: _points(outlines, table, planned.cluster) for table in sorted(tables)},
        damages=_damages(ports, {outline.label for outline in outlines}),
        settled=(*before.settled, *after.settled),
    )


def _points(outlines: Iterable[Outline], table: TableRef, cluster: ClusterId) -> int:
    return sum(point.snapshot.cluster == cluster for point in points(outlines, table))


def _take_over(ports: Ports, place: Place, server: Server, planned: BootstrapPlan) -> int:
    restore = restore_id(ports.tokens())
    alias = TableRef(place.ops, alias_for(restore))
    steps = (
        RestorePartitions(
            label=planned.label,
            backup_timestamp=planned.backup_timestamp,
            source=HISTORY,
            into=alias,
            creating=True,
            partitions=None,
            replication_num=min(place.replication_num or MOST_REPLICAS, server.alive_backends),
        ),
        DropTable(table=alias),
    )
    journal = Journal(
        restore=restore,
        cluster=server.cluster,
        repository=place.repository,
        target=alias,
        alias=alias,
        created_at=server.now,
        steps=tuple(JournalStep(step=step, status=StepStatus.PLANNED) for step in steps),
    )
    ports.restores.begin([journal])
    try:
        return _restore_and_copy(ports, place, journal, *steps)
    except (Unreachable, OutcomeUnknown):
        raise
    except StarRocksBrError as error:
        detail = give_up(ports, Claim(restore=restore, number=0), str(error))
        error.hint = "; ".join(part for part in (error.hint, detail) if part)
        raise


def _restore_and_copy(
    ports: Ports, place: Place, journal: Journal, restoring: RestorePartitions, dropping: DropTable
) -> int:
    def mark(number: int, status: StepStatus, table_id: int | None = None) -> None:
        ports.restores.mark([Mark(restore=journal.restore, number=number, status=status, table_id=table_id)])

    mark(0, StepStatus.SENT)
    run_job(ports, place, restoring)
    mark(0, StepStatus.DONE, ports.cluster.table_ids([journal.alias]).get(journal.alias))
    rows = ports.backups.adopt(journal.alias, saved_by=restoring.label, repository=journal.repository)
    mark(1, StepStatus.SENT)
    ports.cluster.apply(dropping)
    mark(1, StepStatus.DONE)
    return rows


def _damages(ports: Ports, labels: Collection[Label]) -> tuple[Damage, ...]:
    """Read everything once, a few labels at a time: after a disaster nobody wants to learn of damage later."""
    ordered = sorted(labels)
    groups = (ordered[start : start + LABELS_AT_ONCE] for start in range(0, len(ordered), LABELS_AT_ONCE))
    return tuple(damage for group in groups for damage in ports.backups.entries(group).damages)
