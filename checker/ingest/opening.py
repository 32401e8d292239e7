"""The files of one role are opened one after the other: archives, workbooks and texts become Parquet, headers are mapped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import register
from checker.ingest.archive import NoRoomError, unpacked
from checker.ingest.choice import Choice, need_columns
from checker.ingest.columns import Header, map_headers
from checker.ingest.convert import convert
from checker.ingest.csv_convert import CsvFacts, Wanted
from checker.ingest.csv_dialect import NO_HEADER
from checker.ingest.database.fetch import DatabaseRead, Databases
from checker.ingest.database.query import Query
from checker.ingest.in_memory import InMemory, ReadInMemory, take
from checker.ingest.parts import Parts
from checker.ingest.passed import HEADERS_SHOWN, PassedOver
from checker.ingest.refusals import Refusals
from checker.ingest.sources import EmptyFileError, InputFile, InputTable, Source
from checker.ingest.tables import Described, ParquetFile, beginning_of, open_parquet, open_registered, parquet_tables
from checker.ingest.workbook import read_workbook
from checker.model.errors import InputError
from checker.model.path_key import path_key
from checker.model.schema import DIAGNOSIS, HEADER, LINE, Column, normal_header

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAYING = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
"""The ends of names that say that a file is a table: which header it may have is told where none is known."""
ROLES: dict[str, tuple[dict[str, Column], tuple[tuple[str, ...], ...]]] = {
    "lines": (LINE, (("item_code",), ("service_time",))),
    "settlements": (HEADER, (("settlement_id",),)),
    "visits": (HEADER, (("visit_id",),)),
    "diagnoses": (DIAGNOSIS, (("code",), ("settlement_id", "visit_id"))),
}
"""The kinds of tables of a scan: their columns, and what each must have (one of each group)."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file that is read: its rows, those that the reader rejected, and which of its headers feed which column.

    `share` of the file was read, from 0 to 1: less than 1 only where no more than its beginning was asked for, 0 where
    nobody knows how much it is. `header_row` is that of a
    worksheet, `writer` the program that wrote a Parquet file.
    """

    role: str
    file: InputFile
    rows: int
    rejected: int
    columns: Mapping[str, tuple[str, ...]]
    csv: CsvFacts | None = None
    """How a CSV file was read."""
    database: DatabaseRead | None = None
    """What was asked of a database, whose answer this is."""
    in_memory: ReadInMemory | None = None
    """How a table in memory was read."""
    share: float = 1.0
    header_row: int = 0
    writer: str = ""

    @property
    def rows_in_all(self) -> float:
        """How many rows it may have; those that were read, where it is not known how much these are of it."""
        return (self.rows + self.rejected) / (self.share or 1.0)


class Opening:
    """The files of one role, opened one after the other on the connection that converts."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        role: str,
        choice: Choice,
        work: Path,
        refusals: Refusals,
        first: int | None = None,
        parts: Parts | None = None,
    ) -> None:
        self._connection = connection
        self._parts = parts
        self._role = role
        self._choice = choice
        self._refusals = refusals
        self._first = first
        columns, _ = ROLES[role]
        self._known = frozenset(
            normal_header(header)
            for header in (
                *(header for column in columns.values() for header in column.all_headers),
                *(
                    header
                    for column, chosen in choice.columns.items()
                    if column in columns
                    for header in chosen.headers
                ),
            )
        )
        self._csv: dict[Path, CsvFacts] = {}
        self._database: dict[Path, DatabaseRead] = {}
        self._shares: dict[Path, float] = {}
        self._header_rows: dict[Path, int] = {}
        self._work = work
        self._files: list[ParquetFile] = []
        self._unknown: list[ParquetFile] = []
        self._targets: dict[str, int] = {}
        self._described: Described = {}
        self._chosen: tuple[tuple[str, ...], set[str]] | None = None
        self.passed: list[PassedOver] = []
        self._in_memory: dict[Path, ReadInMemory] = {}
        self.registered: dict[str, pa.Table] = {}
        """What lies in memory, by the name under which every connection that reads it must know it."""

    def open(self, file: InputFile) -> None:
        """Make a file readable as a table, or pass it over.

        Raises InputError where it cannot be read, or was named by itself and holds no row.
        """
        if file.kind in ("zip", "xlsx"):
            self._open_several(file)
            return
        target = self._target(file.path)
        try:
            opened = self._opened(file, target)
        except InputError as error:
            if file.alone:
                raise
            # A text in a folder need not be a table.
            is_text = file.kind == "csv" and not file.path.name.lower().endswith(SAYING)
            reason = "empty" if isinstance(error, EmptyFileError) else "no_known_header" if is_text else "damaged"
            self._pass(file, reason, str(error) if reason == "damaged" else "")
            return
        self._keep(file, opened)

    def _opened(self, file: InputFile, target: Path) -> ParquetFile:
        """A file as a table: as it lies, or as what it was converted to; where `first` says so, its beginning."""
        if file.kind == "parquet":
            opened = open_parquet(self._connection, file, target, self._described, converted=False)
            if self._first is not None:
                opened, self._shares[file.path] = beginning_of(self._connection, opened, target, self._first)
            return opened
        told = self._taken_up(file, target) or self._convert(file, target)
        if isinstance(told, CsvFacts):
            self._csv[file.path] = told
            self._shares[file.path] = told.share * file.share
            # Of thousands of small files even asking what we have just written takes long.
            headers = tuple(Header(header, "VARCHAR") for header in told.kept)
            return ParquetFile(target, file, True, headers, told.records - told.rejects)
        self._shares[file.path] = told * file.share
        return open_parquet(self._connection, file, target, self._described, converted=True)

    def _convert(self, file: InputFile, target: Path) -> CsvFacts | float:
        told = convert(self._connection, file, target, self._role, self._wanted(str(file.path)))
        if self._parts and isinstance(told, CsvFacts):
            files = (target, *((told.rejected,) if told.rejects else ()))
            self._parts.note_converted(f"{self._role} {file.path}", target, files, told.records, told.to_note())
        return told

    def _taken_up(self, file: InputFile, target: Path) -> CsvFacts | None:
        """How a file was read that a scan which was interrupted has converted."""
        noted = self._parts.converted(f"{self._role} {file.path}", target) if self._parts else None
        return CsvFacts.of_note(noted, target) if noted is not None else None

    def put_aside(self, file: InputFile, why: str) -> None:
        """Pass over a file of which it has turned out that it is damaged."""
        self._pass(file, "damaged", why)

    def ask(self, query: Query, databases: Databases) -> None:
        """Make what a query gives readable as a table. Raises InputError where it cannot be asked, or no line comes."""
        target = self._target(query.path)
        told = databases.read(query, target, self._wanted(str(query.path)).choose, self._first)
        if not told.rows and self._role == "lines":
            raise InputError(
                f"{query.path}：查询没有给出任何行，请检查条件（the query gave no rows: check its conditions）"
            )
        file = InputFile(query.path, query.database.kind, at=target)
        self._database[file.path] = told
        self._shares[file.path] = float(told.is_whole)
        self._files.append(
            open_parquet(self._connection, file, self._target(query.path), self._described, converted=False)
        )

    def take(self, given: InMemory) -> None:
        """Make a table in memory readable: where it lies, or written down. Raises InputError where it cannot be read, or holds no line."""
        target = self._target(given.path)
        table = take(given, target, self._wanted(str(given.path)).choose)
        file = InputFile(given.path, given.library, at=target)
        self._in_memory[file.path] = ReadInMemory(given.type, table is None)
        if table is None:
            opened = open_parquet(self._connection, file, self._target(given.path), self._described, converted=False)
        else:
            self.registered[given.relation] = table
            register(self._connection, given.relation, table)
            opened = open_registered(self._connection, file, given.relation, table.num_rows)
        self._keep(file, opened)

    def _keep(self, file: InputFile, opened: ParquetFile) -> None:
        if not file.alone and not self._knows(opened):
            self._pass_unknown(file, opened)
        elif opened.rows > 0 or self._rejected(file) > 0 or (file.alone and self._role != "lines"):
            self._files.append(opened)
        elif file.alone:
            raise InputError(
                f"{file.path}：只有表头，没有明细行，请检查导出条件后重新导出（no lines in the input: export it again）"
            )
        else:
            self._pass(file, "header_only")

    def _pass_unknown(self, file: InputFile, opened: ParquetFile) -> None:
        """Pass a table over of which no header is known; of what is surely a table say which headers it may have."""
        seen = [each.text for each in opened.headers if not each.text.startswith(NO_HEADER)]
        if file.kind != "xlsx" and not file.path.name.lower().endswith(SAYING):
            seen = []
        facts, row = self._csv.get(file.path), self._header_rows.get(file.path, 1)
        self._pass(file, "no_known_header", "", facts.header_row if facts else row, tuple(seen) if seen[1:] else ())
        if self._first is not None and seen[1:]:
            self._unknown.append(opened)

    def _open_several(self, file: InputFile) -> None:
        """Open an archive's members, or a workbook's sheets."""
        before = len(self._files), len(self.passed)
        try:
            for member in self._members(file) if file.kind == "zip" else self._sheets(file):
                if isinstance(member, PassedOver):
                    self.passed.append(member)
                elif isinstance(member, ParquetFile):
                    self._keep(member.origin, member)
                else:
                    self.open(member)
        except NoRoomError:
            raise
        except InputError as error:
            if file.alone:
                raise
            self._pass(file, "damaged", str(error))
        if len(self._files) == before[0] and file.alone:
            refuse_all(file.path, self.passed[before[1] :])

    def _members(self, file: InputFile) -> Iterator[InputFile | PassedOver]:
        folder = self._target(file.path).with_suffix("")
        # A scan that is taken up, or that begins again without a damaged file, has unpacked it before.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return unpacked(file, folder, beginnings=self._first is not None)

    def _sheets(self, file: InputFile) -> Iterator[ParquetFile | PassedOver]:
        columns, _ = ROLES[self._role]
        wanted = self._wanted(str(file.path))
        for sheet in read_workbook(file, partial(self._target, file.path), wanted, columns, self._choice.left_out):
            if isinstance(sheet, PassedOver):
                yield sheet
            else:
                origin = replace(file, path=sheet.path, archive=file.on_disk, alone=False)
                self._shares[sheet.path], self._header_rows[sheet.path] = sheet.share, sheet.header_row
                yield open_parquet(self._connection, origin, sheet.target, self._described, converted=True)

    def _target(self, of: Path) -> Path:
        """A file of our own for what an input becomes: the next time the same input has the same one, whatever else is read."""
        name = path_key(of)
        self._targets[name] = number = self._targets.get(name, 0) + 1
        return self._work / f"{self._role}-{name}-{number}.parquet"

    def sources(self) -> tuple[Source, ...]:
        """The tables of the files; those found in a folder that lack a needed column are passed over, as long as others are left.

        Refused is a file named by itself that lacks one, and where all do.
        """
        columns, needed = ROLES[self._role]
        sources: list[Source] = []
        unfit: dict[int, InputError] = {}
        tables = parquet_tables(self._files)
        for number, table in enumerate(tables):
            try:
                mapping = map_headers(table.headers, columns, self._choice.columns, source=str(table.origin[0]))
                sources.append(Source(table, mapping))
                self._choice.need_headers(self._role, table)
                need_columns(sources[-1], needed)
            except InputError as error:
                if any(file.origin.alone for file in self._of(table)):
                    with self._refusals.noted():
                        raise
                else:
                    unfit[number] = error
        if not unfit:
            return tuple(sources)
        if len(unfit) == len(tables):
            with self._refusals.noted():
                raise next(iter(unfit.values()))
            return tuple(sources)
        for number, fault in unfit.items():
            for file in self._of(tables[number]):
                self._files.remove(file)
                told = str(fault).replace(str(tables[number].origin[0]), str(file.origin.path), 1)
                self._pass(file.origin, "unfit_headers", told)
                if self._first is not None:
                    self._unknown.append(file)
        # What is left has other numbers.
        return self.sources()

    def _of(self, table: InputTable) -> list[ParquetFile]:
        return [file for file in self._files if file.origin.path in table.origin]

    def unknown(self) -> tuple[InputTable, ...]:
        """The tables that were passed over because of their headers, where somebody only looks."""
        return parquet_tables(self._unknown)

    def read(self, sources: Sequence[Source]) -> Iterator[FileRead]:
        """What is told of each file, in the order in which they were given."""
        feeds = {origin: _feeds(source) for source in sources for origin in source.table.origin}
        for file in self._files:
            path = file.origin.path
            yield FileRead(
                self._role, file.origin, file.rows, self._rejected(file.origin), feeds.get(path, {}), self._csv.get(path),
                self._database.get(path), self._in_memory.get(path), self._shares.get(path, 1.0), self._header_rows.get(path, 0),
                file.writer,
            )  # fmt: skip

    def _pass(
        self, file: InputFile, reason: str, detail: str = "", header_row: int = 0, headers: tuple[str, ...] = ()
    ) -> None:
        self._connection.execute("DELETE FROM rejects WHERE role = ? AND file = ?", [self._role, str(file.path)])
        self._csv.pop(file.path, None)
        self.passed.append(PassedOver(file.path, reason, detail, header_row, headers))

    def _knows(self, file: ParquetFile) -> bool:
        """Whether some header is known; a text without any is no table."""
        own = [*(header.text for header in file.headers), *(key for key, _ in file.origin.partition)]
        return any(normal_header(header) in self._known for header in own)

    def _wanted(self, name: str) -> Wanted:
        """What a file is asked for: the headers of the columns of its role, those named by --map included."""
        columns, needed = ROLES[self._role]

        def choose(texts: Sequence[str]) -> set[str]:
            key = tuple(texts)
            if self._chosen is None or self._chosen[0] != key:
                # The next file of a folder mostly has the same headers.
                self._chosen = (key, choose_of(texts))
            return self._chosen[1]

        def choose_of(texts: Sequence[str]) -> set[str]:
            mapping = map_headers(
                [Header(text, "VARCHAR") for text in texts], columns, self._choice.columns, source=name
            )
            if self._first is not None:
                # Who looks at a file looks at all of it.
                return set(texts)
            feeding = (*mapping.found.values(), *mapping.fallback.values())
            chosen = {header.text for headers in feeding for header in headers}
            # Whoever misses a column or header is shown what there is instead.
            missing = not all(any(mapping.has(column) for column in group) for group in needed)
            return chosen.union(texts[:HEADERS_SHOWN]) if missing or self._choice.lacks_a_header(texts) else chosen

        return Wanted(self._known, choose, self._first)

    def _rejected(self, file: InputFile) -> int:
        """How many records of a file the reader rejected."""
        if file.kind == "parquet" or file.path in self._database:
            return 0
        if facts := self._csv.get(file.path):
            return facts.rejects
        row = self._connection.execute(
            "SELECT count(*) FROM rejects WHERE role = ? AND file = ?", [self._role, str(file.path)]
        ).fetchone()
        return int(row[0]) if row else 0


def _feeds(source: Source) -> dict[str, tuple[str, ...]]:
    """The headers that feed each column, in the order in which they count."""
    mapping = source.map
    fed = {name: (*mapping.found.get(name, ()), *mapping.fallback.get(name, ())) for name in mapping.columns}
    return {name: tuple(header.text.strip() for header in headers) for name, headers in fed.items() if headers}


def refuse_all(first: Path, passed: Sequence[PassedOver]) -> None:
    """Raise InputError: nothing was left to be read."""
    told = "；".join(each.said() for each in passed[:5])
    raise InputError(f"{first}：没有一个文件可以读（not one file could be read）：{told}")
