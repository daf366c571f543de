"""information_schema as relations, made when a query asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starrocks_simulator.errors import unknown_table

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def system_relation(session: Session, name: str) -> str:
    """Make the system table; gives back its name in DuckDB."""
    raise unknown_table(f"information_schema.{name}")
