"""Break the domain in every small way there is, and count how many of the breaks its unit tests notice.

Works on a copy under build/, so that nothing in the work tree is touched. Prints a table by module and the survivors;
fails if fewer than nine of ten mutants die. Why, and what survives: docs/decisions/0009-mutation-testing.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
DOMAIN = Path("src", "starrocks_br", "domain")
ENOUGH = 0.9

CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/starrocks_br/domain/*"]
pytest_add_cli_args_test_selection = ["tests/unit/domain"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
use_git_change_detection = false
"""

PROPERTY = re.compile(r"    @property\n    def (?P<name>\w+)(?P<rest>\(self\) -> .*:\n(?:(?: {8}.*)?\n)+)")

# A mutant that never ends is noticed, too: it would hang the tests.
NOTICED = {"killed", "timeout", "suspicious", "segfault"}


def copy() -> None:
    """Put sources and tests where they may be broken."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, WORK / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (WORK / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + CONFIG)


def open_properties() -> None:
    """Spell properties without a decorator: mutmut leaves decorated functions alone."""
    for path in (WORK / DOMAIN).glob("*.py"):
        text = path.read_text()
        path.write_text(PROPERTY.sub(r"    def read_\g<name>\g<rest>    \g<name> = property(read_\g<name>)\n\n", text))


def mutmut(*arguments: str) -> str:
    """Run it in the copy; what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "mutmut"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=WORK, env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 -- our own words
    if done.returncode:
        sys.exit(f"mutmut {arguments[0]} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def outcomes() -> dict[str, str]:
    """How each mutant ended, by its name."""
    lines = mutmut("results", "--all", "true").splitlines()
    pairs = (line.strip().rpartition(": ") for line in lines)
    return {name: outcome for name, colon, outcome in pairs if colon}


def module_of(mutant: str) -> str:
    """The module of the domain that it is made of."""
    return mutant.removeprefix("starrocks_br.domain.").partition(".")[0]


def report(ended: dict[str, str]) -> float:
    """Print what was counted; the share of mutants that were noticed."""
    modules: dict[str, Counter[bool]] = defaultdict(Counter)
    for name, outcome in ended.items():
        modules[module_of(name)][outcome in NOTICED] += 1
    for name, outcome in sorted(ended.items()):
        if outcome not in NOTICED:
            print(f"\n{outcome}: {name}\n{mutmut('show', name)}")
    print(f"{'module':16}{'mutants':>8}{'killed':>8}{'survived':>10}")
    for module, counted in sorted(modules.items()):
        print(f"{module:16}{counted.total():8}{counted[True]:8}{counted[False]:10}")
    killed = sum(counted[True] for counted in modules.values())
    print(f"{'all':16}{len(ended):8}{killed:8}{len(ended) - killed:10}  {killed / len(ended):.1%}")
    return killed / len(ended)


def main() -> None:
    """Copy, break, count."""
    copy()
    open_properties()
    mutmut("run", "--max-children", str(os.cpu_count() or 1))
    if report(outcomes()) < ENOUGH:
        sys.exit(f"fewer than {ENOUGH:.0%} of the mutants were noticed")


if __name__ == "__main__":
    main()
