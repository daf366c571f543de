"""Repositories: folders that outlive every cluster (R§2.1).

`DIR/<scheme>/<path>/__starrocks_repository_<repo>/__ss_<label>/` holds `__meta.<md5>` (the tables' metadata),
`__info_<ts>.<md5>` (what the job holds; its presence makes the snapshot complete) and `__ss_content/` with one Parquet
file per physical partition.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen

from starrocks_simulator.errors import common
from starrocks_simulator.globs import glob_pattern, is_glob

_SCHEMES: Final = frozenset(
    "hdfs viewfs s3 s3a s3n oss cosn ks3 obs tos gs wasb wasbs abfs abfss adl file".split()  # noqa: SIM905 - a list to read
)
_LONGEST_NAME: Final = 250


class RemoteError(Exception):
    """What reading a repository came to: the text stands in SHOW SNAPSHOT's Status and in RESTORE's refusal."""


@frozen
class Repository:
    """One repository as the frontend knows it.

    Attributes:
        id: RepoId.
        name: Part of every path below: another name at the same location is another repository (R§7.9).
        location: As given to CREATE REPOSITORY.
        read_only: Whether BACKUP refuses it.
        create_time: Epoch seconds of the first CREATE REPOSITORY of this folder.
        folder: Where it lies.
    """

    id: int
    name: str
    location: str
    read_only: bool
    create_time: float
    folder: Path

    @property
    def root(self) -> str:
        """The remote path that messages show."""
        return f"{self.location}/__starrocks_repository_{self.name}"

    def labels(self) -> list[str]:
        """Labels that left anything here, in the order of a listing, finished or not (O§l)."""
        found = {path.name.removeprefix("__ss_") for path in self.folder.glob("__ss_*")}
        return sorted(found)

    def has(self, label: str) -> bool:
        """Whether the label is used, if only by a job that was cancelled after its first upload (R§4.6)."""
        try:
            return bool(label) and self._snapshot(label).is_dir()
        except OSError:
            return False

    def timestamps(self, label: str) -> list[str]:
        """Of the snapshots under a label: one, or two if two databases raced for it (O§0.7).

        A file that an upload left half-way shows as `Invalid: __info_….part` (R§6.3).
        """
        names = [path.name for path in self._files(label, "__info_")]
        return [
            f"Invalid: {name}" if name.endswith(".part") else name.removeprefix("__info_").rpartition(".")[0]
            for name in names
        ]

    def read_info(self, label: str, timestamp: str) -> dict[str, Any]:
        """The job info of one snapshot.

        Raises:
            RemoteError: No such label or timestamp, or a damaged file; in the server's words (R§3.3).
        """
        remote = f"{self.root}/__ss_{label}/__info_{timestamp}"
        found = [path for path in self._files(label, "__info_") if path.name.startswith(f"__info_{timestamp}")]
        if len(found) != 1:
            raise RemoteError(f"Expected one file with path: {remote}. get: {len(found)}")
        if found[0].name.rpartition(".")[0] != f"__info_{timestamp}":
            raise RemoteError(f"File does not exist: {remote}")
        return _load(found[0])

    def read_meta(self, label: str) -> dict[str, Any]:
        """The tables' metadata of the snapshot under a label.

        Raises:
            RemoteError: There is not exactly one (O§k), or it is damaged.
        """
        found = list(self._files(label, "__meta"))
        if len(found) != 1:
            raise RemoteError("Failed to read backup meta from file")
        return _load(found[0])

    def write_meta(self, label: str, meta: dict[str, Any]) -> None:
        """Upload the tables' metadata."""
        self._write(label, "__meta", meta)

    def write_info(self, label: str, timestamp: str, info: dict[str, Any]) -> None:
        """Upload the job info: from now on the snapshot is complete."""
        self._write(label, f"__info_{timestamp}", info)

    def upload(self, label: str, staged: Path, database_id: int) -> None:
        """Move a job's files to their place; the label is used from here on."""
        target = self._snapshot(label) / "__ss_content" / f"__db_{database_id}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if staged.exists():
            shutil.move(staged, target)

    def rows(self, label: str, database_id: int, table_id: int, physical_id: int) -> Path | None:
        """The file with one physical partition's rows, ids as at the source; None if it was empty."""
        path = self._snapshot(label) / "__ss_content" / f"__db_{database_id}" / rows_file(table_id, physical_id)
        return path if path.exists() else None

    def _snapshot(self, label: str) -> Path:
        parts = [part.replace("..", "%2E%2E") for part in f"__ss_{label}".split("/")]
        return self.folder.joinpath(*parts)

    def _files(self, label: str, prefix: str) -> Iterator[Path]:
        """Files below a label, which the server reads as a glob: `*` and its like find other labels' files (O§k)."""
        folders = [self._snapshot(label)] if self.has(label) else []
        if is_glob(label):
            pattern = glob_pattern(f"__ss_{label}")
            folders = [path for path in sorted(self.folder.glob("__ss_*")) if pattern.fullmatch(path.name)]
        for folder in folders:
            yield from sorted(path for path in folder.iterdir() if path.name.startswith(prefix))

    def _write(self, label: str, name: str, document: dict[str, Any]) -> None:
        text = json.dumps(document, ensure_ascii=False)
        folder = self._snapshot(label)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.{_md5(text.encode())}").write_text(text)


def rows_file(table_id: int, physical_id: int) -> Path:
    """Where a physical partition's rows lie below its database's folder."""
    return Path(f"__tbl_{table_id}") / f"__part_{physical_id}.parquet"


def is_too_long(label: str) -> bool:
    """Whether a path that holds this label and a job's uuid passes what a file system takes (O§k)."""
    return len(label.encode()) + len("__ss_") + 38 > _LONGEST_NAME


def open_repository(
    directory: Path,
    *,
    repository_id: int,
    name: str,
    location: str,
    read_only: bool,
    now: float,
) -> Repository:
    """Find a repository's folder or make it, as CREATE REPOSITORY does, READ ONLY or not (R§2.1).

    Raises:
        ServerError: A location whose scheme no file system has.
    """
    scheme, separator, rest = location.partition("://")
    if not separator:
        raise common("Failed to create repository: invalid path. scheme is null")
    if scheme.lower() not in _SCHEMES:
        raise common(
            f"Failed to create repository: failed to list remote path: {location}/__palo_repository_{name}/__repo_info."
            f' msg: No FileSystem for scheme "{scheme}"'
        )
    parts = [quote(part, safe=" @=+,:").replace("..", "%2E%2E") for part in (scheme, *rest.split("/")) if part]
    folder = directory.joinpath(*parts) / f"__starrocks_repository_{name}"
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "__repo_info"
    if not note.exists():
        note.write_text(json.dumps({"name": name, "create_time": now}))
    created = float(json.loads(note.read_text())["create_time"])
    return Repository(repository_id, name, location, read_only, created, folder)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _load(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    local, remote = _md5(data), path.name.rpartition(".")[2]
    if local != remote:
        raise RemoteError(f"md5sum does not equal. local: {local}, remote: {remote}")
    found: dict[str, Any] = json.loads(data)
    return found
