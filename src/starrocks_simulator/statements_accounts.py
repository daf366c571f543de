"""CREATE USER, DROP USER, GRANT, REVOKE and SHOW GRANTS (O2§y11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import ROOT, Account, Grant
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, syntax, table_not_found
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import OK, Result, strings

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_KINDS: Final = ("TABLE", "DATABASE", "SYSTEM", "CATALOG")
_PRIVILEGES: Final = (
    "ALTER", "CREATE DATABASE", "CREATE EXTERNAL CATALOG", "CREATE FUNCTION", "CREATE MATERIALIZED VIEW",
    "CREATE TABLE", "CREATE VIEW", "DELETE", "DROP", "EXPORT", "FILE", "IMPERSONATE", "INSERT", "NODE", "OPERATE",
    "REFRESH", "REPOSITORY", "SELECT", "UPDATE", "USAGE",
)  # fmt: skip
_ORDER: Final = (
    "CREATE TABLE", "DELETE", "DROP", "INSERT", "SELECT", "ALTER", "EXPORT", "UPDATE", "OPERATE", "REPOSITORY",
)  # fmt: skip


def _user(cursor: Cursor) -> str:
    """`name`, `'name'` or either with `@'%'`."""
    name = cursor.name_or_string()
    if cursor.accept("@"):
        cursor.name_or_string()
    return name


def _create_user(session: Session, cursor: Cursor) -> Result:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = _user(cursor)
    password = cursor.string() if cursor.accept("IDENTIFIED", "BY") else ""
    cursor.end()
    users = session.frontend.accounts.users
    if name in users or name == ROOT:
        if if_not_exists:
            return OK
        raise analyzing(f"Operation CREATE USER failed for '{name}'@'%' : user already exists")
    users[name] = Account(password)
    return OK


def _drop_user(session: Session, cursor: Cursor) -> Result:
    if_exists = cursor.accept("IF", "EXISTS")
    name = _user(cursor)
    cursor.end()
    if session.frontend.accounts.users.pop(name, None) is None and not if_exists:
        raise analyzing(f"Operation DROP USER failed for '{name}'@'%' : user not exists")
    return OK


def _grant(session: Session, cursor: Cursor) -> Result:
    account, grants = _parse(session, cursor, "TO")
    account.grants += [grant for grant in grants if grant not in account.grants]
    return OK


def _revoke(session: Session, cursor: Cursor) -> Result:
    account, grants = _parse(session, cursor, "FROM")
    account.grants = [grant for grant in account.grants if grant not in grants]
    return OK


def _show_grants(session: Session, cursor: Cursor) -> Result:
    """SHOW GRANTS [FOR user]: a row for each thing, that of all of a kind first."""
    user = _user(cursor) if cursor.accept("FOR") else session.user
    cursor.end()
    account = session.frontend.accounts.users.get(user)
    if account is None and user != ROOT:
        raise analyzing(f"cannot find user '{user}'@'%'")
    grants = [one for one in account.grants if _is_there(session, one)] if account else []
    places = sorted({(_KINDS.index(one.kind), one.database_id or 0, one.table_id or 0) for one in grants})
    shown: list[tuple[object, ...]] = []
    for place in places:
        here = [one for one in grants if (_KINDS.index(one.kind), one.database_id or 0, one.table_id or 0) == place]
        privileges = sorted((one.privilege for one in here), key=_rank)
        text = f"GRANT {', '.join(privileges)} ON {_place(session, here[0])} TO USER '{user}'@'%'"
        shown.append((f"'{user}'@'%'", "default_catalog", text))
    return strings(("UserIdentity", "Catalog", "Grants"), shown)


def _is_there(session: Session, grant: Grant) -> bool:
    """Whether the thing still exists: one made again under its name is another one (O2§0.8)."""
    catalog = session.frontend.catalog
    if grant.table_id is not None:
        return catalog.find_table_by_id(grant.table_id) is not None
    return grant.database_id is None or any(one.id == grant.database_id for one in catalog.databases.values())


def _rank(privilege: str) -> int:
    return _ORDER.index(privilege) if privilege in _ORDER else len(_ORDER)


def _place(session: Session, grant: Grant) -> str:
    if grant.kind == "SYSTEM":
        return "SYSTEM"
    if grant.kind == "CATALOG":
        return "CATALOG default_catalog"
    databases = session.frontend.catalog.databases.values()
    database = next((one.name for one in databases if one.id == grant.database_id), None)
    if grant.kind == "DATABASE":
        return "ALL DATABASES" if grant.database_id is None else f"DATABASE {database}"
    if grant.table_id is not None:
        found = session.frontend.catalog.find_table_by_id(grant.table_id)
        return f"TABLE {database}.{found[1].name if found else ''}"
    return "ALL TABLES IN ALL DATABASES" if grant.database_id is None else f"ALL TABLES IN DATABASE {database}"


def _parse(session: Session, cursor: Cursor, preposition: str) -> tuple[Account, list[Grant]]:
    privileges = [_privilege(cursor)]
    while cursor.accept(","):
        privileges.append(_privilege(cursor))
    cursor.expect("ON")
    kind, places = _places(session, cursor)
    cursor.expect(preposition)
    if cursor.accept("ROLE"):
        raise syntax("the simulator models no roles")
    cursor.accept("USER")
    name = _user(cursor)
    cursor.end()
    if "NODE" in privileges:
        raise analyzing(
            "Operation not permitted, 'NODE' cannot be granted to user or role directly, use built-in role instead"
        )
    account = session.frontend.accounts.users.get(name)
    if account is None:
        raise analyzing(f"user '{name}'@'%' not exist")
    return account, [Grant(one, kind, *place) for place in places for one in privileges]


def _privilege(cursor: Cursor) -> str:
    """One or several words: `CREATE TABLE`."""
    for privilege in _PRIVILEGES:
        if cursor.accept(*privilege.split()):
            return privilege
    raise cursor.error(", ".join(f"'{word}'" for word in sorted({one.split()[0] for one in _PRIVILEGES})))


def _places(session: Session, cursor: Cursor) -> tuple[str, list[tuple[int | None, int | None]]]:
    for kind in ("SYSTEM", "CATALOG"):
        if cursor.accept(kind):
            if kind == "CATALOG":
                cursor.name()
            return kind, [(None, None)]
    kind = "TABLE" if cursor.accept("ALL", "TABLES", "IN") else "DATABASE"
    if cursor.accept("ALL", "DATABASES"):
        return kind, [(None, None)]
    if cursor.accept("DATABASE"):
        return kind, [(session.find_database(cursor.name()).id, None)]
    cursor.accept("TABLE")
    return "TABLE", _named_tables(session, cursor)


def _named_tables(session: Session, cursor: Cursor) -> list[tuple[int | None, int | None]]:
    places: list[tuple[int | None, int | None]] = []
    while True:
        database, name = cursor.qualified()
        table = session.find_object(database, name)
        if table is None:
            raise table_not_found(name)
        places.append((session.find_database(database).id, table.id))
        if not cursor.accept(","):
            return places


STATEMENTS: Mapping[tuple[str, ...], Handler] = {
    ("CREATE", "USER"): _create_user,
    ("DROP", "USER"): _drop_user,
    ("GRANT",): _grant,
    ("REVOKE",): _revoke,
    ("SHOW", "GRANTS"): _show_grants,
}
