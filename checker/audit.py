"""A scan [事后审核]: files in, findings on disk, counts that add up, nothing half-written."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from checker import __version__, sqltext
from checker.compile import finding_sql, fired_sql
from checker.engines.duckdb import SCRATCH, connect_locked, one_number
from checker.errors import InternalError
from checker.ingest import relations
from checker.ingest.facts import LINE_NO_SHIFT, cleaned
from checker.ingest.gather import Gathered, gather
from checker.ingest.relations import Census
from checker.ingest.sources import first_line
from checker.knowledge.edition import Edition
from checker.knowledge.open import knowledge_files, open_editions, open_plan
from checker.knowledge.points import Unread, hash_of, load_points, version_of
from checker.netting import Netted, net_lines
from checker.outfolder import OutFolder
from checker.plan import Plan
from checker.schema import FINDING_COLUMNS
from checker.summary import Summary, summarise, to_plain

if TYPE_CHECKING:
    import duckdb

HASHED_BYTES = 64 << 20
"""Inputs up to this size are named by sha256 in run.json, larger ones by size and time of change."""

HELD_LINES = 1_000_000
"""Restricted lines that are held in memory between two steps; more go to a scratch file."""

RESULT = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
"""How findings are written: rows are wide, so that small row groups keep the writer within its memory."""

FIRED_COLUMNS = (
    "line_no", "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "on_date", "service_date",
    "item_code", "item_name", "insured_region", "region", "gross_quantity", "gross_amount", "gross_in_scope", "time_fallback",
    "person_unreadable", "is_insured", "violated", "lowered", "noticed", "expected", "actual", "reason_code", "rule_no", "point_no",
    "matched_by", "diagnosis_code",
)  # fmt: skip
"""What the first SELECT hands to the second through disk."""


class Progress(Protocol):
    """Told what a scan is doing; the command line draws it."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """A step of the scan begins, on this connection."""


class Silent:
    """Progress for callers that draw nothing."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """Draw nothing."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan and where to put the findings; paths as given by the caller.

    `stage` is settle or audit; `language` is zh or en; without `kb` the embedded knowledge base is used.
    """

    inputs: Sequence[str | Path]
    out: Path
    settlements: Sequence[str | Path] = ()
    visits: Sequence[str | Path] = ()
    diagnoses: Sequence[str | Path] = ()
    maps: Sequence[str] = ()
    csv: bool = False
    as_of: date | None = None
    kb: Sequence[Path] = ()
    rules: Path | None = None
    region: str | None = None
    stage: str = "audit"
    force: bool = False
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found; `run` is what run.json holds."""

    out: Path
    summary: Summary
    census: Census
    netted: Netted
    fully_refunded: int
    not_in_force: Mapping[str, int]
    run: Mapping[str, Any] = field(repr=False)


def scan(request: ScanRequest, progress: Progress | None = None) -> ScanResult:
    """Judge every line of the inputs and write findings, rejects and run.json to `request.out`.

    Raises InputError (nothing is written) for inputs that cannot be judged, InternalError where the engine fails.
    """
    started = time.monotonic()
    tell = progress or Silent()
    editions = open_editions(request.kb)
    plan = open_plan(request.rules).at_stage("after" if request.stage == "audit" else "during")
    with OutFolder(request.out, force=request.force) as out:
        tell.step("read", None)
        files = gather(
            {
                "lines": request.inputs,
                "settlements": request.settlements,
                "visits": request.visits,
                "diagnoses": request.diagnoses,
            },
            request.maps,
            out.work,
        )
        with contextlib.closing(_connect(files, editions, out)) as connection:
            try:
                result = _Run(connection, request, plan, editions, files, out, tell).go(started)
            except _engine_error() as error:
                raise InternalError(f"引擎失败（the engine failed）：{first_line(error)}") from error
        out.commit(result.run)
    return result


def _engine_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _connect(files: Gathered, editions: Sequence[Edition], out: OutFolder) -> duckdb.DuckDBPyConnection:
    return connect_locked(
        readable=[*files.readable, *knowledge_files(editions)],
        folders=[out.work.absolute(), out.result.absolute()],
        spill=out.work.absolute() / "spill",
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """One scan on one connection; its parts in the order of a row's journey."""

    connection: duckdb.DuckDBPyConnection
    request: ScanRequest
    plan: Plan
    editions: Sequence[Edition]
    files: Gathered
    out: OutFolder
    tell: Progress

    def go(self, started: float) -> ScanResult:
        connection, files = self.connection, self.files
        unread = load_points(connection, self.editions, self.plan)
        self.tell.step("census", connection)
        census, second, refund_settlements = relations.take_census(connection, files)
        contested = relations.find_points(connection)
        self.tell.step("select", connection)
        held = relations.count_restricted(connection) <= HELD_LINES
        spilled = None if held else self.out.work.absolute() / "stage.parquet"
        unneeded = relations.unneeded_columns(connection, files)
        relations.select_lines(
            connection, files, second, refund_settlements=refund_settlements, unneeded=unneeded, spilled=spilled
        )
        self.tell.step("persons", connection)
        gaps = relations.line_gaps(connection, files, unneeded)
        headers = relations.Headers(
            relations.collapse_headers(
                connection, files.settlements, "settlement_id", "settlement_header", gaps, self.out.work
            ),
            relations.collapse_headers(connection, files.visits, "visit_id", "visit_header", gaps, self.out.work),
        )
        netted = net_lines(
            connection,
            any_refund=census.skipped["refund"] > 0,
            headers_name_originals="original_settlement_id" in headers.settlement,
        )
        self.tell.step("judge", connection)
        not_in_force = self._judge(headers, unneeded, contested=contested)
        self.tell.step("write", connection)
        relations.name_origins(connection, files)
        self._write_findings()
        fully_refunded = one_number(
            connection,
            f"SELECT count(DISTINCT line_no) FROM {sqltext.parquet(self.fired)} JOIN netted_line USING (line_no) WHERE nothing_left",
        )
        relations.write_rejects(connection, files, self.out.result / "rejects.parquet")
        summary = summarise(connection, self.findings)
        if self.request.csv:
            self._write_csv()
        run = self._record(census, netted, fully_refunded, not_in_force, unread, summary, time.monotonic() - started)
        return ScanResult(self.request.out, summary, census, netted, fully_refunded, not_in_force, run)

    @property
    def fired(self) -> Path:
        return self.out.work.absolute() / "fired.parquet"

    @property
    def findings(self) -> Path:
        return self.out.result.absolute() / "findings.parquet"

    @property
    def as_of(self) -> str | None:
        return self.request.as_of.isoformat() if self.request.as_of else None

    def _judge(self, headers: relations.Headers, unneeded: frozenset[str], *, contested: bool) -> dict[str, int]:
        absent = relations.absent_columns(self.files, headers, unneeded, regional=contested)
        candidates = relations.candidates_sql(headers, absent, as_of=self.as_of, region=self.request.region)
        fired = fired_sql(self.plan, candidates, contested=contested, absent=absent)
        kept = [name for name in FIRED_COLUMNS if name not in unneeded]
        self.connection.execute(
            f"COPY (SELECT {', '.join(kept)} FROM ({fired})) TO {sqltext.text(str(self.fired))} {SCRATCH}"
        )
        nothing = "".join(f", CAST(NULL AS VARCHAR) AS {name}" for name in FIRED_COLUMNS if name in unneeded)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW fired_line AS SELECT *{nothing} FROM ({cleaned(sqltext.parquet(self.fired), relations.PASSED_TEXTS)})"
        )
        counts = relations.count_not_in_force(
            self.connection, as_of=self.as_of, regional=candidates if contested else None
        )
        return {self.plan.rules[number].id: count for number, count in sorted(counts.items())}

    def _write_findings(self) -> None:
        relations.gather_diagnoses(self.connection, self.files)
        source = f"""SELECT f.*, p.* EXCLUDE (point_no, rule_no), origin.file AS source_file,
            f.line_no % {LINE_NO_SHIFT} AS source_record,
            CASE WHEN sd.key IS NOT NULL OR vd.key IS NOT NULL OR f.diagnosis_code <> '' THEN
              list_concat(coalesce(sd.codes, []), coalesce(vd.codes, []),
                coalesce(list_filter(regexp_split_to_array(f.diagnosis_code, '{relations.DIAGNOSIS_SEPARATORS}'), lambda d: d <> ''), []))
            END AS diagnoses,
            d.line_no IS NOT NULL AS duplicate, coalesce(n.partly, FALSE) AS partly_refunded,
            CASE WHEN n.line_no IS NOT NULL THEN n.quantity ELSE gross_quantity END AS quantity,
            CASE WHEN n.line_no IS NOT NULL THEN n.amount ELSE gross_amount END AS amount,
            CASE WHEN n.line_no IS NOT NULL THEN n.amount_in_scope ELSE gross_in_scope END AS amount_in_scope
          FROM fired_line f JOIN point p ON p.point_no = f.point_no
          JOIN origin ON origin.file_no = f.line_no // {LINE_NO_SHIFT}
          LEFT JOIN settlement_diagnoses sd ON sd.key = f.settlement_id LEFT JOIN visit_diagnoses vd ON vd.key = f.visit_id
          LEFT JOIN duplicate_line d ON d.line_no = f.line_no LEFT JOIN netted_line n ON n.line_no = f.line_no
          WHERE NOT coalesce(n.nothing_left, FALSE)"""
        stage = "after" if self.request.stage == "audit" else "before"
        finding = finding_sql(
            self.plan, source, stage=stage, language=self.request.language, kb_version=version_of(self.editions)
        )
        self.connection.execute(
            f"COPY (SELECT {', '.join(FINDING_COLUMNS)} FROM ({finding})) TO {sqltext.text(str(self.findings))} {RESULT}"
        )

    def _write_csv(self) -> None:
        """findings.csv for spreadsheets: UTF-8 with BOM, lists joined, text that a spreadsheet would run as a formula made plain."""
        target = self.out.result.absolute() / "findings.csv"
        columns = {
            name: f"array_to_string({name}, '|')" if name in ("remarks", "related_lines") else name
            for name in FINDING_COLUMNS
        }
        texts = {
            name
            for name in FINDING_COLUMNS
            if name not in ("service_time", "quantity", "amount", "amount_in_scope", "rule_version")
        }
        plain = ", ".join(
            f"{_no_formula(f'CAST({value} AS VARCHAR)')} AS {name}" if name in texts else f"{value} AS {name}"
            for name, value in columns.items()
        )
        # Only a header's own text can carry a byte order mark into the file.
        first, rest = FINDING_COLUMNS[0], FINDING_COLUMNS[1:]
        self.connection.execute(
            f"""COPY (SELECT {first} AS {sqltext.name(chr(0xFEFF) + first)}, {", ".join(rest)} FROM (SELECT {plain} FROM {sqltext.parquet(self.findings)}))
            TO {sqltext.text(str(target))} (FORMAT csv, HEADER)"""
        )

    def _record(
        self,
        census: Census,
        netted: Netted,
        fully_refunded: int,
        not_in_force: Mapping[str, int],
        unread: Unread,
        summary: Summary,
        seconds: float,
    ) -> dict[str, Any]:
        import duckdb

        request = self.request
        return {
            "liangku": __version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": [{"role": role, **_describe(file.path)} for role, file in self.files.files],
            "options": {
                "as_of": self.as_of, "region": request.region, "stage": request.stage, "maps": list(request.maps), "language": request.language,
            },
            "lines": {
                "read": census.read, "judged": census.judged,
                "skipped": {**census.skipped, "total": sum(census.skipped.values())},
                "rejected": {**census.rejected, "total": sum(census.rejected.values())},
            },
            "codes": census.codes,
            "not_in_force": {**not_in_force, "total": sum(not_in_force.values())},
            "duplicates": netted.duplicates,
            "fully_refunded": fully_refunded,
            "refunds_without_original": netted.refunds_without_original,
            "unread": {"points": unread.points, "patterns": unread.patterns},
            "findings": to_plain(summary),
            "knowledge": {"version": version_of(self.editions), "hash": hash_of(self.editions)},
            "rules": {
                "hash": self.plan.hash,
                "versions": {rule.id: rule.version for rule in self.plan.rules},
                "names": {rule.id: {"zh": rule.name_zh, "en": rule.name_en} for rule in self.plan.rules},
            },
            "engine": {"name": "duckdb", "version": duckdb.__version__},
            "seconds": round(seconds, 3),
            "peak_memory_mb": peak_memory_mb(),
        }  # fmt: skip


def peak_memory_mb() -> int | None:
    """Peak resident memory of this process in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20) if sys.platform == "darwin" else peak / 1024)


def _describe(path: Path) -> dict[str, Any]:
    status = path.stat()
    told: dict[str, Any] = {"path": str(path), "size": status.st_size}
    if status.st_size <= HASHED_BYTES:
        with path.open("rb") as stream:
            told["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        told["modified"] = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return told


def _no_formula(value: str) -> str:
    return f"CASE WHEN regexp_matches({value}, '^[=+@\\t\\r-]') THEN '''' || {value} ELSE {value} END"
