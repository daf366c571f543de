"""`starrocks-br list` and `starrocks-br show`."""

from __future__ import annotations

import click

from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Outcome
from starrocks_br.entrypoints.options import shared_options
from starrocks_br.entrypoints.render import history as render


@click.command("list")
@click.option("--table", metavar="DB.TABLE", help="Only this table (or all of a database: 'DB.*').")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many rows.")
@click.option("--all", "everything", is_flag=True, help="Also expired snapshots and those of the history itself.")
@click.option("--restores", is_flag=True, help="List restores and their ids instead.")
@shared_options
def list_command(call: Call, table: str | None, limit: int, *, everything: bool, restores: bool) -> Outcome:
    """List what was backed up, newest first; or what was restored.

    A POINT can be given to restore --timestamp as it stands here, an ID to restore --undo and --resume.
    """
    if restores and everything:
        raise click.UsageError("--all is about backups: it does not go with --restores")
    with call.connect() as client:
        if restores:
            found = client.restores(table=table, limit=limit)
            return Outcome(lines=render.restores(found, about=table), result=documents_out.restores(found))
        report = client.history(table=table, limit=limit, everything=everything)
    return Outcome(lines=render.history(report, about=table), result=documents_out.history(report))


@click.command("show")
@click.argument("label")
@click.option("--table", metavar="DB.TABLE", help="Only this table of it.")
@shared_options
def show_command(call: Call, label: str, table: str | None) -> Outcome:
    """Show the snapshot LABEL: its times, what the repository says of it, its tables, partitions and chains."""
    with call.connect() as client:
        report = client.show(label, table)
    return Outcome(lines=render.snapshot(report), result=documents_out.snapshot(report))
