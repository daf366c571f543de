"""`starrocks-br restore`."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from starrocks_br.domain.instants import parse_instant, show_instant
from starrocks_br.entrypoints import documents_restore, incomplete
from starrocks_br.entrypoints.console import Call, Declined, Outcome
from starrocks_br.entrypoints.options import shared_options, wait_option
from starrocks_br.entrypoints.render import restore as render
from starrocks_br.entrypoints.render import restore_batch, restored
from starrocks_br.entrypoints.restore_wish import RestoreWish

if TYPE_CHECKING:
    from starrocks_br.client import Client
    from starrocks_br.services.reports import RestoreReport

NOTHING_SENT = "nothing was written or sent"
DRY = f"this was a dry run: {NOTHING_SENT}"


@click.command("restore")
@click.option("--table", multiple=True, metavar="DB.TABLE", help="As it was named then; repeatable; 'DB.*': all of DB.")
@click.option("--timestamp", metavar="TEXT", help="The newest point at or before this: '2025-10-06 12:00:00'.")
@click.option("--label", help="The point of this snapshot.")
@click.option("--from-cluster", metavar="ID", help="A point of this cluster, where several share the history.")
@click.option("--as", "as_name", metavar="NAME", help="Give the one table this name.")
@click.option("--to-database", metavar="DB", help="Put the tables there; it is created if it is missing.")
@click.option("--partition", multiple=True, metavar="NAME", help="Only this one, into a side table; repeatable.")
@click.option("--replace", is_flag=True, help="Let a live table give way; it stays under another name.")
@click.option("--drop-old", is_flag=True, help="With --replace: drop that one in the end, past recovery.")
@click.option(
    "--verify", type=click.Choice(["counts", "none"]), help="Count each partition's rows, or none. [all rows]"
)
@click.option("--dry-run", is_flag=True, help="Show the plan; write and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask. Scripts are asked nothing, but must say so to --replace.")
@click.option("--allow-fuzzy", is_flag=True, help="Take points that are not exact, too.")
@wait_option
@click.option("--undo", metavar="ID", help="Give the table that a restore replaced its name again.")
@click.option("--resume", metavar="ID", help="Finish a restore that was killed.")
@shared_options
def restore_command(call: Call, /, **options: Any) -> Outcome:
    """Give tables back exactly as they were at a point in time.

    Nothing is restored over a live table: without --replace the name must be free. The plan is shown first.
    A timestamp without an offset is meant in the configured time zone (UTC unless set).
    """
    wish = RestoreWish(**options)
    _check(wish, call)
    with call.connect() as client:
        if wish.undo is not None:
            return _undo(client, wish.undo)
        if wish.resume is not None:
            return _resume(client, wish.resume, wish.wait)
        at = None if wish.timestamp is None else _instant(call, wish.timestamp, client.timezone)
        return _several(call, client, wish, at) if wish.several else _one(call, client, wish, at)


def _check(wish: RestoreWish, call: Call) -> None:
    """Refuse what cannot be meant before anything is dialled."""
    problem = wish.problem
    if not problem and wish.replace and not (wish.yes or wish.dry_run or call.can_ask):
        problem = "--replace moves a live table, and there is nobody to ask here: say --yes"
    if problem:
        raise click.UsageError(problem, click.get_current_context())
    if wish.timestamp is not None:
        parse_instant(wish.timestamp)  # what is no point in time in any zone


def _undo(client: Client, restore: str) -> Outcome:
    report = client.undo_restore(restore)
    return Outcome(lines=restored.undo_report(report), result=documents_restore.undo_report(report))


def _resume(client: Client, restore: str, wait: float | None) -> Outcome:
    return _done(client.resume_restore(restore, wait=wait))


def _one(call: Call, client: Client, wish: RestoreWish, at: datetime | None) -> Outcome:
    plan = client.plan_restore(
        wish.table[0],
        at=at,
        label=wish.label,
        into=wish.into,
        replace=wish.replace,
        drop_old=wish.drop_old,
        partitions=wish.partition,
        reading=wish.reading,
        allow_fuzzy=wish.allow_fuzzy,
        from_cluster=wish.from_cluster,
    )
    shown = render.restore_plan(plan)
    if wish.dry_run:
        return Outcome(lines=[*shown, DRY], result=documents_restore.restore_plan(plan))
    if not call.agreed(shown, render.question(plan), yes=wish.yes):
        raise Declined
    return _done(client.restore(plan, wait=wish.wait))


def _done(report: RestoreReport) -> Outcome:
    return Outcome(
        lines=restored.restore_report(report),
        result=documents_restore.restore_report(report),
        warnings=report.warnings,
    )


def _several(call: Call, client: Client, wish: RestoreWish, at: datetime | None) -> Outcome:
    batch = client.plan_restores(
        wish.table,
        at=at,
        label=wish.label,
        database=wish.to_database,
        replace=wish.replace,
        drop_old=wish.drop_old,
        reading=wish.reading,
        allow_fuzzy=wish.allow_fuzzy,
        from_cluster=wish.from_cluster,
    )
    shown = restore_batch.batch_plan(batch)
    if wish.dry_run or not batch.plans:
        failure = incomplete.of_batch(batch)
        end = DRY if wish.dry_run else NOTHING_SENT
        return Outcome(lines=[*shown, end], result=documents_restore.batch_plan(batch), failure=failure)
    if not call.agreed(shown, restore_batch.question(batch), yes=wish.yes):
        raise Declined
    report = client.restore_all(batch, wait=wish.wait)
    return Outcome(
        lines=restored.batch_report(report),
        result=documents_restore.batch_report(report),
        failure=incomplete.of_restores(report),
    )


def _instant(call: Call, text: str, zone: tzinfo) -> datetime:
    """Read the point wanted, and say how it was understood unless it was written out in full."""
    at = parse_instant(text, zone)
    if text != show_instant(at):
        call.remark([f"{text!r} means {show_instant(at)}: a time without an offset is meant in {zone}"])
    return at
