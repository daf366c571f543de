"""How big values show themselves: by counts, never by contents."""

from __future__ import annotations

from collections.abc import Sized


def count(things: Sized) -> str:
    """The number of things, as `repr` shows it."""
    return str(len(things))
