"""What somebody wrote after `restore`, and whether it goes together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import field, frozen

from starrocks_br.domain.names import TableRef
from starrocks_br.domain.restore_steps import Reading

WITH_UNDO: Final = frozenset({"--undo", "--yes"})
WITH_RESUME: Final = frozenset({"--resume", "--yes", "--wait"})


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


@frozen(kw_only=True)
class RestoreWish:
    """The options of `restore`; a name each, None or empty where nothing was said.

    Attributes:
        table: `db.table` or `db.*`, each once.
        timestamp: The point wanted, as written.
        label: Or the snapshot.
        from_cluster: Whose point.
        to_database: Where the tables go.
        as_name: The name that the one table gets.
        replace: Whether live tables give way.
        drop_old: Whether those are dropped in the end.
        partition: Only these, each once.
        verify: How the result is read: `counts` or `none`.
        undo: The id of a restore to take back.
        resume: The id of a killed restore to finish.
        dry_run: Whether the plan is all that is wanted.
        yes: Whether the answer is given beforehand.
        allow_fuzzy: Whether points that are not exact will do.
        wait: Seconds.
    """

    table: tuple[str, ...] = field(default=(), converter=_distinct)
    timestamp: str | None = None
    label: str | None = None
    from_cluster: str | None = None
    to_database: str | None = None
    as_name: str | None = None
    replace: bool = False
    drop_old: bool = False
    partition: tuple[str, ...] = field(default=(), converter=_distinct)
    verify: str | None = None
    undo: str | None = None
    resume: str | None = None
    dry_run: bool = False
    yes: bool = False
    allow_fuzzy: bool = False
    wait: float | None = None

    @property
    def several(self) -> bool:
        """Whether more than one table may be meant."""
        return len(self.table) > 1 or any(name.endswith(".*") for name in self.table)

    @property
    def reading(self) -> Reading:
        """How the result is read."""
        return Reading.TABLE if self.verify is None else Reading(self.verify)

    @property
    def into(self) -> str | None:
        """The one table's new name, `db.table`; None: its own. An empty option is an empty name, which is none."""
        if self.to_database is None and self.as_name is None:
            return None
        own = TableRef.parse(self.table[0])
        database = own.database if self.to_database is None else self.to_database
        return f"{database}.{own.name if self.as_name is None else self.as_name}"

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were written."""
        return tuple(name for name, value in self._values.items() if value is not None and value not in (False, ()))

    @property
    def problem(self) -> str:
        """What does not go together, in words; empty if all does."""
        return next(self._problems(), "")

    @property
    def _values(self) -> Mapping[str, object]:
        return {
            "--table": self.table,
            "--timestamp": self.timestamp,
            "--label": self.label,
            "--from-cluster": self.from_cluster,
            "--to-database": self.to_database,
            "--as": self.as_name,
            "--replace": self.replace,
            "--drop-old": self.drop_old,
            "--partition": self.partition,
            "--verify": self.verify,
            "--undo": self.undo,
            "--resume": self.resume,
            "--dry-run": self.dry_run,
            "--yes": self.yes,
            "--allow-fuzzy": self.allow_fuzzy,
            # A wait of 0 seconds is one that was written, too.
            "--wait": None if self.wait is None else str(self.wait),
        }

    def _problems(self) -> Iterator[str]:
        if self.undo is not None:
            yield from self._strangers("--undo", WITH_UNDO)
        elif self.resume is not None:
            yield from self._strangers("--resume", WITH_RESUME)
        else:
            yield from self._unclear()
            yield from self._only_for_one()

    def _strangers(self, option: str, known: frozenset[str]) -> Iterator[str]:
        strange = [name for name in self.given if name not in known]
        if strange:
            yield f"{option} takes the id of a restore, and all else is known from it: leave out {', '.join(strange)}"

    def _unclear(self) -> Iterator[str]:
        if not self.table:
            yield "give --table DB.TABLE or 'DB.*'; or --undo or --resume with the id of a restore"
        if (self.timestamp is None) is (self.label is None):
            yield "give either --timestamp or --label"
        if self.drop_old and not self.replace:
            yield "--drop-old is about the table that --replace puts aside: give both, or neither"

    def _only_for_one(self) -> Iterator[str]:
        if self.several and self.as_name is not None:
            yield "--as names one table; for several there is --to-database"
        if self.several and self.partition:
            yield "--partition is about one table"
        if self.as_name is not None and "." in self.as_name:
            database, _, name = self.as_name.partition(".")
            yield f"--as takes a table's name alone: --to-database {database} --as {name}"
        if self.partition and self.to_database is None and self.as_name is None:
            yield (
                "a part of a table does not get the name of the whole: give --partition together with --as or "
                "--to-database"
            )
