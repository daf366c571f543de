"""What takes long to prepare is prepared once in a process; every test gets a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, TypeVar


class Copied(Protocol):
    """What can be copied into another folder."""

    def copy(self, folder: Path) -> Self:
        """The same there; nothing that is done to one can be seen in the other."""


T = TypeVar("T", bound=Copied)


def once(prepare: Callable[[Path], T]) -> Callable[[Path], T]:
    """Prepare something when it is first asked for, and copy it for all who ask."""
    made: list[T] = []

    def copy(folder: Path) -> T:
        if not made:
            made.append(prepare(folder.with_name(f"{folder.name}-original")))
        return made[0].copy(folder)

    return copy
