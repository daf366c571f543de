"""The one connection of a command: made when first needed, made anew after a break, never in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from starrocks_br.adapters.sqlalchemy_core.patience import Patience
from starrocks_br.adapters.starrocks.errors import CLIENT, LOST, explain
from starrocks_br.domain.errors import ClusterError, OutcomeUnknown, Unreachable

SET_SESSION: Final = "SET time_zone = '+00:00', sql_select_limit = 9223372036854775807"
"""Makes every DATETIME on the wire UTC (R§10; the offset form needs no time zone tables), and every answer whole: a
`SET GLOBAL sql_select_limit` would cut each SELECT without LIMIT in silence. The number is the server's own default
(O§t); the greatest one of MySQL is too great for it."""

T = TypeVar("T")


def open_connection(engine: Engine) -> Connection:
    """Open a connection of our own in the state that everything else relies on.

    It is taken out of the engine's pool for good, so that an engine that belongs to somebody else never meets our
    session settings. AUTOCOMMIT keeps drivers from opening a transaction: from 3.5 on BEGIN is real, and inside it
    the server refuses everything but INSERT (R§11.3).

    Raises:
        DBAPIError: Whatever the driver raised at any of this.
    """
    connection = engine.connect()
    try:
        connection = _in_autocommit(connection)
        connection.detach()
        connection.exec_driver_sql(SET_SESSION)
    except BaseException:
        connection.close()
        raise
    return connection


def _in_autocommit(connection: Connection) -> Connection:
    """SQLAlchemy asks the driver for this behind its own back: what the driver raises then comes bare."""
    try:
        return connection.execution_options(isolation_level="AUTOCOMMIT")
    except connection.dialect.loaded_dbapi.Error as error:
        connection.invalidate()  # else it would be rolled back, and what a dead line says to that logged
        raise DBAPIError(None, None, error) from error


class SingleConnection:
    """Keeps one `Connection` and turns what the driver raises into `ClusterError` kinds.

    A connection that broke is dropped; the next call dials again, and so finds the leader again. While nobody answers
    it dials over and over, if somebody did before: a restart of a frontend ends no command, a wrong address does so at
    once. A statement that was under way when the line broke is sent again only if it changes nothing.

    Args:
        dial: Opens a connection, as `open_connection` does it.
        user: Who we are, for hints; may be empty.
        patience: For how long; None: not at all.
    """

    def __init__(self, dial: Callable[[], Connection], *, user: str = "", patience: Patience | None = None) -> None:
        self._dial = dial
        self._user = user
        self._patience = patience
        self._current: Connection | None = None
        self._answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self, work: Callable[[Connection], T], *, action: str, reads: bool = False) -> T:
        """Give the connection to `work`, which sends one statement.

        Args:
            work: Sends it and reads the answer to its end.
            action: What is tried, for errors: the subject of a sentence.
            reads: Whether it changes nothing, so that it may be done again.

        Raises:
            ClusterError: As the `SqlExecutor` port says.
        """
        if self._patience is None:
            return self._once(work, action)
        waiting = self._patience.waiting()
        while True:
            try:
                return self._once(work, action)
            except Unreachable as error:
                if not self._answered:
                    raise
                waiting.pause(error)
            except OutcomeUnknown as error:
                if not (reads and self._broken):
                    raise
                waiting.pause(error)

    def _once(self, work: Callable[[Connection], T], action: str) -> T:
        connection = self._ready()
        try:
            return work(connection)
        except DBAPIError as error:
            if _number_and_words(error)[0] in CLIENT:
                connection.invalidate()  # what comes next on such a line may be the answer to something else
            raise explained(error, action, user=self._user) from error.orig

    def close(self) -> None:
        """Hang up. The next `run` would dial again."""
        connection, self._current = self._current, None
        if connection is not None:
            hang_up(connection)

    def _ready(self) -> Connection:
        if self._broken:
            # a break or Ctrl-C leaves it so; SQLAlchemy would dial by itself, and leave leader and settings out
            self.close()
        if self._current is None:
            self._current = self._dial()
            self._answered = True
        return self._current

    @property
    def _broken(self) -> bool:
        return self._current is not None and self._current.invalidated


def hang_up(connection: Connection) -> None:
    """Close it, whatever state it is in: who is gone cannot answer the ROLLBACK that goes with it, nor need to."""
    with suppress(DBAPIError):
        connection.close()


def explained(error: DBAPIError, action: str, *, user: str = "", connecting: bool = False) -> ClusterError:
    """The error that a driver's exception stands for, by its number and words, which all MySQL drivers have alike."""
    errno, message = _number_and_words(error)
    if error.connection_invalidated and not connecting:
        errno = errno if errno in LOST else 0
    return explain(errno, message, action=action, user=user, connecting=connecting)


def _number_and_words(error: DBAPIError) -> tuple[int, str]:
    match getattr(error.orig, "args", ()):
        case (int(number), str(words), *_):
            return number, words
        case _:
            return 0, str(error.orig)
