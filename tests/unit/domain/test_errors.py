"""Errors: what, why, what next."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from starrocks_br.domain.errors import (
    BrokenChain,
    ClusterError,
    InvalidSettings,
    JobFailed,
    NoPoint,
    OutcomeUnknown,
    Refused,
    RequestError,
    StarRocksBrError,
    Unreachable,
    VerificationMismatch,
    gone,
)
from starrocks_br.domain.names import Label
from tests.unit.domain.examples import NOON, ORDERS


def test_an_error_reads_as_what_and_why() -> None:
    """The hint is for those who ask for it."""
    error = StarRocksBrError("db1.orders cannot be restored", why="its chain is broken", hint="take another point")
    assert str(error) == "db1.orders cannot be restored: its chain is broken"
    assert (error.what, error.why, error.hint) == error.args
    assert str(StarRocksBrError("only what")) == "only what"


@pytest.mark.parametrize(
    "fail",
    [
        StarRocksBrError,
        InvalidSettings,
        NoPoint,
        BrokenChain,
        VerificationMismatch,
        partial(Refused, errno=5064),
        JobFailed,
    ],
)
def test_nothing_is_said_that_nobody_gave(fail: Callable[[str], StarRocksBrError]) -> None:
    """And no error is worth another attempt unless somebody says so: a retry of the rest could do harm."""
    error = fail("what")
    assert (str(error), error.why, error.hint) == ("what", "", "")
    assert not getattr(error, "transient", False)


def test_all_problems_of_the_settings_are_told_one_per_line() -> None:
    """Not one per attempt."""
    error = InvalidSettings("config.yaml has problems", ["port: no number", "host: missing"], hint="see docs")
    assert error.problems == ("port: no number", "host: missing")
    assert str(error) == "config.yaml has problems: port: no number\nhost: missing"
    assert error.hint == "see docs"


def test_errors_keep_what_a_program_needs() -> None:
    """Fields, so that nobody has to read messages."""
    later = NOON + timedelta(hours=1)
    point = NoPoint("no point", oldest=NOON, newest=later, why="w", hint="h")
    assert (point.oldest, point.newest, point.why, point.hint) == (NOON, later, "w", "h")
    broken = BrokenChain("broken", table=ORDERS, labels=iter([Label("a"), Label("b")]))
    assert (broken.table, broken.labels) == (ORDERS, ("a", "b"))
    mismatch = VerificationMismatch("differs", table=ORDERS, differences=["p1 is missing", "p2 too"], hint="h")
    assert (mismatch.table, mismatch.differences) == (ORDERS, ("p1 is missing", "p2 too"))
    assert (str(mismatch), mismatch.hint) == ("differs: p1 is missing\np2 too", "h")
    refused = Refused("BACKUP was refused", errno=5064, transient=True, why="busy")
    assert (refused.errno, refused.transient) == (5064, True)
    failed = JobFailed("the job failed", label=Label("a"), transient=True, why="timeout", hint="run it again")
    assert (failed.label, failed.transient) == ("a", True)
    assert (failed.what, failed.why, failed.hint) == ("the job failed", "timeout", "run it again")


@pytest.mark.parametrize("kind", [Unreachable, OutcomeUnknown, Refused, JobFailed])
def test_the_other_sides_errors_are_one_family(kind: type[Exception]) -> None:
    """And the caller's another."""
    assert issubclass(kind, ClusterError)
    assert not issubclass(kind, RequestError)


def test_an_error_survives_pickling() -> None:
    """Platform scripts send them between processes, fields and all."""
    error = Refused("BACKUP was refused", errno=5064, transient=True, why="busy", hint="wait")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes
    assert type(copy) is Refused
    assert (str(copy), copy.hint, copy.errno, copy.transient) == ("BACKUP was refused: busy", "wait", 5064, True)


def test_the_end_of_patience_says_what_goes_on_without_us() -> None:
    told = gone(OutcomeUnknown("the line broke", why="error 2013"))
    assert type(told) is Unreachable
    assert (told.what, told.why) == ("the cluster does not answer any more", "the line broke: error 2013")
    assert told.hint == "jobs go on in the cluster; run the command again and it picks them up"
