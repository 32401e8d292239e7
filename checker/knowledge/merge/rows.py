"""The rows that a list leaves: points that begin, go on with more sources, end, or go on at notice; and what they are called.

**Ids** are `<rule>-<batch>-<number>` of the published item, those of a regional list with the region before them. A point whose
patterns fare differently becomes several rows. The plain id is what stays or, where nothing stays, what ends; `b` goes on at
notice, `c` ended beside the plain id. A letter that is taken gets the list's batch after it; what is still taken gets a number:
`drug-sex-01-0009c`, `drug-sex-01-0009c-2026-07`, `drug-sex-01-0009c-2026-07.2`. No row is ever taken away, so that an id is never
given to something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from checker.knowledge.merge.covers import BY_CODE
from checker.knowledge.merge.meeting import Entry, PublishedList
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.remarks import not_listed

DOCUMENT_MARK, SOURCE_MARK = "；", "; "
"""What stands between the documents and between the source rows of a point."""

CONTAINER = "container"
"""The role of what a point's item is a part of: it goes wherever the point goes."""

Rows = tuple[PointRow, list[PatternRow]]
"""One point and its patterns."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids in use; each new one joins them."""

    published: PublishedList
    taken: set[str]

    def of_item(self, item: PublishedItem) -> str:
        """A new id for what begins with the item."""
        place = f"{self.published.region}-" if self.published.region else ""
        return self._free(f"{place}{self.published.rule_id}-{self.published.batch}-{item.seq:04d}")

    def of_part(self, point_id: str, letter: str) -> str:
        """A new id for a part of a point."""
        wanted = f"{point_id}{letter}"
        return self._free(f"{wanted}-{self.published.batch}" if wanted in self.taken else wanted)

    def _free(self, wanted: str) -> str:
        found, number = wanted, 2
        while found in self.taken:
            found, number = f"{wanted}.{number}", number + 1
        self.taken.add(found)
        return found


@dataclass(frozen=True, slots=True)
class Parts:
    """The patterns of one point by what becomes of them; `followed` is by the id of the point that follows, `containers` go with each part."""

    staying: Sequence[PatternRow]
    ending: Sequence[PatternRow]
    demoted: Sequence[PatternRow]
    followed: Mapping[str, Sequence[PatternRow]]
    containers: Sequence[PatternRow] = ()


def divided(point: PointRow, parts: Parts, sources: Sequence[PublishedItem], ids: Ids) -> Iterator[Rows]:
    """Yield the rows that the point becomes; `sources` are the items of the list by which it goes on."""
    day = ids.published.day
    plain: str | None = point.point_id
    if parts.staying:
        yield _of(with_sources(point, sources), point.point_id, [*parts.staying, *parts.containers])
        plain = None
    after = ids.of_part(point.point_id, "b") if parts.demoted else None
    over = [(parts.demoted, after), (parts.ending, None), *((part, other) for other, part in parts.followed.items())]
    for part, successor in sorted((end for end in over if end[0]), key=lambda end: _order(end[0])):
        ended = replace(point, valid_to=day, superseded_by=successor)
        yield _of(ended, plain or ids.of_part(point.point_id, "c"), [*part, *parts.containers])
        plain = None
    if after is not None:
        noticed = replace(point, valid_from=day, level_cap="notice", remark=not_listed(day))
        yield _of(noticed, after, [*parts.demoted, *parts.containers])


def begun(entries: Sequence[Entry], point_id: str, published: PublishedList) -> Rows:
    """Return the point that begins with the entries, which are of one item."""
    item, limits = entries[0].item, dict(entries[0].limit)
    in_family = dict(item.family_codes)
    subject = limits.pop("subject", None)
    patterns = [
        *(
            PatternRow(
                point_id,
                "item",
                entry.cover.match,
                entry.cover.code,
                sum(in_family.get(code, 1) for code in entry.codes),
            )
            for entry in entries
        ),
        *(PatternRow(point_id, CONTAINER, BY_CODE, code, 1) for code in item.containers),
    ]
    point = PointRow(
        point_id=point_id,
        rule_id=published.rule_id,
        item_name=item.item_name,
        subject=None if subject is None else str(subject),
        region=published.region,
        region_of=published.region_of,
        valid_from=published.day,
        valid_to=item.ends,
        level_cap=item.level_cap,
        remark=item.remark,
        document=item.document,
        batch=published.batch,
        published_codes=sum(pattern.published_codes for pattern in patterns),
        source_rows=item.source_row,
        status=item.status,
        limits=limits | _wording(item),
    )
    return point, patterns


def _wording(item: PublishedItem) -> dict[str, str | int]:
    """What the notice says of the limit, in the cells of its shape."""
    said = {"age_text": item.limits.age_text, **dict(item.limits.wording)}
    return {name: text for name, text in said.items() if text is not None}


def with_sources(point: PointRow, items: Iterable[PublishedItem]) -> PointRow:
    """Return the point with the items among its sources; what it names already is not named again."""
    document, rows = point.document, point.source_rows
    for item in items:
        document = _joined(document, item.document, DOCUMENT_MARK)
        rows = _joined(rows, item.source_row, SOURCE_MARK)
    return replace(point, document=document, source_rows=rows)


def _joined(named: str, more: str, mark: str) -> str:
    return named if f"{mark}{more}{mark}" in f"{mark}{named}{mark}" else f"{named}{mark}{more}"


def _of(point: PointRow, point_id: str, patterns: Sequence[PatternRow]) -> Rows:
    own = [replace(pattern, point_id=point_id) for pattern in patterns]
    return replace(point, point_id=point_id, published_codes=sum(row.published_codes for row in own)), own


def _order(patterns: Sequence[PatternRow]) -> tuple[str, str]:
    return min((pattern.match, pattern.code) for pattern in patterns)
