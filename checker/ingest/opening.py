"""The files of one role are opened one after the other: archives, workbooks and texts become Parquet, headers are mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.archive import NoRoomError, unpacked
from checker.ingest.columns import UNTOLD, Header, map_headers
from checker.ingest.convert import convert
from checker.ingest.csv_convert import CsvFacts, Wanted
from checker.ingest.database.fetch import DatabaseRead, Databases
from checker.ingest.database.query import Query
from checker.ingest.passed import PassedOver
from checker.ingest.sources import InputFile, InputTable, Source
from checker.ingest.tables import Described, ParquetFile, open_parquet, parquet_tables
from checker.ingest.workbook import read_workbook
from checker.model.errors import InputError
from checker.model.schema import DIAGNOSIS, HEADER, LINE, Column, Kind, normal_header

if TYPE_CHECKING:
    import duckdb

ROLES: dict[str, tuple[dict[str, Column], tuple[tuple[str, ...], ...]]] = {
    "lines": (LINE, (("item_code",), ("service_time",))),
    "settlements": (HEADER, (("settlement_id",),)),
    "visits": (HEADER, (("visit_id",),)),
    "diagnoses": (DIAGNOSIS, (("code",), ("settlement_id", "visit_id"))),
}
"""The kinds of tables of a scan: their columns, and what each must have (one of each group)."""
HEADERS_SHOWN = 12
"""So many headers of a file are shown where a needed one is missing."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file that is read: its rows, those that the reader rejected, and which of its headers feed which column."""

    role: str
    file: InputFile
    rows: int
    rejected: int
    columns: Mapping[str, tuple[str, ...]]
    csv: CsvFacts | None = None
    """How a CSV file was read."""
    database: DatabaseRead | None = None
    """What was asked of a database, whose answer this is."""


class Opening:
    """The files of one role, opened one after the other on the connection that converts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, role: str, forced: Mapping[str, str], work: Path) -> None:
        self._connection = connection
        self._role = role
        self._forced = forced
        columns, _ = ROLES[role]
        self._known = frozenset(
            normal_header(header)
            for header in (
                *(header for column in columns.values() for header in column.all_headers),
                *(header for column, header in forced.items() if column in columns),
            )
        )
        self._csv: dict[Path, CsvFacts | None] = {}
        self._database: dict[Path, DatabaseRead] = {}
        self._work = work
        self._files: list[ParquetFile] = []
        self._targets = 0
        self._described: Described = {}
        self.passed: list[PassedOver] = []

    def open(self, file: InputFile) -> None:
        """Make a file readable as a table, or pass it over.

        Raises InputError where it cannot be read, or was named by itself and holds no row.
        """
        if file.kind in ("zip", "xlsx"):
            self._open_several(file)
            return
        target = self._target()
        try:
            if file.kind != "parquet":
                self._csv[file.path] = convert(self._connection, file, target, self._role, self._wanted(str(file.path)))
            opened = open_parquet(self._connection, file, target, self._described, converted=file.kind != "parquet")
        except InputError as error:
            if file.alone:
                raise
            # A text in a folder need not be a table.
            is_text = ".txt" in file.path.name.lower()
            self._pass(file, "no_known_header" if is_text else "damaged", "" if is_text else str(error))
            return
        self._keep(file, opened)

    def ask(self, query: Query, databases: Databases) -> None:
        """Make what a query gives readable as a table. Raises InputError where it cannot be asked, or no line comes."""
        target = self._target()
        told = databases.read(query, target, self._wanted(str(query.path)).choose)
        if not told.rows and self._role == "lines":
            raise InputError(
                f"{query.path}：查询没有给出任何行，请检查条件（the query gave no rows: check its conditions）"
            )
        file = InputFile(query.path, query.database.kind, at=target)
        self._database[file.path] = told
        self._files.append(open_parquet(self._connection, file, self._target(), self._described, converted=False))

    def _keep(self, file: InputFile, opened: ParquetFile) -> None:
        if not file.alone and not self._knows(opened):
            self._pass(file, "no_known_header")
        elif opened.rows > 0 or self._rejected(file) > 0 or (file.alone and self._role != "lines"):
            self._files.append(opened)
        elif file.alone:
            raise InputError(
                f"{file.path}：只有表头，没有明细行，请检查导出条件后重新导出（no lines in the input: export it again）"
            )
        else:
            self._pass(file, "header_only")

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
        folder = self._target().with_suffix("")
        folder.mkdir()
        return unpacked(file, folder)

    def _sheets(self, file: InputFile) -> Iterator[ParquetFile | PassedOver]:
        columns, _ = ROLES[self._role]
        for sheet in read_workbook(file, self._target, self._wanted(str(file.path)), columns):
            if isinstance(sheet, PassedOver):
                yield sheet
            else:
                origin = replace(file, path=sheet.path, archive=file.on_disk, alone=False)
                yield open_parquet(self._connection, origin, sheet.target, self._described, converted=True)

    def _target(self) -> Path:
        """A file of our own that is not there yet."""
        self._targets += 1
        return self._work / f"{self._role}-{self._targets}.parquet"

    def sources(self) -> tuple[Source, ...]:
        """The tables of the files. Raises InputError where one lacks a needed column."""
        columns, needed = ROLES[self._role]
        return tuple(_source(table, columns, needed, self._forced) for table in parquet_tables(self._files))

    def read(self, sources: Sequence[Source]) -> Iterator[FileRead]:
        """What is told of each file, in the order in which they were given."""
        feeds = {origin: _feeds(source) for source in sources for origin in source.table.origin}
        for file in self._files:
            yield FileRead(
                self._role, file.origin, file.rows, self._rejected(file.origin), feeds.get(file.origin.path, {}),
                self._csv.get(file.origin.path), self._database.get(file.origin.path),
            )  # fmt: skip

    def _pass(self, file: InputFile, reason: str, detail: str = "") -> None:
        self._connection.execute("DELETE FROM rejects WHERE role = ? AND file = ?", [self._role, str(file.path)])
        self._csv.pop(file.path, None)
        self.passed.append(PassedOver(file.path, reason, detail))

    def _knows(self, file: ParquetFile) -> bool:
        """Whether some header is known; a text without any is no table."""
        own = [*(header.text for header in file.headers), *(key for key, _ in file.origin.partition)]
        return any(normal_header(header) in self._known for header in own)

    def _wanted(self, name: str) -> Wanted:
        """What a file is asked for: the headers of the columns of its role, those named by --map included."""
        columns, needed = ROLES[self._role]

        def choose(texts: Sequence[str]) -> set[str]:
            mapping = map_headers([Header(text, "VARCHAR") for text in texts], columns, self._forced, source=name)
            feeding = (*mapping.found.values(), *mapping.fallback.values())
            chosen = {header.text for headers in feeding for header in headers}
            # Whoever misses a column is shown what there is instead.
            missing = not all(any(mapping.has(column) for column in group) for group in needed)
            return chosen.union(texts[:HEADERS_SHOWN]) if missing else chosen

        return Wanted(self._known, choose)

    def _rejected(self, file: InputFile) -> int:
        """How many records of a file the reader rejected."""
        if file.kind == "parquet" or file.path in self._database:
            return 0
        row = self._connection.execute(
            "SELECT count(*) FROM rejects WHERE role = ? AND file = ?", [self._role, str(file.path)]
        ).fetchone()
        facts = self._csv.get(file.path)
        return (int(row[0]) if row else 0) + (facts.rejects if facts else 0)


def _feeds(source: Source) -> dict[str, tuple[str, ...]]:
    """The headers that feed each column, in the order in which they count."""
    mapping = source.map
    fed = {name: (*mapping.found.get(name, ()), *mapping.fallback.get(name, ())) for name in mapping.columns}
    return {name: tuple(header.text.strip() for header in headers) for name, headers in fed.items() if headers}


def refuse_all(first: Path, passed: Sequence[PassedOver]) -> None:
    """Raise InputError: nothing was left to be read."""
    told = "；".join(each.said() for each in passed[:5])
    raise InputError(f"{first}：没有一个文件可以读（not one file could be read）：{told}")


def _source(
    table: InputTable, columns: dict[str, Column], needed: tuple[tuple[str, ...], ...], forced: Mapping[str, str]
) -> Source:
    name = str(table.origin[0])
    mapping = map_headers(table.headers, columns, forced, source=name)
    for column in columns.values():
        told = mapping.found.get(column.name, ())
        if column.kind in (Kind.TIME, Kind.DATE) and (
            untold := next((each for each in told if each.type == UNTOLD), None)
        ):
            raise InputError(
                f"{name}：“{untold.text}”列是旧式的 INT96 时间，写这个文件的程序没有说明是 UTC 时刻还是当地钟点，可能差 8 小时；"
                "请由 Spark、Hive、Impala 导出，或改用 TIMESTAMP 类型重新导出（INT96 without a known writer may be eight hours off: export it as TIMESTAMP）"
            )
    for group in needed:
        if not any(mapping.has(column) for column in group):
            known = "、".join(header for column in group for header in columns[column].all_headers)
            seen = "、".join(header.text for header in table.headers[:HEADERS_SHOWN])
            raise InputError(
                f"{name}：缺少“{' / '.join(group)}”列；可识别的表头：{known}；文件中的表头：{seen}；"
                f"也可以用 --map {group[0]}=表头 指定（needed column missing）"
            )
    return Source(table, mapping)
