"""The coded reasons for continuing in spite of a finding, with their words in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody continued: the code that is stored, its words, and what the findings judge to which it is offered; "" is any."""

    code: str
    zh: str
    en: str
    judges: str = ""


PERSON = "person"
"""What rules judge whose shape names nothing else (checker.shapes.base.Shape.judges)."""
REASONS = (
    Reason("verified_person", "已核对用药人，确属限定人群", "Person checked: belongs to the group allowed", PERSON),
    Reason(
        "verified_terms", "已核对险种、就医方式、机构等级等，符合支付条件", "Insurance, care and institution checked: the terms of payment are met", "line",
    ),
    Reason("diagnosis_supports", "有诊断支持，已记录", "A diagnosis supports it and is on record"),
    Reason("relative_use", "为亲属代购，已改用其本人凭证", "Bought for a relative: now on that person's credential", PERSON),
    Reason("data_error", "系统登记信息有误", "Wrong data on record"),
    Reason("rule_wrong", "知识点或规则有误", "Point or rule is wrong"),
    Reason("emergency", "急诊抢救", "Emergency treatment"),
    Reason("self_paid", "已改为自费", "Changed to self-paid"),
    Reason("other", "其他（须写明）", "Other (to be written out)"),
)  # fmt: skip
"""In the order in which they are offered; whatever is offered, each is accepted of any finding."""

REASON_BY_CODE = {reason.code: reason for reason in REASONS}


def offered(judges: str) -> list[Reason]:
    """The reasons for going on in spite of a finding, by what it judges."""
    return [reason for reason in REASONS if reason.judges in ("", judges)]


RULE_WRONG = "rule_wrong"
"""The reason that speaks against the point itself, not for the person."""
