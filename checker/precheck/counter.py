"""The counter [事前提醒]: one prescription in, one answer out, by the same clauses as the scan, from a resident connection."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.engines.duckdb import connect_locked
from checker.ingest.lost_codes import listed_code
from checker.ingest.prescription import Item, Prescription, is_above_zero, read_prescription
from checker.ingest.provincial import Provincial, read_provincial
from checker.judge.points import hash_of, load_points, refuse_too_early, version_of
from checker.knowledge.edition import Edition
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan
from checker.model.china_time import china_now
from checker.model.schema import BIRTH_DIAGNOSES
from checker.model.shown import shown
from checker.model.words import give_words
from checker.precheck import on_file, terms
from checker.precheck.conclusion import concluded, is_outdated
from checker.precheck.fellows import fellows, is_cut, is_gone, is_known, may_be_piece, prescription_key
from checker.precheck.finding_text import Teller
from checker.precheck.netting import net_patients
from checker.precheck.patient_lines import PatientLines, gather_patients
from checker.precheck.point_index import Match, Point, PointIndex
from checker.precheck.prepared_queries import Answer, Asked, PreparedQueries, Related, facts_json
from checker.precheck.uses import line_facts, uses
from checker.rulebook.plan import Plan
from checker.shapes import BY_ID, SHAPES
from checker.shapes.companion import COMPANION
from checker.shapes.evidence import EVIDENCE
from checker.shapes.terms import TERMS

if TYPE_CHECKING:
    import duckdb

    from checker.knowledge.sheets.crosswalk import Crosswalk

_BIRTH = re.compile(BIRTH_DIAGNOSES)
_RULE_STAGE = {"prescribe": "before", "dispense": "before", "settle": "during"}
"""The stage of rules at which a prescription is asked about, by its own."""


_GRAVEST = (True, None, False)
"""Whether a clause holds, is not known, or does not: in this order."""
_EACH_POINT = frozenset(shape.id for shape in SHAPES if shape.each_point)
"""The shapes of which several points of a rule judge a line."""
_APART = frozenset(TERMS.line_columns)
"""Facts of a prescription that only one shape reads, which asks for them by itself."""
_UNTOLD = {
    shape.id: {fact.missing: fact.key for fact in shape.facts.values() if fact.told_by} | {**shape.not_judged}
    for shape in SHAPES
}
"""By shape and the reason of a line that lacks it, what the prescription did not tell; what is told and not understood has other reasons."""


class Question(NamedTuple):
    """One line and one point that covers it, as what the clauses are asked; `holds`: on the day the line is of what the point covers."""

    line: int
    item: Item
    point: Point
    match: Match
    asked: Asked
    holds: bool


class Precheck:
    """Rules and knowledge, loaded once; `check` answers one prescription after another.

    One thread at a time may ask it for an answer.
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
        repair: bool = False,
        provincial: Provincial | None = None,
    ) -> None:
        self.connection = connection
        self.provincial = provincial or read_provincial()
        # What is on trial is judged in scans only: here its items count as without points.
        loaded = load_points(connection, editions, plan, stage=None)
        refuse_too_early(connection, as_of)
        self.plan = loaded.plan
        # The same points on the same day come again and again.
        self._evidence = functools.lru_cache(8192)(loaded.notices.told)
        self.version = version_of(editions)
        self.hash = hash_of(editions)
        # A layer of one's own does not make the nation's knowledge younger.
        self._published = date.fromisoformat(editions[0].manifest.published)
        self._language = language
        self._region = region
        self._as_of = as_of
        self._repair = repair
        self.index = PointIndex(connection)
        self._ask_alone = PreparedQueries.ask_once
        shapes = {rule.shape for rule in self.plan.rules}
        self._queries = {
            shape.id: PreparedQueries(connection, self.plan, shape) for shape in SHAPES if shape.id in shapes
        }

    @classmethod
    def open(
        cls,
        *,
        kb: Sequence[Path] = (),
        crosswalk: Crosswalk | None = None,
        rules: Sequence[Path] = (),
        only_rules: bool = False,
        language: str = "zh",
        region: str | None = None,
        as_of: date | None = None,
        repair: bool = False,
        profile: Path | None = None,
        often: bool = False,
    ) -> Precheck:
        """Open the counter on knowledge bases (base first), or on the embedded one, with a crosswalk upon them, and on the embedded rules with those of
        folders upon them, or (`only_rules`) without. With `repair` item codes get back the leading zeros that they lost. `profile` says what
        the values of a province mean. Who asks `often` waits for statements that are made with more care, once, and calls `prepare`.

        Raises KnowledgeError or RuleError where they do not load, InputError for a profile that cannot be used.
        """
        provincial = read_provincial(profile)
        editions = open_editions(kb, crosswalk)
        plan = open_plan(rules, only_rules=only_rules)
        connection = connect_locked(readable=knowledge_files(editions), threads=1, optimized=often, few=often)
        return cls(
            connection,
            editions,
            plan,
            language=language,
            region=region,
            as_of=as_of,
            repair=repair,
            provincial=provincial,
        )

    def check(self, document: object, *, source: str = "处方", stage: str = "dispense") -> dict[str, Any]:
        """Answer one prescription (contract, section 4): verdict, findings, knowledge, checked_lines.

        Raises InputError naming the path of a value that cannot be read.
        """
        read = read_prescription(document, source=source, now=china_now(), stage=stage)
        return self.answer(self.named(read))

    def answer(self, prescription: Prescription, *, language: str | None = None) -> dict[str, Any]:
        """Answer a prescription that was read already."""
        return self._answered([prescription], [language], self._ask_alone)[0]

    def answer_together(
        self, prescriptions: Sequence[Prescription], *, languages: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Answer any number of prescriptions, each as `answer` would, with the questions of all in one query a shape."""
        return self._answered(prescriptions, languages, PreparedQueries.ask)

    def _answered(
        self,
        prescriptions: Sequence[Prescription],
        languages: Sequence[str | None],
        ask: Callable[[PreparedQueries, Sequence[Asked], Related], list[Answer | None]],
    ) -> list[dict[str, Any]]:
        patients = gather_patients(prescriptions)
        netted = net_patients(self.connection, prescriptions, patients, self._taking_part)
        matched = [[self._matches(item) for item in each.items] for each in netted]
        self.index.load({match.point_no for lines in matched for some in lines for match in some})
        earlier = terms.Earlier(self._covering_before)
        questions = [
            self._questions(number, *each, earlier) if any(each[2]) else []
            for number, each in enumerate(zip(patients, netted, matched, strict=True))
        ]
        answers: list[list[Answer | None]] = [[None] * len(some) for some in questions]
        by_shape: dict[str, list[tuple[int, int]]] = {}
        for number, some in enumerate(questions):
            for place, question in enumerate(some):
                if not question.holds:
                    continue
                by_shape.setdefault(self.plan.rules[question.point.rule_no].shape, []).append((number, place))
        for shape, places in by_shape.items():
            together = {questions[number][place].point.together for number, place in places}
            related = self._related(
                shape, {number: (netted[number], patients[number]) for number, _ in places}, together
            )
            told = ask(self._queries[shape], [questions[number][place].asked for number, place in places], related)
            for (number, place), answer in zip(places, told, strict=True):
                answers[number][place] = answer
        return [self._told(*each) for each in zip(netted, questions, answers, languages, strict=True)]

    def _related(
        self, shape: str, asking: Mapping[int, tuple[Prescription, PatientLines]], together: Collection[str | None]
    ) -> Related:
        """The rows of the relations that a shape needs of the prescriptions that ask it, by number, and of what counts `together`."""
        related: dict[str, list[Mapping[str, Any]]] = {}
        for name in BY_ID[shape].relations:
            if name == "diagnosed":
                rows = iter([on_file.diagnosed(asking.values())])
            elif name == "class_use":
                rows = iter(
                    [on_file.class_uses(self.index, {each.number: each for _, each in asking.values()}.values())]
                )
            elif name == "fellow":
                rows = (fellows(self.index, number, each, as_of=self._as_of) for number, (each, _) in asking.items())
            else:
                patients = {patient.number: patient for _, patient in asking.values()}
                rows = (uses(self.index, patient, together, self.provincial) for patient in patients.values())
            related[name] = list(itertools.chain.from_iterable(rows))
        return related

    def knowledge(self, day: date) -> dict[str, Any]:
        """Which knowledge answers, and whether it is old for questions about this day."""
        return {
            "version": self.version, "hash": self.hash, "published": self._published.isoformat(),
            "outdated": is_outdated(self._published, day),
        }  # fmt: skip

    def prepare(self) -> None:
        """Make ready what questions would otherwise wait for: worth its while where many are asked."""
        self._ask_alone = PreparedQueries.ask
        self.index.load()
        self.index.read_names()
        for queries in self._queries.values():
            queries.prepare(self.index.kinds)

    def find_item(self, text: str) -> tuple[str, tuple[int, ...]]:
        """The item that a name means: its name and points. Raises InputError listing candidates where it is not exactly one."""
        return self.index.find_item(text)

    def named(self, prescription: Prescription) -> Prescription:
        """The prescription with the points of each item that its name stands for, with local codes in place of codes that are not given where
        the crosswalk has them or the name tells a piece, and its codes repaired where that is asked for.

        Raises InputError as `find_item`.
        """
        if any(item.item_code is None and item.local_item_code for item in prescription.items):
            prescription = prescription._replace(items=tuple(map(self._stood_in, prescription.items)))
        if self._repair:
            prescription = prescription._replace(items=tuple(map(self._repaired, prescription.items)))
        history = prescription.history or ()
        if not any(item.by_name for item in (*prescription.items, *history)):
            return prescription
        items, earlier = tuple(map(self._named, prescription.items)), tuple(map(self._named, history))
        return prescription._replace(items=items, history=earlier if history else prescription.history)

    def _named(self, item: Item) -> Item:
        if not item.by_name or item.item_name is None:
            return item
        name, points = self.find_item(item.item_name)
        return item._replace(item_name=name, named_points=points)

    def _taking_part(self, patient: PatientLines) -> list[int]:
        """The places of the lines that a scan would stage: those of restricted items, and what may stand beside these."""
        lines = patient.lines
        with_companions = any(item.judged and self.index.asks_companions(self._covering(item)) for item in lines)
        return [
            place
            for place, item in enumerate(lines)
            if self._covering_before(item)
            or self.index.is_used(item.item_code)
            or (with_companions and may_be_piece(self.index, item))
        ]

    def _covering(self, item: Item) -> Sequence[Match]:
        """The points that cover a line, those first that judge before others."""
        if item.named_points:
            return self.index.named(item.named_points)
        if item.item_code is None:
            return ()
        found = self.index.covering(item.item_code)
        if found or not item.is_piece or self._is_known(item):
            return found
        return self.index.piece(item.item_name or item.local_item_name)

    def _covering_before(self, item: Item) -> Sequence[Match]:
        """The points of a line that may be of the history, whose code nobody has looked at yet."""
        item = self._stood_in(item)
        return self._covering(self._repaired(item) if self._repair else item)

    def _matches(self, item: Item) -> Sequence[Match]:
        """The same for a line to judge; what takes no part in the judgment has none."""
        return self._covering(item) if item.judged and not is_gone(item) else ()

    def _questions(
        self,
        prescription_no: int,
        patient: PatientLines,
        prescription: Prescription,
        matched: Sequence[Sequence[Match]],
        earlier: terms.Earlier,
    ) -> list[Question]:
        """The lines to judge with each point that covers them (`matched`, by line) and whose rule works at the prescription's stage.

        Points are loaded.
        """
        points, rules, stage = self.index.points, self.plan.rules, _RULE_STAGE[prescription.stage]
        questions: list[Question] = []
        common: dict[object, tuple[frozenset[str], str]] = {}
        born, neonatal = any(map(_BIRTH.match, prescription.diagnoses)), self._neonatal(prescription, matched)
        for number, (item, matches) in enumerate(zip(prescription.items, matched, strict=True)):
            for match in matches:
                point = points[match.point_no]
                rule = rules[point.rule_no]
                if stage not in rule.stages:
                    continue
                near = born or bool(neonatal - {item.item_code})
                marks = (*_marks(item), *(["newborn_near"] if near else []))
                own = self._of_shape(
                    rule.shape, prescription_no, patient, prescription, number, match.point_no, earlier
                )
                held = (marks, item.service_time, item.circumstances, *own.items())
                if held not in common:
                    given = {name: value for name, value in own.items() if value is not None}
                    common[held] = facts_json(self._facts(prescription, item) | dict.fromkeys(marks, True) | given)
                asked = Asked(point.kind, *common[held], match.national or item.item_code)
                questions.append(
                    Question(
                        number,
                        item,
                        point,
                        match,
                        asked,
                        match.holds_on(self._as_of or prescription.time_of(item).date()),
                    )
                )
        return questions

    def _of_shape(
        self, shape: str, prescription_no: int, patient: PatientLines, prescription: Prescription, line: int, point_no: int,
        earlier: terms.Earlier,
    ) -> dict[str, Any]:  # fmt: skip
        """What one line brings that not all shapes read."""
        item = prescription.items[line]
        if shape == COMPANION.id:
            key, is_guess = prescription_key(prescription_no, prescription, item)
            return {"line_no": line, "prescription_key": key, "prescription_guessed": is_guess}
        if BY_ID[shape].together or shape == EVIDENCE.id:
            return line_facts(patient, prescription, line)
        if shape != TERMS.id:
            return {}
        told = terms.shared_terms(prescription, item, self.provincial) | terms.line_terms(
            prescription, item, self.provincial
        )
        if "rank_case" in self.index.points[point_no].kind.filled:
            told["has_earlier"] = earlier.has(patient, prescription, item, point_no)
        return told

    def _neonatal(self, prescription: Prescription, matched: Sequence[Sequence[Match]]) -> set[str | None]:
        """The codes of the items for newborns in a visit, or settlement, that the prescription names."""
        if not (prescription.facts.get("visit_id") or prescription.facts.get("settlement_id")):
            return set()
        points, rules, stage = self.index.points, self.plan.rules, _RULE_STAGE[prescription.stage]

        def works(point_no: int) -> bool:
            rule = rules[points[point_no].rule_no]
            return rule.absent is None and stage in rule.stages

        return {
            item.item_code
            for item, matches in zip(prescription.items, matched, strict=True)
            if matches and item.item_code and any(map(works, self.index.are_neonatal(matches)))
        }

    def _facts(self, prescription: Prescription, item: Item) -> dict[str, Any]:
        """What the prescription says of a line; of times the clauses look at the day."""
        given = {name: value for name, value in prescription.facts.items() if value is not None and name not in _APART}
        own = dict(item.circumstances)
        given |= {name: value for name, value in own.items() if name not in _APART}
        if group := self.provincial.care_group(own.get("care_type", prescription.facts.get("care_type"))):
            given["care_group"] = group
        given["service_time"] = day = prescription.time_of(item).date()
        given["on_date"] = self._as_of or day
        if "visit_start" in given:
            given["visit_start"] = given["visit_start"].date()
        if is_above_zero(given.pop("mutual_aid_amount", None)):
            given["family_paid"] = True
        if prescription.diagnoses:
            given["diagnoses"] = prescription.diagnoses
        insured, place = (
            given.get("insured_region") or self._region,
            _region(given.pop("institution_id", "")[:7]) or given.get("region") or self._region,
        )
        if insured:
            given["insured_region"] = insured
        if place:
            given["region"] = place
        return given

    def _told(
        self, prescription: Prescription, questions: Sequence[Question], answers: Sequence[Answer | None], language: str | None
    ) -> dict[str, Any]:  # fmt: skip
        """The answer in words."""
        in_force = _judging(self.plan, questions, answers)
        findings: list[dict[str, Any]] = []
        not_judged: list[dict[str, Any]] = []
        not_in_scope: list[dict[str, Any]] = []
        to_check: list[dict[str, Any]] = []
        teller = None
        for place in sorted(in_force.values()):
            (line, item, point, match, *_), answer = questions[place], answers[place]
            assert answer is not None
            if item.is_not_in_scope and self.plan.rules[point.rule_no].fund_only:
                not_in_scope.append({**_place(prescription, line), "rule_id": self.plan.rules[point.rule_no].id})
            rule = self.plan.rules[point.rule_no]
            if check := on_file.to_check(point, answer.verdict, language or self._language):
                name = shown(item.item_name or point.name)
                to_check.append({**_place(prescription, line), "rule_id": rule.id, "item": name, "text": shown(check)})
            if answer.verdict == "clean":
                continue
            teller = teller or self._teller(prescription, language)
            untold = _UNTOLD[rule.shape].get(answer.reason_code or "")
            if answer.verdict == "undetermined" and untold is not None:
                not_judged.append(self._not_judged(prescription, line, rule.id, untold, language))
                continue
            if rule.absent is None:
                findings.append(teller.finding(line, item, rule, point, match, answer))
                continue
            not_judged.append(self._not_judged(prescription, line, rule.id, rule.absent, language))
            # Who deprecates a rule says that its points hold no longer; of a rule that is only not there nobody has said so.
            if rule.absent == "rule":
                findings.append(teller.rule_missing(line, item, rule.id, point, match))
        judged = [(line, item) for line, item in enumerate(prescription.items) if item.judged]
        gone = [line for line, item in judged if item.left and item.left.is_fully_refunded and self._covering(item)]
        not_restricted: list[dict[str, Any]] = []
        for line, item in judged:
            if is_gone(item):
                continue
            if self._is_known(item) or (item.is_piece and self._covering(item)):
                if not self._covering(item):
                    not_restricted.append(_place(prescription, line))
            # A cut code that still tells the item is judged, and not called unknown as well; one that is mistyped may mean another item.
            elif not (is_cut(item) and self._covering(item)):
                teller = teller or self._teller(prescription, language)
                findings.append(teller.unknown_code(line, item, self._meant(item)))
        document: dict[str, Any] = {
            **concluded(findings, len(judged)),
            "findings": findings,
            "knowledge": self.knowledge(self._as_of or prescription.service_time.date()),
            "checked_lines": len(judged),
            "not_in_force": [],
            "not_judged": not_judged,
            "not_restricted": not_restricted,
        }
        if len(in_force) < len(questions):
            document["not_in_force"] = [
                {**_place(prescription, line), "rule_id": self.plan.rules[rule_no].id}
                for line, rule_no in sorted({(each.line, each.point.rule_no) for each in questions} - in_force.keys())
            ]
        if to_check:
            document["to_check"] = to_check
        if not_in_scope:
            document["not_in_scope"] = not_in_scope
        if unknown := terms.unknown_values(prescription, findings, self.provincial):
            document["unknown_values"] = [each.to_plain(language or self._language) for each in unknown]
        repaired = [
            {**_place(prescription, line), "item_code": item.item_code} for line, item in judged if item.code_repaired
        ]
        if repaired:
            document["code_repaired"] = repaired
        if gone:
            document["fully_refunded"] = [prescription.items[line].line_id for line in gone]
        if prescription.ignored:
            document["ignored"] = list(prescription.ignored)
        return document

    def _is_known(self, item: Item) -> bool:
        """Whether it is told which item a line is of: by a national code, a name, or the crosswalk."""
        return is_known(item) or self.index.is_mapped(item.item_code)

    def _stood_in(self, item: Item) -> Item:
        """A line without item code whose local code the crosswalk has, or that is a piece that is told by its name, with that as its code."""
        if item.item_code is not None or item.local_item_code is None:
            return item
        local = item._replace(item_code=item.local_item_code, by_name=False)
        if self.index.is_mapped(local.item_code):
            return local
        is_piece = item.is_piece and not item.by_name and not is_known(local)
        return local if is_piece and self.index.piece(item.item_name or item.local_item_name) else item

    def _not_judged(
        self, prescription: Prescription, line: int, rule_id: str, missing: str, language: str | None
    ) -> dict[str, Any]:
        """A line that a rule did not judge: what is missing, and how to give it."""
        how = give_words(missing, rule_id)[(language or self._language) == "en"]
        return {**_place(prescription, line), "rule_id": rule_id, "missing": missing, "how": how}

    def _meant(self, item: Item) -> str | None:
        """The code that an unknown one is with its leading zeros, where the knowledge base has it."""
        return listed_code(self.connection, item.item_code)

    def _repaired(self, item: Item) -> Item:
        """A line whose code is none, but one of the knowledge base with its leading zeros, with that code."""
        code = None if self._is_known(item) or self._covering(item) else self._meant(item)
        return item if code is None else item._replace(item_code=code, code_repaired=True)

    def _teller(self, prescription: Prescription, language: str | None) -> Teller:
        language = language or self._language
        return Teller(prescription, language=language, version=self.version, evidence=self._evidence, as_of=self._as_of)


def _judging(plan: Plan, questions: Sequence[Question], answers: Sequence[Answer | None]) -> dict[tuple[int, int], int]:
    """By line and rule the place of the question whose answer counts: of several points in force the first asked about, or where these are of
    several national codes that a local one stands for, or each point judges, of these the one with the gravest answer.
    """
    judging: dict[tuple[int, int], int] = {}
    first: dict[tuple[int, int], Match] = {}
    asked: set[tuple[int, int, str | None]] = set()
    for place, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        key, match = (question.line, question.point.rule_no), question.match
        if answer is None:
            continue
        if plan.rules[question.point.rule_no].shape not in _EACH_POINT:
            if (*key, match.national) in asked or first.setdefault(key, match).matched_by != match.matched_by:
                continue
            asked.add((*key, match.national))
        before = answers[judging[key]] if key in judging else None
        if before is None or _gravity(answer) < _gravity(before):
            judging[key] = place
    return judging


def _gravity(answer: Answer) -> tuple[int, bool, bool]:
    """The order of answers to one line by one rule, as in checker.judge.candidates: the gravest is the least."""
    return _GRAVEST.index(answer.violated), bool(answer.noticed), bool(answer.lowered)


def _marks(item: Item) -> tuple[str, ...]:
    """What others do to a line, whether the fund does not pay it and its code was repaired, as facts that are then true."""
    left = item.left
    marks = {"duplicate": left.is_duplicate, "partly_refunded": left.is_partly_refunded} if left else {}
    marks |= {"not_in_scope": item.is_not_in_scope, "code_repaired": item.code_repaired}
    return tuple(name for name, is_set in marks.items() if is_set)


def _place(prescription: Prescription, line: int) -> dict[str, Any]:
    """Which line it is: by its id, or by its place, counted from 1, where it has none."""
    line_id = prescription.items[line].line_id
    return {"line_id": line_id} if line_id is not None else {"line_id": None, "line": line + 1}


@functools.lru_cache(4096)
def _region(start: str) -> str | None:
    """The place of an institution whose number starts so."""
    return start[1:] if re.fullmatch("[A-Za-z][0-9]{6}", start) else None
