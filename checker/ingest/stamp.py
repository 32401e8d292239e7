"""Whether an input is still the file that was opened: size, time of change, and of smaller files the sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checker.model.errors import InputError, why

HASHED_BYTES = 64 << 20
"""Inputs up to this size are named by sha256 in run.json, larger ones by size and time of change."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it was when it was opened."""

    size: int
    modified_ns: int
    inode: int
    sha256: str | None

    def to_plain(self) -> dict[str, object]:
        """As run.json holds it."""
        if self.sha256 is not None:
            return {"size": self.size, "sha256": self.sha256}
        changed = datetime.fromtimestamp(self.modified_ns / 1e9, UTC)
        return {"size": self.size, "modified": changed.isoformat(timespec="seconds")}


def take_stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """The stamp of each file. Raises InputError where one cannot be read."""
    return {path: _take(path) for path in dict.fromkeys(files)}


def changed(stamps: Mapping[Path, Stamp]) -> tuple[Path, ...]:
    """The files that are no longer what they were; one that has gone is among them."""
    return tuple(path for path, stamp in stamps.items() if not _is_still(path, stamp))


def _take(path: Path) -> Stamp:
    try:
        with path.open("rb") as stream:
            # The bytes that are hashed are those of the file whose size and time are noted.
            status = path.stat()
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest() if status.st_size <= HASHED_BYTES else None
    except OSError as error:
        raise InputError(f"{path}：无法读取（{why(error)}），请检查路径和权限（cannot be read）") from error
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino, sha256)


def _is_still(path: Path, stamp: Stamp) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns, status.st_ino) == (stamp.size, stamp.modified_ns, stamp.inode)
