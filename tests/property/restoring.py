"""RESTORE on dicts: does what the server does with each step of a plan, and refuses what the server refuses."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import assert_never

from starrocks_br.domain.manifest import Manifest
from starrocks_br.domain.names import Label, RestoreId, TableRef
from starrocks_br.domain.restore_plan import RestorePlan, Target, TargetFacts, plan_restore
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
    Rename,
    RepairHole,
    RestorePartitions,
    SetAside,
    Step,
    Swap,
    Verify,
)
from tests.property.model import Part, Table
from tests.property.operation import Kept


def restored(manifest: Manifest, repository: dict[Label, Kept], to: TableRef) -> Table:
    """Plan the way back to the manifest and go it."""
    facts = TargetFacts(
        taken_by="",
        database_exists=False,
        alive_backends=3,
        backup_timestamps={label: f"ts-{label}" for label in repository},
    )
    plan = plan_restore(manifest, facts, Target(table=to), RestoreId("r1"))
    tables: dict[TableRef, Table] = {}
    for step in plan.steps:
        perform(step, tables, repository)
    assert tables.keys() == {to}, "nothing is left beside the target"
    check_once(plan)
    return tables[to]


def check_once(plan: RestorePlan) -> None:
    """Each wanted partition is in exactly one job, one job makes the table, and nothing else is asked for."""
    own = [job.creating for job in plan.jobs if job.into == plan.alias or not job.creating]
    assert own == [True] + [False] * (len(own) - 1)
    named = [name for job in plan.jobs for name in job.partitions or ()]
    assert len(named) == len(set(named))
    assert set(named) <= plan.manifest.held.keys()
    if all(job.partitions is not None for job in plan.jobs):
        assert set(named) == plan.manifest.held.keys()
    for job in plan.jobs:
        for name in job.partitions or ():
            assert plan.manifest.held[name].holder == job.label


def perform(step: Step, tables: dict[TableRef, Table], repository: dict[Label, Kept]) -> None:
    """Do one step."""
    match step:
        case RestorePartitions():
            kept = repository[step.label]
            assert step.backup_timestamp == f"ts-{step.label}"
            assert step.partitions != (), "the server takes no empty list"
            assert step.source not in kept.haunted, "a ghost"
            source = kept.tables[step.source]
            names = source.parts.keys() if step.partitions is None else set(step.partitions)
            chosen = {name: source.parts[name] for name in names}
            if step.creating:
                _create(step, tables, source, chosen)
            else:
                _overlay(step, tables[step.into], source, chosen)
        case Rename():
            to = TableRef(step.table.database, step.to)
            assert to not in tables, "the name is taken"
            tables[to] = tables.pop(step.table)
        case AddPartitions():
            table = tables[step.table]
            for new in step.partitions:
                assert new.name not in table.parts, "it is there already"
                assert new.buckets in {0, 4}
                values = "[" + ",".join('["' + '","'.join(row) + '"]' for row in new.values) + "]"
                table.parts[new.name] = Part(physical=((1, 1, 1),), values=values, rows=(), written=0)
        case CreateDatabase() | CheckRestored() | PauseTtl() | Verify():
            pass
        case CopyPartitions():
            _copy(tables[step.scratch], tables[step.table], set(step.partitions))
        case DropTable():
            del tables[step.table]
        case CreateTable() | DropDatabase() | DropPartitions() | RepairHole() | SetAside() | Swap():
            raise AssertionError(f"a plan does not hold {step}")
        case _:
            assert_never(step)


def _create(step: RestorePartitions, tables: dict[TableRef, Table], source: Table, chosen: dict[str, Part]) -> None:
    assert step.into not in tables, "the alias is taken"
    made = deepcopy(source)
    made.parts = chosen
    tables[step.into] = made


def _overlay(step: RestorePartitions, table: Table, source: Table, chosen: dict[str, Part]) -> None:
    assert step.into.name == step.source, "RESTORE adds to a table under its own name only"
    schemas = [(one.kind, one.columns, one.schema) for one in (table, source)]
    assert schemas[0] == schemas[1], "different schema"
    for name, part in chosen.items():
        assert len(part.physical) == 1, "automatic bucket partition, can not be restored"
        there = table.parts.get(name)
        if source.kind == "list":
            assert there is not None, "No partition exist in single partitioned table"
            assert (there.values, there.rows) == (part.values, ()), "made for it, and empty"
        else:
            assert there is None, "each partition is restored once"
            assert part.values not in {other.values for other in table.parts.values()}, "conflict range"
        table.parts[name] = replace(part)


def _copy(scratch: Table, table: Table, chosen: set[str]) -> None:
    assert scratch.parts.keys() == chosen, "all that the scratch table holds"
    for name, part in scratch.parts.items():
        there = table.parts[name]
        assert (there.values, there.rows) == (part.values, ()), "made for it, and empty"
        table.parts[name] = replace(part)
