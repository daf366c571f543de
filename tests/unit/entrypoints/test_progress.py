"""Progress as it appears on a terminal and in a log."""

from __future__ import annotations

import io

import pytest

from starrocks_br.domain.events import (
    BackupPlanned,
    JobEnded,
    JobSeen,
    JobSent,
    Progress,
    RestorePlanned,
    Retrying,
    Settled,
    StepDone,
    Warned,
)
from starrocks_br.domain.names import database_name, label_name
from starrocks_br.domain.restore_steps import Verify
from starrocks_br.domain.status import Status
from starrocks_br.entrypoints.console import Heard
from starrocks_br.entrypoints.progress import (
    LineDisplay,
    QuietDisplay,
    TerminalDisplay,
    describe,
    display_for,
    live_text,
)
from tests.unit.entrypoints import values
from tests.unit.entrypoints.values import DB1, FULL_LABEL, ORDERS

ENDED = JobEnded(database=DB1, label=FULL_LABEL, job=values.job("FINISHED"), elapsed=61.5)


def seen(state: str, elapsed: float = 5.0, progress: str = "", database: str = "db1") -> JobSeen:
    return JobSeen(job=values.job(state, progress, database), elapsed=elapsed)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (BackupPlanned(plan=values.backup_plan()), "planned: 4 tables in 1 database, 1 job"),
        (RestorePlanned(plan=values.restore_plan()), "planned: db1.orders from 2 snapshots, as restore x1"),
        (JobSent(database=DB1, label=FULL_LABEL), f"db1: sent, snapshot {FULL_LABEL}"),
        (seen("UPLOADING"), "db1: BACKUP UPLOADING"),
        (ENDED, "db1: BACKUP FINISHED after 1 min 01 s"),
        (
            JobEnded(database=DB1, label=FULL_LABEL, job=None, elapsed=1),
            f"db1: the job of snapshot {FULL_LABEL} is not shown any more",
        ),
        (
            StepDone(number=2, total=3, step=Verify(table=ORDERS, source=ORDERS, point=label_name("l1"))),
            "step 2/3 done: compare db1.orders with what was recorded, and count its rows",
        ),
        (
            Settled(subject="l1", outcome=Status.FINISHED, detail="seen"),
            "from an earlier command: l1 is FINISHED (seen)",
        ),
        (Settled(subject="l1", outcome=None, detail="b"), "from an earlier command: l1 is still running (b)"),
        (Retrying(database=DB1, attempt=2, reason="busy"), "db1: attempt 2 follows, because busy"),
        (Warned(message="slow", table=ORDERS), "warning: db1.orders: slow"),
        (Warned(message="slow"), "warning: slow"),
    ],
)
def test_every_event_has_its_line(progress: Progress, text: str) -> None:
    assert describe(progress) == text


def test_a_running_job_shows_tablets_once_they_are_known_and_a_clock() -> None:
    assert live_text(seen("PENDING", 7.9)) == "db1 PENDING 0:07"
    assert live_text(seen("UPLOADING", 185, "[1: 12/30], [2: 3/10]")) == "db1 UPLOADING 15/40 tablets 3:05"


def test_a_log_gets_one_line_per_change_of_state() -> None:
    stream = io.StringIO()
    display = LineDisplay(stream)
    for event in (seen("PENDING"), seen("PENDING", 6), seen("UPLOADING"), seen("PENDING", database="db2"), ENDED):
        display(event)
    display.close()
    assert stream.getvalue().splitlines() == [
        "db1: BACKUP PENDING",
        "db1: BACKUP UPLOADING",
        "db2: BACKUP PENDING",
        "db1: BACKUP FINISHED after 1 min 01 s",
    ]


def test_quiet_shows_warnings_only() -> None:
    stream = io.StringIO()
    display = QuietDisplay(stream)
    display(seen("PENDING"))
    display(Warned(message="slow"))
    display.close()
    assert stream.getvalue() == "warning: slow\n"


def test_a_terminal_gets_one_line_rewritten_and_events_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = io.StringIO()
    display = TerminalDisplay(stream)
    display(seen("PENDING", 1))
    display(seen("SNAPSHOTING", 2, database="db2"))
    display(Warned(message="slow"))
    display(ENDED)
    display.close()
    display.close()
    clear = "\r\x1b[K"
    assert stream.getvalue() == "".join(
        [
            f"{clear}db1 PENDING 0:01",
            f"{clear}db1 PENDING 0:01 | db2 SNAPSH",
            f"{clear}warning: slow\n{clear}db1 PENDING 0:01 | db2 SNAPSH",
            f"{clear}db1: BACKUP FINISHED after 1 min 01 s\n{clear}db2 SNAPSHOTING 0:02",
            clear,
        ]
    )


def test_the_end_of_a_job_never_shown_needs_no_live_line() -> None:
    stream = io.StringIO()
    TerminalDisplay(stream)(ENDED)
    assert stream.getvalue().endswith("after 1 min 01 s\n")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_the_display_fits_the_stream() -> None:
    assert type(display_for(Terminal(), quiet=True)) is QuietDisplay
    assert type(display_for(Terminal(), quiet=False)) is TerminalDisplay
    assert type(display_for(io.StringIO(), quiet=False)) is LineDisplay


def test_the_listener_keeps_warnings_and_the_last_plan_of_each_database() -> None:
    stream = io.StringIO()
    heard = Heard(QuietDisplay(stream))
    first, other = values.planned(), type(values.planned())(database=database_name("db2"), tables=())
    newer = type(first)(database=DB1, tables=first.tables[:1])
    heard(BackupPlanned(plan=type(values.backup_plan())(databases=(first, other))))
    heard(BackupPlanned(plan=type(values.backup_plan())(databases=(newer,))))
    for _ in range(2):
        heard(Warned(message="slow", table=ORDERS))
    heard(seen("PENDING"))
    assert heard.planned == {DB1: newer, "db2": other}
    assert heard.warnings == ["db1.orders: slow"]
    assert stream.getvalue() == "warning: db1.orders: slow\n"
