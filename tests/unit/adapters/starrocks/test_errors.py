"""The table of error numbers and words, line by line."""

from __future__ import annotations

import pytest

from starrocks_br.adapters.starrocks.errors import RULES, explain
from starrocks_br.domain.errors import AccessDenied, OutcomeUnknown, Refused, Unreachable

_TRANSIENT = [
    (5064, "Another backup or restore job is being submitted. Please wait and try again"),
    (5064, "Can only run one backup or restore job of a database at same time"),
    (5064, "Do not support backing up table with temp partitions"),
    (5064, "Unknown partition p1 in tableorders"),
    (1064, "Getting analyzing error from line 1, column 36. Detail message: partition[p] does not exist  in tablet."),
    (1064, "Getting analyzing error. Detail message: Incorrect table name 'nope'."),
    (5502, "Unknown table 't'"),
    (1051, "Unknown table 't'"),
    (5064, "failed to list remote path: s3a://b/p. msg: Connection refused"),
    (1064, "Failed to list snapshot in repo: r, err: failed to list remote path: s3a://b/p"),
    (1064, "Failed to load data into tablet 7, because of too many versions, current/limit: 1001/1000. You can"),
    (5064, "Snapshot with name 'l' already exist in repository"),
    (1064, "meta data may has been updated during this period, please try again"),
]

_FATAL = [
    (5064, "Do not support backing up temp partitions"),
    (5064, "Getting analyzing error. Detail message: Repository [r] does not exist."),
    (5064, "Table: t can not support backup restore, type: CLOUD_NATIVE"),
    (5502, "Getting analyzing error. Detail message: Unknown table 'db.t'."),
    (5501, "Unknown database 'x'"),
    (1064, "Getting syntax error at line 1, column 0. Detail message: Unexpected input 'x'."),
    (5305, "Explicit transaction only support insert statement"),
    (1298, "Unknown or incorrect time zone: 'x'."),
]


@pytest.mark.parametrize(("errno", "message"), _TRANSIENT)
def test_refusals_that_a_new_attempt_may_escape_are_transient(errno: int, message: str) -> None:
    """Made anew, with a new look and a new label, the request may be met."""
    error = explain(errno, message, action="BACKUP SNAPSHOT")

    assert isinstance(error, Refused)
    assert (error.errno, error.transient) == (errno, True)
    assert error.what == "BACKUP SNAPSHOT was refused"
    assert error.why == f"{message} (error {errno})"


@pytest.mark.parametrize(("errno", "message"), _FATAL)
def test_all_other_refusals_are_not(errno: int, message: str) -> None:
    """What was not seen to pass by itself is not tried again."""
    error = explain(errno, message, action="BACKUP SNAPSHOT")

    assert isinstance(error, Refused)
    assert (error.errno, error.transient) == (errno, False)


@pytest.mark.parametrize("errno", [0, 2006, 2013, 2014, 2027, 2055, 5024])
def test_a_statement_whose_answer_never_came_has_an_unknown_outcome(errno: int) -> None:
    """It may have been carried out; so may a submission that the server gave up waiting for."""
    error = explain(errno, "", action="BACKUP SNAPSHOT")

    assert isinstance(error, OutcomeUnknown)
    assert "not known" in error.what
    assert error.why == f"error {errno}"


@pytest.mark.parametrize("errno", [2002, 2003, 2004, 2005, 2026])
def test_a_client_that_gives_up_on_a_line_that_stood_leaves_the_outcome_unknown(errno: int) -> None:
    """A TLS line that breaks under a statement is told as one that could not be made (2026)."""
    error = explain(errno, "TLS/SSL error: unexpected eof", action="BACKUP SNAPSHOT")

    assert isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize("errno", [1040, 5205])
def test_a_server_that_lets_nobody_in_has_carried_out_nothing(errno: int) -> None:
    """Whenever it says so."""
    assert isinstance(explain(errno, "no", action="BACKUP SNAPSHOT"), Unreachable)


@pytest.mark.parametrize("errno", [2002, 2003, 2005, 2026, 5205, 1040])
def test_without_a_connection_nothing_was_sent(errno: int) -> None:
    """And the hint says where to look."""
    error = explain(errno, "no", action="the connection to h:9030", connecting=True)

    assert isinstance(error, Unreachable)
    assert error.what == "the connection to h:9030 failed"
    assert error.hint


def test_a_line_that_breaks_while_it_is_made_leaves_no_doubt() -> None:
    """No statement was sent yet."""
    error = explain(2013, "Lost connection at handshake", action="the connection to h:9030", connecting=True)

    assert isinstance(error, Unreachable)
    assert not error.hint


@pytest.mark.parametrize(
    ("message", "grant"),
    [
        ("the OPERATE privilege(s) on SYSTEM", "GRANT OPERATE ON SYSTEM TO USER br"),
        ("the OPERATE OR NODE privilege(s) on SYSTEM", "GRANT OPERATE ON SYSTEM TO USER br"),
        ("the CREATE TABLE privilege(s) on DATABASE ops", "GRANT CREATE TABLE ON DATABASE ops TO USER br"),
        ("the EXPORT privilege(s) on TABLE x", "GRANT EXPORT ON TABLE x TO USER br"),
    ],
)
@pytest.mark.parametrize("errno", [1252, 5203])
def test_a_missing_privilege_comes_with_the_grant_that_helps(errno: int, message: str, grant: str) -> None:
    """As far as the server names it."""
    words = f"Access denied; you need (at least one of) {message} for this operation. Please ask the admin"
    error = explain(errno, words, action="SHOW FRONTENDS", user="br")

    assert isinstance(error, AccessDenied)
    assert error.what == "SHOW FRONTENDS was denied"
    assert error.hint.endswith(f": {grant}")


def test_a_grant_for_nobody_in_particular_says_so() -> None:
    """An engine that somebody else made may not tell who we are."""
    words = "Access denied; you need (at least one of) the OPERATE privilege(s) on SYSTEM for this operation."

    assert explain(5203, words, action="x").hint.endswith("TO USER <user>")


def test_a_wrong_password_is_denied_without_a_grant() -> None:
    """No privilege would help."""
    error = explain(1045, "Access denied for user 'root'", action="the connection to h:1", connecting=True)

    assert isinstance(error, AccessDenied)
    assert error.hint == "check user and password"


def test_the_last_rule_is_about_everything() -> None:
    """No answer goes without a meaning; rules show their words, not an object's address."""
    assert RULES[-1].about(9999, "never seen")
    assert "'too many versions'" in repr(RULES)
