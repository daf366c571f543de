"""Users, roles and what they were granted (R§9, O2§y11); root may do everything.

Every role of a user is active, as with `activate_all_roles_on_login`: what is granted to a role is granted to its
members. Roles are documented, not observed; so is who may grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from starrocks_simulator.catalog import View, is_materialized
from starrocks_simulator.errors import ServerError

if TYPE_CHECKING:
    from starrocks_simulator.catalog import Database, Table

ROOT: Final = "root"
USER_ADMIN: Final = "user_admin"
"""The built-in role that may grant anything to anybody, and read who was granted what."""


@frozen
class Grant:
    """One privilege on one thing, or on all things of a kind.

    Attributes:
        privilege: "EXPORT", "CREATE TABLE", …
        kind: "SYSTEM", "CATALOG", "DATABASE", "TABLE", "VIEW" or "MATERIALIZED VIEW".
        database_id: None = all. Ids, not names: a database dropped and made again is another one, and what was
            granted on it is gone; a table takes its grants along when it is renamed or swapped (O2§0.8, O2§y11).
        table_id: None = all.
        grantable: Whether it was given WITH GRANT OPTION; the same grant without it is the same grant.
    """

    privilege: str
    kind: str
    database_id: int | None = None
    table_id: int | None = None
    grantable: bool = field(default=False, eq=False)

    def covers(self, kind: str, database: Database | None, table: Table | View | None) -> bool:
        """Whether it is a grant on this thing."""
        if self.kind != kind:
            return False
        if self.database_id is not None and (database is None or database.id != self.database_id):
            return False
        return self.table_id is None or (table is not None and table.id == self.table_id)

    def touches(self, database: Database) -> bool:
        """Whether it is a grant on a database or anything in it: then the database is seen."""
        return self.kind not in {"SYSTEM", "CATALOG"} and self.database_id in {None, database.id}


@define
class Role:
    """A role, or a user.

    Attributes:
        grants: In the order in which they were made.
    """

    grants: list[Grant] = field(factory=list)

    def add(self, grants: list[Grant]) -> None:
        """Grant something; with the grant option it takes the place of the same without."""
        for grant in grants:
            if grant not in self.grants:
                self.grants.append(grant)
            elif grant.grantable:
                self.grants[self.grants.index(grant)] = grant


@define
class Account(Role):
    """One user.

    Attributes:
        password: In clear; this is a simulator.
        roles: Names of the roles that the user has.
    """

    password: str = ""
    roles: list[str] = field(factory=list)


class Accounts:
    """All users and roles of one cluster but root.

    Attributes:
        users: By name.
        roles: By name, of the built-in ones only `user_admin`.
        built_in: Names of roles that nobody made.
    """

    def __init__(self) -> None:
        self.users: dict[str, Account] = {}
        self.roles: dict[str, Role] = {USER_ADMIN: Role([Grant("GRANT", "SYSTEM")])}
        self.built_in = frozenset(self.roles)

    def may(
        self,
        user: str,
        privileges: tuple[str, ...],
        kind: str,
        database: Database | None = None,
        table: Table | View | None = None,
    ) -> bool:
        """Whether a user has one of these privileges on a thing; "ANY" is any at all."""
        if user == ROOT:
            return True
        return any(
            grant.covers(kind, database, table) and ("ANY" in privileges or grant.privilege in privileges)
            for grant in self.grants_of(user)
        )

    def check(
        self,
        user: str,
        privileges: tuple[str, ...],
        kind: str,
        database: Database | None = None,
        table: Table | View | None = None,
    ) -> None:
        """Make sure of it.

        Raises:
            ServerError: 5203, in the server's words.
        """
        if not self.may(user, privileges, kind, database, table):
            thing = {"SYSTEM": "", "CATALOG": " default_catalog", "DATABASE": f" {database.name}" if database else ""}
            name = f" {table.name}" if table is not None else thing.get(kind, "")
            raise denied(" OR ".join(privileges), f"{kind}{name}")

    def sees_database(self, user: str, database: Database) -> bool:
        """Whether SHOW DATABASES lists it: any privilege on it or on anything in it."""
        return user == ROOT or any(grant.touches(database) for grant in self.grants_of(user))

    def sees_table(self, user: str, database: Database, table: Table | View) -> bool:
        """Whether SHOW TABLES and information_schema list it: any privilege on it (R§8.1)."""
        return self.may(user, ("ANY",), kind_of(table), database, table)

    def may_grant(self, user: str, grants: list[Grant]) -> bool:
        """Whether a user may give these: GRANT ON SYSTEM, or each of them held WITH GRANT OPTION."""
        if self.may(user, ("GRANT",), "SYSTEM"):
            return True
        own = [grant for grant in self.grants_of(user) if grant.grantable]
        return all(grant in own for grant in grants)

    def grants_of(self, user: str) -> list[Grant]:
        """Those of the user and of every role that the user has."""
        roles = [self.roles[name] for name in self.roles_of(user)]
        return [grant for holder in (self.users.get(user, Account()), *roles) for grant in holder.grants]

    def roles_of(self, user: str) -> list[str]:
        """Names of the roles that a user has and nobody has dropped."""
        return [name for name in self.users.get(user, Account()).roles if name in self.roles]


def kind_of(table: Table | View) -> str:
    """What privileges on it are privileges on: views of either kind are no tables there (documented, not observed)."""
    if isinstance(table, View):
        return "VIEW"
    return "MATERIALIZED VIEW" if is_materialized(table) else "TABLE"


def denied(privileges: str, thing: str) -> ServerError:
    """5203 (O§s)."""
    return ServerError(
        5203,
        "42000",
        f"Access denied; you need (at least one of) the {privileges} privilege(s) on {thing} for this operation. "
        "Please ask the admin to grant permission(s) or try activating existing roles using <set [default] role>. "
        "Current role(s): NONE. Inactivated role(s): NONE.",
    )
