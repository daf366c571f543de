"""PROPERTIES of BACKUP and RESTORE (R§2.2, R§2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.errors import common_analyzing
from starrocks_simulator.java_order import by_string

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend

_LEAST_SECONDS: Final = 600


def timeout(frontend: Frontend, left: dict[str, str]) -> int:
    """Take `timeout` out of the properties: seconds, at least 10 minutes; a day by default.

    Raises:
        ServerError: It is no number, or too small.
    """
    written = left.pop("timeout", None)
    if written is None:
        return int(frontend.config["backup_job_default_timeout_ms"]) // 1000
    try:
        seconds = int(written)
    except ValueError:
        raise common_analyzing(f"Invalid timeout format: {written}") from None
    if seconds < _LEAST_SECONDS:
        raise common_analyzing("timeout must be at least 10 min")
    return seconds


def integer(left: dict[str, str], name: str, default: int) -> int:
    """Take a number out of the properties.

    Raises:
        ServerError: It is none; the server speaks of a meta version whatever it is (R§2.3).
    """
    written = left.pop(name, None)
    try:
        return default if written is None else int(written)
    except ValueError:
        raise common_analyzing(f"Invalid meta version format: {written}") from None


def check_unknown(left: dict[str, str], kind: str) -> None:
    """Make sure that nothing is left.

    Raises:
        ServerError: A property that the statement does not have.
    """
    if left:
        raise common_analyzing(f"Unknown {kind} job properties: [{', '.join(by_string(left, str))}]")
