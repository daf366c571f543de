"""The library's log records, shown on stderr where the user asks for them. The library itself configures nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logging_on_stderr(*, wanted: bool) -> Iterator[None]:
    """Show every record of `starrocks_br` on stderr while the block runs, if wanted."""
    if not wanted:
        yield
        return
    logger = logging.getLogger("starrocks_br")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
