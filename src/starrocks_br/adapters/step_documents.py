"""A step of a restore as JSON: what `restore_history.detail_json` holds, told apart by `kind`."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from functools import cache
from typing import Any, Final

import cattrs
from cattrs.strategies import configure_tagged_union

from starrocks_br.adapters.documents import PART_BYTES, converter, encode, exactly, parse, read
from starrocks_br.domain.restore_steps import Step

_PACKED: Final = "packed"
_TOTAL: Final = "steps"
"""How many steps the restore has; not told by what was written before this was."""

_MAX_UNPACKED: Final = 64 * 1024 * 1024


def dumps_step(step: Step, total: int | None = None) -> str:
    """Write a step; one that names so many partitions that it would not fit into a row is packed.

    Args:
        step: The step.
        total: How many steps its restore has, to be told from how many rows there are; None: that is not told.
    """
    told = {} if total is None else {_TOTAL: total}
    document = _steps().unstructure(step, Step)
    text = encode(document | told)
    if len(text) <= PART_BYTES:
        return text
    packed = b64encode(zlib.compress(encode(document).encode())).decode()
    return encode({"kind": _PACKED, "zlib": packed, **told})


def loads_step(text: str, where: str) -> Step:
    """Read a step.

    Args:
        text: The document.
        where: Names its row and field.

    Raises:
        DamagedDocument: It is not what was written.
    """
    return read(text, where, _make)


def loads_total(text: str, where: str) -> int | None:
    """How many steps the restore of a step has; None: it is not told. Args and errors as of `loads_step`."""
    return read(text, where, _total)


def _total(found: Any) -> int | None:
    return exactly(found[_TOTAL], int) if _TOTAL in found else None


def _make(found: Any) -> Step:
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        raise TypeError("it is no step")
    found.pop(_TOTAL, None)
    document = _unpacked(exactly(found["zlib"], str)) if found["kind"] == _PACKED else found
    union: Any = Step
    step: Step = _steps().structure(document, union)
    return step


def _unpacked(data: str) -> Any:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(b64decode(data, validate=True), _MAX_UNPACKED)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not inflate.eof:
        raise ValueError("what is packed in it is cut, or too big")
    return parse(text.decode())


@cache
def _steps() -> cattrs.Converter:
    rules = converter().copy()
    configure_tagged_union(Step, rules, tag_name="kind")
    return rules
