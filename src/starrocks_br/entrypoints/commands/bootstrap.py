"""`starrocks-br bootstrap`."""

from __future__ import annotations

import click

from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Declined, Outcome
from starrocks_br.entrypoints.options import shared_options
from starrocks_br.entrypoints.render import setup as render


@click.command("bootstrap")
@click.option("--label", help="Take this metadata snapshot (backup prints its label). Default: the newest.")
@click.option("--dry-run", is_flag=True, help="Show which snapshot would be taken; write and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask. (Scripts are not asked anyway.)")
@shared_options
def bootstrap_command(call: Call, label: str | None, *, dry_run: bool, yes: bool) -> Outcome:
    """On a new, empty cluster: get the history back from the repository, so that restore works.

    The repository must have been created on the new cluster. Rows that are there already stay as they are.
    """
    with call.connect() as client:
        plan = client.plan_bootstrap(label)
        shown = render.bootstrap_plan(plan)
        if dry_run:
            end = "this was a dry run: nothing was written or sent"
            return Outcome(lines=[*shown, end], result=documents_out.bootstrap_plan(plan))
        if not call.agreed(shown, "take the history from it?", yes=yes):
            raise Declined
        report = client.bootstrap(plan.label)
    warnings = [f"damaged: {damage.label} {damage.table}: {damage.problem}" for damage in report.damages]
    return Outcome(
        lines=render.bootstrap_report(report), result=documents_out.bootstrap_report(report), warnings=warnings
    )
