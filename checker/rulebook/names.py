"""How the words of a rule file read, in Chinese and in English."""

from __future__ import annotations

TIERS = {"合理使用": "rational use", "政策限定": "policy limit"}
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
}
FACTS = {
    "person_sex": ("性别", "sex"),
    "age_years": ("服务日期的年龄（由出生日期推算，没有出生日期时用登记的年龄）", "age on the service date, from the birth date or else the age on record"),
    "age_days_at_visit_start": ("就诊或住院开始时的年龄", "age when the visit or stay began"),
}  # fmt: skip
"""What a clause needs to know of the person, by base column."""
FACT_OF = {
    "person_sex": "person_sex", "age_years": "age_years", "age_months": "age_years", "age_days": "age_years",
    "under_age_min": "age_years", "over_age_max": "age_years", "age_days_at_visit_start": "age_days_at_visit_start",
}  # fmt: skip
"""Which of FACTS a base column carries."""
LIMITS = {
    "sex": ("限定的性别", "the sex to which the item is limited"),
    "age_word": (
        "公布的年龄用词：新生儿、婴儿、婴幼儿、儿童、小儿",
        "the word for the age: 新生儿, 婴儿, 婴幼儿, 儿童 or 小儿",
    ),
    "age_text": ("公布的年龄范围，如 2-11岁", "the age window as published, such as 2-11岁"),
    "age_min": ("年龄下限（含）", "lower bound of the age"),
    "age_min_unit": ("下限的单位", "its unit"),
    "age_max": ("年龄上限（不含）", "upper bound of the age, exclusive"),
    "age_max_unit": ("上限的单位", "its unit"),
}
"""The limit columns of a knowledge point."""
LIMITS_OF = {
    "point_sex": ("sex",), "age_word": ("age_word",), "age_text": ("age_text",), "age_min": ("age_min",),
    "age_min_unit": ("age_min_unit",), "age_max": ("age_max",), "age_max_unit": ("age_max_unit",), "has_age_max": ("age_max", "age_max_unit"),
    "under_age_min": ("age_min", "age_min_unit"), "over_age_max": ("age_max", "age_max_unit"),
}  # fmt: skip
"""Which of LIMITS a base column is made of."""
