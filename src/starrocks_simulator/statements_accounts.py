"""Users and roles: CREATE, DROP, GRANT, REVOKE and SHOW GRANTS (O2§y11; what is about roles is documented only)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starrocks_simulator.accounts import ROOT, Account, Grant, Role, denied, kind_of
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing, table_not_found
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import OK, Result, strings
from starrocks_simulator.sys_tables import SYS

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_KINDS: Final = ("TABLE", "DATABASE", "SYSTEM", "CATALOG", "VIEW", "MATERIALIZED VIEW")
_AVAILABLE: Final = {
    "TABLE": ("DELETE", "DROP", "INSERT", "SELECT", "ALTER", "EXPORT", "UPDATE"),
    "VIEW": ("SELECT", "ALTER", "DROP"),
    "MATERIALIZED VIEW": ("ALTER", "REFRESH", "DROP", "SELECT"),
    "DATABASE": (
        "CREATE TABLE", "DROP", "ALTER", "CREATE VIEW", "CREATE FUNCTION", "CREATE MATERIALIZED VIEW", "CREATE PIPE",
    ),
    "CATALOG": ("USAGE", "CREATE DATABASE", "DROP", "ALTER"),
    "SYSTEM": (
        "CREATE RESOURCE", "PLUGIN", "FILE", "BLACKLIST", "OPERATE", "CREATE EXTERNAL CATALOG", "REPOSITORY",
        "CREATE RESOURCE GROUP", "CREATE GLOBAL FUNCTION", "CREATE STORAGE VOLUME", "CREATE WAREHOUSE",
    ),
}  # fmt: skip
"""What may be granted on a kind of thing, and ALL stands for; in this order SHOW GRANTS names it (documented)."""

_PRIVILEGES: Final = tuple(
    sorted({"GRANT", "IMPERSONATE", "NODE", *(one for names in _AVAILABLE.values() for one in names)}, reverse=True)
)
"""Every word of the grammar, the longer of two that begin alike first."""


def _user(cursor: Cursor) -> str:
    """`name`, `'name'` or either with `@'%'`."""
    name = cursor.name_or_string()
    if cursor.accept("@"):
        cursor.name_or_string()
    return name


def _create_user(session: Session, cursor: Cursor) -> Result:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = _user(cursor)
    password = _password(cursor) if cursor.accept("IDENTIFIED") else ""
    cursor.end()
    users = session.frontend.accounts.users
    if name in users or name == ROOT:
        if if_not_exists:
            return OK
        raise analyzing(f"Operation CREATE USER failed for '{name}'@'%' : user already exists")
    users[name] = Account(password=password)
    return OK


def _password(cursor: Cursor) -> str:
    """BY 'password', or WITH plugin [BY | AS 'password'] behind IDENTIFIED."""
    if cursor.accept("WITH"):
        cursor.name_or_string()
        return cursor.string() if cursor.accept_any("BY", "AS") else ""
    cursor.expect("BY")
    return cursor.string()


def _alter_user(session: Session, cursor: Cursor) -> Result:
    """ALTER USER u DEFAULT ROLE r, … | ALL | NONE: every role is active here, whatever it says."""
    name = _user(cursor)
    cursor.expect("DEFAULT", "ROLE")
    roles = [cursor.name_or_string()]
    while cursor.accept(","):
        roles.append(cursor.name_or_string())
    cursor.end()
    account = _find_user(session, name)
    for role in roles:
        if role not in account.roles and role.upper() not in {"ALL", "NONE"}:
            raise analyzing(f"Role {role} is not granted to '{name}'@'%'")
    return OK


def _drop_user(session: Session, cursor: Cursor) -> Result:
    if_exists = cursor.accept("IF", "EXISTS")
    name = _user(cursor)
    cursor.end()
    if session.frontend.accounts.users.pop(name, None) is None and not if_exists:
        raise analyzing(f"Operation DROP USER failed for '{name}'@'%' : user not exists")
    return OK


def _create_role(session: Session, cursor: Cursor) -> Result:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.name_or_string()
    cursor.end()
    roles = session.frontend.accounts.roles
    if name in roles and not if_not_exists:
        raise analyzing(f"Operation CREATE ROLE failed for {name} : role already exists")
    roles.setdefault(name, Role())
    return OK


def _drop_role(session: Session, cursor: Cursor) -> Result:
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.name_or_string()
    cursor.end()
    accounts = session.frontend.accounts
    if name in accounts.built_in or (accounts.roles.pop(name, None) is None and not if_exists):
        raise analyzing(f"Operation DROP ROLE failed for {name} : role not exists")
    return OK


def _grant(session: Session, cursor: Cursor) -> Result:
    if _names_role(cursor):
        role, account = _membership(session, cursor, "TO")
        account.roles += [role] if role not in account.roles else []
        return OK
    holder, grants = _parse(session, cursor, "TO")
    holder.add(grants)
    return OK


def _revoke(session: Session, cursor: Cursor) -> Result:
    if _names_role(cursor):
        role, account = _membership(session, cursor, "FROM")
        account.roles = [one for one in account.roles if one != role]
        return OK
    holder, grants = _parse(session, cursor, "FROM")
    holder.grants = [grant for grant in holder.grants if grant not in grants]
    return OK


def _names_role(cursor: Cursor) -> bool:
    """Whether GRANT and REVOKE are about a role, not about privileges: no ON behind one word."""
    probe = Cursor(cursor.text, cursor.lexemes, cursor.at)
    probe.take()
    return probe.accept_any("TO", "FROM") is not None


def _membership(session: Session, cursor: Cursor, preposition: str) -> tuple[str, Account]:
    role = cursor.name_or_string()
    cursor.expect(preposition)
    cursor.accept("USER")
    name = _user(cursor)
    cursor.end()
    _find_role(session, role)
    _check_may_grant(session, [])
    return role, _find_user(session, name)


def _find_role(session: Session, name: str) -> Role:
    found = session.frontend.accounts.roles.get(name)
    if found is None:
        raise analyzing(f"role '{name}' not exist")
    return found


def _find_user(session: Session, name: str) -> Account:
    found = session.frontend.accounts.users.get(name)
    if found is None:
        raise analyzing(f"user '{name}'@'%' not exist")
    return found


def _check_may_grant(session: Session, grants: list[Grant]) -> None:
    accounts = session.frontend.accounts
    may = accounts.may_grant(session.user, grants) if grants else accounts.may(session.user, ("GRANT",), "SYSTEM")
    if not may:
        raise denied("GRANT", "SYSTEM")


def _show_grants(session: Session, cursor: Cursor) -> Result:
    """SHOW GRANTS [FOR user | FOR ROLE role]: a row for each thing, that of all of a kind first."""
    holder: Role
    rows: list[tuple[object, ...]] = []
    if cursor.accept("FOR", "ROLE"):
        who, heading = cursor.name_or_string(), "RoleName"
        cursor.end()
        holder, grantee = _find_role(session, who), f"ROLE '{who}'"
        _check_may_read(session, own=who in session.frontend.accounts.roles_of(session.user))
    else:
        user = _user(cursor) if cursor.accept("FOR") else session.user
        cursor.end()
        who, heading = f"'{user}'@'%'", "UserIdentity"
        holder, grantee = _shown_user(session, user), f"USER {who}"
        _check_may_read(session, own=user == session.user)
        rows += _role_rows(session, user)
    rows += [(who, "default_catalog", text) for text in _grant_texts(session, holder, grantee)]
    return strings((heading, "Catalog", "Grants"), rows)


def _check_may_read(session: Session, *, own: bool) -> None:
    """What others were granted is told to those who may grant."""
    if not own:
        session.frontend.accounts.check(session.user, ("GRANT",), "SYSTEM")


def _shown_user(session: Session, name: str) -> Account:
    account = session.frontend.accounts.users.get(name)
    if account is None and name != ROOT:
        raise analyzing(f"cannot find user '{name}'@'%'")
    return account or Account()


def _role_rows(session: Session, user: str) -> list[tuple[object, ...]]:
    """The roles of a user, all in one statement; root has the role of that name (documented)."""
    roles = [*([ROOT] if user == ROOT else []), *session.frontend.accounts.roles_of(user)]
    named, who = ", ".join(f"'{role}'" for role in roles), f"'{user}'@'%'"
    return [(who, None, f"GRANT {named} TO {who}")] if roles else []


def _grant_texts(session: Session, holder: Role, grantee: str) -> list[str]:
    """A GRANT statement for each thing, those with the grant option apart."""
    grants = [one for one in holder.grants if _is_there(session, one)]
    texts = []
    for place in sorted({_rank_of_place(one) for one in grants}):
        here = [one for one in grants if _rank_of_place(one) == place]
        privileges = sorted((one.privilege for one in here), key=_AVAILABLE[here[0].kind].index)
        option = " WITH GRANT OPTION" if here[0].grantable else ""
        texts.append(f"GRANT {', '.join(privileges)} ON {_place(session, here[0])} TO {grantee}{option}")
    return texts


def _rank_of_place(grant: Grant) -> tuple[int, int, int, bool]:
    return _KINDS.index(grant.kind), grant.database_id or 0, grant.table_id or 0, grant.grantable


def _is_there(session: Session, grant: Grant) -> bool:
    """Whether the thing still exists: one made again under its name is another one (O2§0.8)."""
    catalog = session.frontend.catalog
    if grant.database_id == SYS.id:
        return True
    if grant.table_id is not None:
        return catalog.has_table(grant.table_id)
    return grant.database_id is None or any(one.id == grant.database_id for one in catalog.databases.values())


def _place(session: Session, grant: Grant) -> str:
    if grant.kind == "SYSTEM":
        return "SYSTEM"
    if grant.kind == "CATALOG":
        return "CATALOG default_catalog"
    databases = [*session.frontend.catalog.databases.values(), SYS]
    database = next((one.name for one in databases if one.id == grant.database_id), None)
    if grant.kind == "DATABASE":
        return "ALL DATABASES" if grant.database_id is None else f"DATABASE {database}"
    if grant.table_id is not None:
        return f"{grant.kind} {database}.{_name_of(session, grant.table_id)}"
    return f"ALL {grant.kind}S IN {'ALL DATABASES' if grant.database_id is None else f'DATABASE {database}'}"


def _name_of(session: Session, table_id: int) -> str:
    among = [*session.frontend.catalog.tables(), *((SYS, table) for table in SYS.tables.values())]
    return next(table.name for _, table in among if table.id == table_id)


def _parse(session: Session, cursor: Cursor, preposition: str) -> tuple[Role, list[Grant]]:
    privileges = [_privilege(cursor)]
    while cursor.accept(","):
        privileges.append(_privilege(cursor))
    cursor.expect("ON")
    kind, places = _places(session, cursor)
    cursor.expect(preposition)
    is_role = cursor.accept("ROLE")
    cursor.accept("USER")
    name = cursor.name_or_string() if is_role else _user(cursor)
    grantable = cursor.accept("WITH", "GRANT", "OPTION")
    cursor.end()
    wanted = [one for privilege in privileges for one in (_AVAILABLE[kind] if privilege == "ALL" else (privilege,))]
    _check_available(wanted, kind)
    holder = _find_role(session, name) if is_role else _find_user(session, name)
    grants = [Grant(one, kind, *place, grantable) for place in places for one in wanted]
    _check_may_grant(session, grants)
    return holder, grants


def _check_available(privileges: list[str], kind: str) -> None:
    for privilege in privileges:
        if kind == "SYSTEM" and privilege in {"GRANT", "NODE"}:
            raise analyzing(
                f"Operation not permitted, '{privilege}' cannot be granted to user or role directly, use built-in role "
                "instead"
            )
        if privilege not in _AVAILABLE[kind]:
            raise analyzing(f"Cant grant {privilege} to object {kind}")


def _privilege(cursor: Cursor) -> str:
    """One or several words: `CREATE TABLE`, `ALL PRIVILEGES`."""
    if cursor.accept("ALL"):
        cursor.accept("PRIVILEGES")
        return "ALL"
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
    all_of = {
        ("ALL", "TABLES", "IN"): "TABLE",
        ("ALL", "VIEWS", "IN"): "VIEW",
        ("ALL", "MATERIALIZED", "VIEWS", "IN"): "MATERIALIZED VIEW",
    }
    kind = next((one for words, one in all_of.items() if cursor.accept(*words)), "DATABASE")
    if cursor.accept("ALL", "DATABASES"):
        return kind, [(None, None)]
    if cursor.accept("DATABASE"):
        return kind, [(session.find_database(cursor.name()).id, None)]
    named = {("MATERIALIZED", "VIEW"): "MATERIALIZED VIEW", ("VIEW",): "VIEW", ("TABLE",): "TABLE"}
    kind = next((one for words, one in named.items() if cursor.accept(*words)), "TABLE")
    return kind, _named_tables(session, cursor, kind)


def _named_tables(session: Session, cursor: Cursor, kind: str) -> list[tuple[int | None, int | None]]:
    places: list[tuple[int | None, int | None]] = []
    while True:
        if cursor.lexemes[cursor.at + 2].text == "*":
            places.append((session.find_database(cursor.name()).id, None))
            cursor.expect(".", "*")
            return places
        database_name, name = cursor.qualified()
        database = SYS if database_name == SYS.name else session.find_database(database_name)
        table = database.tables.get(name)
        if table is None or (database is not SYS and kind_of(table) != kind):
            raise table_not_found(name)
        places.append((database.id, table.id))
        if not cursor.accept(","):
            return places


STATEMENTS: Mapping[tuple[str, ...], Handler] = {
    ("ALTER", "USER"): _alter_user,
    ("CREATE", "ROLE"): _create_role,
    ("DROP", "ROLE"): _drop_role,
    ("CREATE", "USER"): _create_user,
    ("DROP", "USER"): _drop_user,
    ("GRANT",): _grant,
    ("REVOKE",): _revoke,
    ("SHOW", "GRANTS"): _show_grants,
}
