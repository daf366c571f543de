"""Tables that went since the last backup of their database."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from starrocks_br.domain.gone import gone_since
from starrocks_br.domain.names import ClusterId, DatabaseName, TableName, TableRef
from starrocks_br.domain.snapshot import BackupType, Outline
from tests.unit.domain.examples import CLUSTER, entry

Names = str


def ref(name: str) -> TableRef:
    return TableRef(DatabaseName("db1"), TableName(name))


def taken(number: int, names: Names, **more: Any) -> list[Outline]:
    """The outlines of one snapshot of the hour `number` after noon: one per letter."""
    one = entry(number).outline()
    return [evolve(one, table=ref(name), **more) for name in names]


def gone(existing: Names, *snapshots: list[Outline], cluster: ClusterId = CLUSTER) -> set[str]:
    outlines = [one for snapshot in snapshots for one in snapshot]
    found = gone_since(outlines, {ref(name) for name in existing}, cluster)
    assert found == gone_since(reversed(outlines), {ref(name) for name in existing}, cluster), "in any order"
    return {table.name for table in found}


def test_what_the_last_backup_took_and_is_not_there_has_gone() -> None:
    assert gone("tu", taken(0, "tuv")) == {"v"}
    assert gone("tu", taken(0, "tu")) == set()
    assert gone("", taken(0, "t")) == {"t"}


def test_it_has_been_told_of_once_a_later_backup_took_the_rest() -> None:
    assert gone("tu", taken(0, "tuv"), taken(1, "tu")) == set()
    assert gone("tu", taken(0, "tuvw"), taken(1, "tuw")) == {"w"}


def test_a_backup_of_a_single_table_tells_of_nothing_else() -> None:
    assert gone("tu", taken(0, "tuv"), taken(1, "t")) == {"v"}


def test_other_clusters_and_restores_do_not_count() -> None:
    assert gone("t", taken(0, "tv"), cluster=ClusterId("other")) == set()
    assert gone("t", taken(0, "t"), taken(1, "v", type=BackupType.RESTORED)) == set()
