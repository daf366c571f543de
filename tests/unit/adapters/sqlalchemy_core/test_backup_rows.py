"""Rows that a table of another layout could give, read field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.dialects import mysql

from starrocks_br.adapters.sqlalchemy_core.backup_rows import read_entries, rows_of
from starrocks_br.adapters.sqlalchemy_core.tables import MAX_DDL, UtcDateTime, cut_to_bytes
from starrocks_br.domain.names import TableRef
from tests.contract.recorded import ITEMS, ORDERS, entry, leaf, snapshot

LAST = TableRef.parse("db1.zoo")


def _rows() -> list[dict[str, Any]]:
    return rows_of([entry(snapshot("l1")), leaf(snapshot("l1"), "l0", ITEMS)], "0.1")


def test_rows_are_numbered_through_the_label_and_read_back() -> None:
    """Seq from 0, row_count in each."""
    rows = _rows()

    assert [(row["seq"], row["row_count"]) for row in rows] == [(0, 2), (1, 2)]
    assert read_entries(rows).entries == (entry(snapshot("l1")), leaf(snapshot("l1"), "l0", ITEMS))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("table_id", None, "None is no int"),
        ("table_id", True, "True is no int"),
        ("schema_fingerprint", None, "None is no str"),
        ("schema_job_id", "7", "'7' is no int"),
        ("partitions_json", None, "None is no str"),
        ("table_name", "a`b", "'a`b' is not a table name that can be used"),
    ],
)
def test_a_field_of_a_wrong_type_is_damage_of_its_table(field: str, value: object, words: str) -> None:
    """Named with its row."""
    rows = _rows()
    rows[0][field] = value

    reading = read_entries(rows)

    assert [one.table for one in reading.entries] == [ITEMS]
    assert [one.problem for one in reading.damages] == [f"row (l1, 0), field {field}: {words}"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("created_at", None, "None is no datetime"),
        ("finished_at", "0000-00-00", "'0000-00-00' is no datetime"),
        ("row_count", None, "None is no int"),
        ("database_name", "", "'' is not a database name that can be used"),
    ],
)
def test_a_field_of_the_snapshot_of_a_wrong_type_is_damage_of_the_label(field: str, value: object, words: str) -> None:
    """Every row repeats it."""
    rows = [{**row, field: value} for row in _rows()]

    reading = read_entries(rows)

    assert reading.entries == ()
    assert [(one.table, one.problem) for one in reading.damages] == [("", f"row (l1, 0), field {field}: {words}")]


def test_parts_of_one_table_that_contradict_each_other_are_damage() -> None:
    """Each part repeats what is said of the table."""
    rows = _rows()
    rows[1] = {**rows[0], "seq": 1, "table_id": 7}

    (damage,) = read_entries(rows).damages

    assert damage.problem == "row (l1, 1), field table_id: it is not the same as in row (l1, 0)"


def test_times_go_out_in_utc_and_come_back_with_their_zone() -> None:
    """The session's zone is +00:00; what is no time is handed on, for its row to name."""
    column, dialect = UtcDateTime(), mysql.dialect()
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert column.process_bind_param(at, dialect) == datetime(2026, 3, 1, 12)  # noqa: DTZ001 -- what the wire has
    assert column.process_result_value(datetime(2026, 3, 1, 12), dialect) == at  # noqa: DTZ001
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None


def test_a_text_is_cut_at_bytes_but_never_inside_a_character() -> None:
    """What fits stays whole."""
    assert cut_to_bytes("aé", 3) == "aé"
    assert cut_to_bytes("aé", 2) == "a"
    assert cut_to_bytes("💾", 3) == ""


def test_how_a_table_is_made_stands_in_its_first_row_only() -> None:
    """It may be as long as a row's partitions."""
    names = [f"p{number}_{'x' * 60}" for number in range(12_000)]
    made = [entry(snapshot("l1"), ORDERS, *names, schema_ddl="CREATE 1"), entry(snapshot("l1"), ITEMS)]

    rows = rows_of([*made, entry(snapshot("l1"), LAST, schema_ddl="CREATE 2")], "0.1")

    first, *more, without, last = [row["schema_ddl"] for row in rows]
    assert (first, without, last) == ("CREATE 1", None, "CREATE 2")
    assert more
    assert set(more) == {None}


def test_a_statement_that_no_column_holds_is_left_out() -> None:
    """Half of one is of no use; bytes count."""
    longest = "é" * (MAX_DDL // 2)

    held, left_out = rows_of([entry(snapshot("l1"), schema_ddl=ddl) for ddl in (longest, longest + "x")], "0.1")

    assert (held["schema_ddl"], left_out["schema_ddl"]) == (longest, None)
