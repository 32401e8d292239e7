"""Findings of a scan in words: the verdicts of checker.judge.compile with rule, message, advice and evidence as one SELECT."""

from __future__ import annotations

import re
from collections.abc import Callable

from checker.judge.compile import verdict_sql
from checker.model import sqltext
from checker.model.words import ENGLISH_VALUES, PERSONS, REASONS
from checker.rulebook.plan import Plan, RulePlan
from checker.shapes import BY_ID

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FILLS = {
    "item_name": "coalesce(item_name, point_name)", "item_code": "item_code", "expected": "expected", "actual": "actual",
    "person": "person", "reason": "reason", "point_id": "point_id", "service_date": "CAST(service_date AS VARCHAR)",
}  # fmt: skip


def finding_sql(plan: Plan, fired: str, *, stage: str, language: str, kb_version: str) -> str:
    """SQL of findings in words, columns as in checker.model.schema.FINDING_COLUMNS and `line_no`.

    `fired` as in `verdict_sql`, with all LINE_COLUMNS, the point's document, batch and source_rows, and quantity, amount,
    amount_in_scope (net of refunds). checker.precheck.counter puts the same words to one prescription.
    """
    reasons = REASONS[language]
    reason = " ".join(f"WHEN {sqltext.text(code)} THEN {sqltext.text(words)}" for code, words in reasons.items())
    insured, patient = PERSONS[language]
    return f"""
WITH told AS (
  SELECT *, CASE WHEN is_insured THEN {sqltext.text(insured)} ELSE {sqltext.text(patient)} END AS person,
    CASE final_reason_code {reason} END AS reason,
    {_by_rule(plan, lambda rule: sqltext.text(rule.name(language)))} AS rule_name
  FROM ({verdict_sql(plan, fired, stage=stage)})
)
SELECT line_no,
  md5(concat_ws(chr(31), coalesce(institution_id, ''), coalesce(settlement_id, ''), coalesce(visit_id, ''),
    coalesce(line_id, source_file || chr(30) || CAST(source_record AS VARCHAR), ''), item_code, CAST(service_time AS VARCHAR),
    coalesce(CAST(gross_quantity AS VARCHAR), ''), coalesce(CAST(gross_amount AS VARCHAR), ''),
    {_by_rule(plan, lambda rule: sqltext.text(rule.id))})) AS finding_id,
  line_id, settlement_id, visit_id, patient_id, institution_id, service_time, item_code, coalesce(item_name, point_name) AS item_name,
  {_by_rule(plan, lambda rule: sqltext.text(rule.id))} AS rule_id,
  {_by_rule(plan, lambda rule: sqltext.text(rule.code) if rule.code else "CAST(NULL AS VARCHAR)")} AS rule_code,
  rule_name, point_id, matched_by, verdict, level, action, expected, actual, final_reason_code AS reason_code, reason,
  exemption_id, remarks, {_by_rule(plan, lambda rule: sqltext.text(BY_ID[rule.shape].scope))} AS scope, related_lines,
  amount AS amount_at_stake, quantity, amount, amount_in_scope,
  CASE verdict WHEN 'undetermined' THEN {_by_rule(plan, lambda rule: _words(rule.messages(language)[1], language))}
    ELSE {_by_rule(plan, lambda rule: _words(rule.messages(language)[0], language))} END AS message,
  {_by_rule(plan, lambda rule: _words(rule.messages(language)[2], language))} AS advice,
  concat_ws('；', document, '批次 ' || batch, source_rows) AS evidence,
  {sqltext.text(kb_version)} AS kb_version,
  CAST({_by_rule(plan, lambda rule: str(rule.version))} AS INTEGER) AS rule_version,
  person, source_file, source_record
FROM told"""


def _by_rule(plan: Plan, part: Callable[[RulePlan], str]) -> str:
    """SQL of what the row's rule has of a part; NULL where the plan has no rules."""
    arms = " ".join(f"WHEN {number} THEN {part(rule)}" for number, rule in enumerate(plan.rules))
    return f"CASE rule_no {arms} END" if arms else "CAST(NULL AS VARCHAR)"


def _words(template: str, language: str) -> str:
    """SQL that fills the placeholders of a message; the loader has checked that each is known."""
    parts: list[str] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        parts.append(sqltext.text(template[end : match.start()]))
        fill = match.group(1)
        value = "rule_name" if fill == "rule_name" else f"coalesce({_FILLS[fill]}, '')"
        if language == "en" and fill in ("expected", "actual"):
            for chinese, english in ENGLISH_VALUES:
                value = f"replace({value}, {sqltext.text(chinese)}, {sqltext.text(english)})"
        parts.append(value)
        end = match.end()
    parts.append(sqltext.text(template[end:]))
    return f"concat({', '.join(part for part in parts if part != sqltext.text(''))})"
