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
from checker.indicators import cells, stays
from checker.indicators.charge_class import find_classes
from checker.indicators.charges import LAST, class_names, sum_lines
from checker.indicators.definitions import Definitions, Indicator, definitions
from checker.indicators.duplicates import find_duplicates
from checker.indicators.headers import gather_settlements, write_headers
from checker.indicators.plan import Plan, plan_visits
from checker.indicators.told import CAVEATS, NEEDS
from checker.indicators.visits import fold_visits
from checker.ingest import line_sql
from checker.ingest.columns import read_column
from checker.ingest.completeness import Gap, find_changes, not_read
from checker.ingest.gather import Gathered, Input, gather, paths_of
from checker.ingest.line_kind import KINDS, REJECTED
from checker.ingest.provincial import Provincial, read_provincial
from checker.ingest.relations import name_origins, write_rejects
from checker.ingest.settlement_flags import find_flagged_settlements
from checker.ingest.sources import Source
from checker.ingest.unreadable import count_unknown_care, count_unreadable
from checker.model import sqltext
from checker.model.errors import InputError, both
from checker.model.out_folder import OutFolder
from checker.model.private_files import for_owner_alone
from checker.model.version import __version__
from checker.scan.engine_fault import explain
from checker.scan.run_record import peak_memory_mb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARQUET = "indicators.parquet"
_SKIPPED = ("invalid", "context")
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
            told = explain(error, files, request.all_paths, out.work.parent.parent)
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
        lines = self._count_lines()
        find_classes(connection, files.lines, second, defined.classes)
        duplicates = find_duplicates(connection, files, second, refunds, lines["read"])
        plan, work = plan_visits(files), self.out.work.absolute()
        gather_settlements(connection, files, work)
        charged = sum_lines(connection, files.lines, second, refunds, defined, plan, work, any_duplicate=duplicates > 0)
        fold_visits(connection, [*charged, *write_headers(connection, files, plan, work)], plan, defined, work)
        cells.tell_values(connection, self.provincial, defined)
        lacking = self._lacking(plan)
        told = {each.id for each in defined.indicators} - set(lacking)
        with_episodes, with_coded = "readmission_rate" in told, "hospital_infection_rate" in told
        if with_episodes:
            stays.gather_episodes(connection, defined.readmission_days)
        if with_coded:
            stays.gather_infections(connection, files, plan, defined)
        cells.count_cells(
            connection, work, with_persons="persons" in told, with_episodes=with_episodes, with_coded=with_coded
        )
        until = self._one("SELECT CAST(max(first_day) AS VARCHAR) FROM visit")
        columns = {"level": "institution_level", "insurance": "insurance_type", "institution": "institution_id"}
        grains = [grain for grain in cells.GRAINS if grain == "all" or self._has(columns[grain])]
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
        rows, suppressed = self._rows(
            "SELECT count(*), count(*) FILTER (note = 'suppressed') FROM " + sqltext.parquet(target)
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
            "lines": {**lines, "used": lines["used"] - duplicates, "skipped": self._skipped(lines["skipped"], duplicates)},
            "classes": self._count_classes(charged),
            "visits": self._count_visits(plan),
            "not_computed": [self._told(each, lacking[each.id]) for each in defined.indicators if each.id in lacking],
            "not_split_by": [
                {"grain": grain, "column": column} for grain, column in {**columns, "care": "care_type"}.items() if not self._has(column)
            ],
            "indicators": [
                {"id": each.id, "code": each.code, "zh": each.zh, "en": each.en, "unit": each.unit, "numerator": each.numerator,
                 "denominator": each.denominator, "source": self._source(each, plan), "caveats": list(each.caveats)}
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

    def _count_lines(self) -> dict[str, Any]:
        """Read = used + skipped + rejected. Raises InputError where none can be used."""
        counted = dict(self.connection.execute("SELECT kind, sum(n)::BIGINT FROM kind_census GROUP BY kind").fetchall())
        by_kind = {KINDS[kind]: count for kind, count in counted.items()}
        broken = self._rows(f"SELECT count(*) FROM {sqltext.parquet(*self.files.reader_rejects)} WHERE role = 'lines'")[
            0
        ]
        rejected = broken + sum(counted.get(kind, 0) for kind in REJECTED)
        used = sum(by_kind.get(kind, 0) for kind in ("judged", "refund", "self_paid"))
        name = self.files.lines[0].table.origin[0]
        if not used:
            raise InputError(
                both(
                    f"{name}：读入 {sum(counted.values()) + broken} 行，没有一行可以用于统计（无法读取 {rejected} 行），请检查时间、数量、金额列和有效标志",
                    "lines were read, none could be used: check times, quantities, amounts and void flags",
                )
            )
        return {
            "read": sum(counted.values()) + broken, "used": used,
            "skipped": {kind: by_kind.get(kind, 0) for kind in _SKIPPED},
            "rejected": rejected, "refunds": by_kind.get("refund", 0), "self_paid": by_kind.get("self_paid", 0),
        }  # fmt: skip

    @staticmethod
    def _skipped(counted: Mapping[str, int], duplicates: int) -> dict[str, int]:
        told = {**counted, "duplicates": duplicates}
        return {**told, "total": sum(told.values())}

    def _count_classes(self, charged: Sequence[Path]) -> dict[str, Any]:
        """What the lines of each class come to, and how many lines are of none, or have no amount."""
        names = [name for name in class_names(self.defined) if name != LAST]
        sums = ", ".join(f"coalesce(sum({name}), 0)::DECIMAL(38, 4)" for name in (*names, "charged"))
        *amounts, charged_all, without = self._rows(
            f"SELECT {sums}, coalesce(sum(without_class), 0)::BIGINT FROM {sqltext.parquet(*charged)}"
        )
        told = dict(zip((name.removeprefix("class_") for name in names), amounts, strict=True))
        told[LAST.removeprefix("class_")] = charged_all - sum(amounts)
        return {
            "amounts": {name: float(round(amount, 2)) for name, amount in told.items()},
            "lines_of_no_class": without,
            "lines_without_amount": sum(self._without_amount(source) for source in self.files.lines),
        }

    def _without_amount(self, source: Source) -> int:
        """The lines, of whatever kind, that tell no amount."""
        return int(
            self._rows(
                f"SELECT count(*) FROM {source.table.scan()} WHERE ({read_column(source.map, 'amount')}) IS NULL"
            )[0]
        )

    def _count_visits(self, plan: Plan) -> dict[str, Any]:
        visits, back, unsettled, alone = self._rows(
            """SELECT count(*) FILTER (is_visit), count(*) FILTER (is_taken_back), count(*) FILTER (is_unsettled),
              coalesce(sum(line_count) FILTER (key IS NULL), 0)::BIGINT FROM visit"""
        )
        return {
            "key": plan.key, "costs_from": "settlements" if plan.settled else "lines", "counted": visits, "wholly_refunded": back,
            "without_settlement": unsettled, "lines_without_visit": alone,
            "visits_file_joined": plan.visits_joined if self.files.visits else None,
        }  # fmt: skip

    def _source(self, indicator: Indicator, plan: Plan) -> str:
        return indicator.source if indicator.source != "cost" else "settlements" if plan.settled else "lines"

    def _lacking(self, plan: Plan) -> dict[str, str]:
        """The indicators that cannot be computed, and the first of their needs (NEEDS) that no input has."""
        has = {
            "amount": any(each.map.has("amount") for each in self.files.lines),
            "visit": plan.key is not None,
            "person": self._has("patient_id") or self._has("patient_id_number"),
            "care": self._has("care_type"),
            "cost": plan.settled or any(each.map.has("amount") for each in self.files.lines),
            "fund": plan.settled and self._has("settlement_fund_paid"),
            "own": plan.settled and (self._has("own_amount") or self._has("cash_amount")),
            "in_scope": self._has("settlement_in_scope")
            if plan.settled
            else any(each.map.has("amount_in_scope") for each in self.files.lines),
            "stay_dates": self._has("stay_days")
            or all(
                self._has(one) or self._has(other)
                for one, other in (("visit_start", "settlement_begin"), ("visit_end", "settlement_end"))
            ),
            "diagnoses": stays.may_read_diagnoses(self.files, plan),
            "on_admission": self._has("on_admission"),
        }
        lacking = {}
        for each in self.defined.indicators:
            needs = (
                *each.needs,
                *(("amount",) if each.source == "lines" else ()),
                *(() if "all" in each.care else ("care",)),
            )
            missing = next((need for need in needs if not has[need]), None)
            if missing:
                lacking[each.id] = missing
        return lacking

    @staticmethod
    def _told(indicator: Indicator, need: str) -> dict[str, Any]:
        column, (chinese, english) = NEEDS[need]
        return {
            "id": indicator.id,
            "code": indicator.code,
            "zh": indicator.zh,
            "en": indicator.en,
            "column": column,
            "why": {"zh": chinese, "en": english},
        }

    def _has(self, column: str) -> bool:
        return any(column in source.map.columns and source.map.has(column) for source in self.files.all_sources)

    def _rows(self, query: str) -> tuple[Any, ...]:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return tuple(row)

    def _one(self, query: str) -> str | None:
        value = self._rows(query)[0]
        return None if value is None else str(value)
