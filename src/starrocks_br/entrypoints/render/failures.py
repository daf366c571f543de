"""An error as it stands on stderr."""

from __future__ import annotations

from starrocks_br.entrypoints.failures import Failure


def failure(found: Failure) -> list[str]:
    """Three lines at most, unless the reason has several: what failed, why, what to do next."""
    lines = [f"error: {found.what}"]
    for label, text in (("  why:  ", found.why), ("  next: ", found.hint)):
        for number, line in enumerate(text.splitlines()):
            lines.append((" " * len(label) if number else label) + line)
    return lines
