"""Two answers to one statement, without what says nothing: chance, fake backends, other scenarios' leftovers."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from attrs import define

from starrocks_simulator.frontend import Frontend
from starrocks_simulator.results import Result
from tests.transcripts.recording import Line

FAKE_COLUMNS = {
    "UnfinishedTasks", "Progress", "TaskErrMsg", "Rows", "Avg_row_length", "Data_length",
    "DataSize", "StorageSize", "RowCount", "TABLE_ROWS", "AVG_ROW_LENGTH", "DATA_LENGTH", "MAX_DATA_LENGTH",
    "DATA_SIZE", "ROW_COUNT", "STORAGE_SIZE", "LastConsistencyCheckTime", "VersionEpoch",
    "VERSION_EPOCH", "LAST_CONSISTENCY_CHECK_TIME", "VersionTxnType", "VERSION_TXN_TYPE",
}  # fmt: skip
"""What fake backends cannot show (O, head), and counters without meaning to a client."""

_POLL = re.compile(r"^\s*show\s+(?:backup|restore)\b", re.IGNORECASE)
_SELECT = re.compile(r"^\s*(?:\(|with\b|select\b)", re.IGNORECASE)
_HOST_FACTS = re.compile(
    r"^\s*show\s+(?:frontends|backends|compute\s+nodes|processlist|data\b|tablet\b|proc\s+'/(?:'|backends|frontends))",
    re.IGNORECASE,
)
_DATABASES = re.compile(r"^\s*show\s+(?:databases|schemas|proc\s+'/(?:dbs|transactions)')", re.IGNORECASE)
_REPOSITORIES = re.compile(r"^\s*show\s+repositories\s*$", re.IGNORECASE)
_OBJECTS = re.compile(r"([^,\s][^,]*?)(?: PARTITIONS \[([^\]]*)\])?(?:, |$)")
_LIST_PARTITIONS = re.compile(r"(PARTITION BY LIST\([^)]*\)\(\n)((?:  PARTITION [^\n]*\n)+)")

_Rows = list[list[Any]]


def is_made_up(sql: str) -> bool:
    """Whether the answer's rows say nothing: facts of the host, plans, or rows of a table, made up by fake backends."""
    lowered = sql.lower().lstrip()
    if lowered.startswith("explain"):
        return True
    of_a_table = bool(_SELECT.match(sql)) and " from " in lowered and "information_schema" not in lowered
    return of_a_table or bool(_HOST_FACTS.match(sql))


@define
class Answers:
    """Both answers' rows, column by column the same.

    Attributes:
        names: Of the columns that are compared.
        recorded: The server's rows.
        ours: The simulator's.
    """

    names: list[str]
    recorded: _Rows
    ours: _Rows


def comparable(line: Line, result: Result, frontend: Frontend) -> Answers:
    """What of a recorded result set and of ours is to be compared."""
    sql = line.sql or ""
    names = [column.name for column in result.columns or ()]
    kept = [index for index, name in enumerate(names) if name not in FAKE_COLUMNS]
    answers = Answers(
        [names[index] for index in kept],
        [[row[index] for index in kept] for row in line.rows or ()],
        [[row[index] for index in kept] for row in result.rows],
    )
    if _POLL.match(sql):
        _hide_chance(answers)
        if not re.search(r"\b(?:from|in)\b", sql, re.IGNORECASE):
            _keep(answers, "DbName", frontend.catalog.databases)
    elif _DATABASES.match(sql):
        name = next((one for one in answers.names if one.lower() in {"database", "dbname"}), answers.names[0])
        _keep(answers, name, frontend.catalog.databases)
    elif _REPOSITORIES.match(sql):
        _keep(answers, "RepoName", frontend.handler.repositories)
    elif "information_schema" in sql.lower():
        _take_null_for_unset(answers)
    elif "Create Table" in answers.names:
        _sort_list_partitions(answers)
    return answers


def _keep(answers: Answers, name: str, known: Collection[str]) -> None:
    """Leave out what other scenarios, recorded on the same frontend before, left behind."""
    index = answers.names.index(name)
    wanted = {*known, *(row[index] for row in answers.ours)}
    answers.recorded = [row for row in answers.recorded if row[index] in wanted]


def _hide_chance(answers: Answers) -> None:
    """Take out of polls what is a matter of phase and of ids.

    JobId is -1 at the start of PENDING and may be set at its end (O§a). RestoreObjs comes in the order of hash maps,
    one of which has ids as keys.
    """
    job_id, state = answers.names.index("JobId"), answers.names.index("State")
    for row in (*answers.recorded, *answers.ours):
        if row[state] in {"PENDING", "CANCELLED"}:
            row[job_id] = "-1"
        if "RestoreObjs" in answers.names:
            objects = answers.names.index("RestoreObjs")
            found = _OBJECTS.findall(row[objects])
            row[objects] = str(sorted((name, sorted(parts.split(", "))) for name, parts in found))


def _take_null_for_unset(answers: Answers) -> None:
    """The older recordings show NULL where the server sends '' or 0 (O, "What the fake backend cannot show")."""
    for recorded in answers.recorded:
        for ours in answers.ours:
            if all(old is None or _may_be(old, new) for old, new in zip(recorded, ours, strict=True)):
                ours[:] = [
                    None if old is None and new in {"", 0, -1} else new for old, new in zip(recorded, ours, strict=True)
                ]


def _may_be(old: Any, new: Any) -> bool:
    """Whether two cells look alike once numbers are left aside: ids and instants are compared later."""
    return re.sub(r"\d+", "", str(old)) == re.sub(r"\d+", "", str(new))


def _sort_list_partitions(answers: Answers) -> None:
    """SHOW CREATE TABLE gives LIST partitions in the order of a hash map with their ids as keys."""

    def ordered(found: re.Match[str]) -> str:
        return found[1] + "\n".join(sorted(line.rstrip(",") for line in found[2].splitlines())) + "\n"

    for rows in (answers.recorded, answers.ours):
        for row in rows:
            row[:] = [_LIST_PARTITIONS.sub(ordered, cell) if isinstance(cell, str) else cell for cell in row]
