"""All inputs of a scan, opened and mapped: which files, which headers feed which column, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import connect_locked
from checker.ingest.columns import Header, map_headers, parse_map_options
from checker.ingest.convert import REJECT_COLUMNS, convert
from checker.ingest.csv_convert import CsvFacts, Wanted
from checker.ingest.sources import InputFile, InputTable, Source, find_files, parquet_tables
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import DIAGNOSIS, HEADER, LINE, PERSON_COLUMNS, Column, normal_header

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
class Gathered:
    """The inputs of a scan. `origins` are the files as given, by the file number that line numbers carry."""

    lines: tuple[Source, ...]
    settlements: tuple[Source, ...]
    visits: tuple[Source, ...]
    diagnoses: tuple[Source, ...]
    files: tuple[tuple[str, InputFile], ...]
    origins: tuple[tuple[int, Path], ...]
    readable: tuple[Path, ...]
    reader_rejects: tuple[Path, ...]
    csv: Mapping[tuple[str, Path], CsvFacts]
    """How each CSV file was read, by role and path as given."""


def gather(
    inputs: Mapping[str, Sequence[str | Path]], maps: Sequence[str], work: Path, *, need_person: bool = True
) -> Gathered:
    """Open the inputs of each role (keys of ROLES) and map their headers; CSV and JSON are converted into `work`.

    Raises InputError for anything that cannot be read or lacks a needed column; without `need_person` nobody is to be judged.
    """
    forced = parse_map_options(maps, {**LINE, **HEADER, **DIAGNOSIS})
    found = {role: find_files(inputs.get(role, ())) for role in ROLES}
    given = [file.path.resolve() for files in found.values() for file in files]
    reader_rejects = work / "reader_rejects.parquet"
    with connect_locked(readable=given, folders=[work], spill=work / "spill", ordered=True) as connection:
        connection.execute(f"CREATE TABLE rejects (role VARCHAR, {REJECT_COLUMNS})")
        csv: dict[tuple[str, Path], CsvFacts] = {}
        sources = {role: _sources(connection, role, files, forced, work, csv) for role, files in found.items()}
        connection.execute(f"COPY rejects TO {sqltext.text(str(reader_rejects))} (FORMAT parquet)")
    _need_forced_headers(forced, sources)
    if need_person:
        _need_person(sources, found)
    return Gathered(
        lines=sources["lines"],
        settlements=sources["settlements"],
        visits=sources["visits"],
        diagnoses=sources["diagnoses"],
        files=tuple((role, file) for role, files in found.items() for file in files),
        origins=tuple(
            (source.table.first_file + place, origin)
            for source in sources["lines"]
            for place, origin in enumerate(source.table.origin)
        ),
        readable=tuple(given),
        reader_rejects=(reader_rejects, *(facts.rejected for facts in csv.values() if facts.rejects)),
        csv=csv,
    )


def _sources(
    connection: duckdb.DuckDBPyConnection,
    role: str,
    files: Sequence[InputFile],
    forced: Mapping[str, str],
    work: Path,
    csv: dict[tuple[str, Path], CsvFacts],
) -> tuple[Source, ...]:
    columns, needed = ROLES[role]
    opened: list[tuple[Path, Path, bool]] = []
    for number, file in enumerate(files):
        if file.kind == "parquet":
            opened.append((file.path.resolve(), file.path, False))
        else:
            target = work / f"{role}-{number}.parquet"
            facts = convert(connection, file, target, role, _wanted(role, forced, str(file.path)))
            if facts:
                csv[role, file.path] = facts
            opened.append((target, file.path, True))
    tables = parquet_tables(connection, opened)
    return tuple(_source(table, columns, needed, forced) for table in tables)


def _wanted(role: str, forced: Mapping[str, str], name: str) -> Wanted:
    """What a CSV file of a role is asked for: the headers of its columns, those named by --map included."""
    columns, needed = ROLES[role]
    known = {normal_header(header) for column in columns.values() for header in column.all_headers}
    known |= {normal_header(header) for column, header in forced.items() if column in columns}

    def choose(texts: Sequence[str]) -> set[str]:
        mapping = map_headers([Header(text, "VARCHAR") for text in texts], columns, forced, source=name)
        feeding = (*mapping.found.values(), *mapping.fallback.values())
        chosen = {header.text for headers in feeding for header in headers}
        # Whoever misses a column is shown what there is instead.
        missing = not all(any(mapping.has(column) for column in group) for group in needed)
        return chosen.union(texts[:HEADERS_SHOWN]) if missing else chosen

    return Wanted(known, choose)


def _source(
    table: InputTable, columns: dict[str, Column], needed: tuple[tuple[str, ...], ...], forced: Mapping[str, str]
) -> Source:
    name = str(table.origin[0])
    mapping = map_headers(table.headers, columns, forced, source=name)
    for group in needed:
        if not any(mapping.has(column) for column in group):
            known = "、".join(header for column in group for header in columns[column].all_headers)
            seen = "、".join(header.text for header in table.headers[:HEADERS_SHOWN])
            raise InputError(
                f"{name}：缺少“{' / '.join(group)}”列；可识别的表头：{known}；文件中的表头：{seen}；"
                f"也可以用 --map {group[0]}=表头 指定（needed column missing）"
            )
    return Source(table, mapping)


def _need_forced_headers(forced: Mapping[str, str], sources: Mapping[str, tuple[Source, ...]]) -> None:
    used = {
        (column, header.text)
        for group in sources.values()
        for source in group
        for column in forced
        if column in source.map.columns
        for header in source.map.found[column]
    }
    for column, header in forced.items():
        if not any(column == name and header.strip().lower() == text.strip().lower() for name, text in used):
            raise InputError(f"--map {column}={header}：输入文件中没有表头“{header}”（no input has this header）")


def _need_person(sources: Mapping[str, tuple[Source, ...]], files: Mapping[str, Sequence[InputFile]]) -> None:
    for role in ("lines", "settlements", "visits"):
        for source in sources[role]:
            if any(name in source.map.columns and source.map.has(name) for name in PERSON_COLUMNS):
                return
    first = files["lines"][0].path
    raise InputError(
        f"{first}：没有任何来源提供性别、出生日期、年龄或身份证号，无法判断；"
        "请用 --settlements 指定结算表（setl_d），或用 --map patient_sex=表头 指定（no person column in any source: give --settlements）"
    )
