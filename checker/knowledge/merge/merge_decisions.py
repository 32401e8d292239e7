"""What becomes of each entry of a published list, and of each pattern that it meets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum

from checker.knowledge.merge.covers import BY_FAMILY, Cover, Limit
from checker.knowledge.merge.meeting import Entry, Meeting
from checker.knowledge.merge.rows import Ids
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PatternRow, PointRow


class Mode(Enum):
    """What becomes of points that a later list does not name."""

    REPLACE = "replace"
    PATCH = "patch"
    DEMOTE = "demote"


class Fate(Enum):
    """What becomes of a pattern of a point."""

    LISTED = "listed with equal limits"
    BY_FAMILY = "not listed, though its family is"
    KEPT = "not listed, kept"
    ENDED = "not listed, ended"
    DEMOTED = "not listed, goes on at notice"
    FOLLOWED = "listed with other limits"

    @property
    def stays(self) -> bool:
        """Whether the pattern stays in its point."""
        return self in (Fate.LISTED, Fate.BY_FAMILY, Fate.KEPT)


@dataclass(frozen=True, slots=True)
class Seats:
    """Where the entries of a list go.

    `home` is the id of the point that says what the entry says, or begins with it; `beginning` are the entries of each new
    point; `sources` are the items by which a point goes on, and `added` the codes that they add to one of its patterns.
    """

    home: dict[Entry, str] = field(default_factory=dict)
    beginning: dict[str, list[Entry]] = field(default_factory=dict)
    sources: dict[str, list[PublishedItem]] = field(default_factory=lambda: defaultdict(list))
    added: dict[tuple[str, Cover], int] = field(default_factory=lambda: defaultdict(int))


def seated(meeting: Meeting, ids: Ids, earlier: Mapping[str, Set[str]]) -> Seats:
    """Return where each entry goes; `earlier` gives the codes published before in a family, where that is known."""
    seats = Seats()
    id_of: dict[int, str] = {}
    seen = {family: set(codes) for family, codes in earlier.items()}
    uncounted: dict[tuple[Cover, Limit], int] = {}
    for entry in meeting.entries:
        held = meeting.holder(entry)
        if held is None:
            if entry.number not in id_of:
                id_of[entry.number] = ids.of_item(entry.item)
            seats.home[entry] = id_of[entry.number]
            seats.beginning.setdefault(id_of[entry.number], []).append(entry)
            continue
        point, cover = held
        seats.home[entry] = point.point_id
        seats.sources[point.point_id].append(entry.item)
        if cover.match != BY_FAMILY:
            continue
        fresh = entry.codes - seen.setdefault(cover.code, set())
        seen[cover.code] |= fresh
        known = 0
        if cover.code not in earlier:
            # Which codes were published is not known, only how many: they are taken to be the first of the list's.
            left = uncounted.setdefault((cover, entry.limit), meeting.counted(cover, entry.limit))
            known = min(left, len(fresh))
            uncounted[cover, entry.limit] = left - known
        seats.added[point.point_id, cover] += len(fresh) - known
    return seats


def fate_of(meeting: Meeting, mode: Mode, point: PointRow, pattern: PatternRow, met: Sequence[Entry]) -> Fate:
    """Return what becomes of the pattern, which the entries `met` list."""
    if any(meeting.stands(point, entry) for entry in met):
        return Fate.LISTED
    unread = meeting.names_unread(pattern)
    if met and not (unread and pattern.match == BY_FAMILY):
        return Fate.FOLLOWED
    if unread:
        return Fate.KEPT
    if point.status == "active" and meeting.names_family(pattern):
        return Fate.BY_FAMILY
    return unlisted_fate(mode, point.status, point.level_cap)


def unlisted_fate(mode: Mode, status: str, level_cap: str | None) -> Fate:
    """Return what becomes of a pattern that the list does not name at all, by status and level cap of its point."""
    if mode is Mode.PATCH or status != "active":
        return Fate.KEPT
    if mode is Mode.REPLACE:
        return Fate.ENDED
    return Fate.KEPT if level_cap == "notice" else Fate.DEMOTED
