"""A finding in words at the counter: what checker.judge.finding_sql writes for a scan, for one answer of the clauses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.ingest.values import has_lost_digits
from checker.model.shown import shown
from checker.model.template import read_template
from checker.model.typed_value import worded
from checker.model.words import NOT_JUDGED, PERSONS, REASONS, SCOPES
from checker.precheck.line_names import given_name, made_names
from checker.precheck.point_index import Match, Point
from checker.precheck.prepared_queries import Answer
from checker.rulebook.plan import RulePlan
from checker.shapes import BY_ID

_UNKNOWN_CODE = Answer("undetermined", None, "note", "unknown_code", None, "", "", False, ())
_RULE_MISSING = _UNKNOWN_CODE._replace(reason_code="rule_missing")


class Teller:
    """Puts the findings of one prescription into words of a language. `version` is that of the knowledge.

    `evidence` gives a point's evidence in words, as checker.judge.evidence.Notices does.
    """

    def __init__(
        self,
        prescription: Prescription,
        *,
        language: str,
        version: str,
        evidence: Callable[..., str],
        as_of: date | None,
    ) -> None:
        self._facts = facts = prescription.facts
        self._language = language
        self._evidence_of = evidence
        self._as_of = as_of
        self._service_time = prescription.service_time
        self._places = (
            facts.get("institution_id") or "",
            facts.get("settlement_id") or "",
            facts.get("visit_id") or "",
        )
        self._head = (
            facts.get("settlement_id"), facts.get("visit_id"), facts.get("patient_id"), facts.get("institution_id"),
        )  # fmt: skip
        self._version = version
        self._items = prescription.items
        self._made: Mapping[int, str] | None = None

    def finding(
        self, number: int, item: Item, rule: RulePlan, point: Point, match: Match, answer: Answer
    ) -> dict[str, Any]:
        """The finding of one line (its place in the prescription) for one rule and point."""
        language = self._language
        reason = REASONS[answer.reason_code][language == "en"] if answer.reason_code else None
        violation, undetermined, advice = rule.messages(language)
        name, shape = rule.name(language), BY_ID[rule.shape]
        person = SCOPES[shape.judges][language == "en"] if shape.judges else PERSONS[language][not answer.is_insured]
        item_name = shown(item.item_name or point.name)
        expected, actual = worded(answer.expected, language), worded(answer.actual, language)
        words = {
            "item_name": item_name, "item_code": shown(match.national or item.item_code or ""), "expected": expected.phrase,
            "actual": actual.phrase, "person": person, "reason": reason or "",
            "point_id": point.point_id, "service_date": self._time_of(item).date().isoformat(), "rule_name": name,
        }  # fmt: skip
        message = read_template(undetermined if answer.verdict == "undetermined" else violation).fill(words)
        rule_words = (rule.id, rule.code, name, rule.version)
        return self._written(
            number, item, item_name, rule_words, (point.point_id, self._evidence(point, item), match.matched_by), answer,
            (expected.short, actual.short), reason, message, read_template(advice).fill(words), person, match.national,
        )  # fmt: skip

    def unknown_code(self, number: int, item: Item, meant: str | None) -> dict[str, Any]:
        """The finding of a line that has no national code: no rule can look at it. `meant` is the code that it is with its leading zeros."""
        zh = self._language == "zh"
        reason = REASONS["unknown_code"][not zh]
        item_name = item.item_name and shown(item.item_name)
        message = f"{item_name or shown(item.item_code or item.line_id or '')}{'：' if zh else ': '}{reason}"
        advice = "请核对项目编码，填写国家医保编码后再查。" if zh else "Check the item code and give the national one."
        if meant is not None:
            zeros = f"编码像是丢了前面的零，应为 {meant}。", f" It seems to have lost its leading zeros: {meant}."
            advice += zeros[not zh]
        elif item.item_code is not None and has_lost_digits(item.item_code):
            digits = "编码成了科学计数法，位数已经丢失。", " It came as a number whose digits are lost."
            advice += digits[not zh]
        no_rule, no_point, no_limits = (None, None, None, None), (None, None, None), (None, None)
        return self._written(
            number, item, item_name, no_rule, no_point, _UNKNOWN_CODE, no_limits, reason, message, advice, None,
        )  # fmt: skip

    def rule_missing(self, number: int, item: Item, rule_id: str, point: Point, match: Match) -> dict[str, Any]:
        """The finding of a line that a point covers whose rule is not loaded: whether the limit is kept nobody knows."""
        zh = self._language == "zh"
        reason, how = REASONS["rule_missing"][not zh], NOT_JUDGED["rule"][not zh].format(rule=rule_id)
        item_name = shown(item.item_name or point.name)
        message = (
            f"{item_name}：知识库中有规则 {rule_id} 的知识点，但没有载入这条规则，没有判断。"
            if zh
            else f"{item_name}: the knowledge base has a point of the rule {rule_id}, which is not loaded: not judged."
        )
        advice = (
            f"不能当作没有问题，请按知识点人工核对。{how}。"
            if zh
            else f"This is no pass: compare the point yourself. To have it judged: {how}."
        )
        told = (rule_id, None, rule_id, None), (point.point_id, self._evidence(point, item), match.matched_by)
        return self._written(
            number, item, item_name, *told, _RULE_MISSING, (None, None), reason, message, advice, None, national=match.national,
        )  # fmt: skip

    def _time_of(self, item: Item) -> datetime:
        return item.service_time or self._service_time

    def _evidence(self, point: Point, item: Item) -> str:
        return self._evidence_of(*point.published, self._language, self._as_of or self._time_of(item).date())

    def _line_name(self, number: int, line_id: str | None) -> str:
        if line_id is not None:
            return given_name(line_id)
        if self._made is None:
            self._made = made_names(self._items)
        return self._made[number]

    def _written(
        self, number: int, item: Item, item_name: str | None, rule: tuple[Any, ...], point: tuple[str | None, ...],
        answer: Answer, limits: tuple[str | None, ...], reason: str | None, message: str, advice: str, person: str | None,
        national: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A finding with its columns in order.

        `rule`: id, code, name, version; `point`: id, evidence, how it matched; `limits`: what was expected and found; `national`: what the
        line's own code stands for, by which it is judged.
        """
        line_id, code, _, quantity, amount, in_scope, *_ = item
        rule_id, rule_code, rule_name, rule_version = rule
        point_id, evidence, matched_by = point
        service_time = self._time_of(item).isoformat()
        time = service_time.replace("T", " ")
        if "." in time:
            # as DuckDB writes fractions
            time = time.rstrip("0")
        parts = (
            *self._places, self._line_name(number, line_id), code or "", time, quantity or "", amount or "", rule_id or "unknown_code",
        )  # fmt: skip
        if item.left is not None:
            quantity, amount, in_scope = item.left[:3]
        settlement_id, visit_id, patient_id, institution_id = self._head
        at_stake = amount if answer.at_stake is None else answer.at_stake
        return {
            "finding_id": hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest(),
            "line_id": line_id, "settlement_id": settlement_id, "visit_id": visit_id, "patient_id": patient_id,
            "institution_id": institution_id, "service_time": service_time, "item_code": national or code, "item_name": item_name,
            "rule_id": rule_id, "rule_code": rule_code, "rule_name": rule_name, "point_id": point_id, "matched_by": matched_by,
            "verdict": answer.verdict, "level": answer.level, "action": answer.action, "expected": limits[0], "actual": limits[1],
            "reason_code": answer.reason_code, "reason": reason, "exemption_id": answer.exemption_id, "remarks": list(answer.remarks),
            "scope": answer.scope, "related_lines": None if answer.related_lines is None else list(answer.related_lines),
            "amount_at_stake": None if at_stake is None else float(at_stake), "quantity": None if quantity is None else float(quantity),
            "amount": None if amount is None else float(amount), "amount_in_scope": None if in_scope is None else float(in_scope),
            "message": message, "advice": advice, "evidence": evidence, "kb_version": self._version, "rule_version": rule_version,
            "person": person, "source_file": None, "source_record": number + 1,
            "local_item_code": code if national else item.local_item_code, "local_item_name": item.local_item_name,
        }  # fmt: skip
