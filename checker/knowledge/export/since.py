"""What an edition limits otherwise than an earlier one, point by point and code by code: 新增, 修改, 删除."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from checker.knowledge.export.lists import REMOVED
from checker.knowledge.merge.rows import CONTAINER
from checker.knowledge.rows import PatternRow, PointRow

ADDED, CHANGED = "新增", "修改"
CHANGES = (ADDED, CHANGED, REMOVED)
Patterns = Mapping[str, tuple[PatternRow, ...]]
"""The patterns of points by their ids."""

Covered = tuple[Any, ...]
"""What is limited by itself: rule, role, match and code, in pairs what contains it, and the place."""


@dataclass(frozen=True, slots=True)
class ChangedPoint:
    """A point that is new or changed, or of which codes are no longer limited; `codes` gives the kind of change of each pattern that changed."""

    point: PointRow
    change: str
    codes: Mapping[PatternRow, str]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two editions: its points and patterns."""

    points: tuple[PointRow, ...]
    patterns: Patterns


def changed_points(before: Side, after: Side, day: date) -> Iterator[ChangedPoint]:
    """Yield the points of `after` that limit anything anew or otherwise on `day`, and those of which a code is limited no longer, which may be of
    `before`; in the order of their ids.

    Ids, evidence and remarks do not count: two points that limit alike are one. A code that goes on in another point is changed, not removed.
    """
    old, new = _states(before, day), _states(after, day)
    found = [
        ChangedPoint(point, CHANGED if any(kind == CHANGED for kind in kinds.values()) else ADDED, kinds)
        for point in after.points
        if _holds(point, day)
        and (
            kinds := {
                pattern: CHANGED if key in old else ADDED
                for pattern, key in _keys(point, after.patterns)
                if _state(point) not in old.get(key, ())
            }
        )
    ]
    found = [replace(each, change=_of_whole(each, after.patterns)) for each in found]
    ended = {point.point_id: point for point in after.points if not _holds(point, day)}
    for point in before.points:
        gone = {pattern: REMOVED for pattern, key in _keys(point, before.patterns) if key not in new}
        if gone and _holds(point, day):
            found.append(ChangedPoint(ended.get(point.point_id, point), REMOVED, gone))
    return iter(sorted(found, key=lambda each: (each.point.rule_id, each.point.point_id, each.change)))


def _of_whole(each: ChangedPoint, patterns: Patterns) -> str:
    """A point is new where all that it covers is."""
    own = patterns[each.point.point_id]
    return ADDED if all(each.codes.get(pattern) == ADDED for pattern in own if pattern.role != CONTAINER) else CHANGED


def _states(side: Side, day: date) -> dict[Covered, set[tuple[Any, ...]]]:
    found: dict[Covered, set[tuple[Any, ...]]] = defaultdict(set)
    for point in side.points:
        if _holds(point, day):
            for _, key in _keys(point, side.patterns):
                found[key].add(_state(point))
    return found


def _holds(point: PointRow, day: date) -> bool:
    return point.valid_to is None or point.valid_to > day


def _keys(point: PointRow, patterns: Patterns) -> Iterable[tuple[PatternRow, Covered]]:
    own = patterns[point.point_id]
    within = tuple(sorted(pattern.code for pattern in own if pattern.role == CONTAINER))
    for pattern in own:
        if pattern.role != CONTAINER:
            yield (
                pattern,
                (point.rule_id, pattern.role, pattern.match, pattern.code, within, point.region, point.region_of),
            )


def _state(point: PointRow) -> tuple[Any, ...]:
    """How something is limited."""
    return (
        point.item_name, point.subject, point.valid_from, point.valid_to, point.level_cap, point.status, tuple(sorted(point.limits.items())),
    )  # fmt: skip
