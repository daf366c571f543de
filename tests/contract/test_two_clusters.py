"""A test cluster gets one table of production, out of a repository that it may only read, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.test_commands import run
from tests.e2e.clusters import Shop, simulator


@pytest.mark.parametrize("named", [True, False])
def test_a_table_of_production_stands_beside_that_of_the_test_cluster(tmp_path: Path, *, named: bool) -> None:
    """Which keeps its table, its own history, and its own repository."""
    folder = tmp_path / "repository"
    (tmp_path / "test").mkdir()
    with simulator(folder) as production, simulator(folder, create_repository=False) as test:
        shop = Shop(production)
        shop.open()
        config = production.config(tmp_path, shop.table_a)
        assert run("init", config=config).code == 0
        assert run("backup", config=config).code == 0
        theirs = run("list", "--json", config=config).document["result"]["entries"][0]

        test.sql(
            'CREATE READ ONLY REPOSITORY my_backup_repo WITH BROKER ON LOCATION "s3a://bucket/backups"',
            'CREATE REPOSITORY own WITH BROKER ON LOCATION "s3a://bucket/own"',
        )
        Shop(test).open()
        config = test.config(tmp_path / "test", shop.table_a, repository="own")
        assert run("init", config=config).code == 0
        assert run("backup", config=config).code == 0
        ours = run("list", "--json", config=config).document["result"]["entries"][0]
        refused = run(
            *("restore", "--table", shop.table_a, "--timestamp", "2100-01-01 00:00:00"),
            *("--from-cluster", theirs["cluster"], "--json"),
            config=config,
        )
        assert (refused.code, "bootstrap --from-cluster" in refused.out) == (2, True)

        which = ("--from-cluster", theirs["cluster"]) if named else ()
        taken = run("bootstrap", *which, "--repository", "my_backup_repo", "--json", config=config)
        assert taken.code == 0, taken.err
        assert taken.document["result"]["points"] == {shop.table_a: 1}
        listed = run("list", "--table", shop.table_a, config=config)
        assert all(text in listed.out for text in ("CLUSTER", theirs["cluster"], ours["cluster"]))

        test.sql(f"DROP TABLE {shop.table_a} FORCE")
        restored = run(
            *("restore", "--table", shop.table_a, "--timestamp", "2100-01-01 00:00:00", "--yes"),
            *("--from-cluster", theirs["cluster"], "--json"),
            config=config,
        )
        assert restored.code == 0, restored.err
        assert restored.document["result"]["label"] == theirs["label"]
        assert Shop(test).rows(shop.table_a) == shop.rows(shop.table_a)
