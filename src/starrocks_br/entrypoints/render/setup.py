"""What `init` and `bootstrap` did."""

from __future__ import annotations

from starrocks_br.domain.instants import show_instant
from starrocks_br.entrypoints.render.history import damages
from starrocks_br.entrypoints.render.layout import indented, number, table
from starrocks_br.services.reports import BootstrapPlan, BootstrapReport, InitReport


def init_report(report: InitReport) -> list[str]:
    """What was created."""
    if not report.created:
        return [f"the tables in {report.ops} are there already; nothing was changed"]
    copies = number(report.replication_num, "replica")
    return [f"created what was missing of the tables in {report.ops}, with {copies}", "next: starrocks-br backup"]


def bootstrap_plan(plan: BootstrapPlan) -> list[str]:
    """Which metadata snapshot is taken."""
    return [
        f"history from snapshot {plan.label} in repository {plan.repository}",
        f"  taken:   {show_instant(plan.taken_at)}",
        f"  cluster: {plan.cluster}",
        f"  older snapshots of the same history: {plan.others}",
    ]


def bootstrap_report(report: BootstrapReport) -> list[str]:
    """What came back, and what can be restored now."""
    rows = [(str(name), str(count)) for name, count in sorted(report.points.items())]
    lines = [f"{number(report.rows, 'history row')} came back from snapshot {report.plan.label}"]
    if rows:
        lines += indented(table(("TABLE", "POINTS"), rows, right={"POINTS"}))
    else:
        lines.append("no table has a point that can be restored")
    return [*lines, *damages(report.damages), *_next(bool(rows))]


def _next(anything: bool) -> list[str]:
    if not anything:
        return ["next: starrocks-br list --all"]
    return [
        "next: starrocks-br list, then starrocks-br restore --table DATABASE.TABLE --timestamp POINT",
        "      the next backup takes whole what was not restored under its own name on this cluster",
    ]
