"""How the server names the columns of a SELECT: an alias, a column's name, else the expression's text."""

from __future__ import annotations

from typing import Final

from starrocks_simulator.lexer import Lexeme, Token
from starrocks_simulator.server_functions import SHOUTED

_ENDS: Final = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT"})

_NO_NAMES: Final = frozenset({"NULL", "TRUE", "FALSE", "END"})


def headings(text: str, lexemes: list[Lexeme]) -> list[str]:
    """Headings of a SELECT's items; "" for `*`, whose columns the query itself knows."""
    if not lexemes or lexemes[0].value != "SELECT":
        return []
    return [_heading(text, item) for item in _items(lexemes[1:])]


def _items(lexemes: list[Lexeme]) -> list[list[Lexeme]]:
    items: list[list[Lexeme]] = [[]]
    depth = 0
    for lexeme in lexemes:
        if depth == 0 and (lexeme.kind is Token.END or (lexeme.kind is Token.WORD and lexeme.value in _ENDS)):
            break
        depth += (lexeme.text == "(") - (lexeme.text == ")")
        if depth == 0 and lexeme.text == ",":
            items.append([])
        else:
            items[-1].append(lexeme)
    return [item for item in items if item]


def _heading(text: str, item: list[Lexeme]) -> str:
    if len(item) == 1 and item[0].kind is Token.STRING:
        return "'" + item[0].value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if _is_star(item):
        return ""
    if _is_named(item):
        return item[-1].text if item[-1].kind is Token.WORD else item[-1].value
    written = text[item[0].start : item[-1].end]
    if item[0].kind is Token.WORD and len(item) > 1 and item[1].text == "(":
        name = item[0].value if item[0].value in SHOUTED else item[0].text.lower()
        return name + written[len(item[0].text) :]
    return written


def _is_star(item: list[Lexeme]) -> bool:
    return item[-1].text == "*" and (len(item) == 1 or item[-2].text == ".")


def _is_named(item: list[Lexeme]) -> bool:
    """Whether the last token is its name: `a`, `t.a`, `… AS b`, `… b`."""
    last, before = item[-1], item[-2] if len(item) > 1 else None
    names = {Token.WORD, Token.QUOTED}
    if before is None:
        return last.kind in names and last.value not in {*_NO_NAMES, "CURRENT_TIMESTAMP", "CURRENT_DATE"}
    if last.kind not in names | {Token.STRING} or (last.kind is Token.WORD and last.value in _NO_NAMES):
        return False
    return before.value == "AS" or before.text in {".", ")"} or before.kind in names | {Token.NUMBER, Token.STRING}
