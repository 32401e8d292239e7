"""A long scan in parts: of each file converted, and of every so many lines counted or selected, it is kept that it is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import SCRATCH
from checker.ingest.sources import InputTable, Source
from checker.model import sqltext
from checker.model.journal import Journal
from checker.model.path_key import path_key

if TYPE_CHECKING:
    import duckdb

PART_LINES = 10_000_000
"""So many lines make a part: a scan of no more is begun anew sooner than it is taken up."""
MOST_THREADS = 256
MOST_PARTS = 64
"""Every part is a term of the statements that read all of them."""


class Parts:
    """What is done of a scan, in its folder of scratch; of one that is not `long` nothing is kept but the files that were converted.

    `lines` make a part; without them nothing is kept. Told are, with `tell`, the file whose turn it is, how many lines of the step are done, and of how many.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        lines: int | None,
        tell: Callable[[str, int, int, int, str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._lines = sys.maxsize if lines is None else lines
        self._tell = tell
        self._rows: Mapping[Path, int] = {}
        self._passed: dict[str, int] = {}
        self._beside: tuple[Path, ...] = ()
        self._pending: list[tuple[str, Sequence[Path], Mapping[str, Any], int]] = []
        self.long = False

    def begin(
        self, lines: Sequence[Source], rows: Mapping[Path, int], worth: int | None, beside: Iterable[Path] = ()
    ) -> tuple[Source, ...]:
        """The sources of lines cut into parts, of which the engine takes those of `worth` lines; `rows` are the lines of each file, and `beside` the
        files of headers and diagnoses, which tell what becomes of lines. From now on it is known whether the scan is a long one.
        """
        self._rows = rows
        self._beside = tuple(beside)
        all_rows = sum(rows.values())
        self.long = all_rows > self._lines
        wanted = min(self._lines, worth or self._lines)
        if all_rows <= wanted:
            return tuple(lines)
        each_part = max(wanted, all_rows // MOST_PARTS)
        return tuple(part for source in lines for part in cut(source, rows, each_part))

    def same(self, what: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What was noted of `what` before, or None; and from now on it is `facts`."""
        before = self._journal.done(what)
        if before is None:
            self._pending.append((what, (), facts, 0))
        return before

    def converted(self, name: str, target: Path) -> Mapping[str, Any] | None:
        """What was noted of a file that has been converted to `target`; None where it has to be."""
        noted = self._journal.done(f"file {name}")
        return noted if noted is not None and noted.get("target") == target.name else None

    def note_converted(
        self, name: str, target: Path, files: Sequence[Path], records: int, facts: Mapping[str, Any]
    ) -> None:
        """A file has been converted to `target`, and what else `files` hold. Of small files some are noted together."""
        self._pending.append((f"file {name}", files, {"target": target.name, **facts}, records))
        if sum(each[3] for each in self._pending) >= self._lines:
            self._settle()

    def opens(self, file: Path, number: int, files: int) -> None:
        """Tell that a file is opened, the `number`-th of so many of its role."""
        if self._tell:
            self._tell(file.name, 1, number, files, "files")

    def kept(self, step: str, source: Source) -> tuple[Path, Mapping[str, Any]] | None:
        """The file of a step over a source that is done, and what was noted of it."""
        if self.long:
            self._say(step, source)
        noted = self._journal.done(self._name(step, source)) if self.long else None
        return None if noted is None else (self._file(step, source), noted)

    def keep(self, connection: duckdb.DuckDBPyConnection, step: str, source: Source, query: str, **facts: Any) -> Path:
        """Write the rows of a query, a step over a source, to a file; of a long scan it is then done."""
        target = self._file(step, source)
        connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} {SCRATCH}")
        if self.long:
            self._settle()
            self._journal.note(self._name(step, source), (target,), **facts)
        return target

    def scratch(self, name: str) -> Path:
        """A file for what is needed within a step and not kept."""
        return self._folder.absolute() / f"{name}.parquet"

    def _say(self, step: str, source: Source) -> None:
        """Tell that it is the turn of a source."""
        done, own = self._passed.get(step, 0), sum(self._rows.get(origin, 0) for origin in source.table.origin)
        self._passed[step] = done + own
        if self._tell:
            self._tell(source.table.origin[0].name, own, done, sum(self._rows.values()), "lines")

    def _settle(self) -> None:
        for part, files, facts, _ in self._pending:
            self._journal.note(part, files, **facts)
        self._pending = []

    def _file(self, step: str, source: Source) -> Path:
        return self._folder.absolute() / f"{self._name(step, source).replace(' ', '-')}.parquet"

    def _name(self, step: str, source: Source) -> str:
        """What a step over a source is called: by its files and their numbers, which the lines bear, and by the files of headers."""
        # Between the two stands what is no file.
        return f"{step} {source.table.first_file} {path_key(*source.table.origin, Path(), *self._beside)}"


def cut(source: Source, rows: Mapping[Path, int], lines: int) -> list[Source]:
    """A source as several, each of about so many lines or of one file; `rows` are the lines of each file."""
    table, parts = source.table, list[Source]()
    start, held = 0, 0
    for place, origin in enumerate(table.origin):
        held += rows.get(origin, 0)
        if held >= lines or place == len(table.files) - 1:
            parts.append(replace(source, table=_between(table, start, place + 1)))
            start, held = place + 1, 0
    return parts


def _between(table: InputTable, start: int, end: int) -> InputTable:
    return replace(
        table, files=table.files[start:end], origin=table.origin[start:end], first_file=table.first_file + start,
        of_folders={name: values[start:end] for name, values in table.of_folders.items()},
    )  # fmt: skip
