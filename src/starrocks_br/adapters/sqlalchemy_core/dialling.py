"""From settings to a connection with the leader: only it can answer for jobs and snapshots (R§11.5)."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from starrocks_br.adapters.settings import Settings, Tls
from starrocks_br.adapters.sqlalchemy_core.connection import SingleConnection, explained, hang_up, open_connection
from starrocks_br.adapters.sqlalchemy_core.patience import Patience
from starrocks_br.domain.errors import Unreachable

SHOW_FRONTENDS: Final = "SHOW FRONTENDS"


@frozen
class Address:
    """Where a frontend listens for SQL."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen(kw_only=True)
class Leader:
    """The frontend that runs the jobs.

    Attributes:
        address: Where it is dialled.
        cluster: Whose it is.
    """

    address: Address
    cluster: str


def from_settings(settings: Settings, patience: Patience | None = None) -> SingleConnection:
    """The connection of a command, to whoever is the leader when it is dialled."""
    return SingleConnection(lambda: dial_leader(settings), user=settings.user, patience=patience)


def from_engine(engine: Engine, patience: Patience | None = None) -> SingleConnection:
    """The connection of a command through somebody else's engine: where it leads is its owner's affair."""
    user = engine.url.username or ""
    return SingleConnection(lambda: _open(engine, "the given engine", user), user=user, patience=patience)


def dial_leader(settings: Settings) -> Connection:
    """Dial the frontends of the settings in turn until one leads to the leader.

    Raises:
        Unreachable: None of them does.
        AccessDenied: The account cannot come in, or lacks OPERATE, without which the leader is not told (O§s).
    """
    entries = [Address(host, port) for host, port in settings.addresses]
    failures = []
    for entry in entries:
        try:
            return _dial_through(entry, settings)
        except Unreachable as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    raise Unreachable(
        f"none of {len(entries)} frontends leads to the leader",
        why="; ".join(f"{entry}: {error}" for entry, error in zip(entries, failures, strict=True)),
        hint=failures[-1].hint,
    )


def _dial_through(entry: Address, settings: Settings) -> Connection:
    """Dial one frontend, find the leader through it, and dial that if it is another one."""
    connection = _dial(entry, settings)
    leader = _leader(connection, entry, settings)
    if leader.address == entry:
        return connection
    hang_up(connection)
    try:
        connection = _dial(leader.address, settings)
        found = _leader(connection, leader.address, settings)
    except Unreachable as error:
        raise Unreachable(
            f"the leader {leader.address} does not answer",
            why=error.why,
            hint=f"jobs are told by the leader only, so it must be reachable from here, as {entry} is",
        ) from error
    if found != leader:
        hang_up(connection)
        raise Unreachable(
            f"the leader {leader.address} does not answer",
            why=f"who answers there says that the leader is {found.address} of cluster {found.cluster}",
            hint="the leader is changing, or its address leads elsewhere from here; try again",
        )
    return connection


def _leader(connection: Connection, entry: Address, settings: Settings) -> Leader:
    """Who the leader is; its address is `entry` if that is where we are. Hangs up if it cannot be found out."""
    try:
        answer = connection.exec_driver_sql(SHOW_FRONTENDS)
        frontends = [dict(zip(answer.keys(), map(str, row), strict=True)) for row in answer]
        return _pick(frontends, entry)
    except DBAPIError as error:
        hang_up(connection)
        raise explained(error, SHOW_FRONTENDS, user=settings.user, connecting=True) from error.orig
    except Unreachable:
        hang_up(connection)
        raise


def _pick(frontends: Iterable[Mapping[str, str]], entry: Address) -> Leader:
    alive = [one for one in frontends if one["Alive"] == "true"]
    for one in alive:
        if one["Role"] == "LEADER":
            address = Address(one["IP"], int(one["QueryPort"]))
            # the only frontend that lives is the one that answers, whatever its address is called out here
            here = len(alive) == 1 or _same_place(entry, address)
            return Leader(address=entry if here else address, cluster=one["ClusterId"])
    raise Unreachable(
        "the cluster has no leader", why=f"none of its {len(alive)} living frontends is one", hint="try again later"
    )


def _same_place(entry: Address, leader: Address) -> bool:
    """Whether the entry can only be the leader; a name that stands for several frontends may be any of them."""
    known = _addresses(entry)
    return entry.port == leader.port and bool(known) and known <= _addresses(leader)


def _addresses(address: Address) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(one[4][0]) for one in found)


def _dial(address: Address, settings: Settings) -> Connection:
    return _open(_engine(address, settings), f"the connection to {address}", settings.user)


def _open(engine: Engine, action: str, user: str) -> Connection:
    try:
        return open_connection(engine)
    except DBAPIError as error:
        raise explained(error, action, user=user, connecting=True) from error.orig


def _engine(address: Address, settings: Settings) -> Engine:
    url = URL.create(
        "mysql+mysqldb",
        username=settings.user,
        password=settings.password.reveal(),
        # the client library takes the name localhost for a Unix socket, whatever port is given
        host="127.0.0.1" if address.host == "localhost" else address.host,
        port=address.port,
    )
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout,
        "write_timeout": settings.read_timeout,
        "multi_statements": False,
        "local_infile": 0,
        **_tls_arguments(settings.tls),
    }
    return create_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


def _tls_arguments(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {"ssl_mode": "DISABLED"}
    files = {"ca": tls.ca, "cert": tls.cert, "key": tls.key}
    return {
        "ssl_mode": "VERIFY_IDENTITY",
        "ssl": {name: path for name, path in files.items() if path is not None},
    }
