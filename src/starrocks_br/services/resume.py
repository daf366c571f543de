"""On with a restore that was killed: what was done is not done again."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from starrocks_br.domain.errors import BrokenChain, UnknownRestore
from starrocks_br.domain.journal import Journal, JournalStep, Mark, StepStatus
from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import RestoreId, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_jobs import Way
from starrocks_br.domain.restore_plan import RestorePlan, Target
from starrocks_br.domain.restore_steps import (
    AddPartitions,
    CreateTable,
    DropTable,
    Rename,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from starrocks_br.domain.server import DONE
from starrocks_br.services.journals import informed, take_over, whole_manifest
from starrocks_br.services.liveness import dead_journal, last_job
from starrocks_br.services.preflight import ready
from starrocks_br.services.reports import RestoreReport
from starrocks_br.services.requests import RestoreRequest
from starrocks_br.services.restore import drive_on
from starrocks_br.services.restore_table import TableRestore


def resume(ports: Ports, request: RestoreRequest, restore: RestoreId) -> RestoreReport:
    """Finish a restore that was killed: what was done is not done again.

    Raises:
        UnknownRestore: Nothing is written of it, it is closed or of a bootstrap, or how far it got cannot be told.
        Busy: It may still be at work, or another restore of its table is.
        BrokenChain: What it restores is not recorded any more.
    """
    server = ready(ports, request.place)
    begun = dead_journal(ports, server, restore)
    if begun.closed:
        raise UnknownRestore(
            f"there is nothing left of restore {restore} to do",
            why="it was finished, or given up and taken back",
            hint="start the restore anew",
        )
    if not any(isinstance(line.step, Verify) for line in begun.steps):
        raise UnknownRestore(
            f"restore {restore} cannot be gone on with",
            why="it brings the history back, and is not a restore of a table",
            hint="run starrocks-br bootstrap again",
        )
    holder = ports.tokens()
    take_over(ports, begun, holder)
    try:
        table = _as_it_stands(ports, begun, holder)
    except (UnknownRestore, BrokenChain):
        ports.restores.release(begun, holder)
        raise
    return drive_on(ports, request, server, table)


def _as_it_stands(ports: Ports, begun: Journal, holder: str) -> TableRestore:
    journal = informed(ports, begun)
    found = ports.cluster.table_ids(journal.names)
    journal, position = _where(ports, journal, found)
    known = {*journal.made.values(), journal.replaced}
    ids = {name: bearer for name, bearer in found.items() if bearer in known}
    plan = _plan_of(journal, _manifest(ports, journal))
    return TableRestore(plan=plan, journal=journal, ids=ids, position=position, holder=holder)


def _where(ports: Ports, journal: Journal, found: Mapping[TableRef, int]) -> tuple[Journal, int]:
    """The number of the first step to be done, and the journal with what is found out about the one before it."""
    position = next(number for number, line in enumerate(journal.steps) if line.status is not StepStatus.DONE)
    line = journal.steps[position]
    if line.status is StepStatus.PLANNED:
        return journal, position
    if _has_acted(ports, journal, line, found):
        mark = Mark(restore=journal.restore, number=position, status=StepStatus.DONE, table_id=line.table_id)
        ports.restores.mark([mark])
        return journal, position + 1
    if isinstance(line.step, AddPartitions):
        return _without_those_there(ports, journal, position, line.step), position
    return journal, position


def _has_acted(ports: Ports, journal: Journal, line: JournalStep, found: Mapping[TableRef, int]) -> bool:
    match line.step:
        case RestorePartitions(into=into, creating=creating):
            job = last_job(ports, journal)
            if job is None and creating and into in found:
                raise _unclear(
                    journal, line.step, f"{into} exists, and whether it is what the job made cannot be shown"
                )
            return job is not None and job.state == DONE
        case CreateTable(table=table) if table in found:
            raise _unclear(journal, line.step, f"{table} exists, and whether it is what was made cannot be shown")
        case Rename(table=table, to=name):
            return found.get(TableRef(table.database, name)) in journal.made.values()
        case SetAside(table=table, to=name, table_id=table_id):
            return found.get(TableRef(table.database, name)) == table_id
        case Swap(table=table, restored=name, table_id=table_id):
            aside = found.get(TableRef(table.database, name))
            return aside == table_id and found.get(table) in journal.made.values()
        case DropTable(table=table):
            return table not in found
        case _:
            return False  # to be done again does no harm: rows are read over under a label, which acts once


def _unclear(journal: Journal, step: Step, why: str) -> UnknownRestore:
    return UnknownRestore(
        f"restore {journal.restore} cannot go on at {type(step).__name__}",
        why=why,
        hint=f"restore --undo {journal.restore} takes it back; then start it anew",
    )


def _without_those_there(ports: Ports, journal: Journal, position: int, step: AddPartitions) -> Journal:
    there = ports.cluster.inspect([step.table])
    names = there[step.table].partitions if step.table in there else {}
    left = evolve(step, partitions=tuple(one for one in step.partitions if one.name not in names))
    lines = list(journal.steps)
    lines[position] = evolve(lines[position], step=left)
    return evolve(journal, steps=tuple(lines))


def _manifest(ports: Ports, journal: Journal) -> Manifest:
    """The table at the point that the restore was about, in as far as its jobs bring it back."""
    manifest = whole_manifest(ports, journal)
    jobs = {line.step.label: line.step for line in journal.steps if isinstance(line.step, RestorePartitions)}
    return evolve(
        manifest,
        held={
            name: held
            for name, held in manifest.held.items()
            if held.holder in jobs
            and (jobs[held.holder].partitions is None or name in (jobs[held.holder].partitions or ()))
        },
    )


def _plan_of(journal: Journal, manifest: Manifest) -> RestorePlan:
    steps = tuple(line.step for line in journal.steps)
    aside = [TableRef(step.table.database, step.to) for step in steps if isinstance(step, SetAside)]
    return RestorePlan(
        restore=journal.restore,
        repository=journal.repository,
        target=Target(table=journal.target),
        alias=journal.alias,
        manifest=manifest,
        way=Way.REFILL if any(isinstance(step, CreateTable) for step in steps) else Way.HIDDEN,
        why="as it was begun",
        steps=steps,
        aside=aside[-1] if aside else None,
    )
