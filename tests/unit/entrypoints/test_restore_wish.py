"""Which options of `restore` go together."""

from __future__ import annotations

import io
import sys

import pytest

from starrocks_br.domain.errors import InvalidName
from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_steps import Reading
from starrocks_br.entrypoints.cli import main
from starrocks_br.entrypoints.restore_wish import RestoreWish

ONE = ("--table", "d.t")
AT = ("--label", "x")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --table DB.TABLE or 'DB.*'"),
        (AT, "give --table DB.TABLE or 'DB.*'"),
        (ONE, "either --timestamp or --label"),
        ((*ONE, *AT, "--timestamp", "2025-10-06 12:00:00"), "either --timestamp or --label"),
        ((*ONE, *AT, "--drop-old"), "--drop-old is about the table that --replace puts aside"),
        ((*ONE, "--table", "d.u", *AT, "--as", "x"), "--as names one table"),
        (("--table", "d.*", *AT, "--as", "x"), "--as names one table"),
        (("--table", "d.*", *AT, "--to-database", "e", "--partition", "p"), "--partition is about one table"),
        ((*ONE, *AT, "--as", "e.x"), "--to-database e --as x"),
        ((*ONE, *AT, "--partition", "p"), "together with --as or --to-database"),
        ((*ONE, *AT, "--replace"), "there is nobody to ask here: say --yes"),
        (("--undo", "x1", *ONE, *AT), "leave out --table, --label"),
        (("--undo", "x1", "--wait", "0"), "leave out --wait"),
        (("--undo", "x1", "--resume", "x1"), "leave out --resume"),
        (("--resume", "x1", "--dry-run"), "leave out --dry-run"),
        ((*ONE, *AT, "--verify", "some"), "'some' is not one of"),
        ((*ONE, *AT, "--wait", "nan"), "'nan' is no number of seconds"),
        ((*ONE, *AT, "--wait", "inf"), "not in the range"),
        ((*ONE, *AT, "--wait", "-1"), "not in the range"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_configuration_is_read(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["restore", *arguments, "--config", "not-there.yaml"]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "starrocks-br restore --help" in shown.err


@pytest.mark.parametrize(
    "wish",
    [
        RestoreWish(table=("d.t",), label="x"),
        RestoreWish(table=("d.t", "d.t"), timestamp="x", as_name="u", partition=("p", "p")),
        RestoreWish(table=("d.*", "e.t"), timestamp="x", to_database="f", replace=True, drop_old=True, yes=True),
        RestoreWish(table=("d.t",), label="x", to_database="e", partition=("p",), verify="none"),
        RestoreWish(undo="x1", yes=True),
        RestoreWish(resume="x1", yes=True, wait=0.0),
    ],
)
def test_what_goes_together_has_no_problem(wish: RestoreWish) -> None:
    assert wish.problem == ""


def test_one_table_twice_is_one_table() -> None:
    assert not RestoreWish(table=("d.t", "d.t")).several
    assert RestoreWish(table=("d.t", "d.u")).several
    assert RestoreWish(table=("d.*",)).several


def test_the_new_name_is_put_together_from_what_was_said_and_the_old_one() -> None:
    def into(**said: str) -> str | None:
        return RestoreWish(table=("d.t",), **said).into  # type: ignore[arg-type]

    assert into() is None
    assert into(as_name="u") == "d.u"
    assert into(to_database="e") == "e.t"
    assert into(to_database="e", as_name="u") == "e.u"
    with pytest.raises(InvalidName):
        _ = RestoreWish(table=("t",), as_name="u").into


@pytest.mark.parametrize("said", [{"to_database": ""}, {"as_name": ""}])
def test_a_new_name_that_is_empty_is_not_the_old_one(said: dict[str, str]) -> None:
    """As of `--to-database "$DRILL"` where DRILL is not set: with --replace the live table would give way."""
    with pytest.raises(InvalidName):
        TableRef.parse(str(RestoreWish(table=("d.t",), **said).into))  # type: ignore[arg-type]


def test_rows_are_counted_once_unless_said_otherwise() -> None:
    assert RestoreWish().reading is Reading.TABLE
    assert RestoreWish(verify="counts").reading is Reading.PARTITIONS
    assert RestoreWish(verify="none").reading is Reading.NONE
