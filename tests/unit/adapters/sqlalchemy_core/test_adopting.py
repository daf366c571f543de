"""Taking over the rows of a history that another version of this tool wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.adapters.sqlalchemy_core.backup_history import SqlAlchemyBackupHistory
from starrocks_br.domain.names import DatabaseName, Label, RepositoryName, TableRef
from tests.contract.recorded import entry, snapshot
from tests.served import OPS, served


@pytest.mark.parametrize("change", ["DROP COLUMN schema_ddl", "ADD COLUMN from_the_future INT NULL"])
def test_what_both_layouts_have_comes_over(tmp_path: Path, change: str) -> None:
    """A column that the other one lacks stays empty, one that we do not know is left out."""
    old = DatabaseName("old")
    with served(tmp_path) as cluster:
        cluster.make_ops()
        cluster.make_ops(old)
        theirs, ours = (SqlAlchemyBackupHistory(cluster.connection, ops) for ops in (old, OPS))
        theirs.record([entry(snapshot("l1"))])
        cluster.executor.execute(f"ALTER TABLE old.backup_history {change}")

        adopted = ours.adopt(
            TableRef.parse("old.backup_history"), saved_by=Label("l1"), repository=RepositoryName("repo")
        )

        assert adopted == 1
        assert ours.entries([Label("l1")]).entries == (entry(snapshot("l1")),)
