"""PEP 249's exceptions, and which of them mysqlclient raises for which error number (O§t)."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.errors import ServerError


class Warning(Exception):  # noqa: A001 - the name is PEP 249's
    """Never raised."""


class Error(Exception):
    """The root; `args` are (errno, message), as mysqlclient has them."""


class InterfaceError(Error):
    """The module was used in a way that it does not allow."""


class DatabaseError(Error):
    """All that comes from the database."""


class DataError(DatabaseError):
    """A value out of range."""


class OperationalError(DatabaseError):
    """A broken connection, and every error number that no other class claims."""


class IntegrityError(DatabaseError):
    """A constraint."""


class InternalError(DatabaseError):
    """Never raised."""


class ProgrammingError(DatabaseError):
    """Syntax, and names that are wrong."""


class NotSupportedError(DatabaseError):
    """Something that the server cannot do."""


_PROGRAMMING: Final = (1007, 1064, 1102, 1103, 1110, 1111, 1112, 1113, 1146, 1149, 1179)
_DATA: Final = (1171, 1230, 1263, 1264, 1265, 1406, 1441)
_INTEGRITY: Final = (1048, 1062, 1169, 1215, 1216, 1217, 1451, 1452)
_NOT_SUPPORTED: Final = (1196, 1235, 1286, 1289)
_CLASSES: Final[dict[int, type[DatabaseError]]] = {
    **dict.fromkeys(_PROGRAMMING, ProgrammingError),
    **dict.fromkeys(_DATA, DataError),
    **dict.fromkeys(_INTEGRITY, IntegrityError),
    **dict.fromkeys(_NOT_SUPPORTED, NotSupportedError),
}

ACCESS_DENIED: Final = 1045
CANNOT_CONNECT: Final = 2003
GONE_AWAY: Final = 2006
LOST: Final = 2013


def driver_error(error: ServerError) -> DatabaseError:
    """What mysqlclient makes of a server's ERR packet."""
    return _CLASSES.get(error.errno, OperationalError)(error.errno, error.message)
