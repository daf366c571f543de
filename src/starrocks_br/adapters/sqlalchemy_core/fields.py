"""Reading one stored row field by field: each miss names row and field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from starrocks_br.adapters.documents import DamagedDocument
from starrocks_br.domain.errors import InvalidName

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


class Fields:
    """One row.

    Args:
        row: Column to value, as the driver gave it.
        where: How to name the row: `row (label, seq)`.

    Every method raises DamagedDocument.
    """

    def __init__(self, row: Mapping[str, object], where: str) -> None:
        self.row = row
        self.where = where

    def name(self, field: str, check: Callable[[str], T]) -> T:
        """A name, checked as when it was made."""
        try:
            return check(self.text(field))
        except InvalidName as error:
            raise self.damaged(field, error.what) from None

    def word(self, field: str, words: type[Word]) -> Word:
        """One of a fixed set of words."""
        text = self.text(field)
        try:
            return words(text)
        except ValueError:
            raise self.damaged(field, f"{text!r} is none of {', '.join(words)}") from None

    def text(self, field: str) -> str:
        """A text that must be there."""
        return self._typed(field, str)

    def number(self, field: str) -> int:
        """A whole number that must be there."""
        return self._typed(field, int)

    def moment(self, field: str) -> datetime:
        """An instant that must be there."""
        return self._typed(field, datetime)

    def optional(self, field: str, read: Callable[[str], T]) -> T | None:
        """What `read` makes of the field; None for NULL."""
        return None if self.row[field] is None else read(field)

    def damaged(self, field: str, problem: str) -> DamagedDocument:
        """The error that names this row and the field."""
        return DamagedDocument(f"{self.where}, field {field}: {problem}")

    def _typed(self, field: str, kind: type[T]) -> T:
        value = self.row[field]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.damaged(field, f"{value!r:.60} is no {kind.__name__}")
        return value
