"""`starrocks-br bootstrap`."""

from __future__ import annotations

import click

from starrocks_br.entrypoints import documents_out
from starrocks_br.entrypoints.console import Call, Declined, Outcome
from starrocks_br.entrypoints.options import shared_options
from starrocks_br.entrypoints.render import setup as render


@click.command("bootstrap")
@click.option("--label", help="Take this metadata snapshot (backup prints its label). Default: the newest.")
@click.option("--from-cluster", metavar="ID", help="Take the history of this cluster, if there are several.")
@click.option("--repository", metavar="NAME", help="Take it from this one. Default: that of the configuration.")
@click.option("--dry-run", is_flag=True, help="Show which snapshot would be taken; write and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask. (Scripts are not asked anyway.)")
@shared_options
def bootstrap_command(
    call: Call, label: str | None, from_cluster: str | None, repository: str | None, *, dry_run: bool, yes: bool
) -> Outcome:
    """Get a history back from a repository, so that restore works: on a new cluster its own, or another cluster's.

    The repository must have been created on this cluster; READ ONLY is enough. Rows that are there already stay as they
    are.
    """
    with call.connect() as client:
        plan = client.plan_bootstrap(label, from_cluster=from_cluster, repository=repository)
        shown = render.bootstrap_plan(plan)
        if dry_run:
            end = "this was a dry run: nothing was written or sent"
            return Outcome(lines=[*shown, end], result=documents_out.bootstrap_plan(plan))
        if not call.agreed(shown, "take the history from it?", yes=yes):
            raise Declined
        report = client.bootstrap(plan.label, repository=repository)
    warnings = [f"damaged: {damage.label} {damage.table}: {damage.problem}" for damage in report.damages]
    return Outcome(
        lines=render.bootstrap_report(report), result=documents_out.bootstrap_report(report), warnings=warnings
    )
