"""The sex and the ages to which a point limits its item, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SEXES = {"male": ("限男性", "male only"), "female": ("限女性", "female only")}
_UNITS = {"year": ("岁", "years"), "month": ("个月", "months"), "day": ("天", "days")}


def say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    """Yield the limits that the point has, one after the other."""
    if limits.get("sex"):
        yield _SEXES[limits["sex"]][english]
    if limits.get("age_word"):
        yield limits["age_word"]
    if limits.get("age_text"):
        yield f"in its words “{limits['age_text']}”" if english else f"原文“{limits['age_text']}”"
    if limits.get("age_min") is not None or limits.get("age_max") is not None:
        bounds = (limits.get(name) for name in ("age_min", "age_min_unit", "age_max", "age_max_unit"))
        yield window_words(*bounds, english=english)


def window_words(
    low: int | None, low_unit: str | None, high: int | None, high_unit: str | None, *, english: bool
) -> str:
    """The ages of a window, of which one bound may be missing: 2 岁 ≤ 年龄 < 12 岁."""
    at_least = f"{low} {_unit(low_unit, english)} ≤ " if low is not None else ""
    below = f" < {high} {_unit(high_unit, english)}" if high is not None else ""
    return f"{at_least}{'age' if english else '年龄'}{below}"


def _unit(unit: str | None, english: bool) -> str:
    return _UNITS[unit][english] if unit in _UNITS else ""
