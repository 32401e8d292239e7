"""The query of a rule set, for those who judge in a warehouse of their own: from lines × points to verdicts, by the SQL that a scan runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checker.judge.candidates import one_finding
from checker.judge.compile import EXEMPTION_TYPE, FIRED_OUTPUTS, fired_sql, verdict_sql
from checker.model import sqltext
from checker.rulebook.plan import Plan
from checker.shapes import CANDIDATE_COLUMNS, SHAPES

CANDIDATE = "candidate"
WEIGHED = {
    "exemptions": EXEMPTION_TYPE, "diagnoses": "VARCHAR[]", "newborn_near": "BOOLEAN", "code_repaired": "BOOLEAN", "duplicate": "BOOLEAN",
    "partly_refunded": "BOOLEAN", "partly_reversed": "BOOLEAN", "falsely_reversed": "BOOLEAN", "reuploaded": "BOOLEAN",
}  # fmt: skip
"""What is weighed of candidates that fired, beside CANDIDATE_COLUMNS."""
_TOLD = (
    "line_no", "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "item_code", "item_name", "rule_id",
    "point_id", "matched_by",
)  # fmt: skip
"""What tells which line and point an answer is about."""
_HANDED_ON = (
    "on_date",
    "insured_region",
    "region",
    "level_cap",
    "point_remark",
    "person_unreadable",
    "time_fallback",
    "rule_no",
)
"""What else of a candidate the second step reads."""
_ANSWER = {
    "verdict": "verdict", "level": "level", "action": "action", "final_reason_code": "reason_code", "exemption_id": "exemption_id",
    "expected": "expected", "actual": "actual", "is_insured": "is_insured", "remarks": "remarks", "related_lines": "related_lines",
    "at_stake": "at_stake", "finding_scope": "finding_scope",
}  # fmt: skip
"""What the query answers, and under which name."""


@dataclass(frozen=True, slots=True)
class RulesQuery:
    """SQL of DuckDB, and the relations that it reads: by name the columns and their types."""

    sql: str
    relations: Mapping[str, Mapping[str, str]]


def rules_query(plan: Plan, *, stage: str) -> RulesQuery:
    """The query of the rules of a plan at a stage (before, after). Rows that are clean, or whose point is not in force on the day, are left out."""
    numbers = " ".join(f"WHEN {sqltext.text(rule.id)} THEN {number}" for number, rule in enumerate(plan.rules))
    ids = sqltext.texts(rule.id for rule in plan.rules)
    parts: list[str] = []
    relations: dict[str, Mapping[str, str]] = {}
    fired: list[str] = []
    for shape in SHAPES:
        if not (rules := plan.numbers_of(shape.id)):
            continue
        chosen = f"SELECT * FROM numbered WHERE rule_no IN ({', '.join(map(str, rules))})"
        sql = fired_sql(plan, shape, chosen, contested=True)
        parts.append(f"fired_{shape.id} AS ({one_finding(sql) if shape.each_point else sql})")
        relations |= shape.relations
        kept = dict.fromkeys((*_TOLD, *_HANDED_ON, *WEIGHED, *FIRED_OUTPUTS))
        fired.append(f"SELECT {', '.join(kept)} FROM fired_{shape.id}")
    parts.append(f"fired AS ({' UNION ALL '.join(fired)})")
    judged = verdict_sql(plan, "SELECT * FROM fired", stage=stage, rules=range(len(plan.rules)))
    answer = ", ".join((*_TOLD, *(f"{name} AS {told}" if name != told else name for name, told in _ANSWER.items())))
    query = f"{', '.join(parts)} SELECT {answer} FROM ({judged})"
    read = set(re.findall(r"\w+", query))
    columns = {
        name: type_ for name, type_ in (CANDIDATE_COLUMNS | WEIGHED).items() if name in read and name != "rule_no"
    }
    # Named one by one: a candidate may have more of them, numbers of rules in another order too.
    numbered = (
        f"SELECT {', '.join(columns)}, CASE rule_id {numbers} END AS rule_no FROM {CANDIDATE} WHERE rule_id IN ({ids})"
    )
    return RulesQuery(f"WITH numbered AS ({numbered}), {query}", {CANDIDATE: columns, **relations})
