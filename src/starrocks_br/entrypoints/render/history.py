"""What is recorded: the list of points, and one snapshot in detail."""

from __future__ import annotations

from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import Label, TableRef
from starrocks_br.domain.restore_outline import RestoreState
from starrocks_br.domain.snapshot import BackupType, Consistency, Damage, Entry, Outline, Snapshot
from starrocks_br.domain.status import RESTORABLE, UNSETTLED, Status
from starrocks_br.entrypoints.render.layout import NOTHING, indented, number, size, table
from starrocks_br.services.reports import HistoryReport, RestoresReport, SnapshotReport

_MARK = "not restorable"
_UNPROVEN = UNSETTLED | {Status.FAILED}


def history(report: HistoryReport, about: str | None = None) -> list[str]:
    """The list, newest first, with the rows that cannot be restored to marked as such.

    Args:
        report: What was found.
        about: The one table asked for, as the user wrote it.
    """
    if not report.outlines:
        return [f"no backup of {about} is recorded" if about else "no backup is recorded", "next: starrocks-br backup"]
    inexact = any(outline.consistency is not Consistency.EXACT for outline in report.outlines if _claims(outline))
    shared = len({outline.snapshot.cluster for outline in report.outlines}) > 1
    headings = ["POINT", "TABLE", "TYPE", "STATUS", "CONSISTENCY", "PARTITIONS", "SIZE", "CLUSTER", "LABEL"]
    rows = [_row(outline, report.points) for outline in report.outlines]
    for heading, wanted in (("CONSISTENCY", inexact), ("CLUSTER", shared)):
        if not wanted:
            position = headings.index(heading)
            del headings[position]
            rows = [row[:position] + row[position + 1 :] for row in rows]
    return [*table(headings, rows, right={"PARTITIONS", "SIZE"}), *_footnotes(report, inexact=inexact, shared=shared)]


def _claims(outline: Outline) -> bool:
    """Whether it is one of those that can be points at all."""
    return outline.type is not BackupType.METADATA and outline.snapshot.status in RESTORABLE


def _marked(outline: Outline, points: frozenset[tuple[Label, TableRef]]) -> bool:
    return _claims(outline) and (outline.label, outline.table) not in points


def _row(outline: Outline, points: frozenset[tuple[Label, TableRef]]) -> list[str]:
    at = outline.snapshot.snapshot_at if _claims(outline) else None
    status = str(outline.snapshot.status)
    return [
        NOTHING if at is None else show_instant(at),
        str(outline.table),
        str(outline.type),
        f"{status}, {_MARK}" if _marked(outline, points) else status,
        str(outline.consistency) if _claims(outline) else NOTHING,
        str(outline.captured),
        size(outline.size),
        outline.snapshot.cluster,
        outline.label,
    ]


def _footnotes(report: HistoryReport, *, inexact: bool, shared: bool) -> list[str]:
    notes = []
    if any(_marked(outline, report.points) for outline in report.outlines):
        notes.append(f"{_MARK}: starrocks-br show LABEL tells why")
    if inexact:
        notes.append("a point that is not EXACT is only taken with restore --allow-fuzzy")
    if shared:
        notes.append(
            "restore means the points of this cluster, and before its first one those of clusters it followed;"
        )
        notes.append("restore --from-cluster CLUSTER means those of another one")
    if report.more:
        notes.append("older ones are not shown: see --limit")
    return notes


def restores(report: RestoresReport, about: str | None = None) -> list[str]:
    """The restores, newest first, and what can be done about them.

    Args:
        report: What was found.
        about: The table asked for, as the user wrote it.
    """
    rows = [
        (show_instant(one.began_at), str(one.table), str(one.state), "yes" if one.replaced else NOTHING, one.restore)
        for one in report.restores
    ]
    none = f"no restore of {about} is recorded" if about else "no restore is recorded"
    lines = table(("BEGAN", "TABLE", "STATE", "REPLACED", "ID"), rows) if rows else [none]
    if any(one.state is RestoreState.DONE and one.replaced for one in report.restores):
        lines.append("restore --undo ID gives the table that was replaced its name again")
    if any(one.state is RestoreState.OPEN for one in report.restores):
        lines.append("OPEN: at work, or killed: restore --resume ID finishes it, restore --undo ID takes it back")
    if report.more:
        lines.append("older ones are not shown: see --limit")
    return [*lines, *(f"damaged: {damage}" for damage in report.damages)]


def snapshot(report: SnapshotReport) -> list[str]:
    """One snapshot: its own facts, then its tables with their partitions and chains."""
    lines = [f"snapshot {report.snapshot.label}", *indented(_facts(report.snapshot, report.remote or _kept(report)))]
    for entry in report.entries:
        lines += _entry(entry, report.chains.get(entry.table, ()))
    return [*lines, *damages(report.damages)]


def _kept(report: SnapshotReport) -> str:
    restored = any(entry.type is BackupType.RESTORED for entry in report.entries)
    return "nothing of its own" if restored or report.snapshot.status is Status.UNCHANGED else "sound"


def _facts(found: Snapshot, remote: str) -> list[str]:
    times = [
        ("created", found.created_at),
        ("sent", found.submitted_at),
        ("cut not before", found.not_before),
        ("point", found.point),
        ("ended", found.finished_at),
    ]
    facts = [
        ("status", str(found.status)),
        *((name, show_instant(value)) for name, value in times if value is not None),
        ("database", found.database),
        ("repository", found.repository),
        ("in repository", remote),
        ("timestamp there", found.backup_timestamp or NOTHING),
        ("cluster", found.cluster),
        ("run", found.run),
        *([("error", f"{found.error_code} {found.error}".strip())] if found.error or found.error_code else []),
    ]
    width = max(len(name) for name, _ in facts)
    return [f"{name.ljust(width)}  {value}" for name, value in facts]


def _entry(entry: Entry, chain: tuple[Label, ...]) -> list[str]:
    lines = [f"{entry.table}: {', '.join(_summary(entry))}", f"  {_lineage(entry.snapshot.status, chain)}"]
    rows = [
        (name, "?" if part.partition.rows is None else f"{part.partition.rows:,}", size(part.partition.size))
        for name, part in sorted(entry.captured.items())
    ]
    if rows:
        lines += indented(table(("PARTITION", "ROWS", "SIZE"), rows, right={"ROWS", "SIZE"}))
    lines += [f"  dropped: {name}" for name in sorted(entry.dropped)]
    return lines


def _summary(entry: Entry) -> list[str]:
    """What it holds; or, until there is proof that it does, what was asked for."""
    outline, proven = entry.outline(), entry.snapshot.status not in _UNPROVEN
    done = "known again" if entry.type is BackupType.RESTORED else "captured"
    return [
        str(entry.type),
        *([str(entry.consistency)] if proven else []),
        f"{number(outline.captured, 'partition')} {done if proven else 'asked for'}",
        f"{outline.dropped} dropped",
        size(outline.size),
    ]


def _lineage(status: Status, chain: tuple[Label, ...]) -> str:
    if status is Status.FAILED:
        return "no point: it failed"
    if status not in RESTORABLE:
        return f"no point: it is {status}"
    return f"chain: {' -> '.join(chain)}" if chain else "chain: broken, this point cannot be restored"


def damages(found: tuple[Damage, ...]) -> list[str]:
    """Recorded rows that cannot be trusted, one line each."""
    return [f"damaged: {damage.label} {damage.table}".rstrip() + f": {damage.problem}" for damage in found]
