"""Inputs as they are named on the command line become tables: Parquet as it lies, CSV and JSON converted once."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.columns import Header, HeaderMap
from checker.model import sqltext
from checker.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

SUFFIXES = {
    ".parquet": "parquet", ".pq": "parquet",
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".csv.gz": "csv", ".tsv.gz": "csv", ".txt.gz": "csv",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
GLOB_SIGNS = set("*?[")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input file: the path as given, and its kind (parquet, csv, json, jsonl)."""

    path: Path
    kind: str


@dataclass(frozen=True, slots=True)
class InputTable:
    """Parquet files of one set of headers. `first_file` numbers the files within the run; `converted` files carry `__record`."""

    files: tuple[Path, ...]
    headers: tuple[Header, ...]
    converted: bool
    first_file: int
    origin: tuple[Path, ...]

    def scan(self) -> str:
        """SQL of the table with the virtual columns `file_index` and `file_row_number`."""
        return f"read_parquet([{sqltext.texts(str(path) for path in self.files)}], hive_partitioning = false)"

    @property
    def file_number(self) -> str:
        """SQL of the number of the file within the run."""
        return f"(CAST(file_index AS BIGINT) + {self.first_file})"

    @property
    def record(self) -> str:
        """SQL of the 1-based record number within the file."""
        return "__record" if self.converted else "(CAST(file_row_number AS BIGINT) + 1)"


@dataclass(frozen=True, slots=True)
class Source:
    """A table and the headers that feed its canonical columns."""

    table: InputTable
    map: HeaderMap


def find_files(inputs: Iterable[str | Path]) -> tuple[InputFile, ...]:
    """Expand files, folders and globs into input files, in a stable order, each once.

    Raises InputError where nothing is found, a file is empty, or its kind is not known.
    """
    found: dict[Path, InputFile] = {}
    for given in inputs:
        for path in _expand(str(given)):
            found.setdefault(path.resolve(), _input_file(path))
    return tuple(found.values())


def kind_of(path: Path) -> str | None:
    """What a file is by the end of its name; None for what is not read."""
    name = path.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def _expand(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and kind_of(file))
        if not files:
            raise InputError(
                f"{given}：文件夹中没有可读的文件（支持 {'、'.join(SUFFIXES)}）（no readable file in this folder）"
            )
        return files
    if path.is_file():
        return [path]
    if GLOB_SIGNS & set(given):
        files = sorted(Path(match) for match in glob.glob(given, recursive=True) if Path(match).is_file())  # noqa: PTH207
        if files:
            return files
        raise InputError(f"{given}：没有文件符合这个模式，请检查路径（no file matches this pattern）")
    raise InputError(f"{given}：找不到该文件或文件夹，请检查路径（no such file or folder）")


def _input_file(path: Path) -> InputFile:
    kind = kind_of(path)
    if kind is None:
        raise InputError(
            f"{path}：不支持的文件类型“{path.suffix}”，请提供 Parquet、CSV 或 JSON 文件（unsupported file type）"
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path}：文件是空的，请重新导出（the file is empty: export it again）")
    if kind == "parquet":
        with path.open("rb") as stream:
            if stream.read(4) != b"PAR1":
                raise InputError(f"{path}：不是 Parquet 文件，请检查扩展名或重新导出（not a Parquet file）")
    return InputFile(path, kind)


def parquet_headers(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[Header, ...]:
    """Read the headers of a Parquet file as they stand in it.

    Raises InputError where the file cannot be read.
    """
    import duckdb

    try:
        names = connection.execute(
            "SELECT name FROM parquet_schema(?) WHERE column_id IS NOT NULL AND num_children IS NULL", [str(path)]
        ).fetchall()
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({sqltext.text(str(path))})").fetchall()
    except duckdb.Error as error:
        raise InputError(
            f"{path}：Parquet 文件已损坏或不完整，请重新导出（damaged Parquet file: {first_line(error)}）"
        ) from error
    if len(names) == len(described):
        # DuckDB renames a header that stands twice; the file's own names must be compared.
        return tuple(Header(str(name[0]), str(column[1])) for name, column in zip(names, described, strict=True))
    return tuple(Header(str(column[0]), str(column[1])) for column in described)


def parquet_tables(
    connection: duckdb.DuckDBPyConnection, files: Sequence[tuple[Path, Path, bool]], *, first_file: int = 0
) -> tuple[InputTable, ...]:
    """Group Parquet files (file, origin, converted) into tables of equal headers."""
    groups: dict[tuple[bool, tuple[Header, ...]], list[tuple[Path, Path]]] = {}
    for file, origin, converted in files:
        headers = parquet_headers(connection, file)
        groups.setdefault((converted, headers), []).append((file, origin))
    tables: list[InputTable] = []
    number = first_file
    for (converted, headers), members in groups.items():
        own = tuple(header for header in headers if header.text != "__record")
        tables.append(
            InputTable(
                tuple(file for file, _ in members), own, converted, number, tuple(origin for _, origin in members)
            )
        )
        number += len(members)
    return tuple(tables)


def first_line(error: Exception) -> str:
    """The first line of an error of the engine, for the tail of our own sentence."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
