"""SQL text to tokens, as StarRocks cuts it (R§2.7)."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from attrs import frozen

from starrocks_simulator.errors import syntax


class Token(Enum):
    """The kinds of token."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    NUMBER = "number"
    VARIABLE = "variable"
    SYMBOL = "symbol"
    END = "end"

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python, each time that a set is asked


@frozen
class Lexeme:
    """One token of a statement.

    Attributes:
        kind: What it is.
        text: As written.
        value: A word in upper case, a name or string without its quotes, else the text.
        start: Offset of its first character in the text.
        end: Offset behind its last character.
    """

    kind: Token
    text: str
    value: str
    start: int
    end: int


_PATTERN: Final = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<quoted>`[^`]*(?:``[^`]*)*`)
    |(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w$]))
    |(?P<word>[A-Za-z_$\u0080-\uffff][\w$]*|\d[\w$]+)
    |(?P<variable>@@?(?:[A-Za-z_]+\.)?[A-Za-z_]\w*)
    |(?P<symbol><=>|<=|>=|<>|!=|\|\||&&|:=|.)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST_KEPT: Final = 5_000
"""Characters of the longest text whose tokens are kept."""
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def tokenize(text: str) -> list[Lexeme]:
    """Cut a text into tokens, blanks and comments left out; the last one is END."""
    # a client sends the same statements again and again
    return list((_tokenize if len(text) <= _LONGEST_KEPT else _tokenize.__wrapped__)(text))


@lru_cache(maxsize=512)
def _tokenize(text: str) -> tuple[Lexeme, ...]:
    lexemes = []
    for match in _PATTERN.finditer(text):
        group = match.lastgroup or "symbol"
        if group == "blank":
            continue
        written = match.group()
        if group == "symbol" and written in "'\"`":
            raise syntax(f"Unexpected input '{written}'", *line_and_column(text, match.start()))
        kind = Token(group)
        lexemes.append(Lexeme(kind, written, _value(kind, written), match.start(), match.end()))
    lexemes.append(Lexeme(Token.END, "<EOF>", "<EOF>", len(text), len(text)))
    return tuple(lexemes)


def _value(kind: Token, written: str) -> str:
    if kind is Token.WORD:
        return written.upper()
    if kind is Token.QUOTED:
        return written.replace("`", "")
    if kind is Token.STRING:
        return unquote(written)
    return written


def unquote(literal: str) -> str:
    """The characters that a string literal stands for: backslash escapes and doubled quotes undone (R§2.7)."""
    mark, body = literal[0], literal[1:-1]
    if mark * 2 in body:
        body = body.replace(mark * 2, mark)
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), body) if "\\" in body else body


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line (from 1) and column (from 0) of an offset, as the server's parser counts them."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1)


def split(text: str) -> list[tuple[str, list[Lexeme]]]:
    """The statements of a text, separated by `;`: each with its tokens (R§11.4).

    The tokens' offsets count from the beginning of their own statement.
    """
    lexemes = tokenize(text)
    if not any(lexeme.text == ";" and lexeme.kind is Token.SYMBOL for lexeme in lexemes):
        return [(text, lexemes)] if len(lexemes) > 1 else []
    pieces, start = [], 0
    for lexeme in lexemes:
        if lexeme.kind is Token.END or (lexeme.kind is Token.SYMBOL and lexeme.text == ";"):
            pieces.append(text[start : lexeme.start])
            start = lexeme.end
    cut = ((piece, tokenize(piece)) for piece in pieces)
    return [(piece, tokens) for piece, tokens in cut if len(tokens) > 1]
