"""ADMIN SET TABLE … VERSION and statements that are accepted without an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.ddl import find_table, named_partition
from starrocks_simulator.errors import refused
from starrocks_simulator.handlers import Handler
from starrocks_simulator.results import OK, Result, strings
from starrocks_simulator.versions import set_version

if TYPE_CHECKING:
    from starrocks_simulator.session import Session


def set_partition_version(session: Session, cursor: Cursor) -> Result:
    """ADMIN SET TABLE [db.]t PARTITION (p) VERSION TO n: visible n, next n + 1, time now (O2§y6)."""
    database, name = cursor.qualified()
    cursor.expect("PARTITION", "(")
    partition_name = cursor.name()
    cursor.expect(")", "VERSION", "TO")
    version = cursor.integer()
    cursor.end()
    partition = named_partition(find_table(session, database, name), partition_name)
    if len(partition.physical) > 1:
        raise refused(f"Table '{name}' partition '{partition_name}' has multi physical partitions")
    set_version(session.frontend, partition.physical[0], version)
    return OK


def analyze(session: Session, cursor: Cursor) -> Result:
    """ANALYZE TABLE t: statistics only."""
    database, name = cursor.qualified()
    cursor.rest()
    find_table(session, database, name)
    shown = f"{session.find_database(database).name}.{name}"
    return strings(("Table", "Op", "Msg_type", "Msg_text"), [(shown, "analyze", "status", "OK")])


def accepted(_: Session, cursor: Cursor) -> Result:
    """A statement that changes nothing that is modelled."""
    cursor.rest()
    return OK


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    ("ADMIN", "SET", "TABLE"): set_partition_version,
    ("ADMIN", "SET", "REPLICA", "STATUS"): accepted,
    ("ALTER", "SYSTEM", "CREATE", "IMAGE"): accepted,
    ("ANALYZE", "TABLE"): analyze,
}
