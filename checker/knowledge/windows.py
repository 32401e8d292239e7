"""How a published age window [年龄范围] reads as min ≤ age < max."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"岁": "year", "周岁": "year", "月": "month", "个月": "month", "天": "day", "日": "day"}
_UNIT = r"(周岁|岁|个月|月|天|日)"
_CLOSED = re.compile(rf"(\d+)-(\d+){_UNIT}")
_HALF_OPEN = re.compile(rf"(\d+){_UNIT}至<(\d+){_UNIT}")
_FROM = re.compile(rf">=(\d+){_UNIT}")

SHAPES = "2-11岁, 5岁至<12岁 or >=3岁"


@dataclass(frozen=True, slots=True)
class AgeWindow:
    """Whole-unit bounds; `maximum` is exclusive, and a bound that the text does not give is NULL with its unit."""

    minimum: int | None
    minimum_unit: str | None
    maximum: int | None
    maximum_unit: str | None


def read_window(text: str) -> AgeWindow | None:
    """Return the bounds of a published window, or None where its wording is not one of the known shapes.

    Source: the wordings of the first batch and its update; a closed range of whole years includes its last year.

    >>> read_window("2-11岁")
    AgeWindow(minimum=2, minimum_unit='year', maximum=12, maximum_unit='year')
    >>> read_window(">=3岁")
    AgeWindow(minimum=3, minimum_unit='year', maximum=None, maximum_unit=None)
    """
    if found := _CLOSED.fullmatch(text):
        low, high, unit = found.groups()
        return AgeWindow(int(low), _UNITS[unit], int(high) + 1, _UNITS[unit])
    if found := _HALF_OPEN.fullmatch(text):
        low, low_unit, high, high_unit = found.groups()
        return AgeWindow(int(low), _UNITS[low_unit], int(high), _UNITS[high_unit])
    if found := _FROM.fullmatch(text):
        return AgeWindow(int(found[1]), _UNITS[found[2]], None, None)
    return None
