"""How the words of a rule file read, in Chinese and in English."""

from __future__ import annotations

TIERS = {"合理使用": "rational use", "政策限定": "policy limit", "管理规范": "management rule"}
TIER_GROUPS = {"政策类": "policy", "管理类": "management", "医疗类": "medical"}
STAGES = {"before": ("事前", "before"), "during": ("事中", "during"), "after": ("事后", "after")}
STATUSES = {
    "preview": ("试行", "preview"),
    "shadow": ("影子，只计数不提示", "shadow, counted but never shown at the counter"),
    "stable": ("正式", "stable"),
    "deprecated": ("不再使用", "deprecated"),
}
MESSAGES = {
    "violation": ("违规", "Violation"),
    "undetermined": ("无法判断", "Undetermined"),
    "advice": ("建议", "Advice"),
}
CLAUSES = {
    "clause.violated": ("违规条件", "a violation where"),
    "clause.lower": ("降一级的条件", "one level lower where"),
    "clause.notice": ("最多为提示的条件", "at most a notice where"),
    "evidence.expected": ("疑点中的“应为”", "what a finding gives as the limit"),
    "evidence.actual": ("疑点中的“实为”", "what a finding gives as found"),
    "evidence.at_stake": ("违规金额（万分之一元）", "the amount at stake, in ten-thousandths of a yuan"),
}
