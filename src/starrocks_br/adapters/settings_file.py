"""Settings out of a YAML file and the environment.

Every scalar is text until we say otherwise: `password: 0123` keeps its zero. All problems are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from attrs import define, field, fields_dict

from starrocks_br.adapters.settings import CHECKS, REQUIRED, Secret, Settings, Tls, problems_of
from starrocks_br.domain.errors import InvalidSettings

CONFIG_VARIABLE: Final = "STARROCKS_BR_CONFIG"
DEFAULT_NAME: Final = "config.yaml"
MAX_BYTES: Final = 1_048_576
"""A settings file is small; whatever is bigger is something else."""

MAX_SECRET: Final = 4096
MAX_DIGITS: Final = 18

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MAX_DEPTH: Final = 8
_PASSWORDS: Final = "password, password_file, STARROCKS_BR_PASSWORD or STARROCKS_BR_PASSWORD_FILE"


def discover(environ: Mapping[str, str], directory: Path, given: Path | None = None) -> Path:
    """Find the settings file: the given one, else `$STARROCKS_BR_CONFIG`, else `config.yaml` in the directory.

    Raises:
        InvalidSettings: Nothing was given and there is none.
    """
    if given is not None:
        return given
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    path = directory / DEFAULT_NAME
    if not path.is_file():
        raise InvalidSettings(
            "there is no configuration",
            (f"neither --config nor {CONFIG_VARIABLE} names one, and there is no {path}",),
            hint="starrocks-br COMMAND --config FILE",
        )
    return path


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read settings from a file; `STARROCKS_BR_HOST` and `STARROCKS_BR_USER` come before what it says.

    The password comes from exactly one of `password`, `password_file`, `STARROCKS_BR_PASSWORD` and
    `STARROCKS_BR_PASSWORD_FILE`. Variables that are empty count as not set. Paths in the file are taken from where
    the file is.

    Raises:
        InvalidSettings: Naming all that is wrong.
    """
    reading = _Reading(path.parent)
    nodes = reading.members(_parsed(path), "", frozenset({*CHECKS, "password_file"}))
    for name, node in nodes.items():
        if name in _READERS:
            reading.take(name, _READERS[name], node)
    for name in ("host", "user"):
        reading.override(name, environ.get(f"STARROCKS_BR_{name.upper()}", ""))
    if "tls" in nodes:
        reading.tls(nodes["tls"])
    reading.password(nodes, environ)
    reading.check()
    if reading.problems:
        raise InvalidSettings(f"{path} cannot be used", reading.problems, hint="README.md shows a whole one")
    return Settings(**reading.values)


def _parsed(path: Path) -> yaml.Node:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"it has more than {MAX_BYTES} bytes")
    try:
        _refuse_tricks(path, content)
        node = yaml.compose(content, Loader=_LOADER)
    except yaml.YAMLError as error:
        # its own words may quote the line, and with it a password
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = "" if line is None else f"line {line + 1}: "
        raise _unusable(path, f"{place}it is no YAML; put quotes around values with special characters") from None
    if node is None:
        raise _unusable(path, "it is empty")
    return node


def _refuse_tricks(path: Path, content: bytes) -> None:
    """Tags and aliases have no use here; what looks like one is most often a value that lacks its quotes."""
    depth = 0
    for event in yaml.parse(content, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _unusable(path, f"line {_line(event)}: it is nested too deeply")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise _unusable(path, f"line {_line(event)}: put quotes around a value that begins with *, & or !")


def _line(thing: yaml.Node | yaml.Event) -> int:
    return 0 if thing.start_mark is None else int(thing.start_mark.line) + 1


def _unusable(path: Path, problem: str) -> InvalidSettings:
    return InvalidSettings(f"{path} cannot be used", (problem,))


class _IllTyped(Exception):
    """A value that is not of its kind; the message is what is said of it."""


@define
class _Reading:
    """What came out of a file so far.

    Attributes:
        directory: Where the file is.
        values: Settings by name, typed.
        failed: Settings that are there and could not be read.
        problems: What is wrong.
    """

    directory: Path
    values: dict[str, Any] = field(factory=dict)
    failed: set[str] = field(factory=set)
    problems: list[str] = field(factory=list)

    def members(self, node: yaml.Node, prefix: str, known: frozenset[str]) -> dict[str, yaml.Node]:
        """The members of a mapping; unknown and double ones are problems."""
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, prefix, "it is no list of `name: value` lines")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = f"{key.value}"
            if name not in known:
                guess = get_close_matches(name, known, n=1)
                self._refuse(key, f"{prefix}{name:.60}", f"unknown{f'; did you mean {guess[0]}?' if guess else ''}")
            elif name in found:
                self._refuse(key, f"{prefix}{name}", "it is there twice")
            else:
                found[name] = value
        return found

    def take(self, name: str, read: Callable[[yaml.Node], object], node: yaml.Node) -> None:
        """Read one value."""
        try:
            self.values[name] = read(node)
        except _IllTyped as error:
            self._refuse(node, name, str(error))

    def override(self, name: str, value: str) -> None:
        """Let a variable of the environment win over the file."""
        if value:
            self.values[name] = value

    def tls(self, node: yaml.Node) -> None:
        """Read the group of TLS settings; its own problems are told one by one."""
        before = len(self.problems)
        nodes = self.members(node, "tls.", frozenset(fields_dict(Tls)))
        group = _Reading(self.directory)
        for name, member in nodes.items():
            group.take(f"tls.{name}", self._file, member)
        self.problems += group.problems
        if len(self.problems) == before:
            self.values["tls"] = Tls(**{name.removeprefix("tls."): value for name, value in group.values.items()})

    def password(self, nodes: Mapping[str, yaml.Node], environ: Mapping[str, str]) -> None:
        """Find the password in exactly one place."""
        variable, file_variable = "STARROCKS_BR_PASSWORD", "STARROCKS_BR_PASSWORD_FILE"
        ways: dict[str, Callable[[], Secret]] = {}
        if "password" in nodes:
            ways["password"] = lambda: Secret(_password(nodes["password"]))
        if "password_file" in nodes:
            ways["password_file"] = lambda: _secret_in(self.directory / _text(nodes["password_file"]))
        if environ.get(variable):
            ways[variable] = lambda: Secret(environ[variable])
        if environ.get(file_variable):
            ways[file_variable] = lambda: _secret_in(Path(environ[file_variable]))
        if len(ways) != 1:
            found = f"found in {' and '.join(ways)}" if ways else "found in none"
            self._refuse(None, "password", f"give it in exactly one of {_PASSWORDS}; {found}")
            return
        ((name, read),) = ways.items()
        try:
            self.values["password"] = read()
        except _IllTyped as error:
            self.failed.add("password")
            self._refuse(nodes.get(name), name, str(error))

    def check(self) -> None:
        """Hold what was read against each setting's own rules, and see what is not there."""
        self.problems += [f"{name}: it is missing" for name in REQUIRED if name not in {*self.values, *self.failed}]
        for name, value in self.values.items():
            self.problems += problems_of(name, value)

    def _file(self, node: yaml.Node) -> str:
        path = self.directory / _text(node)
        if not path.is_file():
            raise _IllTyped(f"there is no file {path}")
        return str(path)

    def _refuse(self, node: yaml.Node | None, name: str, problem: str) -> None:
        self.failed.add(name)
        place = "" if node is None else f"line {_line(node)}: "
        self.problems.append(f"{place}{name.rstrip('.') or 'the file'}: {problem}")


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _IllTyped("it is no single value")
    if not node.value:
        raise _IllTyped("it has no value")
    return str(node.value)


def _password(node: yaml.Node) -> str:
    """An empty one is written in quotes: nothing at all is most often a slip."""
    if isinstance(node, yaml.ScalarNode) and not node.value and node.style in {"'", '"'}:
        return ""
    return _text(node)


def _secret_in(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET + 1).decode()
    except (OSError, ValueError) as error:
        raise _IllTyped(f"{path} cannot be read: {getattr(error, 'strerror', 'it is no UTF-8 text')}") from None
    text = content.removesuffix("\n").removesuffix("\r")
    if not text or len(content) > MAX_SECRET:
        raise _IllTyped(f"{path} is empty or too big for a password")
    return Secret(text)


def _whole(node: yaml.Node) -> int:
    text = _text(node)
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise _IllTyped(f"{text!r:.60} is no whole number")
    return int(text)


def _seconds(node: yaml.Node) -> float:
    text = _text(node)
    if not re.fullmatch(r"\d{1,18}(\.\d{1,18})?", text, re.ASCII):
        raise _IllTyped(f"{text!r:.60} is no number of seconds")
    return float(text)


def _texts(node: yaml.Node) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise _IllTyped("it is no list; write one `- db.table` per line")
    return tuple(_text(item) for item in node.value)


def _hosts(node: yaml.Node) -> str | tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode):
        return tuple(_text(item) for item in node.value)
    return _text(node)


def _timezone(node: yaml.Node) -> tzinfo:
    text = _text(node)
    try:
        return UTC if text == "UTC" else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _IllTyped(f"{text!r:.60} is no time zone; write it as in Europe/Berlin") from None


_READERS: Final[Mapping[str, Callable[[yaml.Node], object]]] = {
    "host": _hosts,
    "port": _whole,
    "user": _text,
    "database": _text,
    "tables": _texts,
    "repository": _text,
    "job_timeout": _whole,
    "poll_interval": _seconds,
    "wait": _seconds,
    "connect_timeout": _whole,
    "read_timeout": _whole,
    "reconnect_timeout": _seconds,
    "max_parallel_databases": _whole,
    "replication_num": _whole,
    "max_chain": _whole,
    "timezone": _timezone,
}
"""How each setting's text is read; the password and the TLS group have their own ways."""
