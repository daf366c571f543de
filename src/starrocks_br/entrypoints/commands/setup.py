"""`starrocks-br init`."""

from __future__ import annotations

import click

from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Outcome
from starrocks_br.entrypoints.options import shared_options
from starrocks_br.entrypoints.render import setup as render


@click.command("init")
@shared_options
def init_command(call: Call) -> Outcome:
    """Create the database and the tables that hold the history. Run it once per cluster; again is harmless."""
    with call.connect() as client:
        report = client.init()
    return Outcome(lines=render.init_report(report), result=documents_out.init_report(report))
