"""The counter [事前提醒]: one prescription in, one answer out, by the same clauses as the scan, from a resident connection."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.engines.duckdb import connect_locked
from checker.ingest.prescription import Item, Left, Prescription, read_prescription
from checker.judge.points import hash_of, load_points, version_of
from checker.knowledge.edition import Edition
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan
from checker.model.schema import NATIONAL_CODE
from checker.precheck.finding_text import Teller
from checker.precheck.point_index import Match, Point, PointIndex
from checker.precheck.prepared_queries import Answer, Statements
from checker.precheck.prescription_netting import with_netted_items
from checker.precheck.remembered import UNKNOWN, Asked, Facts, Remembered, candidate, facts_for, facts_of
from checker.rulebook.plan import Plan

if TYPE_CHECKING:
    import duckdb

_NATIONAL = re.compile(NATIONAL_CODE)
_VERDICTS = ("violation", "undetermined")
_RULE_STAGE = {"prescribe": "before", "dispense": "before", "settle": "during"}
"""The stage of rules at which a prescription is asked about, by its own."""


class Question(NamedTuple):
    """One line and one point that covers it, as what the clauses are asked."""

    line: int
    item: Item
    point: Point
    matched_by: str
    facts: Facts

    @property
    def asked(self) -> Asked:
        """What the clauses are asked."""
        return Asked(self.point.kind, self.facts, self.item.item_code)


class Precheck:
    """Rules and knowledge, loaded once; `check` answers one prescription after another.

    One thread at a time may ask it for an answer; `recall` touches no connection and may run beside.
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
        self.plan = load_points(connection, editions, plan, stage=None).plan
        self.version = version_of(editions)
        self.hash = hash_of(editions)
        self._language = language
        self._region = region
        self._as_of = as_of
        self.index = PointIndex(connection)
        self._statements = Statements(connection, self.plan)
        self._remembered = Remembered(self._statements)

    @classmethod
    def open(
        cls,
        *,
        kb: Sequence[Path] = (),
        rules: Sequence[Path] = (),
        only_rules: bool = False,
        language: str = "zh",
        region: str | None = None,
        as_of: date | None = None,
    ) -> Precheck:
        """Open the counter on knowledge bases (base first), or on the embedded one, and on the embedded rules with those of
        folders upon them, or (`only_rules`) without.

        Raises KnowledgeError or RuleError where they do not load.
        """
        editions = open_editions(kb)
        plan = open_plan(rules, only_rules=only_rules)
        connection = connect_locked(readable=knowledge_files(editions), threads=1)
        return cls(connection, editions, plan, language=language, region=region, as_of=as_of)

    def check(self, document: object, *, source: str = "处方", stage: str = "dispense") -> dict[str, Any]:
        """Answer one prescription (contract, section 4): verdict, findings, knowledge, checked_lines.

        Raises InputError naming the path of a value that cannot be read.
        """
        read = read_prescription(document, source=source, now=datetime.now(), stage=stage)
        return self.answer(self.prepared(read))

    def answer(self, prescription: Prescription, *, language: str | None = None) -> dict[str, Any]:
        """Answer a prescription that was read already."""
        self._load([prescription])
        questions = self._questions(prescription)
        if not questions:
            return self._told(prescription, (), (), language)
        if any(question.item.left for question in questions):
            # They bring different facts, which the shortest statement does not allow.
            answers = self._remembered.answer([question.asked for question in questions])
            return self._told(prescription, questions, answers, language)
        filled = frozenset[str]().union(*(question.point.kind.filled for question in questions))
        shared = facts_for(filled, questions[0].facts.names)
        answers = self._statements.judge([candidate(question.asked, shared) for question in questions])
        return self._told(prescription, questions, answers, language)

    def answer_together(
        self, prescriptions: Sequence[Prescription], *, languages: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Answer any number of prescriptions, each as `answer` would, with the questions of all in one query."""
        self._load(prescriptions)
        questions = [self._questions(prescription) for prescription in prescriptions]
        answers = iter(self._remembered.answer([question.asked for some in questions for question in some]))
        return [
            self._told(prescription, some, [next(answers) for _ in some], language)
            for prescription, some, language in zip(prescriptions, questions, languages, strict=True)
        ]

    def recall(self, prescription: Prescription, *, language: str | None = None) -> dict[str, Any] | None:
        """The answer to a prescription of which no line brings a question that was not answered before; else None.

        Needs `prepare` first. Touches no connection: it may be called beside the thread that asks for answers.
        """
        questions = self._questions(prescription)
        answers = []
        find = self._remembered.find
        for _, item, point, _, facts in questions:
            answer = find(point.kind, facts, item.item_code)
            if answer is UNKNOWN:
                return None
            answers.append(answer)
        return self._told(prescription, questions, answers, language)

    def prepare(self) -> None:
        """Make ready what the first questions would otherwise wait for."""
        self._statements.prepare_shared()
        self.index.load()
        self.index.read_names()

    def find_item(self, text: str) -> tuple[str, tuple[int, ...]]:
        """The item that a name means: its name and points. Raises InputError listing candidates where it is not exactly one."""
        return self.index.find_item(text)

    def prepared(self, prescription: Prescription) -> Prescription:
        """The prescription with the points of each item that its name stands for, and what refunds leave of each line.

        Raises InputError as `find_item`.
        """
        if [item for item in prescription.items if item.by_name]:
            items = []
            for item in prescription.items:
                if item.by_name and item.item_name is not None:
                    name, points = self.find_item(item.item_name)
                    item = item._replace(item_name=name, named_points=points)
                items.append(item)
            prescription = prescription._replace(items=tuple(items))
        return with_netted_items(prescription)

    def _load(self, prescriptions: Sequence[Prescription]) -> None:
        self.index.load(
            {match.point_no for each in prescriptions for item in each.items for match in self._matches(item)}
        )

    def _matches(self, item: Item) -> Sequence[Match]:
        """The points that cover a line to judge, those first that judge before others."""
        if not item.judged or (item.left is not None and item.left.is_repeat):
            return ()
        if item.named_points:
            return self.index.named(item.named_points)
        return () if item.item_code is None else self.index.covering(item.item_code)

    def _questions(self, prescription: Prescription) -> list[Question]:
        """The lines to judge with each point that covers them and whose rule works at the prescription's stage; points are loaded."""
        points, rules, stage = self.index.points, self.plan.rules, _RULE_STAGE[prescription.stage]
        questions: list[Question] = []
        common = None
        for number, item in enumerate(prescription.items):
            for point_no, matched_by in self._matches(item):
                if stage not in rules[points[point_no].rule_no].stages:
                    continue
                common = common or facts_of(self._facts(prescription))
                facts = common if item.left is None else _left(common, item.left)
                questions.append(Question(number, item, points[point_no], matched_by, facts))
        return questions

    def _facts(self, prescription: Prescription) -> dict[str, Any]:
        """What the prescription says; of times the clauses look at the day."""
        given = {name: value for name, value in prescription.facts.items() if value is not None}
        given["service_time"] = day = prescription.service_time.date()
        given["on_date"] = self._as_of or day
        if "visit_start" in given:
            given["visit_start"] = given["visit_start"].date()
        if prescription.diagnoses:
            given["diagnoses"] = prescription.diagnoses
        insured, place = (
            given.get("insured_region") or self._region,
            _place(given.get("institution_id", "")[:7]) or given.get("region") or self._region,
        )
        if insured:
            given["insured_region"] = insured
        if place:
            given["region"] = place
        return given

    def _told(
        self, prescription: Prescription, questions: Sequence[Question], answers: Sequence[Answer | None], language: str | None
    ) -> dict[str, Any]:  # fmt: skip
        """The answer in words. Of several points of one rule in force for one line the first asked about judges."""
        places = prescription.places
        in_force: set[tuple[int, int]] = set()
        findings: list[dict[str, Any]] = []
        not_judged: list[dict[str, Any]] = []
        gone: list[str | None] = []
        teller = None
        for (line, item, point, matched_by, _), answer in zip(questions, answers, strict=True):
            if answer is None or (line, point.rule_no) in in_force:
                continue
            in_force.add((line, point.rule_no))
            if answer.verdict == "clean":
                continue
            if _is_gone(item):
                gone.append(item.line_id)
                continue
            teller = teller or self._teller(prescription, language)
            place, rule = line if places is None else places[line], self.plan.rules[point.rule_no]
            if rule.absent is None:
                findings.append(teller.finding(place, item, rule, point, matched_by, answer))
                continue
            not_judged.append({"line_id": item.line_id, "rule_id": rule.id, "missing": rule.absent})
            # Who deprecates a rule says that its points hold no longer; of a rule that is only not there nobody has said so.
            if rule.absent == "rule":
                findings.append(teller.rule_missing(place, item, rule.id, point, matched_by))
        judged = prescription.items
        if places is None:
            judged = tuple([item for item in judged if item.judged])
            if not _are_known(judged):
                teller = teller or self._teller(prescription, language)
                for number, item in enumerate(prescription.items):
                    if item.judged and not _is_gone(item) and not _are_known((item,)):
                        findings.append(teller.unknown_code(number, item))
        document: dict[str, Any] = {
            "verdict": worst_verdict(findings) if findings else "clear",
            "findings": findings,
            "knowledge": {"version": self.version, "hash": self.hash},
            "checked_lines": len(judged) + prescription.others,
            "not_in_force": [],
            "not_judged": not_judged,
        }
        if len(in_force) < len(questions):
            document["not_in_force"] = [
                {"line_id": prescription.items[line].line_id, "rule_id": self.plan.rules[rule_no].id}
                for line, rule_no in sorted({(each.line, each.point.rule_no) for each in questions} - in_force)
            ]
        if gone:
            document["fully_refunded"] = list(dict.fromkeys(gone))
        if prescription.ignored:
            document["ignored"] = list(prescription.ignored)
        return document

    def _teller(self, prescription: Prescription, language: str | None) -> Teller:
        return Teller(prescription, language=language or self._language, version=self.version)


def worst_verdict(findings: Sequence[dict[str, Any]]) -> str:
    """The verdict on a prescription with these findings: violation, undetermined, or clear where there is neither."""
    verdicts = {finding["verdict"] for finding in findings}
    return next((verdict for verdict in _VERDICTS if verdict in verdicts), "clear")


def _are_known(items: Sequence[Item]) -> bool:
    """Whether each item has a national code, or a name that stands for points."""
    return all(map(_NATIONAL.fullmatch, [item.item_code or "" for item in items if not item.named_points]))


def _is_gone(item: Item) -> bool:
    """Whether the line repeats one before it, or is refunded in full."""
    return item.left is not None and (item.left.is_repeat or item.left.is_fully_refunded)


def _left(facts: Facts, left: Left) -> Facts:
    """The facts for a line of which others take something."""
    flags = {"duplicate": left.is_duplicate, "partly_refunded": left.is_partly_refunded}
    return facts_of({**facts.given, **{name: True for name, is_set in flags.items() if is_set}})


@functools.lru_cache(4096)
def _place(start: str) -> str | None:
    """The place of an institution whose number starts so."""
    return start[1:] if re.fullmatch("[A-Za-z][0-9]{6}", start) else None
