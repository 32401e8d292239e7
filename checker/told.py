"""A finding in words at the counter: what checker.compile.finding_sql writes for a scan, for one answer of the clauses."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from checker.compile import ENGLISH_VALUES, PERSONS, REASONS
from checker.plan import RulePlan
from checker.pointindex import Point
from checker.prescription import Item, Prescription
from checker.schema import FINDING_COLUMNS
from checker.statements import Answer

_NO_FINDING = dict[str, Any].fromkeys(FINDING_COLUMNS)


class Teller:
    """Puts the findings of one prescription into words of a language. `version` is that of the knowledge."""

    def __init__(self, prescription: Prescription, *, language: str, version: str) -> None:
        facts = prescription.facts
        self._language = language
        self._day = prescription.service_time.date().isoformat()
        self._places = (
            facts.get("institution_id") or "",
            facts.get("settlement_id") or "",
            facts.get("visit_id") or "",
        )
        time = prescription.service_time.isoformat(sep=" ")
        # as DuckDB writes fractions
        self._time = time.rstrip("0") if "." in time else time
        self._head = _NO_FINDING | {
            "scope": "line", "settlement_id": facts.get("settlement_id"), "visit_id": facts.get("visit_id"),
            "patient_id": facts.get("patient_id"), "institution_id": facts.get("institution_id"),
            "service_time": prescription.service_time.isoformat(), "kb_version": version,
        }  # fmt: skip

    def finding(
        self, number: int, item: Item, rule: RulePlan, point: Point, matched_by: str, answer: Answer
    ) -> dict[str, Any]:
        """The finding of one line (its place in the prescription) for one rule and point."""
        language = self._language
        reason = REASONS[language][answer.reason_code] if answer.reason_code else None
        violation, undetermined, advice = rule.messages(language)
        name, person = rule.name(language), PERSONS[language][not answer.is_insured]
        item_name = item.item_name or point.name
        words = {
            "item_name": item_name, "item_code": item.item_code or "", "expected": in_words(answer.expected, language),
            "actual": in_words(answer.actual, language), "person": person, "reason": reason or "",
            "point_id": point.point_id, "service_date": self._day, "rule_name": name,
        }  # fmt: skip
        found = self._of_line(number, item, rule.id)
        found |= {
            "item_name": item_name, "rule_id": rule.id, "rule_code": rule.code, "rule_name": name,
            "point_id": point.point_id, "matched_by": matched_by, "verdict": answer.verdict, "level": answer.level,
            "action": answer.action, "expected": answer.expected, "actual": answer.actual, "reason_code": answer.reason_code,
            "reason": reason, "exemption_id": answer.exemption_id, "remarks": list(answer.remarks),
            "message": _fill(undetermined if answer.verdict == "undetermined" else violation, words), "advice": _fill(advice, words),
            "evidence": point.evidence, "rule_version": rule.version, "person": person,
        }  # fmt: skip
        return found

    def unknown_code(self, number: int, item: Item) -> dict[str, Any]:
        """The finding of a line that has no national code: no rule can look at it."""
        zh = self._language == "zh"
        reason = REASONS[self._language]["unknown_code"]
        found = self._of_line(number, item, "unknown_code")
        found |= {
            "verdict": "undetermined", "action": "note", "reason_code": "unknown_code", "reason": reason, "remarks": [],
            "message": f"{item.item_name or item.item_code or item.line_id}{'：' if zh else ': '}{reason}",
            "advice": "请核对项目编码，填写国家医保编码后再查。" if zh else "Check the item code and give the national one.",
        }  # fmt: skip
        return found

    def _of_line(self, number: int, item: Item, rule_id: str) -> dict[str, Any]:
        """A finding with what the prescription and the line say, the rest still None."""
        parts = (
            *self._places, item.line_id or f"\x1e{number + 1}", item.item_code or "", self._time, item.quantity or "",
            item.amount or "", rule_id,
        )  # fmt: skip
        left = item.left or item
        found = self._head.copy()
        found |= {
            "finding_id": hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest(),
            "line_id": item.line_id, "item_code": item.item_code, "item_name": item.item_name, "quantity": _number(left.quantity),
            "amount": _number(left.amount), "amount_in_scope": _number(left.amount_in_scope), "source_record": number + 1,
        }  # fmt: skip
        return found


def in_words(value: str | None, language: str) -> str:
    """What was expected or found, as it reads within a message."""
    said = value or ""
    if said and language == "en":
        for chinese, english in ENGLISH_VALUES:
            said = said.replace(chinese, english)
    return said


def _fill(template: str, words: Mapping[str, str]) -> str:
    # What is not text must fail: it is not to be told as the word None.
    return "".join([words[part] if is_name else part for is_name, part in _parts(template)])


@functools.cache
def _parts(template: str) -> list[tuple[bool, str]]:
    """Text and names of placeholders in turn, and whether each is a name."""
    return [(number % 2 == 1, part) for number, part in enumerate(re.split(r"\{(\w+)\}", template)) if part]


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
