"""Which entries of a published list meet which patterns of the points in its reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from checker.knowledge.codes import family_of
from checker.knowledge.merge.covers import (
    BY_CODE,
    BY_FAMILY,
    Cover,
    Limit,
    apart_of,
    codes_by_family,
    covers,
    limit_of_point,
    limits_of,
)
from checker.knowledge.names import item_key
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.remarks import year_not_listed

_item_key = lru_cache(maxsize=1 << 16)(item_key)


@dataclass(frozen=True, slots=True)
class PublishedList:
    """The items that one notice publishes for one rule, in force from `day`, everywhere or in one region.

    `cover` says whether new points cover the exact codes or their families. `unread` are items whose limits could not be
    read: what they name neither begins nor ends.
    """

    rule_id: str
    batch: str
    day: date
    items: tuple[PublishedItem, ...]
    cover: str = BY_CODE
    region: str | None = None
    region_of: str | None = None
    unread: tuple[PublishedItem, ...] = ()

    def reaches(self, point: PointRow) -> bool:
        """Whether the list has a say about the point: same rule and region, in force on its day."""
        return (
            self.shares_place(point)
            and point.valid_from <= self.day
            and (point.valid_to is None or self.day < point.valid_to)
        )

    def shares_place(self, point: PointRow) -> bool:
        """Whether the point is of the same rule and region, in force or not."""
        return point.rule_id == self.rule_id and (point.region, point.region_of) == (self.region, self.region_of)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One cover of one item of the list, with the codes that it stands for; `number` orders the items, `apart` tells it from others of its code."""

    number: int
    item: PublishedItem
    limit: Limit
    cover: Cover
    codes: frozenset[str]
    apart: Limit = frozenset()


def is_demoted(point: PointRow) -> bool:
    """Whether the point is at notice because a list did not name it."""
    return point.level_cap == "notice" and year_not_listed(point.remark or "") is not None


class Meeting:
    """A list held against points; `own` gives the patterns of each point by its id, `containers` what its item is a part of.

    Raises KnowledgeError that names every limit of the list that cannot be read.
    """

    def __init__(
        self,
        published: PublishedList,
        points: Sequence[PointRow],
        own: Mapping[str, Sequence[PatternRow]],
        mixed: Collection[str],
        containers: Mapping[str, Sequence[PatternRow]],
    ) -> None:
        self._mixed = mixed
        self._unread = {code for item in published.unread for code in item.codes}
        self._unread |= {family for item in published.unread for family in codes_by_family(item)}
        self._by_family_too = published.cover == BY_FAMILY
        self._held_families = {
            pattern.code
            for point in points
            if point.status == "active"
            for pattern in own[point.point_id]
            if pattern.match == BY_FAMILY
        }
        exact = self._unread.union(mixed)
        items = sorted(published.items, key=lambda item: (item.seq, item.source_row))
        limits = limits_of(items)
        self.entries = [
            Entry(number, item, limit, cover, codes, apart_of(limit, item.containers))
            for number, (item, limit) in enumerate(zip(items, limits, strict=True))
            for cover, codes in sorted(covers(item, published.cover, exact, self._held_families).items())
        ]
        self._by_code: dict[str, list[Entry]] = defaultdict(list)
        self._by_family: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            for code in entry.codes:
                self._by_code[code].append(entry)
            if (family := _family(entry.cover)) is not None:
                self._by_family[family].append(entry)
        self._limit = {point.point_id: limit_of_point(point) for point in points}
        self._apart = {
            point_id: apart_of(limit, [pattern.code for pattern in containers.get(point_id, ())])
            for point_id, limit in self._limit.items()
        }
        self._held: dict[Cover, list[PointRow]] = defaultdict(list)
        self._counted: dict[tuple[Cover, Limit], int] = defaultdict(int)
        for point in points:
            for pattern in own[point.point_id]:
                cover = Cover(pattern.match, pattern.code)
                self._held[cover].append(point)
                self._counted[cover, self._limit[point.point_id]] += pattern.published_codes

    def met(self, point: PointRow, pattern: PatternRow) -> list[Entry]:
        """Return the entries that list what the pattern covers, nearest in name first.

        In a family of several items, a family pattern is listed by its own item only.
        """
        if pattern.match == BY_CODE:
            found = self._by_code.get(pattern.code, [])
        else:
            found = [entry for entry in self._by_family.get(pattern.code, []) if self._fits(point, entry)]
        found = [entry for entry in found if entry.apart == self._apart[point.point_id]]
        if len(found) < 2:
            return list(found)
        return sorted(
            found, key=lambda entry: (*_strangeness(point, entry.item), entry.number, entry.cover)
        )  # fmt: skip

    def stands(self, point: PointRow, entry: Entry) -> bool:
        """Whether the point says what the entry says: equal limits, in full, up to the same day."""
        return (
            self._limit[point.point_id] == entry.limit
            and self._apart[point.point_id] == entry.apart
            and point.valid_to == entry.item.ends
            and point.status == entry.item.status
            and not is_demoted(point)
        )

    def names_family(self, pattern: PatternRow) -> bool:
        """Whether the list names the family of an exact code that it does not list; never for a family of several items."""
        family = family_of(pattern.code)
        return (
            pattern.match == BY_CODE and family is not None and family not in self._mixed and family in self._by_family
        )

    def wants_family(self, family: str) -> bool:
        """Whether codes of the family are covered by family, unless it holds several items: as was asked, or as points do already."""
        return self._by_family_too or family in self._held_families

    def names_unread(self, pattern: PatternRow) -> bool:
        """Whether an item whose limits could not be read names what the pattern covers, or another code of its family."""
        family = family_of(pattern.code) if pattern.match == BY_CODE else None
        return pattern.code in self._unread or (family in self._unread and family not in self._mixed)

    def holder(self, entry: Entry) -> tuple[PointRow, Cover] | None:
        """Return the point that already says what the entry says, nearest in name first, and by which of its patterns."""
        ways = [entry.cover]
        if entry.cover.match == BY_CODE and (family := family_of(entry.cover.code)) is not None:
            ways.append(Cover(BY_FAMILY, family))
        for cover in ways:
            found = [
                point
                for point in self._held.get(cover, ())
                if self.stands(point, entry) and (cover == entry.cover or self._fits(point, entry))
            ]
            if found:
                nearest = min(
                    found, key=lambda point: (*_strangeness(point, entry.item), point.valid_from, point.point_id)
                )  # fmt: skip
                return nearest, cover
        return None

    def counted(self, cover: Cover, limit: Limit) -> int:
        """How many published codes the points of this limit count under the pattern."""
        return self._counted.get((cover, limit), 0)

    def _fits(self, point: PointRow, entry: Entry) -> bool:
        family = _family(entry.cover)
        return family not in self._mixed or _item_key(point.item_name) == _item_key(entry.item.item_name)


def _family(cover: Cover) -> str | None:
    return cover.code if cover.match == BY_FAMILY else family_of(cover.code)


def _strangeness(point: PointRow, item: PublishedItem) -> tuple[bool, bool]:
    return point.item_name != item.item_name, _item_key(point.item_name) != _item_key(item.item_name)
