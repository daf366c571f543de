"""Faults by name, for a command line, a configuration statement, or a test: `NAME`, `NAME#WHICH`, `NAME=VALUE`.

starrocks-simulator --fault 'cut-after=BACKUP SNAPSHOT' --fault 'cancel#*=BACKUP.UPLOADING [TIMEOUT, msg: ]'
ADMIN SET FRONTEND CONFIG ("simulator_fault" = "refuse-slot-taken#2")
plant(frontend, "restart=SHOW BACKUP")

WHICH says at which occurrence the fault strikes: the nth (counted from 1, the first unless told), or `*` at each. What
an occurrence is depends on the fault: a statement that holds certain words (upper and lower case are one; no words:
every statement; after a `^` they begin it), or a tick at which a job of a kind is about to leave a state. All names
stand in `FAULTS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from starrocks_simulator.catalog import Table
from starrocks_simulator.errors import ServerError, common, refused
from starrocks_simulator.faults import ConnectionCut, Fail, Hold, Silence
from starrocks_simulator.jobs_restore import RestoreJob
from starrocks_simulator.running_overwrite import RunningOverwrite, begin

if TYPE_CHECKING:
    from starrocks_simulator.frontend import Frontend
    from starrocks_simulator.jobs import Job

_SPEC: Final = re.compile(r"(?P<name>[a-z][a-z0-9-]*)(?:#(?P<which>\*|[1-9][0-9]*))?(?:=(?P<value>.*))?", re.DOTALL)
_JOB: Final = re.compile(r"(?P<kind>BACKUP|RESTORE)\.(?P<state>[A-Z_]+)(?:\s+(?P<rest>.*))?", re.DOTALL)
_TICKS: Final = re.compile(r"(?P<ticks>[1-9][0-9]*)(?:\s+(?P<text>.*))?", re.DOTALL)
_ACT: Final = re.compile(r"(?P<words>[^;]*);\s*(?P<sql>.+)", re.DOTALL)
_OVERWRITE: Final = re.compile(r"(?P<ticks>[1-9][0-9]*)\s+(?P<database>[^.\s]+)\.(?P<table>\S+)(?P<aborts>\s+abort)?")
_SECONDS: Final = re.compile(r"(?P<seconds>[0-9.]+)(?:\s+(?P<words>.*))?", re.DOTALL)


class BadFault(ValueError):
    """A text that names no fault, or whose value the fault cannot use."""


@define
class Occurrences:
    """Counts, and tells the ones that are meant.

    Attributes:
        which: The number of the one that is meant, from 1; 0 means each.
    """

    which: int
    _seen: int = field(default=0, init=False)

    def meant(self) -> bool:
        """Count one more; whether it is meant."""
        self._seen += 1
        return self.which in {0, self._seen}


Plant = Callable[["Frontend", Occurrences, str], None]


@frozen
class Named:
    """One line of the table.

    Attributes:
        effect: What happens.
        value: What VALUE is; empty if there is none.
        plant: Makes it happen.
    """

    effect: str
    value: str
    plant: Plant


def plant(frontend: Frontend, text: str) -> None:
    """Plant one fault.

    Raises:
        BadFault: No such fault, or a value that it cannot use.
    """
    found = _SPEC.fullmatch(text)
    if not found or found["name"] not in FAULTS:
        raise BadFault(f"{text!r} names no fault; there are {', '.join(sorted(FAULTS))}")
    named = FAULTS[found["name"]]
    if found["value"] is not None and not named.value:
        raise BadFault(f"{found['name']} takes no value")
    which = 0 if found["which"] == "*" else int(found["which"] or 1)
    named.plant(frontend, Occurrences(which), found["value"] or "")


def _parts(pattern: re.Pattern[str], value: str, form: str) -> re.Match[str]:
    found = pattern.fullmatch(value)
    if not found:
        raise BadFault(f"{value!r} is not {form}")
    return found


# --- at a statement ---------------------------------------------------------------------------------------------------


def _holds(sql: str, words: str) -> bool:
    """Whether a statement holds certain words, or begins with them if a `^` stands before."""
    text, wanted = sql.casefold(), words.casefold()
    return text.startswith(wanted[1:]) if wanted.startswith("^") else wanted in text


def _raises(error: Callable[[str], Exception], words: str | None = None, *, after: bool = False) -> Plant:
    """Answer statements with an error; those that hold the fault's own words, or VALUE's where it has none."""

    def plant_it(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
        wanted = value if words is None else words

        def fault(sql: str) -> None:
            if _holds(sql, wanted) and occurrences.meant():
                raise error(sql)

        (frontend.faults.after if after else frontend.faults.before).append(fault)

    return plant_it


def _refuses(words: str, message: str, *, plain: bool = False) -> Named:
    error = refused(message) if plain else common(message)
    return Named(f"{words} is refused: {error.errno}, `{message}`", "", _raises(lambda _: error, words))


def _denied(sql: str) -> ServerError:
    needed = next((privilege for words, privilege in _PRIVILEGES.items() if sql.upper().startswith(words)), "")
    return ServerError(
        5203,
        "42000",
        f"Access denied; you need (at least one of) the {needed or 'SELECT privilege(s) on TABLE backup_history'} for "
        "this operation. Please ask the admin to grant permission(s) or try activating existing roles using "
        "<set [default] role>. Current role(s): NONE. Inactivated role(s): NONE.",
    )


_PRIVILEGES: Final = {
    "SHOW FRONTENDS": "OPERATE privilege(s) on SYSTEM",
    "SHOW BACKENDS": "OPERATE privilege(s) on SYSTEM",
    "ADMIN": "OPERATE privilege(s) on SYSTEM",
    "SHOW SNAPSHOT": "REPOSITORY privilege(s) on SYSTEM",
    "SHOW BACKUP": "REPOSITORY privilege(s) on SYSTEM",
    "SHOW RESTORE": "REPOSITORY privilege(s) on SYSTEM",
    "BACKUP": "EXPORT privilege(s) on TABLE t",
    "RESTORE": "CREATE TABLE privilege(s) on DATABASE d",
    "ALTER": "ALTER privilege(s) on TABLE t",
    "DROP": "DROP privilege(s) on TABLE t",
    "INSERT": "INSERT privilege(s) on TABLE backup_history",
    "UPDATE": "UPDATE privilege(s) on TABLE backup_history",
    "CREATE DATABASE": "CREATE DATABASE privilege(s) on CATALOG default_catalog",
    "CREATE TABLE": "CREATE TABLE privilege(s) on DATABASE ops",
}
"""What the frontend asks for (O2§y11)."""


def _slow(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    found = _parts(_SECONDS, value, "SECONDS [WORDS]")
    words = found["words"] or ""

    def fault(sql: str) -> float:
        return float(found["seconds"]) if _holds(sql, words) and occurrences.meant() else 0.0

    frontend.faults.delays.append(fault)


def _restart(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    def fault(sql: str) -> None:
        if _holds(sql, value) and occurrences.meant():
            frontend.restart()
            raise ConnectionCut

    frontend.faults.before.append(fault)


def _as_root(frontend: Frontend, sql: str) -> None:
    """Run a statement; what it is answered is root's affair, not that of whoever sent the statement it comes beside."""
    with suppress(ServerError):
        frontend.connect().execute(sql)


def _runs(*, after: bool) -> Plant:
    """Let root run a statement right before or after one that holds certain words."""

    def plant_it(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
        found = _parts(_ACT, value, "WORDS; STATEMENT")
        faults = frontend.faults.after if after else frontend.faults.before

        def fault(sql: str) -> None:
            if sql != found["sql"] and _holds(sql, found["words"]) and occurrences.meant():
                _as_root(frontend, found["sql"])

        faults.append(fault)

    return plant_it


# --- at a tick of a job -----------------------------------------------------------------------------------------------


def _job(value: str) -> tuple[Callable[[Job], bool], str]:
    found = _parts(_JOB, value, "KIND.STATE …, as in BACKUP.UPLOADING")
    kind, state = found["kind"], found["state"]
    return lambda job: (job.kind, job.state) == (kind, state), found["rest"] or ""


def _cancel(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    about, status = _job(value)
    frontend.faults.steps.append(
        lambda job: Fail(status or "[COMMON_ERROR, msg: simulated]") if about(job) and occurrences.meant() else None
    )


def _freeze(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    about, _ = _job(value)
    frozen_jobs: list[Job] = []

    def fault(job: Job) -> Hold | None:
        if about(job) and (job in frozen_jobs or occurrences.meant()):
            frozen_jobs.append(job)
            return Hold()
        return None

    frontend.faults.steps.append(fault)


def _hold(*, as_status: bool) -> Plant:
    """Keep a job in a state for some ticks, with the words that backends or the frontend would have."""

    def plant_it(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
        about, rest = _job(value)
        found = _parts(_TICKS, rest, "KIND.STATE TICKS [TEXT]")
        text = found["text"] or None
        left: dict[int, int] = {}
        met: list[Job] = []  # keeps them alive: the id of a job that is gone is given to another one

        def fault(job: Job) -> Hold | None:
            if not about(job):
                return None
            if id(job) not in left:
                met.append(job)
                left[id(job)] = int(found["ticks"]) if occurrences.meant() else 0
            left[id(job)] -= 1
            if left[id(job)] < 0:
                return None
            return Hold(status=text) if as_status else Hold(task_errors=text)

        frontend.faults.steps.append(fault)

    return plant_it


def _run_at(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    about, sql = _job(value)
    if not sql:
        raise BadFault(f"{value!r} is not KIND.STATE STATEMENT")

    def fault(job: Job) -> None:
        if about(job) and occurrences.meant():
            _as_root(frontend, sql)

    frontend.faults.steps.append(fault)


def _overwrite(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    about, rest = _job(value)
    found = _parts(_OVERWRITE, rest, "KIND.STATE TICKS DATABASE.TABLE [abort]")
    begun: dict[str, RunningOverwrite] = {}
    left = int(found["ticks"])

    def fault(job: Job) -> None:
        nonlocal left
        if begun:
            left -= 1
            if left == 0:
                overwrite = begun["overwrite"]
                overwrite.abort() if found["aborts"] else overwrite.finish()
        elif about(job) and occurrences.meant():
            table = frontend.catalog.databases[found["database"]].tables[found["table"]]
            if isinstance(table, Table):
                begun["overwrite"] = begin(frontend, table)

    frontend.faults.steps.append(fault)


def _run_registering(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
    if not value:
        raise BadFault("run-registering needs a statement")

    def fault(job: Job) -> bool:
        if isinstance(job, RestoreJob):
            names = [f"`{job.db_name}`.`{work.item.target}`" for work in job.work if work.created]
            if names and occurrences.meant():
                _as_root(frontend, value.replace("{name}", names[0]))
        return False

    frontend.faults.registrations.append(fault)


# --- in the repository ------------------------------------------------------------------------------------------------


def _lose_files(frontend: Frontend, newest: str) -> None:
    for repository in frontend.handler.repositories.values():
        for path in repository.folder.glob(f"__ss_{newest}/__info_*"):
            path.unlink()


def _double(frontend: Frontend, newest: str) -> None:
    for repository in frontend.handler.repositories.values():
        for path in list(repository.folder.glob(f"__ss_{newest}/__info_*")):
            stamp, _, checksum = path.name.removeprefix("__info_").partition(".")
            other = f"{stamp[:-1]}{(int(stamp[-1]) + 1) % 10}"
            path.with_name(f"__info_{other}.{checksum}").write_bytes(path.read_bytes())


def _half_written(frontend: Frontend, newest: str) -> None:
    for repository in frontend.handler.repositories.values():
        for path in list(repository.folder.glob(f"__ss_{newest}/__info_*")):
            path.rename(path.with_name(f"{path.name.rpartition('.')[0]}.part"))


def _differ(frontend: Frontend, newest: str) -> None:
    for repository in frontend.handler.repositories.values():
        for path in list(repository.folder.glob(f"__ss_{newest}/__info_*")):
            info = json.loads(path.read_text())
            for held in info["backup_objects"].values():
                held["partitions"]["p_of_nobody"] = next(iter(held["partitions"].values()), {})
            path.unlink()
            repository.write_info(newest, path.name.removeprefix("__info_").rpartition(".")[0], info)


def _in_repository(act: Callable[[Frontend, str], None]) -> Plant:
    """Meddle with a snapshot as soon as somebody asks for it by its label."""

    def plant_it(frontend: Frontend, occurrences: Occurrences, value: str) -> None:
        def fault(sql: str) -> None:
            if not sql.upper().startswith("SHOW SNAPSHOT"):
                return
            asked = [label for label in re.findall(r"'([-A-Za-z0-9_]+)'", sql) if value.casefold() in label.casefold()]
            if asked and occurrences.meant():
                for label in asked:
                    act(frontend, label)

        frontend.faults.before.append(fault)

    return plant_it


# --- in the cluster ---------------------------------------------------------------------------------------------------


def _hold_publish(frontend: Frontend, _: Occurrences, value: str) -> None:
    frontend.faults.hold_publish, frontend.faults.held_table = True, value


def _clear(frontend: Frontend, _: Occurrences, __: str) -> None:
    faults = frontend.faults
    for planted in (faults.before, faults.after, faults.delays, faults.steps, faults.registrations):
        planted.clear()
    faults.hold_publish, faults.held_table = False, ""
    frontend.held_loads.publish()


_WORDS: Final = "WORDS of the statement"
_STATE: Final = "KIND.STATE, as in BACKUP.UPLOADING"
_LABEL: Final = "part of the label"
_GHOST: Final = (
    'Cannot invoke "com.google.common.collect.Range.toString()" because the return value of '
    '"com.starrocks.catalog.RangePartitionInfo.getRange(long)" is null'
)

FAULTS: Final[Mapping[str, Named]] = {
    "cut-before": Named("The connection breaks; nothing happened.", _WORDS, _raises(lambda _: ConnectionCut())),
    "cut-after": Named(
        "The connection breaks; the statement had its effect.", _WORDS, _raises(lambda _: ConnectionCut(), after=True)
    ),
    "hang-before": Named("No answer ever comes; nothing happened.", _WORDS, _raises(lambda _: Silence())),
    "hang-after": Named(
        "No answer ever comes; the statement had its effect.", _WORDS, _raises(lambda _: Silence(), after=True)
    ),
    "slow": Named("The answer takes that long (on the wire).", "SECONDS [WORDS]", _slow),
    "restart": Named("The frontend process dies before the statement and is back at once (O§v).", _WORDS, _restart),
    "run-before": Named("Root runs a statement right before it.", "WORDS; STATEMENT", _runs(after=False)),
    "run-after": Named("Root runs a statement right after it.", "WORDS; STATEMENT", _runs(after=True)),
    "deny": Named("Refused for want of a privilege: 5203 (O2§y11).", _WORDS, _raises(_denied)),
    "refuse-submit-busy": _refuses(
        " SNAPSHOT `", "Another backup or restore job is being submitted. Please wait and try again"
    ),
    "refuse-slot-taken": _refuses(" SNAPSHOT `", "Can only run one backup or restore job of a database at same time"),
    "refuse-read-only": _refuses("BACKUP SNAPSHOT", "Repository simulated is read only"),
    "refuse-temp-partitions": _refuses("BACKUP SNAPSHOT", "Do not support backing up table with temp partitions"),
    "refuse-partition-gone": _refuses("BACKUP SNAPSHOT", "Unknown partition p1 in tablet"),
    "refuse-storage": _refuses("BACKUP SNAPSHOT", "failed to list remote path: s3a://simulated. msg: timed out"),
    "refuse-label-used": _refuses("BACKUP SNAPSHOT", "Snapshot with name 'simulated' already exist in repository"),
    "unlistable": _refuses("SHOW SNAPSHOT", "failed to list remote path: s3a://simulated. msg: timed out", plain=True),
    "too-many-versions": _refuses(
        "INSERT INTO",
        "Failed to load data into tablet 10001, because of too many versions, current/limit: 1001/1000. You can reduce "
        "the loading job concurrency, or increase loading data batch size.",
        plain=True,
    ),
    "disk-full": _refuses("INSERT INTO", "disk 1 on backend 10001 exceed limit usage", plain=True),
    "unreadable-partitions": _refuses("information_schema.partitions_meta", _GHOST, plain=True),
    "cancel": Named("The job is CANCELLED with this Status (R§4.4).", f"{_STATE} [STATUS]", _cancel),
    "freeze": Named("The job never moves again.", _STATE, _freeze),
    "complain": Named(
        "The job waits some ticks with this TaskErrMsg, then goes on (O§u).",
        f"{_STATE} TICKS [TEXT]",
        _hold(as_status=False),
    ),
    "stumble": Named(
        "The job waits some ticks with this Status, then goes on: UPLOAD_INFO that fails and succeeds later (O§u).",
        f"{_STATE} TICKS [STATUS]",
        _hold(as_status=True),
    ),
    "run-at": Named("Root runs a statement at that tick of the job.", f"{_STATE} STATEMENT", _run_at),
    "overwrite": Named(
        "An INSERT OVERWRITE of all partitions, without rows, begins at that tick of the job, to end some ticks later: "
        "a BACKUP that is cut meanwhile holds ghosts (O2§0.1).",
        f"{_STATE} TICKS DATABASE.TABLE [abort]",
        _overwrite,
    ),
    "run-registering": Named(
        "Root runs a statement while a RESTORE makes a table that has no name yet (O2§0.2); {name} is what it will be.",
        "STATEMENT",
        _run_registering,
    ),
    "lose-snapshot": Named("The snapshot is incomplete when it is asked for.", _LABEL, _in_repository(_lose_files)),
    "double-snapshot": Named("It has two timestamps (O§0.7).", _LABEL, _in_repository(_double)),
    "half-written-snapshot": Named("Its info file is a `.part` (O§k).", _LABEL, _in_repository(_half_written)),
    "differ-snapshot": Named("Its details name a partition that nobody asked for.", _LABEL, _in_repository(_differ)),
    "hold-publish": Named(
        "Loads into the table, or into all, are committed and stay unpublished (O2§y6).", "[TABLE]", _hold_publish
    ),
    "clear": Named("All faults are taken back; held loads are published.", "", _clear),
}
"""Every fault by its name."""
