"""The rows: each physical partition that was ever loaded is one DuckDB table.

A column's values are stored under its unique id (`c7`), not its name: a column dropped and added again is another
one, and
a file from before knows nothing of it (O2§0.4).
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb

from starrocks_simulator.catalog import Column, Model, PhysicalPartition

_NUMBERS: Final = itertools.count(1)
# StarRocks' functions that neither DuckDB nor the translation knows
_MACROS: Final = (
    "seconds_add(a, n) AS CAST(a AS TIMESTAMP) + to_seconds(n)",
    "seconds_sub(a, n) AS CAST(a AS TIMESTAMP) - to_seconds(n)",
    "minutes_add(a, n) AS CAST(a AS TIMESTAMP) + to_minutes(n)",
    "minutes_sub(a, n) AS CAST(a AS TIMESTAMP) - to_minutes(n)",
    "hours_add(a, n) AS CAST(a AS TIMESTAMP) + to_hours(n)",
    "days_add(a, n) AS CAST(a AS TIMESTAMP) + to_days(n)",
    "days_sub(a, n) AS CAST(a AS TIMESTAMP) - to_days(n)",
    "seconds_diff(a, b) AS date_sub('second', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP))",
    "minutes_diff(a, b) AS date_sub('minute', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP))",
    "hours_diff(a, b) AS date_sub('hour', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP))",
    "days_diff(a, b) AS date_sub('day', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP))",
    "to_date(a) AS CAST(a AS DATE)",
    "unix_timestamp(a) AS CAST(epoch(CAST(a AS TIMESTAMP)) AS BIGINT)",
    (
        "substring_index(s, d, n) AS CASE WHEN n < 0 THEN array_to_string(string_split(s, d)[n:], d) "
        "ELSE array_to_string(string_split(s, d)[:n], d) END"
    ),
    "sleep(n) AS n >= 0",
)
_MERGES: Final = {
    "SUM": "sum({c})",
    "MAX": "max({c})",
    "MIN": "min({c})",
    "REPLACE": "last({c} ORDER BY n)",
    "REPLACE_IF_NOT_NULL": "last({c} ORDER BY n) FILTER (WHERE {c} IS NOT NULL)",
}


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One DuckDB per process: opening one takes 30 ms, attaching a database for each frontend 0.3 ms."""
    engine = duckdb.connect(":memory:", config={"threads": 1})
    # From 2.0 on it reads files in threads of its own: a process that is forked from this one would wait for them.
    if engine.execute("SELECT 1 FROM duckdb_settings() WHERE name = 'async_threads'").fetchall():
        engine.execute("SET async_threads = 0")
    for macro in _MACROS:
        engine.execute(f"CREATE MACRO {macro}")
    return engine


def _detach(name: str) -> None:
    cursor = _engine().cursor()
    cursor.execute("USE memory")
    cursor.execute(f"DETACH DATABASE IF EXISTS {name}")


class Rows:
    """The rows of one cluster, in a DuckDB database of its own."""

    def __init__(self) -> None:
        self._name = f"cluster{next(_NUMBERS)}"
        self.duckdb = _engine().cursor()
        self.duckdb.execute(f"ATTACH ':memory:' AS {self._name}")
        self.duckdb.execute(f"SET search_path = '{self._name}.main,memory.main'")
        self._stored: dict[int, set[int]] = {}
        self._views: dict[str, str] = {}
        self._temporary: dict[str, tuple[str, Sequence[Sequence[object]]]] = {}
        self._counts: dict[int, int] = {}
        weakref.finalize(self, _detach, self._name)

    def __deepcopy__(self, _: object) -> Rows:
        """The same tables in a database of their own; views and temporary tables are made again as they are needed."""
        made = Rows()
        tables = self.query("SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [self._name])
        for (table,) in tables:
            made.duckdb.execute(f"CREATE TABLE {table} AS FROM {self._name}.{table}")
        made._stored = {number: set(columns) for number, columns in self._stored.items()}
        made._counts = dict(self._counts)
        return made

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement of DuckDB's dialect and fetch all of its rows."""
        return self.duckdb.execute(sql, values).fetchall()

    def view(self, name: str, query: str) -> str:
        """Make a view, or leave it if it is that already; gives back its name."""
        if self._views.get(name) != query:
            self.duckdb.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
            self._views[name] = query
        return name

    def temporary(self, name: str, query: str, values: Sequence[Sequence[object]]) -> str:
        """Make a temporary table of a query with values, or leave it if it is that already; gives back its name."""
        made = (query, values)
        if self._temporary.get(name) != made:
            self.duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", values)
            self._temporary[name] = made
        return name

    def holds(self, physical_id: int) -> bool:
        """Whether anything was ever stored for it; if not, it is empty."""
        return physical_id in self._stored

    def count(self, physical_id: int) -> int:
        """Number of rows stored; kept until they change, for partitions_meta asks for all of them at once."""
        if physical_id not in self._stored:
            return 0
        if physical_id not in self._counts:
            self._counts[physical_id] = int(self.query(f"SELECT count(*) FROM p{physical_id}")[0][0])
        return self._counts[physical_id]

    def _changed(self, physical_id: int, difference: int) -> None:
        """Rows came, or went."""
        if physical_id in self._counts:
            self._counts[physical_id] += difference

    def drop(self, physical_ids: Iterable[int]) -> None:
        """Throw the rows away."""
        for physical_id in physical_ids:
            self._counts.pop(physical_id, None)
            if physical_id in self._stored:
                self.duckdb.execute(f"DROP TABLE p{physical_id}")
                del self._stored[physical_id]

    def copy(self, source: int, target: int) -> None:
        """Make the target hold what the source holds."""
        self.drop([target])
        if source in self._stored:
            self.duckdb.execute(f"CREATE TABLE p{target} AS FROM p{source}")
            self._stored[target] = set(self._stored[source])

    def export(self, physical_id: int, path: Path) -> bool:
        """Write the rows to a Parquet file; False and no file if there are none."""
        if physical_id not in self._stored:
            return False
        self.duckdb.execute(f"COPY p{physical_id} TO {_literal(str(path))} (FORMAT parquet)")
        return True

    def load(self, physical_id: int, path: Path | None) -> None:
        """Replace the rows by those of a Parquet file; by nothing if None."""
        self.drop([physical_id])
        if path is not None:
            made = self.query(f"CREATE TABLE p{physical_id} AS FROM read_parquet({_literal(str(path))})")
            self._counts[physical_id] = int(made[0][0])
            described = self.query(f"DESCRIBE p{physical_id}")
            self._stored[physical_id] = {int(str(row[0])[1:]) for row in described}

    def relation(self, physical: Iterable[PhysicalPartition], columns: Sequence[Column]) -> str:
        """A DuckDB query for the rows of these partitions, columns under their names."""
        parts = [
            f"SELECT {', '.join(self._read(column, one.id) for column in columns)} FROM p{one.id}"
            for one in physical
            if one.id in self._stored
        ]
        if not parts:
            shown = ", ".join(f"CAST(NULL AS {column.type.duckdb}) AS {quoted(column.name)}" for column in columns)
            return f"SELECT {shown} WHERE false"
        return " UNION ALL ".join(parts)

    def _read(self, column: Column, physical_id: int) -> str:
        if column.unique_id in self._stored[physical_id]:
            return f"c{column.unique_id} AS {quoted(column.name)}"
        return f"{fill(column)} AS {quoted(column.name)}"

    def prepare(self, physical_id: int, columns: Sequence[Column]) -> None:
        """Make room: the table, and columns that were added since it was last loaded, filled with their defaults."""
        if physical_id not in self._stored:
            shown = ", ".join(f"c{column.unique_id} {column.type.duckdb}" for column in columns)
            self.duckdb.execute(f"CREATE TABLE p{physical_id} ({shown})")
            self._stored[physical_id] = {column.unique_id for column in columns}
            self._counts[physical_id] = 0
            return
        stored = self._stored[physical_id]
        for column in columns:
            if column.unique_id not in stored:
                self.duckdb.execute(
                    f"ALTER TABLE p{physical_id} ADD COLUMN c{column.unique_id} {column.type.duckdb} "
                    f"DEFAULT {fill(column)}"
                )
                stored.add(column.unique_id)

    def retype(self, physical_ids: Iterable[int], column: Column) -> None:
        """Convert stored values to a column's new type."""
        for physical_id in physical_ids:
            if column.unique_id in self._stored.get(physical_id, ()):
                self.duckdb.execute(f"ALTER TABLE p{physical_id} ALTER c{column.unique_id} TYPE {column.type.duckdb}")

    def add(
        self, physical_id: int, model: Model, columns: Sequence[Column], staged: str, *, alone: bool = False
    ) -> None:
        """Load staged rows as the table's model says: append, replace by key, or aggregate by key (R§12.1).

        Args:
            physical_id: Where they go.
            model: Of the table.
            columns: Of the table, all of them.
            staged: A query that gives `n` (their order) and the columns as `c<unique id>`.
            alone: Whether it is known to be one row: then no other one has its key.
        """
        self.prepare(physical_id, columns)
        names = ", ".join(f"c{column.unique_id}" for column in columns)
        if model is Model.DUPLICATE:
            added = self.query(f"INSERT INTO p{physical_id} ({names}) SELECT {names} FROM ({staged})")
            self._changed(physical_id, int(added[0][0]))
            return
        self._counts.pop(physical_id, None)
        keys = [f"c{column.unique_id}" for column in columns if column.is_key]
        matches = " AND ".join(f"p{physical_id}.{key} IS NOT DISTINCT FROM s.{key}" for key in keys)
        if model is Model.AGGREGATE:
            merged = ", ".join(map(_merged, columns))
            old = f"SELECT -1 AS n, {names} FROM p{physical_id} SEMI JOIN ({staged}) s ON {matches}"
            self.duckdb.execute(
                f"CREATE OR REPLACE TEMP TABLE merged AS SELECT {merged} "
                f"FROM ({old} UNION ALL SELECT n, {names} FROM ({staged})) GROUP BY {', '.join(keys)}"
            )
            new = f"SELECT {names} FROM merged"
        else:
            new = f"SELECT {names} FROM ({staged})"
            if not alone:
                new += f" QUALIFY row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY n DESC) = 1"
        self.duckdb.execute(f"DELETE FROM p{physical_id} USING ({staged}) s WHERE {matches}")
        self.duckdb.execute(f"INSERT INTO p{physical_id} ({names}) {new}")

    def delete(self, physical_id: int, columns: Sequence[Column], condition: str) -> int:
        """Delete the rows for which a condition over the columns' names holds; gives back how many."""
        if physical_id not in self._stored:
            return 0
        self.prepare(physical_id, columns)
        named = ", ".join(f"c{column.unique_id} AS {quoted(column.name)}" for column in columns)
        found = self.query(
            f"DELETE FROM p{physical_id} WHERE rowid IN "
            f"(SELECT r FROM (SELECT rowid AS r, {named} FROM p{physical_id}) WHERE {condition})"
        )
        deleted = int(found[0][0])
        self._changed(physical_id, -deleted)
        return deleted


def quoted(name: str) -> str:
    """A name as DuckDB's dialect quotes it."""
    return '"' + name.replace('"', '""') + '"'


def fill(column: Column) -> str:
    """What rows from before a column was added hold in it: its default, as an SQL expression."""
    if column.default is None:
        return f"CAST(NULL AS {column.type.duckdb})"
    if column.default == "CURRENT_TIMESTAMP":
        return "CAST('1970-01-01 00:00:00' AS TIMESTAMP)"
    return f"CAST({_literal(column.default)} AS {column.type.duckdb})"


def _merged(column: Column) -> str:
    name = f"c{column.unique_id}"
    if column.is_key:
        return name
    return f"CAST({_MERGES[column.aggregation].format(c=name)} AS {column.type.duckdb}) AS {name}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
