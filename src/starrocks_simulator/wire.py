"""The door: a frontend behind the MySQL protocol.

mysql-mimic speaks the protocol; what it loses is put back at its seams: affected rows and the info text of an OK, errno
and SQLSTATE of an error, several results of one query (R§11). Statements of all connections run one after the other in
the event loop: the engine is quick and knows no concurrency.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from mysql_mimic import packets
from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, NoLoginAuthPlugin, User
from mysql_mimic.connection import Connection
from mysql_mimic.constants import DEFAULT_SERVER_CAPABILITIES
from mysql_mimic.prepared import REGEX_PARAM
from mysql_mimic.results import ResultColumn, ResultSet
from mysql_mimic.server import MysqlServer
from mysql_mimic.session import BaseSession
from mysql_mimic.stream import ConnectionClosed, MysqlStream
from mysql_mimic.types import Capabilities, ColumnType, ServerStatus, uint_1, uint_2
from mysql_mimic.variables import GlobalVariables, SessionVariables

from starrocks_simulator.accounts import ROOT
from starrocks_simulator.errors import ServerError
from starrocks_simulator.faults import ConnectionCut, Silence
from starrocks_simulator.results import Kind

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.results import Column, Result
    from starrocks_simulator.session import Session

SERVER_VERSION = "8.0.33"
"""What the handshake claims to be, from 3.4 on (R§1)."""

CAPABILITIES = DEFAULT_SERVER_CAPABILITIES & ~(Capabilities.CLIENT_DEPRECATE_EOF | Capabilities.CLIENT_QUERY_ATTRIBUTES)
"""A frontend announces neither (R§11.1)."""

_WIRE_TYPES = {
    Kind.STRING: ColumnType.VAR_STRING,
    Kind.BIGINT: ColumnType.LONGLONG,
    Kind.INT: ColumnType.LONG,
    Kind.DOUBLE: ColumnType.DOUBLE,
    Kind.DECIMAL: ColumnType.NEWDECIMAL,
    Kind.DATETIME: ColumnType.DATETIME,
    Kind.DATE: ColumnType.DATE,
    Kind.BOOLEAN: ColumnType.TINY,
}


def render(value: object) -> bytes:
    """A value as the text protocol spells it: BOOLEAN as 0 or 1, DATETIME with a fraction if it has one (R§11.11)."""
    match value:
        case bytes():
            return value
        case bool():
            return b"1" if value else b"0"
        case datetime():
            return value.isoformat(sep=" ").encode()
        case date():
            return value.isoformat().encode()
        case _:
            return str(value).encode()


def _wire_column(column: Column) -> ResultColumn:
    return ResultColumn(
        name=column.name, type=_WIRE_TYPES[column.kind], text_encoder=lambda _column, value: render(value)
    )


def _binary_column(column: Column) -> ResultColumn:
    """Prepared statements get every value as text: no value needs a second encoding."""
    return ResultColumn(
        name=column.name,
        type=ColumnType.VAR_STRING,
        binary_encoder=lambda _column, value: packets.str_len(render(value)),
    )


class WireSession(BaseSession):  # type: ignore[misc]
    """What mysql-mimic keeps per connection, and the engine's own session, opened once the user is known."""

    def __init__(self, frontend: Frontend, on_silence: Callable[[], None]) -> None:
        self.frontend = frontend
        self.on_silence = on_silence
        self.restarts = frontend.restarts
        self.variables = SessionVariables(GlobalVariables())
        self.variables.set("version", SERVER_VERSION, force=True)
        self.username: str | None = None
        self.database: str | None = None
        self.engine: Session | None = None
        self.connection_id = 0

    async def init(self, connection: Connection) -> None:
        """Open the engine's session, in the database that the handshake asked for."""
        self.connection_id = connection.connection_id
        self.open()

    async def reset(self) -> None:
        """Start over, as COM_CHANGE_USER and COM_RESET_CONNECTION ask for."""
        self.open()

    async def use(self, database: str) -> None:
        """COM_INIT_DB."""
        self.execute(f"USE `{database}`")

    def open(self) -> None:
        """Give this connection a fresh session of its user; nothing for a user who was refused."""
        if self.username is None:
            return
        self.engine = self.frontend.connect(self.username)
        self.engine.connection_id = self.connection_id
        if self.database:
            self.execute(f"USE `{self.database}`")

    def execute(self, sql: str) -> Sequence[Result]:
        """Run every statement of `sql` in the engine.

        Raises:
            ConnectionCut: The frontend's process was started anew since this connection was made.
        """
        if self.restarts != self.frontend.restarts:
            raise ConnectionCut
        if self.engine is None:
            raise ServerError(1045, "28000", "Access denied")
        return self.engine.execute(sql)


class WireConnection(Connection):  # type: ignore[misc]
    """One client: errors and results in the frontend's words."""

    session: WireSession

    async def command_phase(self) -> None:
        """Answer commands, but none of a client whose password was refused."""
        if self.session.username is None:
            return
        with contextlib.suppress(ConnectionClosed, ConnectionError, asyncio.IncompleteReadError):
            await super().command_phase()

    async def handle_query(self, data: bytes) -> None:
        """COM_QUERY: every statement of the text, a result for each, whatever the client's flags (R§11.4)."""
        sql = packets.parse_com_query(capabilities=self.capabilities, client_charset=self.client_charset, data=data).sql
        await asyncio.sleep(self.session.frontend.faults.delay(sql))
        try:
            results = self.session.execute(sql)
        except ServerError as error:
            await self.stream.write(self.server_error(error))
            return
        except Silence:
            await self.say_nothing()
            return
        except ConnectionCut:
            self.stream.writer.transport.abort()
            return
        for index, result in enumerate(results):
            more = ServerStatus.SERVER_MORE_RESULTS_EXISTS if index + 1 < len(results) else ServerStatus(0)
            await self.write_result(result, more)

    async def say_nothing(self) -> None:
        """Let the client wait until it hangs up."""
        self.session.on_silence()
        while await self.stream.reader.read(1024):
            pass
        self.stream.writer.transport.abort()

    async def write_result(self, result: Result, more: ServerStatus) -> None:
        """One statement's answer: an OK with affected rows and info, or a result set."""
        if result.columns is None:
            await self.stream.write(self.ok_with_info(result.affected, result.info, more))
            return
        self.status_flags = more
        columns = [_wire_column(column) for column in result.columns]
        try:
            await self.write_text_resultset(ResultSet(rows=result.rows, columns=columns))
        finally:
            self.status_flags = ServerStatus(0)

    def ok_with_info(self, affected: int, info: str, flags: ServerStatus) -> bytes:
        """An OK packet with the info text that a load leaves: label, status and transaction (R§11.10)."""
        packet: bytes = self.ok(affected_rows=affected, flags=flags)
        return packet + packets.str_len(info.encode()) if info else packet

    def server_error(self, error: ServerError) -> bytes:
        """An ERR packet with the frontend's own errno and SQLSTATE."""
        return b"".join(
            (uint_1(0xFF), uint_2(error.errno), b"#", error.sqlstate.encode(), error.message.encode()),
        )

    def error(self, **fields: Any) -> bytes:
        """The ERR packet of mysql-mimic's own machinery, which may be handed a frontend's error."""
        if isinstance(fields.get("msg"), ServerError):
            return self.server_error(fields["msg"])
        packet: bytes = super().error(**fields)
        return packet

    async def handle_init_db(self, data: bytes) -> None:
        """COM_INIT_DB: USE in another spelling."""
        try:
            await super().handle_init_db(data)
        except ServerError as error:
            await self.stream.write(self.server_error(error))

    async def handle_reset_connection(self, data: bytes) -> None:
        """COM_RESET_CONNECTION: a fresh session."""
        await self.session.reset()
        await super().handle_reset_connection(data)

    async def handle_field_list(self, data: bytes) -> None:
        """COM_FIELD_LIST: the column names that a command line client completes with."""
        asked = packets.parse_com_field_list(self.client_charset, data)
        try:
            (result,) = self.session.execute(f"DESC `{asked.table}`")
        except ServerError as error:
            await self.stream.write(self.server_error(error))
            return
        for row in result.rows:
            definition = packets.make_column_definition_41(
                server_charset=self.server_charset, table=asked.table, name=str(row[0]), is_com_field_list=True
            )
            await self.stream.write(definition, drain=False)
        await self.stream.write(self.eof())

    async def handle_stmt_prepare(self, data: bytes) -> None:
        """COM_STMT_PREPARE: for SELECT only (R§11.8)."""
        sql = self.client_charset.decode(data)
        if sql.split(maxsplit=1)[:1] and sql.split(maxsplit=1)[0].upper() not in {"SELECT", "WITH"}:
            message = "This command is not supported in the prepared statement protocol yet"
            await self.stream.write(self.server_error(ServerError(1295, "HY000", message)))
            return
        if REGEX_PARAM.search(sql):
            message = "Parameters of server-side prepared statements are not modelled by the simulator"
            await self.stream.write(self.server_error(ServerError(1295, "HY000", message)))
            return
        await super().handle_stmt_prepare(data)

    async def query(self, sql: str, query_attrs: dict[str, str]) -> ResultSet:
        """COM_STMT_EXECUTE's way to the engine."""
        del query_attrs
        result = self.session.execute(sql)[-1]
        return ResultSet(rows=result.rows, columns=[_binary_column(column) for column in result.columns or ()])


class PasswordProvider(IdentityProvider):  # type: ignore[misc]
    """Who may come in: root with the frontend's password, and users that CREATE USER made."""

    def __init__(self, frontend: Frontend) -> None:
        self.frontend = frontend

    async def get_user(self, username: str) -> User:
        """The account of that name; an unknown one can never log in."""
        account = self.frontend.accounts.users.get(username)
        if account is None and username != ROOT:
            return User(name=username, auth_plugin=NoLoginAuthPlugin.name)
        password = account.password if account else self.frontend.password
        hashed = NativePasswordAuthPlugin.create_auth_string(password) if password else None
        return User(name=username, auth_string=hashed, auth_plugin=NativePasswordAuthPlugin.name)


class WireServer(MysqlServer):  # type: ignore[misc]
    """A listening frontend.

    Args:
        frontend: Who answers.
        on_silence: Is told when a fault lets a client wait for ever.
    """

    def __init__(self, frontend: Frontend, on_silence: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            session_factory=lambda: WireSession(frontend, on_silence),
            capabilities=CAPABILITIES,
            identity_provider=PasswordProvider(frontend),
        )
        self.clients: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    async def _client_connected_cb(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients[writer] = asyncio.current_task()
        try:
            await self._serve_client(reader, writer)
        except (ConnectionClosed, ConnectionCut, ConnectionError, asyncio.IncompleteReadError, ServerError):
            pass  # the client left, or was told why it may not come in
        finally:
            writer.close()
            del self.clients[writer]

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = WireConnection(
            stream=MysqlStream(reader, writer),
            session=self.session_factory(),
            control=self.control,
            server_capabilities=self.capabilities,
            identity_provider=self.identity_provider,
        )
        connection.connection_id = await self.control.add(connection)
        try:
            await connection.start()
        finally:
            await self.control.remove(connection.connection_id)

    async def stop(self) -> None:
        """Stop listening and hang up on every client."""
        self.close()
        tasks = [task for task in self.clients.values() if task is not None]
        for writer in tuple(self.clients):
            writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    def port(self) -> int:
        """The port that is listened on."""
        number: int = self.sockets()[0].getsockname()[1]
        return number


@contextlib.contextmanager
def serve(frontend: Frontend, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Serve `frontend` from a thread of its own while the block runs; gives the port.

    All statements run in that thread. What the block does to the frontend itself (a virtual clock's `advance`, faults)
    is seen by the next statement.
    """
    loop = asyncio.new_event_loop()
    server = WireServer(frontend)
    loop.run_until_complete(server.start_server(host=host, port=port))
    thread = threading.Thread(target=loop.run_forever, name="starrocks-simulator", daemon=True)
    thread.start()
    try:
        yield server.port()
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
