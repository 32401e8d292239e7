"""What becomes of the cases of rules in scans of the real engine: their findings, or why there is none."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from checker.knowledge.build import write_tables
from checker.knowledge.edition_text import EditionText
from checker.knowledge.rows import ExemptionItemRow, PatternRow
from checker.knowledge.source import Sources
from checker.model import sqltext
from checker.model.errors import InputError, InternalError, KnowledgeError, both
from checker.model.schema import LINE, PERSON_COLUMNS
from checker.proof.case_rows import IN_FORCE_FROM, CaseRows
from checker.rulebook.plan import Plan, plan_of
from checker.rulebook.rule import STAGES, Expect, Rulebook
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan
from checker.shapes import BY_ID

_EDITION = EditionText("用例", "cases", IN_FORCE_FROM, IN_FORCE_FROM, ())
_LINE_ID = [*LINE].index("line_id")
_FINDINGS = """SELECT line_id, item_code, rule_id, verdict, level, reason_code, exemption_id, expected, actual, remarks
    FROM read_parquet(?)"""


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """What the engine wrote of one case."""

    rule_id: str
    verdict: str
    level: str | None
    reason_code: str | None
    exemption_id: str | None
    expected: str | None
    actual: str | None
    remarks: tuple[str, ...]


_ALWAYS = frozenset({"service_time", PERSON_COLUMNS[0]})
"""The columns without which a scan refuses its input; of the others those are left out that no case names: planning them takes most of the time."""
_SILENT = "/silent"
"""Ends the id of the twin of a rule that judges those of its cases that shall not be in force; no id of a rule has such a mark."""

Fate = tuple[CaseFinding, ...] | str
"""The findings of a case, or why there is none: clean, not_in_force, or not_judged with the reason."""


class Bench:
    """Scans cases over one knowledge base until the fate of each is known."""

    def __init__(self, rulebook: Rulebook, work: Path) -> None:
        # A clause is proven whatever the status and the stages of its rule.
        rules = [replace(rule, stages=STAGES, shadow=False, deprecated=False) for rule in plan_of(rulebook).rules]
        # A scan counts by rule what is not in force: twins tell the silent lines that shall not be from the others.
        twins = [replace(rule, id=f"{rule.id}{_SILENT}") for rule in rules]
        self._plan = Plan((*rules, *twins), rulebook.hash)
        self._work = work
        self._scans = 0

    def judge(self, cases: Sequence[CaseRows]) -> dict[str, Fate]:
        """Return the fate of each case by its code."""
        self._write_knowledge(cases)
        # What no input has is not judged: such cases have no columns but their own.
        apart: dict[tuple[int, ...], list[CaseRows]] = {}
        for case in cases:
            alone = case.case.expect == "not_judged"
            apart.setdefault(_filled([case]) if alone else (), []).append(case)
        together = _filled(apart.get((), []))
        fates: dict[str, Fate] = {}
        for columns, some in apart.items():
            fates |= self._fates(some, columns or together)
        return fates

    def _fates(self, cases: Sequence[CaseRows], columns: Collection[int]) -> Iterator[tuple[str, Fate]]:
        """Scan the cases; where the counts do not tell which silent line is which, scan those in parts."""
        if not cases:
            return
        try:
            result, findings = self._scan(cases, columns)
        except KnowledgeError:
            raise
        except InputError as error:  # none of the lines can be judged
            if len(cases) == 1:
                yield cases[0].code, f"not_judged: {str(error).partition('：')[2] or error}"
            else:
                yield from self._parts(cases, columns)
            return
        yield from findings.items()
        silent: dict[str, list[CaseRows]] = {}
        for case in cases:
            if case.code not in findings:
                silent.setdefault(_rule_of(case), []).append(case)
        # Of the other lines of prescriptions some may be of the history, self-paid or refunds.
        judged = result.census.read - result.census.judged <= sum(len(case.others) for case in cases)
        unclear = []
        for rule_id, alike in silent.items():
            not_in_force = result.not_in_force.get(rule_id, 0)
            not_judged = sum(each.lines for each in result.not_judged if each.rule_id == rule_id)
            if judged and {not_in_force, not_judged} <= {0, len(alike)}:
                fate = "not_in_force" if not_in_force else "not_judged" if not_judged else "clean"
                yield from ((case.code, fate) for case in alike)
            elif len(cases) == 1:
                counts = f"{result.run['lines']}, {not_in_force} not in force"
                raise InternalError(
                    both(
                        f"一行明细的扫描，计数对不上：{counts}",
                        f"the counts of a scan of one line do not add up: {counts}",
                    )
                )
            else:
                unclear += alike
        if unclear:
            yield from self._parts(unclear, columns)

    def _parts(self, cases: Sequence[CaseRows], columns: Collection[int]) -> Iterator[tuple[str, Fate]]:
        """Scan those that expect a finding apart from the others; where all expect alike, scan either half."""
        first = [case for case in cases if isinstance(case.case.expect, Expect)]
        if len(first) in (0, len(cases)):
            first = list(cases[: len(cases) // 2])
        apart = {case.code for case in first}
        yield from self._fates(first, columns)
        yield from self._fates([case for case in cases if case.code not in apart], columns)

    def _scan(
        self, cases: Sequence[CaseRows], columns: Collection[int]
    ) -> tuple[ScanResult, dict[str, tuple[CaseFinding, ...]]]:
        self._scans += 1
        lines, out = self._work / f"lines{self._scans}.csv", self._work / f"out{self._scans}"
        told = [cells for case in cases for cells in (case.cells, *case.others)]
        kept = [place for place, name in enumerate(LINE) if name in _ALWAYS or place in columns]
        with lines.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([[*LINE][place] for place in kept])
            writer.writerows([cells[place] for place in kept] for cells in told)
        result = scan(ScanRequest([lines], out, kb=[self._knowledge]), plan=self._plan)
        with duckdb.connect() as connection:
            rows = connection.execute(_FINDINGS, [sqltext.one_path(out / "findings.parquet")]).fetchall()
        findings: dict[str, tuple[CaseFinding, ...]] = {}
        beside = {cells[_LINE_ID] for case in cases if BY_ID[case.rule.shape].together for cells in case.others}
        for line_id, code, rule_id, verdict, level, reason, exemption, expected, actual, remarks in rows:
            if line_id in beside:
                # What counts together is each judged by itself: a case is about its own line.
                continue
            own = exemption and exemption.removeprefix(f"{code}-")
            finding = CaseFinding(
                rule_id.removesuffix(_SILENT), verdict, level, reason, own, expected, actual, tuple(remarks)
            )
            findings[code] = (*findings.get(code, ()), finding)
        return result, findings

    @property
    def _knowledge(self) -> Path:
        return self._work / "knowledge"

    def _write_knowledge(self, cases: Sequence[CaseRows]) -> None:
        exemptions = [
            (replace(case.exemption, rule_id=_rule_of(case)), case.code) for case in cases if case.exemption is not None
        ]
        self._knowledge.mkdir()
        sources = Sources.of(
            edition=_EDITION,
            points=tuple(replace(case.point, rule_id=_rule_of(case)) for case in cases),
            patterns=tuple(
                PatternRow(case.point.point_id, role, "code", code, 1)
                for case in cases
                for role, code in dict.fromkeys((("item", case.code), *case.roles))
            ),
            exemptions=tuple(row for row, _ in exemptions),
            exemption_items=tuple(ExemptionItemRow(row.exemption_id, "code", code) for row, code in exemptions),
        )
        write_tables(sources, self._knowledge)


def _filled(cases: Sequence[CaseRows]) -> tuple[int, ...]:
    """The places in LINE of the columns that some line of the cases names, be it to leave it empty."""
    named = (
        {"line_id", "item_code", "diagnosis_code"}
        if any(case.case.diagnoses for case in cases)
        else {"line_id", "item_code"}
    )
    for case in cases:
        named.update(
            name for name, _ in (*case.case.line, *(cell for other in case.case.others for cell in other.line))
        )
    return tuple(place for place, name in enumerate(LINE) if name in named)


def _rule_of(case: CaseRows) -> str:
    """The id of the rule or of the twin that judges a case."""
    return case.rule.id + (_SILENT if case.case.expect == "not_in_force" else "")
