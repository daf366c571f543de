"""What the server's and the driver's error numbers and words mean: one table, first match wins.

5064 is the number of most refusals of BACKUP and RESTORE and 1064 that of everything without a number of its own (R§3):
only the words tell them apart, so the words are matched.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from attrs import field, frozen

from starrocks_br.domain.errors import AccessDenied, ClusterError, OutcomeUnknown, Refused, Unreachable

MISSING_OBJECT: Final = frozenset({1049, 1051, 1146, 5501, 5502})
"""The database or table is not there (O§q; up to 3.2 the MySQL numbers)."""


LOST: Final = frozenset({0, 2006, 2013, 2055})
"""The connection broke, or was closed already (0)."""


CLIENT: Final = frozenset(range(2000, 2100))
"""Numbers of the client library's own: the server said nothing, or nothing that can be read."""


class Meaning(Enum):
    """What an answer means for whoever sent the statement."""

    DENIED = "a privilege is missing; nothing happened"
    NO_CONNECTION = "there is no connection: nothing was sent, unless the client says so of a line that stood"
    UNKNOWN = "it may or may not have happened"
    TRANSIENT = "refused, but made anew it may succeed"
    REFUSED = "refused"


@frozen(kw_only=True)
class Rule:
    """One line of the table.

    Attributes:
        meaning: What such an answer means.
        errnos: The error numbers it is about; empty: any.
        words: What the message must match somewhere.
        hint: What to do next.
    """

    meaning: Meaning
    errnos: frozenset[int] = frozenset()
    words: re.Pattern[str] = field(default=re.compile(""), repr=lambda pattern: repr(pattern.pattern))
    hint: str = ""

    def about(self, errno: int, message: str) -> bool:
        """Whether the answer is one of these."""
        return (not self.errnos or errno in self.errnos) and self.words.search(message) is not None


def _says(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_COMMON: Final = frozenset({1064, 5064})

RULES: Final[tuple[Rule, ...]] = (
    Rule(meaning=Meaning.DENIED, errnos=frozenset({1045}), hint="check user and password"),
    Rule(meaning=Meaning.DENIED, errnos=frozenset({1044, 1142, 1227, 1252, 5203})),
    Rule(
        meaning=Meaning.UNKNOWN,
        errnos=LOST,
        hint="run the command again: it first finds out what became of it",
    ),
    Rule(  # a submission that the server gave up waiting for may still be carried out (R§11.6)
        meaning=Meaning.UNKNOWN,
        errnos=frozenset({5024}),
        hint="the server gave up waiting; raise its query_timeout if this comes again",
    ),
    Rule(
        meaning=Meaning.NO_CONNECTION,
        errnos=frozenset({2002, 2003, 2004, 2005}),
        hint="check host and port (query_port of a frontend, 9030 as a rule)",
    ),
    Rule(
        meaning=Meaning.NO_CONNECTION,
        errnos=frozenset({2026, 5205}),
        hint="check tls in the settings against the frontend's ssl_* configuration",
    ),
    Rule(
        meaning=Meaning.NO_CONNECTION,
        errnos=frozenset({1040, 1203}),
        hint="the frontend has too many connections; try again later",
    ),
    Rule(
        meaning=Meaning.UNKNOWN,
        errnos=CLIENT,
        hint="run the command again: it first finds out what became of it",
    ),
    Rule(  # H3
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says("Another backup or restore job is being submitted"),
    ),
    Rule(  # H4
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says("Can only run one backup or restore job of a database at same time"),
        hint="SHOW BACKUP and SHOW RESTORE tell what holds the database's slot",
    ),
    Rule(  # H8: INSERT OVERWRITE makes temporary partitions for as long as it runs
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says("Do not support backing up table with temp partitions"),
    ),
    Rule(  # H10 and, a moment earlier, A9: dropped since the look; a new look will not name it
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says(r"Unknown partition .+ in table|partition\[.*\] does not exist +in table"),
    ),
    Rule(  # H13: a new attempt has a new label
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says("Snapshot with name .* already exist in repository"),
    ),
    Rule(  # A6: the table was dropped since the look
        meaning=Meaning.TRANSIENT, errnos=frozenset({1064}), words=_says("Incorrect table name")
    ),
    Rule(  # H6, the same a moment later; a query's unknown table is "Getting analyzing error. … Unknown table"
        meaning=Meaning.TRANSIENT, errnos=frozenset({1051, 5502}), words=_says("^Unknown table ")
    ),
    Rule(  # H12, and what SHOW SNAPSHOT and RESTORE say of the same (O§u)
        meaning=Meaning.TRANSIENT,
        errnos=_COMMON,
        words=_says("failed to list remote path"),
        hint="the object store did not answer the frontend; SHOW REPOSITORIES may tell more",
    ),
    Rule(meaning=Meaning.TRANSIENT, words=_says("too many versions"), hint="loads come faster than compaction"),
    Rule(  # SHOW BACKUP beside a change (R§3.4)
        meaning=Meaning.TRANSIENT, errnos=_COMMON, words=_says("please try again$")
    ),
    Rule(
        meaning=Meaning.REFUSED,
        errnos=frozenset({5303, 5304, 5305, 5306, 5307}),
        hint="an explicit transaction is open on this connection; hand over one outside of any transaction",
    ),
    Rule(
        meaning=Meaning.REFUSED,
        errnos=_COMMON,
        words=_says("Repository .*does not exist"),
        hint="SHOW REPOSITORIES lists them; CREATE REPOSITORY makes one",
    ),
    Rule(meaning=Meaning.REFUSED),
)

_PRIVILEGE = re.compile(
    r"\(at least one of\) the (?P<privilege>[A-Z ]+?)(?: OR [A-Z ]+)? privilege\(s\) on "
    r"(?P<object>SYSTEM|[A-Z ]+ \S+) for this operation"
)


def explain(errno: int, message: str, *, action: str, user: str = "", connecting: bool = False) -> ClusterError:
    """Make the error that an answer stands for; the caller raises it.

    Args:
        errno: The error number of the server or the client library; 0 for a connection that is closed already.
        message: The words that came with it.
        action: What was tried: the subject of the sentence that tells what became of it.
        user: Who tried; for the GRANT that helps.
        connecting: Whether no statement was sent yet: then a lost connection leaves no doubt.
    """
    rule = next(rule for rule in RULES if rule.about(errno, message))
    meaning = _meaning(rule, errno, connecting=connecting)
    why = f"{message} (error {errno})" if message else f"error {errno}"
    if meaning is Meaning.DENIED:
        return AccessDenied(f"{action} was denied", why=why, hint=_grant(message, user) or rule.hint)
    if meaning is Meaning.NO_CONNECTION:
        return Unreachable(f"{action} failed", why=why, hint=rule.hint if rule.meaning is Meaning.NO_CONNECTION else "")
    if meaning is Meaning.UNKNOWN:
        return OutcomeUnknown(f"{action} was sent, and what became of it is not known", why=why, hint=rule.hint)
    return Refused(
        f"{action} was refused", errno=errno, transient=meaning is Meaning.TRANSIENT, why=why, hint=rule.hint
    )


def _meaning(rule: Rule, errno: int, *, connecting: bool) -> Meaning:
    """What the answer means here: a client that gives up leaves no doubt only while it connects.

    MariaDB Connector/C reports a TLS line that breaks while a statement is under way as 2026, as it does a TLS
    handshake that fails (seen with mysqlclient). No other number of the client's own tells the two apart either.
    """
    if connecting and rule.meaning is Meaning.UNKNOWN:
        return Meaning.NO_CONNECTION
    if not connecting and rule.meaning is Meaning.NO_CONNECTION and errno in CLIENT:
        return Meaning.UNKNOWN
    return rule.meaning


def _grant(message: str, user: str) -> str:
    """The statement that gives the missing privilege, as far as the message names it (O§s)."""
    found = _PRIVILEGE.search(message)
    if not found:
        return ""
    return f"an administrator can run: GRANT {found['privilege']} ON {found['object']} TO USER {user or '<user>'}"
