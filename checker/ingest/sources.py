"""Inputs and tables: what a file is by its name and first bytes, and the Parquet files that are read as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from checker.ingest.columns import Header, HeaderMap
from checker.ingest.file_kinds import BEGINNING, kind_of
from checker.ingest.personal import masked
from checker.model import sqltext
from checker.model.errors import InputError

OWN_COLUMNS = frozenset(("file_index", "file_row_number", "filename", "__record", "__fault", "__text", "__ordinal"))
"""Columns of our own, and of the engine, beside those of a file: the file's number, the record's, what is wrong with it."""


class EmptyFileError(InputError):
    """A file that holds nothing."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to be read: its name as people are told it, and its kind (parquet, csv, json, jsonl; zip for several).

    Its bytes lie at `place`, unpacked from `archive` where it is a member of one. `partition` are columns that only the names of its
    folders hold. `alone`: somebody named this very file, so that what is wrong with it is an error; of one found in a folder it may be told.
    """

    path: Path
    kind: str
    at: Path | None = None
    partition: tuple[tuple[str, str | None], ...] = ()
    alone: bool = True
    archive: Path | None = None
    share: float = 1.0
    """How much of a member was unpacked, from 0 to 1."""

    @property
    def on_disk(self) -> Path:
        """The file that somebody put there: the archive of a member, else itself."""
        return self.archive or self.path

    def within(self, archive: Path, shown: Path, share: float) -> InputFile:
        """This file as a member of an archive, under the name by which it is told, and how much of it was unpacked."""
        return replace(self, path=shown, at=self.path, archive=archive, share=share)

    @property
    def place(self) -> Path:
        """Where its bytes lie: elsewhere than its name says where they had to be unpacked."""
        return self.at or self.path


@dataclass(frozen=True, slots=True)
class InputTable:
    """Parquet files of one set of headers. `first_file` numbers the files within the run; `converted` files carry `__record`.

    `of_folders` are columns that only the names of the files' folders hold: for each the value of every file. A table in memory is
    `registered` under that name, and has `__record` as a converted one.
    """

    files: tuple[Path, ...]
    headers: tuple[Header, ...]
    converted: bool
    first_file: int
    origin: tuple[Path, ...]
    of_folders: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    registered: str = ""

    def scan(self) -> str:
        """SQL of the table, to select columns from by name: `file_index` and `file_row_number` are among them."""
        return f"({self.relation()})" if self.of_folders or self.registered else sqltext.parquet(*self.files)

    def relation(self, joined: str = "") -> str:
        """SQL of all columns of the table, `file_index` and `file_row_number` among them, and of what is joined to it."""
        if self.registered:
            # One table is one file.
            return f"SELECT *, 0::BIGINT AS file_index, __record - 1 AS file_row_number FROM {self.registered} {joined}"
        named = "".join(
            f", ([{', '.join('NULL' if value is None else sqltext.text(value) for value in values)}]::VARCHAR[])[file_index::BIGINT + 1] "
            f"AS {sqltext.name(name)}"
            for name, values in self.of_folders.items()
        )
        rows = f"SELECT *, file_index, file_row_number{named} FROM {sqltext.parquet(*self.files)}"
        # What a table is joined by may be one of these columns: they must have their names by then.
        return f"SELECT * FROM ({rows}) {joined}" if named and joined else f"{rows} {joined}"

    @property
    def file_number(self) -> str:
        """SQL of the number of the file within the run."""
        return (
            f"(CAST(file_index AS BIGINT) + {self.first_file})" if len(self.files) > 1 else f"{self.first_file}::BIGINT"
        )

    @property
    def record(self) -> str:
        """SQL of the 1-based record number within the file."""
        return "__record" if self.converted else "(CAST(file_row_number AS BIGINT) + 1)"


@dataclass(frozen=True, slots=True)
class Source:
    """A table and the headers that feed its canonical columns. `stand_in` are those of local codes, where these may stand for an item code."""

    table: InputTable
    map: HeaderMap
    stand_in: tuple[Header, ...] = ()


def input_file(path: Path, *, alone: bool = True, partition: Sequence[tuple[str, str | None]] = ()) -> InputFile:
    """What a file is.

    Raises UnknownKindError, EmptyFileError, InputError where its bytes are not those of its name, and OSError where it cannot be opened.
    """
    with path.open("rb") as stream:
        start = stream.read(BEGINNING)
    if not start:
        raise EmptyFileError(f"{path}：文件是空的，请重新导出（the file is empty: export it again）")
    kind = kind_of(path, start, alone=alone)
    return InputFile(path, kind, partition=tuple(partition), alone=alone)


def own_header(header: str) -> str:
    """The header as a column of a converted file: one that bears the name of a column of our own gets a blank, which no comparison of headers sees."""
    return f"{header} " if header.lower() in OWN_COLUMNS else header


def first_line(error: Exception) -> str:
    """The first line of an error of the engine, for the tail of our own sentence."""
    return masked(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
