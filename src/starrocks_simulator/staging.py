"""The rows of a load on their way: from VALUES or a query to typed columns, checked, in a temporary DuckDB table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import duckdb

from starrocks_simulator.catalog import Column, Table
from starrocks_simulator.errors import ServerError, analyzing, refused
from starrocks_simulator.expressions import expression_to_duckdb
from starrocks_simulator.lexer import Token
from starrocks_simulator.parse_insert import Cell
from starrocks_simulator.query import server_error
from starrocks_simulator.rows import fill, quoted
from starrocks_simulator.translate import to_duckdb

if TYPE_CHECKING:
    from starrocks_simulator.session import Session

_BAD_VALUE: Final = re.compile(r"Could not convert string '([^']*)' to \w*INT|Could not convert string \"([^\"]*)\"")
_DEFAULT: Final = object()


def stage_values(session: Session, table: Table, columns: list[Column], rows: list[list[Cell]]) -> int:
    """Stage the rows of VALUES; gives back how many."""
    limit = int(session.frontend.config["expr_children_limit"])
    if len(rows) > limit:
        raise analyzing(
            f"The inserted rows are {len(rows):,} exceeded the maximum limit {limit:,}, please increase the "
            "FE config 'expr_children_limit'"
        )
    for row in rows:
        check_count(columns, len(row))
    known: dict[str, object] = {}
    values = [[_cell(session, columns[at], row[at], known) for row in rows] for at in range(len(columns))]
    fit = {column.unique_id for column, given in zip(columns, values, strict=True) if _all_fit(column, given)}
    return _stage(session, table, columns, *_as_source(values), fit=fit)


def _as_source(values: list[list[object]]) -> tuple[str, list[object]]:
    """A query for values given by column, and what stands for its placeholders."""
    if len(values[0]) == 1:  # three times as fast: a load of one row is what a history is written by
        shown = ", ".join(f"CAST(? AS VARCHAR) AS s{at}" for at in range(len(values)))
        return f"SELECT 0 AS n, {shown}", [only for (only,) in values]
    shown = ", ".join(f"unnest(CAST(? AS VARCHAR[])) AS s{at}" for at in range(len(values)))
    return f"SELECT unnest(range({len(values[0])})) AS n, {shown}", list(values)


def stage_query(session: Session, table: Table, columns: list[Column], query: str) -> int:
    """Stage what a query gives; gives back how many rows."""
    sql = to_duckdb(session, query)
    try:
        found = session.frontend.rows.query(f"DESCRIBE {sql}")
    except duckdb.Error as error:
        raise server_error(error) from None
    check_count(columns, len(found))
    return _stage(session, table, columns, _numbered(sql, columns))


def stage_changes(session: Session, table: Table, columns: list[Column], query: str, changed: Collection[str]) -> int:
    """Stage rows of the table itself with new values in some columns; gives back how many."""
    fit = {column.unique_id for column in columns if column.name not in changed}
    return _stage(session, table, columns, _numbered(to_duckdb(session, query), columns), fit=fit)


def _numbered(sql: str, columns: Sequence[Column]) -> str:
    names = ", ".join(f"s{at}" for at in range(len(columns)))
    return f"SELECT row_number() OVER () AS n, * FROM ({sql}) AS x({names})"


def check_count(columns: Sequence[Column], count: int) -> None:
    """5604 unless there is a value for each column (q:37)."""
    if len(columns) != count:
        raise analyzing(
            f"Inserted target column count: {len(columns)} doesn't match select/value column count: {count}",
            5604,
            "42601",
        )


def _cell(session: Session, column: Column, cell: Cell, known: dict[str, object]) -> object:
    """The value of one cell as text; None for NULL."""
    first = cell[0] if cell else None
    if first is None:
        raise analyzing("empty value")
    if len(cell) == 1:
        if first.kind is Token.STRING:
            if column.type.is_number and not _is_number(first.value):
                raise analyzing(f"Invalid number format: {first.value}")
            return first.value
        if first.kind is Token.NUMBER:
            return first.text
        if first.value in {"NULL", "TRUE", "FALSE", "DEFAULT"} and first.kind is Token.WORD:
            return {"NULL": None, "TRUE": "1", "FALSE": "0"}.get(first.value, default_of(session, column))
    text = " ".join(lexeme.text for lexeme in cell)
    if text not in known:
        known[text] = evaluate(session, text)
    return known[text]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.lower() in {"true", "false"}
    return True


def default_of(session: Session, column: Column) -> object:
    """What an omitted column gets, as text."""
    return evaluate(session, "now()") if column.default == "CURRENT_TIMESTAMP" else column.default


def evaluate(session: Session, expression: str) -> object:
    """The value of an expression without columns, as text."""
    try:
        return session.frontend.rows.query(f"SELECT CAST(({to_duckdb(session, f'SELECT {expression}')}) AS VARCHAR)")[
            0
        ][0]
    except duckdb.Error as error:
        raise server_error(error) from None


def _all_fit(column: Column, values: Sequence[object]) -> bool:
    """Whether a backend filters none of these values, given as text, of a column; see `_check_rows`."""
    if column.type.name in {"varchar", "char"} and any(len(str(one).encode()) > column.type.length for one in values):
        return False
    return column.nullable or None not in values


def _stage(
    session: Session,
    table: Table,
    columns: list[Column],
    source: str,
    values: Sequence[object] = (),
    *,
    fit: Collection[int] = (),
) -> int:
    """Make the table `staged` of a query that gives `n`, the rows' order, and `s0`, `s1`, … for the named columns.

    Args:
        session: Who loads.
        table: Where to.
        columns: The named ones.
        source: The query.
        values: For its placeholders.
        fit: The unique ids of columns of which no value will be filtered.
    """
    given = {column.unique_id: f"s{at}" for at, column in enumerate(columns)}
    shown = [
        f"{_source(session, table, column, given.get(column.unique_id))} AS c{column.unique_id}"
        for column in table.columns
        if not column.generated
    ]
    inner = f"SELECT n, {', '.join(shown)} FROM ({source})"
    for column in table.columns:
        if column.generated:
            inner = _with_generated(table, column, inner)
    try:
        count = int(session.frontend.rows.query(f"CREATE OR REPLACE TEMP TABLE staged AS {inner}", values)[0][0])
    except duckdb.Error as error:
        raise _conversion(session, error) from None
    _check_rows(session, [column for column in table.columns if column.unique_id not in fit])
    if _numbers_some(session, table, given, source, values):
        table.next_auto_increment += count
    return count


def _source(session: Session, table: Table, column: Column, source: str | None) -> str:
    kind = column.type.duckdb
    if column.auto_increment:
        number = f"{table.next_auto_increment} + row_number() OVER (ORDER BY n) - 1"
        return f"CAST({number if source is None else f'coalesce(CAST({source} AS BIGINT), {number})'} AS {kind})"
    if source is not None:
        return f"CAST({source} AS {kind})"
    if column.default == "CURRENT_TIMESTAMP":
        return f"CAST('{default_of(session, column)}' AS {kind})"
    if column.default is None and not column.nullable:
        raise analyzing(f"'{column.name}' must be explicitly mentioned in column permutation")
    return fill(column)


def _numbers_some(
    session: Session, table: Table, given: Mapping[int, str], source: str, values: Sequence[object]
) -> bool:
    """Whether a row gets its number from the table: a load that brings all its numbers leaves the counter alone."""
    for column in table.columns:
        if column.auto_increment:
            name = given.get(column.unique_id)
            unnumbered = f"SELECT 1 FROM ({source})" + (f" WHERE {name} IS NULL" if name else "")
            return bool(session.frontend.rows.query(f"{unnumbered} LIMIT 1", values))
    return False


def _with_generated(table: Table, column: Column, inner: str) -> str:
    """The staged rows and one generated column more."""
    named = ", ".join(f"c{one.unique_id} AS {quoted(one.name)}" for one in table.columns if not one.generated)
    expression = expression_to_duckdb(column.generated)
    return (
        f"SELECT * EXCLUDE (x), CAST(x.y AS {column.type.duckdb}) AS c{column.unique_id} FROM (SELECT i.*, "
        f"(SELECT struct_pack(y := {expression}) FROM (SELECT {named}) AS {quoted(table.name)}) AS x "
        f"FROM ({inner}) AS i)"
    )


def _check_rows(session: Session, columns: Iterable[Column]) -> None:
    """A backend filters NULLs of a NOT NULL column and texts longer than it; in strict mode the load fails (R§12.2)."""
    bad = []
    for column in columns:
        if not column.nullable:
            bad.append(f"c{column.unique_id} IS NULL")
        if column.type.name in {"varchar", "char"}:
            bad.append(f"strlen(c{column.unique_id}) > {column.type.length}")
    if bad and session.frontend.rows.query(f"SELECT 1 FROM staged WHERE {' OR '.join(bad)} LIMIT 1"):
        raise filtered(session)


def filtered(session: Session) -> ServerError:
    """What a load answers when rows of it are unfit."""
    transaction = session.frontend.catalog.new_transaction()
    return refused(
        f"Insert has filtered data in strict mode, txn_id = {transaction}, tracking sql = select tracking_log from "
        f"information_schema.load_tracking_logs where job_id={transaction}"
    )


def _conversion(session: Session, error: duckdb.Error) -> ServerError:
    found = _BAD_VALUE.search(str(error))
    if found:
        return analyzing(f"Invalid number format: {found[1] or found[2]}")
    return filtered(session) if isinstance(error, duckdb.ConversionException) else server_error(error)
