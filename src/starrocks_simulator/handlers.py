"""The shape of what carries out one kind of statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.results import Result

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

Handler: TypeAlias = "Callable[[Session, Cursor], Result]"
"""Gets the session and the tokens, with the leading keywords already stepped over; raises ServerError."""
