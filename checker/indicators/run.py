"""`liangku indicators`: inputs in, indicators.parquet and run.json out, counts that add up, nothing half-written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb as engine

from checker.engines.duckdb import FEW_ROWS, connect_locked
from checker.indicators import cells, counts, needs, stays
from checker.indicators.charge_class import find_classes
from checker.indicators.charges import sum_lines
from checker.indicators.definitions import Definitions, Indicator, definitions
from checker.indicators.duplicates import find_duplicates
from checker.indicators.headers import gather_settlements, write_headers
from checker.indicators.plan import Plan, plan_visits
from checker.indicators.told import CAVEATS, NEEDS
from checker.indicators.visits import fold_visits
from checker.ingest import line_sql
from checker.ingest.completeness import Gap, find_changes, not_read
from checker.ingest.gather import Gathered, Input, gather, paths_of
from checker.ingest.provincial import Provincial, read_provincial
from checker.ingest.relations import name_origins, write_rejects
from checker.ingest.settlement_flags import find_flagged_settlements
from checker.ingest.unreadable import count_unknown_care, count_unreadable
from checker.model import sqltext
from checker.model.out_folder import OutFolder
from checker.model.private_files import for_owner_alone
from checker.model.version import __version__
from checker.scan.engine_fault import explain
from checker.scan.run_record import peak_memory_mb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARQUET = "indicators.parquet"
_OF_LINES = ("amount", "amount_in_scope")


@dataclass(frozen=True, slots=True)
class IndicatorsRequest:
    """What to compute the indicators of; as ScanRequest has it. Cells of fewer than `min_cell` persons, visits or stays are not shown."""

    inputs: Sequence[Input]
    out: Path
    settlements: Sequence[Input] = ()
    visits: Sequence[Input] = ()
    diagnoses: Sequence[Input] = ()
    maps: Sequence[str] = ()
    layout: Path | None = None
    profile: Path | None = None
    min_cell: int = 0
    force: bool = False
    language: str = "zh"

    @property
    def all_paths(self) -> list[str | Path]:
        """The inputs of all roles that are no queries, as given."""
        return paths_of((*self.inputs, *self.settlements, *self.visits, *self.diagnoses))


@dataclass(frozen=True, slots=True)
class IndicatorsResult:
    """What was computed; `run` is what run.json holds, `gaps` say why it does not speak of all that was given."""

    out: Path
    gaps: Sequence[Gap]
    run: Mapping[str, Any] = field(repr=False)


def compute(request: IndicatorsRequest) -> IndicatorsResult:
    """Compute all indicators that the inputs allow and write them to `request.out`.

    Raises InputError (nothing is written) for inputs of which no line can be used, InternalError where the engine fails.
    """
    started = time.monotonic()
    provincial = read_provincial(request.profile)
    with for_owner_alone(), OutFolder(request.out, force=request.force) as out:
        files = None
        try:
            roles = {
                "lines": request.inputs,
                "settlements": request.settlements,
                "visits": request.visits,
                "diagnoses": request.diagnoses,
            }
            files = gather(roles, request.maps, out.work, layout=request.layout, need_person=False)
            folders = [out.work.absolute(), out.result.absolute()]
            few = sum(each.rows for each in files.files) <= FEW_ROWS
            with contextlib.closing(
                connect_locked(readable=files.readable, folders=folders, spill=out.work.absolute() / "spill", few=few)
            ) as connection:
                result = _Run(connection, request, files, out, provincial, definitions()).go(started)
            out.commit(result.run)
        except (engine.Error, OSError) as error:
            told = explain(error, files, request.all_paths, out.places)
            if told is error:
                raise
            raise told from error
    return result


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on one connection; its parts in order."""

    connection: DuckDBPyConnection
    request: IndicatorsRequest
    files: Gathered
    out: OutFolder
    provincial: Provincial
    defined: Definitions

    def go(self, started: float) -> IndicatorsResult:
        connection, files, defined = self.connection, self.files, self.defined
        refunds = find_flagged_settlements(connection, files.settlements)
        second = line_sql.take_census(connection, files.lines, refund_settlements=refunds)
        lines = counts.count_lines(connection, files)
        find_classes(connection, files.lines, second, defined.classes)
        duplicates = find_duplicates(connection, files, second, refunds, lines["read"])
        plan, work = plan_visits(files), self.out.work.absolute()
        gather_settlements(connection, files, work)
        charged = sum_lines(connection, files.lines, second, refunds, defined, plan, work, any_duplicate=duplicates > 0)
        fold_visits(connection, [*charged, *write_headers(connection, files, plan, work)], plan, defined, work)
        cells.tell_values(connection, self.provincial, defined)
        lacking = needs.lacking(files, plan, defined.indicators)
        told = {each.id for each in defined.indicators} - set(lacking)
        with_episodes, with_coded = "readmission_rate" in told, "hospital_infection_rate" in told
        if with_episodes:
            stays.gather_episodes(connection, defined.readmission_days)
        if with_coded:
            stays.gather_infections(connection, files, plan, defined)
        cells.count_cells(
            connection, work, with_persons="persons" in told, with_episodes=with_episodes, with_coded=with_coded
        )
        (until,) = counts.one_row(connection, "SELECT CAST(max(first_day) AS VARCHAR) FROM visit")
        columns = {"level": "institution_level", "insurance": "insurance_type", "institution": "institution_id"}
        grains = [grain for grain in cells.GRAINS if grain == "all" or needs.has(files, columns[grain])]
        target = self.out.result.absolute() / PARQUET
        cells.write_indicators(
            connection, defined.indicators, {name: NEEDS[need][0] for name, need in lacking.items()}, target,
            min_cell=self.request.min_cell, until=until, days=defined.readmission_days, grains=grains,
        )  # fmt: skip
        name_origins(connection, files)
        write_rejects(connection, files, self.out.result.absolute() / "rejects.parquet", refund_settlements=refunds)
        unreadable = count_unreadable(connection, files.lines, _OF_LINES) + count_unknown_care(
            connection, files.all_sources, self.provincial
        )
        gaps = (*not_read(files), *find_changes(files))
        rows, suppressed = counts.one_row(
            connection, "SELECT count(*), count(*) FILTER (note = 'suppressed') FROM " + sqltext.parquet(target)
        )
        document = {
            "liangku": __version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": [
                {"role": each.role, "path": str(each.file.path), "lines": each.rows + each.rejected, "rejects": each.rejected,
                 "columns": {column: list(headers) for column, headers in each.columns.items()}}
                for each in files.files
            ],
            "incomplete": [gap.to_plain() for gap in gaps],
            "options": {
                "maps": list(self.request.maps), "layout": str(self.request.layout) if self.request.layout else None,
                "profile": str(self.request.profile) if self.request.profile else None, "min_cell": self.request.min_cell,
                "language": self.request.language,
            },
            "lines": {**lines, "used": lines["used"] - duplicates, "skipped": counts.skipped_lines(lines["skipped"], duplicates)},
            "classes": counts.count_classes(connection, files, defined, charged),
            "visits": counts.count_visits(connection, files, plan),
            "not_computed": [needs.told_lack(each, lacking[each.id]) for each in defined.indicators if each.id in lacking],
            "not_split_by": [
                {"grain": grain, "column": column} for grain, column in {**columns, "care": "care_type"}.items() if not needs.has(files, column)
            ],
            "indicators": [
                {"id": each.id, "code": each.code, "zh": each.zh, "en": each.en, "unit": each.unit, "numerator": each.numerator,
                 "denominator": each.denominator, "source": _source(each, plan), "caveats": list(each.caveats)}
                for each in defined.indicators if each.id not in lacking
            ],
            "caveats": {key: {"zh": zh, "en": en} for key, (zh, en) in CAVEATS.items()},
            "unreadable": [each._asdict() for each in unreadable],
            "rows": rows, "suppressed": suppressed,
            "profile": {"name": self.provincial.name, "hash": self.provincial.hash},
            "engine": {"name": "duckdb", "version": engine.__version__},
            "seconds": round(time.monotonic() - started, 3),
            "peak_memory_mb": peak_memory_mb(),
        }  # fmt: skip
        return IndicatorsResult(self.request.out, gaps, document)


def _source(indicator: Indicator, plan: Plan) -> str:
    return indicator.source if indicator.source != "cost" else "settlements" if plan.settled else "lines"
