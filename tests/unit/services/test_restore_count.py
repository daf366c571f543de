"""The read at the end of a restore, when the server answers it without a number."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.ports import Rows, SqlExecutor
from tests.support.world import OPS, World


@frozen
class Countless(SqlExecutor):
    """Passes everything on but counts, to which it answers with no row."""

    inner: SqlExecutor

    def execute(self, sql: str, values: Mapping[str, object] | None = None) -> Rows:
        """As the port says."""
        if sql.startswith("SELECT COUNT(*)"):
            return Rows(columns=("count(*)",))
        return self.inner.execute(sql, values)


def test_a_count_without_a_number_is_said_and_nothing_is_made_up(world: World) -> None:
    world.ready("d1.t")
    world.backup()
    wanted = world.rows("d1.t")
    world.sql("DROP TABLE d1.t FORCE")
    world.ports = evolve(world.ports, cluster=StarRocksCluster(Countless(world.executor), OPS))
    report = world.restore("d1.t")
    assert report.rows is None
    assert any("told no number of rows" in warning for warning in world.warnings)
    assert world.rows("d1.t") == wanted
