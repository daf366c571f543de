"""Writing to stdout and stderr: that nobody can read what was done does not undo it, and must not stop what is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

STREAMS: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""In the order of their descriptors: a file that is opened gets the first one that is free."""


@contextmanager
def missing_streams_replaced() -> Iterator[None]:
    """While the block runs, a stream that the process was started without (`>&-`) is the null device.

    Else it would be None, and its descriptor the next connection's.
    """
    with ExitStack() as stack:
        for name, mode in STREAMS.items():
            if getattr(sys, name) is None:
                setattr(sys, name, stack.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
                stack.callback(setattr, sys, name, None)
        yield


def tell(stream: TextIO, text: str) -> OSError | None:
    """Write text at once; why it could not be written: the reader went away, the disk is full.

    Characters that the stream's encoding lacks are escaped. A stream that fails leads nowhere from there on, so that
    neither what comes next nor the end of the process fails with it.
    """
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return error
    return None
