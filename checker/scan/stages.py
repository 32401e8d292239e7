"""A scan in its stages, in the order of a row's journey: lines are read, selected, settled, judged, and what was found is written.

Each stage leaves its rows in the engine and tells the next what it found out about them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH
from checker.ingest import completeness, relations, reuploads, reversals, scope, usual
from checker.ingest.completeness import FileCount
from checker.ingest.gather import Gathered
from checker.ingest.headers import collapse_headers
from checker.ingest.identity import name_lines, number_lines
from checker.ingest.line_sql import CAREFUL, LOCAL_COLUMNS
from checker.ingest.lost_keys import count_lost, count_lost_of_headers
from checker.ingest.netting import Netted, net_lines
from checker.ingest.parts import Parts
from checker.ingest.provincial import PHARMACY, PRESCRIBER_LEVEL, Provincial
from checker.ingest.relations import Census
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.unreadable import Unreadable, count_unknown_care
from checker.ingest.value_sql import clean_text
from checker.judge import beside as beside_lines
from checker.judge import candidates, diagnoses, fellows, newborns, on_file, payment, uses
from checker.judge.compile import fired_sql
from checker.judge.evidence import cite
from checker.judge.named_pieces import find_named_pieces
from checker.judge.points import Loaded
from checker.judge.unknown_value import UnknownValue
from checker.knowledge.crosswalk_use import crosswalk_in_use
from checker.model import sqltext
from checker.model.out_folder import OutFolder
from checker.rulebook.plan import Plan
from checker.scan.findings_csv import write_csv
from checker.scan.findings_file import FindingsWriter
from checker.scan.handover.conflicts import Candidates, Judged
from checker.scan.handover.counted import unneeded_of_counts
from checker.scan.handover.handover import Found, Handover
from checker.scan.not_judged import NotJudged, Untold, count_not_judged, count_untold, untold_sql
from checker.scan.partitions import write_parts
from checker.scan.person_labels import label_persons
from checker.scan.progress import Progress
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.run_record import crosswalk_document, record
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
"""So many restricted lines are held as they lie, and what is said of them is worked out once they stand together."""
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


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: the files as they are scanned, and their lines counted by kind; `second` as in relations.take_census.

    contested: some line may meet two points of one rule. not_judged: what no rule looks at for want of a column.
    """

    files: Gathered
    census: Census
    second: dict[int, bool]
    refund_settlements: RefundSettlements
    counts: tuple[FileCount, ...]
    not_judged: tuple[NotJudged, ...]
    contested: bool


@dataclass(frozen=True, slots=True)
class _Selected:
    """Of `staged_line`, the lines that take part: what is asked of them (`asks`, `facts`), and the columns that nothing needs or no source fills.

    `beside`, `fellows`, `uses` say whether some stand beside judged ones, in prescriptions, or count towards others; the last lie in `spilled_uses`
    where they are too many to be held.
    """

    asks: on_file.Asked
    facts: frozenset[str]
    unneeded: frozenset[str]
    beside: bool
    fellows: bool
    uses: bool
    spilled_uses: Path | None
    history: bool


@dataclass(frozen=True, slots=True)
class _Settled:
    """What lines stand under, and what became of them among each other; `lost`: what keys have lost."""

    headers: candidates.Headers
    netted: Netted
    lost: tuple[Unreadable, ...]


@dataclass(frozen=True, slots=True)
class _Judgment:
    """How lines were judged, and what came of it besides `fired_line`; `of` gives the candidates of a shape and the columns that these lack, `candidate`
    those of all shapes with what all read."""

    beside: candidates.Joined
    absent: frozenset[str]
    of: Candidates
    candidate: str
    not_judged: tuple[NotJudged, ...]
    unknown: tuple[UnknownValue, ...]
    unreadable: tuple[Unreadable, ...]
    not_in_force: Mapping[int, int]
    not_in_scope: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Stages:
    """One scan on one connection."""

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
        """Take the lines through all stages; `started` is when the scan began, on the monotonic clock."""
        read = self._read()
        selected = self._select(read)
        settled = self._settle(read, selected)
        judgment = self._judge(read, selected, settled)
        return self._write(read, selected, settled, judgment, started)

    def _read(self) -> _Read:
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
        return _Read(files, census, second, refund_settlements, counts, not_judged, contested)

    def _select(self, read: _Read) -> _Selected:
        connection, files, second, refund_settlements = self.connection, read.files, read.second, read.refund_settlements  # fmt: skip
        self.tell.step("select", connection)
        with_uses = beside_lines.find_use_codes(connection)
        with_beside = beside_lines.find_staged(connection, with_uses=with_uses)
        lines = relations.count_lines_of(connection, "staged_raw")
        in_memory = lines <= LINES_IN_MEMORY
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
                target=self.work / "fellows.parquet",
            )  # fmt: skip
        on_file.select_patients(
            connection, files, second, asks, refund_settlements=refund_settlements, unneeded=unneeded, spilled=staged, work=self.work
        )  # fmt: skip
        return _Selected(
            asks, facts, unneeded, beside=with_beside, fellows=with_fellows, uses=with_uses,
            spilled_uses=None if in_memory else self.work / "use.parquet", history=payment.asks_history(connection, facts),
        )  # fmt: skip

    def _settle(self, read: _Read, selected: _Selected) -> _Settled:
        connection, files, unneeded = self.connection, read.files, selected.unneeded
        self.tell.step("persons", connection)
        lost = () if unneeded >= CAREFUL else count_lost(connection, files.lines, "staged_line")
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
            any_refund=read.census.skipped["refund"] > 0
            or (selected.beside and beside_lines.are_taken_back(connection)),
            uploads=reuploads.of_uploads(files.lines),
            any_reversal=reversals.find_reversed(connection, files),
            headers_name_originals="original_settlement_id" in headers.settlement,
            shadow_rules=self.plan.shadow_numbers,
            any_number=any(source.map.has("patient_id_number") for source in files.lines),
        )
        return _Settled(headers, netted, lost)

    def _judge(self, read: _Read, selected: _Selected, settled: _Settled) -> _Judgment:
        connection, files, headers = self.connection, read.files, settled.headers
        asks, facts, unneeded, contested = selected.asks, selected.facts, selected.unneeded, read.contested
        self.tell.step("judge", connection)
        if selected.fellows:
            fellows.gather_fellows(connection, as_of=self.as_of)
        absent = candidates.absent_columns(
            files, headers, unneeded, regional=contested, mapped=candidates.are_mapped(connection)
        )
        fund_only, not_paid = self._fund_only(files), candidates.not_paid_sql(connection)
        if not fund_only:
            absent |= {"not_in_scope"}
        beside = candidates.joined_headers(headers)
        views = {"settlement_header": headers.settlement, "visit_header": headers.visit}
        has_care = "care_type" not in absent
        care = payment.find_care(connection, self.provincial, views) if has_care else {}
        # What some judgment asks for is read now, for all that comes later as well; else only what findings tell.
        if self._needs_diagnoses(selected):
            diagnoses.gather_diagnoses(
                connection,
                files,
                "staged_line",
                self.diagnosis_file,
                of_headers=asks.diagnoses,
                of_history=asks.history,
            )
        paid = payment.find_payment(
            connection, self.provincial, facts, views, care, has_history=selected.history, has_diagnoses=bool(files.diagnoses)
        )  # fmt: skip
        payment.find_earlier(connection, paid, candidates.patient_sql(beside.first, unneeded), beside.joins)
        if selected.uses:
            care_group = payment.meaning_sql(beside.first("care_type"), care, "VARCHAR")
            uses.gather_uses(connection, beside, care_group, not_paid, unneeded, selected.spilled_uses)
        on_file.gather_relations(connection, beside, asks, unneeded)
        no_pharmacy = PHARMACY not in care.values()
        of_persons = frozenset({"care_group", "family_paid"}) if no_pharmacy else frozenset[str]()

        def of(shape: Shape | None, lines: str = "staged_line") -> tuple[str, frozenset[str]]:
            """SQL of the candidates of a shape among staged lines, or of all with no more than what all shapes read, and the columns that are absent."""
            is_terms, is_evidence = shape is TERMS, shape is EVIDENCE
            own = candidates.only_for(shape, absent) | (of_persons - {"care_group"} if is_terms else of_persons)
            sql = candidates.candidates_sql(
                headers, own, as_of=self.as_of, region=self.request.region, not_paid=not_paid, unneeded=unneeded, care=care,
                payment=paid if is_terms or is_evidence else None, since_known=is_evidence and asks.patients,
                rules=self.plan.numbers_of(shape.id) if shape else None, lines=lines,
            )  # fmt: skip
            return sql, own

        candidate, _ = of(None)
        untold = self._fire(of, files, absent & {"person_number", "own_code"} | unneeded, contested=contested)
        unknown, told_care = count_unknown(connection, self.plan, self.fired, self.provincial)
        regional = candidate if contested else None
        return _Judgment(
            beside, absent, of, candidate,
            not_judged=count_untold(connection, self.plan, self.fired, untold),
            unknown=unknown,
            unreadable=count_unknown_care(connection, files.all_sources, self.provincial, told_care),
            not_in_force=candidates.count_not_in_force(connection, as_of=self.as_of, regional=regional),
            not_in_scope=candidates.count_not_in_scope(connection, fund_only, not_paid, as_of=self.as_of, regional=regional),
        )  # fmt: skip

    def _write(
        self, read: _Read, selected: _Selected, settled: _Settled, judgment: _Judgment, started: float
    ) -> ScanResult:
        connection, files, result = self.connection, read.files, self.out.result.absolute()
        self.tell.step("write", connection)
        handover, found = self._tell_cases(read, selected, settled, judgment)
        shadow = self._write_findings(judgment, with_handover=handover is not None, contested=read.contested)
        relations.write_rejects(
            connection, files, self.out.result / "rejects.parquet", refund_settlements=read.refund_settlements
        )
        if handover:
            handover.write(result, self.findings, clusters=found.clusters)
        summary = summarise(connection, self.findings)
        if self.request.partition_by:
            write_parts(connection, self.findings, self.request.partition_by)
        if self.request.csv:
            write_csv(connection, self.findings, result / "findings.csv")
        incomplete = (
            *completeness.find_gaps(files, read.counts, self.request.max_rejects),
            *completeness.find_changes(files),
        )
        scanned = ScanResult(
            self.request.out, summary, replace(read.census, unreadable=read.census.unreadable + judgment.unreadable), settled.netted,
            self._by_rule(judgment.not_in_force), self._by_rule(judgment.not_in_scope), shadow, (*read.not_judged, *judgment.not_judged),
            judgment.unknown, incomplete, settled.lost, {},
        )  # fmt: skip
        run = record(
            self.request, files, read.counts, self.loaded, self.provincial, scanned, time.monotonic() - started
        )
        told = crosswalk_document(self.crosswalk, crosswalk_in_use(connection))
        told_further = handover.document(self.findings, found) if handover else {}
        return replace(scanned, run=run | told | told_further)

    def _tell_cases(
        self, read: _Read, selected: _Selected, settled: _Settled, judgment: _Judgment
    ) -> tuple[Handover | None, Found]:
        """Work out what findings tell besides the verdict, and where that is asked for what is handed on besides findings."""
        connection, files, headers = self.connection, read.files, settled.headers
        relations.name_origins(connection, files)
        if not self._needs_diagnoses(selected):
            diagnoses.gather_diagnoses(connection, files, "fired_line", self.diagnosis_file)
        diagnoses.name_diagnoses(connection)
        newborns.find_neonatal(connection, self.plan.shadow_numbers, settlement=headers.settlement, visit=headers.visit)
        self._name_repaired(selected.unneeded)
        handover, found = None, Found()
        if self.request.hash_key is None:
            relations.gather_told(connection, files, LOCAL_COLUMNS)
        else:
            handover = Handover(
                connection, files, read.second, judgment.beside, self.plan, self.provincial, judgment.absent, selected.unneeded,
                self.request.hash_key, self.request.language, self.work,
            )  # fmt: skip
            found = handover.gather(Judged(self.plan, judgment.of, read.refund_settlements))
        label_persons(connection, key=self.request.person_key, any_number="person_number" not in judgment.absent)
        name_lines(connection)
        return handover, found

    def _write_findings(self, judgment: _Judgment, *, with_handover: bool, contested: bool) -> Shadow:
        """Write the findings, and those of the rules on trial apart, of which is told what came of them."""
        connection, stage = self.connection, "after" if self.request.stage == "audit" else "before"
        edge = cite(connection, self.loaded.notices, "FROM fired_line", self.request.language)
        fired = frozenset(
            number for (number,) in connection.execute("SELECT DISTINCT rule_no FROM fired_line").fetchall()
        )
        on_trial = fired & set(self.plan.shadow_numbers)
        writer = FindingsWriter(
            connection, self.plan, self.loaded.version, stage, self.request.language, with_handover, self.work
        )  # fmt: skip
        writer.write(self.findings, fired - on_trial, on_trial, edge)
        if not self.plan.shadow_numbers:
            return NOTHING
        target = self.out.result.absolute() / SHADOW_FILE
        if on_trial:
            writer.write(target, on_trial, fired - on_trial, edge)
        else:
            writer.write_none(target, self.findings)
        return self._count_shadow(judgment.candidate, judgment.not_in_force, contested=contested)

    def _needs_diagnoses(self, selected: _Selected) -> bool:
        """Whether some judgment asks for diagnoses."""
        return selected.asks.diagnoses or "maternity" in selected.facts

    def _by_rule(self, counts: Mapping[int, int]) -> dict[str, int]:
        """Counts by rule number as counts by rule, without what is on trial."""
        rules = enumerate(self.plan.rules)
        return {rule.id: counts[number] for number, rule in rules if number in counts and not rule.shadow}

    def _fund_only(self, files: Gathered) -> list[int]:
        """The numbers of the rules that concern only what the fund pays and have points for the input, where some column tells what it pays."""
        if not scope.tell_scope(files.lines):
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
    def work(self) -> Path:
        """Where what stages hand to each other lies."""
        return self.out.work.absolute()

    @property
    def fired(self) -> Path:
        return self.work / "fired.parquet"

    @property
    def diagnosis_file(self) -> Path:
        return self.work / "diagnosis.parquet"

    @property
    def findings(self) -> Path:
        return self.out.result.absolute() / "findings.parquet"

    @property
    def as_of(self) -> str | None:
        return self.request.as_of.isoformat() if self.request.as_of else None

    def _fire(self, of: Candidates, files: Gathered, unneeded: frozenset[str], *, contested: bool) -> Untold:
        """Make the view `fired_line`: the candidates whose clause is not FALSE. `of` gives those of a shape, and what they lack.

        Returns the reasons why lines of it are not judged, and what no input has; these are left out of the view.
        """
        kept = [name for name in FIRED_COLUMNS if name not in unneeded]
        parts: list[str] = []
        untold: dict[str, dict[str, str]] = {}
        asked = candidates.find_parts(self.connection)
        for shape in self._shapes:
            lines, absent = of(shape, "staged_line")
            told_by = {fact.line for fact in shape.facts.values()} | set(shape.line_columns)
            own = [name for name in WRITTEN if name in told_by and name not in absent]
            unknown = candidates.untold(files, shape, care_tells_online=self.provincial.care_tells_online)
            lacking = {shape.facts[fact].missing: shape.facts[fact].key for fact in unknown} | {**shape.not_judged}
            untold |= {shape.id: lacking} if lacking else {}
            absent |= {told_name(fact) for fact in unknown}
            fired = fired_sql(self.plan, shape, lines, contested=contested, absent=absent, parts=asked)
            if "own_code" not in unneeded or shape.each_point:
                fired = candidates.one_finding(fired)
            parts.append(f"SELECT {', '.join((*kept, *own))} FROM ({fired})")
        self.connection.execute(
            f"COPY ({' UNION ALL BY NAME '.join(parts)}) TO {sqltext.text(str(self.fired))} {SCRATCH}"
        )
        left_out = dict.fromkeys((name for name in FIRED_COLUMNS if name in unneeded), "VARCHAR")
        nothing = f", {sqltext.nulls(left_out)}" if left_out else ""
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
