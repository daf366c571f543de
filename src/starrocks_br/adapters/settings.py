"""The settings of one installation: a checked value, however it came about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any, Final

from attrs import field, frozen

from starrocks_br.domain.errors import InvalidName, InvalidSettings
from starrocks_br.domain.names import (
    SYSTEM_DATABASES,
    DatabaseName,
    RepositoryName,
    Selection,
    database_name,
    parse_pattern,
    repository_name,
)


class Secret:
    """A text that shows itself to nobody who does not ask for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the driver, at the last moment."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _secret(value: Secret | str) -> Secret:
    return Secret(value) if isinstance(value, str) else value


def _tuple(value: Iterable[str]) -> tuple[str, ...]:
    """What is no list goes on as it is: whether it will do is said together with all other problems."""
    given: Any = value
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else given


def _hosts(value: str | Iterable[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else _tuple(value)


def _address(host: str, port: int) -> tuple[str, int]:
    """A name may bring its own port; what holds several colons is an IPv6 address."""
    name, _, own = host.partition(":")
    return (name, int(own)) if own.isdecimal() else (host, port)


def _database(text: str) -> DatabaseName:
    return DatabaseName(text)


def _repository(text: str) -> RepositoryName:
    return RepositoryName(text)


@frozen(kw_only=True)
class Tls:
    """The line to the frontends is encrypted, and their certificates are valid and name the address that is dialled.

    There is no way to do without the second: then the client library of MariaDB would fall back to plain text.

    Attributes:
        ca: File with the certificates to trust; None: the system's.
        cert: File with our own certificate, if the frontend asks for one.
        key: File with its key.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@frozen(kw_only=True)
class Settings:
    """Where to work, as whom, and on what.

    Attributes:
        host: A frontend, `name` or `name:port`, or several: the leader is found through the first that answers.
        port: Its query_port; that of every host that names none.
        user: The account.
        password: Of the account; may be empty.
        database: Holds our own tables.
        tables: What is backed up: `db.table` or `db.*`.
        repository: StarRocks' name for where snapshots go.
        job_timeout: Seconds until the server gives a job up; it refuses less than 600 (R§2.2).
        poll_interval: Seconds between two looks at running jobs; at most 30, else others take the command for dead.
        wait: Seconds to wait for a job slot that someone else holds.
        connect_timeout: Whole seconds to wait for a frontend to take the call.
        read_timeout: Whole seconds to wait for an answer; a line that is silent for longer is dead. Keep it above the
            server's own query_timeout.
        reconnect_timeout: Seconds for which a lost connection is made anew, over and over, once there was one.
        max_parallel_databases: How many databases have a job at the same time.
        replication_num: For restored and own tables; None: as recorded, or as many as there can be.
        max_chain: The greatest number of entries in a chain.
        timezone: What a point in time without an offset is meant in.
        tls: How the line is protected; None: not at all.

    Raises:
        InvalidSettings: Naming all that is wrong, not only the first.
    """

    host: str | tuple[str, ...] = field(converter=_hosts)
    port: int
    user: str
    password: Secret = field(converter=_secret, repr=False)
    database: DatabaseName = field(converter=_database)
    tables: tuple[str, ...] = field(converter=_tuple)
    repository: RepositoryName = field(converter=_repository)
    job_timeout: int = 86_400
    poll_interval: float = 1.0
    wait: float = 60.0
    connect_timeout: int = 10
    read_timeout: int = 960
    reconnect_timeout: float = 300.0
    max_parallel_databases: int = 4
    replication_num: int | None = None
    max_chain: int = 30
    timezone: tzinfo = UTC
    tls: Tls | None = None

    def __attrs_post_init__(self) -> None:
        found = tuple(problem for name in CHECKS for problem in problems_of(name, getattr(self, name)))
        if found:
            raise InvalidSettings("the settings cannot be used", found)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Name and port of each frontend, in the order given."""
        hosts = (self.host,) if isinstance(self.host, str) else self.host
        return tuple(_address(host, self.port) for host in hosts)

    @property
    def selection(self) -> Selection:
        """The tables as a selection."""
        return Selection(self.tables)


_YEAR: Final = 31_536_000
_PORTS: Final = 65_535

_LONGEST_POLL: Final = 30
"""Seconds: a command that is not heard of for a minute after the end of its job is taken for dead."""

REQUIRED: Final = ("host", "port", "user", "password", "database", "tables", "repository")
"""What has no default."""


def problems_of(name: str, value: object) -> tuple[str, ...]:
    """What is wrong with one setting, each in one line that names it; the password's value is never shown."""
    return tuple(f"{name}: {problem}" for problem in CHECKS[name](value))


def _text(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip():
        yield f"{value!r} is no text"


def _host(value: object) -> Iterator[str]:
    hosts = value if isinstance(value, tuple) else (value,)
    if not hosts:
        yield "it is an empty list"
    for host in hosts:
        yield from _text(host)
        port = _address(host, 1)[1] if isinstance(host, str) else 1
        if not 1 <= port <= _PORTS:
            yield f"{host!r}: {port} is not between 1 and {_PORTS}"


def _password(value: object) -> Iterator[str]:
    if not isinstance(value, Secret):
        yield "it is no text"


def _name(check: Callable[[str], str]) -> Callable[[object], Iterator[str]]:
    def problems(value: object) -> Iterator[str]:
        try:
            check(value if isinstance(value, str) else repr(value))
        except InvalidName as error:
            yield error.what

    return problems


def _ops(value: object) -> Iterator[str]:
    yield from _name(database_name)(value)
    if value in SYSTEM_DATABASES:
        yield f"{value} belongs to the server"


def _tables(value: object) -> Iterator[str]:
    if not isinstance(value, tuple) or not value:
        yield "it is no list of db.table or db.*"
        return
    for pattern in value:
        try:
            parse_pattern(pattern if isinstance(pattern, str) else repr(pattern))
        except InvalidName as error:
            yield f"{error.what}; write db.table or db.*"


def _whole(least: int, most: int | None = None) -> Callable[[object], Iterator[str]]:
    def problems(value: object) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{value!r} is no whole number"
        elif value < least or (most is not None and value > most):
            yield f"{value} is not " + (f"at least {least}" if most is None else f"between {least} and {most}")

    return problems


def _seconds(least: float, most: float = _YEAR) -> Callable[[object], Iterator[str]]:
    def problems(value: object) -> Iterator[str]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield f"{value!r} is no number of seconds"
        elif not least <= value <= most:
            yield f"{value} is not between {least} and {most}"

    return problems


def _optional(check: Callable[[object], Iterator[str]]) -> Callable[[object], Iterator[str]]:
    return lambda value: iter(()) if value is None else check(value)


def _kind(kind: type, words: str) -> Callable[[object], Iterator[str]]:
    return lambda value: iter(() if isinstance(value, kind) else (f"{value!r} is no {words}",))


CHECKS: Final[Mapping[str, Callable[[object], Iterator[str]]]] = {
    "host": _host,
    "port": _whole(1, _PORTS),
    "user": _text,
    "password": _password,
    "database": _ops,
    "tables": _tables,
    "repository": _name(repository_name),
    "job_timeout": _whole(600, _YEAR),
    "poll_interval": _seconds(0.01, _LONGEST_POLL),
    "wait": _seconds(0),
    "connect_timeout": _whole(1, _YEAR),
    "read_timeout": _whole(1, _YEAR),
    "reconnect_timeout": _seconds(0),
    "max_parallel_databases": _whole(1),
    "replication_num": _optional(_whole(1)),
    "max_chain": _whole(1),
    "timezone": _kind(tzinfo, "time zone"),
    "tls": _optional(_kind(Tls, "group of ca, cert and key")),
}
"""Each setting's own rules."""
