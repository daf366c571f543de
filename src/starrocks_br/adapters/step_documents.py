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
_MAX_UNPACKED: Final = 64 * 1024 * 1024


def dumps_step(step: Step) -> str:
    """Write a step; one that names so many partitions that it would not fit into a row is packed."""
    text = encode(_steps().unstructure(step, Step))
    if len(text) <= PART_BYTES:
        return text
    return encode({"kind": _PACKED, "zlib": b64encode(zlib.compress(text.encode())).decode()})


def loads_step(text: str, where: str) -> Step:
    """Read a step.

    Args:
        text: The document.
        where: Names its row and field.

    Raises:
        DamagedDocument: It is not what was written.
    """
    return read(text, where, _make)


def _make(found: Any) -> Step:
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        raise TypeError("it is no step")
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
