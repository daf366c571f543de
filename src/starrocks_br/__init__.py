"""Incremental backup, lineage and point-in-time restore for StarRocks, with SQL alone.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starrocks_br.adapters.settings import Settings
    from starrocks_br.client import Client, connect
    from starrocks_br.domain.errors import (
        AccessDenied,
        BrokenChain,
        Busy,
        ClusterError,
        InvalidInstant,
        InvalidName,
        InvalidSettings,
        JobFailed,
        NoPoint,
        NotInitialised,
        OutcomeUnknown,
        Refused,
        RequestError,
        StalePlan,
        StarRocksBrError,
        TargetExists,
        UnknownRestore,
        UnknownTable,
        Unreachable,
        Unrestorable,
        UnsupportedServer,
        VerificationMismatch,
    )

__all__ = [
    "AccessDenied",
    "BrokenChain",
    "Busy",
    "Client",
    "ClusterError",
    "InvalidInstant",
    "InvalidName",
    "InvalidSettings",
    "JobFailed",
    "NoPoint",
    "NotInitialised",
    "OutcomeUnknown",
    "Refused",
    "RequestError",
    "Settings",
    "StalePlan",
    "StarRocksBrError",
    "TargetExists",
    "UnknownRestore",
    "UnknownTable",
    "Unreachable",
    "Unrestorable",
    "UnsupportedServer",
    "VerificationMismatch",
    "connect",
]

_ELSEWHERE = {
    "Client": "starrocks_br.client",
    "connect": "starrocks_br.client",
    "Settings": "starrocks_br.adapters.settings",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, "starrocks_br.domain.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
