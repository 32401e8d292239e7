"""Puts rules to the proof on the real engine: their SELECT is explained, their hand-written cases go through a scan."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from checker.audit import ScanRequest, ScanResult, scan
from checker.clause import check_types
from checker.compile import EXEMPTION_TYPE, LINE_COLUMNS, POINT_COLUMNS, finding_sql, fired_sql
from checker.errors import InputError, InternalError, KnowledgeError, RuleError
from checker.ingest.sources import first_line
from checker.knowledge import words
from checker.knowledge.build import write_tables
from checker.knowledge.cells import Cells, Faults, check_place_and_time
from checker.knowledge.edition_text import EditionText
from checker.knowledge.frames import rows_of, schema_of
from checker.knowledge.point_text import POINT_CELLS, typed_points
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow, PatternRow, PointRow
from checker.knowledge.source import Sources
from checker.knowledge.text_table import TextTable, check_cells
from checker.plan import plan_of
from checker.rulebook import EXEMPTION_COLUMNS, Case, Expect, Rule, Rulebook
from checker.rules.fill import blanks
from checker.schema import LINE
from checker.shadow import SHADOW_FILE

IN_FORCE_FROM = "2025-05-23"
"""From when the point and the exemption of a case are in force, where the case says nothing else."""

_POINT = {
    "point_id": "P",
    "item_name": "用例",
    "valid_from": IN_FORCE_FROM,
    "document": "用例",
    "batch": "用例",
    "published_codes": "1",
    "source_rows": "用例",
}
_EXEMPTION = {
    "exemption_id": "E",
    "effect": "exempt",
    "reason": "用例",
    "reason_en": "case",
    "evidence": "用例",
    "status": "proposed",
    "valid_from": IN_FORCE_FROM,
}
_EDITION = EditionText("用例", "cases", IN_FORCE_FROM, IN_FORCE_FROM, ())
_COMPARED = ("verdict", "level", "reason_code", "exemption_id", "expected", "actual")
_NOTHING = "none"
_AS_WEIGHED = f"""CAST([] AS {EXEMPTION_TYPE}) AS exemptions, CAST([] AS VARCHAR[]) AS diagnoses, FALSE AS duplicate,
    FALSE AS partly_refunded, gross_quantity AS quantity, gross_amount AS amount, gross_in_scope AS amount_in_scope"""
"""What a scan adds to the lines that fired before it puts them into words."""
_FINDINGS = """SELECT item_code, rule_id, verdict, level, reason_code, exemption_id, expected, actual, remarks
    FROM read_parquet(?)"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a finding that a case wants otherwise, with both values as text."""

    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case; `difference` is empty where it passed."""

    rule_id: str
    name: str
    passed: bool
    difference: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"{self.rule_id}::{self.name}: " + ("passed" if self.passed else "; ".join(map(str, self.difference)))


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of proving a rulebook: how many of its parts passed, and what is wrong with the others."""

    name: str
    passed: int
    total: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Trial:
    """One case as it goes to the engine, told from all others by an item code of its own."""

    rule: Rule
    case: Case
    code: str
    point: PointRow
    exemption: ExemptionRow | None
    cells: tuple[str, ...]

    @property
    def stage(self) -> str | None:
        """The stage of a scan at which the rule runs; None for a rule that runs only before."""
        return "audit" if "after" in self.rule.stages else "settle" if "during" in self.rule.stages else None


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the engine wrote of one case."""

    rule_id: str
    verdict: str
    level: str | None
    reason_code: str | None
    exemption_id: str | None
    expected: str | None
    actual: str | None
    remarks: tuple[str, ...]


_Fate = tuple[_Finding, ...] | str
"""The findings of a case, or why there is none: clean, not_in_force, or not_judged with the reason."""


def run_cases(
    rules_folder: Path, rulebook: Rulebook, only: Collection[str] | None = None, *, embedded: bool = False
) -> list[CaseResult]:
    """Run the cases of the rules (`only` these ids) of a folder, in the order in which they are written.

    A case that its author has still to fill in fails without being run; its differences name the places.

    Raises RuleError with every cell of a case's point or exemption that no knowledge base could hold, and InternalError
    where the engine fails.
    """
    faults = Faults()
    rules = [rule for rule in rulebook.rules if only is None or rule.id in only]
    numbered = [(rule, number, case) for rule in rules for number, case in enumerate(rule.cases, 1)]
    codes = [f"XCASE{count:018d}" for count in range(len(numbered))]
    points = _points(codes, numbered, faults)
    trials = [_trial(*each, faults) for each in zip(codes, points, numbered, strict=True)]
    if faults.found:
        raise RuleError(faults.found, embedded=embedded)
    written = [trial for trial in trials if not any(blanks(trial.case))]
    with tempfile.TemporaryDirectory(prefix="liangku-cases-") as work:
        fates = _Bench(rules_folder, Path(work)).judge(written) if written else {}
    return [_result(trial, fates[trial.code]) if trial.code in fates else _unwritten(trial) for trial in trials]


def prove(rules_folder: Path, rulebook: Rulebook, *, embedded: bool = False) -> tuple[Stage, ...]:
    """Take a loaded rulebook through its stages: parse (done by loading), compile, explain, cases.

    The cases are run only where all that comes before has passed.
    """
    rules = rulebook.rules
    clauses = [(f"{rule.file}: {key}", clause) for rule in rules for key, clause in rule.clauses]
    badly_typed = []
    for place, clause in clauses:
        try:
            check_types([clause])
        except InternalError as error:
            badly_typed.append(f"{place}: {error}")
    unexplained = [f"{rule.file}: {fault}" for rule in rules if (fault := _explain(rule))]
    stages = [
        Stage("parse", len(rules), len(rules), ()),
        Stage("compile", len(clauses) - len(badly_typed), len(clauses), tuple(badly_typed)),
        Stage("explain", len(rules) - len(unexplained), len(rules), tuple(unexplained)),
    ]
    if badly_typed or unexplained:
        count = sum(len(rule.cases) for rule in rules)
        return (*stages, Stage("cases", 0, count, ("not run, because an earlier stage failed",)))
    results = run_cases(rules_folder, rulebook, embedded=embedded)
    failed = tuple(str(result) for result in results if not result.passed)
    return (*stages, Stage("cases", len(results) - len(failed), len(results), failed))


def _explain(rule: Rule) -> str | None:
    """What the engine says against the SELECT that the rule compiles to; None where it plans it."""
    plan = plan_of(Rulebook((rule,), rule.hash))
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in {**LINE_COLUMNS, **POINT_COLUMNS}.items())
    fired = fired_sql(plan, f"SELECT {columns} WHERE FALSE", contested=True)
    with duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1}) as connection:
        for language in ("zh", "en"):
            source = f"SELECT *, {_AS_WEIGHED} FROM ({fired})"
            finding = finding_sql(plan, source, stage="after", language=language, kb_version="")
            try:
                connection.execute(f"EXPLAIN {finding}")
            except duckdb.Error as error:
                return first_line(error)
    return None


_Numbered = tuple[Rule, int, Case]


def _points(codes: Sequence[str], numbered: Sequence[_Numbered], faults: Faults) -> Sequence[PointRow]:
    """The points of the cases, told from all others by the item code of their case."""
    cells: dict[str, list[str]] = {name: [] for name in schema_of(PointRow)}
    for code, (rule, _, case) in zip(codes, numbered, strict=True):
        given = {name: str(value) for name, value in case.point} | {"rule_id": rule.id}
        texts = {**dict.fromkeys(cells, ""), **_POINT, **given}
        for name, value in texts.items():
            cells[name].append(f"{code}-{value}" if name == "point_id" and value else value)

    def place(index: int) -> tuple[str, str]:
        rule, number, _ = numbered[index]
        return rule.file, f"case[{number}].point"

    table = TextTable(pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)), place)
    check_cells(table, POINT_CELLS, faults)
    # A faulty cell is NULL here; the faults stop the run before anybody reads it.
    return rows_of(typed_points(table), PointRow)


def _trial(code: str, point: PointRow, numbered: _Numbered, faults: Faults) -> _Trial:
    rule, number, case = numbered
    line = {"line_id": code, **dict(case.line), "item_code": code}
    line["diagnosis_code"] = ",".join(part for part in (line.get("diagnosis_code", ""), *case.diagnoses) if part)
    exemption = None
    if case.exemption is not None:
        given = dict(case.exemption)
        diagnoses = given.pop("diagnoses", ())
        texts = {
            **dict.fromkeys(EXEMPTION_COLUMNS, ""),
            **_EXEMPTION,
            **{name: str(value) for name, value in given.items()},
        }
        cells = Cells(rule.file, f"case[{number}].exemption", texts, faults)
        exemption = _exemption(cells, code, rule.id, tuple(diagnoses) or None)
    return _Trial(rule, case, code, point, exemption, tuple(line.get(column, "") for column in LINE))


def _exemption(cells: Cells, code: str, rule_id: str, diagnoses: tuple[str, ...] | None) -> ExemptionRow:
    row = ExemptionRow(
        exemption_id=f"{code}-{cells.text('exemption_id')}",
        rule_id=rule_id,
        effect=cells.choice("effect", words.EFFECTS),
        reason=cells.text("reason"),
        reason_en=cells.text("reason_en"),
        evidence=cells.text("evidence"),
        status=cells.choice("status", words.STATUSES),
        diagnoses=diagnoses,
        region=cells.optional("region"),
        region_of=cells.optional_choice("region_of", words.REGION_KINDS),
        valid_from=cells.day("valid_from"),
        valid_to=cells.optional_day("valid_to"),
    )
    check_place_and_time(cells, row.region, row.region_of, row.valid_from, row.valid_to)
    return row


class _Bench:
    """Scans trials over one knowledge base until the fate of each is known."""

    def __init__(self, rules_folder: Path, work: Path) -> None:
        self._rules_folder = rules_folder
        self._work = work
        self._scans = 0

    def judge(self, trials: Sequence[_Trial]) -> dict[str, _Fate]:
        """Return the fate of each trial by its code.

        Those that shall not be in force are scanned apart, so that the counts of a scan tell its silent lines from one
        another wherever the expectation holds.
        """
        self._write_knowledge(trials)
        fates: dict[str, _Fate] = {
            trial.code: "not_judged: the rule runs only before, and a case goes through a scan (during, after)"
            for trial in trials
            if trial.stage is None
        }
        for stage in ("audit", "settle"):
            at_stage = [trial for trial in trials if trial.stage == stage]
            for silent in (False, True):
                group = [trial for trial in at_stage if (trial.case.expect == "not_in_force") is silent]
                fates.update(self._fates(group, stage))
        return fates

    def _fates(self, trials: Sequence[_Trial], stage: str) -> Iterator[tuple[str, _Fate]]:
        """Scan the trials; where the counts do not tell which silent line is which, scan them in parts."""
        if not trials:
            return
        try:
            result, findings = self._scan(trials, stage)
        except (KnowledgeError, RuleError):
            raise
        except InputError as error:  # none of the lines can be judged
            if len(trials) == 1:
                yield trials[0].code, f"not_judged: {str(error).partition('：')[2] or error}"
            else:
                yield from self._parts(trials, stage)
            return
        yield from findings.items()
        silent = [trial for trial in trials if trial.code not in findings]
        judged = result.census.judged == result.census.read
        not_in_force = sum(result.not_in_force.values()) + result.shadow.not_in_force
        if judged and not_in_force in (0, len(silent)):
            fate = "not_in_force" if not_in_force else "clean"
            yield from ((trial.code, fate) for trial in silent)
        elif len(trials) == 1:
            counts = f"{result.run['lines']}, {not_in_force} not in force"
            raise InternalError(f"the counts of a scan of one line do not add up: {counts}")
        else:
            yield from self._parts(silent, stage)

    def _parts(self, trials: Sequence[_Trial], stage: str) -> Iterator[tuple[str, _Fate]]:
        """Scan those that expect a finding apart from the others; where all expect alike, scan either half."""
        first = [trial for trial in trials if isinstance(trial.case.expect, Expect)]
        if len(first) in (0, len(trials)):
            first = list(trials[: len(trials) // 2])
        apart = {trial.code for trial in first}
        yield from self._fates(first, stage)
        yield from self._fates([trial for trial in trials if trial.code not in apart], stage)

    def _scan(self, trials: Sequence[_Trial], stage: str) -> tuple[ScanResult, dict[str, tuple[_Finding, ...]]]:
        self._scans += 1
        lines, out = self._work / f"lines{self._scans}.csv", self._work / f"out{self._scans}"
        with lines.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(LINE)
            writer.writerows(trial.cells for trial in trials)
        result = scan(ScanRequest([lines], out, kb=[self._knowledge], rules=self._rules_folder, stage=stage))
        with duckdb.connect() as connection:
            # A rule on trial is proven like any other, only that its findings are listed apart.
            files = [str(out / name) for name in ("findings.parquet", SHADOW_FILE) if (out / name).is_file()]
            rows = connection.execute(_FINDINGS, [files]).fetchall()
        findings: dict[str, tuple[_Finding, ...]] = {}
        for code, rule_id, verdict, level, reason, exemption, expected, actual, remarks in rows:
            own = exemption and exemption.removeprefix(f"{code}-")
            finding = _Finding(rule_id, verdict, level, reason, own, expected, actual, tuple(remarks))
            findings[code] = (*findings.get(code, ()), finding)
        return result, findings

    @property
    def _knowledge(self) -> Path:
        return self._work / "knowledge"

    def _write_knowledge(self, trials: Sequence[_Trial]) -> None:
        exemptions = [(trial.exemption, trial.code) for trial in trials if trial.exemption is not None]
        self._knowledge.mkdir()
        sources = Sources.of(
            edition=_EDITION,
            points=tuple(trial.point for trial in trials),
            patterns=tuple(PatternRow(trial.point.point_id, "item", "code", trial.code, 1) for trial in trials),
            exemptions=tuple(row for row, _ in exemptions),
            exemption_items=tuple(ExemptionItemRow(row.exemption_id, "code", code) for row, code in exemptions),
        )
        write_tables(sources, self._knowledge)


def _result(trial: _Trial, fate: _Fate) -> CaseResult:
    difference = tuple(_differences(trial.rule.id, trial.case.expect, fate))
    return CaseResult(trial.rule.id, trial.case.name, not difference, difference)


def _unwritten(trial: _Trial) -> CaseResult:
    difference = tuple(Difference(place, "a value of yours", text) for place, text in blanks(trial.case))
    return CaseResult(trial.rule.id, trial.case.name, False, difference)


def _differences(rule_id: str, expect: Expect | str, fate: _Fate) -> Iterator[Difference]:
    if isinstance(fate, str) or isinstance(expect, str):
        expected = expect if isinstance(expect, str) else expect.verdict
        found = fate if isinstance(fate, str) else ", ".join(each.verdict for each in fate)
        if expected != found:
            yield Difference("verdict", expected, found)
        return
    if [each.rule_id for each in fate] != [rule_id]:
        yield Difference("findings", rule_id, ", ".join(each.rule_id for each in fate))
        return
    (finding,) = fate
    for field in _COMPARED:
        wanted, actual = getattr(expect, field), getattr(finding, field)
        if wanted is not None and wanted != actual:
            yield Difference(field, wanted, _NOTHING if actual is None else actual)
    if expect.remarks is not None and set(expect.remarks) != set(finding.remarks):
        yield Difference("remarks", _listed(expect.remarks), _listed(finding.remarks))


def _listed(remarks: Sequence[str]) -> str:
    return ", ".join(sorted(set(remarks))) or _NOTHING
