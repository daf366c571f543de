"""What a test tells a running simulator, in a statement that a frontend would refuse.

ADMIN SET FRONTEND CONFIG ("simulator_fault" = "cut-after=BACKUP SNAPSHOT")
ADMIN SET FRONTEND CONFIG ("simulator_clock_ahead" = "3600")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from starrocks_simulator.errors import refused
from starrocks_simulator.named_faults import BadFault, plant

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend


def _plant(frontend: Frontend, text: str) -> None:
    """Plant a fault by name."""
    try:
        plant(frontend, text)
    except BadFault as error:
        raise refused(str(error)) from error


def _let_pass(frontend: Frontend, text: str) -> None:
    """Let so many more seconds pass at once."""
    try:
        frontend.clock.advance(float(text))
    except ValueError:
        raise refused(f"{text!r} is no number of seconds") from None


CONTROLS: Final[Mapping[str, Callable[[Frontend, str], None]]] = {
    "simulator_fault": _plant,
    "simulator_clock_ahead": _let_pass,
}
"""Configuration items of the simulator's own, with what setting them does."""
