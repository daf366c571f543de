"""Column types: how StarRocks writes them, and how DuckDB stores them."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import analyzing
from starrocks_simulator.lexer import Token

MAX_VARCHAR: Final = 1_048_576
STRING_LENGTH: Final = 65_533

# written width of the integer types in SHOW CREATE TABLE; DESC leaves it out (O2§y9)
_WIDTHS: Final = {"tinyint": 4, "smallint": 6, "int": 11, "bigint": 20, "largeint": 40}
_DUCKDB: Final = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "largeint": "HUGEINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "json": "VARCHAR",
    "varbinary": "BLOB",
}
_ALIASES: Final = {"integer": "int", "bool": "boolean", "string": "varchar", "text": "varchar", "numeric": "decimal"}
_ANY_TYPE: Final = "'ARRAY', 'BIGINT', 'BINARY', 'BITMAP', 'BOOLEAN'"
_UNSTORED: Final = frozenset({"bitmap", "hll", "percentile", "array", "map", "struct"})


@frozen
class Type:
    """A column's type.

    Attributes:
        name: Lower case, aliases resolved: "int", "varchar", "decimal", …
        length: Bytes of a CHAR or VARCHAR, digits of a DECIMAL; 0 where the type has none.
        scale: Digits behind the point of a DECIMAL.
    """

    name: str
    length: int = 0
    scale: int = 0

    @property
    def short(self) -> str:
        """As DESC and information_schema.columns write it: "int", "varchar(10)", "decimal(10,2)"."""
        if self.name == "decimal":
            return f"decimal({self.length},{self.scale})"
        return f"{self.name}({self.length})" if self.name in {"char", "varchar"} else self.name

    @property
    def full(self) -> str:
        """As SHOW CREATE TABLE writes it: "int(11)", "varchar(10)", "decimal(10, 2)"."""
        if self.name == "decimal":
            return f"decimal({self.length}, {self.scale})"
        return f"{self.name}({_WIDTHS[self.name]})" if self.name in _WIDTHS else self.short

    @property
    def range_name(self) -> str:
        """As PARTITION_VALUE writes it: "DATE", "INT", "VARCHAR" (R§8.1)."""
        return self.name.upper()

    @property
    def duckdb(self) -> str:
        """The type under which DuckDB stores it."""
        return f"DECIMAL({self.length},{self.scale})" if self.name == "decimal" else _DUCKDB[self.name]

    @property
    def is_text(self) -> bool:
        """Whether values are character strings."""
        return self.name in {"char", "varchar", "json"}

    @property
    def is_number(self) -> bool:
        """Whether values are numbers."""
        return self.name in _WIDTHS or self.name in {"float", "double", "decimal", "boolean"}


def parse_type(cursor: Cursor) -> Type:
    """Step over a type.

    Raises:
        ServerError: Unknown type, a length out of range, or a type whose values this simulator cannot store.
    """
    lexeme = cursor.next
    written = lexeme.value.lower()
    name = _ALIASES.get(written, "decimal" if written.startswith("decimal") else written)
    if lexeme.kind is not Token.WORD or (name not in _DUCKDB and name != "decimal" and name not in _UNSTORED):
        cursor.fail(_ANY_TYPE)
    if name in _UNSTORED:
        raise analyzing(f"the simulator stores no columns of type {lexeme.value}")
    cursor.take()
    if name == "decimal":
        return _decimal(cursor)
    if name in {"char", "varchar"}:
        return _text(cursor, name, STRING_LENGTH if written in {"string", "text"} else 1)
    if name in _WIDTHS and cursor.accept("("):
        cursor.integer()
        cursor.expect(")")
    elif cursor.accept("("):
        # DATETIME(6) is no type (y9:28 of the transcripts)
        cursor.fail(_ANY_TYPE)
    return Type(name)


def _decimal(cursor: Cursor) -> Type:
    precision, scale = 10, 0
    if cursor.accept("("):
        precision = cursor.integer()
        if cursor.accept(","):
            scale = cursor.integer()
        cursor.expect(")")
    return Type("decimal", precision, scale)


def _text(cursor: Cursor, name: str, length: int) -> Type:
    if cursor.accept("("):
        length = cursor.integer()
        cursor.expect(")")
    if name == "varchar" and length > MAX_VARCHAR:
        raise analyzing(f"Varchar size must be <= {MAX_VARCHAR}: {length}")
    return Type(name, length)
