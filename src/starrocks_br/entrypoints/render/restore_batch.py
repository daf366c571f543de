"""What the restore of several tables would do, before it does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from starrocks_br.domain.errors import StarRocksBrError
from starrocks_br.domain.instants import show_instant
from starrocks_br.domain.names import DatabaseName, TableRef
from starrocks_br.domain.restore_batch import RestoreBatch
from starrocks_br.domain.restore_plan import RestorePlan
from starrocks_br.domain.restore_steps import RestorePartitions
from starrocks_br.entrypoints.render.layout import indented, number, size, some, table
from starrocks_br.entrypoints.render.restore import about, total_size

MOST_TABLES: Final = 40
MOST_STATEMENTS: Final = 12


def question(batch: RestoreBatch) -> str:
    """What a person is asked before it is done."""
    replaced = [plan for plan in batch.plans if plan.replaces is not None]
    what = f"restore {number(len(batch.plans), 'table')}"
    if not replaced:
        return f"{what}?"
    drops = any(plan.target.drop_old for plan in replaced)
    past = "; those are dropped in the end, past recovery" if drops else ""
    return f"{what}, {len(replaced)} of them over tables that live now{past}?"


def batch_plan(batch: RestoreBatch) -> list[str]:
    """The plan: a line per table, the RESTORE statements, the time, what cannot be restored, risks and notes."""
    rows = [_row(plan) for plan in batch.plans]
    columns = ("TABLE", "POINT", "PARTITIONS", "SIZE", "HOW")
    listed = table(columns, rows, right={"PARTITIONS", "SIZE"}) if rows else []
    plans = {plan.manifest.table: plan for plan in batch.plans}
    return [
        f"restore of {number(len(batch.plans), 'table')}" + "".join(sorted({_asked(plan) for plan in batch.plans})),
        *indented(_cut(listed, MOST_TABLES + 1, "tables")),
        *(("  left out:",) if batch.problems else ()),
        *indented((reason(name, problem) for name, problem in sorted(batch.problems.items())), "    "),
        *indented(_statements(batch)),
        *indented(_old(batch.plans)),
        *(f"  risk: {risk}" for risk in shared({name: plan.risks for name, plan in plans.items()})),
        *(f"  note: {note}" for note in shared({name: plan.notes for name, plan in plans.items()})),
        *(f"  note: {note}" for note in (*_perhaps_dropped(plans), *batch.notes)),
    ]


def reason(name: TableRef, error: StarRocksBrError) -> str:
    """Why a table cannot be or was not restored, with its name once."""
    return str(error) if str(name) in error.what else f"{name}: {error}"


def shared(said: Mapping[TableRef, Iterable[str]]) -> Iterator[str]:
    """What is said of tables: once each, with the tables' names unless it is said of all of them."""
    by_note: dict[str, list[TableRef]] = {}
    for name, notes in said.items():
        for note in notes:
            by_note.setdefault(note, []).append(name)
    for note, names in by_note.items():
        yield note if len(names) == len(said) else f"{some(names, 3)}: {note}"


def _asked(plan: RestorePlan) -> str:
    return "" if plan.asked is None else f", asked for {show_instant(plan.asked)}"


def _row(plan: RestorePlan) -> tuple[str, ...]:
    source, target = plan.manifest.table, plan.target.table
    return (
        str(source) if source == target else f"{source} as {target}",
        show_instant(plan.manifest.at),
        str(len(plan.manifest.held)),
        size(total_size(plan)),
        _how(plan),
    )


def _how(plan: RestorePlan) -> str:
    if plan.replaces is None:
        return f"appears, incomplete for {number(len(plan.away), 'job')}" if plan.away else "appears complete"
    if plan.away:
        return f"replaced, incomplete for {number(len(plan.away), 'job')}"
    return "replaced at once"


def _statements(batch: RestoreBatch) -> Iterator[str]:
    jobs = [_statement(job) for job in batch.statements]
    if jobs:
        yield f"RESTORE statements: {len(jobs)}, {about(batch.seconds)}"
        yield from indented(_cut(jobs, MOST_STATEMENTS, "statements"))


def _statement(job: Sequence[RestorePartitions]) -> str:
    names = some([one.into.database + "." + one.source for one in job], 3)
    known = [one.size for one in job if one.size is not None]
    return f"snapshot {job[0].label}: {names}, {size(sum(known) if known else None)}"


def _old(plans: Iterable[RestorePlan]) -> Iterator[str]:
    """How to go back, by the example of one."""
    for plan in plans:
        if plan.aside is not None:
            yield f"old ones: stay, as {plan.aside} does; back with starrocks-br restore --undo {plan.restore}, …"
            return


def _perhaps_dropped(plans: Mapping[TableRef, RestorePlan]) -> Iterator[str]:
    """Tables that later snapshots of their database do not hold any more: `db.*` means them, too."""
    newest: dict[DatabaseName, datetime] = {}
    for name, plan in plans.items():
        newest[name.database] = max(plan.manifest.at, newest.get(name.database, plan.manifest.at))
    older = [name for name, plan in plans.items() if plan.manifest.at < newest[name.database]]
    if older:
        yield (
            f"{some(older, 3)}: not as late a point as other tables of the database have; perhaps dropped before the "
            "time that was asked for"
        )


def _cut(lines: Sequence[str], most: int, what: str) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more {what}: --json shows all"] if more > 0 else list(lines)
