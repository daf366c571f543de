"""`starrocks-br restore`."""

from __future__ import annotations

from datetime import datetime, tzinfo

import click

from starrocks_br.domain.instants import parse_instant, show_instant
from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Declined, Outcome
from starrocks_br.entrypoints.options import shared_options
from starrocks_br.entrypoints.render import restore as render


@click.command("restore")
@click.option("--table", metavar="DB.TABLE", required=True, help="The table, as it was named then.")
@click.option("--timestamp", metavar="TEXT", help="The newest point at or before this: '2025-10-06 12:00:00'.")
@click.option("--label", help="The point of this snapshot.")
@click.option("--from-cluster", metavar="ID", help="A point of this cluster, where several share the history.")
@click.option("--dry-run", is_flag=True, help="Show the plan; write and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask. (Scripts are not asked anyway: the target never exists.)")
@click.option("--allow-fuzzy", is_flag=True, help="Take points that are not exact, too.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for a job slot that someone else holds. Default: that of the configuration (60).",
)
@shared_options
def restore_command(  # noqa: PLR0913 -- one per option
    call: Call,
    table: str,
    timestamp: str | None,
    label: str | None,
    from_cluster: str | None,
    *,
    dry_run: bool,
    yes: bool,
    allow_fuzzy: bool,
    wait: float | None,
) -> Outcome:
    """Give one table back exactly as it was at a point in time.

    The table must not exist: nothing is restored over a live one. A timestamp without an offset is meant in the
    configured time zone (UTC unless set).
    """
    if (timestamp is None) is (label is None):
        raise click.UsageError("give either --timestamp or --label", click.get_current_context())
    if timestamp is not None:
        parse_instant(timestamp)  # what is no point in time in any zone is refused before anything is dialled
    with call.connect() as client:
        at = None if timestamp is None else _instant(call, timestamp, client.timezone)
        plan = client.plan_restore(table, at=at, label=label, allow_fuzzy=allow_fuzzy, from_cluster=from_cluster)
        shown = render.restore_plan(plan)
        if dry_run:
            end = "this was a dry run: nothing was written or sent"
            return Outcome(lines=[*shown, end], result=documents_out.restore_plan(plan))
        if not call.agreed(shown, f"restore {plan.target.table}?", yes=yes):
            raise Declined
        report = client.restore(plan, wait=wait)
    return Outcome(
        lines=render.restore_report(report), result=documents_out.restore_report(report), warnings=report.warnings
    )


def _instant(call: Call, text: str, zone: tzinfo) -> datetime:
    """Read the point wanted, and say how it was understood unless it was written out in full."""
    at = parse_instant(text, zone)
    if text != show_instant(at):
        call.remark([f"{text!r} means {show_instant(at)}: a time without an offset is meant in {zone}"])
    return at
