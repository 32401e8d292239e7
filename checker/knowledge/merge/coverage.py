"""What a list does to whole families: taken over with other limits, given as exact codes, or no longer covered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checker.knowledge.codes import family_of
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY, Cover
from checker.knowledge.merge.families import Mixed
from checker.knowledge.merge.meeting import Entry, Meeting
from checker.knowledge.merge.merge_decisions import Fate, Seats
from checker.knowledge.rows import PatternRow, PointRow

Fated = tuple[PointRow, PatternRow, Fate, Sequence[Entry]]
"""A pattern of a point, what becomes of it, and the entries that list it, nearest first."""


@dataclass(frozen=True, slots=True)
class TakenFamily:
    """A family of which a list names codes with other limits: its point ended, and the new one covers the whole family.

    `listed` counts the codes that the list names, `published` those that were published before.
    """

    family: str
    item_name: str
    before: str
    point_id: str
    listed: int
    published: int


@dataclass(frozen=True, slots=True)
class ExactFamily:
    """A family of which a new point covers exact codes, as the rule does not limit all of it alike.

    `others` are the other items in it whose names are known: none where one item is limited in several ways, or where an edition shows by
    exact codes of its own that there are some.
    """

    family: str
    item_name: str
    point_id: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LostCover:
    """A family that a point covered, and of which only the listed codes are covered after the list; so many were published."""

    point_id: str
    item_name: str
    match: str
    code: str
    published_codes: int


def taken_families(fates: Iterable[Fated], seats: Seats) -> tuple[TakenFamily, ...]:
    """Return the families that went to a point with other limits, sorted."""
    found = {
        TakenFamily(
            pattern.code,
            met[0].item.item_name,
            point.point_id,
            seats.home[met[0]],
            len({code for entry in met for code in entry.codes}),
            pattern.published_codes,
        )
        for point, pattern, fate, met in fates
        if fate is Fate.FOLLOWED and pattern.match == BY_FAMILY and met[0].cover.match == BY_FAMILY
    }
    return tuple(sorted(found, key=lambda taken: (taken.family, taken.before)))


def exact_families(meeting: Meeting, seats: Seats, mixed: Mixed) -> tuple[ExactFamily, ...]:
    """Return the families that would have been covered whole, had they no other items in them."""
    found = {
        ExactFamily(
            family,
            entry.item.item_name,
            point_id,
            tuple(name for name in mixed[family] if name != entry.item.item_name),
        )
        for point_id, entries in seats.beginning.items()
        for entry in entries
        if entry.cover.match == BY_CODE
        and (family := family_of(entry.cover.code)) is not None
        and family in mixed
        and meeting.wants_family(family)
    }
    return tuple(sorted(found, key=lambda exact: (exact.family, exact.point_id)))


def lost_covers(meeting: Meeting, fates: Sequence[Fated]) -> tuple[LostCover, ...]:
    """Return the families that points covered and that nothing of the rule covers afterwards, though the list names codes of them."""
    kept = {Cover(pattern.match, pattern.code) for _, pattern, fate, _ in fates if fate.stays}
    covered = kept.union(entry.cover for entry in meeting.entries)
    found = (
        LostCover(point.point_id, point.item_name, pattern.match, pattern.code, pattern.published_codes)
        for point, pattern, fate, _ in fates
        if fate is Fate.FOLLOWED and point.status == "active" and pattern.match == BY_FAMILY
        if Cover(pattern.match, pattern.code) not in covered
    )
    return tuple(sorted(found, key=lambda lost: (lost.code, lost.point_id)))
