"""The tables of the database `sys`: who was granted what, and what materialized views read.

Documented, not observed: columns and rows are those of the documentation and of the server's source. Grants ON ALL
TABLES are shown as one row for each table that there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import Grant, Role, denied
from starrocks_simulator.catalog import Database, Table, View
from starrocks_simulator.errors import unknown_table
from starrocks_simulator.system_rows import Listing, lists
from starrocks_simulator.system_tables import SYS_TABLES

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_GRANTS: Final = frozenset({"grants_to_users", "grants_to_roles"})
SYS: Final = Database(-1, "sys")
"""What GRANT … ON sys.x is about; nothing else looks into it."""
SYS.tables.update({name: View(-2 - at, name, "", [], 0) for at, name in enumerate(SYS_TABLES)})

_Row = tuple[object, ...]


def sys_rows(session: Session, name: str) -> Listing:
    """The rows of one of the tables.

    Raises:
        ServerError: No such table, or one that the user may not read: only those who may grant anything, or were
            granted SELECT on it by name, see grants.
    """
    if name not in SYS_TABLES:
        raise unknown_table(f"sys.{name}")
    headings = " ".join(column.name for column in SYS_TABLES[name])
    if name not in _GRANTS:
        return lists(headings, list(_dependencies(session)))
    _check_select(session, name)
    return lists(headings, list(_grant_rows(session, name)))


def _check_select(session: Session, name: str) -> None:
    accounts, user = session.frontend.accounts, session.user
    by_name = any(grant == Grant("SELECT", "TABLE", SYS.id, SYS.tables[name].id) for grant in accounts.grants_of(user))
    if not by_name and not accounts.may(user, ("GRANT",), "SYSTEM"):
        raise denied("SELECT", f"TABLE {name}")


def _grant_rows(session: Session, name: str) -> Iterator[_Row]:
    accounts = session.frontend.accounts
    if name == "grants_to_users":
        for user, account in accounts.users.items():
            yield from _rows_of(session, f"'{user}'@'%'", account)
        return
    for role_name, role in accounts.roles.items():
        if role_name not in accounts.built_in:
            yield from _rows_of(session, role_name, role)


def _rows_of(session: Session, grantee: str, holder: Role) -> Iterator[_Row]:
    """One row for each thing; privileges on it that were given alike stand in one."""
    entries: dict[tuple[str, int | None, int | None, bool], list[str]] = {}
    for grant in holder.grants:
        entry = (grant.kind, grant.database_id, grant.table_id, grant.grantable)
        entries.setdefault(entry, []).append(grant.privilege)
    for (kind, database_id, table_id, grantable), privileges in entries.items():
        for place in _places(session, kind, database_id, table_id):
            yield (grantee, *place, ", ".join(privileges), "YES" if grantable else "NO")


def _places(session: Session, kind: str, database_id: int | None, table_id: int | None) -> Iterator[_Row]:
    """Catalog, database, name and type of what a grant is about; nothing of what is gone."""
    if kind in {"SYSTEM", "CATALOG"}:
        yield (None if kind == "SYSTEM" else "default_catalog", None, None, kind)
        return
    for database in session.frontend.catalog.databases.values():
        if database_id not in {None, database.id}:
            continue
        if kind == "DATABASE":
            yield ("default_catalog", database.name, None, kind)
            continue
        for table in database.tables.values():
            if table.id == table_id or (table_id is None and _type_of(table) == kind):
                yield ("default_catalog", database.name, table.name, _type_of(table))


def _type_of(table: Table | View) -> str:
    if isinstance(table, View):
        return "VIEW"
    return "MATERIALIZED VIEW" if table.is_materialized_view else "TABLE"


def _dependencies(session: Session) -> Iterator[_Row]:
    catalog = session.frontend.catalog
    objects = {table.id: (database, table) for database, table in catalog.tables()}
    for database, table in objects.values():
        if not isinstance(table, Table) or not session.sees(database, table):
            continue
        for other_id in table.base_ids:
            if other_id in objects:
                other_database, other = objects[other_id]
                yield (
                    table.id, table.name, database.name, "default_catalog", "MATERIALIZED_VIEW",
                    other.id, other.name, other_database.name, "default_catalog", _kind_of(other),
                )  # fmt: skip


def _kind_of(table: Table | View) -> str:
    return {"TABLE": "OLAP", "MATERIALIZED VIEW": "MATERIALIZED_VIEW"}.get(_type_of(table), "VIEW")
