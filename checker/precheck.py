"""The counter [事前提醒]: one prescription in, one answer out, by the same clauses as the scan, from a resident connection."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.compile import ENGLISH_VALUES, LINE_COLUMNS, PERSONS, POINT_COLUMNS, REASONS, judged_sql
from checker.engines.duckdb import connect_locked
from checker.errors import InputError
from checker.knowledge.edition import Edition
from checker.knowledge.names import item_key
from checker.knowledge.open import knowledge_files, open_editions, open_plan
from checker.knowledge.points import hash_of, load_points, version_of
from checker.plan import Plan
from checker.prescription import Item, Prescription, read_prescription
from checker.schema import FINDING_COLUMNS, NATIONAL_CODE

if TYPE_CHECKING:
    import duckdb

_NATIONAL = re.compile(NATIONAL_CODE)
_NO_FINDING = dict[str, Any].fromkeys(FINDING_COLUMNS)
_VERDICTS = ("clear", "undetermined", "violation")
_FACTS = (
    ("service_time",), ("on_date",), ("line_sex", "line_birth"), ("patient_age",), ("id_number",), ("newborn_flag",),
    ("insured_sex", "insured_birth_date"), ("care_type",), ("insured_region", "region"), ("visit_start",),
)  # fmt: skip
_POINT = (
    ("rule_no",), ("valid_from",), ("valid_to",), ("point_sex",), ("age_word",),
    ("age_text", "age_min", "age_min_unit", "age_max", "age_max_unit"), ("subject",), ("point_region", "point_region_of"),
    ("level_cap",), ("point_remark",), ("exemptions",),
)  # fmt: skip
_CHOICE = ("line_no", "matched_by", "match_length", "point_valid_from", "point_id")
"""What only matters where a line meets two points of one rule."""
_EXEMPTION: dict[str, object] = {
    "exemption_id": "VARCHAR", "effect": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE", "diagnoses": ["VARCHAR"],
    "region": "VARCHAR", "region_of": "VARCHAR", "code": "VARCHAR", "code_is_family": "BOOLEAN",
}  # fmt: skip
_EXEMPTED = tuple((f"exemptions.{field}",) for field in ("valid_to", "diagnoses", "region", "code"))
_GROUPS = (*_FACTS, *_POINT, ("diagnoses",), *_EXEMPTED)
"""What the clauses may need, in groups that are present or absent together, so that statements stay few."""
_SHAPES_KEPT = 64
"""How many prepared statements are kept; one that has to be made again costs some milliseconds."""
_TYPES: dict[str, object] = {"question": "BIGINT", **LINE_COLUMNS, **POINT_COLUMNS, "diagnoses": ["VARCHAR"]}
_NEVER = ("duplicate", "partly_refunded", "exemptions", *(name for (name,) in _EXEMPTED), *_TYPES)
_ANSWER = (
    "question", "verdict", "level", "action", "final_reason_code", "exemption_id", "remarks", "expected", "actual", "is_insured",
)  # fmt: skip


class _Point(NamedTuple):
    """A point as the counter holds it: what the answer says of it, which columns it fills, and their JSON (without braces)."""

    rule_no: int
    point_id: str
    name: str
    evidence: str
    filled: Set[str]
    json: str


class _Question(NamedTuple):
    """One line and one point that covers it."""

    line: int
    item: Item
    point: _Point
    matched_by: str
    match_length: int


class _Answer(NamedTuple):
    """What the clauses say to one question in force."""

    question: int
    verdict: str
    level: str | None
    action: str | None
    reason_code: str | None
    exemption_id: str | None
    remarks: list[str]
    expected: str
    actual: str
    is_insured: bool


class Precheck:
    """Rules and knowledge, loaded once; `check` answers one prescription after another."""

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
        self._connection = connection
        # What is on trial is judged in scans only: here its items count as without points.
        self._plan = plan = load_points(connection, editions, plan, shadow=False).plan
        self._language = language
        self._region = region
        self._as_of = as_of
        self._version = version_of(editions)
        self._knowledge = {"version": self._version, "hash": hash_of(editions)}
        self._match: dict[int, str] = {}
        self._exact: dict[str, list[int]] = {}
        self._families: dict[int, dict[str, list[int]]] = {}
        for point_no, match, code in connection.execute("SELECT point_no, match, code FROM pattern").fetchall():
            held = self._exact if match == "code" else self._families.setdefault(len(code), {})
            held.setdefault(code, []).append(point_no)
            self._match[point_no] = min(match, self._match.get(point_no, match))
        self._lengths = sorted(self._families, reverse=True)
        self._points: dict[int, _Point] = {}
        self._prepared: dict[tuple[object, ...], str] = {}
        self._statements = itertools.count()
        self._reads = [(rule.reads_sex, rule.reads_age) for rule in plan.rules]

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
        return self.answer(read_prescription(document, source=source, now=datetime.now(), stage=stage))

    def answer(self, prescription: Prescription) -> dict[str, Any]:
        """Answer a prescription that was read already."""
        asked = self._ask(prescription)
        answers = self._judge(asked, prescription) if asked else []
        findings = [
            self._finding(prescription, asked[answer.question], answer)
            for answer in answers
            if answer.verdict != "clean"
        ]
        judged = [(number, item) for number, item in enumerate(prescription.items) if item.judged]
        findings += [self._unknown_code(prescription, number, item) for number, item in judged if not _is_known(item)]
        worst = max((_VERDICTS.index(f["verdict"]) for f in findings if f["verdict"] in _VERDICTS), default=0)
        in_force = {(asked[answer.question].line, asked[answer.question].point.rule_no) for answer in answers}
        document: dict[str, Any] = {
            "verdict": _VERDICTS[worst],
            "findings": findings,
            "knowledge": self._knowledge,
            "checked_lines": len(judged),
            "not_in_force": [
                {"line_id": prescription.items[line].line_id, "rule_id": self._plan.rules[rule_no].id}
                for line, rule_no in sorted({(question.line, question.point.rule_no) for question in asked} - in_force)
            ],
        }
        if prescription.ignored:
            document["ignored"] = list(prescription.ignored)
        return document

    def find_item(self, text: str) -> tuple[str, tuple[int, ...]]:
        """The item that a name means: its name and points. Raises InputError listing candidates where it is not exactly one."""
        by_name: dict[str, list[int]] = {}
        for point_no, name in self._connection.execute(
            "SELECT point_no, point_name FROM point ORDER BY point_no"
        ).fetchall():
            by_name.setdefault(name, []).append(point_no)
        full, wanted = unicodedata.normalize("NFKC", text).strip(), item_key(text)
        same = [name for name in by_name if unicodedata.normalize("NFKC", name) == full] or [
            name for name in by_name if item_key(name) == wanted
        ]
        if len(same) == 1:
            return same[0], tuple(by_name[same[0]])
        # Part of a name is asked back even where one item has it: the ordinary form may be meant, which is not limited.
        holding = same or [name for name in by_name if wanted and wanted in name]
        if holding:
            shown = "、".join(sorted(holding)[:10]) + ("……" if len(holding) > 10 else "")
            raise InputError(
                f"“{text}”对应 {len(holding)} 个项目：{shown}；请写全名或国家医保编码（several items match）"
            )
        import difflib

        near = difflib.get_close_matches(text, list(by_name), 5, 0.4)
        hint = f"相近的有：{'、'.join(near)}；" if near else ""
        raise InputError(
            f"知识库的受限项目中没有“{text}”；{hint}请核对名称，或改用国家医保编码（no restricted item has this name: give the code）"
        )

    def _ask(self, prescription: Prescription) -> list[_Question]:
        found = [
            (number, item, point_no, how)
            for number, item in enumerate(prescription.items)
            if item.judged
            for point_no, how in self._find_points(item).items()
        ]
        self._load({point_no for _, _, point_no, _ in found if point_no not in self._points})
        return [_Question(number, item, self._points[point_no], *how) for number, item, point_no, how in found]

    def _find_points(self, item: Item) -> dict[int, tuple[str, int]]:
        """The points that cover an item, and how: by its code or a family, and the length of that."""
        if item.named_points:
            return {point_no: (self._match.get(point_no, "code"), 0) for point_no in item.named_points}
        code = item.item_code
        if code is None:
            return {}
        found = {point_no: ("code", len(code)) for point_no in self._exact.get(code, ())}
        for length in self._lengths:
            for point_no in self._families[length].get(code[:length], ()):
                found.setdefault(point_no, ("family", length))
        return found

    def _load(self, wanted: Collection[int]) -> None:
        if not wanted:
            return
        columns = [name for group in (*_POINT, _CHOICE[3:]) for name in group]
        rows = self._connection.execute(
            f"""SELECT point_no, point_name, concat_ws('；', document, '批次 ' || batch, source_rows), {", ".join(columns)}
            FROM (SELECT *, valid_from AS point_valid_from FROM point WHERE point_no IN ({", ".join(map(str, wanted))}))"""
        ).fetchall()
        for point_no, name, evidence, *values in rows:
            given = {column: value for column, value in zip(columns, values, strict=True) if value is not None}
            fields = {
                f"exemptions.{key}" for one in given["exemptions"] for key, value in one.items() if value is not None
            }
            filled = fields.union(column for column, value in given.items() if value != [])
            text = json.dumps(given, default=_plain)[1:-1]
            self._points[point_no] = _Point(
                given["rule_no"], given["point_id"], name, evidence, frozenset(filled), text
            )

    def _judge(self, asked: Sequence[_Question], prescription: Prescription) -> list[_Answer]:
        filled = frozenset[str]().union(*(question.point.filled for question in asked))
        facts = self._facts(prescription, filled)
        shared = json.dumps(facts, default=_plain)[1:-1]
        contested = len({(question.line, question.point.rule_no) for question in asked}) < len(asked)
        candidates = []
        for number, question in enumerate(asked):
            own: dict[str, object] = {"question": number}
            if contested:
                own |= {
                    "line_no": question.line,
                    "matched_by": question.matched_by,
                    "match_length": question.match_length,
                }
            if "exemptions.code" in filled:
                own["item_code"] = question.item.item_code
            candidates.append(f"{json.dumps(own)[:-1]}, {shared}, {question.point.json}}}")
        name = self._prepare({question.point.rule_no for question in asked}, tuple(facts), filled, contested=contested)
        # EXECUTE takes literals only. The text is JSON whose single quotes are escaped, so that none can end the literal.
        document = f"[{','.join(candidates)}]".replace("'", "\\u0027")
        return [_Answer(*row) for row in self._connection.execute(f"EXECUTE {name}('{document}')").fetchall()]

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
        return {name: given[name] for group in _GROUPS for name in group if given.get(name) is not None}

    def _prepare(self, rules: Collection[int], facts: tuple[str, ...], filled: Set[str], *, contested: bool) -> str:
        """The name of the prepared statement for questions of such rules that fill just these columns."""
        columns = _columns(facts, filled)
        rules = self._alike(rules)
        key = (rules, columns, facts, contested)
        name = self._prepared.pop(key, None)
        if name is None:
            name = f"judge_{next(self._statements)}"
            self._connection.execute(f"PREPARE {name} AS {self._sql(rules, columns, facts, contested=contested)}")
            if len(self._prepared) >= _SHAPES_KEPT:
                self._connection.execute(f"DEALLOCATE {self._prepared.pop(next(iter(self._prepared)))}")
        self._prepared[key] = name
        return name

    def _alike(self, rules: Collection[int]) -> tuple[int, ...]:
        """The rules that read what these read: statements are made for all of them."""
        reads = {self._reads[number] for number in rules}
        return tuple(number for number, read in enumerate(self._reads) if read in reads)

    def _sql(self, rules: Collection[int], columns: Sequence[str], facts: Sequence[str], *, contested: bool) -> str:
        known = dict.fromkeys(_NEVER, False)
        brought: dict[str, object] = {"question": "BIGINT"}
        for name in (
            *columns,
            *(_CHOICE if contested else ()),
            *(["item_code"] if "exemptions.code" in columns else []),
        ):
            del known[name]
            if name in _TYPES:
                brought[name] = _TYPES[name]
        if "exemptions" in columns:
            bound = {name for (name,) in _EXEMPTED if name not in columns}
            brought["exemptions"] = [
                {field: type_ for field, type_ in _EXEMPTION.items() if f"exemptions.{field}" not in bound}
            ]
        known |= dict.fromkeys(facts, True)
        judged = judged_sql(self._plan, "FROM asked", contested=contested, stage="before", rules=rules, filled=known)
        judged = f"SELECT {', '.join(_ANSWER)} FROM ({judged})"
        read = set(re.findall(r"\w+", judged))
        spec = json.dumps([{name: type_ for name, type_ in brought.items() if name in read}])
        return f"WITH asked AS NOT MATERIALIZED (SELECT unnest(from_json(CAST($1 AS VARCHAR), '{spec}'), max_depth := 2)) {judged}"

    def _finding(self, prescription: Prescription, question: _Question, answer: _Answer) -> dict[str, Any]:
        """The finding in words: what checker.compile.finding_sql writes for a scan."""
        rule = self._plan.rules[question.point.rule_no]
        language, item, point = self._language, question.item, question.point
        insured, patient = PERSONS[language]
        reason = REASONS[language].get(answer.reason_code or "")
        violation, undetermined, advice = rule.messages(language)
        words = {
            "item_name": item.item_name or point.name, "item_code": item.item_code or "", "expected": in_words(answer.expected, language),
            "actual": in_words(answer.actual, language), "person": insured if answer.is_insured else patient, "reason": reason or "",
            "point_id": point.point_id, "service_date": prescription.service_time.date().isoformat(), "rule_name": rule.name(language),
        }  # fmt: skip
        return self._head(prescription, question.line, item, rule.id) | {
            "item_name": words["item_name"], "rule_id": rule.id, "rule_code": rule.code, "rule_name": words["rule_name"],
            "point_id": point.point_id, "matched_by": question.matched_by, "verdict": answer.verdict, "level": answer.level,
            "action": answer.action, "expected": answer.expected, "actual": answer.actual, "reason_code": answer.reason_code,
            "reason": reason, "exemption_id": answer.exemption_id, "remarks": answer.remarks,
            "message": _fill(undetermined if answer.verdict == "undetermined" else violation, words), "advice": _fill(advice, words),
            "evidence": point.evidence, "rule_version": rule.version, "person": words["person"],
        }  # fmt: skip

    def _unknown_code(self, prescription: Prescription, number: int, item: Item) -> dict[str, Any]:
        zh = self._language == "zh"
        reason = REASONS[self._language]["unknown_code"]
        return self._head(prescription, number, item, "unknown_code") | {
            "verdict": "undetermined", "action": "note", "reason_code": "unknown_code", "reason": reason, "remarks": [],
            "message": f"{item.item_name or item.item_code or item.line_id}{'：' if zh else ': '}{reason}",
            "advice": "请核对项目编码，填写国家医保编码后再查。" if zh else "Check the item code and give the national one.",
        }  # fmt: skip

    def _head(self, prescription: Prescription, number: int, item: Item, rule_id: str) -> dict[str, Any]:
        """A finding with what the prescription and the line say, the rest still None."""
        facts = prescription.facts
        return _NO_FINDING | {
            "finding_id": _finding_id(prescription, number, item, rule_id), "line_id": item.line_id, "item_code": item.item_code,
            "item_name": item.item_name, "scope": "line", "settlement_id": facts.get("settlement_id"), "visit_id": facts.get("visit_id"),
            "patient_id": facts.get("patient_id"), "institution_id": facts.get("institution_id"),
            "service_time": prescription.service_time.isoformat(), "quantity": _number(item.quantity), "amount": _number(item.amount),
            "amount_in_scope": _number(item.amount_in_scope), "kb_version": self._version, "source_record": number + 1,
        }  # fmt: skip


@functools.lru_cache
def _columns(facts: tuple[str, ...], filled: Set[str]) -> tuple[str, ...]:
    """The columns of the groups that have any of these."""
    return tuple(name for group in _GROUPS if any(name in filled or name in facts for name in group) for name in group)


def _is_known(item: Item) -> bool:
    return bool(item.named_points) or (item.item_code is not None and _NATIONAL.fullmatch(item.item_code) is not None)


def in_words(value: str | None, language: str) -> str:
    """What was expected or found, as it reads within a message."""
    said = value or ""
    if language == "en":
        for chinese, english in ENGLISH_VALUES:
            said = said.replace(chinese, english)
    return said


def _fill(template: str, words: Mapping[str, str]) -> str:
    return "".join(words[part] if number % 2 else part for number, part in enumerate(_parts(template)))


@functools.cache
def _parts(template: str) -> list[str]:
    """Text and names of placeholders in turn."""
    return re.split(r"\{(\w+)\}", template)


def _finding_id(prescription: Prescription, number: int, item: Item, rule_id: str) -> str:
    facts = prescription.facts
    time = prescription.service_time.isoformat(sep=" ")
    if "." in time:  # as DuckDB writes fractions
        time = time.rstrip("0")
    parts = (
        facts.get("institution_id") or "", facts.get("settlement_id") or "", facts.get("visit_id") or "",
        item.line_id or f"\x1e{number + 1}", item.item_code or "", time, item.quantity or "", item.amount or "", rule_id,
    )  # fmt: skip
    return hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _place(institution: object) -> str | None:
    text = str(institution or "")
    return text[1:7] if re.match("[A-Za-z][0-9]{6}", text) else None
