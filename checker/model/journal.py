"""The journal of a long run: which of its parts are done, so that a run that was killed can be taken up again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.model.errors import InputError, both

JOURNAL_FILE = "journal.jsonl"
_LAYOUT = 1


class AnotherRunError(InputError):
    """What is to be taken up was another run: it stays where it is."""


class Journal:
    """One line of JSON a part, written once the part's files are on the disk; a last line that was cut is as if the part had not been done.

    `of` says of what run it is (anything that changes what its parts hold); a journal that lies in the folder is `taken_up` where `resume` says so.
    Raises AnotherRunError where it is of another run.
    """

    def __init__(self, folder: Path, of: Mapping[str, str], *, resume: bool) -> None:
        self._folder = folder
        self._file = folder / JOURNAL_FILE
        self._done: dict[str, dict[str, Any]] = {}
        self._begun = False
        self._of = dict(of)
        self.taken_up = False
        if resume and (entries := _entries(self._file)):
            self._take_up(entries)

    def _take_up(self, entries: Sequence[dict[str, Any]]) -> None:
        before = entries[0].get("of") if entries[0].get("journal") == _LAYOUT else None
        if not isinstance(before, dict):
            raise AnotherRunError(
                both(
                    "--resume：上次中断的扫描是另一个版本做的，请不带 --resume 重新扫描",
                    "begun by another version: scan anew",
                )
            )
        for what, now in self._of.items():
            if before.get(what) != now:
                raise AnotherRunError(
                    both(f"--resume：{what}与中断的那次不同，请照原样给出，或不带 --resume 重新扫描",
                         "not what the interrupted scan was asked for: give the same, or scan anew without --resume")
                )  # fmt: skip
        self._begun = self.taken_up = True
        for entry in entries[1:]:
            files = entry.get("files", {})
            if isinstance(entry.get("part"), str) and all(
                _size(self._folder / name) == size for name, size in files.items()
            ):
                self._done[entry["part"]] = entry

    @property
    def holds_parts(self) -> bool:
        """Whether any part is done, so that it is worth keeping."""
        return bool(self._done)

    def done(self, part: str) -> Mapping[str, Any] | None:
        """What was noted of a part; None where it is not done."""
        return self._done.get(part)

    def note(self, part: str, files: Sequence[Path] = (), **facts: Any) -> None:
        """A part is done: its files, which lie in the folder, are on the disk, and what else the run must know of it."""
        for file in files:
            _settle(file)
        entry = {"part": part, "files": {file.name: _size(file) for file in files}, **facts}
        lines = [] if self._begun else [{"journal": _LAYOUT, "of": self._of}]
        with self._file.open("a", encoding="utf-8") as stream:
            for line in (*lines, entry):
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._begun = True
        self._done[part] = entry


def _entries(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal; what was cut when the process was killed is taken off the file, so that what is noted next begins a line."""
    try:
        held = file.read_bytes()
    except FileNotFoundError:
        return []
    entries: list[dict[str, Any]] = []
    whole = 0
    for line in held.splitlines(keepends=True):
        try:
            entry = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            break
        entries.append(entry)
        whole += len(line)
    if whole < len(held):
        os.truncate(file, whole)
    return entries


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _settle(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
