"""All inputs of a scan, opened and mapped: which files, which headers feed which column, and what is missing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from checker.engines.duckdb import connect_locked
from checker.engines.lines import HERE, LineEngine
from checker.ingest.columns import Chosen, parse_map_options
from checker.ingest.convert import REJECT_COLUMNS
from checker.ingest.database.fetch import Databases
from checker.ingest.database.query import Query
from checker.ingest.in_memory import InMemory
from checker.ingest.layout import NO_LAYOUT, read_layout
from checker.ingest.opening import ROLES, FileRead, Opening, refuse_all
from checker.ingest.parts import Parts
from checker.ingest.passed import PassedOver
from checker.ingest.refusals import Refusals
from checker.ingest.sources import InputFile, InputTable, Source
from checker.ingest.stamp import Stamp, take_stamps
from checker.ingest.walk import find_files
from checker.model import sqltext
from checker.model.errors import InputError, both
from checker.model.journal import AnotherRunError
from checker.model.schema import DIAGNOSIS, HEADER, LINE, PERSON_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

Input = str | Path | Query | InMemory
"""A file, folder or pattern, what is asked of a database, or a table in memory."""


def paths_of(inputs: Iterable[Input]) -> list[str | Path]:
    """The inputs that are files, folders or patterns."""
    return [each for each in inputs if not isinstance(each, Query | InMemory)]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The inputs of a scan. `origins` are the files as told, by the file number that line numbers carry; `stamps` tell whether
    an input has changed since it was opened; `registered` are the tables in memory by the names under which the connection that reads must know them.
    `engine` answers what is asked of all lines.

    Whoever asked for beginnings only is told more: the files of each role that were not opened at all, tables without a known header, and
    how many seconds each file took.
    """

    lines: tuple[Source, ...]
    settlements: tuple[Source, ...]
    visits: tuple[Source, ...]
    diagnoses: tuple[Source, ...]
    files: tuple[FileRead, ...]
    passed: tuple[tuple[str, PassedOver], ...]
    origins: tuple[tuple[int, Path], ...]
    readable: tuple[Path, ...]
    reader_rejects: tuple[Path, ...]
    stamps: Mapping[Path, Stamp] = field(repr=False)
    registered: Mapping[str, pa.Table] = field(default_factory=dict, repr=False)
    engine: LineEngine = HERE
    unopened: Mapping[str, tuple[InputFile, ...]] = field(default_factory=dict)
    unknown: tuple[tuple[str, InputTable], ...] = ()
    seconds: Mapping[Path, float] = field(default_factory=dict)

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """The sources of all roles."""
        return (*self.lines, *self.settlements, *self.visits, *self.diagnoses)


@dataclass(frozen=True, slots=True)
class Beginning:
    """No more is asked for than the beginnings of files: so many records of each, of so many files of each role, spread over all of them."""

    records: int
    files: int

    def part(self, files: Sequence[InputFile]) -> tuple[tuple[InputFile, ...], tuple[InputFile, ...]]:
        """The files that are opened, in their order, and the others."""
        step = max(len(files) / self.files, 1)
        places = {int(number * step) for number in range(min(len(files), self.files))}
        opened = tuple(file for place, file in enumerate(files) if place in places)
        return opened, tuple(file for place, file in enumerate(files) if place not in places)


def gather(
    inputs: Mapping[str, Sequence[Input]],
    maps: Sequence[str],
    work: Path,
    *,
    layout: Path | None = None,
    need_person: bool = True,
    beginning: Beginning | None = None,
    refusals: Refusals | None = None,
    parts: Parts | None = None,
    aside: Mapping[Path, str] = MappingProxyType({}),
    engine: LineEngine = HERE,
) -> Gathered:
    """Open the inputs of each role (keys of ROLES) and map their headers, as `maps` and the file `layout` say; CSV, JSON and what
    databases give are converted into `work`, but for what `parts` has. The files `aside` are known to be damaged, and why: they are
    passed over. What is asked of all lines is answered by `engine`.

    Raises InputError for anything that cannot be read or lacks a needed column, or notes it where `refusals` collects; without
    `need_person` nobody is to be judged.
    """
    refusals = refusals or Refusals()
    forced = parse_map_options(maps, {**LINE, **HEADER, **DIAGNOSIS})
    plan = read_layout(layout) if layout else NO_LAYOUT
    found = {role: find_files(paths_of(inputs.get(role, ())), refusals) for role in ROLES}
    queries = {role: [each for each in inputs.get(role, ()) if isinstance(each, Query)] for role in ROLES}
    tables = {role: [each for each in inputs.get(role, ()) if isinstance(each, InMemory)] for role in ROLES}
    passed = [(role, each) for role, told in found.items() for each in told.passed]
    given = [file.place.resolve() for told in found.values() for file in told.files]
    stamps = take_stamps(file.path for told in found.values() for file in told.files) if beginning is None else {}
    if parts is not None:
        _need_same(parts, {role: [file.path for file in told.files] for role, told in found.items()}, stamps)
    asked = {role: beginning.part(told.files) if beginning else (told.files, ()) for role, told in found.items()}
    first = beginning.records if beginning else None
    reader_rejects = work / "reader_rejects.parquet"
    sources: dict[str, tuple[Source, ...]] = {}
    read: list[FileRead] = []
    unknown: list[tuple[str, InputTable]] = []
    seconds: dict[Path, float] = {}
    registered: dict[str, pa.Table] = {}
    locked = connect_locked(readable=given, folders=[work], spill=work / "spill", ordered=True)
    with Databases() as databases, locked as connection:
        connection.execute(f"CREATE TABLE rejects (role VARCHAR, {REJECT_COLUMNS})")
        for role, (files, _) in asked.items():
            before = len(refusals.told)
            choice = plan.choice(role, forced)
            opened = Opening(connection, role, choice, work, refusals, first, parts)
            for query in queries[role]:
                with refusals.noted():
                    opened.ask(query, databases)
            for table in tables[role]:
                with refusals.noted():
                    opened.take(table)
            for number, file in enumerate(files):
                started = time.perf_counter()
                if parts is not None:
                    parts.opens(file.path, number, len(files))
                with refusals.noted():
                    if file.path in aside:
                        opened.put_aside(file, aside[file.path])
                    else:
                        opened.open(file)
                seconds[file.path] = time.perf_counter() - started
            sources[role] = opened.sources()
            if sources[role] and len(refusals.told) == before and not asked[role][1]:
                with refusals.noted():
                    choice.need_every_header(role, [source.table for source in sources[role]])
            read += opened.read(sources[role])
            passed += [(role, each) for each in opened.passed]
            unknown += [(role, table) for table in opened.unknown()]
            registered |= opened.registered
            if files and not sources[role] and len(refusals.told) == before:
                with refusals.noted():
                    refuse_all(files[0].path, opened.passed)
        connection.execute(f"COPY rejects TO {sqltext.text(str(reader_rejects))} (FORMAT parquet)")
    with refusals.noted():
        _need_forced_headers(forced, sources)
    if need_person and sources["lines"]:
        with refusals.noted():
            _need_person(sources)
    return Gathered(
        lines=sources["lines"],
        settlements=sources["settlements"],
        visits=sources["visits"],
        diagnoses=sources["diagnoses"],
        files=tuple(read),
        passed=tuple(passed),
        origins=tuple(
            (source.table.first_file + place, origin)
            for source in sources["lines"]
            for place, origin in enumerate(source.table.origin)
        ),
        readable=tuple(given),
        reader_rejects=(reader_rejects, *(each.csv.rejected for each in read if each.csv and each.csv.rejects)),
        stamps=stamps,
        registered=registered,
        engine=engine,
        unopened={role: others for role, (_, others) in asked.items() if others},
        unknown=tuple(unknown),
        seconds=seconds,
    )


def _need_same(parts: Parts, files: Mapping[str, Sequence[Path]], stamps: Mapping[Path, Stamp]) -> None:
    """Raise AnotherRunError where the inputs are not those of the scan that is taken up."""
    now = {
        role: [[str(path), stamps[path].size, stamps[path].modified_ns] for path in paths if path in stamps]
        for role, paths in files.items()
    }
    noted = parts.same("inputs", {"given": now})
    before = noted["given"] if noted else now
    others = [
        str((older or newer)[0])
        for role in {**before, **now}
        for older, newer in zip_longest(before.get(role, ()), now.get(role, ()))
        if older != newer
    ]
    if others:
        raise AnotherRunError(
            both(f"--resume：{'、'.join(others[:5])}：输入文件与中断的那次不同，请不带 --resume 重新扫描",
                 "no longer the inputs of the interrupted scan: scan anew without --resume")
        )  # fmt: skip


def _need_forced_headers(forced: Mapping[str, Chosen], sources: Mapping[str, tuple[Source, ...]]) -> None:
    used = {
        (column, header.text)
        for group in sources.values()
        for source in group
        for column in forced
        if column in source.map.columns
        for header in source.map.found[column]
    }
    for column, chosen in forced.items():
        (header,) = chosen.headers
        if not any(column == name and header.strip().lower() == text.strip().lower() for name, text in used):
            raise InputError(f"--map {column}={header}：输入文件中没有表头“{header}”（no input has this header）")


def _need_person(sources: Mapping[str, tuple[Source, ...]]) -> None:
    for role in ("lines", "settlements", "visits"):
        for source in sources[role]:
            if any(name in source.map.columns and source.map.has(name) for name in PERSON_COLUMNS):
                return
    first = sources["lines"][0].table.origin[0]
    raise InputError(
        f"{first}：没有任何来源提供性别、出生日期、年龄或身份证号，无法判断；"
        "请用 --settlements 指定结算表（setl_d），或用 --map patient_sex=表头 指定（no person column in any source: give --settlements）"
    )
