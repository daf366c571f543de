"""What people read of setting up and of cold starts."""

from __future__ import annotations

from starrocks_br.domain.names import database_name
from starrocks_br.domain.snapshot import Damage
from starrocks_br.entrypoints.render.setup import bootstrap_plan, bootstrap_report, init_report
from starrocks_br.services.reports import BootstrapReport, InitReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import META_LABEL, ORDERS


def test_init_tells_whether_it_created_anything() -> None:
    created = InitReport(ops=database_name("ops"), created=True, replication_num=3)
    assert init_report(created) == [
        "created what was missing of the tables in ops, with 3 replicas",
        "next: starrocks-br backup",
    ]
    there = InitReport(ops=database_name("ops"), created=False, replication_num=3)
    assert init_report(there) == ["the tables in ops are there already; nothing was changed"]


def test_a_cold_start_tells_what_came_back() -> None:
    report = BootstrapReport(
        plan=values.bootstrap_plan(),
        rows=7,
        points={ORDERS: 2},
        damages=(Damage(label="torn", table="", problem="1 of 2 rows"),),
    )
    assert bootstrap_report(report) == [
        f"7 history rows came back from snapshot {META_LABEL}",
        "  TABLE       POINTS",
        "  db1.orders       2",
        "damaged: torn: 1 of 2 rows",
        "next: starrocks-br list, then starrocks-br restore --table DATABASE.TABLE --timestamp POINT",
        "      the next backup takes whole what was not restored under its own name on this cluster",
    ]
    assert bootstrap_plan(report.plan) == [
        f"history from snapshot {META_LABEL} in repository my_backup_repo",
        "  taken:   2025-10-06 12:00:00+00:00",
        "  cluster: 77",
        "  older snapshots of the same history: 2",
    ]


def test_a_cold_start_without_points_says_so() -> None:
    report = BootstrapReport(plan=values.bootstrap_plan(), rows=1, points={})
    assert bootstrap_report(report)[1:] == [
        "no table has a point that can be restored",
        "next: starrocks-br list --all",
    ]
