"""`starrocks-br backup`."""

from __future__ import annotations

import click

from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Outcome
from starrocks_br.entrypoints.incomplete import of_plan, of_report
from starrocks_br.entrypoints.options import shared_options, wait_option
from starrocks_br.entrypoints.render import backup as render


@click.command("backup")
@click.option("--full", is_flag=True, help="Take every table whole, whatever changed.")
@click.option(
    "--table",
    "tables",
    metavar="DB.TABLE",
    multiple=True,
    help="Only this table (or all of a database: 'DB.*'); may be repeated. Default: those of the configuration.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be taken and why; write and send nothing.")
@wait_option
@shared_options
def backup_command(call: Call, tables: tuple[str, ...], *, full: bool, dry_run: bool, wait: float | None) -> Outcome:
    """Back up what changed since the last backup, and wait for the end.

    A table without a usable earlier backup is taken whole, of the others only the partitions that differ. The history
    itself is saved in the repository, too.
    """
    with call.connect() as client:
        if dry_run:
            plan = client.plan_backup(full=full, tables=tables)
            return Outcome(
                lines=render.backup_plan(plan), result=documents_out.backup_plan(plan), failure=of_plan(plan)
            )
        report = client.backup(full=full, tables=tables, wait=wait)
    planned = call.heard.planned
    return Outcome(
        lines=render.backup_report(report, planned),
        result=documents_out.backup_report(report, planned),
        failure=of_report(report),
        warnings=report.warnings,
    )
