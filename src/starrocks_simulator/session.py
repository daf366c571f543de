"""One connection's state, and the way from text to results."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starrocks_simulator.accounts import ROOT
from starrocks_simulator.catalog import SYSTEM_DATABASES, Database, Table, View
from starrocks_simulator.errors import no_database, unknown_database
from starrocks_simulator.lexer import split
from starrocks_simulator.results import Result
from starrocks_simulator.times import zone_of

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


class Session:
    """A connection that has logged in.

    Attributes:
        frontend: Where it is connected.
        user: Who logged in.
        connection_id: Of `CONNECTION_ID()`.
        database: Name of the current database; None before USE.
        variables: Session variables.
        in_transaction: Whether BEGIN was sent and nothing has ended it (R§11.3).
        held: INSERTs that COMMIT will carry out, by database and table.
        prepared: Queries by the names that PREPARE gave them.
        explaining: Whether a statement is being looked at for EXPLAIN: it must not have an effect.
    """

    def __init__(self, frontend: Frontend, user: str, connection_id: int) -> None:
        self.frontend = frontend
        self.user = user
        self.connection_id = connection_id
        self.database: str | None = None
        self.variables = dict(frontend.variables)
        self.in_transaction = False
        self.held: dict[tuple[str, str], str] = {}
        self.prepared: dict[str, str] = {}
        self.explaining = False

    def execute(self, sql: str) -> list[Result]:
        """Run the statements of a text, all of them, one after the other (R§11.4).

        Raises:
            ServerError: What the first statement that fails answers; those before it have happened.
        """
        from starrocks_simulator.dispatch import run

        return [run(self, text, lexemes) for text, lexemes in split(sql)]

    @property
    def zone(self) -> dt.tzinfo:
        """The zone in which DATETIMEs are shown (R§10)."""
        return zone_of(self.variables["time_zone"])

    def sees(self, database: Database, table: Table | View) -> bool:
        """Whether listings show the table to this user: any privilege on it (R§8.1)."""
        return self.frontend.accounts.sees_table(self.user, database, table)

    def seen_databases(self) -> list[str]:
        """Names of the databases that SHOW DATABASES lists: of root all, of others those they have any privilege in."""
        accounts, databases = self.frontend.accounts, self.frontend.catalog.databases.values()
        seen = [database.name for database in databases if accounts.sees_database(self.user, database)]
        return [*seen, *(SYSTEM_DATABASES if self.user == ROOT else ("information_schema",))]

    def find_database(self, name: str | None) -> Database:
        """The named database, or the current one.

        Raises:
            ServerError: 5501 unknown, 1046 none selected.
        """
        if name is None:
            name = self.database
        if name is None:
            raise no_database()
        found = self.frontend.catalog.databases.get(name)
        if found is None:
            raise unknown_database(name)
        return found

    def find_object(self, database: str | None, name: str) -> Table | View | None:
        """The table or view of that name, if there is one."""
        return self.find_database(database).tables.get(name)
