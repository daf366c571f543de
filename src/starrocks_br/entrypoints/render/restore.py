"""What the restore of one table would do, before it does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CheckRestored,
    CopyPartitions,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropPartitions,
    DropTable,
    PauseTtl,
    Reading,
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.entrypoints.render.layout import duration, indented, number, size, some

_READ = {
    Reading.TABLE: "and count its rows",
    Reading.PARTITIONS: "and count the rows of each partition",
    Reading.NONE: "but read no row",
}


def total_size(plan: RestorePlan) -> int | None:
    """Bytes that the plan's jobs read, as last reported before the backups; None if nothing is known."""
    known = [job.size for job in plan.jobs if job.size is not None]
    return sum(known) if known else None


def question(plan: RestorePlan) -> str:
    """What a person is asked before it is done."""
    if plan.replaces is None:
        return f"restore {plan.target.table}?"
    past = " and drop the table that it is now, past recovery" if plan.target.drop_old else ""
    return f"replace {plan.target.table}{past}?"


def restore_plan(plan: RestorePlan) -> list[str]:
    """The plan: point, contents, way, time, what users see meanwhile, what becomes of a live table, steps, notes."""
    manifest = plan.manifest
    return [
        f"restore of {manifest.table}" + ("" if plan.target.table == manifest.table else f" as {plan.target.table}"),
        f"  point:    {show_instant(manifest.at)}, snapshot {plan.point}",
        f"            {'; '.join(_around(plan))}",
        f"  contents: {number(len(manifest.held), 'partition')}, {size(total_size(plan))} as last reported",
        f"  way:      {number(len(plan.jobs), 'RESTORE job')} from repository {plan.repository}: {plan.why}",
        f"  time:     {about(plan.seconds)}",
        f"  away:     {absence(plan)}",
        *(f"  old one:  {line}" for line in _old(plan)),
        "  steps:",
        *indented((f"{place}. {_timed(plan, step)}" for place, step in enumerate(plan.steps, 1)), "    "),
        *(f"  risk:     {risk}" for risk in plan.risks),
        *(f"  note:     {note}" for note in plan.notes),
    ]


def about(seconds: float | None) -> str:
    """An estimate, or why there is none."""
    if seconds is None:
        return "not known: this cluster has no job yet to tell by, or a size is unknown"
    return f"about {duration(seconds)}, as jobs went on this cluster so far"


def absence(plan: RestorePlan) -> str:
    """How long users do without the table, or with a part of it."""
    name = plan.target.table
    if plan.replaces is None:
        seen = "appears incomplete and is filled" if plan.away else "appears complete, in the end"
        return f"{name} is not there now; it {seen}"
    if not plan.away:
        return f"never: {name} serves until the restored table takes its name, in one statement"
    seconds = "" if plan.seconds_away is None else f", about {duration(plan.seconds_away)}"
    return f"{name} is absent for a moment, then incomplete for {number(len(plan.away), 'job')}{seconds}"


def _around(plan: RestorePlan) -> Iterator[str]:
    if plan.asked is not None:
        gap = int((plan.asked - plan.manifest.at).total_seconds())
        yield f"{duration(gap)} before what was asked for" if gap else "exactly what was asked for"
    yield "no later point" if plan.next_point is None else f"the next point is {show_instant(plan.next_point)}"


def _old(plan: RestorePlan) -> Iterator[str]:
    if plan.aside is not None:
        yield f"stays as {plan.aside}; back with starrocks-br restore --undo {plan.restore}"
    elif plan.replaces is not None:
        yield "is dropped in the end: there is no way back"


def _timed(plan: RestorePlan, step: Step) -> str:
    """A step, and what it may take if it is a job."""
    seconds = plan.pace.seconds(step.size) if plan.pace and isinstance(step, RestorePartitions) else None
    return step_text(step) + ("" if seconds is None else f", about {duration(seconds)}")


def step_text(step: Step) -> str:  # noqa: C901, PLR0911, PLR0912 -- one line per kind of step
    """One step in a few words."""
    match step:
        case CreateDatabase():
            return f"create database {step.database}"
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
        case DropDatabase():
            return f"drop database {step.database}, which is empty"
        case DropTable():
            return f"drop {step.table}"
        case Verify():
            return f"compare {step.table} with what was recorded, {_READ[step.reading]}"
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
        case _:
            assert_never(step)


def _job(step: RestorePartitions) -> str:
    what = "all of" if step.partitions is None else f"{number(len(step.partitions), 'partition')} of"
    where = f"create {step.into}" if step.creating else f"add to {step.into}"
    return f"{where}: {what} {step.source} in snapshot {step.label}, {size(step.size)}"
