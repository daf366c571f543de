"""Globs as the frontend's file system layer reads them: a snapshot's label is one, wanted or not (O§k)."""

from __future__ import annotations

import re
from typing import Final

_SPECIAL: Final = re.compile(r"[*?\[\]{}\\]")
_PIECE: Final = re.compile(r"\\(?P<escaped>.)|\[(?P<negated>[!^]?)(?P<set>[^\]]+)\]|(?P<one>.)", re.DOTALL)
_MEANINGS: Final = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def is_glob(name: str) -> bool:
    """Whether a name holds a character that is more than itself."""
    return bool(_SPECIAL.search(name))


def glob_pattern(glob: str) -> re.Pattern[str]:
    r"""What a glob matches: `*`, `?`, `[abc]`, `{a,b}`, and `\` takes the next character's meaning away.

    One that is no glob after all, like a lone `{`, stands for itself.
    """
    pieces = []
    depth = 0
    for found in _PIECE.finditer(glob):
        one = found["one"]
        if found["escaped"] is not None:
            pieces.append(re.escape(found["escaped"]))
        elif found["set"] is not None:
            members = re.escape(found["set"]).replace(r"\-", "-")
            pieces.append(f"[{'^' if found['negated'] else ''}{members}]")
        else:
            depth += (one == "{") - (one == "}")
            pieces.append("|" if one == "," and depth else _MEANINGS.get(one, re.escape(one)))
    try:
        return re.compile("".join(pieces))
    except re.error:
        return re.compile(re.escape(glob))
