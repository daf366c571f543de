"""The server's errors: what an ERR packet carries, and the prefixes that tell parser, analyzer and executor apart."""

from __future__ import annotations


class ServerError(Exception):
    """An error as the client sees it.

    Attributes:
        errno: Number in the ERR packet; 1064 where the server attached none (R§3).
        sqlstate: Five characters beside it.
        message: The whole text, prefix and trailing dot included.
    """

    def __init__(self, errno: int, sqlstate: str, message: str) -> None:
        super().__init__(errno, sqlstate, message)
        self.errno = errno
        self.sqlstate = sqlstate
        self.message = message

    def __str__(self) -> str:
        return f"{self.errno} ({self.sqlstate}): {self.message}"


def refused(message: str, errno: int = 1064, sqlstate: str = "HY000") -> ServerError:
    """An error thrown while a statement is carried out: the text stands alone (R§3)."""
    return ServerError(errno, sqlstate, message)


def analyzing(detail: str, errno: int = 1064, sqlstate: str = "HY000", where: str = "") -> ServerError:
    """An error of the analyzer: prefix and trailing dot (R§3).

    Args:
        detail: The text between prefix and dot.
        errno: Number in the packet.
        sqlstate: State in the packet.
        where: " from line 1, column 36 to line 1, column 51" where the server knows the place, else "".
    """
    return ServerError(errno, sqlstate, f"Getting analyzing error{where}. Detail message: {detail}.")


def syntax(detail: str, line: int | None = None, column: int | None = None) -> ServerError:
    """An error of the parser; line counts from 1, column from 0 (O§q)."""
    where = "" if line is None else f" at line {line}, column {column}"
    return ServerError(1064, "HY000", f"Getting syntax error{where}. Detail message: {detail}.")


def common(message: str) -> ServerError:
    """`ERR_COMMON_ERROR`: 5064, the number of most refusals of BACKUP and RESTORE (R§3)."""
    return ServerError(5064, "42000", message)


def common_analyzing(detail: str) -> ServerError:
    """5064 thrown in the analyzer."""
    return analyzing(detail, 5064, "42000")


def unknown_database(name: str) -> ServerError:
    """5501, from the analyzer (O§q); `USE` sends the same without the prefix."""
    return analyzing(f"Unknown database '{name}'", 5501, "3F000")


def unknown_table(name: str) -> ServerError:
    """5502: SELECT ("db.t"), DROP and DESC ("t") say it so (O§q)."""
    return analyzing(f"Unknown table '{name}'", 5502, "42602")


def table_not_found(name: str) -> ServerError:
    """1064: SHOW PARTITIONS, SHOW CREATE TABLE, ALTER, INSERT and TRUNCATE say it so (O§q)."""
    return analyzing(f"Table {name} is not found")


def no_database() -> ServerError:
    """1046: a bare name while no database is selected."""
    return analyzing("No database selected", 1046, "3D000")
