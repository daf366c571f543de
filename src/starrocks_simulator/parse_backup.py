"""Grammar of repositories, BACKUP, RESTORE, CANCEL and their SHOW statements: legacy and 3.4+ forms (R§2)."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import syntax
from starrocks_simulator.lexer import Token, line_and_column

_KINDS: Final = {
    "TABLE": "TABLE",
    "TABLES": "TABLE",
    "VIEW": "VIEW",
    "VIEWS": "VIEW",
    "FUNCTION": "FUNCTION",
    "FUNCTIONS": "FUNCTION",
    "MATERIALIZED VIEW": "MATERIALIZED VIEW",
    "MATERIALIZED VIEWS": "MATERIALIZED VIEW",
}
_PARTS_OF_A_LABEL: Final = 2
_TWO_DATABASES: Final = (
    "Specifying dbName before snapshot name is forbidden if the DbName is specified explicitly in BACKUP/RESTORE"
)


@frozen
class ObjectRef:
    """One object of an ON clause.

    Attributes:
        name: Its name; a database in front of it is dropped, as the server does (R§2.6).
        partitions: Named partitions; None = all.
        temporary: Whether the partitions were named as temporary ones.
        alias: The name it is restored under; None = its own.
        place: Where the whole object stands, in the analyzer's words (" from line 1, column 45 to line 1, column 66").
        name_place: Where its name stands.
        partitions_place: Where its PARTITION clause stands.
    """

    name: str
    partitions: tuple[str, ...] | None
    temporary: bool
    alias: str | None
    place: str
    name_place: str
    partitions_place: str


@frozen
class Objects:
    """An ON clause.

    Attributes:
        listed: Objects by name.
        every: The kinds asked for with ALL: "TABLE", "VIEW", "MATERIALIZED VIEW", "FUNCTION".
        functions: Functions by name; this simulator knows none.
    """

    listed: tuple[ObjectRef, ...]
    every: frozenset[str]
    functions: tuple[str, ...]


@frozen
class Backup:
    """BACKUP.

    Attributes:
        database: As written; None if there was none.
        explicit: Whether it was named with DATABASE.
        objects: None without ON.
        catalogs: Names of external catalogs, none for all of them; None if it is about a database.
    """

    database: str | None
    label: str
    repository: str
    objects: Objects | None
    properties: dict[str, str]
    catalogs: tuple[str, ...] | None = None


@frozen
class Restore:
    """RESTORE.

    Attributes:
        database: The target; None = the one in the snapshot.
        source_database: As given with DATABASE, to be compared with the snapshot's; None if not given.
        objects: None without ON.
        catalogs: As with BACKUP.
    """

    database: str | None
    source_database: str | None
    label: str
    repository: str
    objects: Objects | None
    properties: dict[str, str]
    catalogs: tuple[str, ...] | None = None


@frozen
class Cancel:
    """CANCEL BACKUP or CANCEL RESTORE; `database` None = FOR EXTERNAL CATALOG."""

    kind: str
    database: str | None


@frozen
class ShowJobs:
    """SHOW BACKUP or SHOW RESTORE; `database` None = every database."""

    kind: str
    database: str | None


@frozen
class ShowSnapshot:
    """SHOW SNAPSHOT.

    Attributes:
        labels: Those asked for; None = all.
        single: Whether the label was given with `=`: then a row comes even for an unknown one (R§0.10).
        timestamp: With `=` only.
        malformed: Whether the WHERE clause is one that the analyzer refuses.
    """

    repository: str
    labels: tuple[str, ...] | None
    single: bool
    timestamp: str | None
    malformed: bool


@frozen
class CreateRepository:
    """CREATE [READ ONLY] REPOSITORY."""

    name: str
    read_only: bool
    broker: str
    location: str
    properties: dict[str, str]


@frozen
class DropRepository:
    """DROP REPOSITORY."""

    name: str


@frozen
class ShowRepositories:
    """SHOW REPOSITORIES."""


def parse_backup(cursor: Cursor) -> Backup:
    """Everything after BACKUP."""
    named = cursor.name() if cursor.accept("DATABASE") else None
    catalogs = _external_catalogs(cursor)
    cursor.expect("SNAPSHOT")
    database, label = _label(cursor, named)
    cursor.expect("TO")
    repository = cursor.name()
    objects = _objects(cursor)
    _check_catalogs(catalogs, database, objects)
    if objects is not None and any(item.alias is not None for item in objects.listed):
        raise syntax("Specifying alias for backup object is forbidden in BACKUP stmt")
    properties = cursor.optional_properties()
    cursor.end()
    return Backup(database, label, repository, objects, properties, catalogs)


def parse_restore(cursor: Cursor) -> Restore:
    """Everything after RESTORE."""
    cursor.expect("SNAPSHOT")
    prefix, label = _qualified_label(cursor)
    cursor.expect("FROM")
    repository = cursor.name()
    catalogs = _external_catalogs(cursor)
    source = target = None
    if cursor.accept("DATABASE"):
        source = target = cursor.name()
        if cursor.accept("AS"):
            target = cursor.name()
        if prefix is not None:
            raise syntax(_TWO_DATABASES)
    objects = _objects(cursor)
    _check_catalogs(catalogs, prefix or source, objects)
    if objects is not None and prefix is None and source is None:
        raise syntax("`ON` clause is forbidden if no Database explicitly specified in Restore stmt")
    properties = cursor.optional_properties()
    cursor.end()
    return Restore(prefix or target, source, label, repository, objects, properties, catalogs)


def parse_cancel(cursor: Cursor) -> Cancel:
    """Everything after CANCEL."""
    kind = cursor.accept_any("BACKUP", "RESTORE")
    if kind is None:
        cursor.fail("'BACKUP', 'RESTORE'")
    if cursor.accept("FOR", "EXTERNAL", "CATALOG"):
        cursor.end()
        return Cancel(kind, None)
    if cursor.accept_any("FROM", "IN") is None:
        cursor.end()
        raise syntax("No selected database for cancel BACKUP/RESTORE")
    database = cursor.qualified()[1]
    cursor.end()
    return Cancel(kind, database)


def parse_show_jobs(cursor: Cursor, kind: str) -> ShowJobs:
    """Everything after SHOW BACKUP or SHOW RESTORE; RESTORE's WHERE is accepted and ignored (O2§0.7)."""
    database = cursor.qualified()[1] if cursor.accept_any("FROM", "IN") else None
    if kind == "RESTORE" and cursor.looking_at("WHERE"):
        cursor.rest()
    cursor.end()
    return ShowJobs(kind, database)


def parse_show_snapshot(cursor: Cursor) -> ShowSnapshot:
    """Everything after SHOW SNAPSHOT."""
    cursor.expect("ON")
    repository = cursor.name()
    if not cursor.accept("WHERE"):
        cursor.end()
        return ShowSnapshot(repository, None, single=False, timestamp=None, malformed=False)
    return _snapshot_filter(cursor, repository)


def parse_create_repository(cursor: Cursor, *, read_only: bool) -> CreateRepository:
    """Everything after CREATE [READ ONLY] REPOSITORY."""
    name = cursor.name()
    cursor.expect("WITH", "BROKER")
    broker = "" if cursor.looking_at("ON", "LOCATION") else cursor.name_or_string()
    cursor.expect("ON", "LOCATION")
    location = cursor.string()
    properties = cursor.optional_properties()
    cursor.end()
    return CreateRepository(name, read_only, broker, location, properties)


def parse_drop_repository(cursor: Cursor) -> DropRepository:
    """Everything after DROP REPOSITORY."""
    name = cursor.name()
    cursor.end()
    return DropRepository(name)


def _external_catalogs(cursor: Cursor) -> tuple[str, ...] | None:
    """`ALL EXTERNAL CATALOGS` (no names) or `EXTERNAL CATALOG (c [AS d], …)`; None without either (R§2.2, R§2.3)."""
    if cursor.accept("ALL", "EXTERNAL", "CATALOGS"):
        return ()
    if not cursor.accept("EXTERNAL"):
        return None
    if cursor.accept_any("CATALOG", "CATALOGS") is None:
        cursor.fail("'CATALOG', 'CATALOGS'")
    cursor.expect("(")
    names = []
    while True:
        names.append(cursor.name())
        if cursor.accept("AS"):
            cursor.name()
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return tuple(names)


def _check_catalogs(catalogs: tuple[str, ...] | None, database: str | None, objects: Objects | None) -> None:
    """External catalogs go with neither a database nor ON (R§3.1)."""
    if catalogs is not None and database is not None:
        raise syntax("Can not sepcify database name for external catalog Backup/Restore")
    if catalogs is not None and objects is not None:
        raise syntax("Can not sepcify `ON` clause for external catalog Backup/Restore")


def _label(cursor: Cursor, named: str | None) -> tuple[str | None, str]:
    prefix, label = _qualified_label(cursor)
    if prefix is not None and named is not None:
        raise syntax(_TWO_DATABASES)
    return prefix or named, label


def _qualified_label(cursor: Cursor) -> tuple[str | None, str]:
    """`db.label` or `label`. An empty quoted label is refused later, by the analyzer (O§k)."""
    parts = [_possibly_empty(cursor)]
    while cursor.accept("."):
        parts.append(_possibly_empty(cursor))
    if len(parts) > _PARTS_OF_A_LABEL:
        raise syntax(f"Invalid table name format '{'.'.join(parts)}'")
    return (parts[0] if len(parts) > 1 else None), parts[-1]


def _possibly_empty(cursor: Cursor) -> str:
    if cursor.next.kind is Token.QUOTED and not cursor.next.value:
        cursor.take()
        return ""
    return cursor.name()


def _objects(cursor: Cursor) -> Objects | None:
    if not cursor.accept("ON"):
        return None
    listed: list[ObjectRef] = []
    every: set[str] = set()
    functions: list[str] = []
    cursor.expect("(")
    while True:
        wanted_all = cursor.accept("ALL")
        kind = _kind(cursor)
        if wanted_all:
            every.add(kind or cursor.fail("'FUNCTION', 'MATERIALIZED', 'TABLE', 'VIEW'"))
        elif kind == "FUNCTION":
            functions.append(cursor.qualified()[1])
        else:
            listed.append(_object(cursor))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return Objects(tuple(listed), frozenset(every), tuple(functions))


def _kind(cursor: Cursor) -> str | None:
    """The keyword before a name; a table may itself be called `table` if it is quoted."""
    for words, kind in _KINDS.items():
        following = words.split()
        if cursor.looking_at(*following):
            after = cursor.lexemes[cursor.at + len(following)]
            if (
                after.kind is Token.SYMBOL
                and after.text in {",", ")", "."}
                and cursor.lexemes[cursor.at - 1].value != "ALL"
            ):
                return None
            cursor.accept(*following)
            return kind
    return None


def _object(cursor: Cursor) -> ObjectRef:
    start = cursor.at
    _, name = cursor.qualified()
    name_end = cursor.at - 1
    partitions_start = cursor.at
    temporary, partitions = _partitions(cursor)
    partitions_end = cursor.at - 1
    alias = cursor.name() if cursor.accept("AS") else None
    return ObjectRef(
        name=name,
        partitions=partitions,
        temporary=temporary,
        alias=alias,
        place=cursor.place(start, cursor.at - 1),
        name_place=cursor.place(start, name_end),
        partitions_place=cursor.place(partitions_start, partitions_end) if partitions is not None else "",
    )


def _partitions(cursor: Cursor) -> tuple[bool, tuple[str, ...] | None]:
    begin = cursor.next
    temporary = cursor.looking_at("TEMPORARY", "PARTITION") or cursor.looking_at("TEMPORARY", "PARTITIONS")
    if temporary:
        cursor.take()
    if cursor.accept_any("PARTITIONS", "PARTITION") is None:
        return False, None
    if not cursor.looking_at("("):
        return temporary, (cursor.name_or_string(),)
    if cursor.lexemes[cursor.at + 1].text == ")":
        closing = cursor.lexemes[cursor.at + 1]
        line, column = line_and_column(cursor.text, closing.start)
        raise syntax(f"No viable statement for input '{cursor.text[begin.start : closing.end]}'", line, column)
    return temporary, tuple(cursor.names())


def _snapshot_filter(cursor: Cursor, repository: str) -> ShowSnapshot:
    """The WHERE clause, with the server's own reading of it: any operator counts as `=`, LIKE as nothing (R§2.4)."""
    labels: tuple[str, ...] | None = None
    timestamp: str | None = None
    single = malformed = False
    closing = 0
    while True:
        closing += _opened(cursor)
        if cursor.next.kind in {Token.STRING, Token.NUMBER} or cursor.looking_at("NOT"):
            cursor.rest()
            return ShowSnapshot(repository, None, single=False, timestamp=None, malformed=True)
        column = cursor.name().upper()
        cursor.accept("NOT")
        if _is_passed_over(cursor):
            pass
        elif cursor.accept("IN"):
            labels = tuple(cursor.names())
            malformed |= column != "SNAPSHOT"
        else:
            cursor.take()
            value = _literal(cursor)
            if column == "SNAPSHOT" and labels is None and value:
                labels, single = (value,), True
            elif column == "TIMESTAMP" and timestamp is None and value:
                timestamp = value
            else:
                malformed = True
        while closing and cursor.accept(")"):
            closing -= 1
        if cursor.accept("OR"):
            malformed = True
        elif not cursor.accept("AND"):
            break
    cursor.end()
    malformed |= timestamp is not None and not single
    return ShowSnapshot(repository, labels, single, timestamp, malformed)


def _opened(cursor: Cursor) -> int:
    """Step over opening parentheses; how many there were."""
    opened = 0
    while cursor.accept("("):
        opened += 1
    return opened


def _is_passed_over(cursor: Cursor) -> bool:
    """Step over a predicate that is neither a comparison nor IN: the server does not look at it (R§2.4)."""
    if cursor.accept("IS"):
        cursor.accept("NOT")
        cursor.expect("NULL")
        return True
    if cursor.accept("BETWEEN"):
        _literal(cursor)
        cursor.expect("AND")
        _literal(cursor)
        return True
    if cursor.accept_any("LIKE", "REGEXP", "RLIKE"):
        _literal(cursor)
        return True
    return False


def _literal(cursor: Cursor) -> str | None:
    """A string literal; None for anything else, which the analyzer does not take."""
    if cursor.next.kind is Token.STRING:
        return cursor.string()
    if cursor.next.kind is not Token.NUMBER:
        cursor.qualified()
    else:
        cursor.take()
    return None
