"""Points that a change writes, held against what their lines are called: a family may be that of another item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from checker.change.impact_findings import CalledLines
from checker.knowledge.checks.families import is_related
from checker.knowledge.diff.compare import KnowledgeDiff


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A point of whose flagged lines most are called otherwise: how many there are, how many of them, and their most frequent name."""

    point_id: str
    item_name: str
    lines: int
    otherwise: int
    called: str


def misnamed(difference: KnowledgeDiff, called: Iterable[CalledLines]) -> tuple[Misnamed, ...]:
    """Return the points that the change adds or alters and that cover by a family lines which are mostly called otherwise."""
    own: dict[str, list[CalledLines]] = defaultdict(list)
    for each in called:
        own[each.point_id].append(each)
    found = []
    for change in (*difference.points("added"), *difference.points("changed")):
        point, lines = change.point, own.get(change.point.point_id, [])
        others = [each for each in lines if not is_related(point.item_name, each.item_name)]
        count, otherwise = (sum(each.lines for each in some) for some in (lines, others))
        if 2 * otherwise > count:
            most = max(others, key=lambda each: each.lines)
            found.append(Misnamed(point.point_id, point.item_name, count, otherwise, most.item_name))
    return tuple(found)
