"""Properties by which the server drops partitions of a restored table on its own, and what people should know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_steps import TTL_OFF

_PROPERTY: Final = re.compile(r'^"([^"]+)" = "(.*)"[,)]*;?$', re.MULTILINE)
"""One line of a SHOW CREATE TABLE; quotes in a value stand as they are."""


def lifetimes(properties: Mapping[str, str]) -> dict[str, str]:
    """Those of a table's properties by which the server adds or drops partitions."""
    return {key: properties[key] for key, off in TTL_OFF.items() if properties.get(key, off).lower() != off}


def lifetimes_in(ddl: str) -> dict[str, str]:
    """The same of a SHOW CREATE TABLE."""
    return lifetimes(dict(_PROPERTY.findall(ddl.rpartition("PROPERTIES (")[2])))


def switched_off(table: TableRef, key: str, value: str) -> str:
    """What to tell of one that a restore has switched off."""
    written = value.replace("\\", "\\\\").replace('"', '\\"')
    return (
        "the server may not add or drop partitions on its own now; to allow it again: "
        f'ALTER TABLE {table} SET ("{key}" = "{written}")'
    )


def still_on(key: str, value: str) -> str:
    """What to tell of one that holds."""
    return f"by {key} = {value!r} the server may drop partitions within minutes"
