"""`python -m starrocks_br`."""

from __future__ import annotations

import sys

from starrocks_br.entrypoints.cli import main

if __name__ == "__main__":
    sys.exit(main())
