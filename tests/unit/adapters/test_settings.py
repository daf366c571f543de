"""Settings as a value."""

from __future__ import annotations

import copy
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import asdict, evolve

from starrocks_br.adapters.settings import Secret, Settings, Tls
from starrocks_br.domain.errors import InvalidSettings

SEED: dict[str, Any] = {
    "host": "localhost",
    "port": 9030,
    "user": "root",
    "password": "hush",
    "database": "ops",
    "tables": ["db1.tableA", "db2.*"],
    "repository": "my_backup_repo",
}


def test_the_seed_is_enough() -> None:
    """All else has a default."""
    made = Settings(**SEED)

    assert (made.host, made.port, made.user, made.database) == ("localhost", 9030, "root", "ops")
    assert made.selection.patterns == ("db1.tableA", "db2.*")
    assert (made.job_timeout, made.poll_interval, made.wait) == (86_400, 1.0, 60.0)
    assert (made.max_parallel_databases, made.replication_num, made.max_chain) == (4, None, 30)
    assert (made.timezone, made.tls) == (UTC, None)


def test_all_can_be_said() -> None:
    """In Python as in a file."""
    rest: dict[str, Any] = {
        "job_timeout": 600,
        "poll_interval": 0.2,
        "wait": 0,
        "max_parallel_databases": 1,
        "replication_num": 3,
        "max_chain": 1,
        "timezone": ZoneInfo("Europe/Berlin"),
        "tls": Tls(ca="ca.pem"),
    }

    made = Settings(**SEED, **rest)

    assert {name: getattr(made, name) for name in rest} == rest


def test_the_password_shows_itself_to_nobody() -> None:
    """Neither in a repr, nor as text, nor through attrs, nor in a copy."""
    made = Settings(**SEED)

    shown = f"{made!r} {made} {made.password} {made.password!r} {asdict(made)} {copy.copy(made)} {evolve(made, port=1)}"

    assert "hush" not in shown
    assert made.password.reveal() == "hush"


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("fe1", (("fe1", 9030),)),
        ("fe1:9031", (("fe1", 9031),)),
        (["fe1", "fe2:9031", "::1"], (("fe1", 9030), ("fe2", 9031), ("::1", 9030))),
    ],
)
def test_there_may_be_several_frontends_and_a_name_may_bring_its_port(
    host: str | list[str], addresses: tuple[tuple[str, int], ...]
) -> None:
    """In the order in which they are tried."""
    assert Settings(**{**SEED, "host": host}).addresses == addresses


def test_secrets_compare_by_their_text() -> None:
    """So that settings do."""
    assert Settings(**SEED) == Settings(**SEED)
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"), Secret("a")} == {Secret("a")}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("host", " ", "host: ' ' is no text"),
        ("host", None, "host: None is no text"),
        ("host", [], "host: it is an empty list"),
        ("host", ["fe1", ""], "host: '' is no text"),
        ("host", "fe1:65536", "host: 'fe1:65536': 65536 is not between 1 and 65535"),
        ("connect_timeout", 0, "connect_timeout: 0 is not between 1 and 31536000"),
        ("read_timeout", 0.5, "read_timeout: 0.5 is no whole number"),
        ("reconnect_timeout", -1, "reconnect_timeout: -1 is not between 0 and 31536000"),
        ("port", 0, "port: 0 is not between 1 and 65535"),
        ("port", 65_536, "port: 65536 is not between 1 and 65535"),
        ("port", "9030", "port: '9030' is no whole number"),
        ("port", True, "port: True is no whole number"),
        ("user", "", "user: '' is no text"),
        ("password", 123, "password: it is no text"),
        ("database", "o`ps", "database: 'o`ps' is not a database name that can be used"),
        ("database", 7, "database: '7' is not a database name that can be used"),
        ("database", "information_schema", "database: information_schema belongs to the server"),
        ("tables", [], "tables: it is no list of db.table or db.*"),
        ("tables", "db1.t", "tables: it is no list of db.table or db.*"),
        ("tables", 7, "tables: it is no list of db.table or db.*"),
        ("tables", ["nodot"], "tables: 'nodot' does not name a table; write db.table or db.*"),
        ("tables", [7], "tables: '7' does not name a table; write db.table or db.*"),
        ("repository", "r-x", "repository: 'r-x' is not a repository name that can be used"),
        ("job_timeout", 599, "job_timeout: 599 is not between 600 and 31536000"),
        ("poll_interval", 0, "poll_interval: 0 is not between 0.01 and 30"),
        ("poll_interval", float("nan"), "poll_interval: nan is not between 0.01 and 30"),
        ("poll_interval", 30.5, "poll_interval: 30.5 is not between 0.01 and 30"),
        ("wait", float("inf"), "wait: inf is not between 0 and 31536000"),
        ("wait", "1", "wait: '1' is no number of seconds"),
        ("wait", True, "wait: True is no number of seconds"),
        ("max_parallel_databases", 0, "max_parallel_databases: 0 is not at least 1"),
        ("replication_num", 0, "replication_num: 0 is not at least 1"),
        ("max_chain", 0, "max_chain: 0 is not at least 1"),
        ("timezone", "UTC", "timezone: 'UTC' is no time zone"),
        ("tls", {}, "tls: {} is no group of ca, cert and key"),
    ],
)
def test_a_bad_value_is_named_with_its_reason(name: str, value: object, words: str) -> None:
    """Whoever wrote it can mend it."""
    with pytest.raises(InvalidSettings) as caught:
        Settings(**{**SEED, name: value})

    assert caught.value.problems == (words,)


def test_all_problems_are_told_at_once() -> None:
    """Not one per attempt."""
    with pytest.raises(InvalidSettings) as caught:
        Settings(**{**SEED, "port": 0, "tables": ["a", "b.c", "d"], "repository": "-"})

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "port",
        "tables",
        "tables",
        "repository",
    ]
