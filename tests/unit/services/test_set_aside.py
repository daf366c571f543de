"""What `--replace` keeps under another name is no part of its database any more."""

from __future__ import annotations

import pytest

from starrocks_br.services.reports import BackupReport
from tests.support.world import World


@pytest.fixture
def replaced(world: World) -> World:
    """d1.t was replaced; what it was before is d1.t__before_ID."""
    world.ready("d1.t", "d1.other").backup()
    world.restore("d1.t", replace=True)
    world.later()
    return world


def aside(world: World) -> str:
    """Its name now."""
    (name,) = world.tables("d1") - {"t", "other"}
    return name


def taken(report: BackupReport) -> set[str]:
    """The tables of a backup."""
    return {str(table.table) for one in report.databases for table in one.tables}


def test_a_database_is_backed_up_without_the_tables_that_restores_replaced(replaced: World) -> None:
    name = aside(replaced)
    report = replaced.backup("d1.*")
    assert (taken(report), report.complete) == ({"d1.t", "d1.other"}, True)
    (warning,) = [one for one in replaced.warnings if name in one]
    assert warning.startswith(
        f"d1.{name} is left out: restore {name.partition('__before_')[2]} replaced it; DROP TABLE"
    )


def test_who_names_one_gets_it(replaced: World) -> None:
    name = aside(replaced)
    assert taken(replaced.backup("d1.*", f"d1.{name}")) == {"d1.t", "d1.other", f"d1.{name}"}
    assert not [one for one in replaced.warnings if name in one]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE d1.{name} LIKE d1.other",  # its name, after it was dropped
        "CREATE TABLE d1.t__before_winter LIKE d1.other",
        "ALTER TABLE d1.other RENAME t__before_t99999",
    ],
)
def test_a_name_alone_proves_nothing(made: str, replaced: World) -> None:
    name = aside(replaced)
    replaced.sql(f"DROP TABLE d1.{name} FORCE")
    replaced.sql(made.format(name=name))
    assert taken(replaced.backup("d1.*")) == {f"d1.{one}" for one in replaced.tables("d1")}


def test_a_table_that_has_its_name_again_is_backed_up(replaced: World) -> None:
    replaced.sql("DROP TABLE d1.t FORCE")
    replaced.sql(f"ALTER TABLE d1.{aside(replaced)} RENAME t")
    assert taken(replaced.backup("d1.*")) == {"d1.t", "d1.other"}


def test_the_journal_of_another_cluster_tells_nothing_of_this_one(replaced: World) -> None:
    name = aside(replaced)
    replaced.sql("UPDATE ops.restore_history SET cluster_id = '7' WHERE step >= 0")
    assert f"d1.{name}" in taken(replaced.backup("d1.*"))
