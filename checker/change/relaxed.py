"""Points that follow another and hold less: for the other sex, for a wider age, at most at a lower level; and exemptions that reach further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from checker.change.edits import DELETED_EXEMPTION, RELAXED, WIDENED, Edit, Places
from checker.change.followers import followers
from checker.change.new_lists import NewLists
from checker.knowledge.diff.compare import ExemptionChange, KnowledgeDiff, exemptions_in_words
from checker.knowledge.diff.points import FieldChange
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources
from checker.shapes.item.age_words import CHILD_ENDS
from checker.shapes.item.windows import UNIT_DAYS

_CAP_RANK = {None: 3, "suspect": 2, "notice": 1}
_EXEMPTION_FILE = "exemption.toml"


def relaxed(difference: KnowledgeDiff, before: Sources, after: Sources, places: Places) -> Iterator[Edit]:
    """The points of the change that follow others which it ends, and let pass what those did not.

    Another sex is told in any case; a wider age or a lower level not where the point is of a list that the change takes in.
    """
    ended = {change.point.point_id: change.point for change in difference.points("changed") if change.point.valid_to}
    written = {
        change.point.point_id: change.point for kind in ("added", "changed") for change in difference.points(kind)
    }
    lists = NewLists(difference, before, after)
    told = set[str]()
    for one, _, other in followers(ended, after).iter_rows():
        if other not in written or other in told:
            continue
        first, then = ended[one], written[other]
        ordinary = lists.account_for(then.rule_id, then.valid_from)
        if cells := tuple(_less(first, then, ordinary=ordinary)):
            told.add(other)
            file, row = places.get(other, ("point.csv", None))
            yield Edit(RELAXED, other, then.item_name, file, row, cells)


def _less(one: PointRow, other: PointRow, *, ordinary: bool) -> Iterator[FieldChange]:
    sexes = tuple(str(point.limits.get("sex") or "") for point in (one, other))
    if all(sexes) and sexes[0] != sexes[1]:
        yield FieldChange("sex", *sexes)
    if ordinary:
        return
    first, then = _age(one), _age(other)
    if first and then and (then[0] < first[0] or then[1] > first[1]):
        yield FieldChange("age", *(_age_said(point) for point in (one, other)))
    if _CAP_RANK[other.level_cap] < _CAP_RANK[one.level_cap]:
        yield FieldChange("level_cap", one.level_cap, other.level_cap)


def _age(point: PointRow) -> tuple[float, float] | None:
    """The days between which it may be had; None where the rule alone says what its word means."""
    low, high = (_days(point, bound) for bound in ("age_min", "age_max"))
    if low is None and high is None:
        ends = CHILD_ENDS.get(str(point.limits.get("age_word")))
        return None if ends is None else (0.0, ends)
    return low or 0.0, high or float("inf")


def _days(point: PointRow, bound: str) -> float | None:
    number, unit = point.limits.get(bound), point.limits.get(f"{bound}_unit")
    return float(number) * UNIT_DAYS[str(unit)] if number is not None and unit in UNIT_DAYS else None


def _age_said(point: PointRow) -> str:
    return str(point.limits.get("age_text") or point.limits.get("age_word") or "")


def widened(
    changes: Sequence[ExemptionChange], before: Sources, after: Sources, places: Places, day: date
) -> Iterator[Edit]:
    """The exemptions that were or are in force and that exempt more under the same id, or are gone: what was judged could no longer be explained.

    A later end is no such thing: an exemption is prolonged by its `valid_to`. Neither is another id for what says all the same.
    """
    yield from _gone(changes, before, after, places, day)
    rows = {row.exemption_id: row for row in after.exemptions}
    for change in changes:
        if change.kind != "changed":
            continue
        began = next((cell.before for cell in change.fields if cell.column == "valid_from"), None)
        now = rows[change.exemption_id].valid_from
        if min(date.fromisoformat(began) if began else now, now) >= day:
            continue
        if cells := tuple(cell for cell in change.fields if _exempts_more(cell, day)):
            file, row = places.get(change.exemption_id, (_EXEMPTION_FILE, None))
            yield Edit(WIDENED, change.exemption_id, change.rule_id, file, row, cells)


def _gone(
    changes: Sequence[ExemptionChange], before: Sources, after: Sources, places: Places, day: date
) -> Iterator[Edit]:
    """The exemptions that are deleted, and those that are written for them and reach further."""
    old, new = exemptions_in_words(before), exemptions_in_words(after)
    begun = {row.exemption_id for row in before.exemptions if row.valid_from < day}
    added = {change.exemption_id: _of_id(new[change.exemption_id]) for change in changes if change.kind == "added"}
    for change in changes:
        if change.kind != "removed" or change.exemption_id not in begun:
            continue
        was = _of_id(old[change.exemption_id])
        if was in added.values():
            continue
        yield Edit(DELETED_EXEMPTION, change.exemption_id, change.rule_id, _EXEMPTION_FILE, None, ())
        for other, now in added.items():
            cells = tuple(FieldChange(name, was[name], now[name]) for name in was if was[name] != now[name])
            more = tuple(cell for cell in cells if _exempts_more(cell, day))
            if now["rule_id"] == was["rule_id"] and _meet(was, now) and more:
                file, row = places.get(other, (_EXEMPTION_FILE, None))
                yield Edit(WIDENED, other, change.rule_id, file, row, more)


def _of_id(words: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: text for name, text in words.items() if name != "exemption_id"}


def _meet(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> bool:
    """Whether two exemptions speak of some item alike; without items one speaks of all."""
    items = [text.split("; ") if text else None for text in (one["items"], other["items"])]
    return items[0] is None or items[1] is None or not {*items[0]}.isdisjoint(items[1])


def _exempts_more(cell: FieldChange, day: date) -> bool:
    one, other = cell.before, cell.after
    match cell.column:
        case "effect":
            return other == "exempt"
        case "rule_id" | "region_of":
            return True
        case "items":
            # None are all of the rule.
            return one is not None and (other is None or not {*other.split("; ")} <= {*one.split("; ")})
        case "diagnoses":
            return one is not None and (other is None or not all(_within(each, one) for each in other.split("; ")))
        case "region":
            return one is not None and not (other or "").startswith(one)
        case "valid_from":
            return one is not None and other is not None and other < one and other < day.isoformat()
        case _:
            return False


def _within(diagnosis: str, others: str) -> bool:
    return any(diagnosis.startswith(other) for other in others.split("; "))
