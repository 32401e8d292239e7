"""Tables of data lakes: of what lies in their folders only the files that the latest version lists are rows of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from checker.ingest import delta
from checker.model.errors import InputError

Files = Mapping[Path, delta.Partition]


class Tables:
    """The tables that folders lie in, each log read once. Paths are absolute, for a table may begin above an input."""

    def __init__(self) -> None:
        self._known: dict[Path, Files | None] = {}

    def is_part(self, path: Path) -> bool:
        """Whether a path is a file that a table lists, or a folder in which one lies."""
        place = path.absolute()
        listed = self.around(path.parent) or ()
        # Beside each file may lie a hidden one of its own: only of folders, which are few, all that is listed is asked.
        return place in listed or (path.is_dir() and any(place in file.parents for file in listed))

    def around(self, folder: Path) -> Files | None:
        """The files of the table that `folder` is or lies in, with the columns of its log; None where it is in none.

        Raises InputError for a table whose latest version cannot be told.
        """
        place = folder.absolute()
        if place not in self._known:
            found = _files_of(place)
            self._known[place] = self.around(place.parent) if found is None and place != place.parent else found
        return self._known[place]


def _files_of(folder: Path) -> Files | None:
    """The files of the table that begins in a folder; None where none does."""
    if os.path.isdir(folder / delta.LOG):  # noqa: PTH112 - never raises, whatever may be entered
        return delta.read_log(folder)
    if kind := _kind_beyond(folder):
        raise InputError(
            f"{folder}：这是 {kind} 表，文件夹里有已经被替换的旧文件，不能直接读；请用 Spark 等把它另存为普通 Parquet 再扫描"
            f"（a table of {kind}, some files of which are superseded: write it out as plain Parquet first）"
        )
    return None


def _kind_beyond(folder: Path) -> str:
    """Whose table begins in a folder, where its log is not read; '' where none does."""
    if os.path.isdir(folder / ".hoodie"):  # noqa: PTH112
        return "Hudi"
    if any(each.name.endswith(".metadata.json") for each in _within(folder / "metadata")):
        return "Iceberg"
    if any(each.name.startswith("snapshot-") for each in _within(folder / "snapshot")) and _within(folder / "manifest"):
        return "Paimon"
    return ""


def _within(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError:
        return []
