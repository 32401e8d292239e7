"""A scan [事后审核]: files in, findings on disk, counts that add up, nothing half-written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from checker.engines.duckdb import FEW_ROWS, SCAN_MEMORY, SCRATCH, connect_locked, register
from checker.engines.lines import HERE, LineEngine
from checker.engines.names import SPARK
from checker.ingest import completeness, relations, reuploads, reversals, scope, usual
from checker.ingest.gather import Gathered, gather
from checker.ingest.headers import collapse_headers
from checker.ingest.identity import name_lines, number_lines
from checker.ingest.line_sql import CAREFUL, LOCAL_COLUMNS
from checker.ingest.lost_keys import count_lost, count_lost_of_headers
from checker.ingest.netting import net_lines
from checker.ingest.parts import Parts
from checker.ingest.provincial import PHARMACY, PRESCRIBER_LEVEL, Provincial, read_provincial
from checker.ingest.unreadable import count_unknown_care
from checker.ingest.value_sql import clean_text
from checker.judge import beside as beside_lines
from checker.judge import candidates, diagnoses, fellows, newborns, on_file, payment, uses
from checker.judge.compile import fired_sql
from checker.judge.evidence import cite
from checker.judge.named_pieces import find_named_pieces
from checker.judge.points import Loaded, load_points, refuse_too_early
from checker.knowledge.crosswalk_use import crosswalk_in_use
from checker.knowledge.edition import Edition
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan, read_crosswalks
from checker.model import sqltext
from checker.model.errors import InputError, InternalError, LiangkuError
from checker.model.journal import AnotherRunError, Journal
from checker.model.out_folder import OutFolder, WrittenMeanwhileError
from checker.model.private_files import for_owner_alone
from checker.rulebook.plan import Plan
from checker.scan.engine_fault import damage_of, explain, may_be_resumed, may_be_set_aside
from checker.scan.findings_csv import write_csv
from checker.scan.findings_file import FindingsWriter
from checker.scan.handover.conflicts import Judged
from checker.scan.handover.counted import unneeded_of_counts
from checker.scan.handover.handover import Found, Handover
from checker.scan.not_judged import Untold, count_not_judged, count_untold, untold_sql
from checker.scan.partitions import write_parts
from checker.scan.person_labels import label_persons
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.run_record import crosswalk_document, journal_document, name_results, record
from checker.scan.shadow import NOTHING, SHADOW_FILE, Shadow, count_on_trial, count_shadow
from checker.scan.summary import summarise
from checker.scan.unknown_values import count_unknown
from checker.shapes import SHAPES
from checker.shapes.base import Shape, told_name
from checker.shapes.evidence import EVIDENCE
from checker.shapes.terms import TERMS

if TYPE_CHECKING:
    import duckdb

    from checker.knowledge.sheets.crosswalk import Crosswalk

HELD_LINES = 1_000_000
"""So many restricted lines are held in memory as they lie, and what is said of them is worked out once they stand together."""
LINES_IN_MEMORY = 200_000
"""So many are kept there between two steps; more go to a scratch file: with all that is told of each they would fill it."""

FIRED_COLUMNS = (
    "line_no", "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "on_date", "service_date",
    "item_code", "item_name", "insured_region", "region", "gross_quantity", "gross_amount", "gross_in_scope", "time_fallback",
    "person_unreadable", "is_insured", "violated", "lowered", "noticed", "expected", "actual", "reason_code", "related_lines",
    "family_account", "may_be_mother", "finding_scope", "at_stake", "own_remarks", "rule_no", "point_no",
    "matched_by", "diagnosis_code", "person_number", "own_code",
)  # fmt: skip
"""What the first SELECT hands to the second through disk."""
WRITTEN = ("insurance_type", "care_type", "institution_level", PRESCRIBER_LEVEL, "pay_location")
"""What else it hands on where a shape reads it: values that may stand for nothing known."""


class Progress(Protocol):
    """Told what a scan is doing; the command line draws it."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """A step of the scan begins, on this connection."""

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        """Within the step it is the turn of `own` of `unit`, beginning with a file; so many of all are done. A unit is files or lines."""


class Silent:
    """Progress for callers that draw nothing."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """Draw nothing."""

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        """Draw nothing."""


def scan(request: ScanRequest, progress: Progress | None = None, plan: Plan | None = None) -> ScanResult:
    """Judge every line of the inputs and write findings, rejects and run.json to `request.out`.

    `plan` are rules at hand, in place of those that the request names.
    Raises InputError (nothing is written) for inputs that cannot be judged, InternalError where the engine fails.
    """
    started = time.monotonic()
    tell = progress or Silent()
    # Of what is no file nobody can tell later whether it is still the same.
    of_files = len(request.all_paths) == len(request.all_inputs)
    if request.resume and not of_files:
        raise InputError(
            "--resume：只能接着扫描文件，数据库和内存里的表请重新扫描（only files can be taken up again: scan anew）"
        )
    crosswalk = read_crosswalks(request.crosswalk)
    editions = open_editions(request.kb, crosswalk)
    provincial = read_provincial(request.profile)
    rules = plan or open_plan(request.rules, only_rules=request.only_rules, params=request.params)
    with (
        for_owner_alone(),
        OutFolder(request.out, force=request.force, scratch=request.temp_dir, resume=request.resume) as out,
        contextlib.ExitStack() as held,
    ):
        # What is done of a long scan is kept where it ends early.
        out.keep = True
        journal = Journal(
            out.work, journal_document(request, editions, rules, provincial, crosswalk), resume=request.resume
        )
        engine = held.enter_context(contextlib.closing(open_engine(request, out.work)))
        aside: dict[Path, str] = {}
        while True:
            tell.step("read", None)
            files = None
            try:
                parts = Parts(out.work, journal, request.part_lines if of_files else None, tell.at)
                files = gather(
                    {
                        "lines": request.inputs,
                        "settlements": request.settlements,
                        "visits": request.visits,
                        "diagnoses": request.diagnoses,
                    },
                    request.maps,
                    out.work,
                    layout=request.layout,
                    parts=parts,
                    aside=aside,
                    engine=engine,
                )
                with contextlib.closing(_connect(request, files, editions, out)) as connection:
                    loaded = load_points(
                        connection, editions, rules, stage="after" if request.stage == "audit" else "during"
                    )
                    refuse_too_early(connection, request.as_of)
                    result = _Run(connection, request, loaded, files, out, parts, provincial, tell, crosswalk).go(
                        started
                    )
                result = replace(result, run={**result.run, "results": name_results(out.result)})
                out.commit(result.run)
                return result
            except (_engine_error(), OSError) as error:
                damage = damage_of(error, files)
                if not may_be_set_aside(damage, files):
                    told = explain(error, files, request.all_paths, out.places, damage)
                    if told is error:
                        raise
                    raise (may_be_resumed(told) if journal.holds_parts else told) from error
                aside |= damage
            except LiangkuError as error:
                # What was refused would be refused again, but for an input that is away, and a folder written to meanwhile.
                out.keep = journal.taken_up or isinstance(
                    error, AnotherRunError | WrittenMeanwhileError | InternalError
                )
                raise


def open_engine(request: ScanRequest, work: Path) -> LineEngine:
    """The engine that a scan asks for; `work` is its folder of scratch. Raises InputError where it cannot be used."""
    if request.engine != SPARK:
        if request.master is not None or request.spark_conf:
            raise InputError(
                "--master 和 --spark-conf 只用于 --engine spark，请加上 --engine spark，或去掉它们（only for --engine spark: add it, or leave them out）"
            )
        return HERE
    from checker.engines.spark.engine import SparkEngine

    return SparkEngine(work, request.master or "local[*]", request.spark_conf, request.memory_limit)


def _engine_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _connect(
    request: ScanRequest, files: Gathered, editions: Sequence[Edition], out: OutFolder
) -> duckdb.DuckDBPyConnection:
    connection = connect_locked(
        readable=[*files.readable, *knowledge_files(editions)],
        folders=[out.work.absolute(), out.result.absolute()],
        spill=out.work.absolute() / "spill",
        memory=request.memory_limit or SCAN_MEMORY,
        threads=request.threads,
        few=sum(each.rows for each in files.files) <= FEW_ROWS,
    )
    for name, table in files.registered.items():
        register(connection, name, table)
    return connection


@dataclass(frozen=True, slots=True)
class _Run:
    """One scan on one connection; its parts in the order of a row's journey."""

    connection: duckdb.DuckDBPyConnection
    request: ScanRequest
    loaded: Loaded
    files: Gathered
    out: OutFolder
    parts: Parts
    provincial: Provincial
    tell: Progress
    crosswalk: Crosswalk | None

    def go(self, started: float) -> ScanResult:
        connection = self.connection
        files = relations.with_stand_ins(connection, usual.of_small_tables(connection, self.files))
        rows = {each.file.path: each.rows for each in files.files if each.role == "lines"}
        others = [
            origin for source in (*files.settlements, *files.visits, *files.diagnoses) for origin in source.table.origin
        ]
        files = replace(files, lines=self.parts.begin(files.lines, rows, files.engine.part_lines, others))
        self.tell.step("census", connection)
        census, second, refund_settlements = relations.take_census(
            connection, files, repair=self.request.repair, parts=self.parts
        )
        counts = completeness.count_files(connection, files, second)
        by_name = find_named_pieces(connection, files, second, refund_settlements=refund_settlements)
        relations.need_codes(connection, census, files, by_name=by_name, repair=self.request.repair)
        contested = candidates.find_points(connection, self.plan.each_point_numbers)
        not_judged = count_not_judged(
            connection, files.lines, second, self.loaded.absent, refund_settlements=refund_settlements
        )
        self.tell.step("select", connection)
        with_uses = beside_lines.find_use_codes(connection)
        with_beside = beside_lines.find_staged(connection, with_uses=with_uses)
        lines = relations.count_lines_of(connection, "staged_raw")
        in_memory = lines <= LINES_IN_MEMORY
        spilled_uses = None if in_memory else self.out.work.absolute() / "use.parquet"
        with_fellows = fellows.are_needed(connection)
        facts, asks = payment.facts_needed(connection, self.plan), on_file.find_asked(connection)
        # Of what was used it counts in what care, and a pharmacy keeps no diagnoses.
        facts |= {"care"} if with_uses or asks.diagnoses else frozenset()
        unneeded = relations.unneeded_columns(connection, files, payment.columns_unasked(facts))
        unneeded |= frozenset() if with_uses else uses.STAGED
        unneeded |= frozenset() if with_fellows else fellows.NEEDED
        unneeded |= asks.unneeded
        unneeded |= unneeded_of_counts(files, with_counts=self.request.hash_key is not None)
        unneeded, staged = relations.select_lines(
            connection, files, second, refund_settlements=refund_settlements, unneeded=unneeded, held=lines <= HELD_LINES, in_memory=in_memory,
            parts=self.parts, with_beside=with_beside,
        )  # fmt: skip
        if with_fellows:
            staged = fellows.select_fellows(
                connection, files, second, refund_settlements=refund_settlements, unneeded=unneeded, spilled=staged,
                target=self.out.work.absolute() / "fellows.parquet",
            )  # fmt: skip
        on_file.select_patients(
            connection, files, second, asks, refund_settlements=refund_settlements, unneeded=unneeded, spilled=staged,
            work=self.out.work.absolute(),
        )  # fmt: skip
        has_history = payment.asks_history(connection, facts)
        self.tell.step("persons", connection)
        careful = not unneeded >= CAREFUL
        lost = count_lost(connection, files.lines, "staged_line") if careful else ()
        lost += count_lost_of_headers(connection, (*files.settlements, *files.visits, *files.diagnoses))
        number_lines(connection, files.origins, unneeded)
        gaps = relations.line_gaps(connection, files, unneeded)
        headers = candidates.Headers(*(
            collapse_headers(connection, sources, key, view, gaps, self.out.work, self.provincial)
            for sources, key, view in (
                (files.settlements, "settlement_id", "settlement_header"), (files.visits, "visit_id", "visit_header"),
            )
        ))  # fmt: skip
        netted = net_lines(
            connection,
            any_refund=census.skipped["refund"] > 0 or (with_beside and beside_lines.are_taken_back(connection)),
            uploads=reuploads.of_uploads(files.lines),
            any_reversal=reversals.find_reversed(connection, files),
            headers_name_originals="original_settlement_id" in headers.settlement,
            shadow_rules=self.plan.shadow_numbers,
            any_number=any(source.map.has("patient_id_number") for source in files.lines),
        )
        self.tell.step("judge", connection)
        if with_fellows:
            fellows.gather_fellows(connection, as_of=self.as_of)
        absent = candidates.absent_columns(
            files, headers, unneeded, regional=contested, mapped=candidates.are_mapped(connection)
        )
        fund_only, not_paid = self._fund_only(), candidates.not_paid_sql(connection)
        if not fund_only:
            absent |= {"not_in_scope"}
        beside = candidates.joined_headers(headers)
        views = {"settlement_header": headers.settlement, "visit_header": headers.visit}
        has_care = "care_type" not in absent
        care = payment.find_care(connection, self.provincial, views) if has_care else {}
        # What some judgment asks for is read now, for all that comes later as well; else only what findings tell.
        needs_diagnoses = asks.diagnoses or "maternity" in facts
        diagnosis_file = self.out.work.absolute() / "diagnosis.parquet"
        if needs_diagnoses:
            diagnoses.gather_diagnoses(
                connection, files, "staged_line", diagnosis_file, of_headers=asks.diagnoses, of_history=asks.history
            )
        paid = payment.find_payment(
            connection,
            self.provincial,
            facts,
            views,
            care,
            has_history=has_history,
            has_diagnoses=bool(files.diagnoses),
        )
        payment.find_earlier(connection, paid, candidates.patient_sql(beside.first, unneeded), beside.joins)
        if with_uses:
            care_group = payment.meaning_sql(beside.first("care_type"), care, "VARCHAR")
            uses.gather_uses(connection, beside, care_group, not_paid, unneeded, spilled_uses)
        on_file.gather_relations(connection, beside, asks, unneeded)
        no_pharmacy = PHARMACY not in care.values()
        of_persons = frozenset({"care_group", "family_paid"}) if no_pharmacy else frozenset[str]()

        def of(shape: Shape | None, lines: str = "staged_line") -> tuple[str, frozenset[str]]:
            """SQL of the candidates of a shape among staged lines, or of all with no more than what all shapes read, and the columns that are absent."""
            is_terms, is_evidence = shape is TERMS, shape is EVIDENCE
            own = candidates.only_for(shape, absent) | (of_persons - {"care_group"} if is_terms else of_persons)
            sql = candidates.candidates_sql(
                headers,
                own,
                as_of=self.as_of,
                region=self.request.region,
                not_paid=not_paid,
                unneeded=unneeded,
                care=care,
                payment=paid if is_terms or is_evidence else None,
                since_known=is_evidence and asks.patients,
                rules=self.plan.numbers_of(shape.id) if shape else None,
                lines=lines,
            )
            return sql, own

        candidate, _ = of(None)
        untold = self._judge(of, absent & {"person_number", "own_code"} | unneeded, contested=contested)
        not_judged = (*not_judged, *count_untold(connection, self.plan, self.fired, untold))
        unknown, told_care = count_unknown(connection, self.plan, self.fired, self.provincial)
        other_care = count_unknown_care(connection, files.all_sources, self.provincial, told_care)
        census = replace(census, unreadable=census.unreadable + other_care)
        not_in_force = candidates.count_not_in_force(
            connection, as_of=self.as_of, regional=candidate if contested else None
        )
        not_in_scope = candidates.count_not_in_scope(
            connection, fund_only, not_paid, as_of=self.as_of, regional=candidate if contested else None
        )
        self.tell.step("write", connection)
        relations.name_origins(connection, files)
        if not needs_diagnoses:
            diagnoses.gather_diagnoses(connection, files, "fired_line", diagnosis_file)
        diagnoses.name_diagnoses(connection)
        newborns.find_neonatal(connection, self.plan.shadow_numbers, settlement=headers.settlement, visit=headers.visit)
        edge = cite(connection, self.loaded.notices, "FROM fired_line", self.request.language)
        self._name_repaired(unneeded)
        handover, found = self._handover(second, beside, absent, unneeded), Found()
        if handover:
            found = handover.gather(Judged(self.plan, of, refund_settlements))
        else:
            relations.gather_told(connection, files, LOCAL_COLUMNS)
        label_persons(connection, key=self.request.person_key, any_number="person_number" not in absent)
        name_lines(connection)
        fired = frozenset(
            number for (number,) in connection.execute("SELECT DISTINCT rule_no FROM fired_line").fetchall()
        )
        on_trial = fired & set(self.plan.shadow_numbers)
        stage = "after" if self.request.stage == "audit" else "before"
        writer = FindingsWriter(
            connection, self.plan, self.loaded.version, stage, self.request.language, handover is not None, self.out.work.absolute()
        )  # fmt: skip
        writer.write(self.findings, fired - on_trial, on_trial, edge)
        shadow = NOTHING
        if self.plan.shadow_numbers:
            if on_trial:
                writer.write(self.out.result.absolute() / SHADOW_FILE, on_trial, fired - on_trial, edge)
            else:
                writer.write_none(self.out.result.absolute() / SHADOW_FILE, self.findings)
            shadow = self._count_shadow(candidate, not_in_force, contested=contested)
        relations.write_rejects(
            connection, files, self.out.result / "rejects.parquet", refund_settlements=refund_settlements
        )
        if handover:
            handover.write(self.out.result.absolute(), self.findings, clusters=found.clusters)
        summary = summarise(connection, self.findings)
        if self.request.partition_by:
            write_parts(connection, self.findings, self.request.partition_by)
        if self.request.csv:
            write_csv(connection, self.findings, self.out.result.absolute() / "findings.csv")
        incomplete = (
            *completeness.find_gaps(files, counts, self.request.max_rejects),
            *completeness.find_changes(files),
        )
        silent, unpaid = self._by_rule(not_in_force), self._by_rule(not_in_scope)
        result = ScanResult(
            self.request.out, summary, census, netted, silent, unpaid, shadow, not_judged, unknown, incomplete, lost, {}
        )
        seconds = time.monotonic() - started
        told = crosswalk_document(self.crosswalk, crosswalk_in_use(connection))
        told_further = handover.document(self.findings, found) if handover else {}
        run = record(self.request, files, counts, self.loaded, self.provincial, result, seconds)
        return replace(result, run=run | told | told_further)

    def _handover(
        self, second: dict[int, bool], beside: candidates.Joined, absent: frozenset[str], unneeded: frozenset[str]
    ) -> Handover | None:
        """The steps that make what is handed on besides findings, where that is asked for."""
        if self.request.hash_key is None:
            return None
        return Handover(
            self.connection, self.files, second, beside, self.plan, self.provincial, absent, unneeded, self.request.hash_key,
            self.request.language, self.out.work.absolute(),
        )  # fmt: skip

    def _by_rule(self, counts: Mapping[int, int]) -> dict[str, int]:
        """Counts by rule number as counts by rule, without what is on trial."""
        rules = enumerate(self.plan.rules)
        return {rule.id: counts[number] for number, rule in rules if number in counts and not rule.shadow}

    def _fund_only(self) -> list[int]:
        """The numbers of the rules that concern only what the fund pays and have points for the input, where some column tells what it pays."""
        if not scope.tell_scope(self.files.lines):
            return []
        return sorted(self._asked & set(self.plan.fund_only_numbers))

    def _name_repaired(self, unneeded: frozenset[str]) -> None:
        """Make `repaired_line` (line_no) of the lines whose codes got their zeros back."""
        lines = "SELECT line_no FROM staged_line WHERE code_repaired"
        nothing = "SELECT 0::BIGINT AS line_no WHERE FALSE"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE repaired_line AS {nothing if 'code_repaired' in unneeded else lines}"
        )

    @property
    def plan(self) -> Plan:
        """The plan whose rule numbers the points carry."""
        return self.loaded.plan

    @property
    def fired(self) -> Path:
        return self.out.work.absolute() / "fired.parquet"

    @property
    def findings(self) -> Path:
        return self.out.result.absolute() / "findings.parquet"

    @property
    def as_of(self) -> str | None:
        return self.request.as_of.isoformat() if self.request.as_of else None

    def _judge(
        self, of: Callable[[Shape], tuple[str, frozenset[str]]], unneeded: frozenset[str], *, contested: bool
    ) -> Untold:
        """Make the view `fired_line`: the candidates whose clause is not FALSE. `of` gives those of a shape, and what they lack.

        Returns the reasons why lines of it are not judged, and what no input has; these are left out of the view.
        """
        kept = [name for name in FIRED_COLUMNS if name not in unneeded]
        parts: list[str] = []
        untold: dict[str, dict[str, str]] = {}
        for shape in self._shapes:
            lines, absent = of(shape)
            told_by = {fact.line for fact in shape.facts.values()} | set(shape.line_columns)
            own = [name for name in WRITTEN if name in told_by and name not in absent]
            unknown = candidates.untold(self.files, shape, care_tells_online=self.provincial.care_tells_online)
            lacking = {shape.facts[fact].missing: shape.facts[fact].key for fact in unknown} | {**shape.not_judged}
            untold |= {shape.id: lacking} if lacking else {}
            absent |= {told_name(fact) for fact in unknown}
            parts_asked = candidates.find_parts(self.connection, shape)
            fired = fired_sql(self.plan, shape, lines, contested=contested, absent=absent, parts=parts_asked)
            if "own_code" not in unneeded or shape.each_point:
                fired = candidates.one_finding(fired)
            parts.append(f"SELECT {', '.join((*kept, *own))} FROM ({fired})")
        self.connection.execute(
            f"COPY ({' UNION ALL BY NAME '.join(parts)}) TO {sqltext.text(str(self.fired))} {SCRATCH}"
        )
        nothing = "".join(f", CAST(NULL AS VARCHAR) AS {name}" for name in FIRED_COLUMNS if name in unneeded)
        # Where lines are read plainly their names pass as they stand.
        names = f" REPLACE ({clean_text('item_name')} AS item_name)" if unneeded >= CAREFUL else ""
        told = f" WHERE NOT ({untold_sql(self.plan, untold)})" if untold else ""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW fired_line AS SELECT *{names}{nothing} FROM {sqltext.parquet(self.fired)}{told}"
        )
        return untold

    @property
    def _asked(self) -> set[int]:
        """The numbers of the rules that have points for some code of the input."""
        found = self.connection.execute("SELECT DISTINCT rule_no FROM hot JOIN point USING (point_no)").fetchall()
        return {int(number) for (number,) in found}

    @property
    def _shapes(self) -> list[Shape]:
        """The shapes of the rules that have points for some code of the input; the first of all where there is none."""
        used = {self.plan.rules[number].shape for number in self._asked}
        return [shape for shape in SHAPES if shape.id in used] or [SHAPES[0]]

    def _count_shadow(self, candidates: str, not_in_force: Mapping[int, int], *, contested: bool) -> Shadow:
        silent = sum(not_in_force.get(number, 0) for number in self.plan.shadow_numbers)
        if self._asked.isdisjoint(self.plan.shadow_numbers):
            return replace(NOTHING, on_trial=count_on_trial(self.connection, self.plan), not_in_force=silent)
        target = self.out.result.absolute() / SHADOW_FILE
        return count_shadow(self.connection, self.plan, candidates, target, contested=contested, not_in_force=silent)
