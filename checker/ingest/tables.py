"""Parquet files become tables: their headers as they stand, the columns that their folders name, and none that takes our own columns' place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.columns import INSTANT, UNTOLD, Header
from checker.ingest.sources import InputFile, InputTable, first_line, own_header
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import normal_header

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """One Parquet file: where it lies, the input that it is or was made from, its headers and rows; `converted`: we wrote it.

    `writer` is the program that wrote it where we did not. A table in memory is none, and `registered` under that name.
    """

    place: Path
    origin: InputFile
    converted: bool
    headers: tuple[Header, ...]
    rows: int
    writer: str = ""
    registered: str = ""


Described = dict[tuple[object, ...], tuple[Header, ...]]
"""The headers of files by their schema: of many files of one schema only the first is asked for its types."""


def open_parquet(
    connection: duckdb.DuckDBPyConnection, origin: InputFile, target: Path, known: Described, *, converted: bool
) -> ParquetFile:
    """Look into a Parquet file: the input itself, or what it was converted to, `target`; `known` are headers of files seen before.

    An input with a column that bears the name of one of our own is written to `target`, under a name that is free.
    Raises InputError where the file cannot be read.
    """
    import duckdb

    place = target if converted else origin.place.resolve()
    path = sqltext.one_path(place)
    try:
        schema = connection.execute("SELECT * EXCLUDE (file_name) FROM parquet_schema(?)", [path]).fetchall()
        about = connection.execute("SELECT num_rows, created_by FROM parquet_file_metadata(?)", [path]).fetchone()
        assert about is not None
        old_time = _old_time(str(about[1] or ""))
        key = (old_time, *map(str, schema))
        if key not in known:
            known[key] = _described(connection, place, old_time)
        headers = tuple(header for header in known[key] if not (converted and header.text == "__record"))
        if not converted and any(own_header(header.text) != header.text for header in headers):
            return _renamed(connection, origin, target, headers, known)
    except duckdb.Error as error:
        raise _damaged(origin, place, error) from error
    writer = "" if converted else str(about[1] or "")
    return ParquetFile(place, origin, converted, headers, int(about[0]), writer)


def open_registered(connection: duckdb.DuckDBPyConnection, origin: InputFile, name: str, rows: int) -> ParquetFile:
    """Look into a table in memory that the engine knows by a name. Raises InputError where it cannot be read."""
    import duckdb

    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {name}").fetchall()
    except duckdb.Error as error:
        raise InputError(f"{origin.path}：无法读取（cannot be read）：{first_line(error)}") from error
    headers = tuple(Header(str(text), str(type_)) for text, type_, *_ in described if text != "__record")
    return ParquetFile(origin.place, origin, True, headers, rows, registered=name)


def beginning_of(
    connection: duckdb.DuckDBPyConnection, file: ParquetFile, target: Path, first: int
) -> tuple[ParquetFile, float]:
    """The same file with no more than its first rows, written to `target` where it has more; and how much of it that is, from 0 to 1."""
    import duckdb

    if file.rows <= first or file.converted:
        return file, 1.0
    try:
        connection.execute(
            f"COPY (SELECT * FROM {sqltext.parquet(file.place)} LIMIT {int(first)}) "
            f"TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)"
        )
    except duckdb.Error as error:
        raise _damaged(file.origin, file.place, error) from error
    return replace(file, place=target, rows=first), first / file.rows


def _damaged(origin: InputFile, place: Path, error: Exception) -> InputError:
    said = first_line(error).replace(sqltext.one_path(place), str(origin.path))
    return InputError(f"{origin.path}：Parquet 文件已损坏或不完整，请重新导出（damaged Parquet file: {said}）")


def _old_time(writer: str) -> str:
    """The type of the times that a program wrote as INT96: Spark and Hive (by parquet-mr) write instants, Impala the wall clock."""
    known = {"parquet-mr": INSTANT, "spark": INSTANT, "hive": INSTANT, "impala": "TIMESTAMP"}
    return next((type_ for name, type_ in known.items() if name in writer.lower()), UNTOLD)


def _described(connection: duckdb.DuckDBPyConnection, place: Path, old_time: str) -> tuple[Header, ...]:
    names = connection.execute(
        "SELECT name, type FROM parquet_schema(?) WHERE column_id IS NOT NULL AND num_children IS NULL",
        [sqltext.one_path(place)],
    ).fetchall()
    described = connection.execute(f"DESCRIBE SELECT * FROM {sqltext.parquet(place)}").fetchall()
    # DuckDB renames a header that stands twice; the file's own names must be compared.
    told, stored = names if len(names) == len(described) else described, dict(names)
    return tuple(
        Header(str(name[0]), old_time if stored.get(name[0]) == "INT96" else str(column[1]))
        for name, column in zip(told, described, strict=True)
    )


def _renamed(
    connection: duckdb.DuckDBPyConnection, origin: InputFile, target: Path, headers: Sequence[Header], known: Described
) -> ParquetFile:
    kept = ", ".join(f"{sqltext.name(each.text)} AS {sqltext.name(own_header(each.text))}" for each in headers)
    connection.execute(
        f"COPY (SELECT {kept}, row_number() OVER () AS __record FROM {sqltext.parquet(origin.place.resolve())}) "
        f"TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)"
    )
    opened = open_parquet(connection, origin, target, known, converted=True)
    return replace(opened, headers=tuple(Header(own_header(each.text), each.type) for each in headers))


def parquet_tables(files: Iterable[ParquetFile], *, first_file: int = 0) -> tuple[InputTable, ...]:
    """Group Parquet files into tables of equal headers, those that only their folders' names hold among them."""
    groups: dict[
        tuple[bool, tuple[Header, ...], tuple[str, ...], str], list[tuple[Path, Path, tuple[str | None, ...]]]
    ] = {}
    for file in files:
        known = {normal_header(header.text) for header in file.headers}
        # A column of the file itself counts before one of the same name that its folders hold.
        named = {own_header(key): value for key, value in file.origin.partition if normal_header(key) not in known}
        member = (file.place, file.origin.path, tuple(named.values()))
        groups.setdefault((file.converted, file.headers, tuple(named), file.registered), []).append(member)
    tables: list[InputTable] = []
    number = first_file
    for (converted, headers, named_columns, registered), members in groups.items():
        places, origins, values = zip(*members, strict=True)
        of_folders = dict(zip(named_columns, zip(*values, strict=True), strict=True))
        all_headers = (*headers, *(Header(name, "VARCHAR") for name in of_folders))
        tables.append(InputTable(places, all_headers, converted, number, origins, of_folders, registered))
        number += len(members)
    return tuple(tables)
