"""What an edition limits otherwise than an earlier one, point by point and code by code: 新增, 修改, 删除."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from checker.knowledge.codes import family_of
from checker.knowledge.export.lists import REMOVED
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY
from checker.knowledge.merge.rows import CONTAINER
from checker.knowledge.rows import PatternRow, PointRow

ADDED, CHANGED = "新增", "修改"
CHANGES = (ADDED, CHANGED, REMOVED)
Patterns = Mapping[str, tuple[PatternRow, ...]]
"""The patterns of points by their ids."""


class Covered(NamedTuple):
    """What is limited by itself: a code or family of a rule in a role, in pairs with what contains it, somewhere."""

    rule_id: str
    role: str
    match: str
    code: str
    within: tuple[str, ...]
    region: str | None
    region_of: str | None

    def family(self) -> Covered | None:
        """The family of an exact code; None for a family itself and for a code without one."""
        family = family_of(self.code) if self.match == BY_CODE else None
        return None if family is None else self._replace(match=BY_FAMILY, code=family)


@dataclass(frozen=True, slots=True)
class ChangedPoint:
    """A point that is new or changed, or of which something no longer stands; `codes` gives the kind of change of each pattern that changed.

    What is `elsewhere` stands no longer here but is limited by another pattern: the family of a code, or another point.
    """

    point: PointRow
    change: str
    codes: Mapping[PatternRow, str]
    elsewhere: frozenset[PatternRow] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two editions: its points and patterns."""

    points: tuple[PointRow, ...]
    patterns: Patterns


def changed_points(before: Side, after: Side, day: date) -> list[ChangedPoint]:
    """Return the points of `after` that limit anything anew or otherwise on `day`, and those of which something stands no longer, which may be of
    `before`; in the order of their ids.

    Ids, evidence and remarks do not count: two points that limit alike are one. A code that goes on in another point is changed, not removed,
    and so is a family of which codes were limited, or a code whose family was.
    """
    old, new = _states(before, day), _states(after, day)
    begun = {family for key in old if (family := key.family()) is not None}
    found = []
    for point in after.points:
        kinds = {
            pattern: CHANGED if key in old or key in begun or key.family() in old else ADDED
            for pattern, key in _keys(point, after.patterns)
            if _holds(point, day) and _state(point) not in old.get(key, ())
        }
        if kinds:
            found.append(ChangedPoint(point, _of_whole(kinds, after.patterns[point.point_id]), kinds))
    ended = {point.point_id: point for point in after.points if not _holds(point, day)}
    for point in before.points:
        gone = {
            pattern: key
            for pattern, key in _keys(point, before.patterns)
            # Where something new is said of the same, that tells of the change.
            if _holds(point, day) and _state(point) not in new.get(key, ()) and not new.get(key, set()) - old[key]
        }
        elsewhere = frozenset(pattern for pattern, key in gone.items() if key in new or key.family() in new)
        if gone:
            of = ended.get(point.point_id, point)
            found.append(ChangedPoint(of, REMOVED, dict.fromkeys(gone, REMOVED), elsewhere))
    return sorted(found, key=lambda each: (each.point.rule_id, each.point.point_id, each.change))


def _of_whole(kinds: Mapping[PatternRow, str], own: Iterable[PatternRow]) -> str:
    """A point is new where all that it covers is."""
    return ADDED if all(kinds.get(pattern) == ADDED for pattern in own if pattern.role != CONTAINER) else CHANGED


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
                Covered(
                    point.rule_id, pattern.role, pattern.match, pattern.code, within, point.region, point.region_of
                ),
            )


def _state(point: PointRow) -> tuple[Any, ...]:
    """How something is limited."""
    return (
        point.item_name, point.subject, point.valid_from, point.valid_to, point.level_cap, point.status, tuple(sorted(point.limits.items())),
    )  # fmt: skip
