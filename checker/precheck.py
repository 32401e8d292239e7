"""The counter [事前提醒]: one prescription in, one answer out, by the same clauses as the scan, from a resident connection."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.engines.duckdb import connect_locked
from checker.knowledge.edition import Edition
from checker.knowledge.open import knowledge_files, open_editions, open_plan
from checker.knowledge.points import hash_of, load_points, version_of
from checker.plan import Plan
from checker.pointindex import Point, PointIndex, plain
from checker.prescription import Item, Prescription, read_prescription
from checker.schema import NATIONAL_CODE
from checker.statements import FACT_NAMES, Answer, Candidate, Statements
from checker.told import Teller

if TYPE_CHECKING:
    import duckdb

_NATIONAL = re.compile(NATIONAL_CODE)
_VERDICTS = ("clear", "undetermined", "violation")


class Question(NamedTuple):
    """One line and one point that covers it."""

    line: int
    item: Item
    point_no: int
    matched_by: str


class Precheck:
    """Rules and knowledge, loaded once; `check` answers one prescription after another.

    One thread at a time may ask it for an answer; `questions` and `without_questions` touch no connection and may run beside.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        editions: Sequence[Edition],
        plan: Plan,
        *,
        language: str,
        region: str | None,
        as_of: date | None,
    ) -> None:
        self.connection = connection
        # What is on trial is judged in scans only: here its items count as without points.
        self.plan = load_points(connection, editions, plan, shadow=False).plan
        self.version = version_of(editions)
        self.hash = hash_of(editions)
        self._language = language
        self._region = region
        self._as_of = as_of
        self._index = PointIndex(connection)
        self._statements = Statements(connection, self.plan)

    @classmethod
    def open(
        cls,
        *,
        kb: Sequence[Path] = (),
        rules: Path | None = None,
        language: str = "zh",
        region: str | None = None,
        as_of: date | None = None,
    ) -> Precheck:
        """Open the counter on knowledge bases (base first) and a rules folder, or on the embedded ones.

        Raises KnowledgeError or RuleError where they do not load.
        """
        editions = open_editions(kb)
        plan = open_plan(rules)
        connection = connect_locked(readable=knowledge_files(editions), threads=1)
        return cls(connection, editions, plan, language=language, region=region, as_of=as_of)

    def check(self, document: object, *, source: str = "处方", stage: str = "dispense") -> dict[str, Any]:
        """Answer one prescription (contract, section 4): verdict, findings, knowledge, checked_lines.

        Raises InputError naming the path of a value that cannot be read.
        """
        read = read_prescription(document, source=source, now=datetime.now(), stage=stage)
        return self.answer(self.with_named_items(read))

    def answer(self, prescription: Prescription, *, language: str | None = None) -> dict[str, Any]:
        """Answer a prescription that was read already."""
        asked = self.questions(prescription)
        if not asked:
            return self.without_questions(prescription, language=language)
        points = self._index.load({question.point_no for question in asked})
        answers = self._statements.judge(list(self._candidates(prescription, asked, points)))
        return self._told(prescription, asked, answers, points, language)

    def answer_together(
        self, prescriptions: Sequence[Prescription], *, languages: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Answer any number of prescriptions, each as `answer` would, with the questions of all in one query."""
        asked = [self.questions(prescription) for prescription in prescriptions]
        points = self._index.load({question.point_no for questions in asked for question in questions})
        candidates = [
            candidate
            for prescription, questions in zip(prescriptions, asked, strict=True)
            if questions
            for candidate in self._candidates(prescription, questions, points)
        ]
        answers = iter(self._statements.judge_together(candidates))
        told, first, answer = [], 0, next(answers, None)
        for number, (prescription, questions) in enumerate(zip(prescriptions, asked, strict=True)):
            own, end = [], first + len(questions)
            while answer is not None and answer.question < end:
                own.append(answer._replace(question=answer.question - first))
                answer = next(answers, None)
            told.append(self._told(prescription, questions, own, points, languages[number] if languages else None))
            first = end
        return told

    def prepare(self) -> None:
        """Make ready what the first questions would otherwise wait for."""
        self._statements.prepare_shared()
        self._index.read_names()

    def questions(self, prescription: Prescription) -> list[Question]:
        """The lines to judge with each point that covers them; of one line, those first that judge before others."""
        return [
            Question(number, item, match.point_no, match.matched_by)
            for number, item in enumerate(prescription.items)
            if item.judged
            for match in (
                self._index.named(item.named_points)
                if item.named_points
                else self._index.covering(item.item_code)
                if item.item_code is not None
                else ()
            )
        ]

    def without_questions(self, prescription: Prescription, *, language: str | None = None) -> dict[str, Any]:
        """The answer to a prescription of which no point covers any line."""
        return self._told(prescription, (), (), {}, language)

    def find_item(self, text: str) -> tuple[str, tuple[int, ...]]:
        """The item that a name means: its name and points. Raises InputError listing candidates where it is not exactly one."""
        return self._index.find_item(text)

    def with_named_items(self, prescription: Prescription) -> Prescription:
        """The prescription with the points of each item that its name stands for. Raises InputError as `find_item`."""
        if not any(item.by_name for item in prescription.items):
            return prescription
        items = []
        for item in prescription.items:
            if item.by_name and item.item_name is not None:
                name, points = self.find_item(item.item_name)
                item = replace(item, item_name=name, named_points=points)
            items.append(item)
        return replace(prescription, items=tuple(items))

    def _candidates(
        self, prescription: Prescription, asked: Sequence[Question], points: dict[int, Point]
    ) -> Iterator[Candidate]:
        filled = frozenset[str]().union(*(points[question.point_no].filled for question in asked))
        facts = self._facts(prescription, filled)
        names, shared = tuple(facts), json.dumps(facts, default=plain)[1:-1]
        for question in asked:
            point = points[question.point_no]
            code = f'"item_code": {json.dumps(question.item.item_code)}, ' if "exemptions.code" in filled else ""
            yield Candidate(point.rule_no, names, point.filled, f"{code}{shared}, {point.json}")

    def _facts(self, prescription: Prescription, filled: Collection[str]) -> dict[str, Any]:
        """What the prescription says that something asked reads."""
        given: dict[str, Any] = {
            **prescription.facts,
            "service_time": prescription.service_time,
            "on_date": self._as_of or prescription.service_time.date(),
        }
        if "point_region" in filled or "exemptions.region" in filled:
            given["insured_region"] = given.get("insured_region") or self._region
            given["region"] = _place(given.get("institution_id")) or given.get("region") or self._region
        else:
            given["insured_region"] = given["region"] = None
        if "subject" not in filled:
            given["care_type"] = None
        if "exemptions.diagnoses" in filled and prescription.diagnoses:
            given["diagnoses"] = prescription.diagnoses
        return {name: given[name] for name in FACT_NAMES if given.get(name) is not None}

    def _told(
        self, prescription: Prescription, asked: Sequence[Question], answers: Sequence[Answer], points: dict[int, Point],
        language: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        """The answer in words. Of several points of one rule in force for one line the first asked about judges."""
        teller = Teller(prescription, language=language or self._language, version=self.version)
        in_force: set[tuple[int, int]] = set()
        findings = []
        for answer in answers:
            question = asked[answer.question]
            point = points[question.point_no]
            key = (question.line, point.rule_no)
            if key in in_force:
                continue
            in_force.add(key)
            if answer.verdict != "clean":
                rule = self.plan.rules[point.rule_no]
                findings.append(teller.finding(question.line, question.item, rule, point, question.matched_by, answer))
        judged = [(number, item) for number, item in enumerate(prescription.items) if item.judged]
        findings += [teller.unknown_code(number, item) for number, item in judged if not _is_known(item)]
        document: dict[str, Any] = {
            "verdict": worst_verdict(findings),
            "findings": findings,
            "knowledge": {"version": self.version, "hash": self.hash},
            "checked_lines": len(judged),
            "not_in_force": [
                {"line_id": prescription.items[line].line_id, "rule_id": self.plan.rules[rule_no].id}
                for line, rule_no in sorted({(each.line, points[each.point_no].rule_no) for each in asked} - in_force)
            ],
        }
        if prescription.ignored:
            document["ignored"] = list(prescription.ignored)
        return document


def worst_verdict(findings: Sequence[dict[str, Any]]) -> str:
    """The verdict on a prescription with these findings: violation, undetermined, or clear where there is neither."""
    return _VERDICTS[max((_VERDICTS.index(f["verdict"]) for f in findings if f["verdict"] in _VERDICTS), default=0)]


def _is_known(item: Item) -> bool:
    return bool(item.named_points) or (item.item_code is not None and _NATIONAL.fullmatch(item.item_code) is not None)


def _place(institution: object) -> str | None:
    text = str(institution or "")
    return text[1:7] if re.match("[A-Za-z][0-9]{6}", text) else None
