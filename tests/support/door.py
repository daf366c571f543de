"""A PEP 249 door into a simulated frontend: the product's own SQLAlchemy adapters run over it, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Engine, NullPool, create_engine

from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.results import Result
from starrocks_simulator.session import Session

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


class Error(Exception):
    """PEP 249; carries (errno, message), as every MySQL driver's errors do."""


class OperationalError(Error):
    """A broken or refused connection."""


class ProgrammingError(Error):
    """What the server answered."""


def engine_on(connect: Callable[[], Session], sent: Callable[[str], None]) -> Engine:
    """An engine whose connections are sessions of a simulated frontend.

    Args:
        connect: Opens a session; raises ConnectionError while nobody answers.
        sent: Is shown every statement before it is sent.
    """
    names = ("InterfaceError", "DatabaseError", "DataError", "IntegrityError", "InternalError", "NotSupportedError")
    module = SimpleNamespace(
        __name__="simulated",
        paramstyle="format",
        apilevel="2.0",
        threadsafety=1,
        version_info=(2, 2, 7, "final", 0),
        Error=Error,
        OperationalError=OperationalError,
        ProgrammingError=ProgrammingError,
        connect=lambda *_arguments, **_options: _Connection(_opened(connect), sent),
        **{name: type(name, (Error,), {}) for name in names},
    )
    return create_engine("mysql+mysqldb://root@simulated", module=module, poolclass=NullPool)


def _opened(connect: Callable[[], Session]) -> Session:
    try:
        return connect()
    except ConnectionError as error:
        raise OperationalError(2003, f"Can't connect to MySQL server ({error})") from error


class _Connection:
    """One connection; dead for good once it was cut."""

    def __init__(self, session: Session, sent: Callable[[str], None]) -> None:
        self._session: Session | None = session
        self._sent = sent

    def execute(self, sql: str) -> Result:
        """Send one statement."""
        with self._errors():
            if self._session is None or self._session.database == DEAD:
                raise OperationalError(2006, "Server has gone away")
            self._sent(sql)
            (result,) = self._session.execute(sql)
            return result

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ConnectionCut as cut:
            self._session = None
            raise OperationalError(2013, "Lost connection to server during query") from cut
        except ServerError as error:
            raise ProgrammingError(error.errno, error.message) from error

    def cursor(self, *_arguments: object) -> _Cursor:
        return _Cursor(self)

    def character_set_name(self) -> str:
        return "utf8mb4"

    def autocommit(self, on: bool) -> None:
        assert on

    def get_autocommit(self) -> bool:
        return True

    def commit(self) -> None:
        """Nothing to do outside of a transaction."""

    rollback = commit

    def close(self) -> None:
        self._session = None


DEAD: Final = "\0dead"
"""The current database of a session whose frontend process is gone."""


class _Cursor:
    """One statement's answer."""

    arraysize = 1
    lastrowid = 0

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._rows: list[tuple[object, ...]] = []

    def execute(self, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> None:
        text = sql if parameters is None else sql % tuple(_literal(value) for value in parameters)
        result = self._connection.execute(text)
        self._rows = list(result.rows)
        self.rowcount = result.affected
        self.description = None
        if result.columns is not None:
            self.description = [(column.name, None, None, None, None, None, True) for column in result.columns]

    def fetchone(self) -> tuple[object, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[object, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[object, ...]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []


def _literal(value: object) -> str:
    """A value as the driver would write it into the statement."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, datetime):
        return f"'{value:%Y-%m-%d %H:%M:%S}'"
    return f"'{str(value).translate(_ESCAPES)}'"
