"""How a published list meets the points of an edition: what begins, goes on, changes, ends, or goes on at notice.

A list is held against the points of its rule and of its region (or of none) that are in force on its day, pattern by pattern:

* listed with equal limits: the point goes on, and names the list among its sources;
* listed with other limits: the point ends that day, and the list's begins;
* not listed: as the mode says. `replace` ends the point, `patch` keeps it, `demote` ends it and goes on at `notice`;
* listed and not in force: a new point begins on the day of the list.

**Listed** is decided by family: a code of the list that lies in a family of a point stands for that family, which the point that follows
covers again. In a family that holds items which the rule does not limit alike (`mixed`), and for codes without a family, it is decided
by exact code. So an exact code that the list leaves out, while it names another of its family, is kept, and named
in the report. A point says what the list says only where it is active, has the end that the list sets, if any, and is not at notice because an earlier list
left it out; any other is followed by a new point when it is listed. Not listed, a point in trial (shadow) stays as it is, and one at
notice is not lowered again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date

from checker.knowledge.merge.coverage import (
    ExactFamily,
    LostCover,
    TakenFamily,
    exact_families,
    lost_covers,
    taken_families,
)
from checker.knowledge.merge.covers import BY_CODE, Cover
from checker.knowledge.merge.families import Mixed
from checker.knowledge.merge.meeting import Entry, Meeting, PublishedList
from checker.knowledge.merge.merge_decisions import Fate, Mode, Seats, fate_of, seated
from checker.knowledge.merge.rows import CONTAINER, Ids, Parts, Rows, begun, divided
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.errors import KnowledgeError

_DAY_OF_NOTICE = re.compile(r"[（，](\d{4}-\d{2}-\d{2})）(?=；|$)")
"""A document of a point ends with the day of its notice, which stands in parentheses."""
_NAMED = 5
"""How many points an error names; it counts the rest."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of points, and published codes."""

    points: int
    codes: int


@dataclass(frozen=True, slots=True)
class KeptCode:
    """An exact code that goes on because the list names another code of its family."""

    point_id: str
    item_name: str
    code: str


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a list did to the points of its rule.

    `items` and `codes` are the list's; its codes are new, went on, or changed (`changed.points` are the points that ended for it).
    What was in force and not listed ended, was demoted, or was kept at its level; of `kept_by_family` the family was listed.
    `taken_families` went whole to a point with other limits, `exact_families` hold other items, and of `lost_coverage` families are no longer covered whole.
    """

    rule_id: str
    items: int
    codes: int
    new: Tally
    went_on: Tally
    changed: Tally
    ended: Tally
    demoted: Tally
    kept: Tally
    kept_by_family: tuple[KeptCode, ...]
    taken_families: tuple[TakenFamily, ...]
    exact_families: tuple[ExactFamily, ...]
    lost_coverage: tuple[LostCover, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The rows that are new or altered, sorted; each takes the place of the point of its id, with all its patterns."""

    points: tuple[PointRow, ...]
    patterns: tuple[PatternRow, ...]
    change: ListChange


def merge(
    points: Sequence[PointRow],
    patterns: Iterable[PatternRow],
    published: PublishedList,
    mode: Mode,
    mixed: Mixed,
    *,
    taken: Collection[str] = (),
    earlier: Mapping[str, Set[str]] | None = None,
) -> Merged:
    """Return what the list makes of the points, which may be none and may be more than it has a say about.

    `mixed` are the families that hold items which the rule does not limit alike, `taken` are ids in use beside those of `points`. `earlier` gives the
    codes that were published for the rule before, by family; of a family that it does not know, the codes by which the list has
    more than were counted are taken as added.

    Raises KnowledgeError for limits that cannot be read, for points that a later list made, and where the list would end a point on
    the day on which it begins.
    """
    _check_order(points, published)
    reached = {point.point_id: point for point in points if published.reaches(point)}
    own: dict[str, list[PatternRow]] = {point_id: [] for point_id in reached}
    containers: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern in patterns:
        if pattern.point_id in own:
            (containers if pattern.role == CONTAINER else own)[pattern.point_id].append(pattern)
    meeting = Meeting(published, list(reached.values()), own, mixed, containers)
    ids = Ids(published, {point.point_id for point in points}.union(taken))
    seats = seated(meeting, ids, earlier or {})
    fates = [_fated(meeting, mode, point, own[point.point_id]) for point in reached.values()]
    rows = [row for fated in fates for row in _rows(fated, seats, ids, containers[fated.point.point_id])]
    rows.extend(begun(entries, point_id, published) for point_id, entries in seats.beginning.items())
    _check_spans([point for point, _ in rows], published)
    return Merged(
        tuple(sorted((point for point, _ in rows), key=lambda row: row.point_id)),
        tuple(
            sorted(
                (pattern for _, own in rows for pattern in own),
                key=lambda row: (row.point_id, row.role, row.match, row.code),
            )
        ),
        _change(published, meeting, seats, fates, mixed),
    )


@dataclass(frozen=True, slots=True)
class _Fated:
    """A point, and of each of its patterns what becomes of it and the entries that list it, nearest first."""

    point: PointRow
    patterns: tuple[tuple[PatternRow, Fate, tuple[Entry, ...]], ...]


def _fated(meeting: Meeting, mode: Mode, point: PointRow, own: Iterable[PatternRow]) -> _Fated:
    found = []
    for pattern in own:
        met = meeting.met(point, pattern)
        found.append((pattern, fate_of(meeting, mode, point, pattern, met), tuple(met)))
    return _Fated(point, tuple(found))


def _rows(fated: _Fated, seats: Seats, ids: Ids, containers: Sequence[PatternRow]) -> Iterator[Rows]:
    point, sources = fated.point, seats.sources.get(fated.point.point_id, ())
    if not sources and all(fate.stays for _, fate, _ in fated.patterns):
        return
    staying: list[PatternRow] = []
    ending: list[PatternRow] = []
    demoted: list[PatternRow] = []
    followed: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern, fate, met in fated.patterns:
        if fate.stays:
            added = seats.added.get((point.point_id, Cover(pattern.match, pattern.code)), 0)
            staying.append(replace(pattern, published_codes=pattern.published_codes + added))
        elif fate is Fate.FOLLOWED:
            followed[seats.home[met[0]]].append(pattern)
        else:
            (ending if fate is Fate.ENDED else demoted).append(pattern)
    before = (point, [*(pattern for pattern, _, _ in fated.patterns), *containers])
    for row in divided(point, Parts(staying, ending, demoted, followed, containers), sources, ids):
        if row != before:
            yield row


def _change(
    published: PublishedList, meeting: Meeting, seats: Seats, fates: Sequence[_Fated], mixed: Mixed
) -> ListChange:
    points: dict[Fate, set[str]] = defaultdict(set)
    codes: dict[Fate, int] = defaultdict(int)
    following: set[Entry] = set()
    by_family: list[KeptCode] = []
    went_on = {code for entry in meeting.entries if seats.home[entry] not in seats.beginning for code in entry.codes}
    for fated in fates:
        for pattern, fate, met in fated.patterns:
            points[fate].add(fated.point.point_id)
            codes[fate] += pattern.published_codes
            if fate is Fate.FOLLOWED:
                following.update(met)
            elif fate is Fate.BY_FAMILY:
                by_family.append(KeptCode(fated.point.point_id, fated.point.item_name, pattern.code))
            elif fate is Fate.LISTED and pattern.match == BY_CODE:
                went_on.add(pattern.code)
    listed = {code for entry in meeting.entries for code in entry.codes}
    each_fated = [(fated.point, *pattern) for fated in fates for pattern in fated.patterns]
    changed = {code for entry in following for code in entry.codes} - went_on
    return ListChange(
        rule_id=published.rule_id,
        items=len(published.items),
        codes=len(listed),
        new=Tally(len(seats.beginning), len(listed - went_on - changed)),
        went_on=Tally(len(points[Fate.LISTED]), len(went_on)),
        changed=Tally(len(points[Fate.FOLLOWED]), len(changed)),
        ended=Tally(len(points[Fate.ENDED]), codes[Fate.ENDED]),
        demoted=Tally(len(points[Fate.DEMOTED]), codes[Fate.DEMOTED]),
        kept=Tally(len(points[Fate.KEPT]), codes[Fate.KEPT]),
        kept_by_family=tuple(sorted(by_family, key=lambda kept: (kept.code, kept.point_id))),
        taken_families=taken_families(each_fated, seats),
        exact_families=exact_families(meeting, seats, mixed),
        lost_coverage=lost_covers(meeting, each_fated),
    )


def is_later(document: str, day: date) -> bool:
    """Whether the document of a point names a notice later than the day."""
    return any(named > day.isoformat() for named in _DAY_OF_NOTICE.findall(document))


def _check_order(points: Iterable[PointRow], published: PublishedList) -> None:
    day = published.day.isoformat()
    later = [
        point
        for point in points
        if published.shares_place(point)
        and (point.valid_from > published.day or is_later(point.document, published.day))
    ]
    if later:
        raise KnowledgeError(
            f"{published.rule_id}：知识库中已有晚于 {day} 公布的清单，如 {_named(later)}；请按公布日期的先后导入"
            f"（the edition holds points of a list published after {day}: import lists in the order of their days）"
        )


def _check_spans(points: Iterable[PointRow], published: PublishedList) -> None:
    empty = [point for point in points if point.valid_to is not None and point.valid_to <= point.valid_from]
    if empty:
        raise KnowledgeError(
            f"{published.rule_id}：{_named(empty)} 自 {published.day} 起有效，同一天公布的清单不能使其终止；"
            "请把同一天的工作簿（改正的，用改正后的）在一次命令中导入到此前的知识库；清单只补充、不改动它们的，可用 --mode patch"
            "（these points begin on the day of the list, which cannot end them: import the workbooks of that day, corrected ones in the place of "
            "the others, in one command onto the edition before it; a list that only adds to them may use --mode patch）"
        )


def _named(points: Sequence[PointRow]) -> str:
    told = "、".join(f"{point.point_id} {point.item_name}" for point in points[:_NAMED])
    return f"{told}……（{len(points)}）" if len(points) > _NAMED else told
