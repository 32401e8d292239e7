"""A look at inputs before a scan: what was detected, which header feeds which column and why, what is missing, and how long a scan may take."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import connect_locked
from checker.ingest import completeness, relations, usual
from checker.ingest.columns import map_headers
from checker.ingest.completeness import Gap
from checker.ingest.gather import Beginning, Gathered, gather
from checker.ingest.layout import read_layout
from checker.ingest.near_miss import NearMiss, by_values, near_miss
from checker.ingest.opening import ROLES, FileRead
from checker.ingest.passed import PassedOver
from checker.ingest.personal import shown_headers
from checker.ingest.provincial import read_provincial
from checker.ingest.refusals import Refusals
from checker.ingest.shown_values import shown
from checker.ingest.sources import InputTable, Source
from checker.ingest.unreadable import count_unknown_care
from checker.judge import candidates
from checker.judge.named_pieces import find_named_pieces
from checker.judge.points import load_points
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan, read_crosswalks
from checker.model.errors import InputError
from checker.model.schema import PERSON_COLUMNS
from checker.scan.engine_fault import explain
from checker.scan.estimate import Estimate, estimate_scan
from checker.scan.inspect_counts import JOINED, Counts, count_persons, first_values
from checker.scan.inspect_needs import Missing, find_missing
from checker.scan.request import ScanRequest

if TYPE_CHECKING:
    import duckdb

BEGINNING = Beginning(records=10_000, files=200)
"""How much is looked at: so many records of each file, and so many files of each role."""
DOUBLES = {"local_item_code": "item_code", "visit_start": "service_time"}
"""Columns whose headers may rather be meant for a needed one."""
OF_LINES = (
    "line_id", "item_name", "local_item_code", "local_item_name", "quantity", "unit_price", "amount", "prescription_id", "days_supply", "dose", "spec",
)  # fmt: skip
"""What only lines have: a table with any of these is none of settlements or visits."""
SAMPLED_ROWS = 200
"""Values are looked at in so many rows."""


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """A header that feeds a column, why (`known`, `map`, `layout`), and some of its values. It may be `further`: only counting where the ones
    before it are empty; as a `fallback` it leaves a remark where it counts.
    """

    column: str
    header: str
    why: str
    further: bool
    fallback: bool
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnusedLook:
    """A header that feeds nothing, some of its values, and the column it may be meant for. One that feeds the column `used_as` may stand for
    another that is needed.
    """

    header: str
    values: tuple[str, ...]
    near: NearMiss | None
    used_as: str = ""


@dataclass(frozen=True, slots=True)
class TableLook:
    """Files of one set of headers, by their paths as told; `known` is false where none of the headers is. `rather` is the role of which
    the table seems to be, where that is another one.
    """

    role: str
    paths: tuple[Path, ...]
    columns: tuple[ColumnLook, ...]
    unused: tuple[UnusedLook, ...]
    known: bool
    rather: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look shows. `refusals` are the sentences with which a scan would refuse, first the one it would end with; `doubts` are
    sentences of a refusal that speak of what was looked at only, and may not hold of the whole; `gaps` are why its result would be incomplete.
    """

    files: tuple[FileRead, ...]
    sizes: Mapping[Path, int]
    tables: tuple[TableLook, ...]
    passed: tuple[tuple[str, PassedOver], ...]
    unopened: Mapping[str, int]
    counts: Counts | None
    missing: tuple[Missing, ...]
    estimate: Estimate
    refusals: tuple[str, ...]
    doubts: tuple[str, ...]
    gaps: tuple[Gap, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the inputs were looked at to their ends."""
        return not self.unopened and all(each.share == 1 for each in self.files)


def inspect(request: ScanRequest) -> Inspection:
    """Look at the inputs that a scan would read, no more than their beginnings; `out` of the request is not touched.

    Raises InputError for a layout, an option, knowledge or rules that cannot be used; what is wrong with the inputs is told.
    """
    import duckdb

    if request.layout:
        read_layout(request.layout)
    editions = open_editions(request.kb, read_crosswalks(request.crosswalk))
    rules = open_plan(request.rules, only_rules=request.only_rules, params=request.params)
    refusals = Refusals(collect=True)
    given = {
        "lines": request.inputs, "settlements": request.settlements, "visits": request.visits, "diagnoses": request.diagnoses,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="liangku-") as folder:
        work = Path(folder).resolve() / "work"
        (work / "spill").mkdir(parents=True)
        files = None
        try:
            files = gather(given, request.maps, work, layout=request.layout, beginning=BEGINNING, refusals=refusals)
            readable = [*files.readable, *knowledge_files(editions)]
            with contextlib.closing(
                connect_locked(readable=readable, folders=[work], spill=work / "spill")
            ) as connection:
                loaded = load_points(
                    connection, editions, rules, stage="after" if request.stage == "audit" else "during"
                )
                tables = tuple(_tables(connection, files))
                counts, doubts, gaps = _counts(connection, files, request, refusals)
        except (duckdb.Error, OSError) as error:
            told = explain(error, files, request.all_paths, [work])
            if told is error:
                raise
            raise told from error
        missing = find_missing(files, (rule for rule in loaded.plan.rules if not rule.shadow))
        sizes = {each.file.on_disk: each.file.on_disk.stat().st_size for each in files.files if not each.database}
        estimate = estimate_scan(files, sizes)
    return Inspection(
        files.files, sizes, tables, files.passed, {role: len(others) for role, others in files.unopened.items()}, counts, missing, estimate,
        tuple(dict.fromkeys(map(str, refusals.told))), doubts, gaps,
    )  # fmt: skip


def _counts(
    connection: duckdb.DuckDBPyConnection, files: Gathered, request: ScanRequest, refusals: Refusals
) -> tuple[Counts | None, tuple[str, ...], tuple[Gap, ...]]:
    """Count the lines that were looked at, where they have what a scan needs; what a scan would refuse of them is in doubt where they
    are not all. Also why its result would be incomplete.
    """
    needed = ROLES["lines"][1]
    lines = tuple(source for source in files.lines if all(any(map(source.map.has, group)) for group in needed))
    if not lines:
        return None, (), completeness.not_read(files)
    files = relations.with_stand_ins(connection, usual.of_small_tables(connection, replace(files, lines=lines)))
    census, second, refunds = relations.count_lines(connection, files)
    care = count_unknown_care(connection, files.all_sources, read_provincial(request.profile))
    census = replace(census, unreadable=census.unreadable + care)
    gaps = completeness.find_gaps(files, completeness.count_files(connection, files, second), request.max_rejects)
    by_name = find_named_pieces(connection, files, second, refund_settlements=refunds)
    candidates.find_points(connection)
    counts = Counts(census, relations.count_lines_of(connection, "hot_raw"), count_persons(connection, files))
    try:
        relations.need_judged(connection, census, files, refunds)
        relations.need_codes(connection, census, files, by_name=by_name)
    except InputError as error:
        whole = not files.unopened and all(each.share == 1 for each in files.files)
        if not whole:
            return counts, (str(error),), gaps
        refusals.told.append(error)
    return counts, (), gaps


def _tables(connection: duckdb.DuckDBPyConnection, files: Gathered) -> Iterator[TableLook]:
    by_role = {
        "lines": files.lines,
        "settlements": files.settlements,
        "visits": files.visits,
        "diagnoses": files.diagnoses,
    }
    for role, sources in by_role.items():
        for source in sources:
            yield _table(connection, role, source)
    for role, table in files.unknown:
        # What lacks a needed column may be a table of another kind.
        with contextlib.suppress(InputError):
            source = Source(table, map_headers(table.headers, ROLES[role][0], {}, source=str(table.origin[0])))
            if any(map(source.map.has, source.map.columns)):
                yield _table(connection, role, source)
                continue
        yield TableLook(role, table.origin, (), tuple(_unused(connection, role, table, (), ())), known=False)


def _table(connection: duckdb.DuckDBPyConnection, role: str, source: Source) -> TableLook:
    feeding: dict[str, list[ColumnLook]] = {}
    used = {
        header.text: name
        for name in source.map.columns
        for header in (*source.map.found.get(name, ()), *source.map.fallback.get(name, ()))
    }
    values = first_values(connection, source.table.scan(), list(used), SAMPLED_ROWS)
    for name in source.map.columns:
        headers = (*source.map.found.get(name, ()), *source.map.fallback.get(name, ()))
        for place, header in enumerate(headers):
            fallback = header not in source.map.found.get(name, ())
            why = "known" if fallback else source.map.named.get(name, "known")
            shows = shown(name, header.text, values[header.text])
            feeding.setdefault(name, []).append(ColumnLook(name, header.text.strip(), why, place > 0, fallback, shows))
    rather = _rather(source) if role == "lines" else ""
    # What stands in a table of another kind is meant for no column of this one.
    fed = [name for name in source.map.columns if rather or source.map.has(name)]
    columns = tuple(look for looks in feeding.values() for look in looks)
    others = [
        *_unused(connection, role, source.table, used, fed),
        *(
            UnusedLook(each.header, each.values, near, each.column)
            for each in columns
            if role == "lines" and (near := _double(each, values, fed))
        ),
    ]
    return TableLook(role, source.table.origin, columns, tuple(others), bool(columns), rather)


def _rather(source: Source) -> str:
    """The role of which a table without item codes seems to be, by what it has instead: diagnoses, or persons and a key."""
    if source.map.has("item_code"):
        return ""
    diagnoses = map_headers(source.table.headers, ROLES["diagnoses"][0], {}, source=str(source.table.origin[0]))
    keys = [role for role, key in JOINED if source.map.has(key)]
    if keys and diagnoses.has("code") and diagnoses.has("type"):
        return "diagnoses"
    persons = any(source.map.has(name) for name in PERSON_COLUMNS)
    return keys[0] if keys and persons and not any(map(source.map.has, OF_LINES)) else ""


def _double(look: ColumnLook, values: Mapping[str, list[str]], fed: Collection[str]) -> NearMiss | None:
    """What a header may be meant for that feeds a column which nobody needs, by its values."""
    told = values.get(look.header)
    near = by_values(look.header, told, ROLES["lines"][0], fed) if told and look.column in DOUBLES else None
    return near if near and near.column == DOUBLES[look.column] else None


def _unused(
    connection: duckdb.DuckDBPyConnection, role: str, table: InputTable, used: Sequence[str] | Mapping[str, str], fed: Sequence[str]
) -> Iterator[UnusedLook]:  # fmt: skip
    import duckdb

    others = [header.text for header in table.headers if header.text not in used]
    values: dict[str, list[str]] = {header: [] for header in others}
    # A scan does not read these columns, so that their damage is none of its business.
    with contextlib.suppress(duckdb.Error):
        values = first_values(connection, table.scan(), others, SAMPLED_ROWS)
    told = [header.text for header in table.headers]
    names = dict(zip(told, shown_headers(told), strict=True))
    for header in others:
        near = near_miss(header, values[header], ROLES[role][0], fed)
        yield UnusedLook(names[header], shown(None, header, values[header]), near)
