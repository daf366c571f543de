"""The second door: a PEP 249 module in process, for tests and tools that want no socket and a clock of their own.

module = Module(frontend)
engine = create_engine("mysql+mysqldb://root@simulated", module=module, poolclass=NullPool)

One `Module` object stands for one frontend's address. It behaves as mysqlclient does before it: the same exception
classes and numbers, the same types of values. With a `VirtualClock` nothing ever waits.
"""

from __future__ import annotations

import datetime as dt
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import define, field

from starrocks_simulator import dbapi_errors
from starrocks_simulator.accounts import ROOT
from starrocks_simulator.dbapi_errors import (
    ACCESS_DENIED,
    CANNOT_CONNECT,
    GONE_AWAY,
    LOST,
    OperationalError,
    ProgrammingError,
    driver_error,
)
from starrocks_simulator.dbapi_values import filled_in, typed
from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.results import Kind, Result

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.session import Session

Parameters = Sequence[object] | Mapping[str, object] | None


class KindSet(frozenset[Kind]):
    """A PEP 249 type object: it equals the type code of every column of these kinds."""

    def __eq__(self, other: object) -> bool:
        return other in self if isinstance(other, Kind) else super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()


@define(eq=False)
class Module:
    """What `create_engine(…, module=…)` takes for mysqlclient, leading to one frontend.

    Attributes:
        frontend: Where connections lead.
        before: Called with every statement of this door before it is sent. May raise `ServerError` or `ConnectionCut`;
            anything else goes through to the caller of `execute`: a test kills its own process so.
        after: Called likewise with every statement that has had its effect and not its answer.
        answering: Whether anybody listens; while False, connecting fails with 2003.
    """

    frontend: Frontend
    before: list[Callable[[str], None]] = field(factory=list)
    after: list[Callable[[str], None]] = field(factory=list)
    answering: bool = True
    _open: weakref.WeakSet[Connection] = field(factory=weakref.WeakSet, init=False)

    apilevel: ClassVar[str] = "2.0"
    threadsafety: ClassVar[int] = 1
    paramstyle: ClassVar[str] = "format"
    version_info: ClassVar[tuple[int, int, int, str, int]] = (2, 2, 7, "final", 0)

    Warning: ClassVar = dbapi_errors.Warning
    Error: ClassVar = dbapi_errors.Error
    InterfaceError: ClassVar = dbapi_errors.InterfaceError
    DatabaseError: ClassVar = dbapi_errors.DatabaseError
    DataError: ClassVar = dbapi_errors.DataError
    OperationalError: ClassVar = dbapi_errors.OperationalError
    IntegrityError: ClassVar = dbapi_errors.IntegrityError
    InternalError: ClassVar = dbapi_errors.InternalError
    ProgrammingError: ClassVar = dbapi_errors.ProgrammingError
    NotSupportedError: ClassVar = dbapi_errors.NotSupportedError

    STRING: ClassVar = KindSet({Kind.STRING})
    BINARY: ClassVar = KindSet()
    NUMBER: ClassVar = KindSet({Kind.BIGINT, Kind.INT, Kind.DOUBLE, Kind.DECIMAL, Kind.BOOLEAN})
    DATETIME: ClassVar = KindSet({Kind.DATETIME, Kind.DATE})
    ROWID: ClassVar = KindSet()
    Binary: ClassVar = bytes
    Date: ClassVar = dt.date
    Time: ClassVar = dt.time
    Timestamp: ClassVar = dt.datetime
    DateFromTicks: ClassVar = dt.date.fromtimestamp
    TimestampFromTicks: ClassVar = dt.datetime.fromtimestamp

    @staticmethod
    def TimeFromTicks(ticks: float) -> dt.time:  # noqa: N802 - the name is PEP 249's
        """The local time of day of an epoch second."""
        return dt.time(*time.localtime(ticks)[3:6])

    @property
    def __name__(self) -> str:
        return __name__

    def connect(self, user: str = ROOT, passwd: str = "", db: str | None = None, **options: object) -> Connection:
        """Open a connection.

        Args:
            user: root, or a user made by CREATE USER.
            passwd: Theirs; of root: the frontend's.
            db: What to USE at once.
            options: Whatever else mysqlclient takes; host, port, timeouts and the rest have no meaning here.

        Raises:
            OperationalError: 2003 nobody listens, 1045 wrong password.
        """
        if not self.answering:
            raise OperationalError(CANNOT_CONNECT, "Can't connect to MySQL server on 'simulated' (111)")
        password = str(options.get("password", passwd))
        if not self._may_come_in(user, password):
            using = "YES" if password else "NO"
            raise OperationalError(ACCESS_DENIED, f"Access denied for user '{user}' (using password: {using})")
        connection = Connection(self, self.frontend.connect(user))
        self._open.add(connection)
        database = options.get("database", db)
        if database:
            connection.query(f"USE `{database}`")
        return connection

    def _may_come_in(self, user: str, password: str) -> bool:
        if user == ROOT:
            return password == self.frontend.password
        account = self.frontend.accounts.users.get(user)
        return account is not None and password == account.password

    def hang_up(self) -> None:
        """Break every connection, as when the frontend's process dies: the next statement of each fails with 2006."""
        for connection in tuple(self._open):
            connection.break_off()


class Connection:
    """One connection; once broken it stays so."""

    def __init__(self, module: Module, session: Session) -> None:
        self._module = module
        self._session: Session | None = session
        self._autocommit = True
        self._closed = False
        self._info = ""

    def query(self, sql: str) -> list[Result]:
        """Send a text; the results of all its statements.

        Raises:
            DatabaseError: As mysqlclient would raise it: 2006 or 2013 for a connection that is gone or goes.
        """
        if self._session is None:
            raise OperationalError(GONE_AWAY, "Server has gone away")
        with self._translated():
            self._tell(self._module.before, sql)
            results = self._session.execute(sql)
            self._tell(self._module.after, sql)
        self._info = results[-1].info if results else ""
        return results

    def _tell(self, hooks: list[Callable[[str], None]], sql: str) -> None:
        """Call hooks; one of them may break this connection."""
        for hook in tuple(hooks):
            hook(sql)
        if self._session is None:
            raise ConnectionCut

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ConnectionCut as cut:
            self.break_off()
            raise OperationalError(LOST, "Lost connection to server during query") from cut
        except ServerError as error:
            raise driver_error(error) from error

    def break_off(self) -> None:
        """The line is dead."""
        self._session = None

    def info(self) -> str | None:
        """The text that the last statement's OK carried: label, status and transaction of a load (R§11.10)."""
        return self._info or None

    def cursor(self, *_cursor_class: object) -> Cursor:
        """A cursor."""
        return Cursor(self)

    def ping(self, *_reconnect: object) -> None:
        """Raise OperationalError if the line is dead."""
        self.query("SELECT 1")

    def character_set_name(self) -> str:
        """Of this connection."""
        return "utf8mb4"

    def autocommit(self, on: bool) -> None:
        """Say so to the server."""
        self.query(f"SET autocommit={int(on)}")
        self._autocommit = on

    def get_autocommit(self) -> bool:
        """As last set; a frontend begins with it on."""
        return self._autocommit

    def commit(self) -> None:
        """Send COMMIT."""
        self.query("COMMIT")

    def rollback(self) -> None:
        """Send ROLLBACK."""
        self.query("ROLLBACK")

    def close(self) -> None:
        """Hang up, once; also what broke before."""
        if self._closed:
            raise ProgrammingError(GONE_AWAY, "closing a closed connection")
        self._closed = True
        self.break_off()


class Cursor:
    """One text's answer.

    Attributes:
        arraysize: How many rows `fetchmany` gives unless told.
        description: Name and kind per column of the result set; None for an OK.
        rowcount: Rows of the result set, or affected ones.
        lastrowid: Always 0: StarRocks gives none.
    """

    lastrowid: Final = 0

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._results: list[Result] = []
        self._rows: Iterator[tuple[object, ...]] | None = None

    def execute(self, sql: str, args: Parameters = None) -> int:
        """Send one text, with its values filled in; how many rows it gave or affected."""
        self._results = self.connection.query(filled_in(sql, args))
        self.nextset()
        return self.rowcount

    def executemany(self, sql: str, args: Sequence[Parameters]) -> int:
        """Send it once per set of values (mysqlclient joins INSERTs; nobody here relies on it); rows in all."""
        self.rowcount = sum(self.execute(sql, one) for one in args)
        return self.rowcount

    def nextset(self) -> int | None:
        """Go on to the next statement's answer; None if there is none."""
        if not self._results:
            return None
        result = self._results.pop(0)
        self.rowcount, self.description, self._rows = result.affected, None, None
        if result.columns is not None:
            self.rowcount = len(result.rows)
            self.description = [(one.name, one.kind, None, None, None, None, True) for one in result.columns]
            self._rows = iter(typed(result.columns, result.rows))
        return 1

    def fetchone(self) -> tuple[object, ...] | None:
        """The next row."""
        return next(self._fetching(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[object, ...]]:
        """The next rows."""
        rows = self._fetching()
        return [row for _, row in zip(range(size or self.arraysize), rows, strict=False)]

    def fetchall(self) -> list[tuple[object, ...]]:
        """All rows that are left."""
        return list(self._fetching())

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return self._fetching()

    def _fetching(self) -> Iterator[tuple[object, ...]]:
        return iter(()) if self._rows is None else self._rows

    def mogrify(self, sql: str, args: Parameters = None) -> str:
        """The text that `execute` would send."""
        return filled_in(sql, args)

    def setinputsizes(self, *_sizes: object) -> None:
        """Nothing."""

    setoutputsize = setinputsizes

    def close(self) -> None:
        """Forget the rows that are left."""
        self._rows, self._results = None, []
