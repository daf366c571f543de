"""Statements about grants, materialized views and groups, and what is read out of the answers."""

from __future__ import annotations

import pytest

from starrocks_br.adapters.starrocks import dependents, statements
from starrocks_br.domain.dependents import Activate, Colocate, Grant, GrantAgain, Refresh, Repair
from starrocks_br.domain.errors import InvalidName
from starrocks_br.domain.names import DatabaseName, TableName, TableRef
from starrocks_br.domain.ports import Rows

T = TableRef.parse("d.t")
V = TableRef.parse("d.v")


def grant(grantee: str, *, is_role: bool = False, privileges: tuple[str, ...] = ("SELECT",)) -> Repair:
    """A repair."""
    return GrantAgain(T, Grant(grantee=grantee, is_role=is_role, privileges=frozenset(privileges)))


@pytest.mark.parametrize(
    ("repair", "sql"),
    [
        (grant("'u'@'%'", privileges=("SELECT", "INSERT")), "GRANT INSERT, SELECT ON TABLE `d`.`t` TO USER 'u'@'%'"),
        (grant("'u'@['example.org']"), "GRANT SELECT ON TABLE `d`.`t` TO USER 'u'@['example.org']"),
        (grant("r", is_role=True), "GRANT SELECT ON TABLE `d`.`t` TO ROLE 'r'"),
        (
            GrantAgain(T, Grant(grantee="r", is_role=True, privileges=frozenset({"DROP"}), grantable=True)),
            "GRANT DROP ON TABLE `d`.`t` TO ROLE 'r' WITH GRANT OPTION",
        ),
        (Colocate(T, 'a"b'), 'ALTER TABLE `d`.`t` SET ("colocate_with" = "a\\"b")'),
        (Activate(V), "ALTER MATERIALIZED VIEW `d`.`v` ACTIVE"),
        (Refresh(V), "REFRESH MATERIALIZED VIEW `d`.`v`"),
    ],
)
def test_each_repair_is_one_statement(repair: Repair, sql: str) -> None:
    assert statements.for_repair(repair) == statements.Statement(sql)


@pytest.mark.parametrize(
    ("grantee", "is_role", "written"),
    [
        ("'a'@'b'@'%'", False, "USER 'a\\'@\\'b'@'%'"),
        ("''; DROP TABLE x; --'@'%'", False, "USER '\\'; DROP TABLE x; --'@'%'"),
        ("'a\\'@'%'", False, "USER 'a\\\\'@'%'"),
        ("'two\nlines :n0 %s'@'%'", False, "USER 'two\\nlines :n0 %s'@'%'"),
        ("r'; DROP TABLE x; --", True, "ROLE 'r\\'; DROP TABLE x; --'"),
        ("`r` TO USER root; --", True, "ROLE '`r` TO USER root; --'"),
    ],
)
def test_hostile_names_stay_names(grantee: str, is_role: bool, written: str) -> None:
    """Whoever may make users and roles may not make statements."""
    assert statements.for_repair(grant(grantee, is_role=is_role)).sql == f"GRANT SELECT ON TABLE `d`.`t` TO {written}"


@pytest.mark.parametrize(
    "repair",
    [
        grant("u"),
        grant("'u'@%"),
        grant("'u'@'%' "),
        grant("r", is_role=True, privileges=("SELECT ON TABLE a.b TO root; --",)),
        grant("r", is_role=True, privileges=("",)),
        grant("r", is_role=True, privileges=("select",)),
        Activate(TableRef(DatabaseName("d"), TableName("v` ACTIVE; --"))),
    ],
)
def test_what_cannot_be_written_is_refused(repair: Repair) -> None:
    with pytest.raises(InvalidName):
        statements.for_repair(repair)


def test_grants_are_asked_for_by_name_where_the_names_fit_into_one_in() -> None:
    """10,000 values (O2§y9); more tables are picked out of the answer."""
    few = statements.grants_on([T, V], "users")
    assert few.sql.partition(" WHERE ")[2] == (
        "OBJECT_CATALOG = 'default_catalog' AND OBJECT_DATABASE IN (:d0) AND OBJECT_NAME IN (:n0, :n1)"
    )
    assert few.values == {"d0": "d", "n0": "t", "n1": "v"}
    many = [TableRef(DatabaseName("d"), TableName(f"t{number}")) for number in range(statements.MOST_VALUES)]
    assert statements.grants_on(many[:-1], "roles").sql.count(":n") == statements.MOST_VALUES - 1
    assert statements.grants_on(many, "roles").sql.endswith("IN (:d0) AND OBJECT_NAME IS NOT NULL")
    assert statements.grants_on(many, "roles").values == {"d0": "d"}


def test_grants_are_read_by_table() -> None:
    """Names are looked at with their databases: an answer may hold more than was asked."""
    columns = ("GRANTEE", "OBJECT_DATABASE", "OBJECT_NAME", "PRIVILEGE_TYPE", "IS_GRANTABLE")
    users = Rows(columns, (("'u'@'%'", "d", "t", "SELECT, INSERT", "NO"), ("'u'@'%'", "e", "t", "DROP", "NO")))
    roles = Rows(columns, (("r", "d", "t", "SELECT", "YES"), ("r", "d", "other", "SELECT", "NO")))
    assert dependents.grants([T, V], users, roles) == {
        T: (
            Grant(grantee="'u'@'%'", is_role=False, privileges=frozenset({"SELECT", "INSERT"})),
            Grant(grantee="r", is_role=True, privileges=frozenset({"SELECT"}), grantable=True),
        ),
        V: (),
    }


def test_what_a_view_reads_is_known_from_its_query_and_from_the_dependencies() -> None:
    """Either may be missing; a view does not read itself."""
    columns = ("TABLE_SCHEMA", "TABLE_NAME", "IS_ACTIVE", "INACTIVE_REASON", "MATERIALIZED_VIEW_DEFINITION")
    query = "CREATE MATERIALIZED VIEW `d`.`v` AS SELECT `d`.`t`.`k` FROM `d`.`t`"
    views = Rows(columns, (("d", "v", "true", None, query), ("d", "w", "false", "base-table dropped: t", None)))
    asked = ("OBJECT_DATABASE", "OBJECT_NAME", "REF_OBJECT_DATABASE", "REF_OBJECT_NAME")
    v, w = dependents.materialized_views(views, Rows(asked, (("d", "w", "d", "v"), ("d", "w", "e", "x"))))
    assert (v.active, v.reason, w.active, w.reason) == (True, "", False, "base-table dropped: t")
    assert T in v.reads
    assert V not in v.reads
    assert w.reads == {V, TableRef.parse("e.x")}
    assert dependents.materialized_views(views, None)[1].reads == frozenset()


def test_groups_are_read_out_of_the_properties() -> None:
    """Damaged properties have no group; other tables of the database are left out."""
    configs = Rows(
        ("TABLE_SCHEMA", "TABLE_NAME", "PROPERTIES"),
        (
            ("d", "t", '{"colocate_with":"g","replication_num":"1"}'),
            ("d", "v", "{}"),
            ("d", "other", '{"colocate_with":"h"}'),
            ("d", "broken", "{"),
            ("d", "list", "[]"),
            ("d", "none", None),
        ),
    )
    wanted = [T, V, *(TableRef.parse(f"d.{name}") for name in ("broken", "list", "none", "missing"))]
    found = {str(table): group for table, group in dependents.colocate_groups(wanted, configs).items()}
    assert found == {"d.t": "g", "d.v": "", "d.broken": "", "d.list": "", "d.none": ""}
