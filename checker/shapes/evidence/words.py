"""What must speak for an item, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_CATEGORY = 3


def say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    """Yield what a point asks for, one after the other."""
    between = ", " if english else "、"
    if limits.get("indications"):
        codes = between.join(_in_ranges(limits["indications"].split("|")))
        yield f"paid for with these diagnoses: {codes}" if english else f"限诊断 {codes}"
    if limits.get("drug_class"):
        classes = between.join(limits["drug_class"].split("|"))
        yield f"paid for after other drugs of its class ({classes})" if english else f"限二线用药（类别 {classes}）"
    if limits.get("to_check"):
        yield f"to check: {limits['to_check']}" if english else f"需核对：{limits['to_check']}"


def _in_ranges(codes: Iterable[str]) -> Iterator[str]:
    """Codes in their order, categories that follow each other as a range.

    >>> list(_in_ranges(["C00", "C01", "C02", "E11", "E12", "K21.0"]))
    ['C00–C02', 'E11', 'E12', 'K21.0']
    """
    row: list[str] = []
    for code in codes:
        if not (row and _follows(row[-1], code)):
            yield from _told(row)
            row = []
        row.append(code)
    yield from _told(row)


def _told(row: Sequence[str]) -> Sequence[str]:
    return row if len(row) < 3 else (f"{row[0]}–{row[-1]}",)


def _follows(one: str, other: str) -> bool:
    """Whether a category is the next one of its letter."""
    both = len(one) == len(other) == _CATEGORY and one[0] == other[0] and one[1:].isdigit() and other[1:].isdigit()
    return both and int(other[1:]) == int(one[1:]) + 1
