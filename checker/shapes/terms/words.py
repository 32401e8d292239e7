"""The terms on which a point has its item paid, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checker.model.words import INSURANCE_GROUPS, RANKS, RANKS_FROM, care_words

_CASES = {"first_prescription": "first", "eye": "eye"}
"""The special cases of a rank in the words of RANKS_FROM."""


def say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    """Yield the terms of a point, one after the other."""
    if limits.get("insurance"):
        insurance = INSURANCE_GROUPS[limits["insurance"]][english]
        yield f"paid by {insurance} only" if english else f"限{insurance}支付"
    if limits.get("care_groups"):
        care = care_words(limits["care_groups"], english=english)
        yield f"paid in this care only: {care}" if english else f"限{care}"
    if limits.get("min_rank") is not None:
        yield _place(int(limits["min_rank"]), limits.get("rank_case"), english)
    if limits.get("barred_channel"):
        yield "not paid when prescribed online" if english else "互联网诊疗不予支付"
    if limits.get("never_paid"):
        yield "never paid" if english else "均不予支付"


def _place(least: int, case: str | None, english: bool) -> str:
    """The institutions that are meant by the lowest rank and its case."""
    told = RANKS_FROM[_CASES.get(case or "", "")][english].format(RANKS[least][english])
    if case == "first_prescription":
        return told
    return f"only at {told}" if english else f"限{told}"
