"""Statement text to effect: the only place that lists every statement known. An unknown one is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starrocks_simulator import (
    admin,
    alter,
    ddl,
    dml,
    explain,
    prepared,
    query,
    set_statements,
    show_alter,
    show_cluster,
    show_dynamic,
    show_partitions,
    show_tables,
    show_tablets,
    statements_accounts,
    statements_backup,
    transactions,
    views,
)
from starrocks_simulator.authorize import authorize
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import ServerError, syntax
from starrocks_simulator.handlers import Handler
from starrocks_simulator.lexer import Lexeme, Token, line_and_column
from starrocks_simulator.results import Result

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

STATEMENTS: Final[dict[tuple[str, ...], Handler]] = {
    **ddl.STATEMENTS,
    **alter.STATEMENTS,
    **views.STATEMENTS,
    **admin.STATEMENTS,
    **dml.STATEMENTS,
    **explain.STATEMENTS,
    **prepared.STATEMENTS,
    **query.STATEMENTS,
    **set_statements.STATEMENTS,
    **transactions.STATEMENTS,
    **show_tables.STATEMENTS,
    **show_partitions.STATEMENTS,
    **show_alter.STATEMENTS,
    **show_cluster.STATEMENTS,
    **show_dynamic.STATEMENTS,
    **show_tablets.STATEMENTS,
    **statements_accounts.STATEMENTS,
    **statements_backup.STATEMENTS,
}
_LONGEST: Final = max(map(len, STATEMENTS))
_BEGINNINGS: Final = frozenset(words[:at] for words in STATEMENTS for at in range(1, len(words) + 1))
_VERBS: Final = frozenset(keywords[0] for keywords in STATEMENTS)


def run(session: Session, text: str, lexemes: list[Lexeme]) -> Result:
    """Carry out one statement: the due ticks first, then its effect.

    Raises:
        ServerError: What the server answers.
    """
    session.frontend.catch_up()
    cursor = Cursor(text, lexemes)
    if session.in_transaction:
        transactions.check_allowed(cursor)
    session.frontend.faults.before_statement(text)
    handler = _find(cursor)
    authorize(session, cursor)
    if session.in_transaction and cursor.lexemes[0].value == "INSERT":
        result = transactions.hold(session, cursor, handler)
    else:
        result = handler(session, cursor)
    session.frontend.faults.after_statement(text)
    return result


def _find(cursor: Cursor) -> Handler:
    words = [lexeme.value if lexeme.kind in {Token.WORD, Token.SYMBOL} else "" for lexeme in cursor.lexemes[:_LONGEST]]
    for length in range(len(words), 0, -1):
        handler = STATEMENTS.get(tuple(words[:length]))
        if handler is not None:
            cursor.at = length
            return handler
    raise _unknown(cursor)


def _unknown(cursor: Cursor) -> ServerError:
    """The parser's words: it names the first token that no statement goes on with, and what leads up to it."""
    first = cursor.next
    if first.value not in _VERBS:
        similar = ", ".join(f"'{verb}'" for verb in sorted(_VERBS))
        place = line_and_column(cursor.text, first.start)
        return syntax(f"Unexpected input '{first.text}', the most similar input is {{{similar}}}", *place)
    words = tuple(lexeme.value for lexeme in cursor.lexemes)
    known = next(at for at in range(len(words), 0, -1) if words[:at] in _BEGINNINGS)
    wrong = cursor.lexemes[min(known, len(words) - 1)]
    text = cursor.text[first.start : wrong.end]
    return syntax(f"No viable statement for input '{text}'", *line_and_column(cursor.text, wrong.start))
