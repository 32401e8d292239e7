"""The coded reasons for continuing in spite of a finding, with their words in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody continued: the code that is stored, and its words."""

    code: str
    zh: str
    en: str


REASONS = (
    Reason("verified_person", "已核对用药人，确属限定人群", "Person checked: belongs to the group allowed"),
    Reason("diagnosis_supports", "有诊断支持，已记录", "A diagnosis supports it and is on record"),
    Reason("relative_use", "为亲属代购，已改用其本人凭证", "Bought for a relative: now on that person's credential"),
    Reason("data_error", "系统登记信息有误", "Wrong data on record"),
    Reason("rule_wrong", "知识点或规则有误", "Point or rule is wrong"),
    Reason("emergency", "急诊抢救", "Emergency treatment"),
    Reason("self_paid", "已改为自费", "Changed to self-paid"),
    Reason("other", "其他（须写明）", "Other (to be written out)"),
)  # fmt: skip
"""In the order in which they are offered."""

REASON_BY_CODE = {reason.code: reason for reason in REASONS}
RULE_WRONG = "rule_wrong"
"""The reason that speaks against the point itself, not for the person."""
