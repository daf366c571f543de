"""Columns, sizes, durations and counts."""

from __future__ import annotations

import pytest

from starrocks_br.entrypoints.render.layout import duration, number, size, some, table


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks() -> None:
    lines = table(("NAME", "ROWS"), [("a", "1"), ("longer", "1000")], right={"ROWS"})
    assert lines == ["NAME    ROWS", "a          1", "longer  1000"]
    assert table(("A", "B"), [("x", "")]) == ["A  B", "x"]


def test_a_row_with_a_missing_cell_is_refused() -> None:
    with pytest.raises(IndexError):
        table(("A", "B"), [("x",)])


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (3 * 1024**4, "3.0 TiB"),
        (2 * 1024**5, "2.0 PiB"),
        (2000 * 1024**5, "2,000.0 PiB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3600, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (172799, "47 h 59 min"),
        (172800, "2 d 00 h"),
        (100_000_000, "1,157 d 09 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_agree_with_their_noun() -> None:
    assert [number(count, "row") for count in (0, 1, 1000)] == ["0 rows", "1 row", "1,000 rows"]


def test_long_lists_of_names_are_cut_and_say_by_how_much() -> None:
    assert some({"b", "a"}) == "a, b"
    assert some([str(count) for count in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
