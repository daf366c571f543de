"""What a restore would do, and what it did."""

from __future__ import annotations

from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import Label
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropPartitions,
    DropTable,
    PauseTtl,
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.entrypoints.render.layout import duration, indented, number, size, some
from starrocks_br.services.reports import RestoreReport


def target_label(plan: RestorePlan) -> Label:
    """The snapshot whose point the plan restores: the last of its chain."""
    return tuple(plan.manifest.contents)[-1]


def total_size(plan: RestorePlan) -> int | None:
    """Bytes that the plan's jobs read, as last reported before the backups; None if nothing is known."""
    known = [job.size for job in plan.jobs if job.size is not None]
    return sum(known) if known else None


def restore_plan(plan: RestorePlan) -> list[str]:
    """The plan: point, contents, steps, notes."""
    manifest = plan.manifest
    return [
        f"restore of {manifest.table}" + ("" if plan.target.table == manifest.table else f" as {plan.target.table}"),
        f"  point:    {show_instant(manifest.at)}, snapshot {target_label(plan)}",
        f"  contents: {number(len(manifest.held), 'partition')}, {size(total_size(plan))} as last reported",
        f"  from:     repository {plan.repository}, {number(len(plan.jobs), 'RESTORE job')}",
        "  steps:",
        *indented((f"{place}. {step_text(step)}" for place, step in enumerate(plan.steps, 1)), "    "),
        *(f"  note:     {note}" for note in plan.notes),
    ]


def step_text(step: Step) -> str:  # noqa: C901, PLR0911, PLR0912 -- one line per kind of step
    """One step in a few words."""
    match step:
        case CreateDatabase():
            return f"create database {step.database} unless it exists"
        case RestorePartitions():
            return _job(step)
        case CheckRestored():
            return f"look for leftovers of the RESTORE in {step.table}"
        case PauseTtl():
            return f"keep the server from dropping partitions of {step.table} on its own"
        case Rename():
            return f"rename {step.table} to {step.to}"
        case AddPartitions():
            names = some([partition.name for partition in step.partitions])
            return f"add {number(len(step.partitions), 'empty partition')} to {step.table} ({names})"
        case DropTable():
            return f"drop {step.table}"
        case Verify():
            return f"compare {step.table} with what was recorded, and read it"
        case CreateTable():
            return f"make {step.table}, empty, from the DDL that was recorded"
        case DropPartitions():
            return f"drop {number(len(step.partitions), 'partition')} of {step.table}"
        case SetAside():
            return f"rename the table that lived before from {step.table} to {step.to}"
        case Swap():
            return f"exchange the names of {step.table} and {step.restored}, at once"
        case CopyPartitions():
            return f"read {number(len(step.partitions), 'partition')} of {step.scratch} over into {step.table}"
        case RepairHole():
            return f"make partition {step.partition} of {step.table} loadable again"


def _job(step: RestorePartitions) -> str:
    what = "all of" if step.partitions is None else f"{number(len(step.partitions), 'partition')} of"
    where = f"create {step.into}" if step.creating else f"add to {step.into}"
    return f"{where}: {what} {step.source} in snapshot {step.label}, {size(step.size)}"


def restore_report(report: RestoreReport) -> list[str]:
    """What is there now."""
    point = show_instant(report.point)
    renamed = report.table != report.source
    facts = [
        f"snapshot {report.label}",
        number(report.partitions, "partition"),
        "rows not counted" if report.rows is None else number(report.rows, "row"),
        size(report.size),
        number(report.jobs, "job"),
        duration(report.seconds),
    ]
    return [
        f"{report.table} holds {report.source} as it was at {point}"
        if renamed
        else f"{report.table} is as it was at {point}",
        f"  {', '.join(facts)}",
        *(f"  note: {note}" for note in report.notes),
    ]
