"""Users and what they were granted (R§9, O2§y11). Roles are not modelled; root may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from starrocks_simulator.errors import ServerError

if TYPE_CHECKING:
    from starrocks_simulator.catalog import Database, Table, View

ROOT: Final = "root"


@frozen
class Grant:
    """One privilege on one thing, or on all things of a kind.

    Attributes:
        privilege: "EXPORT", "CREATE TABLE", …
        kind: "SYSTEM", "CATALOG", "DATABASE" or "TABLE".
        database_id: None = all. Ids, not names: a database dropped and made again is another one, and what was
            granted on it is gone; a table takes its grants along when it is renamed or swapped (O2§0.8, O2§y11).
        table_id: None = all.
    """

    privilege: str
    kind: str
    database_id: int | None = None
    table_id: int | None = None

    def covers(self, kind: str, database: Database | None, table: Table | View | None) -> bool:
        """Whether it is a grant on this thing."""
        if self.kind != kind:
            return False
        if self.database_id is not None and (database is None or database.id != self.database_id):
            return False
        return self.table_id is None or (table is not None and table.id == self.table_id)

    def touches(self, database: Database) -> bool:
        """Whether it is a grant on a database or anything in it: then the database is seen."""
        return self.kind in {"DATABASE", "TABLE"} and self.database_id in {None, database.id}


@define
class Account:
    """One user.

    Attributes:
        password: In clear; this is a simulator.
        grants: In the order in which they were made.
    """

    password: str = ""
    grants: list[Grant] = field(factory=list)


class Accounts:
    """All users of one cluster but root.

    Attributes:
        users: By name.
    """

    def __init__(self) -> None:
        self.users: dict[str, Account] = {}

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
            for grant in self._grants(user)
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
        return user == ROOT or any(grant.touches(database) for grant in self._grants(user))

    def sees_table(self, user: str, database: Database, table: Table | View) -> bool:
        """Whether SHOW TABLES and information_schema list it: any privilege on it (R§8.1)."""
        return self.may(user, ("ANY",), "TABLE", database, table)

    def _grants(self, user: str) -> list[Grant]:
        account = self.users.get(user)
        return account.grants if account else []


def denied(privileges: str, thing: str) -> ServerError:
    """5203 (O§s)."""
    return ServerError(
        5203,
        "42000",
        f"Access denied; you need (at least one of) the {privileges} privilege(s) on {thing} for this operation. "
        "Please ask the admin to grant permission(s) or try activating existing roles using <set [default] role>. "
        "Current role(s): NONE. Inactivated role(s): NONE.",
    )
