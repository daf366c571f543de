"""What people with fewer privileges can put back of what hangs on a table, against a simulated cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from starrocks_br.adapters.sqlalchemy_core.dialling import from_engine
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.adapters.starrocks.cluster import StarRocksCluster
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.services.dependents import after, before
from tests.support.world import OPS, World, engine_on

T = TableRef.parse("d1.t")
RESTORER = "GRANT SELECT, EXPORT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN ALL DATABASES TO USER restorer"
READS = "GRANT SELECT ON TABLE sys.grants_to_{0} TO USER restorer"
ADMIN = "GRANT user_admin TO USER restorer"
VIEWS = "GRANT ALTER ON ALL MATERIALIZED VIEWS IN ALL DATABASES TO USER restorer"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """`d1.t` with a grant and a materialized view, `d1.new`, and a user with what docs/real-cluster.md lists."""
    made = World(tmp_path).ready("d1.t", "d1.new")
    made.sql("CREATE USER `o'brien`")
    made.sql("GRANT SELECT ON TABLE d1.t TO USER `o'brien`")
    made.sql("CREATE MATERIALIZED VIEW d1.mv DISTRIBUTED BY RANDOM REFRESH MANUAL AS SELECT id FROM d1.t")
    made.sql("CREATE USER restorer")
    made.sql(RESTORER)
    return made


def ports_of(world: World, user: str) -> Ports:
    """The product, connected as somebody."""
    executor = SqlAlchemyExecutor(from_engine(engine_on(world.door, user)))
    return evolve(world.ports, cluster=StarRocksCluster(executor, OPS))


def replaced(world: World, *grants: str) -> tuple[str, ...]:
    """What `restorer`, who has these grants besides, tells after the table was replaced."""
    for grant in grants:
        world.sql(grant)
    ports = ports_of(world, "restorer")
    seen = before(ports, [T])
    world.sql("ALTER TABLE d1.t SWAP WITH new")
    return after(ports, seen, {T: T})


def is_readable(world: World) -> bool:
    """Whether the other user may read the table again."""
    return any("GRANT SELECT ON TABLE d1.t " in row[2] for row in world.sql("SHOW GRANTS FOR `o'brien`"))


def is_active(world: World) -> bool:
    """Whether the materialized view is."""
    return world.sql("SELECT IS_ACTIVE FROM information_schema.materialized_views") == [("true",)]


def test_with_the_privileges_it_is_all_put_back(world: World) -> None:
    """A name with a quote in it is a name like any other."""
    granted, activated = replaced(world, ADMIN, VIEWS)
    assert granted == "d1.t: granted again to 'o'brien'@'%'"
    assert activated.startswith("materialized view d1.mv is active again")
    assert is_readable(world)
    assert is_active(world)


def test_without_any_people_are_told_where_to_look(world: World) -> None:
    """Grants cannot be read, and views nobody gave a privilege on are not even seen."""
    (told,) = replaced(world)
    assert told.startswith("who was granted what on d1.t cannot be read (")
    assert "Access denied" in told
    assert "sys.grants_to_users" in told
    assert not is_readable(world)
    assert not is_active(world)


def test_who_may_read_grants_but_not_give_them_prints_the_statements(world: World) -> None:
    """Somebody else pastes them, and all is well. The same of views that are only seen."""
    notes = replaced(
        world,
        READS.format("users"),
        READS.format("roles"),
        "GRANT SELECT ON ALL MATERIALIZED VIEWS IN ALL DATABASES TO USER restorer",
    )
    statements = [note.rpartition("; run ")[2] for note in notes]
    assert statements == [
        "GRANT SELECT ON TABLE `d1`.`t` TO USER 'o\\'brien'@'%'",
        "ALTER MATERIALIZED VIEW `d1`.`mv` ACTIVE",
    ]
    assert all("Access denied" in note for note in notes)
    for statement in statements:
        world.sql(statement)
    assert is_readable(world)
    assert is_active(world)
