"""What people read of the history."""

from __future__ import annotations

from attrs import evolve

from starrocks_br.domain.instants import parse_instant
from starrocks_br.domain.names import ClusterId, TableRef, database_name, table_name
from starrocks_br.domain.restore_outline import RestoreState
from starrocks_br.domain.snapshot import BackupType, Consistency, Damage
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.render.history import history, restores, snapshot
from starrocks_br.services.reports import HistoryReport, RestoresReport, SnapshotReport
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import FULL_LABEL, META_LABEL, NEXT_LABEL, NOON, ORDERS


def test_an_empty_history_says_what_to_do_next() -> None:
    empty = HistoryReport(outlines=(), points=frozenset())
    assert history(empty) == ["no backup is recorded", "next: starrocks-br backup"]
    assert history(empty, about="db1.x")[0] == "no backup of db1.x is recorded"


def test_where_all_is_exact_the_list_has_no_column_for_consistency() -> None:
    report = HistoryReport(outlines=(values.outline(),), points=frozenset({(FULL_LABEL, ORDERS)}))
    lines = history(report)
    assert lines == [
        "POINT                      TABLE       TYPE  STATUS    PARTITIONS     SIZE  LABEL",
        f"2025-10-06 12:00:00+00:00  db1.orders  FULL  FINISHED           3  2.0 KiB  {FULL_LABEL}",
    ]
    assert parse_instant(lines[1][:25]) == NOON


def test_rows_that_cannot_be_restored_are_marked_and_rows_that_are_no_points_show_none() -> None:
    history_table = TableRef(database_name("ops"), table_name("backup_history"))
    broken = values.outline(of=values.snapshot(NEXT_LABEL), kind=BackupType.INCREMENTAL)
    fuzzy = values.outline(of=values.snapshot("fuzzy"), consistency=Consistency.FUZZY)
    failed = values.outline(
        of=values.snapshot("failed", Status.FAILED, at=None), consistency=Consistency.UNKNOWN, captured=0
    )
    meta = values.outline(
        history_table, of=values.snapshot(META_LABEL), kind=BackupType.METADATA, consistency=Consistency.UNKNOWN
    )
    report = HistoryReport(outlines=(broken, fuzzy, failed, meta), points=frozenset(), more=True)
    head, broken_row, fuzzy_row, failed_row, meta_row, *notes = history(report)
    assert "CONSISTENCY" in head
    assert "FINISHED, not restorable  EXACT" in broken_row
    assert "FINISHED, not restorable  FUZZY" in fuzzy_row
    assert failed_row.startswith("-  ")
    assert "not restorable" not in failed_row
    assert meta_row.startswith("-  ")
    assert "not restorable" not in meta_row
    assert notes == [
        "not restorable: starrocks-br show LABEL tells why",
        "a point that is not EXACT is only taken with restore --allow-fuzzy",
        "older ones are not shown: see --limit",
    ]


def test_where_the_history_is_that_of_several_clusters_each_row_names_its_own() -> None:
    there = values.outline(of=evolve(values.snapshot("theirs"), cluster=ClusterId("99")))
    report = HistoryReport(
        outlines=(values.outline(), there), points=frozenset({(FULL_LABEL, ORDERS), (there.label, ORDERS)})
    )
    head, ours, theirs, *notes = history(report)
    assert head.split()[-2:] == ["CLUSTER", "LABEL"]
    assert ours.split()[-2:] == [values.outline().snapshot.cluster, FULL_LABEL]
    assert theirs.split()[-2:] == ["99", "theirs"]
    assert "--from-cluster" in " ".join(notes)


def test_a_snapshot_shows_its_facts_tables_partitions_and_chains() -> None:
    found = evolve(
        values.snapshot(NEXT_LABEL),
        submitted_at=NOON,
        finished_at=NOON,
        backup_timestamp="2025-10-06-12-00-00-001",
    )
    report = SnapshotReport(
        snapshot=found,
        entries=(values.entry(),),
        chains={ORDERS: (FULL_LABEL, NEXT_LABEL)},
        damages=(Damage(label=NEXT_LABEL, table="db1.x", problem="row 2 is missing"),),
    )
    lines = snapshot(report)
    assert lines[0] == f"snapshot {NEXT_LABEL}"
    assert "  point            2025-10-06 12:00:00+00:00" in lines
    assert "  in repository    sound" in lines
    assert "  timestamp there  2025-10-06-12-00-00-001" in lines
    assert lines[-7:] == [
        "db1.orders: INCREMENTAL, EXACT, 2 partitions captured, 1 dropped, 9.8 KiB",
        f"  chain: {FULL_LABEL} -> {NEXT_LABEL}",
        "  PARTITION   ROWS     SIZE",
        "  p1         1,000  9.8 KiB",
        "  p2             ?        -",
        "  dropped: p0",
        f"damaged: {NEXT_LABEL} db1.x: row 2 is missing",
    ]


def test_a_failed_snapshot_shows_the_servers_words_and_what_was_asked_for() -> None:
    found = evolve(
        values.snapshot(NEXT_LABEL, Status.FAILED, at=None), error_code="JobFailed", error="[COMMON_ERROR, msg: disk]"
    )
    report = SnapshotReport(
        snapshot=found,
        entries=(evolve(values.entry(), snapshot=found, captured={}, dropped=frozenset()),),
        chains={},
        remote="not there",
        damages=(Damage(label="torn", table="", problem="1 of 2 rows"),),
    )
    lines = snapshot(report)
    assert "  error            JobFailed [COMMON_ERROR, msg: disk]" in lines
    assert "  in repository    not there" in lines
    assert "  timestamp there  -" in lines
    assert lines[-3:] == [
        "db1.orders: INCREMENTAL, 0 partitions asked for, 0 dropped, -",
        "  no point: it failed",
        "damaged: torn: 1 of 2 rows",
    ]


def test_a_snapshot_that_is_under_way_or_expired_is_no_point_and_a_broken_chain_says_so() -> None:
    told = {status: shown_as(status)[-6:-4] for status in (Status.RUNNING, Status.EXPIRED, Status.FINISHED)}
    assert told == {
        Status.RUNNING: [
            "db1.orders: INCREMENTAL, 2 partitions asked for, 1 dropped, 9.8 KiB",
            "  no point: it is RUNNING",
        ],
        Status.EXPIRED: [
            "db1.orders: INCREMENTAL, EXACT, 2 partitions captured, 1 dropped, 9.8 KiB",
            "  no point: it is EXPIRED",
        ],
        Status.FINISHED: [
            "db1.orders: INCREMENTAL, EXACT, 2 partitions captured, 1 dropped, 9.8 KiB",
            "  chain: broken, this point cannot be restored",
        ],
    }


def shown_as(status: Status) -> list[str]:
    found = values.snapshot(NEXT_LABEL, status)
    return snapshot(SnapshotReport(snapshot=found, entries=(evolve(values.entry(), snapshot=found),), chains={}))


def test_an_unchanged_snapshot_has_nothing_of_its_own_in_the_repository() -> None:
    report = SnapshotReport(snapshot=values.snapshot(NEXT_LABEL, Status.UNCHANGED), entries=(), chains={})
    assert "  in repository    nothing of its own" in snapshot(report)


def test_a_restore_that_is_recorded_has_nothing_of_its_own_in_the_repository_either() -> None:
    restored = evolve(values.entry(), type=BackupType.RESTORED, dropped=frozenset())
    lines = snapshot(SnapshotReport(snapshot=values.snapshot(NEXT_LABEL), entries=(restored,), chains={}))
    assert "  in repository    nothing of its own" in lines
    assert "db1.orders: RESTORED, EXACT, 2 partitions known again, 0 dropped, 0 B" in lines


def test_restores_are_listed_with_what_can_be_done_about_them() -> None:
    done, given_up = values.restore_outline(), values.restore_outline(RestoreState.GIVEN_UP, replaced=False)
    assert restores(RestoresReport(restores=(done, given_up))) == [
        "BEGAN                      TABLE       STATE     REPLACED  ID",
        "2025-10-06 12:00:00+00:00  db1.orders  DONE      yes       r1",
        "2025-10-06 12:00:00+00:00  db1.orders  GIVEN UP  -         r1",
        "restore --undo ID gives the table that was replaced its name again",
    ]
    killed = RestoresReport(restores=(values.restore_outline(RestoreState.OPEN),), damages=("r2 is torn",), more=True)
    assert restores(killed)[2:] == [
        "OPEN: at work, or killed: restore --resume ID finishes it, restore --undo ID takes it back",
        "older ones are not shown: see --limit",
        "damaged: r2 is torn",
    ]


def test_where_nothing_was_restored_it_says_so() -> None:
    assert restores(RestoresReport(restores=())) == ["no restore is recorded"]
    assert restores(RestoresReport(restores=()), about="db1.*") == ["no restore of db1.* is recorded"]
