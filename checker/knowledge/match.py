"""When an exemption's items concern a point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.knowledge.names import item_key
from checker.knowledge.rows import ExemptionItemRow, PatternRow, PointRow


def exemption_fits(items: Sequence[ExemptionItemRow], point: PointRow, patterns: Iterable[PatternRow]) -> bool:
    """Whether some line that the point judges could be one of the items; no items mean every item of the rule.

    A code or family fits where it and a pattern of the point have a code in common, a name where the point has it.
    """
    if not items:
        return True
    prefixes = [(pattern.match, pattern.code) for pattern in patterns]
    return any(
        item_key(item.value) == item_key(point.item_name)
        if item.match == "name"
        else any(_meet((item.match, item.value), prefix) for prefix in prefixes)
        for item in items
    )


def _meet(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two patterns have a code in common: equal codes, or a family that begins the other."""
    (one_match, one_code), (other_match, other_code) = one, other
    if one_match == "code" and other_match == "code":
        return one_code == other_code
    if one_match == "code":
        return one_code.startswith(other_code)
    if other_match == "code":
        return other_code.startswith(one_code)
    return one_code.startswith(other_code) or other_code.startswith(one_code)
