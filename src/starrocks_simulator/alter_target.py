"""What a clause of ALTER TABLE works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from starrocks_simulator.catalog import Database, Table
from starrocks_simulator.cursor import Cursor

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.session import Session


@frozen
class Target:
    """A table with its database and who alters it."""

    session: Session
    database: Database
    table: Table

    @property
    def frontend(self) -> Frontend:
        """Where the table lives."""
        return self.session.frontend


Clause: TypeAlias = Callable[[Target, Cursor], None]
"""Carries out one clause, with its keywords already stepped over; raises ServerError."""
