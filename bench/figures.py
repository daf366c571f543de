"""A figure: what was measured, and what it may be at most."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen(kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        what: In a few words.
        value: As measured in this run.
        unit: Of value and limit; empty for ratios and counts.
        limit: The greatest value that is good; None if it only informs.
    """

    what: str
    value: float
    unit: str = ""
    limit: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is good."""
        return self.limit is None or self.value <= self.limit


def table(figures: Iterable[Figure]) -> str:
    """All figures, aligned."""
    rows = [(one.what, _number(one.value, one.unit), _limit(one), "" if one.holds else "TOO MUCH") for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{what:<{widths[0]}}  {value:>{widths[1]}}  {limit:<{widths[2]}}  {verdict}".rstrip()
        for what, value, limit, verdict in rows
    )


def _limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"(at most {_number(figure.limit, figure.unit)})"


def _number(value: float, unit: str) -> str:
    text = f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    return f"{text} {unit}".rstrip()
