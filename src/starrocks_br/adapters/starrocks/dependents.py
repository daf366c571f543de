"""What the server tells of grants, materialized views and colocate groups, read into the domain's values. Pure.

Columns and rows of `sys` and of information_schema.materialized_views are documented, not observed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from starrocks_br.adapters.starrocks.rows import Row, flag, records, text
from starrocks_br.domain.dependents import Grant, MaterializedView
from starrocks_br.domain.names import DatabaseName, TableName, TableRef
from starrocks_br.domain.ports import Rows

_QUALIFIED = re.compile(r"(?=`([^`]+)`\.`([^`]+)`)")
"""Every two names with a dot between them, `db`.`t` and `t`.`c` of `db`.`t`.`c`: some are no tables."""


def grants(tables: Collection[TableRef], to_users: Rows, to_roles: Rows) -> dict[TableRef, tuple[Grant, ...]]:
    """What the two tables of grants say about some tables."""
    found: dict[TableRef, list[Grant]] = {table: [] for table in tables}
    for is_role, rows in ((False, to_users), (True, to_roles)):
        for row in records(rows):
            on = _ref(row, "object_database", "object_name")
            if on in found:
                found[on].append(_grant(row, is_role=is_role))
    return {table: tuple(given) for table, given in found.items()}


def _grant(row: Row, *, is_role: bool) -> Grant:
    privileges = frozenset(one.strip().upper() for one in text(row, "privilege_type").split(","))
    return Grant(
        grantee=text(row, "grantee"), is_role=is_role, privileges=privileges, grantable=flag(row, "is_grantable")
    )


def materialized_views(views: Rows, dependencies: Rows | None) -> tuple[MaterializedView, ...]:
    """All materialized views.

    Args:
        views: information_schema.materialized_views.
        dependencies: sys.object_dependencies; None if it may not be read: then the queries' texts have to do, which
            do not show what lies below a view.
    """
    reads: dict[TableRef, set[TableRef]] = defaultdict(set)
    for row in records(dependencies or Rows()):
        read = _ref(row, "ref_object_database", "ref_object_name")
        reads[_ref(row, "object_database", "object_name")].add(read)
    found = []
    for row in records(views):
        name = _ref(row, "table_schema", "table_name")
        named = frozenset(reads[name].union(_named_in(text(row, "materialized_view_definition"))) - {name})
        active = flag(row, "is_active")
        found.append(MaterializedView(name=name, active=active, reason=text(row, "inactive_reason"), reads=named))
    return tuple(found)


def _named_in(query: str) -> Iterator[TableRef]:
    for found in _QUALIFIED.finditer(query):
        yield TableRef(DatabaseName(found[1]), TableName(found[2]))


def colocate_groups(tables: Collection[TableRef], configs: Rows) -> Mapping[TableRef, str]:
    """The group of each table that exists, out of its properties; empty for none."""
    found = {}
    for row in records(configs):
        table = _ref(row, "table_schema", "table_name")
        if table in tables:
            found[table] = _group(text(row, "properties"))
    return found


def _group(properties: str) -> str:
    try:
        content = json.loads(properties or "{}")
    except ValueError:
        return ""
    return str(content.get("colocate_with", "")) if isinstance(content, dict) else ""


def _ref(row: Row, database: str, name: str) -> TableRef:
    return TableRef(DatabaseName(text(row, database)), TableName(text(row, name)))
