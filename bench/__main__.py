"""Prints every figure: `python -m bench`, or `python -m bench NAME...` for some."""

from __future__ import annotations

import sys

from bench import own_time, planning, proportions, restores, statements
from bench.figures import table

BENCHES = {
    "planning": planning.figures,
    "statements": statements.figures,
    "proportions": proportions.figures,
    "restores": restores.figures,
    "own_time": own_time.figures,
}


def main(names: list[str]) -> None:
    """Run the named benches, or all."""
    for name in names or BENCHES:
        print(f"{name}\n{table(BENCHES[name]())}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
