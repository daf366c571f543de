"""EXPLAIN: whatever is wrong with a statement is told, nothing happens, and the plan is no plan (O2§y9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.dml import Explained
from starrocks_simulator.errors import syntax
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import line_and_column, tokenize
from starrocks_simulator.results import Result, strings

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_VERBS: Final = frozenset({"SELECT", "WITH", "(", "INSERT", "UPDATE", "DELETE"})


def explain(session: Session, cursor: Cursor) -> Result:
    """EXPLAIN [LOGICAL | VERBOSE | COSTS] a query or a load."""
    from starrocks_simulator.dispatch import run

    cursor.accept_any("LOGICAL", "VERBOSE", "COSTS")
    first = cursor.next
    if first.value not in _VERBS:
        wrong = cursor.text[cursor.lexemes[0].start : first.end]
        raise syntax(f"No viable statement for input '{wrong}'", *line_and_column(cursor.text, first.start))
    text = " " * first.start + cursor.text[first.start :]
    session.explaining = True
    try:
        run(session, text, tokenize(text))
    except Explained:
        pass
    finally:
        session.explaining = False
    return strings(("Explain String",), [("PLAN FRAGMENT 0",)])


STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {("EXPLAIN",): explain}
