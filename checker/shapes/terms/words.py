"""The terms on which a point has its item paid, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checker.model.words import CARE_GROUPS, INSURANCE_GROUPS, RANKS

_CASES = {
    "first_prescription": ("只限首次处方", "for the first prescription only"),
    "eye": ("三级医院眼科或二级以上眼科专科", "an eye department of level 3 or an eye hospital of level 2"),
}


def say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    """Yield the terms of a point, one after the other."""
    if limits.get("insurance"):
        insurance = INSURANCE_GROUPS[limits["insurance"]][english]
        yield f"paid by {insurance} only" if english else f"限{insurance}支付"
    if limits.get("care_groups"):
        care = care_words(limits["care_groups"], english)
        yield f"paid for {care} care only" if english else f"限{care}"
    if limits.get("min_rank") is not None:
        rank = RANKS[int(limits["min_rank"])][english]
        yield f"{rank} and above" if english else f"限{rank}及以上医疗机构"
    if limits.get("rank_case"):
        yield _CASES[limits["rank_case"]][english]
    if limits.get("barred_channel"):
        yield "not paid when prescribed online" if english else "互联网诊疗不予支付"
    if limits.get("never_paid"):
        yield "never paid" if english else "不予支付"


def care_words(groups: str, english: bool) -> str:
    """The groups of care joined by | in words: 急诊或住院."""
    named = (CARE_GROUPS[group][english] if group in CARE_GROUPS else group for group in groups.split("|"))
    return (" or " if english else "或").join(named)
