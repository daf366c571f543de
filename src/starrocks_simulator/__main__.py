"""`starrocks-simulator`: a StarRocks frontend on a port."""

from __future__ import annotations

import asyncio
import secrets
import signal
from pathlib import Path

import click

from starrocks_simulator.frontend import Frontend
from starrocks_simulator.named_faults import BadFault, plant
from starrocks_simulator.wire import WireServer


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9030, show_default=True, help="Port to listen on; 0 picks a free one.")
@click.option(
    "--repository-dir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder that holds every repository; it outlives the cluster.",
)
@click.option("--tick", default=3.0, show_default=True, help="Seconds between two steps of a job.")
@click.option(
    "--password", envvar="STARROCKS_SIMULATOR_PASSWORD", default="", help="Password of root; empty by default."
)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the password of root.",
)
@click.option(
    "--fault",
    "faults",
    metavar="NAME[#WHICH][=VALUE]",
    multiple=True,
    help="What is to go wrong, by name; may be repeated. docs/failures.md lists the names.",
)
def main(
    *,
    host: str,
    port: int,
    repository_dir: Path,
    tick: float,
    password: str,
    password_file: Path | None,
    faults: tuple[str, ...],
) -> None:
    """Serve an empty StarRocks cluster until SIGTERM or SIGINT."""
    if password_file is not None:
        password = password_file.read_text().splitlines()[0]
    repository_dir.mkdir(parents=True, exist_ok=True)
    # A new cluster every time: whoever reads a repository must be able to tell whose snapshots are whose.
    frontend = Frontend(repository_dir, tick=tick, password=password, cluster_id=1 + secrets.randbelow(2**31 - 1))
    try:
        for fault in faults:
            plant(frontend, fault)
    except BadFault as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    asyncio.run(_serve(frontend, host, port))


async def _serve(frontend: Frontend, host: str, port: int) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = WireServer(frontend, on_silence=lambda: click.echo("a client waits for an answer that never comes"))
    await server.start_server(host=host, port=port)
    click.echo(f"ready on {host}:{server.port()}")
    await stopping.wait()
    await server.stop()


if __name__ == "__main__":
    main()
