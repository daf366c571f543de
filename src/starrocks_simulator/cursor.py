"""Reading tokens one after the other: what every hand-written parser of this package stands on."""

from __future__ import annotations

from typing import Final, NoReturn

from attrs import define

from starrocks_simulator.errors import ServerError, syntax
from starrocks_simulator.lexer import Lexeme, Token, line_and_column

_A_NAME: Final = "a legal identifier"


@define
class Cursor:
    """A place in the tokens of one statement.

    Attributes:
        text: The statement as sent.
        lexemes: Its tokens, END last.
        at: Index of the next token.
    """

    text: str
    lexemes: list[Lexeme]
    at: int = 0

    @property
    def next(self) -> Lexeme:
        """The token that comes next; END at the end."""
        return self.lexemes[self.at]

    def looking_at(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or symbols."""
        return self._is(self.at, words[0]) and all(self._is(self.at + at, words[at]) for at in range(1, len(words)))

    def accept(self, *words: str) -> bool:
        """Step over these keywords or symbols if all of them come next."""
        if not self.looking_at(*words):
            return False
        self.at += len(words)
        return True

    def accept_any(self, *words: str) -> str | None:
        """Step over one of several keywords or symbols, and say which."""
        for word in words:
            if self.accept(word):
                return word
        return None

    def expect(self, *words: str) -> None:
        """Step over these keywords or symbols.

        Raises:
            ServerError: A syntax error if something else comes.
        """
        for word in words:
            if not self.accept(word):
                self.fail(f"'{word}'")

    def name(self) -> str:
        """Step over one identifier, quoted or not."""
        lexeme = self.next
        if lexeme.kind is Token.QUOTED and lexeme.value:
            self.at += 1
            return lexeme.value
        if lexeme.kind is Token.WORD:
            self.at += 1
            return lexeme.text
        raise self.error(_A_NAME)

    def name_or_string(self) -> str:
        """Step over one identifier or string literal."""
        return self.string() if self.next.kind is Token.STRING else self.name()

    def qualified(self) -> tuple[str | None, str]:
        """Step over `name` or `db.name` (or `catalog.db.name`, whose catalog is ignored)."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return (parts[-2] if len(parts) > 1 else None), parts[-1]

    def string(self) -> str:
        """Step over one string literal."""
        lexeme = self.next
        if lexeme.kind is not Token.STRING:
            self.fail("SINGLE_QUOTED_TEXT")
        self.at += 1
        return lexeme.value

    def integer(self) -> int:
        """Step over one unsigned integer."""
        lexeme = self.next
        if lexeme.kind is not Token.NUMBER or not lexeme.text.isdigit():
            self.fail("INTEGER_VALUE")
        self.at += 1
        return int(lexeme.text)

    def names(self) -> list[str]:
        """Step over `(a, b, …)`: names or string literals."""
        self.expect("(")
        found = [self.name_or_string()]
        while self.accept(","):
            found.append(self.name_or_string())
        self.expect(")")
        return found

    def properties(self) -> dict[str, str]:
        """Step over `("k" = "v", …)`: at least one, both sides string literals, no comma at the end (R§2)."""
        self.expect("(")
        found: dict[str, str] = {}
        while True:
            key = self.string()
            self.expect("=")
            found[key.strip()] = self.string()
            if not self.accept(","):
                break
        self.expect(")")
        return found

    def optional_properties(self) -> dict[str, str]:
        """Step over `PROPERTIES (…)` if it comes next."""
        return self.properties() if self.accept("PROPERTIES") else {}

    def take(self) -> Lexeme:
        """Step over whatever comes next."""
        lexeme = self.next
        if lexeme.kind is not Token.END:
            self.at += 1
        return lexeme

    def balanced(self) -> str:
        """Step over `( … )` and give back the text between the parentheses."""
        self.expect("(")
        start, depth = self.next.start, 1
        while self.next.kind is not Token.END:
            lexeme = self.take()
            depth += (lexeme.text == "(") - (lexeme.text == ")")
            if depth == 0:
                return self.text[start : lexeme.start].strip()
        raise self.error("')'")

    def rest(self) -> str:
        """The text from here to the end; steps to the end."""
        found = self.text[self.next.start :].strip()
        self.at = len(self.lexemes) - 1
        return found

    def place(self, first: int, last: int) -> str:
        """A range of tokens as the analyzer names it: from the start of the first to the start of the last (O§q)."""
        begin = line_and_column(self.text, self.lexemes[first].start)
        end = line_and_column(self.text, self.lexemes[last].start)
        if begin == end:
            return f" at line {begin[0]}, column {begin[1]}"
        return f" from line {begin[0]}, column {begin[1]} to line {end[0]}, column {end[1]}"

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises:
            ServerError: A syntax error if something is.
        """
        if self.next.kind is not Token.END:
            self.fail("<EOF>, ';'", braces=True)

    def end_of_clause(self) -> None:
        """Make sure that nothing but another clause follows: nothing happens before a statement is known to be one.

        Raises:
            ServerError: A syntax error if something else does.
        """
        if not self.looking_at(","):
            self.end()

    def error(self, expected: str, *, braces: bool = True) -> ServerError:
        """The syntax error that names what comes next and what could have come instead."""
        shown = "{" + expected + "}" if braces else expected
        return syntax(
            f"Unexpected input '{self.next.text}', the most similar input is {shown}",
            *line_and_column(self.text, self.next.start),
        )

    def fail(self, expected: str, *, braces: bool = True) -> NoReturn:
        """Raise `error`."""
        raise self.error(expected, braces=braces)

    def _is(self, index: int, word: str) -> bool:
        if index >= len(self.lexemes):
            return False
        lexeme = self.lexemes[index]
        return lexeme.value == word and lexeme.kind in {Token.WORD, Token.SYMBOL}
